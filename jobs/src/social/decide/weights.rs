//! Which weights count: a segment's own, as far as its observations carry, else those of the wider one.

use serde::{Deserialize, Serialize};

use super::Step;

/// Weights must add up to one but for this.
const SUM_TOLERANCE: f64 = 0.001;
/// Largest weight of an interaction.
const INTERACTION_MAX: f64 = 0.2;

/// Weights of the four signals (they add up to 1), and of two products of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Values {
    pub sss: f64,
    pub ars: f64,
    pub evs: f64,
    pub trs: f64,
    #[serde(default = "sss_ars")]
    pub sss_ars: f64,
    #[serde(default = "evs_trs")]
    pub evs_trs: f64,
}

const fn sss_ars() -> f64 {
    0.05
}

const fn evs_trs() -> f64 {
    0.03
}

impl Default for Values {
    /// The documented set (spec 10).
    fn default() -> Self {
        Self { sss: 0.40, ars: 0.25, evs: 0.20, trs: 0.15, sss_ars: sss_ars(), evs_trs: evs_trs() }
    }
}

impl Values {
    fn all(&self) -> [f64; 6] {
        [self.sss, self.ars, self.evs, self.trs, self.sss_ars, self.evs_trs]
    }

    /// None negative, the four adding up to one, the interactions small.
    fn valid(&self) -> bool {
        let [sss, ars, evs, trs, a, b] = self.all();
        self.all().iter().all(|w| w.is_finite() && *w >= 0.0)
            && (sss + ars + evs + trs - 1.0).abs() <= SUM_TOLERANCE
            && a.max(b) <= INTERACTION_MAX
    }

    /// `share` of these and the rest of the others; the four add up to one exactly where they did nearly.
    fn mixed(&self, share: f64, other: &Self) -> Self {
        let sum = self.sss + self.ars + self.evs + self.trs;
        let mix = |own: f64, other: f64| share * own + (1.0 - share) * other;
        Self {
            sss: mix(self.sss / sum, other.sss),
            ars: mix(self.ars / sum, other.ars),
            evs: mix(self.evs / sum, other.evs),
            trs: mix(self.trs / sum, other.trs),
            sss_ars: mix(self.sss_ars, other.sss_ars),
            evs_trs: mix(self.evs_trs, other.evs_trs),
        }
    }
}

/// Weights learned for a segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// `GLOBAL`, a day of the week, a time of day, a platform, or platform and time of day: `TWITTER_NIGHT`.
    pub key: String,
    /// What was learned.
    pub values: Values,
    /// Observations behind it.
    pub sample_size: i64,
}

/// The chain of segments that a post is in; absent ones have no weights of their own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Of the chain, for the log.
    pub version: String,
    /// All posts. Without it, the documented set.
    pub global: Option<Segment>,
    /// Those of the day of the week.
    pub weekday: Option<Segment>,
    /// Those of the time of day.
    pub daypart: Option<Segment>,
    /// The platform's.
    pub platform: Option<Segment>,
    /// The platform's at this time of day.
    pub combined: Option<Segment>,
}

/// The weights that count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effective {
    /// Mixed along the chain.
    pub values: Values,
    /// The narrowest segment that had a say; `DEFAULT` if none.
    pub segment: String,
    /// Observations of the best known segment that had a say.
    pub sample_size: i64,
}

impl Weights {
    /// As JSON can hold it: weights that are no numbers are -1, which is as invalid.
    pub(super) fn settled(mut self) -> Self {
        let Self { version: _, global, weekday, daypart, platform, combined } = &mut self;
        for segment in [global, weekday, daypart, platform, combined].into_iter().flatten() {
            let Values { sss, ars, evs, trs, sss_ars, evs_trs } = &mut segment.values;
            for weight in [sss, ars, evs, trs, sss_ars, evs_trs] {
                *weight = if weight.is_finite() { *weight } else { -1.0 };
            }
        }
        self
    }

    /// GLOBAL, then DAY_OF_WEEK, TIME_OF_DAY, PLATFORM and COMBINED, each mixed into what is there with the share n / (n + `min_sample`).
    /// A segment with a negative weight, weights that do not add up to one within 0.001, or (but for GLOBAL, which
    /// counts whole) no observations, is passed over. What is left starts from the documented set.
    #[must_use]
    pub fn effective(&self, min_sample: f64, log: &mut Vec<Step>) -> Effective {
        let mut effective =
            Effective { values: Values::default(), segment: "DEFAULT".into(), sample_size: 0 };
        for (segment, whole) in [
            (&self.global, true),
            (&self.weekday, false),
            (&self.daypart, false),
            (&self.platform, false),
            (&self.combined, false),
        ] {
            let Some(segment) = segment else { continue };
            let n = f64::from(u32::try_from(segment.sample_size.max(0)).unwrap_or(u32::MAX));
            let valid = segment.values.valid() && (whole || segment.sample_size > 0);
            let share = if whole { 1.0 } else { n / (n + min_sample) };
            let what = if valid { "counts with share" } else { "is invalid, share" };
            let rule = format!("segment {} {what}", segment.key);
            log.push(Step {
                rule,
                value: if valid { share } else { 0.0 },
                threshold: None,
                met: valid,
            });
            if valid {
                effective.values = segment.values.mixed(share, &effective.values);
                effective.segment.clone_from(&segment.key);
                effective.sample_size = effective.sample_size.max(segment.sample_size);
            }
        }
        effective
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn segment(key: &str, four: [f64; 4], sample_size: i64) -> Option<Segment> {
        let [sss, ars, evs, trs] = four;
        let values = Values { sss, ars, evs, trs, ..Values::default() };
        Some(Segment { key: key.into(), values, sample_size })
    }

    fn of(weights: &Weights) -> Effective {
        weights.effective(100.0, &mut Vec::new())
    }

    const ONLY_SSS: [f64; 4] = [1.0, 0.0, 0.0, 0.0];

    #[test]
    fn without_segments_the_documented_set_counts() {
        let effective = of(&Weights::default());
        assert_eq!((effective.values, effective.segment.as_str()), (Values::default(), "DEFAULT"));
    }

    #[test]
    fn segments_count_as_far_as_their_observations_carry() {
        let mut weights =
            Weights { platform: segment("REDDIT", ONLY_SSS, 100), ..Weights::default() };
        let effective = of(&weights);
        assert!((effective.values.sss - 0.7).abs() < 1e-12, "half of 0.4, half of 1");
        weights.combined = segment("REDDIT_NIGHT", [0.0, 1.0, 0.0, 0.0], 300);
        let effective = of(&weights);
        assert!((effective.values.sss - 0.175).abs() < 1e-12, "a quarter of 0.7");
        assert_eq!((effective.segment.as_str(), effective.sample_size), ("REDDIT_NIGHT", 300));
    }

    #[test]
    fn invalid_segments_are_passed_over_and_the_log_says_so() {
        for (four, n) in [
            ([1.2, -0.2, 0.0, 0.0], 100),
            ([0.5, 0.5, 0.1, 0.0], 100),
            ([0.4, 0.25, 0.2, 0.151_1], 100),
            ([f64::NAN, 0.25, 0.2, 0.15], 100),
            (ONLY_SSS, 0),
            (ONLY_SSS, -5),
        ] {
            let weights = Weights { platform: segment("THREADS", four, n), ..Weights::default() };
            let mut log = Vec::new();
            let effective = weights.effective(100.0, &mut log);
            assert_eq!(
                (effective.values, effective.segment.as_str()),
                (Values::default(), "DEFAULT")
            );
            assert!(!log[0].met && log[0].rule.contains("invalid"));
            let settled = weights.settled();
            let json = serde_json::to_string(&settled).unwrap();
            assert_eq!(serde_json::from_str::<Weights>(&json).unwrap(), settled);
            assert_eq!(of(&settled), effective);
        }
    }

    #[test]
    fn a_platform_without_weights_of_its_own_has_those_of_the_hour_and_the_day() {
        let mut weights =
            Weights { weekday: segment("SUNDAY", ONLY_SSS, 100), ..Weights::default() };
        assert_eq!(of(&weights).segment, "SUNDAY");
        weights.daypart = segment("NIGHT", [0.0, 1.0, 0.0, 0.0], 300);
        let effective = of(&weights);
        assert!((effective.values.sss - 0.175).abs() < 1e-12, "a quarter of 0.7");
        assert_eq!(effective.segment, "NIGHT");
        weights.platform = segment("REDDIT", [0.0, 0.0, 1.0, 0.0], 9_900);
        let effective = of(&weights);
        assert!(
            (effective.values.evs - 0.990_25).abs() < 1e-9,
            "its own nearly alone: {effective:?}"
        );
        assert_eq!(effective.segment, "REDDIT");
    }

    #[test]
    fn weights_that_were_stored_before_there_were_days_in_the_chain_are_read() {
        let old = r#"{"version":"GLOBAL:1","global":null,"platform":null,"combined":null}"#;
        assert_eq!(serde_json::from_str::<Weights>(old).unwrap().version, "GLOBAL:1");
    }

    proptest! {
        #[test]
        fn the_result_is_on_the_simplex(
            four in proptest::array::uniform4(0.0..1.0_f64), wild: [f64; 4], a: i64, b: i64,
        ) {
            let sum: f64 = four.iter().sum();
            let weights = Weights {
                global: segment("GLOBAL", wild, a),
                platform: segment("REDDIT", four.map(|w| w / sum), b),
                combined: segment("REDDIT_NIGHT", wild, a),
                weekday: segment("SUNDAY", wild, b),
                daypart: segment("NIGHT", four.map(|w| w / sum), a),
                version: String::new(),
            };
            let Values { sss, ars, evs, trs, .. } = of(&weights).values;
            prop_assert!((sss + ars + evs + trs - 1.0).abs() < 1e-9);
            prop_assert!([sss, ars, evs, trs].iter().all(|w| (0.0..=1.0 + 1e-9).contains(w)));
        }
    }
}
