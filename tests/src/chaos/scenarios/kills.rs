use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    chaos::{house::Shape, run::Run},
    reliability::Figure,
};

const EVERY: Duration = Duration::from_secs(6);
const RATE: u32 = 200;
const DRAINED_WITHIN: Duration = Duration::from_secs(60);

/// R1, R30: any process may be killed at any moment.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let mut random = StdRng::seed_from_u64(1);
    let mut run = Run::start(&Shape::default(), RATE).await;
    for _ in 0..times {
        tokio::time::sleep(EVERY.mul_f64(random.random_range(0.5..1.5))).await;
        let victim = random.random_range(0..run.house.apps.len());
        run.house.kill(victim).await;
    }
    let (outcome, _) = run.finish().await;
    let fast = outcome.drained <= DRAINED_WITHIN;
    let judged = outcome.judged();
    let drained = outcome.drained.as_secs_f64();
    let figure = format!("{times} kills at {RATE}/s: {judged}; all done {drained:.1} s after");
    let figure = Figure::new("R1", outcome.verdict.is_good(), figure).within(fast);
    let mut figures = vec![figure];
    figures.extend(outcome.books());
    figures
}
