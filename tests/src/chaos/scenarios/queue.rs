use crate::{queue_model, reliability::Figure};

/// Fewer say nothing about the fence.
const ENOUGH: u32 = 10_000;

/// R32: after each of so many random transitions the queue's tables hold what the reference holds.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let seed = rand::random();
    let outcome = queue_model::compare(times, seed).await;
    let (kept, figure) = match outcome {
        Ok(agreed) => (
            times < ENOUGH || (agreed.refused > 0 && agreed.lost > 0),
            format!(
                "{} transitions agree (seed {seed}): {} jobs, {} stale ends refused by the fence, {} given up before",
                agreed.transitions, agreed.jobs, agreed.refused, agreed.lost
            ),
        ),
        Err(difference) => {
            println!("{difference}");
            let first = difference.lines().next().unwrap_or_default();
            (false, format!("seed {seed}: {first}"))
        }
    };
    vec![Figure::new("R32 queue", kept, figure)]
}
