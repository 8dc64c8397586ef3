//! The policy's numbers.

use serde::{Deserialize, Serialize};

use crate::social::profile;

/// Where the rules change their minds. A value *at* a threshold has reached it, but for `opportunity` and
/// `distress_stop`, which must be passed. SSS, ARS, TRS, composite, distress and confidence are in 0..=1, EVS is
/// the ratio. What is out of range counts as the default.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// SSS for HELPFUL.
    pub sss_helpful: f64,
    /// SSS for ENGAGEMENT; with a good relationship HYBRID.
    pub sss_moderate: f64,
    /// SSS for HELPFUL to a power user.
    pub sss_power: f64,
    /// EVS from which a thread is viral.
    pub evs_high: f64,
    /// EVS for ENGAGEMENT, if the topic is clear.
    pub evs_moderate: f64,
    /// EVS for HYBRID to a power user.
    pub evs_power: f64,
    /// ARS of a good relationship.
    pub ars_strong: f64,
    /// TRS below which the post is not about the topic.
    pub trs_gate: f64,
    /// TRS of a clear topic.
    pub trs_clear: f64,
    /// Composite below which nothing is said.
    pub composite_engage: f64,
    /// Composite that HYBRID needs.
    pub composite_hybrid: f64,
    /// Composite that HELPFUL needs.
    pub composite_helpful: f64,
    /// Composite that makes HELPFUL of a moderate SSS.
    pub composite_lift: f64,
    /// Opportunity beyond which a competitor's customer gets HELPFUL, not HYBRID.
    pub opportunity: f64,
    /// Distress beyond which nothing is said and a person looks.
    pub distress_stop: f64,
    /// Distress from which a person approves.
    pub distress_approval: f64,
    /// Age of a post, hours, beyond which nothing is said.
    pub age_hours_max: f64,
    /// Confidence in the mode below which a person reviews.
    pub review_confidence: f64,
    /// Share of engaging decisions whose mode is drawn among the allowed ones, 0..=0.5.
    pub explore: f64,
    /// Share of engaging decisions held out, 0..=0.02.
    pub hold_out: f64,
    /// Temperature of the choice of archetype, in units of its score (0..=1).
    pub temperature: f64,
    /// Least probability of an archetype that may be chosen, 0..=0.1.
    pub archetype_floor: f64,
    /// Observations at which a segment's weights count half.
    pub min_sample: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            sss_helpful: 0.82,
            sss_moderate: 0.55,
            sss_power: 0.70,
            evs_high: 5.0,
            evs_moderate: 2.0,
            evs_power: 3.0,
            ars_strong: 0.70,
            trs_gate: 0.5,
            trs_clear: 0.8,
            composite_engage: 0.40,
            composite_hybrid: 0.50,
            composite_helpful: 0.55,
            composite_lift: 0.72,
            opportunity: 0.6,
            distress_stop: 0.45,
            distress_approval: 0.30,
            age_hours_max: 6.0,
            review_confidence: 0.70,
            explore: 0.10,
            hold_out: 0.02,
            temperature: 0.1,
            archetype_floor: 0.05,
            min_sample: 100.0,
        }
    }
}

impl Thresholds {
    /// The profile's, and the standard ones where it has none.
    #[must_use]
    pub fn of(profile: &profile::Thresholds) -> Self {
        Self {
            sss_helpful: profile.sss_helpful,
            sss_moderate: profile.sss_moderate,
            evs_high: profile.evs_high,
            evs_moderate: profile.evs_moderate,
            ars_strong: profile.ars_strong,
            trs_gate: profile.trs_gate,
            review_confidence: profile.review_confidence,
            min_sample: profile.min_sample.into(),
            ..Self::default()
        }
    }

    /// The same in range.
    pub(in crate::social) fn settled(&self) -> Self {
        let standard = Self::default();
        let within = |x: f64, standard: f64, low: f64, high: f64| {
            if (low..=high).contains(&x) { x } else { standard }
        };
        let unit = |x, standard| within(x, standard, 0.0, 1.0);
        let evs = |x, standard| within(x, standard, 0.0, 100.0);
        Self {
            sss_helpful: unit(self.sss_helpful, standard.sss_helpful),
            sss_moderate: unit(self.sss_moderate, standard.sss_moderate),
            sss_power: unit(self.sss_power, standard.sss_power),
            evs_high: evs(self.evs_high, standard.evs_high),
            evs_moderate: evs(self.evs_moderate, standard.evs_moderate),
            evs_power: evs(self.evs_power, standard.evs_power),
            ars_strong: unit(self.ars_strong, standard.ars_strong),
            trs_gate: unit(self.trs_gate, standard.trs_gate),
            trs_clear: unit(self.trs_clear, standard.trs_clear),
            composite_engage: unit(self.composite_engage, standard.composite_engage),
            composite_hybrid: unit(self.composite_hybrid, standard.composite_hybrid),
            composite_helpful: unit(self.composite_helpful, standard.composite_helpful),
            composite_lift: unit(self.composite_lift, standard.composite_lift),
            opportunity: unit(self.opportunity, standard.opportunity),
            distress_stop: unit(self.distress_stop, standard.distress_stop),
            distress_approval: unit(self.distress_approval, standard.distress_approval),
            age_hours_max: within(self.age_hours_max, standard.age_hours_max, 0.0, 8_760.0),
            review_confidence: unit(self.review_confidence, standard.review_confidence),
            explore: within(self.explore, standard.explore, 0.0, 0.5),
            hold_out: within(self.hold_out, standard.hold_out, 0.0, 0.02),
            temperature: within(self.temperature, standard.temperature, 0.01, 10.0),
            archetype_floor: within(self.archetype_floor, standard.archetype_floor, 0.0, 0.1),
            min_sample: within(self.min_sample, standard.min_sample, 1.0, 1e6),
        }
    }
}
