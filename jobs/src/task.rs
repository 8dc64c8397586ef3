//! Loops that a process cannot do without.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;

/// Before a loop that panicked begins again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Runs a loop to its end. One that panics is made and begun again: what it had in hand comes back as after the death
/// of a process, but the process would live on without its loop, and nobody would notice.
pub async fn lasting<F>(name: &'static str, make: impl Fn() -> F)
where
    F: Future<Output = ()>,
{
    while AssertUnwindSafe(make()).catch_unwind().await.is_err() {
        tracing::error!(name, "a loop panicked and begins again");
        metrics::counter!("millrace_loop_panics_total", "loop" => name).increment(1);
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}
