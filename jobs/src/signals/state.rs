//! What the jobs of a process remember between calls: caches only, rebuilt from the database at need.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context;
use chrono::NaiveDateTime;
use pgvector::HalfVector;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::{
    extract::{Heads, training_texts},
    portfolio::{self, Portfolio},
    recent::{Heard, Recent},
    thresholds::Thresholds,
};
use crate::{
    ctx::Ctx,
    embed::{canonical, content_hash},
    store::{
        embeddings, project_profiles, projects, signal_projects, signal_thresholds, signals,
        workspaces,
    },
};

/// Workspaces held in memory; beyond, the one used longest ago is dropped.
const WORKSPACES_MAX: usize = 64;
/// Learn anew when this share of what was learned from has changed: one in twenty.
const REFIT_SHARE: i64 = 20;

/// Caches of the signals jobs.
#[derive(Debug, Default)]
pub struct State {
    model_id: OnceCell<i16>,
    heads: OnceCell<Arc<Heads>>,
    workspaces: Mutex<Vec<(String, Arc<tokio::sync::Mutex<Mind>>)>>,
}

/// One workspace as this process knows it.
#[derive(Debug, Default)]
pub(crate) struct Mind {
    portfolio: Option<Fitted>,
    pub(crate) recent: Recent,
    heard_until: NaiveDateTime,
}

#[derive(Debug)]
struct Fitted {
    stamp: (i64, i64),
    portfolio: Arc<Portfolio>,
}

impl State {
    pub(crate) async fn model_id(&self, ctx: &Ctx) -> anyhow::Result<i16> {
        let register = || async {
            let mut conn = ctx.pool.acquire().await?;
            embeddings::model_id(&mut conn, ctx.embedder.model()).await
        };
        self.model_id.get_or_try_init(register).await.copied().context("registering the model")
    }

    /// The extraction heads, learned on first use.
    pub(crate) async fn heads(&self, ctx: &Ctx) -> anyhow::Result<Arc<Heads>> {
        let learn = || async {
            let texts = training_texts();
            let vectors = cached_vectors(ctx, &texts).await?;
            let fitted = tokio::task::spawn_blocking(move || Heads::fit(&vectors)).await?;
            anyhow::Ok(Arc::new(fitted))
        };
        self.heads.get_or_try_init(learn).await.cloned().context("learning the extraction heads")
    }

    pub(crate) fn mind(&self, workspace_id: &str) -> Arc<tokio::sync::Mutex<Mind>> {
        let mut all = self.workspaces.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|(id, _)| id == workspace_id);
        let (id, mind) = match at {
            Some(at) => all.remove(at),
            None => (workspace_id.to_owned(), Arc::default()),
        };
        // The last one is the one used last.
        all.push((id, mind.clone()));
        if all.len() > WORKSPACES_MAX {
            all.remove(0);
        }
        mind
    }
}

impl Mind {
    /// Learns the projects if what they are learned from has changed: by enough, or by anything if
    /// it must be `exact`.
    pub(crate) async fn portfolio(
        &mut self,
        ctx: &Ctx,
        workspace_id: &str,
        exact: bool,
    ) -> anyhow::Result<Arc<Portfolio>> {
        let mut conn = ctx.pool.acquire().await.context("connection")?;
        let stamp = project_profiles::stamp(&mut conn, workspace_id).await.context("profiles")?;
        if let Some(known) = &self.portfolio {
            let (count, versions) = known.stamp;
            let changes = stamp.1 - versions;
            let few = !exact && changes.abs() * REFIT_SHARE <= versions;
            if stamp.0 == count && (changes == 0 || few) {
                return Ok(known.portfolio.clone());
            }
        }
        let active = projects::active(&mut conn, workspace_id).await.context("projects")?;
        let per_project = i64::try_from(portfolio::per_project_max(active.len()))?;
        let model_id = ctx.signals.model_id(ctx).await?;
        let links = signal_projects::examples(&mut conn, workspace_id, model_id, per_project).await;
        let links = links.context("linked signals")?;
        drop(conn);
        let texts: Vec<String> = active
            .iter()
            .map(|(_, name, about)| portfolio::project_text(name, about.as_deref()))
            .collect();
        let vectors = cached_vectors(ctx, &texts).await?;
        let ids = active.iter().map(|(id, ..)| id.clone());
        let descriptions: HashMap<String, Vec<f32>> = ids.zip(vectors).collect();
        let links = links.into_iter().map(|(id, v)| (id, embeddings::to_f32(&v))).collect();
        let learned = portfolio::assemble(active, descriptions, links);
        let fitted = tokio::task::spawn_blocking(move || Portfolio::fit(learned)).await?;
        let portfolio = Arc::new(fitted);
        self.portfolio = Some(Fitted { stamp, portfolio: portfolio.clone() });
        Ok(portfolio)
    }

    /// Adds what has been processed since; the newest `rows_max` stay.
    pub(crate) async fn catch_up(
        &mut self,
        conn: &mut sqlx::PgConnection,
        workspace_id: &str,
        model_id: i16,
        rows_max: i64,
    ) -> anyhow::Result<()> {
        let rows =
            signals::heard_since(conn, workspace_id, model_id, self.heard_until, rows_max).await;
        for (id, content_hash, processed_at, vector) in
            rows.context("processed signals")?.into_iter().rev()
        {
            self.heard_until = self.heard_until.max(processed_at);
            self.recent.push(Heard { id, content_hash, vector: embeddings::to_f32(&vector) });
        }
        self.recent.trim(usize::try_from(rows_max)?);
        Ok(())
    }
}

/// Thresholds of these workspaces.
pub(crate) async fn thresholds(
    ctx: &Ctx,
    workspace_ids: &[&str],
) -> anyhow::Result<HashMap<String, Thresholds>> {
    let mut conn = ctx.pool.acquire().await.context("connection")?;
    let settings = workspaces::settings(&mut conn, workspace_ids).await.context("settings")?;
    let learned = signal_thresholds::in_force(&mut *conn, workspace_ids).await;
    let learned = learned.context("learned thresholds")?;
    let read = |(id, settings): (String, Value)| {
        let own = learned.iter().filter(|(workspace, ..)| *workspace == id);
        let own = own.map(|(_, name, promise, above)| (name.as_str(), *promise, *above));
        let limits = Thresholds::new(&ctx.settings.classify, &settings).learned(own);
        (id, limits)
    };
    Ok(settings.into_iter().map(read).collect())
}

/// Vectors of texts that are no signals, kept in the cache at once.
pub(crate) async fn cached_vectors(ctx: &Ctx, texts: &[String]) -> anyhow::Result<Vec<Vec<f32>>> {
    let hashes: Vec<Vec<u8>> = texts.iter().map(|t| content_hash(t).to_vec()).collect();
    let (known, made) = vectors(ctx, texts.iter().map(String::as_str), &hashes).await?;
    if !made.is_empty() {
        let model_id = ctx.signals.model_id(ctx).await?;
        let mut conn = ctx.pool.acquire().await.context("connection")?;
        let halves: Vec<HalfVector> = made
            .iter()
            .filter_map(|h| known.get(h))
            .map(|v| HalfVector::from_f32_slice(v))
            .collect();
        let engine = &ctx.embedder.model().engine;
        let stored = embeddings::store(&mut conn, model_id, engine, &made, &halves).await;
        stored.context("storing vectors")?;
    }
    let pick = |h: &Vec<u8>| known.get(h).cloned().context("a text got no vector");
    hashes.iter().map(pick).collect()
}

/// A vector for every hash, and the hashes whose vector is new. Equal texts are embedded once.
pub(crate) async fn vectors<'a>(
    ctx: &Ctx,
    texts: impl Iterator<Item = &'a str>,
    hashes: &[Vec<u8>],
) -> anyhow::Result<(HashMap<Vec<u8>, Vec<f32>>, Vec<Vec<u8>>)> {
    let model_id = ctx.signals.model_id(ctx).await?;
    let mut conn = ctx.pool.acquire().await.context("connection")?;
    let known = embeddings::known(&mut conn, model_id, hashes).await.context("known vectors")?;
    drop(conn);
    let mut all: HashMap<Vec<u8>, Vec<f32>> = known.into_iter().collect();
    let (mut made, mut missing) = (Vec::new(), Vec::new());
    for (hash, text) in hashes.iter().zip(texts) {
        if !all.contains_key(hash) && !made.contains(hash) {
            made.push(hash.clone());
            missing.push(canonical(text));
        }
    }
    let new = ctx.embedder.embed(missing).await.context("embedding")?;
    all.extend(made.iter().cloned().zip(new));
    Ok((all, made))
}
