use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::time::Instant;

use crate::{
    chaos::{house::Shape, run::Run},
    reliability::Figure,
};

const RATE: u32 = 200;
const STALL_MAX: Duration = Duration::from_secs(2);

/// R8: Postgres dies and recovers.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let mut random = StdRng::seed_from_u64(8);
    let mut run = Run::start(&Shape::default(), RATE).await;
    let mut back = Vec::new();
    for _ in 0..times {
        tokio::time::sleep(Duration::from_millis(random.random_range(2000..6000))).await;
        run.house.crash_postgres().await;
        back.push(Instant::now());
    }
    let (outcome, _) = run.finish().await;
    let stall = back.iter().map(|at| outcome.stalled_after(*at)).max().unwrap();
    let (judged, stall_s) = (outcome.judged(), stall.as_secs_f64());
    let figure = format!(
        "{times} crashes: {judged}; accepts again {stall_s:.2} s after Postgres does, at most"
    );
    vec![Figure::new("R8", outcome.verdict.is_good(), figure).within(stall <= STALL_MAX)]
}
