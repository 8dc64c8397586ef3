//! Tables of cases: each threshold, both sides.

use super::{
    fixture::{competitor, scored},
    *,
};
use crate::social::{score::Persona, tiers::UserTier};

fn mode(inputs: &Inputs) -> Mode {
    decide(inputs).predicted_mode
}

fn with(mut inputs: Inputs, change: impl FnOnce(&mut Inputs)) -> Inputs {
    change(&mut inputs);
    inputs
}

#[test]
fn the_ladder_holds_at_its_edges() {
    use Mode::{Disengaged as D, Engagement as E, Helpful as H, Hybrid as Y};
    for ((sss, ars, evs, trs), expected, why) in [
        ((0.82, 0.5, 1.0, 1.0), H, "asks"),
        ((0.819, 0.5, 1.0, 1.0), E, "moderate, composite 0.66"),
        ((0.55, 0.5, 1.0, 1.0), E, "moderate"),
        ((0.549, 0.5, 1.0, 1.0), D, "nothing speaks for it"),
        ((0.60, 0.70, 1.0, 1.0), Y, "moderate, good relationship"),
        ((0.60, 0.699, 1.0, 1.0), E, "moderate"),
        ((0.40, 0.5, 2.0, 1.0), E, "something is going on"),
        ((0.40, 0.5, 1.99, 1.0), D, "hardly anything is"),
        ((0.40, 0.5, 2.5, 0.8), E, "the topic is clear"),
        ((0.40, 0.5, 2.5, 0.799), D, "it is not"),
        ((0.40, 0.70, 5.0, 1.0), Y, "viral, good relationship"),
        ((0.40, 0.70, 4.99, 1.0), E, "good relationship"),
        ((0.90, 0.5, 1.0, 0.5), H, "on the topic"),
        ((0.90, 0.5, 1.0, 0.499), D, "off the topic"),
        ((0.75, 0.70, 3.0, 1.0), H, "composite 0.7203 lifts"),
        ((0.75, 0.70, 2.9, 1.0), Y, "composite 0.7191 does not"),
        ((0.20, 0.70, 1.0, 1.0), E, "composite 0.45"),
        ((0.00, 0.70, 1.0, 1.0), D, "composite 0.36"),
    ] {
        assert_eq!(
            mode(&scored(sss, ars, evs, trs)),
            expected,
            "SSS {sss} ARS {ars} EVS {evs} TRS {trs}: {why}"
        );
    }
}

#[test]
fn the_composites_floors_hold_at_their_edges() {
    let helpful = scored(0.9, 0.75, 1.0, 1.0);
    let hybrid = scored(0.6, 0.75, 1.0, 1.0);
    let at = |inputs: &Inputs, change: fn(&mut Thresholds, f64), above: f64| {
        let composite = decide(inputs).composite;
        mode(&with(inputs.clone(), |i| change(&mut i.thresholds, composite + above)))
    };
    let (on, above) = (0.0, 1e-6);
    assert_eq!(at(&helpful, |t, c| t.composite_helpful = c, on), Mode::Helpful);
    assert_eq!(at(&helpful, |t, c| t.composite_helpful = c, above), Mode::Hybrid);
    assert_eq!(at(&hybrid, |t, c| t.composite_hybrid = c, on), Mode::Hybrid);
    assert_eq!(at(&hybrid, |t, c| t.composite_hybrid = c, above), Mode::Engagement);
    assert_eq!(at(&hybrid, |t, c| t.composite_engage = c, on), Mode::Hybrid);
    assert_eq!(at(&hybrid, |t, c| t.composite_engage = c, above), Mode::Disengaged);
}

#[test]
fn learned_weights_change_the_mode() {
    let plain = scored(0.9, 0.3, 1.0, 1.0);
    let learned = with(plain.clone(), |i| {
        let values = Values { sss: 0.05, ars: 0.80, evs: 0.10, trs: 0.05, ..Values::default() };
        i.weights.global = Some(Segment { key: "GLOBAL".into(), values, sample_size: 900 });
    });
    assert_eq!((mode(&plain), mode(&learned)), (Mode::Helpful, Mode::Disengaged));
    assert_eq!(decide(&learned).skip, Some(Skip::LowPotential));
    assert_eq!(decide(&learned).weights.segment, "GLOBAL");
}

#[test]
fn more_engagement_does_not_silence() {
    let of = |evs| mode(&scored(0.38, 0.5, evs, 1.0));
    assert_eq!(
        (of(4.2), of(6.8)),
        (Mode::Engagement, Mode::Engagement),
        "it was DISENGAGED at 6.8"
    );
}

#[test]
fn power_users_are_met_sooner() {
    let of = |sss, evs| {
        let inputs = scored(sss, 0.5, evs, 1.0);
        mode(&with(inputs, |i| i.author.tier = UserTier::MacroPower))
    };
    assert_eq!((of(0.70, 1.0), of(0.699, 1.0)), (Mode::Helpful, Mode::Engagement));
    assert_eq!((of(0.40, 3.0), of(0.40, 2.99)), (Mode::Hybrid, Mode::Engagement));
    assert_eq!(of(0.25, 1.0), Mode::Engagement);
    assert_eq!(of(0.15, 1.0), Mode::Disengaged, "composite 0.37");
}

#[test]
fn the_time_moves_both_thresholds() {
    let of = |sss, adjust| {
        let inputs = scored(sss, 0.5, 1.0, 1.0);
        mode(&with(inputs, |i| i.temporal.strategy.sss_adjust = Some(adjust)))
    };
    assert_eq!((of(0.72, -0.10), of(0.719, -0.10)), (Mode::Helpful, Mode::Engagement));
    assert_eq!((of(0.45, -0.10), of(0.449, -0.10)), (Mode::Engagement, Mode::Disengaged));
    assert_eq!(of(0.82, 0.05), Mode::Engagement);
}

#[test]
fn safety_stops_everything_and_fails_closed() {
    let of = |change: fn(&mut Safety)| {
        let mut inputs = scored(1.0, 1.0, 9.0, 1.0);
        (inputs.competitor, inputs.author.tier) = (competitor(1.0), UserTier::MegaPower);
        change(&mut inputs.safety);
        let d = decide(&inputs);
        (d.mode, d.skip, d.review_reason)
    };
    let stopped = |reason| (Mode::Disengaged, Some(Skip::Safety), reason);
    let viral = Some(ReviewReason::ViralThread);
    assert_eq!(of(|_| {}), (Mode::Helpful, None, viral), "but for safety");
    assert_eq!(of(|s| *s = Safety::default()), stopped(Some(ReviewReason::SafetyUnknown)));
    assert_eq!(of(|s| s.verdict = None), stopped(Some(ReviewReason::SafetyUnknown)));
    assert_eq!(of(|s| s.distress = None), stopped(Some(ReviewReason::SafetyUnknown)));
    assert_eq!(of(|s| s.distress = Some(f64::NAN)), stopped(Some(ReviewReason::SafetyUnknown)));
    assert_eq!(
        of(|s| s.level = Some(Gravity::Critical)),
        stopped(Some(ReviewReason::SafetyCritical))
    );
    assert_eq!(of(|s| s.verdict = Some(Verdict::Disengage)), stopped(None));
    assert_eq!(of(|s| s.distress = Some(0.451)), stopped(Some(ReviewReason::Distress)));
    let distress = Some(ReviewReason::Distress);
    assert_eq!(of(|s| s.distress = Some(0.45)), (Mode::Helpful, None, distress));
    assert_eq!(of(|s| s.distress = Some(0.30)), (Mode::Helpful, None, distress));
    assert_eq!(of(|s| s.distress = Some(0.299)), (Mode::Helpful, None, viral));
    let high = Some(ReviewReason::SafetyAmbiguity);
    assert_eq!(of(|s| s.verdict = Some(Verdict::Human)), stopped(high));
    assert_eq!(of(|s| s.verdict = Some(Verdict::Approve)), (Mode::Helpful, None, high));
    assert_eq!(of(|s| s.level = Some(Gravity::High)), (Mode::Helpful, None, high));
}

#[test]
fn what_forbids_a_reply_stops_it() {
    let of = |change: fn(&mut Inputs)| decide(&with(scored(0.9, 0.5, 1.0, 1.0), change)).skip;
    let stopped = Some(Skip::ContextMismatch);
    assert_eq!(of(|i| i.author.rejected = true), stopped);
    assert_eq!(of(|i| i.post.community_forbids = true), stopped);
    assert_eq!(of(|i| i.post.limit_reached = true), stopped);
    assert_eq!(of(|i| i.post.already_answered = true), stopped);
    assert_eq!(of(|i| i.post.age_hours = Some(6.01)), stopped);
    assert_eq!(of(|i| i.post.age_hours = Some(6.0)), None);
    assert_eq!(of(|i| i.post.age_hours = None), None, "not known");
    assert_eq!(of(|i| i.signals.trs.signal.score = 0.2), stopped);
}

#[test]
fn a_competitor_overrides_after_safety_and_the_gates() {
    let of = |opportunity, trs| {
        let inputs = scored(0.5, 0.5, 1.0, trs);
        decide(&with(inputs, |i| i.competitor = competitor(opportunity)))
    };
    let direct = of(0.61, 1.0);
    assert_eq!(
        (direct.mode, direct.archetype),
        (Mode::Helpful, Some(Archetype::ProblemSolutionDirect))
    );
    assert_eq!(direct.competitor.as_deref(), Some("Other"));
    assert_eq!(of(0.6, 1.0).mode, Mode::Hybrid);
    let off = of(0.9, 0.49);
    assert_eq!((off.mode, off.competitor), (Mode::Disengaged, None));
    let capped = with(scored(0.5, 0.5, 1.0, 1.0), |i| {
        i.competitor = competitor(0.9).map(|c| Competitor { allowed: false, ..c });
    });
    assert_eq!(mode(&capped), Mode::Disengaged, "as any other");
}

#[test]
fn near_a_threshold_a_person_looks() {
    let of = |sss| {
        let d = decide(&scored(sss, 0.5, 1.0, 1.0));
        (d.mode, d.review_reason, d.confidence > 0.7)
    };
    assert_eq!(of(0.825), (Mode::Helpful, Some(ReviewReason::NearThreshold), false));
    assert_eq!(of(0.95), (Mode::Helpful, None, true));
    assert_eq!(of(0.68), (Mode::Engagement, None, true));
    assert_eq!(of(0.549).1, None, "where nothing is said nobody needs to");
    let unsure = with(scored(0.86, 0.5, 1.0, 1.0), |i| i.signals.sss.confidence = 0.0);
    let reason = decide(&unsure).review_reason;
    assert!(matches!(reason, Some(ReviewReason::LowConfidence | ReviewReason::NearThreshold)));
}

#[test]
fn the_matter_of_a_physician_is_seen_by_a_person() {
    let medical = with(scored(0.9, 0.5, 1.0, 0.0), |i| i.signals.trs.medical = true);
    let d = decide(&medical);
    assert_eq!((d.mode, d.review_reason), (Mode::Disengaged, Some(ReviewReason::Medical)));
}

#[test]
fn archetypes_do_not_repeat_and_then_the_mode_steps_down() {
    use Archetype as A;
    let helpful = scored(0.95, 0.5, 1.0, 1.0);
    let all = [
        A::Checklist,
        A::Coach,
        A::CredibilityAnchor,
        A::ConfidentRecommender,
        A::ProblemSolutionDirect,
    ];
    let after = |recent: &[A], then: fn(&mut Inputs)| {
        let inputs = with(helpful.clone(), |i| i.archetypes.recent_author = recent.to_vec());
        decide(&with(inputs, then))
    };
    for left in all {
        let recent: Vec<A> = all.into_iter().filter(|a| *a != left).collect();
        let d = after(&recent, |_| {});
        assert_eq!((d.archetype, d.archetype_propensity), (Some(left), 1.0));
    }
    let d = after(&all, |_| {});
    assert_eq!((d.predicted_mode, d.archetype), (Mode::Hybrid, Some(A::Storylet)));
    let myth = after(&all, |i| {
        i.archetypes.recent_thread = vec![A::Mythbust, A::Storylet, A::HumorLight];
        i.post.conversation.misinformation = true;
    });
    assert_eq!((myth.predicted_mode, myth.archetype), (Mode::Hybrid, Some(A::Mythbust)));
    let none = after(A::ALL, |_| {});
    assert_eq!((none.mode, none.skip), (Mode::Disengaged, Some(Skip::ArchetypesExhausted)));
    let long_ago = [[A::Mythbust; 10].to_vec(), all.to_vec()].concat();
    assert_eq!(
        after(&long_ago, |_| {}).predicted_mode,
        Mode::Helpful,
        "the eleventh counts no more"
    );
}

#[test]
fn archetypes_follow_what_is_known() {
    use Archetype as A;
    let best = |inputs: Inputs| {
        let d = decide(&inputs);
        let of_mode = d.actions.iter().filter(|a| a.mode == d.predicted_mode);
        let best = of_mode.max_by(|a, b| a.probability.total_cmp(&b.probability));
        best.and_then(|a| a.archetype)
    };
    let helpful = || scored(0.95, 0.5, 1.0, 1.0);
    let desperate = with(helpful(), |i| {
        (i.post.conversation.desperate, i.post.conversation.asks) = (true, true);
    });
    assert_eq!(best(desperate), Some(A::Checklist));
    let doubting = with(helpful(), |i| {
        i.post.conversation.compares = true;
        i.archetypes.preferred = vec![A::CredibilityAnchor, A::Coach];
        i.author.personas = vec![Persona::Clinician];
    });
    assert_eq!(best(doubting), Some(A::CredibilityAnchor));
    let did_well = with(helpful(), |i| {
        i.archetypes.performance.insert(A::Coach, Performance { mean: 1.0, n: 10 });
        i.archetypes.semantic.insert(A::Coach, 1.0);
        i.archetypes.recent_brand = vec![A::ConfidentRecommender];
    });
    assert_eq!(best(did_well.clone()), Some(A::Coach));
    let power = with(did_well, |i| i.author.tier = UserTier::MegaPower);
    let of_helpful = decide(&power).actions.iter().filter(|a| a.mode == Mode::Helpful).count();
    assert_eq!(of_helpful, 3, "the best three");
    let asking = decide(&with(helpful(), |i| i.post.conversation.asks = true));
    let given = |a: &&Action| a.mode == Mode::Helpful;
    let ratio = |archetype| {
        let of = asking.actions.iter().filter(given).find(|a| a.archetype == Some(archetype));
        of.map(|a| a.probability)
    };
    // Intent differs by 0.5, weighs 0.3, and the temperature is 0.1: e^1.5 but for the floor.
    let (best, least) = (ratio(A::Checklist).unwrap(), ratio(A::CredibilityAnchor).unwrap());
    assert!(best > 2.5 * least, "scores are not ignored: {best} {least}");
}

#[test]
fn chance_takes_its_shares_and_no_more() {
    let inputs = scored(0.95, 0.8, 1.0, 1.0);
    let keyed = |key| decide(&Inputs { key, ..inputs.clone() });
    let all: Vec<Decision> = (0..4_000).map(keyed).collect();
    let share = |is: fn(&Decision) -> bool| {
        f64::from(u32::try_from(all.iter().filter(|d| is(d)).count()).unwrap()) / 4_000.0
    };
    assert!((share(|d| d.held_out) - 0.02).abs() < 0.007);
    assert!((share(|d| d.randomised && !d.held_out) - 0.10).abs() < 0.015);
    for action in &all[0].actions {
        let taken = all.iter().filter(|d| (d.mode, d.archetype) == (action.mode, action.archetype));
        let taken = f64::from(u32::try_from(taken.count()).unwrap()) / 4_000.0;
        assert!((taken - action.probability).abs() < 0.03, "{action:?} was taken {taken}");
    }
    let sad = with(inputs, |i| i.safety.distress = Some(0.3));
    assert!((0..500).all(|key| !decide(&Inputs { key, ..sad.clone() }).randomised));
}

#[test]
fn who_asks_for_nothing_is_offered_nothing_by_lot() {
    let d = decide(&scored(0.4, 0.5, 3.0, 1.0));
    assert_eq!(d.predicted_mode, Mode::Engagement);
    let modes: Vec<Mode> = d.actions.iter().map(|a| a.mode).collect();
    assert!(modes.iter().all(|m| matches!(m, Mode::Engagement | Mode::Disengaged)), "{modes:?}");
}

#[test]
fn draws_are_those_of_the_hash() {
    assert!((draw(0, "mode") - 0.045_054_082_039_699_52).abs() < 1e-16);
    assert!((draw(1, "mode") - 0.589_095_319_097_217_6).abs() < 1e-16);
}

#[test]
fn an_explanation_names_what_counted() {
    let inputs = scored(0.95, 0.5, 1.0, 1.0);
    let decision = decide(&inputs);
    let text: Vec<String> =
        explain(&inputs, &decision).into_iter().map(|l| format!("{} {}", l.kind, l.text)).collect();
    for part in [
        "signal SSS 0.950",
        "weights DEFAULT",
        "TRS gate: 1.000 at 0.500: yes",
        "SSS, HELPFUL: 0.950 at 0.820: yes",
        "mode HELPFUL",
        ", taken",
    ] {
        assert!(text.iter().any(|line| line.contains(part)), "{part} in {text:#?}");
    }
    assert_eq!(decision.response_target_minutes, Some(120));
}
