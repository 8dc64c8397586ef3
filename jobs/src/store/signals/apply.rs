//! Records become rows, set-based, in the caller's transaction.
//!
//! The row of (workspace, source, source_ref) is the one place where concurrent writers of an object
//! meet, also for a delete that comes before its create: that delete inserts the tombstone itself.
//! New rows are inserted in key order and existing ones locked in id order, so that two batches with
//! common objects wait for each other instead of dead-locking.

use std::collections::{BTreeMap, HashMap};

use millrace_config::point::{Point, may_fail};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    merge::{Stored, decide, fresh, merged},
    rows::Rows,
    tombstones::{Tombstones, bury_leftovers},
};
use crate::{
    embed::content_hash,
    record::{Change, Content, Record},
    store::{
        activity_logs, inbox_items, new_id, signal_personas, signal_projects, signal_versions,
    },
};

/// A record and the delivery that brought it.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// Tenant.
    pub workspace_id: &'a str,
    /// The source that delivered it.
    pub source_id: &'a str,
    /// The delivery.
    pub event_id: Uuid,
    /// Trace of the delivery, 32 hex digits.
    pub trace_id: &'a str,
    /// What it says.
    pub record: &'a Record,
}

/// The row a record was applied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `signals.signals.id`.
    Signal(String),
    /// `signals.inbox_items.id`.
    InboxItem(String),
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A new row.
    Created,
    /// A newer version of a known object.
    Edited,
    /// The object is a tombstone now.
    Deleted,
    /// An older version than the one stored.
    Stale,
    /// The version that is stored already.
    Unchanged,
    /// The object was deleted at this version or later.
    TombstoneWins,
}

/// One record's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The row.
    pub target: Target,
    /// What was done to it.
    pub outcome: Outcome,
}

impl Applied {
    /// The signal whose text is new and must be processed.
    #[must_use]
    pub fn to_process(&self) -> Option<&str> {
        match (&self.target, self.outcome) {
            (Target::Signal(id), Outcome::Created | Outcome::Edited) => Some(id),
            _ => None,
        }
    }
}

/// Applies the records; one result per arrival, in order. Records of one object may come in any
/// order, in one batch or many, and end in the same row.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn apply(
    conn: &mut PgConnection,
    arrivals: &[Arrival<'_>],
) -> sqlx::Result<Vec<Applied>> {
    let mut done: Vec<Option<Applied>> = vec![None; arrivals.len()];
    let mut inbox = Vec::new();
    let mut objects: BTreeMap<(&str, &str, &str), Vec<usize>> = BTreeMap::new();
    for (index, arrival) in arrivals.iter().enumerate() {
        let record = arrival.record;
        if matches!(record.change, Change::Inbox(_)) {
            inbox.push(index);
        } else {
            let key = (arrival.workspace_id, record.origin.as_str(), record.source_ref.as_str());
            objects.entry(key).or_default().push(index);
        }
    }
    for versions in objects.values_mut() {
        let order = |i: &usize| arrivals.get(*i).map(|a| rank(a.record));
        versions.sort_by_key(order);
    }
    // One round per version of the busiest object: nearly always one.
    let rounds = objects.values().map(Vec::len).max().unwrap_or(0);
    for round in 0..rounds {
        let picked: Vec<usize> = objects.values().filter_map(|v| v.get(round).copied()).collect();
        let items: Vec<Arrival<'_>> =
            picked.iter().filter_map(|i| arrivals.get(*i).copied()).collect();
        for (index, applied) in picked.iter().zip(apply_round(conn, &items).await?) {
            if let Some(place) = done.get_mut(*index) {
                *place = Some(applied);
            }
        }
    }
    for index in inbox {
        if let (Some(arrival), Some(place)) = (arrivals.get(index), done.get_mut(index)) {
            *place = inbox_items::apply(conn, arrival).await?;
        }
    }
    Ok(done.into_iter().flatten().collect())
}

fn rank(record: &Record) -> (i64, bool, Option<[u8; 32]>) {
    let hash = content(record).map(|c| content_hash(&c.verbatim));
    (record.version, hash.is_none(), hash)
}

pub(super) fn content(record: &Record) -> Option<&Content> {
    match &record.change {
        Change::Signal(content) => Some(content),
        Change::Inbox(_) | Change::Delete => None,
    }
}

/// Applies records of distinct objects, in key order.
async fn apply_round(conn: &mut PgConnection, items: &[Arrival<'_>]) -> sqlx::Result<Vec<Applied>> {
    let mut rows = Rows::default();
    for item in items {
        let fields = content(item.record).map(fresh).unwrap_or_default();
        rows.push(new_id(), item, fields, false);
    }
    let inserted = rows.insert(conn).await?;
    may_fail(Point::RecordsInserted)?;
    let mut done: HashMap<usize, Applied> = HashMap::new();
    let mut known = Vec::new();
    for (index, (id, item)) in rows.ids.iter().zip(items).enumerate() {
        if inserted.contains(id) {
            let deleted = content(item.record).is_none();
            let outcome = if deleted { Outcome::Deleted } else { Outcome::Created };
            done.insert(index, Applied { target: Target::Signal(id.clone()), outcome });
        } else {
            known.push(index);
        }
    }
    if !known.is_empty() {
        let met: Vec<Arrival<'_>> = known.iter().filter_map(|i| items.get(*i).copied()).collect();
        for (index, applied) in known.iter().zip(update(conn, &met).await?) {
            done.insert(*index, applied);
        }
    }
    let results: Vec<Applied> = (0..items.len()).filter_map(|i| done.remove(&i)).collect();
    write_history(conn, items, &results).await?;
    let moved = |(item, applied): (&Arrival<'_>, &Applied)| {
        let part = content(item.record).is_some_and(|c| c.parent_ref.is_some());
        part || matches!(applied.outcome, Outcome::Edited | Outcome::Deleted)
    };
    if items.iter().zip(&results).any(moved) {
        let id = |applied: &'_ Applied| match &applied.target {
            Target::Signal(id) => Some(id.clone()),
            Target::InboxItem(_) => None,
        };
        let touched: Vec<String> = results.iter().filter_map(id).collect();
        bury_leftovers(conn, &touched).await?;
    }
    Ok(results)
}

/// Applies records to rows that exist.
async fn update(conn: &mut PgConnection, items: &[Arrival<'_>]) -> sqlx::Result<Vec<Applied>> {
    let stored = lock(conn, items).await?;
    let (mut edits, mut deletes) = (Rows::default(), Tombstones::default());
    let mut reread = Vec::new();
    let mut results = Vec::with_capacity(items.len());
    for (item, row) in items.iter().zip(&stored) {
        let content = content(item.record);
        let hash = content.map(|c| content_hash(&c.verbatim));
        let outcome = decide(row, item.record.version, hash.as_ref(), item.event_id);
        match (outcome, content) {
            (Outcome::Edited, Some(content)) => {
                let text_changed = row.content_hash.as_deref() != hash.as_ref().map(|h| &h[..]);
                let fields = merged(row, content, text_changed);
                reread.extend(text_changed.then(|| row.id.clone()));
                edits.push(row.id.clone(), item, fields, text_changed);
            }
            (Outcome::Deleted, _) => {
                let (version, event) = (item.record.version, item.event_id);
                let hash = row.content_hash.clone();
                deletes.push((row.id.clone(), version, event, item.trace_id.to_owned(), hash));
            }
            _ => {}
        }
        results.push(Applied { target: Target::Signal(row.id.clone()), outcome });
    }
    if !edits.ids.is_empty() {
        edits.edit(conn).await?;
    }
    // What was derived from a text falls with it.
    signal_projects::forget(conn, &reread, &[]).await?;
    signal_personas::forget(conn, &reread, &[]).await?;
    deletes.bury(conn).await?;
    Ok(results)
}

/// Locks the rows of the items' objects; one per item, in the items' order.
async fn lock(conn: &mut PgConnection, items: &[Arrival<'_>]) -> sqlx::Result<Vec<Stored>> {
    let workspaces: Vec<&str> = items.iter().map(|i| i.workspace_id).collect();
    let origins: Vec<&str> = items.iter().map(|i| i.record.origin.as_str()).collect();
    let refs: Vec<&str> = items.iter().map(|i| i.record.source_ref.as_str()).collect();
    let mut stored: Vec<Stored> = sqlx::query_as(
        "select k.ord, s.id, s.version, s.deleted_at is not null as deleted, s.content_hash, s.event_id,
                s.interpretation, s.severity, s.frequency, s.user_segment, s.provenance
         from unnest($1::text[], $2::text[], $3::text[]) with ordinality as k (workspace_id, source, source_ref, ord)
         join signals.signals s using (workspace_id, source, source_ref)
         order by s.id for update of s",
    )
    // As in [`Parts::tie`].
    .persistent(false)
    .bind(workspaces)
    .bind(origins)
    .bind(refs)
    .fetch_all(conn)
    .await?;
    stored.sort_by_key(|row| row.ord);
    Ok(stored)
}

/// Versions, parents, and the log of new signals.
async fn write_history(
    conn: &mut PgConnection,
    items: &[Arrival<'_>],
    results: &[Applied],
) -> sqlx::Result<()> {
    let mut versions = signal_versions::Versions::default();
    let mut created = activity_logs::Entries::default();
    let mut parts = Parts::default();
    for (item, result) in items.iter().zip(results) {
        let Target::Signal(id) = &result.target else { continue };
        let text = content(item.record).map(|c| c.verbatim.as_str());
        let change = match result.outcome {
            Outcome::Created => "created",
            Outcome::Edited => "edited",
            Outcome::Deleted => "deleted",
            Outcome::Stale | Outcome::Unchanged | Outcome::TombstoneWins => continue,
        };
        versions.push(id, item.record.version, change, text, item.event_id);
        if result.outcome == Outcome::Created {
            let origin = item.record.origin.as_str();
            created.push(item.workspace_id, item.source_id, "signal.created", id, origin);
        }
        if let Some(parent) = content(item.record).and_then(|c| c.parent_ref.as_deref()) {
            parts.push(id, item, parent);
        }
    }
    versions.insert(conn).await?;
    created.insert(conn).await?;
    parts.tie(conn).await
}

/// Parts of a whole and the keys of their wholes, column-wise.
#[derive(Debug, Default)]
struct Parts<'a> {
    ids: Vec<&'a str>,
    workspaces: Vec<&'a str>,
    origins: Vec<&'a str>,
    parents: Vec<&'a str>,
}

impl<'a> Parts<'a> {
    fn push(&mut self, id: &'a str, item: &Arrival<'a>, parent: &'a str) {
        self.ids.push(id);
        self.workspaces.push(item.workspace_id);
        self.origins.push(item.record.origin.as_str());
        self.parents.push(parent);
    }

    /// Tie them to their wholes.
    async fn tie(&self, conn: &mut PgConnection) -> sqlx::Result<()> {
        if self.ids.is_empty() {
            return Ok(());
        }
        sqlx::query(include_str!("tie.sql"))
            // A kept plan may be one for a small table, that reads all signals of the workspace for each part.
            .persistent(false)
            .bind(&self.ids)
            .bind(&self.workspaces)
            .bind(&self.origins)
            .bind(&self.parents)
            .execute(conn)
            .await
            .map(drop)
    }
}
