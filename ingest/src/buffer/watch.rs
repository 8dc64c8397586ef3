//! How full the buffer is.

use std::time::Duration;

use futures_util::TryStreamExt;
use tokio_util::sync::CancellationToken;

use super::{Buffer, BufferError, fit, server};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(5);

/// What waits in the stream.
#[derive(Debug, Clone)]
pub struct Depth {
    /// Events that are not in Postgres yet.
    pub messages: u64,
    /// Their size, bytes.
    pub bytes: u64,
    /// Where the stream refuses more, bytes.
    pub bytes_max: i64,
    /// Age of the oldest of them, seconds.
    pub oldest_s: f64,
    /// Messages that were handed to a bridge more than once and are not settled.
    pub redelivered: usize,
    /// Events that Postgres refused for good, kept in the second stream.
    pub held: u64,
    /// Copies of the stream.
    pub replicas: usize,
}

impl Buffer {
    /// What waits. Reads only.
    ///
    /// # Errors
    /// If the server does not answer, or the streams are not there or not fit.
    pub async fn depth(&self) -> Result<Depth, BufferError> {
        let stream = self.jetstream.get_stream(&self.settings.stream).await.map_err(server)?;
        let held = self.jetstream.get_stream(self.held_name()).await.map_err(server)?;
        let info = stream.cached_info();
        let (state, config) = (&info.state, &info.config);
        fit(config)?;
        let age = self.clock.now() - state.first_timestamp;
        let mut redelivered = 0;
        let mut consumers = stream.consumers();
        while let Some(consumer) = consumers.try_next().await.map_err(server)? {
            redelivered += consumer.num_redelivered;
        }
        Ok(Depth {
            messages: state.messages,
            bytes: state.bytes,
            bytes_max: config.max_bytes,
            oldest_s: if state.messages == 0 { 0.0 } else { age.as_seconds_f64().max(0.0) },
            redelivered,
            held: held.cached_info().state.messages,
            replicas: config.num_replicas,
        })
    }

    /// Name, version and largest message (bytes) of the server.
    #[must_use]
    pub fn server(&self) -> (String, String, usize) {
        let info = self.client.server_info();
        (info.server_name, info.version, info.max_payload)
    }
}

/// Keeps the streams there and the gauges true, until `stop`.
pub async fn watch(buffer: Buffer, stop: CancellationToken) {
    let mut every = tokio::time::interval(EVERY);
    let mut said = false;
    loop {
        tokio::select! {
            _ = every.tick() => {}
            () = stop.cancelled() => return,
        }
        let depth = async {
            buffer.stream().await?;
            buffer.held().await?;
            buffer.depth().await
        };
        let depth = depth.await;
        metrics::gauge!("millrace_buffer_up").set(if depth.is_ok() { 1.0 } else { 0.0 });
        match depth {
            Ok(depth) => {
                said = false;
                show(&depth);
            }
            Err(e) if !std::mem::replace(&mut said, true) => {
                tracing::warn!(error = %e, "the buffer does not answer; deliveries are refused until it does");
            }
            Err(_) => {}
        }
    }
}

#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "gauges are floats")]
fn show(depth: &Depth) {
    metrics::gauge!("millrace_buffer_messages").set(depth.messages as f64);
    metrics::gauge!("millrace_buffer_bytes").set(depth.bytes as f64);
    metrics::gauge!("millrace_buffer_bytes_max").set(depth.bytes_max as f64);
    metrics::gauge!("millrace_buffer_oldest_age_s").set(depth.oldest_s);
    metrics::gauge!("millrace_buffer_redelivered").set(depth.redelivered as f64);
    metrics::gauge!("millrace_buffer_held_messages").set(depth.held as f64);
}
