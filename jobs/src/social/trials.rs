//! Experiments on decisions: what a variant may change, who takes part in which, and what won. Pure.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::decide::{Experiment, Thresholds};

/// Thresholds that a variant may change: when we speak, and how. All else is closed.
const OPEN: [&str; 13] = [
    "ars_strong",
    "composite_engage",
    "composite_helpful",
    "composite_hybrid",
    "composite_lift",
    "evs_high",
    "evs_moderate",
    "evs_power",
    "sss_helpful",
    "sss_moderate",
    "sss_power",
    "temperature",
    "trs_clear",
];
/// What people may try to change, and why they cannot.
const CLOSED: [(&[&str], &str); 6] = [
    (
        &["distress_stop", "distress_approval", "review_confidence", "safety", "profanity"],
        "safety is no matter of experiments",
    ),
    (
        &["trs_gate", "age_hours_max", "opportunity", "targeting", "audience", "communities"],
        "whom we speak to is no matter of experiments",
    ),
    (&["claims", "prohibited", "approved"], "claims are no matter of experiments"),
    (
        &["cta", "link", "links", "promotes", "discount"],
        "what we ask people to do is no matter of experiments",
    ),
    (
        &["personal", "personal_data", "handle", "email"],
        "personal data are no matter of experiments",
    ),
    (
        &["explore", "hold_out", "archetype_floor", "min_sample"],
        "what measures us is no matter of experiments",
    ),
];

/// Other values for some thresholds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Change(BTreeMap<String, f64>);

impl Change {
    /// What a variant says: `{"thresholds": {"composite_engage": 0.35}}`, `{}` for none.
    ///
    /// # Errors
    /// In words, if it changes what experiments may not, what there is not, or to what is out of range.
    pub fn read(variant: &Value) -> Result<Self, String> {
        let all = variant.as_object().ok_or("write a table")?;
        if let Some(name) = all.keys().find(|name| *name != "thresholds") {
            return Err(refusal(name));
        }
        let Some(thresholds) = all.get("thresholds") else { return Ok(Self::default()) };
        Self::of(thresholds)
    }

    /// The same from the thresholds alone.
    ///
    /// # Errors
    /// As of [`Self::read`].
    pub fn of(thresholds: &Value) -> Result<Self, String> {
        let named = thresholds.as_object().ok_or("thresholds: write a table")?;
        let mut change = BTreeMap::new();
        for (name, value) in named {
            if !OPEN.contains(&name.as_str()) {
                return Err(refusal(name));
            }
            let value = value.as_f64().ok_or_else(|| format!("{name}: write a number"))?;
            change.insert(name.clone(), value);
        }
        let change = Self(change);
        let settled = serde_json::to_value(change.over(Thresholds::default()).settled());
        let settled = settled.map_err(|error| error.to_string())?;
        let off = change.0.iter().find(|(name, value)| {
            settled.get(name.as_str()).and_then(Value::as_f64) != Some(**value)
        });
        off.map_or(Ok(change.clone()), |(name, value)| {
            Err(format!("{name}: {value} is out of range"))
        })
    }

    /// Nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As JSON, threshold by threshold.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.0.iter().map(|(name, value)| (name.clone(), Value::from(*value))).collect()
    }

    /// Laid over thresholds.
    #[must_use]
    pub fn over(&self, thresholds: Thresholds) -> Thresholds {
        let Ok(Value::Object(mut all)) = serde_json::to_value(thresholds) else {
            return thresholds;
        };
        all.extend(self.0.iter().map(|(name, value)| (name.clone(), Value::from(*value))));
        serde_json::from_value(Value::Object(all)).unwrap_or(thresholds)
    }
}

fn refusal(name: &str) -> String {
    let why = CLOSED.iter().find(|(names, _)| names.contains(&name)).map(|(_, why)| *why);
    let why = why.unwrap_or("there is no such threshold");
    format!("{name}: {why}; a variant may change {}", OPEN.join(", "))
}

/// An experiment that takes authors.
#[derive(Debug, Clone)]
pub struct Running {
    /// Of `social.experiments`.
    pub id: String,
    /// Share of A among authors who come now.
    pub share_of_a: f64,
    /// What A changes.
    pub a: Change,
    /// What B changes.
    pub b: Change,
}

/// What an author got.
#[derive(Debug, Clone, PartialEq)]
pub struct Assigned {
    /// In which experiment.
    pub experiment_id: String,
    /// `A` or `B`.
    pub variant: String,
    /// With what probability.
    pub propensity: f64,
}

/// Experiments of a workspace, as far as some decisions depend on them.
#[derive(Debug, Clone, Default)]
pub struct Trials {
    /// In order of their start.
    pub running: Vec<Running>,
    /// Authors who take part in one of them already: that stays, whatever became of the split.
    pub assigned: BTreeMap<String, Assigned>,
    /// What won and is in force, with its version, in that order.
    pub promoted: Vec<(i32, Change)>,
}

impl Trials {
    /// The experiment and the variant that an author is in, and the thresholds there. An author is in one experiment:
    /// which one, and in which variant, are two hashes of the author that know nothing of each other.
    #[must_use]
    pub fn place(&self, author: &str, thresholds: Thresholds) -> (Thresholds, Option<Experiment>) {
        let base = self.promoted.iter().fold(thresholds, |base, (_, change)| change.over(base));
        let known = self.assigned.get(author);
        let found = match known {
            Some(assigned) => self.running.iter().find(|one| one.id == assigned.experiment_id),
            None => self.drawn(author),
        };
        let Some(running) = found else { return (base, None) };
        let share = running.share_of_a;
        let (variant, propensity) = match known {
            Some(assigned) => (assigned.variant.as_str(), assigned.propensity),
            None if even(&running.id, author) < share => ("A", share),
            None => ("B", 1.0 - share),
        };
        let change = if variant == "A" { &running.a } else { &running.b };
        let (id, variant) = (running.id.clone(), variant.to_owned());
        (change.over(base), Some(Experiment { id, variant, propensity }))
    }

    fn drawn(&self, author: &str) -> Option<&Running> {
        let mut place = even("which experiment", author);
        let each = 1.0 / self.running.iter().map(|_| 1.0).sum::<f64>();
        self.running.iter().find(|_| {
            place -= each;
            place < 0.0
        })
    }

    /// Versions of what won, for the version of the policy: `+1.3`.
    #[must_use]
    pub fn version(&self) -> String {
        let all: Vec<String> =
            self.promoted.iter().map(|(version, _)| version.to_string()).collect();
        if all.is_empty() { String::new() } else { format!("+{}", all.join(".")) }
    }
}

/// A number in 0..1 that is even over units and always the same for one.
pub(crate) fn even(salt: &str, unit: &str) -> f64 {
    let digest = Sha256::digest(format!("{salt}\n{unit}"));
    let first = digest.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    f64::from(first) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn running(id: &str, share_of_a: f64) -> Running {
        let b = Change::read(&json!({ "thresholds": { "composite_engage": 0.3 } })).unwrap();
        Running { id: id.into(), share_of_a, a: Change::default(), b }
    }

    fn variant(trials: &Trials, author: &str) -> (String, String, f64) {
        let (thresholds, experiment) = trials.place(author, Thresholds::default());
        let experiment = experiment.unwrap();
        let is_b = thresholds.composite_engage < 0.35;
        assert_eq!(is_b, experiment.variant == "B");
        (experiment.id, experiment.variant, experiment.propensity)
    }

    #[test]
    fn what_is_safe_may_be_changed_and_nothing_else() {
        let read = |thresholds: Value| Change::read(&json!({ "thresholds": thresholds }));
        let change = read(json!({ "composite_engage": 0.3, "evs_high": 4 })).unwrap();
        let over = change.over(Thresholds::default());
        assert_eq!((over.composite_engage, over.evs_high, over.sss_power), (0.3, 4.0, 0.7));
        for (refused, why) in [
            (json!({ "distress_stop": 0.9 }), "safety"),
            (json!({ "review_confidence": 0.1 }), "safety"),
            (json!({ "trs_gate": 0.1 }), "whom we speak to"),
            (json!({ "hold_out": 0.0 }), "measures"),
            (json!({ "composit": 0.3 }), "no such threshold"),
            (json!({ "composite_engage": 1.3 }), "out of range"),
            (json!({ "composite_engage": "low" }), "number"),
            (json!(3), "table"),
        ] {
            let told = read(refused.clone()).unwrap_err();
            assert!(told.contains(why), "{refused}: {told}");
        }
        for (name, why) in
            [("claims", "claims"), ("cta", "ask"), ("targeting", "whom"), ("x", "no such")]
        {
            let told = Change::read(&json!({ name: {} })).unwrap_err();
            assert!(told.contains(why), "{name}: {told}");
        }
        assert!(Change::read(&json!({})).unwrap().is_empty());
    }

    #[test]
    fn authors_stay_where_they_are_and_are_split_as_planned() {
        let trials = Trials { running: vec![running("x", 0.3)], ..Trials::default() };
        let names: Vec<String> = (0..4000).map(|n| format!("author {n}")).collect();
        let in_a = names.iter().filter(|name| variant(&trials, name).1 == "A").count();
        assert!((1100..1300).contains(&in_a), "{in_a}");
        // The split changes; who was there before stays, with the probability of then.
        let later = Trials {
            running: vec![running("x", 0.9)],
            assigned: names
                .iter()
                .map(|name| {
                    let (experiment_id, variant, propensity) = variant(&trials, name);
                    (name.clone(), Assigned { experiment_id, variant, propensity })
                })
                .collect(),
            promoted: Vec::new(),
        };
        for name in &names {
            assert_eq!(variant(&trials, name), variant(&later, name));
        }
    }

    #[test]
    fn of_several_experiments_an_author_is_in_one_and_what_won_is_under_it() {
        let mut trials =
            Trials { running: vec![running("x", 0.5), running("y", 0.5)], ..Trials::default() };
        let mut seen: BTreeMap<(String, String), u32> = BTreeMap::new();
        for n in 0..4000 {
            let (id, variant, _) = variant(&trials, &format!("author {n}"));
            *seen.entry((id, variant)).or_default() += 1;
        }
        assert!(seen.len() == 4 && seen.values().all(|n| (900..1100).contains(n)), "{seen:?}");
        trials.running.clear();
        let won = |value: f64| Change::of(&json!({ "sss_power": value })).unwrap();
        trials.promoted = vec![(1, won(0.6)), (3, won(0.65))];
        let (thresholds, experiment) = trials.place("ann", Thresholds::default());
        assert_eq!((thresholds.sss_power, experiment), (0.65, None));
        assert_eq!(trials.version(), "+1.3");
    }
}
