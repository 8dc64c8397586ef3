//! `millrace social status` and `millrace social poll`.

use anyhow::Context;
use millrace_config::Settings;
use millrace_ingest::poll::{
    jobs::Tick,
    store::cursors::{self, Status},
};
use millrace_jobs::queue::{NewJob, Queue};
use serde_json::json;

use crate::{cmd::args::short, db, out::Out};

/// How far each query has been read.
pub(super) async fn show(
    settings: &Settings,
    workspace: Option<&str>,
    out: Out,
) -> anyhow::Result<()> {
    let pool = db::connect(settings).await?;
    let all = cursors::status(&pool, workspace).await?;
    out.answer(&all, || {
        let headings =
            ["source", "query", "newest post", "answered", "lag", "calls left", "next", "trouble"];
        out.table(headings, all.iter().map(row));
    })
}

/// Ask what is due now.
pub(super) async fn poll(settings: &Settings, out: Out) -> anyhow::Result<()> {
    let pool = db::connect(settings).await?;
    let queue = Queue::new(&pool, &settings.queue);
    let tick = NewJob::of("", &Tick {})?.unique_key("by hand");
    let mut tx = pool.begin().await.context("begin")?;
    let enqueued = queue.enqueue(&mut tx, &[tick]).await.context("enqueueing")?;
    tx.commit().await.context("commit")?;
    queue.wake(&enqueued);
    let job = enqueued.first().map(|e| e.id);
    out.answer(&json!({ "job": job }), || out.say("what is due is asked now"))
}

fn row(of: &Status) -> [String; 8] {
    let query = if of.query.is_empty() {
        of.kind.clone()
    } else {
        format!("{} {}", of.kind, short(Some(&of.query), 60))
    };
    let newest = of.newest_seen_at.map_or_else(|| "none yet".to_owned(), |at| at.to_rfc3339());
    let answered = match of.last_ok_at {
        Some(_) => format!("{} ago", span(of.silent_s)),
        None => "never".to_owned(),
    };
    let calls = match (of.quota_left, of.quota) {
        (Some(left), Some(all)) => format!("{left:.0} of {all:.0}"),
        (Some(left), None) => format!("{left:.0}"),
        (None, _) => String::new(),
    };
    let next = if of.pages > 0 {
        format!("page {}", of.pages.saturating_add(1))
    } else {
        of.next_at.to_rfc3339()
    };
    [
        of.source.clone(),
        query,
        newest,
        answered,
        of.lag_s.map(span).unwrap_or_default(),
        calls,
        next,
        trouble(of),
    ]
}

/// What is wrong, if anything is.
fn trouble(of: &Status) -> String {
    let mut said = Vec::new();
    if of.state != "active" {
        said.push(of.state.clone());
    }
    if let Some(error) = &of.last_error {
        said.push(format!("{error} ({} in a row)", of.errors));
    }
    if let Some(until) = of.blocked_until {
        said.push(format!("nobody calls before {}", until.to_rfc3339()));
    }
    if let Some(at) = of.gap_at {
        said.push(format!("posts were missed before {}", at.to_rfc3339()));
    }
    said.join("; ")
}

fn span(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}
