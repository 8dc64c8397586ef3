//! How good classifications are, by the labels that the service did not see.

use crate::report::Report;

/// A classified text.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) label: String,
    /// Its best match is its label's project.
    pub(crate) right: bool,
    /// Of the best match.
    pub(crate) confidence: f64,
    pub(crate) decided: bool,
    pub(crate) is_new: bool,
    pub(crate) linked: bool,
    pub(crate) duplicate: bool,
}

/// Suggestions are listed from this confidence.
const SUGGESTED_FROM: f64 = 0.6;

fn share(seen: &[&Seen], what: impl Fn(&Seen) -> bool) -> f64 {
    seen.iter().filter(|s| what(s)).count() as f64 / seen.len().max(1) as f64
}

/// Every text has a project.
pub(crate) fn all(report: &mut Report, seen: &[Seen]) {
    let mut sure: Vec<&Seen> = seen.iter().collect();
    sure.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let top = |part: f64| {
        format!("{:.3}", share(&sure[..(sure.len() as f64 * part) as usize], |s| s.right))
    };
    let centroid = "elsewhere, from 3,000 labelled: centroid .844, logistic .904";
    report.row("best match is the label's project", &top(1.0), centroid, ">= .88");
    let surest = [top(0.9), top(0.8), top(0.7)].join(" / ");
    report.row("the same, surest 90 % / 80 % / 70 %", &surest, "", "");
    let mut right = |what: &str, of: &dyn Fn(&Seen) -> bool| {
        let some: Vec<&Seen> = sure.iter().copied().filter(|s| of(s)).collect();
        let part = 100.0 * some.len() as f64 / sure.len() as f64;
        let figure = format!("{:.3} of {part:.0} %", share(&some, |s| s.right));
        report.row(what, &figure, "", "");
    };
    right("given to a project: right", &|s| s.decided);
    right("linked without asking: right", &|s| s.linked);
    right("suggested (0.6 and up, not linked): right", &|s| {
        !s.linked && s.confidence >= SUGGESTED_FROM
    });
    report.row("called a new initiative", &format!("{:.3}", share(&sure, |s| s.is_new)), "", "");
    let duplicates = seen.iter().filter(|s| s.duplicate).count();
    report.row("marked as duplicates, never dropped", &duplicates.to_string(), "", "");
    calibration(report, seen);
}

/// Mean gap of confidence and accuracy over ten equal bins, weighted by their size (Naeini et al., 2015).
fn calibration(report: &mut Report, seen: &[Seen]) {
    let mut bins = [(0.0, 0.0, 0.0); 10];
    for one in seen {
        let bin = &mut bins[((one.confidence * 10.0) as usize).min(9)];
        bin.0 += 1.0;
        bin.1 += one.confidence;
        bin.2 += f64::from(u8::from(one.right));
    }
    let gap: f64 =
        bins.iter().map(|(_, said, was): &(f64, f64, f64)| (said - was).abs()).sum::<f64>();
    let error = gap / seen.len() as f64;
    report.row("expected calibration error, 10 bins", &format!("{error:.3}"), "", "<= .05");
    let brier: f64 =
        seen.iter().map(|s| (s.confidence - f64::from(u8::from(s.right))).powi(2)).sum();
    report.row("Brier score", &format!("{:.3}", brier / seen.len() as f64), "", "");
    for (nth, (count, said, was)) in bins.iter().enumerate().filter(|(_, b)| b.0 > 0.0) {
        let figure = format!("{:.2}, right {:.2}", said / count, was / count);
        let from = nth as f64 / 10.0;
        report.row(&format!("said {from:.1} to {:.1}: {count} texts", from + 0.1), &figure, "", "");
    }
}

/// A fifth of the labels has no project: those texts are new.
pub(crate) fn open(report: &mut Report, seen: &[Seen], known: impl Fn(&str) -> bool) {
    let (old, new): (Vec<&Seen>, Vec<&Seen>) = seen.iter().partition(|s| known(&s.label));
    let mut below = 0.0;
    for n in &new {
        for o in &old {
            below += match n.confidence.total_cmp(&o.confidence) {
                std::cmp::Ordering::Less => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Greater => 0.0,
            };
        }
    }
    let auroc = below / (new.len() * old.len()) as f64;
    report.row("texts without a project: AUROC of low confidence", &format!("{auroc:.3}"), "", "");
    let figure = format!("{:.2} / {:.2}", share(&new, |s| s.is_new), share(&old, |s| s.is_new));
    report.row("called new: without a project / with one", &figure, "", "");
    let figure = format!("{:.2} / {:.2}", share(&new, |s| s.linked), share(&old, |s| s.linked));
    report.row("linked without asking: without a project / with one", &figure, "", "");
}
