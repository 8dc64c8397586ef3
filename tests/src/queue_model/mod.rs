//! The queue against a reference that lives in memory: random transitions, after each of which the tables must hold
//! what the reference holds. What fails is shrunk to the fewest transitions that still do.

mod driver;
mod reference;
mod rows;

use std::sync::{Arc, Mutex};

use proptest::{
    prelude::*,
    sample::Index,
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};

use self::{driver::Driver, rows::Does};
use crate::Pg;

/// Tenants, keys, kinds and workers are few, so that they meet.
const TENANTS: [&str; 3] = ["a", "b", "c"];
const KEYS: [&str; 2] = ["k", "l"];
const KINDS: [&str; 2] = ["model.first", "model.second"];
const HANDS: usize = 3;
/// Transitions from one empty queue.
const LENGTH: usize = 250;
/// Runs spent on making what failed shorter.
const SHRINKS_MAX: u32 = 300;

/// One thing that happens to the queue. An index is taken among what is there.
#[derive(Debug, Clone)]
enum Transition {
    Enqueue(Vec<Wanted>),
    Claim { hand: usize, kind: usize, want: usize },
    ClaimSuspect { hand: usize },
    End { hand: usize, which: Index, does: Does },
    Beat { hand: usize },
    Kill { hand: usize },
    RunLate { which: Index },
    BecomeDue { which: Index },
    Tidy { hand: usize },
    Cancel { which: Index },
    Retry { which: Index },
    Pause { tenant: Option<usize>, kind: Option<usize>, on: bool },
    Limit { tenant: usize, kind: usize, max: Option<i32> },
    Replay { kind: usize, which: Option<Index> },
    Prune,
}

/// A job to be enqueued.
#[derive(Debug, Clone)]
struct Wanted {
    tenant: usize,
    kind: usize,
    key: Option<usize>,
    priority: i16,
    later: bool,
}

/// How much agreed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Agreed {
    /// Transitions after which both held the same.
    pub(super) transitions: u64,
    /// Jobs enqueued.
    pub(super) jobs: u64,
    /// Ends that the fence refused.
    pub(super) refused: u64,
    /// Ends given up because the worker knew.
    pub(super) lost: u64,
}

/// Compare for about so many transitions.
///
/// # Errors
/// The fewest transitions found that end in a difference, and the difference.
pub(super) async fn compare(transitions: u32, seed: u64) -> Result<Agreed, String> {
    // A runtime of one thread: what a lost lease stops has not begun.
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let db = runtime.block_on(Pg::database());
        let agreed = Arc::new(Mutex::new(Agreed::default()));
        let cases = transitions.div_ceil(u32::try_from(LENGTH).unwrap());
        let config = Config {
            cases,
            failure_persistence: None,
            max_shrink_iters: SHRINKS_MAX,
            ..Config::default()
        };
        let seed: Vec<u8> = seed.to_le_bytes().repeat(4);
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let run = |steps: Vec<Transition>| {
            runtime.block_on(async {
                let mut driver = Driver::new(&db).await;
                let outcome = driver.run(&steps).await;
                let mut agreed = agreed.lock().unwrap();
                agreed.transitions += u64::try_from(steps.len()).unwrap();
                driver.count(&mut agreed);
                outcome.map_err(TestCaseError::fail)
            })
        };
        let steps = proptest::collection::vec(transition(), LENGTH);
        let outcome = TestRunner::new_with_rng(config, random).run(&steps, run);
        let agreed = *agreed.lock().unwrap();
        match outcome {
            Ok(()) => Ok(agreed),
            Err(TestError::Fail(why, steps)) => Err(format!("{why}\nafter {steps:#?}")),
            Err(TestError::Abort(why)) => Err(why.to_string()),
        }
    })
    .await
    .unwrap()
}

fn transition() -> impl Strategy<Value = Transition> {
    use Transition as T;
    let hand = || 0..HANDS;
    let (tenant, kind) = (|| 0..TENANTS.len(), || 0..KINDS.len());
    let which = any::<Index>;
    let does = prop_oneof![
        4 => Just(Does::Done),
        3 => Just(Does::Commit),
        5 => Just(Does::Retry),
        2 => Just(Does::Snooze),
        1 => Just(Does::Cancel),
        1 => Just(Does::Die),
    ];
    prop_oneof![
        8 => proptest::collection::vec(wanted(), 1..4).prop_map(T::Enqueue),
        10 => (hand(), kind(), 1..5_usize).prop_map(|(hand, kind, want)| T::Claim { hand, kind, want }),
        3 => hand().prop_map(|hand| T::ClaimSuspect { hand }),
        16 => (hand(), which(), does).prop_map(|(hand, which, does)| T::End { hand, which, does }),
        3 => hand().prop_map(|hand| T::Beat { hand }),
        1 => hand().prop_map(|hand| T::Kill { hand }),
        8 => which().prop_map(|which| T::RunLate { which }),
        6 => which().prop_map(|which| T::BecomeDue { which }),
        6 => hand().prop_map(|hand| T::Tidy { hand }),
        3 => which().prop_map(|which| T::Cancel { which }),
        2 => which().prop_map(|which| T::Retry { which }),
        2 => (proptest::option::of(tenant()), proptest::option::of(kind()), any::<bool>())
            .prop_map(|(tenant, kind, on)| T::Pause { tenant, kind, on }),
        2 => (tenant(), kind(), proptest::option::of(1..3_i32))
            .prop_map(|(tenant, kind, max)| T::Limit { tenant, kind, max }),
        3 => (kind(), proptest::option::of(which())).prop_map(|(kind, which)| T::Replay { kind, which }),
        1 => Just(T::Prune),
    ]
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let key = proptest::option::of(0..KEYS.len());
    (0..TENANTS.len(), 0..KINDS.len(), key, 0..4_i16, proptest::bool::weighted(0.2)).prop_map(
        |(tenant, kind, key, priority, later)| Wanted { tenant, kind, key, priority, later },
    )
}
