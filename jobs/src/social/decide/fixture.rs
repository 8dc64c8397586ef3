//! Inputs for the tests: a plain good case to change, any inputs in range, and any at all.

use proptest::{
    array,
    collection::vec,
    option,
    prelude::{Just, Strategy, any},
};

use super::*;
use crate::social::{
    record::Platform,
    score::{Category, Evs, Signal, Trs},
    temporal::{self, Daypart, Temporal},
    tiers::UserTier,
};

fn temporal() -> Temporal {
    Temporal {
        zone: "UTC".into(),
        local: "2026-06-05T12:00:00".parse().unwrap(),
        day: 5,
        daypart: Daypart::Afternoon,
        holidays: vec![],
        applied: vec![],
        strategy: temporal::Strategy::default(),
    }
}

/// Nothing is wrong with it: SSS, ARS, EVS and TRS as given, confidence 0.9; key 1 draws nothing by lot.
pub(crate) fn scored(sss: f64, ars: f64, evs: f64, trs: f64) -> Inputs {
    let signal = |score| Signal { score, confidence: 0.9, evidence: vec![] };
    let trs = Trs { signal: signal(trs), category: Category::Actual, medical: false };
    let evs = Evs::new(evs, 0.9, vec![]);
    Inputs {
        key: 1,
        policy_version: "1".into(),
        signals: Signals { sss: signal(sss), ars: signal(ars), evs, trs },
        safety: Safety { verdict: Some(Verdict::Clear), distress: Some(0.0), ..Safety::default() },
        post: PostFacts {
            platform: Platform::Twitter,
            age_hours: Some(1.0),
            community_forbids: false,
            limit_reached: false,
            already_answered: false,
            conversation: Conversation::default(),
        },
        author: AuthorState::default(),
        competitor: None,
        temporal: temporal(),
        thresholds: Thresholds::default(),
        weights: Weights::default(),
        archetypes: Archetypes::default(),
        experiment: None,
        learned: None,
    }
}

pub(super) fn competitor(opportunity: f64) -> Option<Competitor> {
    Some(Competitor { name: "Other".into(), opportunity, allowed: true })
}

fn archetypes() -> impl Strategy<Value = Vec<Archetype>> {
    vec((0_usize..8).prop_map(|n| Archetype::ALL[n]), 0..14)
}

fn segment() -> impl Strategy<Value = Option<Segment>> {
    let four = array::uniform4(0.01..1.0_f64);
    option::of((four, 0_i64..2_000).prop_map(|(four, sample_size)| {
        let [sss, ars, evs, trs] = four.map(|w| w / four.iter().sum::<f64>());
        let values = Values { sss, ars, evs, trs, ..Values::default() };
        Segment { key: "SOME".into(), values, sample_size }
    }))
}

/// A policy that knows all pools.
fn learned() -> impl Strategy<Value = Option<Learned>> {
    let beliefs = vec((-0.2..0.6_f64, 0.001..0.3_f64), 24);
    let some =
        (0.0..=1.0_f64, beliefs).prop_map(|(share, beliefs)| {
            let all =
                ENGAGING.iter().flat_map(|mode| Archetype::ALL.iter().map(move |a| (*mode, *a)));
            let expected = all.zip(beliefs).map(|((mode, archetype), (mean, deviation))| {
                Expected { mode, archetype, mean, deviation }
            });
            Learned { version: "p1".into(), share, expected: expected.collect() }
        });
    option::of(some)
}

/// Any inputs that a job could give.
pub(super) fn sane() -> impl Strategy<Value = Inputs> {
    let unit = || 0.0..=1.0_f64;
    let signals = (unit(), unit(), 0.0..20.0_f64, unit(), array::uniform4(unit()));
    let safety = (0_usize..12, option::weighted(0.95, 0.0..0.6_f64), 0_u8..20);
    let author =
        (0_usize..7, option::weighted(0.2, unit()), -0.2..0.2_f64, array::uniform5(0_u8..20));
    let recent = (archetypes(), archetypes(), archetypes(), any::<[bool; 4]>());
    let weights = (segment(), segment(), segment());
    (any::<u64>(), signals, safety, author, recent, weights, learned()).prop_map(
        |(key, signals, safety, author, recent, weights, learned)| {
            let (sss, ars, evs, trs, sure) = signals;
            let mut inputs = scored(sss, ars, evs, trs);
            inputs.key = key;
            inputs.learned = learned;
            let s = &mut inputs.signals;
            let all = [&mut s.sss, &mut s.ars, &mut s.evs.signal, &mut s.trs.signal];
            all.into_iter().zip(sure).for_each(|(signal, sure)| signal.confidence = sure);
            let levels = [Some(Gravity::Medium), Some(Gravity::High), Some(Gravity::Critical)];
            inputs.safety.level = levels.get(safety.0).copied().flatten();
            inputs.safety.distress = safety.1;
            let verdicts =
                [None, Some(Verdict::Disengage), Some(Verdict::Human), Some(Verdict::Approve)];
            let verdict = verdicts.get(usize::from(safety.2)).copied();
            inputs.safety.verdict = verdict.unwrap_or(Some(Verdict::Clear));
            inputs.author.tier = UserTier::ALL[author.0];
            inputs.competitor = author.1.and_then(competitor);
            inputs.temporal.strategy.sss_adjust = Some(author.2);
            let [a, b, c, d, e] = author.3.map(|n| n == 0);
            inputs.author.rejected = a;
            (inputs.post.community_forbids, inputs.post.limit_reached) = (b, c);
            (inputs.post.already_answered, inputs.signals.trs.medical) = (d, e);
            inputs.archetypes.recent_author = recent.0;
            inputs.archetypes.recent_thread = recent.1;
            inputs.archetypes.recent_brand = recent.2;
            let [asks, desperate, jokes, misinformation] = recent.3;
            inputs.post.conversation =
                Conversation { asks, desperate, compares: asks, jokes, misinformation };
            let (global, platform, combined) = weights;
            inputs.weights =
                Weights { version: "1".into(), global, platform, combined, ..Weights::default() };
            inputs
        },
    )
}

/// Sane but for numbers, which are anything.
pub(super) fn wild() -> impl Strategy<Value = Inputs> {
    (sane(), any::<[f64; 16]>(), Just(())).prop_map(|(mut inputs, n, ())| {
        let s = &mut inputs.signals;
        (s.sss.score, s.sss.confidence, s.ars.score, s.ars.confidence) = (n[0], n[1], n[2], n[3]);
        (s.evs.ratio, s.evs.signal.confidence, s.trs.signal.score) = (n[4], n[5], n[6]);
        (inputs.safety.distress, inputs.post.age_hours) = (Some(n[7]), Some(n[8]));
        inputs.competitor = competitor(n[9]);
        inputs.temporal.strategy.sss_adjust = Some(n[10]);
        let t = &mut inputs.thresholds;
        (t.sss_helpful, t.temperature, t.hold_out, t.archetype_floor) =
            (n[11], n[12], n[13], n[14]);
        (t.min_sample, t.explore) = (n[15], n[0]);
        if let Some(segment) = &mut inputs.weights.global {
            (segment.values.sss, segment.values.evs_trs) = (n[15], n[14]);
        }
        inputs.archetypes.semantic.insert(Archetype::Coach, n[3]);
        if let Some(learned) = &mut inputs.learned {
            learned.share = n[0];
            let first = learned.expected.iter_mut().take(1);
            first.for_each(|one| (one.mean, one.deviation) = (n[1], n[2]));
        }
        inputs
    })
}
