//! `millrace learn report`: one page that opens without a network.

mod plot;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use millrace_config::Clock;
use millrace_jobs::store::social::{
    experiments::{self as trials, ExperimentRow, LookRow},
    kpis::{self, KpiRow},
    learning::{self, PredictionRow, RunRow, VersionRow},
};
use serde_json::{Value, json};
use sqlx::PgPool;

use self::plot::{Below, Series, day};
use super::explain::{number, text};
use crate::out::Out;

/// Kinds of segments, as they are shown: those beyond the second are folded away.
const KINDS: [&str; 5] = ["GLOBAL", "PLATFORM", "TIME_OF_DAY", "DAY_OF_WEEK", "COMBINED"];
/// Nights at most.
const RUNS_MAX: i64 = 400;

/// All that is plotted.
struct Facts {
    workspace: String,
    now: DateTime<Utc>,
    since: DateTime<Utc>,
    versions: Vec<VersionRow>,
    runs: Vec<RunRow>,
    predictions: Vec<PredictionRow>,
    /// With their looks, the newest first.
    experiments: Vec<(ExperimentRow, Vec<LookRow>)>,
    kpis: Vec<KpiRow>,
}

/// Write the report of the last so many days into a file.
///
/// # Errors
/// Those of the database and of the file.
pub(super) async fn run(
    pool: &PgPool,
    workspace: &str,
    (file, days): (Option<PathBuf>, u32),
    out: Out,
) -> anyhow::Result<()> {
    let now = Clock::system().now();
    let facts = facts(pool, workspace, now, now - Duration::days(days.into())).await?;
    let file = file.unwrap_or_else(|| {
        Path::new(&format!("learning-{workspace}-{}.html", now.format("%Y-%m-%d"))).to_owned()
    });
    let page = page(&facts).into_string();
    std::fs::write(&file, &page)
        .with_context(|| format!("cannot write {}: choose another file", file.display()))?;
    out.answer(&json!({ "file": file, "bytes": page.len() }), || {
        out.say(format!("written to {}; open it in a browser", file.display()))
    })
}

async fn facts(
    pool: &PgPool,
    workspace: &str,
    now: DateTime<Utc>,
    since: DateTime<Utc>,
) -> anyhow::Result<Facts> {
    let mut conn = pool.acquire().await?;
    let mut runs = learning::list(&mut conn, workspace, RUNS_MAX).await?;
    runs.retain(|run| run.as_of.is_some_and(|at| at >= since));
    runs.reverse();
    let mut experiments = Vec::new();
    for row in trials::list(&mut conn, workspace).await? {
        let mut looks = trials::looks(&mut conn, (workspace, &row.id), i64::MAX).await?;
        looks.retain(|look| look.looked_at >= since);
        if !looks.is_empty() {
            experiments.push((row, looks));
        }
    }
    Ok(Facts {
        workspace: workspace.to_owned(),
        now,
        since,
        versions: learning::versions(&mut conn, workspace, true).await?,
        runs,
        predictions: learning::predictions(&mut *conn, workspace, since).await?,
        experiments,
        kpis: kpis::list(&mut *conn, workspace, None, since.date_naive()).await?,
    })
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;color:#222;max-width:780px;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem;border-bottom:1px solid #ddd}h3,summary{font-size:1rem;font-weight:bold;margin:.6rem 0 .2rem}\
p.none{color:#777}table{border-collapse:collapse;width:100%;font-size:13px}td,th{padding:.2rem .5rem;text-align:right;\
border-bottom:1px solid #eee}td:first-child,th:first-child{text-align:left}.grid{display:grid;grid-template-columns:1fr 1fr;gap:.5rem}\
svg{max-width:100%;height:auto}";

fn page(facts: &Facts) -> Markup {
    let (from, to) = (facts.since.format("%Y-%m-%d"), facts.now.format("%Y-%m-%d %H:%M UTC"));
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Learning of " (facts.workspace) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Learning of " (facts.workspace) }
                p { "From " (from) " to " (to) "." }
                (weights(facts))
                (segments(facts))
                (policy(facts))
                (experiments(facts))
                (predictions(facts))
                (trends(facts))
            }
        }
    }
}

fn section(title: &str, about: &str, what: &Markup) -> Markup {
    html! { section { h2 { (title) } p { (about) } (what) } }
}

fn plotted(plot: Option<String>, otherwise: &str) -> Markup {
    match plot {
        Some(svg) => PreEscaped(svg),
        None => html! { p.none { (otherwise) } },
    }
}

/// Weights as steps, and each night's gain of the candidate with its interval.
fn weights(facts: &Facts) -> Markup {
    let place = |kind: &str| KINDS.iter().position(|known| *known == kind);
    let mut segments: BTreeMap<(Option<usize>, &str), Vec<&VersionRow>> = BTreeMap::new();
    for row in facts.versions.iter().filter(|row| row.approved_by.is_some()) {
        let key = (place(&row.segment_type), row.segment_key.as_str());
        segments.entry(key).or_default().push(row);
    }
    let steps = |versions: &[&VersionRow]| -> Vec<Series> {
        let names = ["SSS", "ARS", "EVS", "TRS"];
        let of = |nth: usize, name: &str| Series {
            name: name.to_owned(),
            points: versions
                .iter()
                .flat_map(|row| {
                    let weight = row.weights.get(nth).copied().unwrap_or_default();
                    let ends = [row.effective_from, row.effective_to.unwrap_or(facts.now)];
                    ends.map(|at| (day(at.max(facts.since)), weight))
                })
                .collect(),
            band: Vec::new(),
        };
        names.iter().enumerate().map(|(nth, name)| of(nth, name)).collect()
    };
    let gain = over_nights(&facts.runs, "nightly", &|report| {
        let findings = report.get("findings")?.as_array()?;
        findings.iter().find(|one| text(one, "segment") == "GLOBAL")
    });
    let what = html! {
        @if segments.is_empty() {
            p.none { "No weights but the documented ones have been in force: SSS .40, ARS .25, EVS .20, TRS .15." }
        }
        @for ((kind, key), versions) in &segments {
            details open[*kind < Some(2)] {
                summary { (key) }
                (plotted(plot::lines(&steps(versions), Below::Days), "nothing yet"))
            }
        }
        h3 { "Gain of the candidate over the weights in force, all segments, night by night" }
        (plotted(plot::lines(&[gain], Below::Days), "No night has had enough outcomes yet."))
    };
    let about = "What each signal weighs in decisions, segment by segment. Bands are 95 % confidence sequences: they may be looked at every night.";
    section("Weights", about, &what)
}

/// A figure with its interval, run by run.
fn over_nights<'a>(
    runs: &'a [RunRow],
    kind: &str,
    of: &dyn Fn(&'a Value) -> Option<&'a Value>,
) -> Series {
    let mut series = Series::default();
    for run in runs.iter().filter(|run| run.kind == kind) {
        let Some((at, report)) = run.as_of.zip(run.report.as_ref()) else { continue };
        let Some(one) = of(&report.0) else { continue };
        let interval = one.get("interval").and_then(|i| number(i, "low").zip(number(i, "high")));
        if let (Some(gain), Some((low, high))) = (number(one, "gain"), interval) {
            series.points.push((day(at), gain));
            series.band.push((day(at), low, high));
        }
    }
    series
}

/// The last night, segment by segment.
fn segments(facts: &Facts) -> Markup {
    let last = facts.runs.iter().rev().find(|run| run.kind == "nightly");
    let report = last.and_then(|run| run.report.as_ref());
    let findings = report.and_then(|report| report.0.get("findings")).and_then(Value::as_array);
    let figure = |one: &Value, name| number(one, name).unwrap_or_default();
    let what = html! {
        @match findings {
            None => p.none { "There has been no night yet." },
            Some(findings) => table {
                tr { th { "segment" } th { "replies" } th { "rewarded" } th { "lift" } th { "always-valid p" } th { "verdict" } }
                @for one in findings {
                    tr {
                        td { (text(one, "segment")) }
                        td { (figure(one, "n")) }
                        td { (format!("{:.1} %", figure(one, "mean_reward") * 100.0)) }
                        td style=(heat(figure(one, "lift"))) { (format!("{:+.1} %", figure(one, "lift") * 100.0)) }
                        td style=(heat(0.25 * (1.0 - figure(one, "p")))) { (format!("{:.4}", figure(one, "p"))) }
                        td { (one.get("skip").and_then(Value::as_str).unwrap_or("ADJUSTED").replace('_', " ").to_lowercase()) }
                    }
                }
            },
        }
    };
    section("Segments", "What other weights would be worth where, by the last night.", &what)
}

/// Green for more, red for less; full at a quarter.
fn heat(value: f64) -> String {
    let strength = (value.abs() / 0.25).min(1.0) * 0.45;
    let colour = if value >= 0.0 { "37,128,79" } else { "190,50,40" };
    format!("background:rgba({colour},{strength:.2})")
}

fn policy(facts: &Facts) -> Markup {
    let gain = over_nights(&facts.runs, "policy", &Some);
    let last = facts.runs.iter().rev().find(|run| run.kind == "policy");
    let stage = last
        .and_then(|run| run.report.as_ref())
        .map(|report| text(&report.0, "next").to_lowercase());
    let what = html! {
        @if let Some(stage) = stage { p { "It is at stage " b { (stage) } "." } }
        (plotted(plot::lines(&[gain], Below::Days), "It has not been judged on enough decisions yet."))
    };
    section(
        "Policy over modes and archetypes",
        "What its choices would have gained in mean reward.",
        &what,
    )
}

fn experiments(facts: &Facts) -> Markup {
    let series = |looks: &[LookRow]| {
        let mut series = Series::default();
        for look in looks.iter().rev() {
            if let (Some(low), Some(high)) = (look.cs_low, look.cs_high) {
                let n = f64::from(i32::try_from(look.n).unwrap_or(i32::MAX));
                series.points.push((n, f64::midpoint(low, high)));
                series.band.push((n, low, high));
            }
        }
        plot::lines(&[series], Below::Count)
    };
    let what = html! {
        @if facts.experiments.is_empty() { p.none { "There has been no look at any experiment." } }
        @for (row, looks) in &facts.experiments {
            h3 { (row.name) }
            (plotted(series(looks), "Too few outcomes for an interval yet."))
        }
    };
    let about = "Difference of B over A by authors with an outcome. An experiment ends when its band leaves zero.";
    section("Experiments", about, &what)
}

fn predictions(facts: &Facts) -> Markup {
    let judged: Vec<(&PredictionRow, f64)> =
        facts.predictions.iter().filter_map(|row| Some((row, row.actual_improvement?))).collect();
    let points: Vec<(f64, f64)> =
        judged.iter().map(|(row, actual)| (row.predicted_improvement, *actual)).collect();
    let accuracy = Series {
        name: "accuracy".into(),
        points: judged.iter().filter_map(|(row, _)| Some((day(row.date), row.accuracy?))).collect(),
        band: Vec::new(),
    };
    let covered: Vec<bool> = judged.iter().filter_map(|(row, _)| row.covered).collect();
    let within = covered.iter().filter(|is| **is).count();
    let what = html! {
        p { (facts.predictions.len()) " predicted, " (judged.len()) " judged; " (within) " of " (covered.len())
            " predictions were within the 95 % interval of what came." }
        (plotted(plot::against(&points).filter(|_| !points.is_empty()), "None was judged yet: that takes a week."))
        h3 { "Accuracy as the seed has it: one less the error" }
        (plotted(plot::lines(&[accuracy], Below::Days), "None was judged yet."))
    };
    section(
        "Calibration and accuracy",
        "What changes were predicted to gain, and what they did.",
        &what,
    )
}

fn trends(facts: &Facts) -> Markup {
    let mut all: BTreeMap<(&str, &str), Series> = BTreeMap::new();
    for row in &facts.kpis {
        let series = all.entry((&row.metric_type, &row.metric_name)).or_default();
        let noon = row.date.and_hms_opt(12, 0, 0).map(|at| at.and_utc());
        series.points.extend(noon.map(|at| (day(at), row.value)));
    }
    let what = html! {
        @if all.is_empty() { p.none { "There are no figures yet." } }
        div.grid {
            @for ((kind, name), series) in &all {
                div { h3 { (name.replace('_', " ")) " (" (kind.to_lowercase()) ")" } (plotted(plot::small(series), "nothing yet")) }
            }
        }
    };
    section("Key figures", "Day by day, all platforms.", &what)
}
