//! Writing what was found out about a workspace's signals, in the transaction that completes the jobs.

use std::collections::HashMap;

use anyhow::Context;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use sqlx::{PgConnection, types::Json};

use super::{
    decide::Decision,
    enrich,
    extract::{self, Found},
    process::Judged,
    recent::{Heard, Recent},
    thresholds::Thresholds,
};
use crate::{
    ctx::Ctx,
    queue::NewJob,
    store::{
        activity_logs::Entries,
        signal_personas,
        signal_projects::Links,
        signals::{Results, first_to_say, lock_current, lock_workspace, mark_linked, still_says},
    },
};

/// Name of the service in the activity log.
const ACTOR: &str = "classifier";

/// A text that was heard before.
#[derive(Debug, Clone)]
struct Duplicate {
    of: String,
    hash: Vec<u8>,
    kind: &'static str,
    score: f32,
}

/// Writes all of `judged` whose text is still current. Returns the jobs that follow.
pub(super) async fn write(
    ctx: &Ctx,
    tx: &mut PgConnection,
    workspace_id: &str,
    judged: Vec<Judged>,
    limits: &Thresholds,
) -> anyhow::Result<Vec<NewJob>> {
    let mind = ctx.signals.mind(workspace_id);
    let mut mind = mind.lock().await;
    let model_id = ctx.signals.model_id(ctx).await?;
    let rows_max = ctx.settings.classify.exact_scan_rows_max;
    // Most of the catching up happens before the lock.
    mind.catch_up(tx, workspace_id, model_id, rows_max).await?;
    lock_workspace(tx, workspace_id).await.context("workspace lock")?;
    mind.catch_up(tx, workspace_id, model_id, rows_max).await?;

    let ids: Vec<String> = judged.iter().map(|j| j.signal.id.clone()).collect();
    let hashes: Vec<Vec<u8>> = judged.iter().map(|j| j.signal.content_hash.clone()).collect();
    let current = lock_current(tx, &ids, &hashes).await.context("locking signals")?;
    let judged: Vec<Judged> =
        judged.into_iter().filter(|j| current.contains(&j.signal.id)).collect();
    let duplicates = duplicates(tx, workspace_id, &judged, &mind.recent, limits).await?;

    let now = ctx.clock.now();
    let mut results = Results::default();
    for judged in &judged {
        push(&mut results, judged, duplicates.get(&judged.signal.id), now);
    }
    results.write(tx).await.context("writing results")?;
    link(tx, workspace_id, &judged).await?;
    personas(tx, &judged).await?;
    enrich::jobs(ctx, workspace_id, &judged).context("enrich jobs")
}

/// Exact ones by hash, the others by vector: against what was heard before, then within the batch.
async fn duplicates(
    tx: &mut PgConnection,
    workspace_id: &str,
    judged: &[Judged],
    recent: &Recent,
    limits: &Thresholds,
) -> anyhow::Result<HashMap<String, Duplicate>> {
    let hashes: Vec<Vec<u8>> = judged.iter().map(|j| j.signal.content_hash.clone()).collect();
    let first = first_to_say(tx, workspace_id, &hashes).await.context("exact duplicates")?;
    let mut exact: HashMap<Vec<u8>, String> = first.into_iter().collect();
    let mut batch = Recent::default();
    let mut found: HashMap<String, Duplicate> = HashMap::new();
    for Judged { signal, vector, .. } in judged {
        let least = limits.near_duplicate_above;
        let near = |r: &Recent| {
            let (heard, score) = r.nearest(&signal.id, vector, least)?;
            let (of, hash) = (heard.id.clone(), heard.content_hash.clone());
            Some(Duplicate { of, hash, kind: "near", score })
        };
        let same = exact.get(&signal.content_hash).filter(|of| **of != signal.id).map(|of| {
            let hash = signal.content_hash.clone();
            Duplicate { of: of.clone(), hash, kind: "exact", score: 1.0 }
        });
        if let Some(duplicate) = same.or_else(|| near(recent)).or_else(|| near(&batch)) {
            found.insert(signal.id.clone(), duplicate);
        } else {
            let (id, content_hash) = (signal.id.clone(), signal.content_hash.clone());
            exact.insert(content_hash.clone(), id.clone());
            batch.push(Heard { id, content_hash, vector: vector.clone() });
        }
    }
    // What memory holds may have been edited or deleted since.
    let of: Vec<String> = found.values().map(|d| d.of.clone()).collect();
    let hashes: Vec<Vec<u8>> = found.values().map(|d| d.hash.clone()).collect();
    let valid = still_says(tx, workspace_id, &of, &hashes).await.context("duplicates")?;
    found.retain(|_, d| valid.contains(&d.of));
    Ok(found)
}

fn push(results: &mut Results, judged: &Judged, duplicate: Option<&Duplicate>, now: DateTime<Utc>) {
    let Judged { signal, extraction, decision, .. } = judged;
    let mut provenance = Map::new();
    let mut field = |name: &str, known: &Option<String>, found: &Option<Found>| {
        let found = found.as_ref().filter(|_| known.is_none())?;
        provenance.insert(name.into(), found.provenance("model"));
        Some(found.value.clone())
    };
    let severity = field("severity", &signal.severity, &extraction.severity);
    let frequency = field("frequency", &signal.frequency, &extraction.frequency);
    let segment = field("user_segment", &signal.user_segment, &extraction.user_segment);
    let interpretation =
        field("interpretation", &signal.interpretation, &extraction.interpretation);
    results.ids.push(signal.id.clone());
    results.severities.push(severity);
    results.frequencies.push(frequency);
    results.segments.push(segment);
    results.interpretations.push(interpretation);
    results.provenances.push(Json(provenance));
    results.ai_classifications.push(Json(ai_classification(decision, &signal.verbatim, now)));
    results.classifications.push(Json(classification(decision, "embedding", now)));
    results.duplicates_of.push(duplicate.map(|d| d.of.clone()));
    results.duplicate_kinds.push(duplicate.map(|d| d.kind.into()));
    results.duplicate_scores.push(duplicate.map(|d| d.score));
}

/// Column `ai_classification`, in the seed's keys.
pub(super) fn ai_classification(decision: &Decision, text: &str, now: DateTime<Utc>) -> Value {
    let mut value = json!({
        "classifiedAt": now.to_rfc3339_opts(SecondsFormat::Millis, true),
        "projectMatches": decision.matches,
        "isNewInitiative": decision.is_new_initiative,
    });
    if let (true, Some(object)) = (decision.is_new_initiative, value.as_object_mut()) {
        object.insert("suggestedInitiativeName".into(), extract::title(text).into());
    }
    value
}

/// Column `classification`, in the source system's keys.
pub(super) fn classification(decision: &Decision, method: &str, now: DateTime<Utc>) -> Value {
    let mut value = json!({
        "confidence": decision.confidence,
        "method": method,
        "isNewInitiative": decision.is_new_initiative,
        "classifiedAt": now.to_rfc3339_opts(SecondsFormat::Millis, true),
    });
    let project = decision.matches.first().filter(|_| decision.belongs);
    if let (Some(project), Some(object)) = (project, value.as_object_mut()) {
        object.insert("projectId".into(), project.project_id.clone().into());
        object.insert("projectName".into(), project.project_name.clone().into());
        object.insert("reason".into(), project.match_reason.clone().into());
    }
    value
}

/// The links that need nobody's word, with status and log.
async fn link(tx: &mut PgConnection, workspace_id: &str, judged: &[Judged]) -> anyhow::Result<()> {
    let sure = judged.iter().filter(|j| j.decision.auto_link);
    let sure = sure.filter_map(|j| Some((&j.signal.id, j.decision.matches.first()?)));
    write_links(tx, workspace_id, sure).await
}

/// Links signals to projects on the service's own account.
pub(super) async fn write_links<'a>(
    tx: &mut PgConnection,
    workspace_id: &str,
    sure: impl Iterator<Item = (&'a String, &'a super::decide::Match)>,
) -> anyhow::Result<()> {
    let mut links = Links::default();
    for (signal_id, project) in sure {
        links.signals.push(signal_id.clone());
        links.projects.push(project.project_id.clone());
        links.reasons.push(project.match_reason.clone());
        links.confidences.push(project.confidence);
    }
    let new = links.insert(tx).await.context("linking")?;
    let linked: Vec<String> = new.iter().map(|(signal, _)| signal.clone()).collect();
    if linked.is_empty() {
        return Ok(());
    }
    mark_linked(tx, &linked).await.context("marking linked signals")?;
    let mut log = Entries::default();
    for (signal, project) in &new {
        let detail = json!({ "projectId": project });
        log.push_with(workspace_id, ACTOR, "signal.linked", signal, detail);
    }
    log.insert(tx).await.context("activity log")
}

/// Who speaks, from what the sender stated or the text says.
async fn personas(tx: &mut PgConnection, judged: &[Judged]) -> anyhow::Result<()> {
    let (mut signals, mut personas, mut confidences) = (Vec::new(), Vec::new(), Vec::new());
    for Judged { signal, extraction, .. } in judged {
        let stated = signal.user_segment.as_deref().map(|s| (s, 1.0));
        let found = extraction.user_segment.as_ref().map(|f| (f.value.as_str(), f.confidence));
        let Some((segment, confidence)) = stated.or(found) else { continue };
        if let Some(persona) = extract::persona_id(segment) {
            signals.push(signal.id.clone());
            personas.push(persona);
            confidences.push(confidence);
        }
    }
    signal_personas::add(tx, &signals, &personas, &confidences).await.context("personas")
}
