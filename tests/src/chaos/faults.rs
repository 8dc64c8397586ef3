//! The faults, one by one: each is made, lasts, and is over when `make` returns.

use std::{collections::BTreeMap, time::Duration};

use rand::{RngExt, rngs::StdRng};
use rustix::process::Signal;

use super::house::House;
use crate::proxy::Fault as Network;

/// How often each fault was made.
pub type Tally = BTreeMap<&'static str, u64>;

/// One kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9` of one process, started again at once.
    Kill,
    /// A worker stands still for longer than its lease, then goes on as if nothing had been.
    Pause,
    /// SIGTERM: it drains, ends well, and is started again.
    Stop,
    /// `kill -9` of Postgres itself.
    Crash,
    /// All connections to Postgres are reset; new ones too, for a moment.
    Cut,
    /// Nothing passes between the processes and Postgres for a moment.
    BlackHole,
    /// Everything between them is late.
    Delay,
    /// Commits happen, and nobody is told.
    LoseAnswers,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Kill,
        Self::Pause,
        Self::Stop,
        Self::Crash,
        Self::Cut,
        Self::BlackHole,
        Self::Delay,
        Self::LoseAnswers,
    ];

    /// For tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill -9 of a process",
            Self::Pause => "pause longer than the lease",
            Self::Stop => "SIGTERM",
            Self::Crash => "kill -9 of Postgres",
            Self::Cut => "connections reset",
            Self::BlackHole => "nothing passes",
            Self::Delay => "everything is late",
            Self::LoseAnswers => "answers lost after commit",
        }
    }

    pub(super) async fn make(self, house: &mut House, random: &mut StdRng) {
        let victim = random.random_range(0..house.apps.len());
        match self {
            Self::Kill => house.kill(victim).await,
            Self::Stop => drop(house.stop(victim).await),
            Self::Crash => house.crash_postgres().await,
            Self::Pause => {
                let workers = house.of_role("work");
                let worker = &house.apps[workers[random.random_range(0..workers.len())]];
                worker.signal(Signal::STOP);
                last(random, 3500..6000).await;
                worker.signal(Signal::CONT);
            }
            Self::Cut => network(house, Network::Reset, random, 100..3000).await,
            Self::BlackHole => network(house, Network::BlackHole, random, 100..5000).await,
            Self::Delay => {
                let late = Duration::from_millis(random.random_range(5..500));
                network(house, Network::Delay(late), random, 500..4000).await;
            }
            Self::LoseAnswers => {
                let one_in = random.random_range(2..40);
                network(house, Network::LoseAnswers(one_in), random, 500..4000).await;
            }
        }
    }
}

async fn network(house: &House, fault: Network, random: &mut StdRng, for_ms: std::ops::Range<u64>) {
    house.proxy.set(fault);
    last(random, for_ms).await;
    house.proxy.set(Network::None);
}

async fn last(random: &mut StdRng, for_ms: std::ops::Range<u64>) {
    tokio::time::sleep(Duration::from_millis(random.random_range(for_ms))).await;
}
