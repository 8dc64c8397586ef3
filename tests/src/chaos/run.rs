//! Load on a house from beginning to judgement; what happens between is the scenario's.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use super::{
    house::{House, Shape},
    load::{Load, Sample},
};
use crate::{
    oracle::{self, Verdict},
    reliability::Figure,
};

/// After the last fault, everything is done within this.
const DRAINED_WITHIN: Duration = Duration::from_secs(180);

/// A house under load.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) house: House,
    pub(super) load: Load,
}

/// What happened.
#[derive(Debug)]
pub struct Outcome {
    /// The judgement.
    pub verdict: Verdict,
    /// Deliveries sent, not counting repetitions.
    pub deliveries: usize,
    /// Every request and what came of it, in the order of their ends.
    pub(super) samples: Vec<Sample>,
    /// From the end of the load until all work was done.
    pub drained: Duration,
    /// Completions refused because the lease was somebody else's by then.
    pub fenced: u64,
}

impl Run {
    /// `rate` deliveries per second from now on.
    pub(super) async fn start(shape: &Shape, rate: u32) -> Self {
        let house = House::open(shape).await;
        let load = Load::start(&house, rate);
        Self { house, load }
    }

    /// No more load; when all work is done (or does not get done), judge.
    pub(super) async fn finish(self) -> (Outcome, House) {
        let Self { house, load } = self;
        let (oracle, deliveries, samples) = load.finish().await;
        let healed = Instant::now();
        let pool = house.database().await.pool;
        // What is not done by then, the verdict names.
        while !oracle::unfinished(&pool).await.is_empty() && healed.elapsed() < DRAINED_WITHIN {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let drained = healed.elapsed();
        let verdict = oracle.judge(&pool, deliveries).await;
        let fenced = house.fenced().await;
        (Outcome { verdict, deliveries, samples, drained, fenced }, house)
    }
}

impl Outcome {
    /// How many requests ended in which way that was no 2xx.
    #[must_use]
    pub fn refusals(&self) -> BTreeMap<String, u64> {
        let mut refusals = BTreeMap::new();
        for sample in self.samples.iter().filter(|s| !s.end.is_promise()) {
            *refusals.entry(sample.end.to_string()).or_default() += 1;
        }
        refusals
    }

    /// From `moment` to the first promise for a delivery that was sent after it.
    pub(super) fn stalled_after(&self, moment: Instant) -> Duration {
        let promised = self.samples.iter().filter(|s| s.end.is_promise() && s.sent > moment);
        promised.map(Sample::ended).min().map_or(Duration::MAX, |at| at - moment)
    }

    /// What holds after every scenario, for the front of its figure.
    pub(super) fn judged(&self) -> String {
        let Verdict { promised, lost, contradictions, doubled_events, effects, unfinished } =
            &self.verdict;
        let left = if unfinished.is_empty() { String::new() } else { format!(" {unfinished:?}") };
        format!(
            "{promised} deliveries promised, {} lost, {} doubled, {} effects wrong, {} unfinished{left}",
            lost.len(),
            contradictions.len() + usize::try_from(*doubled_events).unwrap(),
            effects.len(),
            unfinished.len(),
        )
    }

    /// R30, R31: nothing is left over when the books are closed, and each row has the trace of its event.
    pub(super) fn books(&self) -> [Figure; 2] {
        let good = self.verdict.is_good();
        let judged = self.judged();
        let traces =
            format!("{} signals and their jobs, each with its event's", self.verdict.promised);
        [Figure::new("R30", good, judged), Figure::new("R31", good, traces)]
    }
}
