//! When somebody is told: a figure of the last week is beyond what the profile lets it be, or work piles up.

use super::kpi::{Facts, by_name};
use crate::{
    social::profile::{Kpi, KpiType},
    store::social::kpis::Voice,
};

/// Figures about fewer things than this say nothing. A choice of ours: the source has no such floor, and one unlucky
/// reply of three would alert every hour.
pub const FLOOR: i64 = 30;
/// Posts that wait for a decision.
pub const QUEUE_MAX: i64 = 100;

/// How soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the variants are the column's values")]
pub enum Severity {
    Critical,
    High,
    Medium,
}

impl Severity {
    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "CRITICAL",
            Self::High => "HIGH",
            Self::Medium => "MEDIUM",
        }
    }
}

/// Something that somebody should know.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Name of the figure, or `queue`.
    pub rule: String,
    /// How soon.
    pub severity: Severity,
    /// What it is,
    pub value: f64,
    /// and what it may be at most (or at least).
    pub threshold: f64,
    /// In words.
    pub message: String,
}

/// What the rules look at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    /// The last seven whole days: today's replies have had no time yet.
    pub week: Facts,
    /// Yesterday and today.
    pub recent: Facts,
    /// The 28 days before the week.
    pub before: Facts,
}

/// Figures that are beyond what `kpis` let them be. What is exactly so is not beyond.
#[must_use]
pub fn figures(look: &Look, kpis: &[Kpi]) -> Vec<Alert> {
    let broken = |kpi: &Kpi| {
        let (threshold, definition) = (kpi.alert?, by_name(&kpi.name)?);
        // A strike of last week was told last week.
        let facts = if kpi.name == "strikes" { &look.recent } else { &look.week };
        let (value, n) = (definition.of)(facts, &look.before)?;
        let beyond = if kpi.more { value < threshold } else { value > threshold };
        if n < FLOOR || !beyond {
            return None;
        }
        let limit = if kpi.more { "least" } else { "most" };
        Some(Alert {
            rule: kpi.name.clone(),
            severity: severity(kpi),
            value,
            threshold,
            message: format!(
                "{}: {value:.3}, at {limit} {threshold} ({})",
                kpi.name, definition.about
            ),
        })
    };
    kpis.iter().filter_map(broken).collect()
}

/// Work that piles up.
#[must_use]
#[expect(clippy::as_conversions, reason = "for show")]
pub fn queue(waiting: i64) -> Option<Alert> {
    (waiting > QUEUE_MAX).then(|| Alert {
        rule: "queue".into(),
        severity: Severity::Medium,
        value: waiting as f64,
        threshold: QUEUE_MAX as f64,
        message: format!("{waiting} posts wait for a decision, at most {QUEUE_MAX} should"),
    })
}

/// Competitors that are spoken of more than usual today: `from` mentions on.
#[must_use]
pub fn mentions(today: &[Voice], from: u32) -> Vec<Alert> {
    let loud = today.iter().filter(|voice| voice.mentions >= from.into());
    #[expect(clippy::as_conversions, reason = "for show")]
    let alert = |voice: &Voice| {
        let name = voice.competitor.as_deref()?;
        Some(Alert {
            rule: format!("mentions of {name}"),
            severity: Severity::Medium,
            value: voice.mentions as f64,
            threshold: from.into(),
            message: format!("{} posts of today speak of {name}", voice.mentions),
        })
    };
    loud.filter_map(alert).collect()
}

/// A strike and removals by the platform are its last word but one; what we delete ourselves is not.
fn severity(kpi: &Kpi) -> Severity {
    let by_others = kpi.kind == KpiType::Safety && kpi.name != "self_deletion";
    if by_others { Severity::Critical } else { Severity::High }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kpis() -> Vec<Kpi> {
        let kpi = |kind, name: &str, alert, more| Kpi {
            kind,
            name: name.into(),
            target: alert,
            more,
            alert: Some(alert),
        };
        vec![
            kpi(KpiType::Commercial, "ctr", 0.015, true),
            kpi(KpiType::Love, "positive", 0.6, true),
            kpi(KpiType::Safety, "self_deletion", 0.03, false),
            kpi(KpiType::Safety, "removal_vs_baseline", 1.5, false),
            kpi(KpiType::Safety, "strikes", 0.5, false),
        ]
    }

    fn rules(week: Facts) -> Vec<String> {
        let before = Facts { replies: 1_000, removed: 20, ..Facts::default() };
        let look = Look { week, recent: Facts::default(), before };
        figures(&look, &kpis()).into_iter().map(|alert| alert.rule).collect()
    }

    #[test]
    fn what_is_exactly_so_is_not_beyond() {
        let fine = Facts {
            replies: 1_000,
            product: 1_000,
            clicked: 15,
            positive: 60,
            negative: 40,
            deleted: 30,
            removed: 30,
            ..Facts::default()
        };
        assert_eq!(rules(fine), [""; 0]);
        assert_eq!(rules(Facts { clicked: 14, ..fine }), ["ctr"]);
        assert_eq!(rules(Facts { positive: 59, ..fine }), ["positive"]);
        assert_eq!(rules(Facts { deleted: 31, ..fine }), ["self_deletion"]);
        assert_eq!(rules(Facts { removed: 31, ..fine }), ["removal_vs_baseline"]);
    }

    #[test]
    fn a_few_say_nothing_but_a_strike_is_a_strike() {
        let few = |product| Facts { product, replies: product, ..Facts::default() };
        assert_eq!(rules(few(29)), [""; 0]);
        assert_eq!(rules(few(30)), ["ctr"]);
        let recent = Facts { strikes: 1, ..Facts::default() };
        let found = figures(&Look { recent, ..Look::default() }, &kpis());
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].rule.as_str(), found[0].severity), ("strikes", Severity::Critical));
        let last_week = Look { week: recent, ..Look::default() };
        assert_eq!(figures(&last_week, &kpis()), []);
    }

    #[test]
    fn work_may_pile_up_to_a_hundred() {
        assert_eq!(queue(100), None);
        assert_eq!(queue(101).unwrap().severity, Severity::Medium);
    }

    #[test]
    fn a_competitor_is_loud_from_so_many_mentions_on() {
        let voice = |name: Option<&str>, mentions| Voice {
            competitor: name.map(str::to_owned),
            mentions,
            positive: 0,
            negative: 0,
            replied: 0,
        };
        let today = [voice(Some("a"), 3), voice(Some("b"), 4), voice(None, 90)];
        let rules: Vec<String> = mentions(&today, 4).into_iter().map(|alert| alert.rule).collect();
        assert_eq!(rules, ["mentions of b"]);
    }
}
