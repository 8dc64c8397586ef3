//! Sections that are numbers and choices.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::Deserialize;

use super::{
    Archetype, KpiType, Mode,
    read::{Section, Wrong},
};
use crate::social::record::Platform;

/// Who speaks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brand {
    /// The brand.
    pub name: String,
    /// Its accounts, by platform, without `@`.
    #[serde(default)]
    pub handles: BTreeMap<Platform, String>,
    /// Where its day begins and ends.
    pub time_zone: Tz,
    /// Whose holidays count: ISO 3166, two letters.
    pub country: String,
    /// What every reply holds; empty: nothing.
    pub signature: String,
    /// `utm_source` of its links.
    pub utm_source: String,
}

impl Section for Brand {
    fn check(&self, wrong: &mut Wrong<'_>) {
        wrong.filled("name", &self.name);
        let utm = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
        if self.utm_source.is_empty() || !self.utm_source.chars().all(utm) {
            wrong.at("utm_source", "is no UTM code", "write a-z, 0-9, _ and - only");
        }
        if self.country.len() != 2 || !self.country.chars().all(|c| c.is_ascii_uppercase()) {
            wrong.at("country", "is no country", "write two capitals, as US");
        }
    }
}

/// Where rules change their mind.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "as in the profile, where each has its line")]
pub struct Thresholds {
    pub sss_helpful: f64,
    pub sss_moderate: f64,
    pub evs_high: f64,
    pub evs_moderate: f64,
    pub ars_strong: f64,
    pub trs_gate: f64,
    pub confidence: f64,
    pub near: f64,
    pub review_delta: f64,
    pub min_sample: u32,
    pub review_confidence: f64,
}

impl Section for Thresholds {
    fn check(&self, wrong: &mut Wrong<'_>) {
        for (key, value) in [
            ("sss_helpful", self.sss_helpful),
            ("sss_moderate", self.sss_moderate),
            ("ars_strong", self.ars_strong),
            ("trs_gate", self.trs_gate),
            ("confidence", self.confidence),
            ("near", self.near),
            ("review_delta", self.review_delta),
            ("review_confidence", self.review_confidence),
        ] {
            wrong.within(key, value, 0.0, 1.0);
        }
        wrong.within("evs_high", self.evs_high, 0.0, 1e6);
        wrong.within("evs_moderate", self.evs_moderate, 0.0, 1e6);
        if self.sss_moderate > self.sss_helpful {
            wrong.at("sss_moderate", "is above sss_helpful", "write the smaller one here");
        }
        if self.evs_moderate > self.evs_high {
            wrong.at("evs_moderate", "is above evs_high", "write the smaller one here");
        }
        if self.min_sample == 0 {
            wrong.at("min_sample", "is 0", "write a count");
        }
    }
}

/// How much each signal counts before anything is learned.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the four signals")]
pub struct Weights {
    pub sss: f64,
    pub ars: f64,
    pub evs: f64,
    pub trs: f64,
}

impl Section for Weights {
    fn check(&self, wrong: &mut Wrong<'_>) {
        let all = [("sss", self.sss), ("ars", self.ars), ("evs", self.evs), ("trs", self.trs)];
        for (key, value) in all {
            wrong.within(key, value, 0.05, 0.95);
        }
        let sum: f64 = all.iter().map(|(_, value)| value).sum();
        if (sum - 1.0).abs() > 1e-9 {
            wrong.at("", format!("the weights sum to {sum}"), "make them sum to 1");
        }
    }
}

/// Which archetypes may answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archetypes {
    /// By mode.
    pub pools: BTreeMap<Mode, Vec<Archetype>>,
    /// Preferred on a platform.
    #[serde(default)]
    pub platforms: BTreeMap<Platform, Vec<Archetype>>,
    /// Preferred in despair.
    #[serde(default)]
    pub desperate: Vec<Archetype>,
    /// Never beside a competitor.
    #[serde(default)]
    pub never_beside_competitor: Vec<Archetype>,
    /// How much preferred, as a factor.
    pub preference: f64,
    /// Not again within so many replies,
    pub no_repeat_in: u32,
    /// but for these.
    #[serde(default)]
    pub may_repeat: Vec<Archetype>,
}

impl Section for Archetypes {
    fn check(&self, wrong: &mut Wrong<'_>) {
        for mode in [Mode::Helpful, Mode::Engagement, Mode::Hybrid] {
            if self.pools.get(&mode).is_none_or(Vec::is_empty) {
                let key = format!("pools.{}", mode.as_str());
                wrong.at(&key, "is empty", "name one archetype at least");
            }
        }
        if self.pools.contains_key(&Mode::Disengaged) {
            wrong.at("pools.DISENGAGED", "is never used", "take it out: nobody answers then");
        }
        wrong.within("preference", self.preference, 1.0, 10.0);
    }
}

/// How a reply looks on one platform.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplyShape {
    /// Where.
    pub platform: Platform,
    /// Its longest length, signature and link included, as the platform counts.
    pub length_max: usize,
    /// Hashtags at most.
    pub hashtags_max: usize,
    /// Emoji at most.
    pub emoji_max: usize,
    /// Replies an hour at most.
    pub per_hour: u32,
    /// Replies a day at most.
    pub per_day: u32,
}

impl Section for ReplyShape {
    fn check(&self, wrong: &mut Wrong<'_>) {
        if !(10..=1000).contains(&self.length_max) {
            wrong.at("length_max", "is out of range", "write a length between 10 and 1000");
        }
    }

    fn key(&self) -> String {
        self.platform.as_str().to_owned()
    }
}

/// How often we speak.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cadence {
    /// Of so many replies that name the product, one at least has no link.
    pub link_free_in: u32,
    /// Replies in one thread at most.
    pub per_thread: u32,
    /// Replies that promote, in one community a day at most.
    pub promo_per_community_day: u32,
    /// Karma that Reddit asks for before any reply.
    pub karma_min: i64,
    /// Karma before a reply may name the product.
    pub karma_for_product: i64,
    /// Days that an account is old before any reply.
    pub account_days_min: u32,
    /// A post older than this is not answered, in hours.
    pub post_hours_max: f64,
}

impl Section for Cadence {
    fn check(&self, wrong: &mut Wrong<'_>) {
        wrong.within("post_hours_max", self.post_hours_max, 0.1, 720.0);
        if self.link_free_in == 0 {
            wrong.at("link_free_in", "is 0", "write a count");
        }
    }
}

/// A community that may be answered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Community {
    /// Its name, without `r/`; case does not matter.
    pub name: String,
    /// Whether it is answered.
    pub enabled: bool,
    /// Whether somebody read its rules.
    pub rules_reviewed: bool,
    /// We are banned until then.
    #[serde(default)]
    pub banned_until: Option<NaiveDate>,
}

impl Community {
    /// Whether it may be answered on a day.
    #[must_use]
    pub fn open(&self, today: NaiveDate) -> bool {
        self.enabled && self.rules_reviewed && self.banned_until.is_none_or(|until| until <= today)
    }
}

impl Section for Community {
    fn check(&self, wrong: &mut Wrong<'_>) {
        let ok = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if self.name.is_empty() || !self.name.chars().all(ok) {
            wrong.at("name", format!("{:?} is no subreddit", self.name), "write it without r/");
        }
    }

    fn key(&self) -> String {
        self.name.clone()
    }
}

/// What a figure should be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kpi {
    /// What it is about.
    pub kind: KpiType,
    /// Its name, as in `kpi_metrics.metric_name`.
    pub name: String,
    /// What is wanted.
    pub target: f64,
    /// More is better; else less is.
    #[serde(default = "yes")]
    pub more: bool,
    /// An alert beyond this.
    #[serde(default)]
    pub alert: Option<f64>,
}

impl Section for Kpi {
    fn check(&self, wrong: &mut Wrong<'_>) {
        wrong.filled("name", &self.name);
        let better = self.alert.is_some_and(|alert| match self.more {
            true => alert > self.target,
            false => alert < self.target,
        });
        if better {
            wrong.at("alert", "is better than the target", "alert on what is worse");
        }
    }

    fn key(&self) -> String {
        format!("{} {}", self.kind.as_str(), self.name)
    }
}

pub(super) const fn yes() -> bool {
    true
}
