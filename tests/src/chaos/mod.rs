//! Faults in random order, from a seed, against several processes under load; the oracle judges at the end.

mod faults;
mod house;
mod load;

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::time::Instant;

pub use faults::{Fault, Tally};

use self::{house::House, load::Load};
use crate::oracle::{self, Verdict};

/// After the last fault, everything is done within this.
const DRAINED_WITHIN: Duration = Duration::from_secs(120);

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

/// What happened.
#[derive(Debug)]
pub struct Outcome {
    /// The judgement.
    pub verdict: Verdict,
    /// Deliveries sent, not counting repetitions.
    pub deliveries: usize,
    /// Requests that got no 2xx, by status; 0 for broken connections.
    pub refusals: std::collections::BTreeMap<u16, u64>,
    /// How often each fault was made.
    pub faults: Tally,
    /// From the last fault until all work was done.
    pub drained: Duration,
    /// Completions refused because the lease was somebody else's by then.
    pub fenced: u64,
}

/// Run the plan.
pub async fn run(plan: &Plan) -> Outcome {
    let mut random = StdRng::seed_from_u64(plan.seed);
    let mut house = House::open().await;
    let load = Load::start(&house, plan.rate);
    let until = Instant::now() + plan.length;
    let mut tally = Tally::new();
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(random.random_range(50..1500))).await;
        let fault = plan.faults[random.random_range(0..plan.faults.len())];
        *tally.entry(fault.name()).or_default() += 1;
        fault.make(&mut house, &mut random).await;
    }
    let (oracle, deliveries, refusals) = load.finish().await;
    let healed = Instant::now();
    let pool = house.database().await.pool;
    // What is not done by then, the verdict names.
    while !oracle::unfinished(&pool).await.is_empty() && healed.elapsed() < DRAINED_WITHIN {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Outcome {
        verdict: oracle.judge(&pool, deliveries).await,
        deliveries,
        refusals,
        faults: tally,
        drained: healed.elapsed(),
        fenced: house.fenced().await,
    }
}
