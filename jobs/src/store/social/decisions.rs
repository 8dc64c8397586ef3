//! `social.decisions`, and `social.decision_exposures` beside each.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{FromRow, PgConnection, types::Json};

use crate::{
    social::{
        decide::{Decision, Inputs, ReviewReason, Signals, Skip},
        facts::Ready,
        mode::{Archetype, LADDER, Mode},
        temporal::Temporal,
        tiers::{Standing, UserTier},
    },
    store::social::waiting::Waiting,
};

/// A decision to be written.
#[derive(Debug)]
pub struct NewDecision {
    /// Id.
    pub id: String,
    /// The post, as it was read.
    pub post: Waiting,
    /// What it depended on, and what was found out besides.
    pub ready: Ready,
    /// It.
    pub decision: Decision,
}

/// What was possible and what was done, as names: `HELPFUL/COACH`, `DISENGAGED`.
fn action(mode: Mode, archetype: Option<Archetype>) -> String {
    let alone = || mode.as_str().to_owned();
    archetype.map_or_else(alone, |of| format!("{}/{}", mode.as_str(), of.as_str()))
}

/// Why nothing is said, as `decisions.status` has it.
const fn status(skip: Skip) -> &'static str {
    match skip {
        Skip::LowPotential => "DISENGAGED_LOW_POTENTIAL",
        Skip::Safety => "DISENGAGED_SAFETY",
        Skip::ContextMismatch => "DISENGAGED_CONTEXT_MISMATCH",
        Skip::ArchetypesExhausted => "DISENGAGED_ARCHETYPES_EXHAUSTED",
    }
}

/// Write decisions with their exposures, where the post still waits and says the same; the ids that were written.
///
/// # Errors
/// Those of the database.
pub async fn write(conn: &mut PgConnection, all: &[NewDecision]) -> sqlx::Result<Vec<String>> {
    let rows: Result<Vec<Value>, _> = all.iter().map(row).collect();
    let rows = rows.map_err(|e| sqlx::Error::Encode(e.into()))?;
    let written: Vec<String> = sqlx::query_scalar(
        "with given as (
           select * from jsonb_to_recordset($1) as g (workspace_id text, id text, post_id text, platform text, content_sha256 text,
             sss float8, ars float8, evs float8, trs float8, composite float8, mode text, archetype text,
             safety_flags text[], signals jsonb, temporal jsonb, competitor text, power boolean, tier text, minutes int,
             caring boolean, engagement_rate float8, segment text, logic_version text, review boolean, review_reason text,
             lower float8, upper float8, confidence float8, probabilities jsonb, experiment text, variant text,
             randomised boolean, predicted text, status text, trace_id text, actions text[], action text,
             propensity float8, action_probabilities jsonb, weights_version text, features jsonb, rng_key bigint, at timestamptz)
         ), taken as (
           -- Whoever else decides on the same text comes too late; an edit meanwhile is decided by its own job.
           update social.posts p set processed_at = g.at, error_message = null
           from given g
           where p.id = g.post_id and p.processed_at is null and p.deleted_at is null and p.superseded_by is null
             and encode(sha256(convert_to(p.content, 'utf8')), 'hex') = g.content_sha256
           returning p.id
         ), decided as (
           insert into social.decisions (workspace_id, id, post_id, platform, sss_score, ars_score, evs_score, trs_score,
             composite_score, mode, archetype, safety_flags, signals_json, temporal_context, competitor_detected,
             is_power_user, user_tier, response_target_minutes, caring_response, engagement_rate, segment_used,
             decision_logic_version, needs_review, review_reason, composite_score_lower, composite_score_upper,
             mode_confidence, mode_probabilities, experiment_id, experiment_variant, is_randomized_experiment,
             predicted_mode, status, trace_id, created_at)
           select g.workspace_id, g.id, g.post_id, g.platform, g.sss, g.ars, g.evs, g.trs, g.composite, g.mode, g.archetype,
                  g.safety_flags, g.signals, g.temporal, g.competitor, g.power, g.tier, g.minutes, g.caring,
                  g.engagement_rate, g.segment, g.logic_version, g.review, g.review_reason, g.lower, g.upper, g.confidence,
                  g.probabilities, g.experiment, g.variant, g.randomised, g.predicted, g.status, g.trace_id, g.at
           from given g join taken t on t.id = g.post_id
           returning id, created_at
         ), exposed as (
           insert into social.decision_exposures (workspace_id, decision_id, created_at, eligible_actions, action, propensity,
             probabilities, policy_version, weights_version, features, rng_key)
           select g.workspace_id, d.id, d.created_at, g.actions, g.action, g.propensity, g.action_probabilities,
                  g.logic_version, g.weights_version, g.features, g.rng_key
           from given g join decided d on d.id = g.id
         ), randomised as (
           insert into social.randomized_experiments (workspace_id, decision_id, decision_created_at, predicted_mode,
             actual_mode, predicted_outcome, propensity)
           select g.workspace_id, d.id, d.created_at, g.predicted, g.mode, g.composite, g.propensity
           from given g join decided d on d.id = g.id where g.randomised
         )
         select id from decided",
    )
    .bind(Json(rows))
    .fetch_all(&mut *conn)
    .await?;
    Ok(written)
}

/// A decision, its exposure and its post as one record of [`write`].
#[derive(Serialize)]
struct Row<'a> {
    workspace_id: &'a str,
    id: &'a str,
    post_id: &'a str,
    platform: &'a str,
    content_sha256: String,
    sss: f64,
    ars: f64,
    evs: f64,
    trs: f64,
    composite: f64,
    mode: Mode,
    archetype: Option<Archetype>,
    safety_flags: &'a [String],
    signals: &'a Signals,
    temporal: &'a Temporal,
    competitor: Option<&'a str>,
    power: bool,
    tier: UserTier,
    minutes: Option<u32>,
    caring: bool,
    engagement_rate: Option<f64>,
    segment: &'a str,
    logic_version: &'a str,
    review: bool,
    review_reason: Option<ReviewReason>,
    lower: f64,
    upper: f64,
    confidence: f64,
    probabilities: BTreeMap<&'static str, f64>,
    experiment: Option<&'a str>,
    variant: Option<&'a str>,
    randomised: bool,
    predicted: Mode,
    status: Option<&'static str>,
    trace_id: Option<&'a str>,
    actions: Vec<&'a str>,
    action: String,
    propensity: f64,
    action_probabilities: &'a BTreeMap<String, f64>,
    weights_version: &'a str,
    features: &'a Inputs,
    rng_key: i64,
    at: DateTime<Utc>,
}

fn row(new: &NewDecision) -> serde_json::Result<Value> {
    let NewDecision { id, post, ready, decision } = new;
    let inputs = &ready.inputs;
    let mut actions: BTreeMap<String, f64> = BTreeMap::new();
    for of in &decision.actions {
        *actions.entry(action(of.mode, of.archetype)).or_default() += of.probability;
    }
    serde_json::to_value(Row {
        workspace_id: &post.workspace_id,
        id,
        post_id: &post.id,
        platform: &post.platform,
        content_sha256: hex::encode(Sha256::digest(&post.content)),
        sss: inputs.signals.sss.score,
        ars: inputs.signals.ars.score,
        evs: inputs.signals.evs.ratio,
        trs: inputs.signals.trs.signal.score,
        composite: decision.composite,
        mode: decision.mode,
        archetype: decision.archetype,
        safety_flags: &inputs.safety.flags,
        signals: &inputs.signals,
        temporal: &inputs.temporal,
        competitor: inputs.competitor.as_ref().map(|c| c.name.as_str()),
        power: ready.standing.tier.is_power(),
        tier: ready.standing.tier,
        minutes: decision.response_target_minutes,
        caring: decision.caring,
        engagement_rate: ready.engagement.map(|e| e.rate),
        segment: &decision.weights.segment,
        logic_version: &inputs.policy_version,
        review: decision.needs_review,
        review_reason: decision.review_reason,
        lower: decision.lower,
        upper: decision.upper,
        confidence: decision.confidence,
        probabilities: LADDER.iter().map(|m| m.as_str()).zip(decision.probabilities).collect(),
        experiment: inputs.experiment.as_ref().map(|e| e.id.as_str()),
        variant: inputs.experiment.as_ref().map(|e| e.variant.as_str()),
        randomised: decision.randomised,
        predicted: decision.predicted_mode,
        status: decision.skip.map(status),
        trace_id: post.trace_id.as_deref(),
        actions: actions.keys().map(String::as_str).collect(),
        action: action(decision.mode, decision.archetype),
        propensity: decision.propensity,
        action_probabilities: &actions,
        weights_version: &inputs.weights.version,
        features: inputs,
        rng_key: inputs.key.cast_signed(),
        at: post.now,
    })
}

/// What was found out about authors on the way.
///
/// # Errors
/// Those of the database.
pub async fn update_authors(conn: &mut PgConnection, all: &[&NewDecision]) -> sqlx::Result<()> {
    // The last look at each author; in order of id, as everybody locks them.
    let last: BTreeMap<&str, &NewDecision> =
        all.iter().map(|new| (new.post.author_id.as_str(), *new)).collect();
    let mut concerns: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for new in all.iter().filter(|new| !new.ready.inputs.safety.flags.is_empty()) {
        concerns.entry(&new.post.author_id).or_default().push(&new.post.id);
    }
    let rows: Vec<Value> = last
        .into_values()
        .map(|NewDecision { post, ready, .. }| {
            let Standing { tier, below_since } = ready.standing;
            json!({
                "id": post.author_id,
                "tier": tier.as_str(),
                "power_tier": tier.power(),
                "power": tier.is_power(),
                "below_since": below_since,
                "personas": ready.personas,
                "engagement_rate": ready.engagement.map(|e| e.rate),
                "concerns": concerns.get(post.author_id.as_str()).map_or(&[][..], Vec::as_slice),
                "at": post.now,
            })
        })
        .collect();
    sqlx::query(
        "with given as (
           select * from jsonb_to_recordset($1) as g (id text, tier text, power_tier text, power boolean,
             below_since timestamptz, personas text[], engagement_rate float8, concerns text[], at timestamptz)
         ), before as (
           select a.id, a.workspace_id, a.user_tier, a.follower_count, case when cardinality(a.concern_posts) > 1
             then a.concern_posts else array(select distinct unnest(a.concern_posts || g.concerns) order by 1 limit 2)
             end as concern_posts
           from social.authors a join given g on g.id = a.id
           order by a.id for no key update of a
         ), changed as (
           insert into social.tier_changes (workspace_id, author_id, previous_tier, new_tier, trigger, engagement_rate,
             follower_count, created_by)
           select b.workspace_id, b.id, b.user_tier, g.tier, 'decision', g.engagement_rate, b.follower_count, 'millrace'
           from before b join given g on g.id = b.id where b.user_tier <> g.tier
         )
         update social.authors a
         set user_tier = g.tier, power_tier = g.power_tier, is_power_user = g.power, tier_below_since = g.below_since,
             archetype_tags = g.personas, concern_posts = b.concern_posts,
             last_tier_update = case when b.user_tier <> g.tier then g.at else a.last_tier_update end
         from given g join before b on b.id = g.id
         where a.id = g.id and (a.user_tier, a.power_tier, a.is_power_user, a.tier_below_since, a.archetype_tags,
           a.concern_posts) is distinct from (g.tier, g.power_tier, g.power, g.below_since, g.personas, b.concern_posts)",
    )
    .bind(Json(rows))
    .execute(conn)
    .await?;
    Ok(())
}

/// A decision as it is shown in lists.
#[derive(Debug, FromRow, Serialize)]
#[expect(missing_docs, reason = "columns of decisions and posts")]
pub struct Listed {
    pub id: String,
    pub created_at: DateTime<Utc>,
    pub platform: String,
    pub mode: String,
    pub archetype: Option<String>,
    pub composite_score: f64,
    pub mode_confidence: Option<f64>,
    pub needs_review: bool,
    pub review_reason: Option<String>,
    pub status: Option<String>,
    pub is_randomized_experiment: bool,
    pub handle: Option<String>,
    pub content: Option<String>,
}

/// Which decisions are listed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of this platform.
    pub platform: Option<String>,
    /// Only of this mode.
    pub mode: Option<String>,
    /// Only those that a person should look at.
    pub review: bool,
    /// Only of the last so many hours.
    pub hours: Option<i32>,
    /// At most.
    pub limit: i64,
}

/// The newest decisions of a workspace.
///
/// # Errors
/// Those of the database.
pub async fn list(
    conn: &mut PgConnection,
    workspace_id: &str,
    filter: &Filter,
) -> sqlx::Result<Vec<Listed>> {
    sqlx::query_as(
        "select d.id, d.created_at, d.platform, d.mode, d.archetype, d.composite_score, d.mode_confidence, d.needs_review,
                d.review_reason, d.status, d.is_randomized_experiment, a.handle, p.content
         from social.decisions d
         left join social.posts p on p.id = d.post_id
         left join social.authors a on a.id = p.author_id
         where d.workspace_id = $1 and ($2::text is null or d.platform = $2) and ($3::text is null or d.mode = $3)
           and (not $4 or d.needs_review) and ($5::int is null or d.created_at > now() - make_interval(hours => $5))
         order by d.created_at desc, d.id limit $6",
    )
    .bind(workspace_id)
    .bind(&filter.platform)
    .bind(&filter.mode)
    .bind(filter.review)
    .bind(filter.hours)
    .bind(filter.limit)
    .fetch_all(conn)
    .await
}

/// A decision with all that it was made from.
#[derive(Debug, FromRow)]
pub struct Exposed {
    /// Id.
    pub id: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// What was done: `HELPFUL/COACH`.
    pub action: String,
    /// With which probability.
    pub propensity: f64,
    /// What it depended on.
    pub features: Json<Inputs>,
    /// As stored: mode, composite, propensity and probabilities.
    pub mode: Option<String>,
    /// As stored.
    pub composite_score: Option<f64>,
    /// The post, if it is still there.
    pub content: Option<String>,
    /// Its author's handle.
    pub handle: Option<String>,
    /// Where a person reads it.
    pub url: Option<String>,
}

/// A decision of a workspace, by its id or the beginning of it.
///
/// # Errors
/// Those of the database.
pub async fn exposed(
    conn: &mut PgConnection,
    workspace_id: &str,
    id: &str,
) -> sqlx::Result<Vec<Exposed>> {
    sqlx::query_as(
        "select e.decision_id as id, e.created_at, e.action, e.propensity, e.features, d.mode, d.composite_score,
                p.content, a.handle, p.url
         from social.decision_exposures e
         left join social.decisions d on d.id = e.decision_id and d.created_at = e.created_at
         left join social.posts p on p.id = d.post_id
         left join social.authors a on a.id = p.author_id
         where e.workspace_id = $1 and starts_with(e.decision_id, $2)
         order by e.decision_id limit 2",
    )
    .bind(workspace_id)
    .bind(id)
    .fetch_all(conn)
    .await
}

/// The newest exposures of a workspace, for a check that they give the same decisions again.
///
/// # Errors
/// Those of the database.
pub async fn newest_exposed(
    conn: &mut PgConnection,
    workspace_id: &str,
    limit: i64,
) -> sqlx::Result<Vec<Exposed>> {
    sqlx::query_as(
        "select e.decision_id as id, e.created_at, e.action, e.propensity, e.features, d.mode, d.composite_score,
                null::text as content, null::text as handle, null::text as url
         from social.decision_exposures e
         left join social.decisions d on d.id = e.decision_id and d.created_at = e.created_at
         where e.workspace_id = $1
         order by e.created_at desc, e.decision_id limit $2",
    )
    .bind(workspace_id)
    .bind(limit)
    .fetch_all(conn)
    .await
}
