//! The scenarios, each with the bars of RELIABILITY.md that it gives figures for.

mod backoff;
mod canaries;
mod clock;
mod commits;
mod connections;
mod crashes;
mod disk;
mod expand;
mod hostile;
mod keys;
mod kills;
mod migrations;
mod month;
mod mutants;
mod order;
mod orphans;
mod outage;
mod overload;
mod pauses;
mod points;
mod poison;
mod queue;
mod replays;
mod same;
mod slow;
mod soak;
mod ssrf;
mod stops;
mod ticks;
mod walls;

use futures_util::{FutureExt, future::LocalBoxFuture};

use month::taught;

use crate::reliability::Figure;

/// One kind of trouble, made so many times.
pub struct Scenario {
    /// On the command line.
    pub name: &'static str,
    /// For people.
    pub about: &'static str,
    /// How many times for the bar.
    pub times: u32,
    run: fn(u32) -> LocalBoxFuture<'static, Vec<Figure>>,
}

impl Scenario {
    /// Make it; what the figures are of is in RELIABILITY.md.
    pub async fn run(&self, times: u32) -> Vec<Figure> {
        (self.run)(times).await
    }
}

macro_rules! scenarios {
    ($($name:ident $times:literal $about:literal)*) => {
        &[$(Scenario {
            name: stringify!($name),
            about: $about,
            times: $times,
            run: |times| $name::run(times).boxed_local(),
        }),*]
    };
}

/// All of them.
pub const ALL: &[Scenario] = scenarios! {
    kills 100 "kill -9 of processes, one every 6 s"
    pauses 50 "a worker stands still for three leases, then goes on"
    orphans 5 "kill -9 of a worker in the middle of its jobs, with the default lease"
    outage 60 "seconds without the database: reset, then swallowed, then late"
    crashes 20 "kill -9 of Postgres"
    commits 500 "commits whose answer is lost"
    same 1000 "the same delivery at once"
    stops 100 "SIGTERM under load"
    poison 1000 "neighbours of a job that kills its process"
    backoff 10000 "jobs that fail each time"
    order 10000 "sets of changes in any order"
    ticks 1000 "hours under three schedulers, and the nights of ten years"
    clock 40 "jumps of the clocks of workers and schedulers"
    connections 50 "deliveries while Postgres has no connection left"
    disk 50 "refusals while the disk is full"
    points 3 "passes (the first, the second, the last) of each point between two steps, at which a process dies, panics or fails"
    hostile 100 "per cent of all hostile values in all fields, and the rest of the hostile corpus"
    mutants 100000 "recorded deliveries, altered at random"
    slow 5000 "slow and idle connections"
    overload 20 "seconds of more than can be taken"
    ssrf 20 "redirects of each kind to elsewhere, and every writing of an address that is not public"
    canaries 1 "days with recognisable secrets, and a search for them"
    queue 100000 "transitions of the queue and of its reference"
    soak 900 "seconds without any fault"
    keys 500 "secrets under another key, while deliveries are taken"
    replays 1000 "deliveries whose field map changes, beside the demo's"
    expand 300 "seconds of old and new processes over a migration"
    migrations 1000 "kills of who migrates"
    month 30 "days of three social platforms, with kills, outages and expired tokens"
    taught 45 "days of the social month whose outcomes favour other weights on each platform, learned night by night"
    walls 10000 "requests and statements of three tenants for each other's rows"
};
