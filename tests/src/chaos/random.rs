//! Faults in random order, from a seed.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::time::Instant;

use super::{
    faults::{Fault, Tally},
    house::Shape,
    run::{Outcome, Run},
};

/// One run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The order of faults and the choice of their victims; how processes interleave is not in its hand.
    pub seed: u64,
    /// How long faults are made.
    pub length: Duration,
    /// Deliveries per second offered.
    pub rate: u32,
    /// Which faults.
    pub faults: Vec<Fault>,
}

/// Run the plan. Returns also how often each fault was made.
pub async fn run(plan: &Plan) -> (Outcome, Tally) {
    let mut random = StdRng::seed_from_u64(plan.seed);
    let mut run = Run::start(&Shape::default(), plan.rate).await;
    let until = Instant::now() + plan.length;
    let mut tally = Tally::new();
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(random.random_range(50..1500))).await;
        let fault = plan.faults[random.random_range(0..plan.faults.len())];
        *tally.entry(fault.name()).or_default() += 1;
        fault.make(&mut run.house, &mut random).await;
    }
    (run.finish().await.0, tally)
}
