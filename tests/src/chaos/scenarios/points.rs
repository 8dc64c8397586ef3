use std::time::Duration;

use crate::{
    chaos::points::{self, Plan},
    reliability::Figure,
};

const TOOK_MAX: Duration = Duration::from_secs(120);

/// R2: every point, at its first, second and last pass (or the first `times` of these), x abort, panic, error. Once is
/// for the suite: abort, panic and error take turns.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    // What is made together is told apart when it goes wrong.
    let plan = if times == 1 {
        Plan { passes: 1, all_actions: false, together: 16 }
    } else {
        Plan { passes: times, all_actions: true, together: 6 }
    };
    let outcome = points::enumerate(plan).await;
    for problem in &outcome.problems {
        println!("{problem}");
    }
    for point in &outcome.missed {
        println!("{point:?} is not passed by the work: is it anywhere?");
    }
    let figure = format!(
        "{} points, {} faults in {} runs of the work: {} left anything else than no fault; {:.0} s",
        outcome.points,
        outcome.cases,
        outcome.runs,
        outcome.problems.len(),
        outcome.took.as_secs_f64()
    );
    let kept = outcome.problems.is_empty() && outcome.missed.is_empty();
    vec![Figure::new("R2", kept, figure).within(outcome.took <= TOOK_MAX)]
}
