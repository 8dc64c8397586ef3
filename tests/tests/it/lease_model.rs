//! The lease protocol, every state of it: three workers, two jobs, crashes of workers and of Postgres, leases that run
//! out under workers that go on. What the SQL of `jobs/src/queue` does is written here as the step it is.

use std::time::Duration;

use stateright::{Checker, Model, Property};

const WORKERS: usize = 3;
const JOBS: usize = 2;
/// Deliveries that count.
const ATTEMPTS_MAX: u8 = 3;
/// Leases that may run out.
const CRASHES_MAX: u8 = 2;
/// How often Postgres may crash.
const DATABASE_CRASHES_MAX: u8 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Row {
    Ready,
    Running,
    Done,
    Dead,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Job {
    row: Row,
    attempt: u8,
    crashes: u8,
    /// The claim is committed but not on disk: a crash of Postgres undoes it.
    unflushed: bool,
    /// Effects that were committed.
    effects: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    jobs: [Job; JOBS],
    /// What each worker believes to hold: job and attempt.
    held: [Option<(usize, u8)>; WORKERS],
    database_crashes: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    /// `claim.sql`, without waiting for the disk.
    Claim(usize, usize),
    /// The WAL writer, or any commit that waits for the disk, carries earlier claims with it.
    Flush,
    /// `sweep`: the lease ran out, whatever its worker is doing.
    Expire(usize),
    /// `complete_in`: the effect and the end of the lease in one transaction, fenced.
    Complete(usize),
    /// `again.sql`, or the dead letter after the last attempt; fenced.
    Fail(usize),
    /// The worker is gone, with what it knew.
    Kill(usize),
    /// Postgres restarts from what is on disk.
    CrashDatabase,
}

impl State {
    fn flush(&mut self) {
        for job in &mut self.jobs {
            job.unflushed = false;
        }
    }

    /// The job that `worker` holds, if the fence lets it through.
    fn fenced(&mut self, worker: usize) -> Option<&mut Job> {
        let (job, attempt) = self.held[worker].take()?;
        self.flush();
        let job = &mut self.jobs[job];
        (job.row == Row::Running && job.attempt == attempt).then_some(job)
    }
}

/// The protocol. `fence` false: a completion goes by the job's id alone, as in some queues.
struct Leases {
    fence: bool,
}

impl Model for Leases {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let job = Job { row: Row::Ready, attempt: 0, crashes: 0, unflushed: false, effects: 0 };
        vec![State { jobs: [job; JOBS], held: [None; WORKERS], database_crashes: 0 }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        for (worker, held) in state.held.iter().enumerate() {
            if held.is_some() {
                steps.extend([Step::Complete(worker), Step::Fail(worker), Step::Kill(worker)]);
            } else {
                steps.extend((0..JOBS).map(|job| Step::Claim(worker, job)));
            }
        }
        steps.extend((0..JOBS).map(Step::Expire));
        steps.push(Step::Flush);
        if state.database_crashes < DATABASE_CRASHES_MAX {
            steps.push(Step::CrashDatabase);
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        match step {
            Step::Claim(worker, nth) => {
                let job = &mut state.jobs[nth];
                if job.row != Row::Ready {
                    return None;
                }
                *job = Job { row: Row::Running, attempt: job.attempt + 1, unflushed: true, ..*job };
                state.held[worker] = Some((nth, job.attempt));
            }
            Step::Flush => state.flush(),
            Step::Expire(nth) => {
                let job = &mut state.jobs[nth];
                if job.row != Row::Running {
                    return None;
                }
                job.crashes += 1;
                let again = job.crashes < CRASHES_MAX && job.attempt < ATTEMPTS_MAX;
                job.row = if again { Row::Ready } else { Row::Dead };
                state.flush();
            }
            Step::Complete(worker) => {
                let by_id = state.held[worker].filter(|_| !self.fence).map(|(nth, _)| nth);
                let fenced = state
                    .fenced(worker)
                    .map(|job| (job.row, job.effects) = (Row::Done, job.effects + 1));
                if let (None, Some(nth)) = (fenced, by_id) {
                    state.jobs[nth].effects += 1;
                }
            }
            Step::Fail(worker) => {
                if let Some(job) = state.fenced(worker) {
                    job.row = if job.attempt < ATTEMPTS_MAX { Row::Ready } else { Row::Dead };
                }
            }
            Step::Kill(worker) => state.held[worker] = None,
            Step::CrashDatabase => {
                state.database_crashes += 1;
                for job in state.jobs.iter_mut().filter(|job| job.unflushed) {
                    *job =
                        Job { row: Row::Ready, attempt: job.attempt - 1, unflushed: false, ..*job };
                }
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("an effect lands at most once", |_, state: &State| {
                state.jobs.iter().all(|job| job.effects <= 1)
            }),
            Property::always(
                "done means that it landed, dead that it did not",
                |_, state: &State| {
                    state.jobs.iter().all(|job| match job.row {
                        Row::Done => job.effects == 1,
                        Row::Dead | Row::Ready | Row::Running => job.effects == 0,
                    })
                },
            ),
            Property::always("no job is delivered without end", |_, state: &State| {
                state.jobs.iter().all(|job| job.attempt <= ATTEMPTS_MAX)
            }),
            Property::sometimes("all are done", |_, state: &State| {
                state.jobs.iter().all(|job| job.row == Row::Done)
            }),
            Property::sometimes("a job that crashes its workers dies", |_, state: &State| {
                state.jobs.iter().any(|job| job.row == Row::Dead && job.crashes == CRASHES_MAX)
            }),
            Property::sometimes(
                "two workers believe to hold one attempt",
                |_, state: &State| matches!(state.held, [Some(a), Some(b), _] if a == b),
            ),
        ]
    }
}

#[test]
fn no_order_of_crashes_breaks_the_lease_protocol() {
    let checked = Leases { fence: true }.checker().threads(2).spawn_bfs().join();
    checked.assert_properties();
    println!("{} states", checked.unique_state_count());
    assert!(checked.is_done() && checked.unique_state_count() > 1000, "every state was looked at");
}

/// The model can fail: without the fence it does.
#[test]
fn without_the_fence_the_model_finds_two_effects() {
    let checked =
        Leases { fence: false }.checker().timeout(Duration::from_secs(60)).spawn_bfs().join();
    checked.assert_any_discovery("an effect lands at most once");
}
