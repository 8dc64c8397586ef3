//! `experiments`, who takes part (`experiment_assignments`), what was seen (`experiment_looks`), and what won
//! (`experiment_promotions`).

mod looks;
mod people;
mod promotions;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, PgConnection};

pub use looks::{
    AnswerRow, End, Look, ObservationRow, answers, log, look, noted, observations, running,
};
pub use people::{ExperimentRow, LookRow, New, create, list, looks, of_id, renew, set_status};
pub use promotions::{PromotionRow, approve, end, of_experiment, propose};

use super::decisions::NewDecision;
use crate::social::trials::{Assigned, Change, Running, Trials};

#[derive(FromRow)]
struct RunningRow {
    id: String,
    traffic_split: f64,
    variant_a: Value,
    variant_b: Value,
}

#[derive(FromRow)]
struct AssignedRow {
    unit_id: String,
    experiment_id: String,
    variant: String,
    propensity: f64,
}

/// What decisions on posts of these authors depend on. An experiment whose variants change what they may not takes nobody.
///
/// # Errors
/// Those of the database.
pub async fn trials(
    conn: &mut PgConnection,
    workspace_id: &str,
    authors: &[&str],
) -> sqlx::Result<Trials> {
    let promoted: Vec<(i32, Value)> = sqlx::query_as(
        "select version, thresholds from social.experiment_promotions
         where workspace_id = $1 and effective_from <= now() and effective_to is null order by version",
    )
    .bind(workspace_id)
    .fetch_all(&mut *conn)
    .await?;
    let promoted = promoted.into_iter();
    let promoted = promoted.filter_map(|(version, of)| Some((version, Change::of(&of).ok()?)));
    let promoted = promoted.collect();
    let rows: Vec<RunningRow> = sqlx::query_as(
        "select id, traffic_split, variant_a, variant_b from social.experiments
         where workspace_id = $1 and status = 'RUNNING' and coalesce(start_date <= now(), true)
           and coalesce(end_date > now(), true)
         order by start_date, id",
    )
    .bind(workspace_id)
    .fetch_all(&mut *conn)
    .await?;
    let mut running = Vec::with_capacity(rows.len());
    for row in rows {
        match (Change::read(&row.variant_a), Change::read(&row.variant_b)) {
            (Ok(a), Ok(b)) => {
                running.push(Running { id: row.id, share_of_a: row.traffic_split, a, b });
            }
            (Err(error), _) | (_, Err(error)) => {
                tracing::warn!(experiment = row.id, error, "an experiment takes nobody");
            }
        }
    }
    if running.is_empty() {
        return Ok(Trials { promoted, ..Trials::default() });
    }
    let ids: Vec<&str> = running.iter().map(|one| one.id.as_str()).collect();
    let rows: Vec<AssignedRow> = sqlx::query_as(
        "select distinct on (unit_id) unit_id, experiment_id, variant, propensity from social.experiment_assignments
         where workspace_id = $1 and unit_id = any ($2) and experiment_id = any ($3)
         order by unit_id, assigned_at, experiment_id",
    )
    .bind(workspace_id)
    .bind(authors)
    .bind(ids)
    .fetch_all(conn)
    .await?;
    let assigned = rows.into_iter().map(|row| {
        let AssignedRow { unit_id, experiment_id, variant, propensity } = row;
        (unit_id, Assigned { experiment_id, variant, propensity })
    });
    Ok(Trials { assigned: assigned.collect(), running, promoted })
}

/// Authors take part from the first decision on. How many were assigned otherwise before: their decisions must not be.
///
/// # Errors
/// Those of the database.
pub async fn assign(conn: &mut PgConnection, written: &[&NewDecision]) -> sqlx::Result<i64> {
    let mut seen = BTreeSet::new();
    let (mut ids, mut units, mut experiments, mut variants, mut propensities) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut workspaces, mut times): (Vec<&str>, Vec<DateTime<Utc>>) = Default::default();
    for new in written {
        let Some(experiment) = &new.ready.inputs.experiment else { continue };
        if seen.insert((&experiment.id, &new.post.author_id)) {
            workspaces.push(&new.post.workspace_id);
            ids.push(new.id.as_str());
            times.push(new.post.now);
            units.push(new.post.author_id.as_str());
            experiments.push(experiment.id.as_str());
            variants.push(experiment.variant.as_str());
            propensities.push(experiment.propensity);
        }
    }
    if ids.is_empty() {
        return Ok(0);
    }
    sqlx::query(
        "insert into social.experiment_assignments (workspace_id, experiment_id, unit_id, variant, propensity, assigned_at,
           decision_id)
         select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::float8[], $6::timestamptz[], $7::text[])
           as n (workspace_id, experiment_id, unit_id, variant, propensity, at, decision)
         order by experiment_id, unit_id
         on conflict do nothing",
    )
    .bind(workspaces)
    .bind(&experiments)
    .bind(&units)
    .bind(&variants)
    .bind(propensities)
    .bind(times)
    .bind(ids)
    .execute(&mut *conn)
    .await?;
    sqlx::query_scalar(
        "select count(*) from unnest($1::text[], $2::text[], $3::text[]) as n (experiment_id, unit_id, variant)
         join social.experiment_assignments a on a.experiment_id = n.experiment_id and a.unit_id = n.unit_id
         where a.variant <> n.variant",
    )
    .bind(experiments)
    .bind(units)
    .bind(variants)
    .fetch_one(conn)
    .await
}
