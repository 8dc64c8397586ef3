//! A run: the index shows what the tree has, file by file.
//!
//! A file's rows change in one transaction, and the commit that the index shows moves when all files are in. Whatever
//! ends a run in the middle, the next one finds by comparison what is left to do. Every transaction holds the
//! connection first, so that a run that was taken for dead writes nothing behind its successor's back.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use millrace_config::{
    Codebase,
    point::{Point, may_fail},
};
use sqlx::{PgPool, Postgres, Transaction};
use tokio::{sync::mpsc, time::Instant};
use uuid::Uuid;

use super::{
    cut::{Cut, Taken, take},
    plan::{Change, Plan, plan},
    report::{Progress, Report},
    select::{Rules, Skip},
    tokens::Tokens,
    tree::{Content, Entry, Tree},
    words::words,
};
use crate::{
    embed::Embedder,
    queue::{self, LeaseId},
    store::{
        codebase::{
            chunks::{self, NewChunk},
            connections::Connection,
            files::{self, File, NewFile, Skipped},
            runs::{self, Shown},
        },
        embeddings,
    },
};

/// Raised when chunks would be cut or described otherwise: everything is cut anew then.
pub const RULES: i32 = 1;
/// Files that are written together.
const FILES: usize = 32;
/// Bytes of them, about.
const BYTES: usize = 512 << 10;
/// Files that are cut and wait to be written.
const AHEAD: usize = 16;
/// Texts that the model is given at once: others wait no longer.
const TEXTS: usize = 64;
/// A run shows life as often, also while the model works.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// What a run works with.
#[derive(Debug, Clone)]
pub struct Tools {
    /// Connections.
    pub pool: PgPool,
    /// The model.
    pub embedder: Arc<dyn Embedder>,
    /// Its tokens.
    pub tokens: Arc<Tokens>,
    /// Limits.
    pub limits: Codebase,
}

/// What a run is to do.
#[derive(Debug, Clone, Copy, Default)]
pub struct Order<'a> {
    /// The commit of the tree; none of a folder.
    pub commit: Option<&'a str>,
    /// Read every file, and mend what is stored otherwise than it would be stored now.
    pub all: bool,
    /// Of the job that asked for it; completed with the run.
    pub lease: Option<LeaseId>,
}

/// Another run has the connection.
#[derive(Debug, thiserror::Error)]
#[error("another run has taken over")]
pub struct Overtaken;

/// Bring the index of `of`, which was taken (`store::codebase::runs::begin`), to `tree`.
///
/// # Errors
/// If the tree cannot be listed, is larger than the limits, or the database does not answer; what is written until then
/// stays. [`Overtaken`] is among them.
pub async fn run(
    tools: &Tools,
    of: &Connection,
    mut tree: Tree,
    order: Order<'_>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> anyhow::Result<Report> {
    let began = Instant::now();
    let mut conn = tools.pool.acquire().await.context("connection")?;
    let model_id =
        embeddings::model_id(&mut conn, tools.embedder.model()).await.context("model")?;
    let known = files::all(&mut conn, of.id).await.context("files")?;
    let skips = files::skipped(&mut conn, of.id).await.context("skipped files")?;
    drop(conn);
    let all = order.all || of.rules != Some(RULES) || of.model_id != Some(model_id);
    let (plan, total) = compare(&mut tree, &known, &skips, all).await?;
    let files_max = tools.limits.files_max;
    let count = plan.unchanged + plan.read.len() + plan.renamed.len();
    ensure!(count <= files_max, "{count} files are more than codebase.files_max ({files_max})");
    let mut run = Run {
        tools,
        of,
        model_id,
        all,
        report: Report::of(&plan, total),
        progress,
        done: Progress { of: plan.read.len(), ..Progress::default() },
        bytes: known.iter().map(|file| file.size_bytes).sum(),
    };
    run.without_reading(&plan).await?;
    run.read(plan.read, tree).await?;
    run.finish(order, began).await
}

/// What a run would do; nothing is written, and the files that are to be read are not read.
///
/// # Errors
/// If the tree cannot be listed.
pub async fn preview(tree: &mut Tree, known: &[File], skips: &[Skipped]) -> anyhow::Result<Report> {
    let (plan, total) = compare(tree, known, skips, false).await?;
    Ok(Report::preview(&plan, total))
}

async fn compare(
    tree: &mut Tree,
    known: &[File],
    skips: &[Skipped],
    all: bool,
) -> anyhow::Result<(Plan, usize)> {
    let entries = tree.entries().await?;
    let rules = rules(tree, &entries).await?;
    let total = entries.len();
    Ok((plan(entries, &rules, known, skips, all), total))
}

/// What the tree says of itself.
async fn rules(tree: &mut Tree, entries: &[Entry]) -> anyhow::Result<Rules> {
    let mut texts = [String::new(), String::new()];
    for (text, name) in texts.iter_mut().zip([".millraceignore", ".gitattributes"]) {
        if let Some(entry) = entries.iter().find(|entry| entry.path == name)
            && let Content::Bytes { bytes, .. } = tree.read(entry).await?
        {
            *text = String::from_utf8_lossy(&bytes).into_owned();
        }
    }
    let [ignore, attributes] = texts;
    Ok(Rules::new(&ignore, &attributes))
}

struct Run<'a> {
    tools: &'a Tools,
    of: &'a Connection,
    model_id: i16,
    all: bool,
    report: Report,
    progress: &'a (dyn Fn(Progress) + Send + Sync),
    done: Progress,
    /// Of all files, about.
    bytes: i64,
}

impl Run<'_> {
    /// A transaction of this run and no other.
    async fn begin(&self) -> anyhow::Result<Transaction<'static, Postgres>> {
        let mut tx = self.tools.pool.begin().await.context("begin")?;
        ensure!(runs::hold(&mut tx, self.of).await.context("holding the codebase")?, Overtaken);
        Ok(tx)
    }

    /// Renamed, gone, not looked into.
    async fn without_reading(&mut self, plan: &Plan) -> anyhow::Result<()> {
        let mut tx = self.begin().await?;
        let deleted: Vec<&str> = plan.deleted.iter().map(String::as_str).collect();
        files::delete(&mut tx, self.of.id, &deleted).await.context("deleting files")?;
        let renamed: Vec<(&str, &str)> =
            plan.renamed.iter().map(|(before, after)| (before.as_str(), after.as_str())).collect();
        let path_words: Vec<String> = plan.renamed.iter().map(|(_, after)| words(after)).collect();
        files::rename(&mut tx, self.of.id, &renamed, &path_words)
            .await
            .context("renaming files")?;
        let skipped: Vec<(&Entry, Skip)> =
            plan.skipped.iter().map(|(entry, skip)| (entry, *skip)).collect();
        files::skip(&mut tx, self.of, &skipped).await.context("skipping files")?;
        may_fail(Point::NamesWritten)?;
        tx.commit().await.context("commit")?;
        Ok(())
    }

    /// One task reads and cuts, this one embeds and writes.
    async fn read(&mut self, changes: Vec<Change>, mut tree: Tree) -> anyhow::Result<()> {
        let (cut, mut taken) = mpsc::channel(AHEAD);
        let tokens = self.tools.tokens.clone();
        let reader = tokio::spawn(async move {
            for change in changes {
                let entry = change.entry;
                let read = tree.read(&entry).await;
                let tokens = tokens.clone();
                let work = move || take(entry, read, &tokens);
                let Ok(now) = tokio::task::spawn_blocking(work).await else { return };
                if cut.send((change.added, now)).await.is_err() {
                    return;
                }
            }
        });
        let (mut batch, mut bytes, mut skipped) = (Vec::new(), 0, Vec::new());
        while let Some((added, now)) = taken.recv().await {
            match now {
                Taken::Cut(file) => {
                    bytes += usize::try_from(file.size).unwrap_or(0);
                    batch.push((added, file));
                }
                Taken::Skipped(entry, skip) => skipped.push((entry, skip)),
                Taken::Failed(path, error) => {
                    tracing::warn!(
                        path,
                        error = format!("{error:#}"),
                        "file not indexed; the next run tries again"
                    );
                    self.report.fail(path);
                    self.done.files += 1;
                }
            }
            if batch.len() + skipped.len() >= FILES || bytes >= BYTES {
                self.write(std::mem::take(&mut batch), std::mem::take(&mut skipped)).await?;
                bytes = 0;
            }
        }
        self.write(batch, skipped).await?;
        reader.await.context("reading task")
    }

    /// Vectors first, each by itself of use; then the rows of all files of the batch at once.
    async fn write(
        &mut self,
        mut batch: Vec<(bool, Cut)>,
        skipped: Vec<(Entry, Skip)>,
    ) -> anyhow::Result<()> {
        let files = batch.len() + skipped.len();
        if files == 0 {
            return Ok(());
        }
        if self.all {
            self.keep_unlike(&mut batch).await?;
        }
        self.count(&batch, &skipped)?;
        self.embed(&batch).await?;
        let mut tx = self.begin().await?;
        let rows: Vec<NewFile<'_>> = batch
            .iter()
            .map(|(_, file)| NewFile {
                path: &file.entry.path,
                hash: &file.entry.hash,
                language: file.language,
                size: file.size,
            })
            .collect();
        let ids = files::put(&mut tx, self.of, &rows).await.context("writing files")?;
        let with_chunks: Vec<(Uuid, &[NewChunk])> =
            ids.into_iter().zip(batch.iter().map(|(_, file)| file.chunks.as_slice())).collect();
        chunks::replace(&mut tx, self.of, &with_chunks).await.context("writing chunks")?;
        let skipped: Vec<(&Entry, Skip)> =
            skipped.iter().map(|(entry, skip)| (entry, *skip)).collect();
        files::skip(&mut tx, self.of, &skipped).await.context("skipping files")?;
        may_fail(Point::ChunksWritten)?;
        tx.commit().await.context("commit")?;
        may_fail(Point::ChunksCommitted)?;
        self.done.files += files;
        self.done.chunks = self.report.chunks;
        self.done.reused = self.report.chunks_reused;
        (self.progress)(self.done);
        Ok(())
    }

    /// Files whose rows are what they would be are left as they are; their vectors are looked after.
    async fn keep_unlike(&mut self, batch: &mut Vec<(bool, Cut)>) -> anyhow::Result<()> {
        let mut conn = self.tools.pool.acquire().await.context("connection")?;
        let files: Vec<(&str, &str, &[NewChunk])> = batch
            .iter()
            .map(|(_, file)| {
                (file.entry.path.as_str(), file.entry.hash.as_str(), file.chunks.as_slice())
            })
            .collect();
        let alike = chunks::alike(&mut conn, self.of, &files).await.context("comparing chunks")?;
        drop(conn);
        let kept: Vec<(bool, Cut)> =
            batch.extract_if(.., |(_, file)| alike.contains(&file.entry.path)).collect();
        self.report.unchanged += kept.len();
        self.embed(&kept).await
    }

    fn count(&mut self, batch: &[(bool, Cut)], skipped: &[(Entry, Skip)]) -> anyhow::Result<()> {
        let report = &mut self.report;
        for (added, file) in batch {
            *if *added { &mut report.added } else { &mut report.updated } += 1;
            *report.languages.entry(file.language.unwrap_or("other").to_owned()).or_default() += 1;
            report.chunks += file.chunks.len();
            self.bytes += file.size;
        }
        for (_, skip) in skipped {
            *report.skipped.entry(skip.as_str().into()).or_default() += 1;
        }
        let most = self.tools.limits.bytes_max;
        ensure!(self.bytes <= most, "the files have more than codebase.bytes_max ({most} bytes)");
        Ok(())
    }

    async fn embed(&mut self, batch: &[(bool, Cut)]) -> anyhow::Result<()> {
        let hashes =
            || batch.iter().flat_map(|(_, file)| &file.chunks).map(|c| c.content_hash.as_slice());
        let all: Vec<&[u8]> = hashes().collect();
        if all.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        let missing = chunks::without_vector(&mut tx, self.of, self.model_id, &all, self.all).await;
        let missing = missing.context("looking for vectors")?;
        tx.commit().await.context("commit")?;
        let texts: BTreeMap<&[u8], &String> =
            hashes().zip(batch.iter().flat_map(|(_, file)| &file.texts)).collect();
        let wanted: Vec<(&[u8], &String)> = missing
            .iter()
            .filter_map(|hash| texts.get_key_value(hash.as_slice()))
            .map(|(h, t)| (*h, *t))
            .collect();
        self.report.chunks_embedded += wanted.len();
        self.report.chunks_reused += all.len() - wanted.len();
        if wanted.is_empty() {
            return Ok(());
        }
        for some in wanted.chunks(TEXTS) {
            let given = some.iter().map(|(_, text)| (*text).clone()).collect();
            let vectors = self.vectors(given).await?;
            self.done.embedded += some.len();
            let rows: Vec<(&[u8], Vec<f32>)> = some.iter().map(|(h, _)| *h).zip(vectors).collect();
            let mut tx = self.begin().await?;
            let engine = &self.tools.embedder.model().engine;
            chunks::put_vectors(&mut tx, self.of, self.model_id, engine, &rows)
                .await
                .context("writing vectors")?;
            tx.commit().await.context("commit")?;
            may_fail(Point::VectorsWritten)?;
            (self.progress)(self.done);
        }
        Ok(())
    }

    /// Showing life meanwhile: the model may have much else to do.
    async fn vectors(&self, texts: Vec<String>) -> anyhow::Result<Vec<Vec<f32>>> {
        let mut vectors = std::pin::pin!(self.tools.embedder.embed(texts));
        loop {
            match tokio::time::timeout(HEARTBEAT, &mut vectors).await {
                Ok(vectors) => return vectors.context("embedding"),
                Err(_) => self.begin().await?.commit().await.context("commit")?,
            }
        }
    }

    async fn finish(mut self, order: Order<'_>, began: Instant) -> anyhow::Result<Report> {
        self.report.commit = order.commit.map(str::to_owned);
        self.report.seconds = began.elapsed().as_secs_f64();
        let mut tx = self.begin().await?;
        chunks::sweep(&mut tx, self.of.id, self.model_id).await.context("sweeping vectors")?;
        let failed = self.report.failed;
        let error = (failed > 0).then(|| format!("{failed} files could not be read"));
        let shown = Shown {
            commit: order.commit,
            model_id: self.model_id,
            rules: RULES,
            error: error.as_deref(),
            changed: self.report.changed(),
            output: serde_json::to_value(&self.report).context("report")?,
        };
        ensure!(runs::end(&mut tx, self.of, &shown).await.context("ending the run")?, Overtaken);
        if let Some(lease) = order.lease {
            queue::complete_in(&mut tx, &[lease]).await.context("completing the lease")?;
        }
        may_fail(Point::RunEnded)?;
        tx.commit().await.context("commit")?;
        may_fail(Point::RunCommitted)?;
        let exact_max = self.tools.limits.exact_scan_chunks_max;
        let pool = &self.tools.pool;
        chunks::index(pool, self.of.id, self.model_id, exact_max)
            .await
            .context("index of vectors")?;
        Ok(self.report)
    }
}
