//! Jobs on a schedule, over all workspaces: one whose workspace is in trouble does not keep the others waiting.

use std::sync::Arc;

use anyhow::Context;
use chrono::{DateTime, Days, Utc};
use futures_util::{FutureExt, future::BoxFuture};
use serde::{Deserialize, Serialize};

use super::{
    alerts, backlash, champions,
    daily::{self, LOOKED_DAYS},
    kpi::{self, RIPE_30_DAYS, RIPE_DAYS},
    windows::{Look, Window},
};
use crate::{
    ctx::Ctx,
    queue::{Job, Leased, NewJob, Verdict},
    social::{
        brand::Brand,
        oversight::escalation::{NewEscalation, Priority, Reason},
        profile::Sentiment,
    },
    store::social::{
        alerts as alert_rows, backlash as anger, champions as champion_rows, escalations, kpis,
        outcomes, reply_outcomes,
    },
};

/// Answers of which it is read how they speak, the newest.
const ANSWERS_MAX: i64 = 20_000;

pub(crate) type One = for<'a> fn(&'a Ctx, &'a str) -> BoxFuture<'a, anyhow::Result<()>>;

/// Do one thing for each workspace.
pub(crate) async fn everywhere<J>(ctx: &Ctx, batch: Vec<Leased<J>>, one: One) -> Vec<Verdict> {
    let mut verdicts = Vec::with_capacity(batch.len());
    for _ in batch {
        let done = in_all_workspaces(ctx, one).await;
        verdicts.push(done.map_or_else(Verdict::Retry, |()| Verdict::Done));
    }
    verdicts
}

async fn in_all_workspaces(ctx: &Ctx, one: One) -> anyhow::Result<()> {
    let workspaces = kpis::workspaces(&ctx.pool).await.context("workspaces")?;
    let mut failed = Ok(());
    for workspace in &workspaces {
        if let Err(error) = one(ctx, workspace).await {
            tracing::warn!(workspace, error = format!("{error:#}"), "failed for one workspace");
            failed = Err(error);
        }
    }
    failed
}

/// What came too early is matched, and looks at replies that nobody has had are enqueued.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Sweep {}

impl Job for Sweep {
    const KIND: &'static str = "social.sweep";
    const CONCURRENCY: usize = 1;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        match look_again(&ctx).await {
            Ok(()) => everywhere(&ctx, batch, |ctx, workspace| sweep(ctx, workspace).boxed()).await,
            Err(e) => batch.iter().map(|_| Verdict::Retry(anyhow::anyhow!("{e:#}"))).collect(),
        }
    }
}

async fn look_again(ctx: &Ctx) -> anyhow::Result<()> {
    let now = ctx.clock.now();
    let mut tx = ctx.pool.begin().await.context("begin")?;
    let mut jobs: Vec<NewJob> = Vec::new();
    for window in Window::ALL {
        let missed = reply_outcomes::missed(&mut tx, window, now).await.context("missed looks")?;
        for one in missed {
            let look = Look { reply_id: one.reply_id, window };
            jobs.push(look.job(&one.workspace_id, one.posted_at, now)?);
        }
    }
    let enqueued = ctx.queue.enqueue(&mut tx, &jobs).await.context("enqueueing")?;
    tx.commit().await.context("commit")?;
    ctx.queue.wake(&enqueued);
    let fresh = enqueued.iter().filter(|e| e.fresh).count();
    tracing::info!(fresh, "looks at replies enqueued");
    let mut conn = ctx.pool.acquire().await.context("connection")?;
    for (kind, count) in outcomes::unmatched(&mut conn, None).await.context("unmatched")? {
        #[expect(clippy::as_conversions, reason = "a gauge")]
        let count = count as f64;
        metrics::gauge!("millrace_social_outcomes_unmatched", "type" => kind).set(count);
    }
    Ok(())
}

async fn sweep(ctx: &Ctx, workspace: &str) -> anyhow::Result<()> {
    let mut tx = ctx.pool.begin().await.context("begin")?;
    let matched = outcomes::match_again(&mut tx, workspace, ctx.clock.now()).await;
    let matched = matched.context("matching outcomes")?;
    tx.commit().await.context("commit")?;
    if matched > 0 {
        tracing::info!(workspace, matched, "outcomes matched late");
    }
    Ok(())
}

/// The figures of the last days, and alerts.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Kpis {}

impl Job for Kpis {
    const KIND: &'static str = "social.kpis";
    const CONCURRENCY: usize = 1;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        everywhere(&ctx, batch, |ctx, workspace| figures(ctx, workspace).boxed()).await
    }
}

async fn figures(ctx: &Ctx, workspace: &str) -> anyhow::Result<()> {
    let brand = ctx.social.brands.of(&ctx.settings, workspace)?;
    let profile = &brand.profile;
    let (zone, now) = (profile.brand.time_zone, ctx.clock.now());
    let today = now.with_timezone(&zone).date_naive();
    let first = |days| today.checked_sub_days(Days::new(days)).context("the calendar ends");
    let since = daily::midnight(first(LOOKED_DAYS)?, zone);
    let mut conn = ctx.pool.acquire().await.context("connection")?;
    let mut days = kpis::facts(&mut conn, workspace, zone.name(), since).await.context("facts")?;
    let answers = kpis::answers(&mut conn, workspace, zone.name(), since, ANSWERS_MAX).await;
    let answers = answers.context("answers")?;
    let waiting = alert_rows::waiting(&mut *conn, workspace).await.context("waiting posts")?;
    let spoken = kpis::voices(&mut *conn, workspace, None, daily::midnight(today, zone)).await;
    let spoken =
        alerts::mentions(&spoken.context("mentions")?, profile.competition.alert_mentions_day);
    drop(conn);
    let (texts, places): (Vec<_>, Vec<_>) =
        answers.into_iter().map(|a| (a.content, (a.day, Some(a.platform)))).unzip();
    for (place, sentiment) in places.into_iter().zip(sentiments(&brand, texts).await?) {
        let facts = days.entry(place).or_default();
        *match sentiment {
            Sentiment::Positive => &mut facts.positive,
            Sentiment::Neutral => &mut facts.neutral,
            Sentiment::Negative => &mut facts.negative,
        } += 1;
    }
    let mut tx = ctx.pool.begin().await.context("begin")?;
    for ripe_days in [RIPE_DAYS, RIPE_30_DAYS] {
        let of = kpi::ALL.iter().filter(|d| d.ripe_days == ripe_days);
        let names: Vec<&str> = of.map(|d| d.name).collect();
        let rows = daily::figures(&days, today, ripe_days);
        let since = first(ripe_days.unsigned_abs())?;
        kpis::write(&mut tx, workspace, since, &names, &rows).await.context("figures")?;
    }
    let broken = daily::broken(&days, today, &profile.kpis);
    let besides = alerts::queue(waiting).into_iter().chain(spoken).map(|alert| (None, alert));
    for (platform, alert) in broken.into_iter().chain(besides) {
        let platform = platform.map(crate::social::record::Platform::as_str);
        if alert_rows::raise(&mut tx, workspace, platform, &alert, now).await.context("alert")? {
            let severity = alert.severity.as_str();
            metrics::counter!("millrace_social_alerts_total", "rule" => alert.rule.clone(), "severity" => severity)
                .increment(1);
            tracing::warn!(workspace, platform, severity, alert.message, "social alert");
        }
    }
    tx.commit().await.context("commit")
}

async fn sentiments(brand: &Arc<Brand>, texts: Vec<String>) -> anyhow::Result<Vec<Sentiment>> {
    let brand = brand.clone();
    let read = move || texts.iter().map(|text| daily::sentiment(text, &brand.profile)).collect();
    tokio::task::spawn_blocking(read).await.context("reading answers")
}

/// Bursts of anger at a reply, proposed to a person as a reason to delete it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Backlash {}

impl Job for Backlash {
    const KIND: &'static str = "social.backlash";
    const CONCURRENCY: usize = 1;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        everywhere(&ctx, batch, |ctx, workspace| anger_at(ctx, workspace).boxed()).await
    }
}

async fn anger_at(ctx: &Ctx, workspace: &str) -> anyhow::Result<()> {
    let now = ctx.clock.now();
    let people = i64::try_from(backlash::REPLIERS_MIN)?;
    let mut conn = ctx.pool.acquire().await.context("connection")?;
    let crowded = anger::crowded(&mut conn, workspace, people, now).await.context("replies")?;
    drop(conn);
    if crowded.is_empty() {
        return Ok(());
    }
    let brand = ctx.social.brands.of(&ctx.settings, workspace)?;
    for reply in crowded {
        if let Some(spike) = spike_of(ctx, workspace, &brand, &reply, now).await? {
            let mut tx = ctx.pool.begin().await.context("begin")?;
            let question = question(workspace, &reply, &spike);
            let opened = escalations::open(&mut tx, &[question]).await.context("escalating")?;
            tx.commit().await.context("commit")?;
            if !opened.is_empty() {
                tracing::warn!(workspace, reply = reply.reply_id, p = spike.p, "burst of anger");
            }
        }
    }
    Ok(())
}

/// Is the reply to be deleted?
fn question(workspace: &str, reply: &anger::Crowded, spike: &backlash::Spike) -> NewEscalation {
    let text = format!(
        "delete the reply? {} angry people in the last hour, {:.2} are usual (p {:.1e}); {} of {} in a day",
        spike.in_hour, spike.expected, spike.p, spike.negatives, spike.repliers
    );
    NewEscalation {
        workspace_id: workspace.to_owned(),
        post_id: reply.post_id.clone(),
        decision: reply.decision_created_at.map(|at| (reply.decision_id.clone(), at)),
        reply_id: Some(reply.reply_id.clone()),
        reason: Reason::BacklashSpike,
        reason_text: Some(text),
        priority: spike.is_critical().then_some(Priority::Critical),
    }
}

async fn spike_of(
    ctx: &Ctx,
    workspace: &str,
    brand: &Arc<Brand>,
    reply: &anger::Crowded,
    now: DateTime<Utc>,
) -> anyhow::Result<Option<backlash::Spike>> {
    let mut conn = ctx.pool.acquire().await.context("connection")?;
    let came = anger::came(&mut conn, workspace, &reply.reply_id, now).await.context("answers")?;
    let (usual, replies) =
        anger::usual(&mut conn, workspace, reply, now, ANSWERS_MAX).await.context("baseline")?;
    drop(conn);
    let brand = brand.clone();
    let read = move || {
        // What is no answer is a block, a report or hostility.
        let negative = |text: &Option<String>| {
            let said = text.as_deref().map(|text| daily::sentiment(text, &brand.profile));
            said.is_none_or(|sentiment| sentiment == Sentiment::Negative)
        };
        let arrivals: Vec<_> = came
            .into_iter()
            .map(|one| backlash::Arrival {
                negative: negative(&one.content),
                burner: backlash::is_burner(one.made, one.followers, one.bio, one.at),
                author: one.author_id,
                at: one.at,
                words: one.words,
            })
            .collect();
        let negatives = usual.iter().filter(|text| negative(text)).count();
        let hours = u64::try_from(replies).unwrap_or(0).saturating_mul(24);
        backlash::spike(&arrivals, backlash::baseline(negatives, hours), now)
    };
    tokio::task::spawn_blocking(read).await.context("reading answers")
}

/// Who stands up for us.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Champions {}

impl Job for Champions {
    const KIND: &'static str = "social.champions";
    const CONCURRENCY: usize = 1;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        everywhere(&ctx, batch, |ctx, workspace| champion(ctx, workspace).boxed()).await
    }
}

async fn champion(ctx: &Ctx, workspace: &str) -> anyhow::Result<()> {
    let now = ctx.clock.now();
    let mut tx = ctx.pool.begin().await.context("begin")?;
    let kind = champion_rows::kind(&mut tx, workspace, now).await.context("kind authors")?;
    let found: Vec<_> =
        kind.iter().map(|one| (one, champions::tier(&one.engagement(), now))).collect();
    let fresh = champion_rows::note(&mut tx, workspace, &found).await.context("champions")?;
    tx.commit().await.context("commit")?;
    if fresh > 0 {
        tracing::info!(workspace, fresh, "new champions");
    }
    Ok(())
}
