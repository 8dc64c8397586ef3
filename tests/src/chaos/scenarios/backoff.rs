use std::time::Duration;

use millrace_jobs::queue::retry;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{reliability::Figure, rig};

/// Of a job by default.
const ATTEMPTS: u32 = 25;
const APART_MIN: Duration = Duration::from_secs(1);
const ALL_MIN: Duration = Duration::from_hours(71);

/// R6: the waits of `times` jobs that fail each time, with the default settings.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let queue = rig::settings().queue;
    let base = Duration::from_millis(queue.retry_base_ms);
    let cap = Duration::from_secs(queue.retry_cap_s);
    let mut random = StdRng::seed_from_u64(6);
    let waits: Vec<Vec<Duration>> = (0..times)
        .map(|_| (1..ATTEMPTS).map(|n| retry::delay(n, base, cap, random.random())).collect())
        .collect();
    let least = waits.iter().flatten().min().unwrap();
    let most = waits.iter().flatten().max().unwrap();
    let shortest: Duration = waits.iter().map(|w| w.iter().sum()).min().unwrap();
    let kept = *least >= APART_MIN && *most <= cap && shortest >= ALL_MIN;
    let figure = format!(
        "{times} jobs, {ATTEMPTS} attempts each: {:.1} s between two at least, {:.1} h at most (cap {:.0} h), {:.1} h in all at \
         least",
        least.as_secs_f64(),
        most.as_secs_f64() / 3600.0,
        cap.as_secs_f64() / 3600.0,
        shortest.as_secs_f64() / 3600.0
    );
    vec![Figure::new("R6", kept, figure)]
}
