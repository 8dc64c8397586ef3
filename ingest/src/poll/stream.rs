//! X's filtered stream: posts as they are written. One process holds a source's connection, under a lease; what it hears
//! is stored as events, a second or so of it at a time. Nothing is told twice there: what was missed while nobody
//! listened, the next sweep of the same queries finds, for its cursor is where it was.

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::Context;
use http::StatusCode;
use millrace_jobs::ctx::Ctx;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    client,
    fetch::{self, Failure},
    jobs::fetched_event,
    platform::platform,
    rules,
    store::cursors,
    x,
};
use crate::{
    events::insert,
    receive::delivery_key,
    registry::credentials::{self, Polled},
    secrets::KeyRing,
    source::PAGE_HEADER,
};

/// Between two looks for sources whose stream nobody holds.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Whoever holds a stream says so this often, for this long.
const SIGN_EVERY: Duration = Duration::from_secs(10);
const LEASE: Duration = Duration::from_secs(30);
/// X sends an empty line at least every 20 s (X, "Consuming streaming data").
const QUIET_MAX: Duration = Duration::from_secs(25);
/// Lines are stored so long after the first of them came, or when they are so many bytes.
const STORE_AFTER: Duration = Duration::from_secs(1);
const STORE_BYTES: usize = 256 << 10;
/// A connection ends by itself after this long, and another begins.
const CONNECTION_MAX: Duration = Duration::from_secs(24 * 3600);
/// What a person has to put right is tried again after this long.
const WRONG_AGAIN: Duration = Duration::from_secs(900);

/// Hold the streams of sources with the option `stream`, as far as nobody else does.
pub async fn run(ctx: Arc<Ctx>, stop: CancellationToken) {
    let mut held: HashMap<String, JoinHandle<()>> = HashMap::new();
    while !stop.is_cancelled() {
        let sources = credentials::polled(&ctx.pool, None).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "streams: sources");
            Vec::new()
        });
        held.retain(|_, task| !task.is_finished());
        for source in sources.into_iter().filter(wanted) {
            let (ctx, id, stop) = (ctx.clone(), source.id.clone(), stop.clone());
            held.entry(id.clone()).or_insert_with(|| tokio::spawn(hold(ctx, id, stop)));
        }
        tokio::time::timeout(LOOK_EVERY, stop.cancelled()).await.ok();
    }
}

fn wanted(source: &Polled) -> bool {
    source.kind == "x" && source.options.get("stream").and_then(Value::as_bool).unwrap_or(false)
}

/// Why a connection has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Somebody else holds it, or the source does not want it any more, or the process stops.
    Over,
    /// It broke, or went quiet.
    Broken,
    /// The platform has an error of its own.
    Error,
    /// It turns us away.
    Limited,
    /// Not before so long.
    NotNow(Duration),
}

/// Hold one stream until that is over.
async fn hold(ctx: Arc<Ctx>, source_id: String, stop: CancellationToken) {
    let (name, holder) = (format!("stream of {source_id}"), Uuid::new_v4().to_string());
    let mut failures = 0;
    loop {
        let leads = ctx.queue.lead(&name, &holder, LEASE).await;
        if stop.is_cancelled() || !matches!(leads, Ok(Some(_))) {
            break;
        }
        let mut heard = false;
        let held = Held { ctx: &ctx, name: &name, holder: &holder, stop: &stop };
        let end = held.listen(&source_id, &mut heard).await.unwrap_or_else(|error| {
            tracing::warn!(source_id, error = format!("{error:#}"), "a stream has ended");
            End::Error
        });
        failures = if heard { 1 } else { failures + 1 };
        let Some(wait) = wait(end, failures) else { break };
        metrics::counter!("millrace_stream_ends_total").increment(1);
        if wait > LEASE / 2 {
            // Nobody else can do better: the budget and its breaker are everybody's.
            ctx.queue.resign(&name, &holder).await.ok();
        }
        tokio::time::timeout(wait, stop.cancelled()).await.ok();
    }
    ctx.queue.resign(&name, &holder).await.ok();
}

/// How long to wait before the next connection, after so many in a row have failed (X, "Reconnecting": linear after
/// network errors, exponential after errors of HTTP).
fn wait(end: End, failures: u32) -> Option<Duration> {
    let doubled = |first: u64, most: u64| {
        let times = 2_u64.saturating_pow(failures.saturating_sub(1));
        Duration::from_secs(first.saturating_mul(times).min(most))
    };
    Some(match end {
        End::Over => return None,
        End::Broken => {
            Duration::from_millis(250).saturating_mul(failures).min(Duration::from_secs(16))
        }
        End::Error => doubled(5, 320),
        End::Limited => doubled(60, 900),
        End::NotNow(wait) => wait,
    })
}

struct Held<'a> {
    ctx: &'a Ctx,
    name: &'a str,
    holder: &'a str,
    stop: &'a CancellationToken,
}

impl Held<'_> {
    /// One connection, from its rules to its end.
    async fn listen(&self, source_id: &str, heard: &mut bool) -> anyhow::Result<End> {
        let found = credentials::polled(&self.ctx.pool, Some(source_id)).await.context("source")?;
        let Some(source) = found.into_iter().next().filter(wanted) else { return Ok(End::Over) };
        let Some(platform) = platform(&source.kind) else { return Ok(End::Over) };
        let ring = KeyRing::load(&self.ctx.settings.secrets).context("key ring")?;
        let kept = credentials::load(&self.ctx.pool, &ring, source_id).await;
        let Some(kept) = kept.context("credentials")? else { return Ok(End::NotNow(WRONG_AGAIN)) };
        let of = (platform, &source);
        match rules::sync(self.ctx, of, (&ring, &kept)).await? {
            Ok(()) => {}
            Err(failure) => return Ok(ended(source_id, failure)),
        }
        let open = |client: &Client, of: super::platform::Of<'_>| {
            x::stream(client, of).timeout(CONNECTION_MAX)
        };
        let answer = match fetch::open(self.ctx, of, (&ring, &kept), x::STREAM, open).await? {
            Ok(answer) => answer,
            Err(failure) => return Ok(ended(source_id, failure)),
        };
        match answer.status() {
            status if status.is_success() => {}
            StatusCode::TOO_MANY_REQUESTS => return Ok(End::Limited),
            status if status.is_server_error() => return Ok(End::Error),
            status => {
                return Ok(ended(source_id, Failure::Wrong(status.to_string())));
            }
        }
        // What was said since nobody listened is found by a sweep.
        cursors::hasten(&self.ctx.pool, source_id).await.context("cursors")?;
        self.hear(&source, answer, heard).await
    }

    /// Lines as they come, until they do not.
    async fn hear(
        &self,
        source: &Polled,
        mut answer: Response,
        heard: &mut bool,
    ) -> anyhow::Result<End> {
        let mut lines: Vec<u8> = Vec::new();
        let mut since: Option<Instant> = None;
        let mut signed = Instant::now();
        let mut quiet = Instant::now();
        loop {
            let due = since.map_or(SIGN_EVERY, |at| STORE_AFTER.saturating_sub(at.elapsed()));
            let chunk = tokio::select! {
                () = self.stop.cancelled() => Some(None),
                chunk = tokio::time::timeout(due.min(SIGN_EVERY), answer.chunk()) => match chunk {
                    Err(_) => None,
                    Ok(chunk) => Some(chunk.map_err(client::why).unwrap_or_else(|why| {
                        tracing::info!(source_id = source.id, why, "a stream was cut");
                        None
                    })),
                },
            };
            let over = matches!(chunk, Some(None));
            if let Some(Some(bytes)) = chunk {
                (*heard, quiet) = (true, Instant::now());
                lines.extend_from_slice(&bytes);
                since = since.or_else(|| (!bytes.trim_ascii().is_empty()).then(Instant::now));
            }
            let late = since.is_some_and(|at| at.elapsed() >= STORE_AFTER);
            if over || late || lines.len() >= STORE_BYTES {
                let rest = whole_lines(&mut lines);
                self.store(source, &lines).await?;
                (lines, since) = (rest, None);
            }
            if over || quiet.elapsed() > QUIET_MAX {
                return Ok(if self.stop.is_cancelled() { End::Over } else { End::Broken });
            }
            if signed.elapsed() >= SIGN_EVERY {
                signed = Instant::now();
                if !self.goes_on(source).await? {
                    whole_lines(&mut lines);
                    self.store(source, &lines).await?;
                    return Ok(End::Over);
                }
            }
        }
    }

    /// It is still ours, and still wanted as it was.
    async fn goes_on(&self, source: &Polled) -> anyhow::Result<bool> {
        let leads = self.ctx.queue.lead(self.name, self.holder, LEASE).await.context("lease")?;
        let found =
            credentials::polled(&self.ctx.pool, Some(&source.id)).await.context("source")?;
        Ok(leads.is_some() && found.first().is_some_and(|now| now.options == source.options))
    }

    async fn store(&self, source: &Polled, lines: &[u8]) -> anyhow::Result<()> {
        if lines.trim_ascii().is_empty() {
            return Ok(());
        }
        let headers = json!({ "content-type": "application/json", PAGE_HEADER: "stream" });
        let key = delivery_key(&[b"stream".to_vec(), lines.to_vec()]);
        let event = fetched_event(source, "stream", &headers, key, lines.to_vec());
        let mut tx = self.ctx.pool.begin().await.context("begin")?;
        let (_, ready) = insert::rows(&mut tx, &[event]).await.context("storing lines")?;
        tx.commit().await.context("commit")?;
        insert::wake(&self.ctx.queue, ready);
        metrics::counter!("millrace_stream_batches_total").increment(1);
        Ok(())
    }
}

/// Leaves whole lines, and returns the beginning of the next.
fn whole_lines(lines: &mut Vec<u8>) -> Vec<u8> {
    let end = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    lines.split_off(end)
}

fn ended(source_id: &str, failure: Failure) -> End {
    match failure {
        Failure::NotNow(wait) => End::NotNow(wait),
        Failure::Away(why) => {
            tracing::warn!(source_id, why, "a stream cannot be opened");
            End::Broken
        }
        Failure::Wrong(why) => {
            tracing::error!(source_id, why, "a stream is refused");
            End::NotNow(WRONG_AGAIN)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_cut_off_comes_again_as_x_asks_for() {
        let ms = |end, failures| wait(end, failures).map(|wait| wait.as_millis());
        assert_eq!(
            [1, 2, 64, 1000].map(|n| ms(End::Broken, n)),
            [250, 500, 16_000, 16_000].map(Some)
        );
        assert_eq!(
            [1, 2, 7, 99].map(|n| ms(End::Error, n)),
            [5_000, 10_000, 320_000, 320_000].map(Some)
        );
        assert_eq!([1, 2, 9].map(|n| ms(End::Limited, n)), [60_000, 120_000, 900_000].map(Some));
        assert_eq!(ms(End::Over, 1), None);
    }

    #[test]
    fn a_line_that_is_not_whole_waits_for_its_end() {
        let mut lines = b"{\"a\":1}\r\n\r\n{\"b\"".to_vec();
        assert_eq!(whole_lines(&mut lines), b"{\"b\"");
        assert_eq!(lines, b"{\"a\":1}\r\n\r\n");
        assert_eq!(whole_lines(&mut b"{".to_vec()), b"{");
    }
}
