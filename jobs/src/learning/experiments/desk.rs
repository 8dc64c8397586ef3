//! What people do to experiments; each act with its entry in the audit.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{metric::Metric, race::FLOOR};
use crate::{
    social::trials::Change,
    store::social::{
        audit::{self, Act},
        experiments::{self as store, ExperimentRow, New},
    },
};

/// Who acts, and when.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// Tenant.
    pub workspace_id: &'a str,
    /// `cli:<user id of the process>`.
    pub id: &'a str,
    /// Now.
    pub at: DateTime<Utc>,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It cannot be; in words.
    #[error("{0}")]
    No(String),
    /// The database.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

fn no<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::No(why.into()))
}

/// An experiment as people write it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Short.
    pub name: String,
    /// Why.
    pub description: Option<String>,
    /// `engagement`, `clicks` or `love`.
    #[serde(default = "engagement")]
    pub metric: String,
    /// Share of A at the beginning; for ever, if it does not adapt. 0.2..=0.8.
    #[serde(default = "half")]
    pub split: f64,
    /// The split follows what is known.
    #[serde(default = "yes")]
    pub adaptive: bool,
    /// From its start to its end, 1..=365.
    #[serde(default = "four_weeks")]
    pub days: i32,
    /// What A changes; nothing, usually.
    #[serde(default = "nothing")]
    pub variant_a: Value,
    /// What B changes.
    pub variant_b: Value,
}

fn engagement() -> String {
    Metric::Engagement.as_str().to_owned()
}
const fn half() -> f64 {
    0.5
}
const fn yes() -> bool {
    true
}
const fn four_weeks() -> i32 {
    28
}
fn nothing() -> Value {
    json!({})
}

impl Draft {
    fn check(&self) -> Result<(), String> {
        let change = |name, of| Change::read(of).map_err(|why| format!("{name}.{why}"));
        let (a, b) = (change("variant_a", &self.variant_a)?, change("variant_b", &self.variant_b)?);
        let metrics = Metric::ALL.map(Metric::as_str);
        let problems = [
            (
                self.name.trim().is_empty() || self.name.len() > 200,
                "name: write a short one".to_owned(),
            ),
            (a == b, "the variants are the same".to_owned()),
            (
                !metrics.contains(&self.metric.as_str()),
                format!("metric: {}; there are {}", self.metric, metrics.join(", ")),
            ),
            (
                !(FLOOR..=1.0 - FLOOR).contains(&self.split),
                format!("split: each variant needs {FLOOR} of the authors at least"),
            ),
            (!(1..=365).contains(&self.days), "days: from 1 to 365".to_owned()),
        ];
        let found = problems.into_iter().find(|(is, _)| *is);
        found.map_or(Ok(()), |(_, problem)| Err(problem))
    }
}

/// Make an experiment; nobody takes part before it is started. Its id.
///
/// # Errors
/// If it changes what an experiment may not, or makes no sense.
pub async fn create(
    conn: &mut PgConnection,
    actor: Actor<'_>,
    draft: &Draft,
) -> Result<String, Refusal> {
    draft.check().map_err(Refusal::No)?;
    let new = New {
        name: &draft.name,
        description: draft.description.as_deref(),
        variant_a: &draft.variant_a,
        variant_b: &draft.variant_b,
        metric: &draft.metric,
        traffic_split: draft.split,
        adaptive: draft.adaptive,
        days: draft.days,
    };
    let id = store::create(conn, actor.workspace_id, &new).await?;
    let what =
        json!({ "name": draft.name, "variant_a": draft.variant_a, "variant_b": draft.variant_b });
    note(conn, actor, &id, "created", what).await?;
    Ok(id)
}

/// Authors take part from now on, or again.
///
/// # Errors
/// If it is over, or its variants change what they may not.
pub async fn start(
    conn: &mut PgConnection,
    actor: Actor<'_>,
    row: &ExperimentRow,
) -> Result<(), Refusal> {
    if !matches!(row.status.as_str(), "DRAFT" | "PAUSED") {
        return no(format!("{} is {}", row.name, row.status.to_lowercase()));
    }
    for (name, variant) in [("variant_a", &row.variant_a), ("variant_b", &row.variant_b)] {
        Change::read(variant).map_err(|why| Refusal::No(format!("{name}.{why}")))?;
    }
    if row.end_date.is_some_and(|end| end <= actor.at) {
        return no(format!("the time of {} is over", row.name));
    }
    store::renew(conn, (actor.workspace_id, &row.id), actor.at).await?;
    Ok(note(conn, actor, &row.id, "started", json!({})).await?)
}

/// Nobody takes part until it is started again; its end stays where it is.
///
/// # Errors
/// If it does not run.
pub async fn pause(
    conn: &mut PgConnection,
    actor: Actor<'_>,
    row: &ExperimentRow,
) -> Result<(), Refusal> {
    if row.status != "RUNNING" {
        return no(format!("{} is {}", row.name, row.status.to_lowercase()));
    }
    store::set_status(conn, (actor.workspace_id, &row.id), "PAUSED", None).await?;
    Ok(note(conn, actor, &row.id, "paused", json!({})).await?)
}

/// It is over, and nobody won.
///
/// # Errors
/// If it is over already.
pub async fn stop(
    conn: &mut PgConnection,
    actor: Actor<'_>,
    row: &ExperimentRow,
) -> Result<(), Refusal> {
    if matches!(row.status.as_str(), "COMPLETED" | "CANCELLED") {
        return no(format!("{} is over: {}", row.name, row.status.to_lowercase()));
    }
    let of = (actor.workspace_id, row.id.as_str());
    store::set_status(conn, of, "CANCELLED", Some("STOPPED")).await?;
    Ok(note(conn, actor, &row.id, "stopped", json!({})).await?)
}

/// What won comes into force for all; the version of the promotion.
///
/// # Errors
/// If nothing has won that is not in force.
pub async fn promote(
    conn: &mut PgConnection,
    actor: Actor<'_>,
    row: &ExperimentRow,
) -> Result<i32, Refusal> {
    let of = (actor.workspace_id, row.id.as_str());
    let Some(version) = store::approve(conn, of, actor.id, actor.at).await? else {
        let why = match (row.status.as_str(), &row.winner) {
            ("COMPLETED", Some(_)) => "what won is in force, was rolled back, or changes nothing",
            ("COMPLETED" | "CANCELLED", _) => "nobody won",
            _ => "nobody has won yet",
        };
        return no(format!("{}: {why}; see `millrace experiment show {}`", row.name, row.id));
    };
    note(conn, actor, &row.id, "promoted", json!({ "version": version })).await?;
    Ok(version)
}

/// What won is in force no longer, or is proposed no longer; the version of the promotion.
///
/// # Errors
/// If there is none.
pub async fn rollback(
    conn: &mut PgConnection,
    actor: Actor<'_>,
    row: &ExperimentRow,
) -> Result<i32, Refusal> {
    let of = (actor.workspace_id, row.id.as_str());
    let Some(version) = store::end(conn, of, actor.at).await? else {
        return no(format!("nothing of {} is in force or proposed", row.name));
    };
    note(conn, actor, &row.id, "rolled_back", json!({ "version": version })).await?;
    Ok(version)
}

async fn note(
    conn: &mut PgConnection,
    actor: Actor<'_>,
    id: &str,
    action: &str,
    details: Value,
) -> sqlx::Result<()> {
    let act = Act {
        workspace_id: actor.workspace_id,
        actor: actor.id,
        entity_type: "experiment",
        entity_id: id,
        action,
    };
    audit::note(conn, act, details).await
}
