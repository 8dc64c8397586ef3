use std::{path::PathBuf, time::Duration};

use crate::{
    chaos::{house::Shape, run::Run},
    fetched,
    reliability::Figure,
};

const RATE: u32 = 50;
const EVERY: Duration = Duration::from_secs(3);
/// What the clock of one half of the processes says; the other half says the opposite.
const STEPS: [(&str, &str); 4] = [("+1h", "-1h"), ("+0", "+0"), ("-1h", "+1h"), ("+30s", "-30s")];

/// R12: the clocks of workers and schedulers jump `times` times. Receivers keep theirs: the freshness of a signature is
/// about the sender's clock and their own.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let Some(library) = library() else {
        println!("SKIPPED: no libfaketime; `scripts/setup --tests` fetches it where apt is");
        return Vec::new();
    };
    let folder = tempfile::TempDir::new().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    let set = |step: &(&str, &str)| {
        std::fs::write(&one, step.0).unwrap();
        std::fs::write(&other, step.1).unwrap();
    };
    set(&STEPS[0]);
    let mut shape = Shape::default();
    for (role, clock) in [("work", &one), ("schedule", &other)] {
        let variables = [
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", clock.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".into()),
            // Timers run on it, and it does not jump with the clock on the wall.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        ];
        shape.env.extend(variables.map(|(name, value)| (role, name, value)));
    }
    let run = Run::start(&shape, RATE).await;
    for nth in 0..times {
        set(&STEPS[usize::try_from(nth).unwrap() % STEPS.len()]);
        tokio::time::sleep(EVERY).await;
    }
    let (outcome, house) = run.finish().await;
    let (lost, early): (i64, i64) = sqlx::query_as(
        "select (select count(*) from ops.job_history where crashes > 0),
                (select count(*) from ops.schedule_ticks where tick > now())",
    )
    .fetch_one(&house.database().await.pool)
    .await
    .unwrap();
    let kept = outcome.verdict.is_good() && (lost, early) == (0, 0);
    let judged = outcome.judged();
    let figure =
        format!("{times} jumps of up to 2 h: {judged}; {lost} leases lost, {early} ticks early");
    vec![Figure::new("R12", kept, figure)]
}

fn library() -> Option<PathBuf> {
    fetched(
        "libfaketime.so.1",
        &["/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime"],
    )
}
