//! The month, with outcomes of its replies drawn from a truth that is another one on each platform. Each day is decided by
//! the weights in force, told what came of it, and learned from at night, all by the real binary; then everything is a day
//! older. At the end what was learned is held against the truth.

mod diary;
mod truth;

use std::{path::PathBuf, time::Instant};

use millrace_jobs::{learning::evidence::BETTER_HALF, social::record::Platform};
use serde_json::Value;

use self::{
    diary::{Diary, Predictions, Replied, Step},
    truth::{Four, better_half, chance, favoured, number, worth},
};
use super::{
    SEED,
    house::House,
    traffic::{Crowd, Month},
};
use crate::reliability::Figure;

/// Posts of one platform in a day; of a few days, to see that it works, as many as can be looked at in seconds.
const PER_DAY: usize = 400;
const FEW_A_DAY: usize = 60;
const LIKES_MAX: u64 = 512;
const DOCUMENTED: Four = [0.4, 0.25, 0.2, 0.15];

/// R39: `days` of traffic; what came of a day is final a week later.
pub(in crate::chaos::scenarios) async fn run(days: u32) -> Vec<Figure> {
    let began = Instant::now();
    let per_day = if days < 30 { FEW_A_DAY } else { PER_DAY };
    // Who was answered lately is not answered again in the same manner: hardly anybody writes twice.
    let writers = per_day * usize::try_from(days).unwrap() * 2;
    let month = Month::write(SEED, days, Crowd { per_day, writers, likes_max: LIKES_MAX });
    let mut diary = Diary::new(House::open().await).await;
    let mut nights = 0.0;
    for (nth, day) in month.days().iter().enumerate() {
        diary.live(day).await;
        let night = Instant::now();
        let told = diary.learn().await;
        nights += night.elapsed().as_secs_f64();
        print(nth, &told);
    }
    let report = diary.report().await;
    let (replies, steps) = (diary.replies().await, diary.steps().await);
    let (predictions, unrepeatable) = (diary.predictions().await, diary.unrepeatable);
    let in_force = diary.in_force().await;
    let time = format!(
        "{:.0} s for {days} days, {nights:.0} s of them for their nights",
        began.elapsed().as_secs_f64()
    );
    figures(&replies, &steps, &in_force, &predictions, (unrepeatable, &report, &time))
}

fn print(nth: usize, told: &Value) {
    let findings = told["findings"].as_array().map_or(&[][..], Vec::as_slice);
    let stepped: Vec<String> = findings
        .iter()
        .filter(|one| one["skip"].is_null() && told["skipped"].is_null())
        .map(|one| format!("{} to {}", one["segment"], one["candidate"]))
        .collect();
    println!("night {nth}: {} rows, {} {}", told["rows"], told["skipped"], stepped.join(", "));
}

/// What weights gain over the documented ones, and what the true ones would, over the better half of each platform's replies,
/// in shares of what the documented ones have there.
fn gains(replies: &[Replied], weights: impl Fn(Platform) -> Four) -> (f64, f64) {
    let (mut gained, mut possible, mut all) = (0.0, 0.0, 0.0);
    for platform in Platform::ALL {
        let here: Vec<&Replied> = replies.iter().filter(|r| r.platform == platform).collect();
        let by = |weights: &Four| number(here.len()) * better_half(&here, weights);
        gained += by(&weights(platform)) - by(&DOCUMENTED);
        possible += by(&favoured(platform)) - by(&DOCUMENTED);
        all += by(&DOCUMENTED);
    }
    (gained / all, possible / all)
}

/// What a step really gains, in shares of the mean reward there: the figure that is predicted of it.
fn lift(replies: &[Replied], step: &Step) -> f64 {
    let here: Vec<&Replied> = replies.iter().filter(|r| r.is_in(&step.segment)).collect();
    let mean =
        here.iter().map(|r| chance(r.platform, &r.signals)).sum::<f64>() / number(here.len());
    BETTER_HALF * (worth(&here, &step.to) - worth(&here, &step.from)) / mean
}

fn figures(
    replies: &[Replied],
    steps: &[Step],
    in_force: &[(Platform, Four, i64)],
    predictions: &Predictions,
    (unrepeatable, report, time): (usize, &(PathBuf, usize), &str),
) -> Vec<Figure> {
    let lifts: Vec<f64> = steps.iter().map(|step| lift(replies, step)).collect();
    let wrong = lifts.iter().filter(|lift| **lift < 0.0).count();
    let weights = |platform| {
        let found = in_force.iter().find(|(of, ..)| *of == platform);
        found.map_or(DOCUMENTED, |(_, weights, _)| *weights)
    };
    let (gained, possible) = gains(replies, weights);
    let of = |four: &Four| four.map(|w| format!("{w:.2}")).join("/");
    let platforms: Vec<String> = Platform::ALL
        .into_iter()
        .map(|p| {
            let n = replies.iter().filter(|r| r.platform == p).count();
            let (now, truth) = (of(&weights(p)), of(&favoured(p)));
            format!("{} {now} (truth {truth}, {n} replies)", p.as_str())
        })
        .collect();
    let rewarded = replies.iter().filter(|r| r.rewarded).count();
    let learned = format!(
        "{} replies, {rewarded} rewarded; weights in force SSS/ARS/EVS/TRS from {}: {}; the better half is worth {:.1} % more, {:.1} % were possible; {} steps, {wrong} \
         of them wrong by the truth; {unrepeatable} decisions not the same when made again; {time}",
        replies.len(),
        of(&DOCUMENTED),
        platforms.join(", "),
        100.0 * gained,
        100.0 * possible,
        steps.len(),
    );
    let mean = |all: &[f64]| all.iter().sum::<f64>() / number(all.len()).max(1.0);
    let judged = &predictions.judged;
    let predicted = mean(&judged.iter().map(|one| one.predicted).collect::<Vec<_>>());
    let actual = mean(&judged.iter().map(|one| one.actual).collect::<Vec<_>>());
    let covered = judged.iter().filter(|one| one.covered).count();
    let told = format!(
        "lift of the mean reward a step predicts, judged a week later: {} of {} steps, predicted {:.1} %, found {:.1} %, within \
         the interval {covered}; by the truth all steps {:.1} %; held back {} replies, {:.1} % rewarded, beside {}, {:.1} %; \
         report of {} bytes",
        judged.len(),
        steps.len(),
        100.0 * predicted,
        100.0 * actual,
        100.0 * mean(&lifts),
        predictions.old.0,
        predictions.old.1,
        predictions.new.0,
        predictions.new.1,
        report.1,
    );
    for (step, lift) in steps.iter().zip(&lifts) {
        println!("{}: {} to {}, {:.1} %", step.segment, of(&step.from), of(&step.to), 100.0 * lift);
    }
    println!("{}", report.0.display());
    // Five in a hundred steps may be wrong: with a few, more than one is too many.
    let allowed = (steps.len() / 20).max(1);
    vec![
        Figure::new("R39", wrong <= allowed && unrepeatable == 0 && gained >= -0.01, learned),
        Figure::new("R39 predictions", 10 * covered >= 7 * judged.len(), told),
    ]
}
