//! A person is forgotten: from here on nothing of theirs is stored; then they go from the archived decisions and audits,
//! from the raw deliveries, from the tables, and last from the archived posts. These say what to look for in all the others,
//! so that an erasure that was interrupted can be repeated.

use std::{collections::HashSet, io};

use anyhow::Context;
use chrono::{DateTime, Utc};
use millrace_config::SocialRetention;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgPool;

use super::{
    House, Relation,
    archive::{Archive, Label, Manifest},
    on_disk,
    restore::{Entry, batches},
};
use crate::{
    social::record::Platform,
    store::social::{
        erasure::{self, Traces},
        retention as rows,
    },
};

/// Texts that are shorter are found everywhere; `social.erase` says the same.
const TEXT_CHARS_MIN: usize = 20;

/// Who, in which workspace.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Tenant.
    pub workspace_id: String,
    /// Where.
    pub platform: Platform,
    /// Handle or id of the account.
    pub name: String,
}

/// What was done.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Erased {
    /// How they are remembered, so that they are not stored again: a hash.
    pub remembered_as: String,
    /// Archives that were written anew without them.
    pub files: Vec<String>,
    /// Raw deliveries whose bytes went.
    pub bodies: i64,
    /// Others that name them, but that nobody has read yet: erase again when they are.
    pub bodies_waiting: i64,
    /// Posts of others that name them and stay.
    pub mentioned_by_others: i64,
    /// Rows, by what was done to them; absent: they were erased before.
    pub rows: Option<Value>,
}

/// Forget somebody. `None`: nobody of that name is known, nor was one forgotten. It may be repeated.
///
/// # Errors
/// [`super::Busy`]; those of the database and the disk.
pub async fn erase(
    pool: &PgPool,
    keep: &SocialRetention,
    subject: &Subject,
    now: DateTime<Utc>,
    actor: &str,
) -> anyhow::Result<Option<Erased>> {
    let (workspace, platform) = (subject.workspace_id.as_str(), subject.platform.as_str());
    // Held to the end: else a run could archive what is about to go.
    let house = match keep.folder.as_os_str().is_empty() {
        true => None,
        false => Some(House::enter(pool, keep, now).await?),
    };
    let Some((remembered_as, mut traces)) = remember(pool, subject).await? else { return Ok(None) };
    let mut done = Erased { remembered_as, ..Erased::default() };
    let mut last = Vec::new();
    if let Some(house) = &house {
        let gone = erasure::gone(pool, workspace).await?;
        last = posts(house, workspace, &gone, &mut traces).await.context("archived posts")?;
        let others = beside_posts(pool, house, workspace, &mut traces).await;
        done.files = others.context("archives")?;
    }
    let mut tx = pool.begin().await?;
    rows::unhurried(&mut tx).await?;
    let names = [traces.names.clone(), traces.accounts.clone()].concat();
    (done.bodies, done.bodies_waiting) =
        erasure::erase_bodies(&mut *tx, workspace, &names).await.context("raw deliveries")?;
    if !traces.ids.is_empty() {
        let rows = erasure::erase(&mut tx, (workspace, platform), &traces, actor).await;
        done.rows = Some(rows.context("tables")?);
    }
    tx.commit().await?;
    if let Some(house) = &house {
        for (manifest, changed) in last {
            done.files.extend(rewrite(house, manifest, changed).await?);
        }
    }
    done.mentioned_by_others = erasure::mentions(pool, workspace, &traces.names).await?;
    Ok(Some(done))
}

/// Leave the tombstones; how they are remembered, and what to look for. `None`: nobody is known or was forgotten.
async fn remember(pool: &PgPool, subject: &Subject) -> anyhow::Result<Option<(String, Traces)>> {
    let (workspace, platform) = (subject.workspace_id.as_str(), subject.platform.as_str());
    let known = erasure::find(pool, workspace, platform, &subject.name).await?;
    let (name, before) = erasure::remembered(pool, workspace, platform, &subject.name).await?;
    if known.is_empty() && !before {
        return Ok(None);
    }
    let mut traces = Traces { names: vec![subject.name.clone()], ..Traces::default() };
    for one in known {
        traces.ids.push(one.id);
        traces.accounts.push(one.platform_id);
        traces.names.push(one.handle);
    }
    traces.names.retain(|name| !name.is_empty() && name != "[deleted]");
    traces.names.sort_unstable();
    traces.names.dedup();
    let mut subjects: Vec<String> = traces.names.iter().map(|name| name.to_lowercase()).collect();
    subjects.extend(traces.accounts.iter().cloned());
    let mut tx = pool.begin().await?;
    erasure::remember(&mut tx, workspace, platform, &subjects).await.context("tombstones")?;
    tx.commit().await?;
    for (id, native, texts) in erasure::said(pool, &traces.ids).await? {
        traces.posts.push(id);
        traces.native.push(native);
        traces.said.extend(texts.into_iter().filter(|text| text.chars().count() >= TEXT_CHARS_MIN));
    }
    Ok(Some((name, traces)))
}

#[derive(Deserialize)]
struct PostLine {
    post: Post,
    versions: Vec<Version>,
}

#[derive(Deserialize)]
struct Post {
    workspace_id: String,
    id: String,
    author_id: String,
    platform_post_id: String,
    content: String,
}

#[derive(Deserialize)]
struct Version {
    content: String,
}

#[derive(Deserialize)]
struct DecisionLine {
    decision: Decision,
}

#[derive(Deserialize)]
struct Decision {
    workspace_id: String,
    id: String,
    post_id: String,
}

async fn manifests(house: &House, of: &[Relation]) -> anyhow::Result<Vec<Manifest>> {
    let archive = house.archive.clone();
    let mut all = on_disk(move || archive.manifests()).await?;
    all.retain(|m| of.contains(&m.relation));
    Ok(all)
}

/// Write the decisions and the audits anew that have something of them; names of the new files.
async fn beside_posts(
    pool: &PgPool,
    house: &House,
    workspace: &str,
    traces: &mut Traces,
) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    for manifest in manifests(house, &[Relation::Decisions, Relation::AuditLogs]).await? {
        let changed = if manifest.relation == Relation::Decisions {
            decisions(&house.archive, &manifest, workspace, traces).await?
        } else {
            redacted(pool, &house.archive, &manifest, workspace, traces, house.now).await?
        };
        files.extend(rewrite(house, manifest, changed).await?);
    }
    Ok(files)
}

/// Lines by their number, and what stands in their place.
type Changed = Vec<(usize, Option<String>)>;

/// Write a file anew, if anything changes; its new name.
async fn rewrite(house: &House, old: Manifest, changed: Changed) -> anyhow::Result<Option<String>> {
    if changed.is_empty() {
        return Ok(None);
    }
    let label = Label {
        relation: old.relation,
        period: old.period,
        schema_version: old.schema_version,
        made_at: old.made_at,
        replaces: Some(old.file.clone()),
    };
    let archive = house.archive.clone();
    let new = on_disk(move || {
        archive.check(&old).map_err(|e| io::Error::other(format!("{}: {e}", old.file)))?;
        let mut changes = changed.into_iter().peekable();
        let lines = archive.lines(&old)?.enumerate().filter_map(|(nth, line)| {
            match changes.next_if(|(at, _)| *at == nth) {
                Some((_, new)) => new.map(Ok),
                None => Some(line),
            }
        });
        let new = archive.write(label, lines)?;
        archive.remove(&old.file)?;
        Ok(new)
    });
    Ok(new.await?.map(|new| new.file))
}

/// The archived posts that are theirs, or of who is `gone`, file by file. Notes what these tell of other archives.
async fn posts(
    house: &House,
    workspace: &str,
    gone: &[String],
    traces: &mut Traces,
) -> anyhow::Result<Vec<(Manifest, Changed)>> {
    let ids: HashSet<String> = traces.ids.iter().chain(gone).cloned().collect();
    let mut found = Vec::new();
    for manifest in manifests(house, &[Relation::Posts]).await? {
        let (mut nth, mut changed) = (0, Vec::new());
        let mut lines = batches(&house.archive, &manifest);
        while let Some(batch) = lines.recv().await {
            for line in batch? {
                let PostLine { post, versions } = serde_json::from_str(&line)?;
                if post.workspace_id == workspace && ids.contains(&post.author_id) {
                    traces.posts.push(post.id);
                    traces.native.push(post.platform_post_id);
                    let texts = versions.into_iter().map(|v| v.content).chain([post.content]);
                    traces.said.extend(texts.filter(|t| t.chars().count() >= TEXT_CHARS_MIN));
                    changed.push((nth, None));
                }
                nth += 1;
            }
        }
        found.push((manifest, changed));
    }
    Ok(found)
}

/// The archived decisions on their posts.
async fn decisions(
    archive: &Archive,
    of: &Manifest,
    workspace: &str,
    traces: &mut Traces,
) -> anyhow::Result<Changed> {
    let theirs: HashSet<&str> = traces.posts.iter().map(String::as_str).collect();
    let (mut nth, mut found) = (0, Vec::new());
    let mut lines = batches(archive, of);
    while let Some(batch) = lines.recv().await {
        for line in batch? {
            let DecisionLine { decision } = serde_json::from_str(&line)?;
            if decision.workspace_id == workspace && theirs.contains(&*decision.post_id) {
                traces.decisions.push(decision.id);
                found.push((nth, None));
            }
            nth += 1;
        }
    }
    Ok(found)
}

/// The entries of an archived audit that name them, without that. The chain stays: it holds the hash of what was said.
async fn redacted(
    pool: &PgPool,
    archive: &Archive,
    of: &Manifest,
    workspace: &str,
    traces: &mut Traces,
    now: DateTime<Utc>,
) -> anyhow::Result<Changed> {
    let mut found = Vec::new();
    let (mut nth, mut lines) = (0, batches(archive, of));
    while let Some(batch) = lines.recv().await {
        let batch = batch?;
        let new = erasure::redacted(pool, workspace, &batch, traces, now).await?;
        // Also those of an erasure that was interrupted, whose entry was not written.
        traces.redacted.extend(new.iter().map(|(seq, _)| *seq));
        for line in batch {
            let entry: Entry = serde_json::from_str(&line)?;
            if entry.workspace_id == workspace
                && let Some((_, Some(new))) = new.iter().find(|(seq, _)| *seq == entry.seq)
            {
                found.push((nth, Some(new.clone())));
            }
            nth += 1;
        }
    }
    Ok(found)
}
