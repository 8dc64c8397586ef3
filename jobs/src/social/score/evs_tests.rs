use proptest::prelude::*;

use super::*;

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::minutes(minutes)
}

fn seen(minutes: i64, likes: i64, replies: i64) -> Snapshot {
    let metrics = Metrics { likes: Some(likes), replies: Some(replies), ..Metrics::default() };
    Snapshot { at: at(minutes), metrics }
}

fn watched(snapshots: &[Snapshot]) -> Watched {
    Watched { posted_at: Some(at(0)), snapshots: snapshots.to_vec() }
}

const PRIOR: Prior = Prior { engagements: 10.0, hours: 10.0 };

fn ratio(snapshots: &[Snapshot], past: &[Watched]) -> f64 {
    evs(&watched(snapshots), past, PRIOR, 1.0).ratio
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

#[test]
fn fewer_than_two_snapshots_are_neutral_and_unsure() {
    for snapshots in [vec![], vec![seen(60, 900, 9)], vec![seen(60, 1, 0), seen(60, 900, 0)]] {
        let neutral = evs(&watched(&snapshots), &[], PRIOR, 1.0);
        assert!(near(neutral.ratio, 1.0) && near(neutral.signal.confidence, 0.2));
        assert_eq!(neutral.class, EngagementClass::Normal);
    }
}

#[test]
fn replies_count_once() {
    let only_replies = ratio(&[seen(0, 0, 0), seen(60, 0, 9)], &[]);
    let only_likes = ratio(&[seen(0, 0, 0), seen(60, 9, 0)], &[]);
    assert!(near(only_replies, 5.0) && near(only_likes, 5.0), "(9 + 1) / (1 + 1)");
}

#[test]
fn an_old_post_is_not_slow_because_its_author_was_seen_young() {
    // Each post gains 60 in its first hour and 6 in its tenth; so does this one in its tenth.
    let life = |n: i64| {
        let mut post = watched(&[seen(60, 60, 0), seen(540, 110, 0), seen(600, 116, 0)]);
        let back = TimeDelta::days(n);
        post.posted_at = post.posted_at.map(|t| t - back);
        post.snapshots.iter_mut().for_each(|s| s.at -= back);
        post
    };
    let past: Vec<Watched> = (1..=30).map(life).collect();
    let usual = evs(&watched(&[seen(540, 110, 0), seen(600, 116, 0)]), &past, PRIOR, 1.0);
    assert!((0.9..1.4).contains(&usual.ratio), "{}", usual.ratio);
    assert!(near(usual.signal.confidence, 0.9));
    let fresh = ratio(&[seen(1, 1, 0), seen(60, 60, 0)], &past);
    assert!((0.9..1.4).contains(&fresh), "{fresh}");
}

#[test]
fn one_like_is_not_viral_and_many_are() {
    let prior = Prior::of(Platform::Twitter, UserTier::NewUnknown);
    let of = |likes| evs(&watched(&[seen(0, 0, 0), seen(15, likes, 0)]), &[], prior, 1.0);
    assert_eq!(of(0).class, EngagementClass::SilentPlea);
    assert_eq!(of(1).class, EngagementClass::Normal);
    assert_eq!(of(40).class, EngagementClass::Viral);
}

#[test]
fn classes_hold_at_their_edges() {
    for (ratio, class) in [
        (0.0, EngagementClass::SilentPlea),
        (0.999, EngagementClass::SilentPlea),
        (1.0, EngagementClass::Normal),
        (1.999, EngagementClass::Normal),
        (2.0, EngagementClass::Moderate),
        (4.999, EngagementClass::Moderate),
        (5.0, EngagementClass::Viral),
        (f64::INFINITY, EngagementClass::Normal),
    ] {
        assert_eq!(Evs::new(ratio, 1.0, vec![]).class, class, "{ratio}");
    }
    assert!(near(log_form(0.0), 0.0) && near(log_form(100.0), 1.0) && near(log_form(1e9), 1.0));
}

#[test]
fn a_count_that_was_unknown_before_did_not_come() {
    let mut first = seen(0, 1, 0);
    first.metrics.likes = None;
    assert!(near(ratio(&[first, seen(60, 5000, 1)], &[]), 1.0), "one reply, one expected");
    assert!(near(ratio(&[seen(0, 50, 0), seen(60, 10, 1)], &[]), 1.0), "taken-back likes");
}

#[test]
fn the_night_expects_less_but_not_much_less() {
    let of = |season| evs(&watched(&[seen(0, 0, 0), seen(60, 9, 0)]), &[], PRIOR, season).ratio;
    assert!(near(of(0.6), 10.0 / 1.6) && near(of(0.1), of(0.6)) && near(of(f64::NAN), of(1.0)));
    assert!(near(daypart_factor(3, 1), 0.6) && near(daypart_factor(18, 0), 1.3 * 0.9));
}

#[test]
fn one_viral_post_does_not_make_the_others_slow() {
    let past = |likes: i64| watched(&[seen(60, likes, 0)]);
    let calm: Vec<Watched> = [8, 9, 10, 11, 12, 10].map(past).into();
    let mut wild = calm.clone();
    wild.push(past(50_000));
    let now = [seen(1, 0, 0), seen(60, 10, 0)];
    assert!(ratio(&now, &wild) > 0.7 * ratio(&now, &calm));
}

proptest! {
    #[test]
    fn any_history_is_scored_in_range(
        counts in proptest::collection::vec((any::<i32>(), any::<i64>(), any::<i64>()), 0..6),
        a: f64, b: f64, season: f64,
    ) {
        let post = watched(&counts.iter().map(|(m, l, r)| seen((*m).into(), *l, *r)).collect::<Vec<_>>());
        let score = evs(&post, &[post.clone(), post.clone()], Prior { engagements: a, hours: b }, season);
        prop_assert!(score.ratio >= 0.0 && score.ratio.is_finite());
        prop_assert!((0.0..=1.0).contains(&score.signal.score));
        prop_assert!((0.0..=1.0).contains(&score.signal.confidence));
    }

    #[test]
    fn more_engagement_never_scores_less(likes in 0_i64..10_000, more in 0_i64..10_000) {
        let of = |likes| ratio(&[seen(0, 0, 0), seen(30, likes, 0)], &[]);
        prop_assert!(of(likes) <= of(likes + more));
    }

    #[test]
    fn order_of_snapshots_is_nothing(mut minutes in proptest::collection::hash_set(0_i64..600, 2..6)) {
        let mut snapshots: Vec<Snapshot> = minutes.drain().map(|m| seen(m, m * 3, m)).collect();
        let one = ratio(&snapshots, &[]);
        snapshots.reverse();
        prop_assert_eq!(one, ratio(&snapshots, &[]));
    }
}
