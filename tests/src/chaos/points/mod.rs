//! Every point of `millrace_config::point`, one fault at a time: the same work is done with one process that dies,
//! panics or fails there, and in the end everything must be as if nothing had happened.

mod endpoint;
mod stage;
mod work;

use std::{collections::BTreeMap, fmt, rc::Rc, time::Duration};

use millrace_config::point::Point;
use tokio::{
    sync::Semaphore,
    task::{JoinSet, LocalSet},
    time::Instant,
};

use self::stage::{Run, Template};

/// Runs at once: their processes share one Postgres and its connections.
const AT_ONCE: usize = 6;

/// What happens at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// The process is gone.
    Abort,
    /// The task is gone.
    Panic,
    /// The step failed as it does when a connection breaks.
    Error,
}

impl Action {
    /// The last is not possible everywhere.
    const ALL: [Self; 3] = [Self::Abort, Self::Panic, Self::Error];

    const fn name(self) -> &'static str {
        match self {
            Self::Abort => "abort",
            Self::Panic => "panic",
            Self::Error => "error",
        }
    }
}

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Case {
    /// Where.
    point: Point,
    /// At which pass, from 1.
    pass: u32,
    /// What.
    action: Action,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.point.name(), self.pass, self.action.name())
    }
}

/// Which faults, and how they are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Of the first, the second and the last pass of each point, how many.
    pub(super) passes: u32,
    /// Every action at each of them, or one: they take turns.
    pub(super) all_actions: bool,
    /// Faults of one run, at different points. After a run that did not end well each is made alone.
    pub(super) together: usize,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Points that the work passes.
    pub(super) points: usize,
    /// Points that it does not pass: the work is incomplete, or the point is nowhere.
    pub(super) missed: Vec<Point>,
    /// Faults made.
    pub(super) cases: usize,
    /// Runs of the work.
    pub(super) runs: usize,
    /// Faults after which not everything was as without them, or that could not be made.
    pub(super) problems: Vec<String>,
    /// All of it.
    pub(super) took: Duration,
}

/// Points seen in an undisturbed run: how often, and whether they can return an error.
type Seen = BTreeMap<Point, (u32, bool)>;

/// Make all of them.
pub(super) async fn enumerate(plan: Plan) -> Outcome {
    let began = Instant::now();
    let template = Template::prepare().await;
    let (seen, wanted) = reference(&template).await;
    let missed = template.expected().filter(|point| !seen.contains_key(point)).collect();
    let all = cases(&seen, plan);
    let bench = Rc::new(Bench { template, wanted, slots: Semaphore::new(AT_ONCE) });
    let (mut groups, here) = (JoinSet::new(), LocalSet::new());
    for group in groups_of(&all, plan.together) {
        groups.spawn_local_on(bench.clone().group(group), &here);
    }
    let found = here.run_until(groups.join_all()).await;
    let (runs, problems): (Vec<usize>, Vec<Vec<String>>) = found.into_iter().unzip();
    Outcome {
        missed,
        points: seen.len(),
        cases: all.len(),
        runs: runs.into_iter().sum(),
        problems: problems.into_iter().flatten().collect(),
        took: began.elapsed(),
    }
}

/// The work without a fault: what it passes and what it leaves.
async fn reference(template: &Template) -> (Seen, Vec<String>) {
    let mut run = Run::start(template, Vec::new()).await;
    work::all(&mut run).await.unwrap_or_else(|stuck| panic!("without any fault: {stuck}"));
    let judged = run.judge().await;
    assert_eq!(judged.problems, Vec::<String>::new(), "without any fault");
    assert_eq!(run.deaths, 0, "without any fault");
    (run.seen(), judged.state)
}

/// By action and pass, so that those that follow each other are at different points.
fn cases(seen: &Seen, plan: Plan) -> Vec<Case> {
    let mut cases = Vec::new();
    for (which, action) in Action::ALL.into_iter().enumerate() {
        for nth in 0..plan.passes {
            for (index, (&point, &(passes, can_fail))) in seen.iter().enumerate() {
                let pass = if nth < 2 { nth + 1 } else { passes };
                let actions = if can_fail { Action::ALL.len() } else { Action::ALL.len() - 1 };
                let wanted = plan.all_actions || index % actions == which;
                if passes > nth && which < actions && wanted {
                    cases.push(Case { point, pass, action });
                }
            }
        }
    }
    cases
}

/// Groups of one action and at most `together` different points, which lie as far apart as can be.
fn groups_of(cases: &[Case], together: usize) -> Vec<Vec<Case>> {
    let mut groups = Vec::new();
    for same in cases.chunk_by(|a, b| a.action == b.action && a.point < b.point) {
        let count = same.len().div_ceil(together);
        groups.extend((0..count).map(|n| same.iter().skip(n).step_by(count).copied().collect()));
    }
    groups
}

/// What all runs share.
struct Bench {
    template: Template,
    wanted: Vec<String>,
    slots: Semaphore,
}

impl Bench {
    /// Make the faults in one run, or else one by one. How many runs it took, and what was wrong.
    async fn group(self: Rc<Self>, group: Vec<Case>) -> (usize, Vec<String>) {
        let (mut runs, mut problems, mut open) = (0, Vec::new(), vec![group]);
        while let Some(group) = open.pop() {
            runs += 1;
            match self.run(&group).await {
                Ok(left) if left.is_empty() => {}
                Ok(left) => {
                    // The last pass of the undisturbed run may come earlier this time.
                    let sooner = |(case, passes): &(Case, u32)| Case { pass: *passes, ..*case };
                    let never = |(case, passes): &&(Case, u32)| !(1..case.pass).contains(passes);
                    let not_made = left.iter().filter(never);
                    problems
                        .extend(not_made.map(|(case, passes)| format!("{case}: {passes} passes")));
                    let again = left.iter().filter(|l| !never(l)).map(sooner).collect::<Vec<_>>();
                    open.extend((!again.is_empty()).then_some(again));
                }
                Err(wrong) if group.len() > 1 => {
                    let names: Vec<String> = group.iter().map(ToString::to_string).collect();
                    println!("one by one, for together: {wrong:?}\n{}", names.join(" "));
                    open.extend(group.into_iter().map(|case| vec![case]));
                }
                Err(wrong) => {
                    problems.extend(group.iter().map(|case| format!("{case}: {wrong:?}")))
                }
            }
        }
        (runs, problems)
    }

    /// Faults that were not made, and how often their points were passed.
    async fn run(&self, faults: &[Case]) -> Result<Vec<(Case, u32)>, Wrong> {
        let _slot = self.slots.acquire().await.unwrap();
        let mut run = Run::start(&self.template, faults.to_vec()).await;
        work::all(&mut run).await.map_err(Wrong::Stuck)?;
        let judged = run.judge().await;
        let mut problems = judged.problems;
        let lines = |mark: char, of: &[String], but: &[String]| -> Vec<String> {
            let missing = of.iter().filter(|line| !but.contains(line));
            missing.map(|line| format!("{mark} {line}")).collect()
        };
        if judged.state != self.wanted {
            problems.push("something is there more or less often".into());
            problems.extend(lines('-', &self.wanted, &judged.state));
            problems.extend(lines('+', &judged.state, &self.wanted));
        }
        if !problems.is_empty() {
            return Err(Wrong::Torn(problems));
        }
        let (open, seen) = (run.open_faults(), run.seen());
        let left = faults.iter().filter(|case| open.iter().any(|o| o.point == case.point));
        Ok(left.map(|case| (*case, seen.get(&case.point).map_or(0, |s| s.0))).collect())
    }
}

/// How a run went wrong.
#[derive(Debug)]
enum Wrong {
    /// It did not come to an end.
    Stuck(#[expect(dead_code, reason = "printed")] String),
    /// It left something else than without a fault.
    Torn(#[expect(dead_code, reason = "printed")] Vec<String>),
}
