//! Archives are looked at, and put back.

use std::{collections::BTreeMap, io};

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use millrace_config::SocialRetention;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use tokio::sync::mpsc;

use super::{
    House, MONTHS_AHEAD, Relation,
    archive::{Archive, Manifest},
    on_disk,
};
use crate::store::{partitions, social::retention as rows};

/// Rows put back at once.
const BATCH: usize = 500;

/// What became of a file's rows.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Restored {
    /// In the file.
    pub rows: i64,
    /// Of them put back.
    pub restored: u64,
    /// The others were there, or must not come back: their post is not there, their author is erased, their platform
    /// deleted them.
    pub skipped: u64,
}

/// How an archive is.
#[derive(Debug, Clone, Serialize)]
pub struct Checked {
    /// What it must be.
    #[serde(flatten)]
    pub manifest: Manifest,
    /// What is wrong; absent: nothing.
    pub wrong: Option<String>,
}

/// What is in the archive.
///
/// # Errors
/// Those of the disk.
pub async fn list(keep: &SocialRetention) -> anyhow::Result<Vec<Manifest>> {
    let folder = keep.folder.clone();
    on_disk(move || Archive::open(&folder)?.manifests()).await
}

/// Look at every archive: bytes, rows, and whether audits are chains.
///
/// # Errors
/// Those of the disk and, if there are audits, of the database.
pub async fn verify(pool: &PgPool, keep: &SocialRetention) -> anyhow::Result<Vec<Checked>> {
    let folder = keep.folder.clone();
    let archive = on_disk(move || Archive::open(&folder)).await?;
    let mut all = Vec::new();
    for manifest in list(keep).await? {
        let (files, of) = (archive.clone(), manifest.clone());
        let mut wrong = on_disk(move || Ok(files.check(&of).err())).await?.map(|e| e.to_string());
        if wrong.is_none() && manifest.relation == Relation::AuditLogs {
            wrong = broken(pool, batches(&archive, &manifest)).await?;
        }
        all.push(Checked { manifest, wrong });
    }
    Ok(all)
}

/// What an archived audit entry says of its place.
#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    pub(super) workspace_id: String,
    pub(super) seq: i64,
    row_hash: String,
    prev_hash: Option<String>,
}

/// Where archived audit entries are no chain.
async fn broken(pool: &PgPool, mut entries: Batches) -> anyhow::Result<Option<String>> {
    let mut before: Option<Entry> = None;
    while let Some(batch) = entries.recv().await {
        let batch = batch?;
        for line in &batch {
            let entry: Entry = serde_json::from_str(line)?;
            let follows = |b: &Entry| {
                b.workspace_id != entry.workspace_id
                    || entry.prev_hash.as_ref() == Some(&b.row_hash)
            };
            if !before.as_ref().is_none_or(follows) {
                let seq = entry.seq;
                return Ok(Some(format!("entry {seq} does not follow the one before")));
            }
            before = Some(entry);
        }
        if let Some((workspace, seq)) = rows::audit_altered(pool, &batch).await? {
            return Ok(Some(format!("entry {seq} of {workspace} was changed")));
        }
    }
    Ok(None)
}

/// Lines of a file as JSON, some at once: as text, for numbers are more precise in it than in ours.
pub(super) type Batches = mpsc::Receiver<io::Result<Vec<String>>>;

pub(super) fn batches(archive: &Archive, of: &Manifest) -> Batches {
    let (to, from) = mpsc::channel(2);
    let (archive, of) = (archive.clone(), of.clone());
    tokio::task::spawn_blocking(move || {
        let read = || {
            let mut lines = archive.lines(&of)?.map(|line| json(of.relation, line?));
            loop {
                let batch: Vec<String> = lines.by_ref().take(BATCH).collect::<io::Result<_>>()?;
                if batch.is_empty() || to.blocking_send(Ok(batch)).is_err() {
                    return Ok(());
                }
            }
        };
        if let Err(e) = read() {
            to.blocking_send(Err(e)).ok();
        }
    });
    from
}

/// A line as JSON.
fn json(relation: Relation, line: String) -> io::Result<String> {
    let Some(header) = relation.header() else { return Ok(line) };
    let text = format!("{header}\n{line}\n");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut row = BTreeMap::new();
    for record in reader.deserialize::<BTreeMap<String, Option<String>>>() {
        row.extend(record?);
    }
    Ok(serde_json::to_string(&row)?)
}

/// Put the rows of an archive back where they are not. The next run takes them out again, without a new file. `None`:
/// there is no such file.
///
/// # Errors
/// [`super::Busy`]; that the file is not what its manifest says, or is of a newer release; those of the database.
pub async fn restore(
    pool: &PgPool,
    keep: &SocialRetention,
    file: &str,
    now: DateTime<Utc>,
) -> anyhow::Result<Option<Restored>> {
    let house = House::enter(pool, keep, now).await?;
    let all = list(keep).await?;
    let Some(manifest) = all.into_iter().find(|m| m.file == file) else { return Ok(None) };
    if manifest.schema_version > house.schema_version {
        bail!("it was made with schema version {}: migrate first", manifest.schema_version);
    }
    let (archive, of) = (house.archive.clone(), manifest.clone());
    if let Some(wrong) = on_disk(move || Ok(archive.check(&of).err())).await? {
        return Err(wrong).context(manifest.file);
    }
    let mut entries = batches(&house.archive, &manifest);
    let mut tx = pool.begin().await?;
    rows::unhurried(&mut tx).await?;
    let mut restored = 0;
    while let Some(batch) = entries.recv().await {
        let batch = &batch?;
        restored += match manifest.relation {
            Relation::Decisions => rows::restore_decisions(&mut tx, batch).await?,
            Relation::Posts => rows::restore_posts(&mut tx, batch).await?,
            Relation::KpiMetrics => rows::restore_kpis(&mut tx, batch).await?,
            Relation::AuditLogs => rows::restore_audit(&mut tx, batch).await?,
        };
    }
    tx.commit().await?;
    if manifest.relation == Relation::Decisions {
        partitions::ensure_months(pool, MONTHS_AHEAD).await.context("partitions")?;
    }
    let skipped = u64::try_from(manifest.rows).unwrap_or(0).saturating_sub(restored);
    Ok(Some(Restored { rows: manifest.rows, restored, skipped }))
}
