//! `social.decide`: what is done about a post.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Context;
use futures_util::FutureExt;
use millrace_config::point::{Point, may_fail};
use pgvector::HalfVector;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use tokio::sync::OnceCell;

use super::{
    brand::{Brand, Brands},
    decide::decide,
    facts::{Around, midnight, ready},
    opinion,
    oversight::escalation::{NewEscalation, Reason},
    record::Platform,
    semantic::Prototypes,
    temporal::Calendar,
    trials::Trials,
};
use crate::{
    ctx::Ctx,
    embed::content_hash,
    learning::policy::{InForce, Models},
    queue::{self, Job, LeaseId, Leased, NewJob, Verdict},
    signals::vectors,
    store::{
        embeddings,
        social::{
            ToDecide,
            around::{self, Said, SegmentRow, Volume},
            decisions::{self, NewDecision},
            escalations, experiments,
            waiting::{self, Waiting},
        },
    },
};

/// Caches of the social jobs.
#[derive(Debug, Default)]
pub struct State {
    /// Brand profiles.
    pub brands: Brands,
    models: Models,
    prototypes: OnceCell<Arc<Prototypes>>,
}

impl State {
    async fn prototypes(&self, ctx: &Ctx) -> anyhow::Result<Arc<Prototypes>> {
        let learn = || async { Prototypes::learn(&*ctx.embedder).await.map(Arc::new) };
        self.prototypes.get_or_try_init(learn).await.cloned()
    }
}

/// Decide what is done about a post.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Decide {
    /// `social.posts.id`.
    pub post_id: String,
}

/// The jobs for posts whose text is new.
///
/// # Errors
/// Never in practice: the payload is an id.
pub fn jobs(posts: &[ToDecide]) -> serde_json::Result<Vec<NewJob>> {
    let job = |post: &ToDecide| {
        let job = NewJob::of(&post.workspace_id, &Decide { post_id: post.post_id.clone() })?;
        Ok(job.trace(Some(post.trace_id.clone())))
    };
    posts.iter().map(job).collect()
}

impl Job for Decide {
    const KIND: &'static str = "social.decide";
    const BATCH_MAX: usize = 64;
    const CONCURRENCY: usize = 2;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        queue::together(&ctx, &batch, |ctx, part| run_batch(ctx, part).boxed()).await
    }
}

async fn run_batch(ctx: &Ctx, batch: &[Leased<Decide>]) -> anyhow::Result<()> {
    let ids: Vec<&str> = batch.iter().map(|l| l.job.post_id.as_str()).collect();
    let mut conn = ctx.pool.acquire().await.context("connection")?;
    let mut posts = waiting::load(&mut conn, &ids).await.context("loading posts")?;
    let said = around::said(&mut conn, &ids).await.context("loading what was said")?;
    drop(conn);
    // A post's text by its hash, wherever it was hashed.
    for post in &mut posts {
        post.content_hash.get_or_insert_with(|| content_hash(&post.content).to_vec());
    }
    let hashes: Vec<Vec<u8>> = posts.iter().filter_map(|p| p.content_hash.clone()).collect();
    let (vectors, made) = vectors(ctx, posts.iter().map(|p| p.content.as_str()), &hashes).await?;
    let prototypes = ctx.social.prototypes(ctx).await?;
    let mut tenants: BTreeMap<String, Vec<Waiting>> = BTreeMap::new();
    for post in posts {
        tenants.entry(post.workspace_id.clone()).or_default().push(post);
    }
    let mut decided = Vec::new();
    for (workspace_id, posts) in tenants {
        let brand = ctx.social.brands.in_force(&ctx.pool, &ctx.settings, &workspace_id).await?;
        let noted = ctx.social.brands.record(&ctx.pool, &workspace_id, &brand).await;
        noted.context("noting the profile")?;
        let tenant = Tenant::load(ctx, &workspace_id, brand, &posts).await?;
        let semantics: Vec<Option<f64>> = posts
            .iter()
            .map(|post| vectors.get(post.content_hash.as_deref()?))
            .map(|vector| vector.map(|vector| prototypes.seeks_help(vector)))
            .collect();
        let said = said.clone();
        let work = move || tenant.judge(posts, &semantics, &said);
        decided.push(tokio::task::spawn_blocking(work).await?);
    }

    may_fail(Point::DecideJudged)?;
    let mut tx = ctx.pool.begin().await.context("begin")?;
    let model_id = ctx.signals.model_id(ctx).await?;
    let halves: Vec<HalfVector> =
        made.iter().filter_map(|h| vectors.get(h)).map(|v| HalfVector::from_f32_slice(v)).collect();
    let engine = &ctx.embedder.model().engine;
    let stored = embeddings::store(&mut tx, model_id, engine, &made, &halves).await;
    stored.context("storing vectors")?;
    for all in decided {
        write(ctx, &mut tx, all).await?;
    }
    let leases: Vec<LeaseId> = batch.iter().map(|l| l.id).collect();
    queue::complete_in(&mut tx, &leases).await.context("completing leases")?;
    may_fail(Point::DecideWritten)?;
    tx.commit().await.context("commit")?;
    may_fail(Point::DecideCommitted)?;
    Ok(())
}

async fn write(ctx: &Ctx, conn: &mut PgConnection, all: Vec<NewDecision>) -> anyhow::Result<()> {
    let written = decisions::write(conn, &all).await.context("writing decisions")?;
    let written: Vec<&NewDecision> = all.iter().filter(|new| written.contains(&new.id)).collect();
    let at_odds = experiments::assign(conn, &written).await.context("assigning authors")?;
    // Somebody else assigned an author meanwhile, by another split: that stays.
    anyhow::ensure!(at_odds == 0, "{at_odds} authors were assigned otherwise meanwhile");
    decisions::update_authors(conn, &written).await.context("writing authors")?;
    let waiting: Vec<NewEscalation> = written.iter().filter_map(|new| escalation(new)).collect();
    escalations::open(conn, &waiting).await.context("opening escalations")?;
    let asked = opinion::jobs(ctx, &written)?;
    ctx.queue.enqueue(conn, &asked).await.context("enqueueing")?;
    for new in &written {
        metrics::counter!("millrace_social_decisions_total", "platform" => new.post.platform.clone(),
            "mode" => new.decision.mode.as_str())
        .increment(1);
    }
    Ok(())
}

/// What a person should look at.
fn escalation(new: &NewDecision) -> Option<NewEscalation> {
    let why = new.decision.review_reason?;
    let reason = *Reason::ALL.iter().find(|reason| reason.as_str() == why.escalation())?;
    Some(NewEscalation {
        workspace_id: new.post.workspace_id.clone(),
        post_id: Some(new.post.id.clone()),
        decision: Some((new.id.clone(), new.post.now)),
        reply_id: None,
        reason,
        reason_text: Some(format!("{why:?}")),
        priority: None,
    })
}

/// What the decisions of one workspace have in common.
struct Tenant {
    brand: Arc<Brand>,
    calendar: Calendar,
    weights: Vec<SegmentRow>,
    policy: Option<InForce>,
    trials: Trials,
    volumes: BTreeMap<Platform, Volume>,
    beside_competitors: BTreeMap<String, i64>,
    performance: Vec<(String, f64, i64)>,
}

impl Tenant {
    async fn load(
        ctx: &Ctx,
        workspace_id: &str,
        brand: Arc<Brand>,
        posts: &[Waiting],
    ) -> anyhow::Result<Self> {
        let mut conn = ctx.pool.acquire().await.context("connection")?;
        let calendar = Calendar::of(&brand.profile);
        let mut volumes = BTreeMap::new();
        for platform in Platform::ALL {
            let volume = around::volume(&mut conn, workspace_id, platform.as_str()).await;
            volumes.insert(platform, volume.context("loading volumes")?);
        }
        let authors: Vec<&str> = posts.iter().map(|post| post.author_id.as_str()).collect();
        let midnight =
            posts.first().map_or_else(|| ctx.clock.now(), |p| midnight(&calendar, p.now));
        let beside_competitors =
            around::beside_competitors(&mut conn, workspace_id, midnight).await.context("caps")?;
        Ok(Self {
            policy: ctx.social.models.of(&mut conn, workspace_id).await.context("policy")?,
            weights: around::weights(&mut conn, workspace_id).await.context("weights")?,
            trials: experiments::trials(&mut conn, workspace_id, &authors)
                .await
                .context("experiments")?,
            performance: around::performance(&mut conn, workspace_id).await.context("outcomes")?,
            beside_competitors,
            volumes,
            calendar,
            brand,
        })
    }

    fn judge(
        &self,
        posts: Vec<Waiting>,
        semantics: &[Option<f64>],
        said: &BTreeMap<String, Said>,
    ) -> Vec<NewDecision> {
        let around = Around {
            profile: &self.brand.profile,
            calendar: &self.calendar,
            weights: &self.weights,
            policy: self.policy.as_ref(),
            trials: &self.trials,
            volumes: &self.volumes,
            beside_competitors: &self.beside_competitors,
            performance: &self.performance,
        };
        let nothing = Said::default();
        let judge = |(post, semantic): (Waiting, &Option<f64>)| {
            let said = said.get(&post.id).unwrap_or(&nothing);
            let ready = ready(&post, said, &around, *semantic, rand::random());
            let decision = decide(&ready.inputs);
            NewDecision { id: uuid::Uuid::now_v7().to_string(), post, ready, decision }
        };
        posts.into_iter().zip(semantics).map(judge).collect()
    }
}
