//! Would a replay change anything? Stored bytes are read again and compared with what they were read as; nothing is
//! written.

use std::collections::HashMap;

use anyhow::Context;
use serde::Serialize;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use super::{
    log::EventFilter,
    readings::{Event, digest, load, outcome},
    replay::{self, Replayable},
};
use crate::normalize::read;

/// Events per read of the database.
const BATCH: i64 = 200;
/// Differences that are kept; all are counted.
const LISTED_MAX: usize = 1000;

/// What reading again would change.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Checked {
    /// Events that match the filter, have their bytes, and were read before.
    pub checked: u64,
    /// Of them, read as before.
    pub same: u64,
    /// Read before by a release that did not keep as what.
    pub unknown: u64,
    /// Read differently.
    pub different: u64,
    /// The first 1,000 of those.
    pub differences: Vec<Difference>,
}

/// An event that today's code and field map read differently.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// Event.
    pub event_id: Uuid,
    /// Its source.
    pub source_id: String,
    /// What it is.
    pub was: Read,
    /// What it would be; the same if only what its records say differs.
    pub now: Read,
}

/// As what an event is read.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize)]
pub struct Read {
    /// `normalized`, `ignored` or `quarantined`.
    pub state: String,
    /// Why, if not normalised.
    pub reason: Option<String>,
    /// How many records.
    pub records: Option<i32>,
}

/// Read all events of `filter` again, oldest id first.
///
/// # Errors
/// Those of the database.
pub async fn run(
    pool: &PgPool,
    workspace: Option<&str>,
    filter: &EventFilter,
) -> anyhow::Result<Checked> {
    let (mut done, mut after) = (Checked::default(), Uuid::nil());
    loop {
        let known = replay::page(pool, workspace, filter, after, BATCH).await?;
        let Some(last) = known.last() else { return Ok(done) };
        after = last.id;
        let ids: Vec<Uuid> = known.iter().map(|k| k.id).collect();
        let events = load(&mut *pool.acquire().await?, &ids).await.context("loading events")?;
        let again = move || events.into_iter().map(again).collect::<HashMap<_, _>>();
        let mut again = tokio::task::spawn_blocking(again).await.context("normaliser thread")?;
        for known in known.into_iter().filter(|k| k.was.state != "stored") {
            if let Some(again) = again.remove(&known.id) {
                done.add(known, again);
            }
        }
    }
}

/// An event read again.
struct Again {
    source_id: String,
    digest: [u8; 32],
    now: Read,
}

fn again(event: Event) -> (Uuid, Again) {
    let reading = read(&event);
    let (state, reason, records) = outcome(&reading);
    let now =
        Read { state: state.into(), reason: reason.map(str::to_owned), records: Some(records) };
    (event.id, Again { source_id: event.source_id, digest: digest(&reading), now })
}

impl Checked {
    fn add(&mut self, known: Replayable, again: Again) {
        self.checked += 1;
        let Some(before) = known.reading_sha256 else {
            self.unknown += 1;
            return;
        };
        if before == again.digest {
            self.same += 1;
            return;
        }
        self.different += 1;
        if self.differences.len() < LISTED_MAX {
            let Again { source_id, now, .. } = again;
            self.differences.push(Difference {
                event_id: known.id,
                source_id,
                was: known.was,
                now,
            });
        }
    }
}
