//! What is really worth how much: known to nobody but the judge.

use millrace_jobs::{learning::moments::dot, social::record::Platform};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::diary::Replied;

pub(super) type Four = [f64; 4];

/// A count to reckon with.
pub(super) fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

/// The truth of a platform, as weights of SSS, ARS, EVS and TRS.
pub(super) const fn favoured(platform: Platform) -> Four {
    match platform {
        Platform::Twitter => [0.10, 0.10, 0.70, 0.10],
        Platform::Reddit => [0.75, 0.10, 0.10, 0.05],
        Platform::Threads => [0.40, 0.25, 0.20, 0.15],
    }
}

/// With what probability somebody clicks on the reply to a post with these signals.
pub(super) fn chance(platform: Platform, signals: &Four) -> f64 {
    (0.15 + 0.8 * (dot(&favoured(platform), signals) - 0.5)).clamp(0.02, 0.6)
}

/// Whether somebody did: by the post, so that it is the same each time.
pub(super) fn clicked(platform: Platform, post: &str, signals: &Four) -> bool {
    let seed = post
        .bytes()
        .fold(7_u64, |seed, byte| (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    StdRng::seed_from_u64(seed).random::<f64>() < chance(platform, signals)
}

/// What the order by these weights is worth: the covariance of the chances with its scores, for each standard deviation of
/// them. It is what learning has evidence of, but of chances and not of clicks.
pub(super) fn worth(replies: &[&Replied], weights: &Four) -> f64 {
    let n = number(replies.len());
    let of = |value: &dyn Fn(&Replied) -> f64| replies.iter().map(|r| value(r)).sum::<f64>() / n;
    let score = |r: &Replied| dot(weights, &r.signals);
    let luck = |r: &Replied| chance(r.platform, &r.signals);
    let (middle, mean) = (of(&score), of(&luck));
    let variance = of(&|r| (score(r) - middle).powi(2));
    of(&|r| (score(r) - middle) * (luck(r) - mean)) / variance.sqrt()
}

/// Mean chance of the half of the replies that these weights put first.
pub(super) fn better_half(replies: &[&Replied], weights: &Four) -> f64 {
    let mut all: Vec<(f64, f64)> = replies
        .iter()
        .map(|reply| (dot(weights, &reply.signals), chance(reply.platform, &reply.signals)))
        .collect();
    // Of posts that score alike the worse ones come first: luck is no merit.
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.total_cmp(&b.1)));
    let half = all.len() / 2;
    all.iter().take(half).map(|(_, chance)| chance).sum::<f64>() / number(half).max(1.0)
}
