//! Everything that a decision depends on. Stored with it, it gives the same decision again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{learned::Learned, thresholds::Thresholds, weights::Weights};
use crate::social::{
    mode::{Archetype, Mode},
    profile::{self, Gravity},
    record::Platform,
    score::{Evs, Persona, Signal, Trs, finite, unit},
    temporal::Temporal,
    text::{self, safety::Verdict},
    tiers::UserTier,
};

/// Replies within which an archetype does not come again.
pub(super) const NO_REPEAT: usize = 10;

/// Everything that a decision depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// Drawn once by the job; everything random comes of it and a purpose.
    pub key: u64,
    /// Of the thresholds and rules.
    pub policy_version: String,
    /// The four signals.
    pub signals: Signals,
    /// What the safety check found.
    pub safety: Safety,
    /// The post and its surroundings.
    pub post: PostFacts,
    /// Who wrote it.
    pub author: AuthorState,
    /// A competitor whose customer may be helped.
    pub competitor: Option<Competitor>,
    /// What the time says.
    pub temporal: Temporal,
    /// The policy's numbers.
    pub thresholds: Thresholds,
    /// The weights of the segments.
    pub weights: Weights,
    /// What the choice of an archetype depends on.
    pub archetypes: Archetypes,
    /// The experiment that the post takes part in; its variant's thresholds are in `thresholds` already.
    pub experiment: Option<Experiment>,
    /// What the learned policy expects, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learned: Option<Learned>,
}

/// The four signals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as their types say")]
pub struct Signals {
    pub sss: Signal,
    pub ars: Signal,
    pub evs: Evs,
    pub trs: Trs,
}

/// What the safety check found. The default is that nobody looked, and stops everything.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Safety {
    /// Absent: the check failed or did not run.
    pub verdict: Option<Verdict>,
    /// The gravest sign; absent is none.
    pub level: Option<Gravity>,
    /// 0..=1. Absent, or no number: not known, as if the check had failed.
    pub distress: Option<f64>,
    /// Categories that were found.
    pub flags: Vec<String>,
    /// What a model said of them, if it was asked; the verdict and the distress have regard to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opinion: Option<text::safety::Opinion>,
}

impl Safety {
    /// What the text says.
    #[must_use]
    pub fn of(found: &text::safety::Safety) -> Self {
        Self {
            verdict: Some(found.verdict),
            level: found.level,
            distress: Some(found.distress),
            flags: found.categories.clone(),
            opinion: None,
        }
    }

    /// Nobody can say.
    pub(super) fn is_unknown(&self) -> bool {
        self.verdict.is_none() || self.distress.is_none()
    }
}

/// The post and its surroundings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PostFacts {
    /// Where.
    pub platform: Platform,
    /// Hours since it was written; absent is unknown, and stops nothing.
    pub age_hours: Option<f64>,
    /// The community does not want what we do.
    pub community_forbids: bool,
    /// Our limit of replies (hour, day, thread, community) is reached.
    pub limit_reached: bool,
    /// The best answers say already what we would.
    pub already_answered: bool,
    /// What the conversation asks for.
    pub conversation: Conversation,
}

/// What the conversation asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Conversation {
    /// A question, or a call for advice.
    pub asks: bool,
    /// Desperation.
    pub desperate: bool,
    /// Whether something works, or is better.
    pub compares: bool,
    /// It jokes.
    pub jokes: bool,
    /// It says what is not so; only then a myth is busted.
    pub misinformation: bool,
}

impl Conversation {
    /// What the evidence of SSS says; misinformation is the profile's to find.
    #[must_use]
    pub fn of(sss: &Signal, misinformation: bool) -> Self {
        let found = |what: &[&str]| sss.evidence.iter().any(|e| what.contains(&e.what.as_str()));
        Self {
            asks: found(&["question", "asks for advice", "imperative"]),
            desperate: found(&["desperation"]),
            compares: found(&["comparison or validation"]),
            jokes: found(&["humour"]),
            misinformation,
        }
    }
}

/// Who wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorState {
    /// By reach.
    pub tier: UserTier,
    /// He blocked or reported us.
    pub rejected: bool,
    /// Who he seems to be.
    pub personas: Vec<Persona>,
}

/// A competitor whose customer may be helped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Competitor {
    /// Its name.
    pub name: String,
    /// 0..=1.
    pub opportunity: f64,
    /// The caps on such replies leave room; otherwise the post is decided as any other.
    pub allowed: bool,
}

/// What the choice of an archetype depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Archetypes {
    /// By mode.
    pub pools: BTreeMap<Mode, Vec<Archetype>>,
    /// What the platform likes.
    pub preferred: Vec<Archetype>,
    /// Of the last replies to this author, the latest first; ten count.
    pub recent_author: Vec<Archetype>,
    /// Of the last replies in this thread.
    pub recent_thread: Vec<Archetype>,
    /// Of the brand's last replies.
    pub recent_brand: Vec<Archetype>,
    /// Outcomes of the last seven days.
    pub performance: BTreeMap<Archetype, Performance>,
    /// How near the post is to each, 0..=1, by local embeddings.
    pub semantic: BTreeMap<Archetype, f64>,
}

impl Default for Archetypes {
    /// The pools of spec 11; nothing else known.
    fn default() -> Self {
        use Archetype as A;
        Self {
            pools: BTreeMap::from([
                (
                    Mode::Helpful,
                    vec![
                        A::Checklist,
                        A::Coach,
                        A::CredibilityAnchor,
                        A::ConfidentRecommender,
                        A::ProblemSolutionDirect,
                    ],
                ),
                (Mode::Engagement, vec![A::HumorLight, A::Storylet]),
                (Mode::Hybrid, vec![A::Mythbust, A::Storylet, A::Coach, A::ConfidentRecommender]),
            ]),
            preferred: Vec::new(),
            recent_author: Vec::new(),
            recent_thread: Vec::new(),
            recent_brand: Vec::new(),
            performance: BTreeMap::new(),
            semantic: BTreeMap::new(),
        }
    }
}

impl Archetypes {
    /// The profile's for a platform; nothing else known.
    #[must_use]
    pub fn of(profile: &profile::Archetypes, platform: Platform) -> Self {
        let preferred = profile.platforms.get(&platform).cloned().unwrap_or_default();
        Self { pools: profile.pools.clone(), preferred, ..Self::default() }
    }
}

/// How an archetype did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// Share of successes, 0..=1.
    pub mean: f64,
    /// Replies; fewer than ten say nothing.
    pub n: u32,
}

/// An experiment and the post's variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// Of `social.experiments`.
    pub id: String,
    /// `A` or `B`.
    pub variant: String,
    /// With what probability the author was to get it.
    pub propensity: f64,
}

impl Inputs {
    /// The same with every number in its range, as JSON can hold it. Store this one: it decides alike.
    #[must_use]
    pub fn settled(mut self) -> Self {
        let Signals { sss, ars, evs, trs } = self.signals;
        let Evs { signal, ratio, .. } = evs;
        let known = signal.settled();
        let sure = if ratio.is_finite() { known.confidence } else { 0.0 };
        self.signals = Signals {
            sss: sss.settled(),
            ars: ars.settled(),
            evs: Evs::new(ratio, sure, known.evidence),
            trs: Trs { signal: trs.signal.settled(), ..trs },
        };
        self.safety.distress = self.safety.distress.filter(|d| d.is_finite()).map(unit);
        self.post.age_hours = self.post.age_hours.filter(|h| h.is_finite()).map(|h| h.max(0.0));
        if let Some(competitor) = &mut self.competitor {
            competitor.opportunity = unit(competitor.opportunity);
        }
        self.temporal.strategy = self.temporal.strategy.settled();
        self.thresholds = self.thresholds.settled();
        self.weights = self.weights.settled();
        self.learned = self.learned.map(Learned::settled);
        let Archetypes { performance, semantic, .. } = &mut self.archetypes;
        performance.values_mut().for_each(|p| p.mean = unit(p.mean));
        semantic.values_mut().for_each(|s| *s = unit(finite(*s, 0.5)));
        self
    }

    /// An override is due: a competitor is named, and the caps leave room.
    pub(super) fn override_by(&self) -> Option<&Competitor> {
        self.competitor.as_ref().filter(|c| c.allowed)
    }

    /// The matter is at least so grave; what nobody can say is.
    pub(super) fn is_grave(&self, level: Gravity) -> bool {
        self.safety.is_unknown() || self.safety.level.is_some_and(|found| found >= level)
    }

    /// Distress, 1 where it is not known.
    pub(super) fn distress(&self) -> f64 {
        self.safety.distress.unwrap_or(1.0)
    }
}
