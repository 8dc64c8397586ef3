//! How well signals find their projects: a file of labelled texts (`text TAB label` per line), labels as
//! projects, half of the texts linked by hand, the other half classified. `millrace-bench classify --texts=FILE`

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use millrace_jobs::{
    ctx::Ctx,
    embed::content_hash,
    queue::{Job, LeaseId, Leased, Verdict},
    signals::process::Process,
    store::workspaces,
};
use sqlx::PgPool;
use tokio::time::Instant;

use crate::{pipeline, report::Report, server::Durable};

/// Labels left out in the second run, whose texts then belong to no project.
const HELD_OUT: usize = 5;

/// A classified text.
struct Seen {
    label: String,
    project: Option<String>,
    confidence: f64,
    decided: bool,
    is_new: bool,
}

/// Measure.
pub(crate) async fn run(report: &mut Report, options: &[String]) {
    let Some(path) = options.iter().find_map(|o| o.strip_prefix("--texts=")) else {
        report.note("needs --texts=FILE with one `text TAB label` per line");
        return;
    };
    let file = std::fs::read_to_string(path).unwrap();
    let texts: Vec<(&str, &str)> = file.lines().filter_map(|l| l.split_once('\t')).collect();
    let labels: Vec<&str> =
        texts.iter().map(|t| t.1).collect::<BTreeSet<_>>().into_iter().collect();
    let pg = Durable::start().await;
    let (_, pool) = pg.database().await;
    let ctx = pipeline::ctx(&pool);
    report.note(format!(
        "{} texts, {} labels; half linked, half classified",
        texts.len(),
        labels.len()
    ));

    let (all, per_second) = classify(&ctx, &pool, "all", &texts, &labels).await;
    let mut sure: Vec<&Seen> = all.iter().collect();
    sure.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let top = |share: f64| {
        let kept = sure.get(..(sure.len() as f64 * share) as usize).unwrap();
        format!("{:.3}", share_of(kept, right))
    };
    report.row(
        "best match is the label",
        &top(1.0),
        ".844 centroid, .904 logistic on 3,000",
        ">= .88",
    );
    report.row(
        "same, surest 90 % / 80 % / 70 %",
        &[top(0.9), top(0.8), top(0.7)].join(" / "),
        "",
        "",
    );
    report.row(
        "expected calibration error",
        &format!("{:.3}", calibration_error(&all)),
        "",
        "<= .05",
    );
    linked(report, &pool, &all).await;
    report.row(
        "texts per second, new text to classified row",
        &format!("{per_second:.0}/s"),
        "",
        "",
    );
    held_out(report, &ctx, &pool, &texts, &labels).await;
}

/// How good the links made without asking are.
async fn linked(report: &mut Report, pool: &PgPool, all: &[Seen]) {
    let brier =
        all.iter().map(|s| (s.confidence - f64::from(u8::from(right(s)))).powi(2)).sum::<f64>();
    report.row(
        "Brier score of the best match",
        &format!("{:.3}", brier / all.len() as f64),
        "",
        "",
    );
    let decided: Vec<&Seen> = all.iter().filter(|s| s.decided).collect();
    let coverage = decided.len() as f64 / all.len() as f64;
    let figure = format!("{:.3} of {:.0} %", share_of(&decided, right), 100.0 * coverage);
    report.row("decided for a project: right", &figure, "", "");
    let linked: (i64, i64) = sqlx::query_as(
        "select count(*), count(*) filter (where p.name = replace(s.tags ->> 0, '_', ' '))
         from signals.signal_projects l join signals.signals s on s.id = l.signal_id
         join signals.projects p on p.id = l.project_id where l.origin = 'auto' and l.workspace_id = 'all'",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    let figure = format!(
        "{:.3} of {:.0} %",
        linked.1 as f64 / linked.0 as f64,
        100.0 * linked.0 as f64 / all.len() as f64
    );
    report.row("linked without asking: right", &figure, "", "");
}

/// Whether texts of labels that have no project look less sure.
async fn held_out(
    report: &mut Report,
    ctx: &Arc<Ctx>,
    pool: &PgPool,
    texts: &[(&str, &str)],
    labels: &[&str],
) {
    let known: Vec<&str> =
        labels.iter().enumerate().filter(|(n, _)| n % HELD_OUT != 0).map(|(_, l)| *l).collect();
    let (open, _) = classify(ctx, pool, "open", texts, &known).await;
    let (new, old): (Vec<&Seen>, Vec<&Seen>) =
        open.iter().partition(|s| !known.contains(&s.label.as_str()));
    let mut pairs = 0.0;
    for n in &new {
        let below = old.iter().map(|o| match n.confidence.total_cmp(&o.confidence) {
            std::cmp::Ordering::Less => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Greater => 0.0,
        });
        pairs += below.sum::<f64>();
    }
    let auroc = pairs / (new.len() * old.len()) as f64;
    report.row("texts of held-out labels: AUROC of low confidence", &format!("{auroc:.3}"), "", "");
    let figure =
        format!("{:.2} / {:.2}", share_of(&new, |s| s.is_new), share_of(&old, |s| s.is_new));
    report.row("called a new initiative: held-out / known labels", &figure, "", "");
}

fn right(seen: &Seen) -> bool {
    seen.project.as_deref() == Some(seen.label.as_str())
}

fn share_of(seen: &[&Seen], what: impl Fn(&Seen) -> bool) -> f64 {
    seen.iter().filter(|s| what(s)).count() as f64 / seen.len().max(1) as f64
}

/// Mean distance of confidence and accuracy over ten bins.
fn calibration_error(seen: &[Seen]) -> f64 {
    let mut bins = [(0.0_f64, 0.0_f64); 10];
    for one in seen {
        let bin = &mut bins[((one.confidence * 10.0) as usize).min(9)];
        bin.0 += one.confidence;
        bin.1 += f64::from(u8::from(right(one)));
    }
    bins.iter().map(|(said, was)| (said - was).abs()).sum::<f64>() / seen.len() as f64
}

/// Labels as projects in a workspace of its own; every second text of a known label is linked by hand,
/// the other texts are classified. Their results, and texts per second.
async fn classify(
    ctx: &Arc<Ctx>,
    pool: &PgPool,
    workspace: &str,
    texts: &[(&str, &str)],
    labels: &[&str],
) -> (Vec<Seen>, f64) {
    workspaces::add(pool, Some(workspace), workspace).await.unwrap();
    let mut linked = Vec::new();
    let mut asked = Vec::new();
    for (n, (text, label)) in texts.iter().enumerate() {
        let id = format!("{workspace}-{n}");
        sqlx::query(
            "insert into signals.signals (id, workspace_id, source, verbatim, content_hash, tags)
             values ($1, $2, 'paste', $3, $4, jsonb_build_array($5::text))",
        )
        .bind(&id)
        .bind(workspace)
        .bind(text)
        .bind(content_hash(text).to_vec())
        .bind(label)
        .execute(pool)
        .await
        .unwrap();
        // A fixed shuffle: neighbours in the file must not always part.
        if (n.wrapping_mul(2_654_435_761) >> 7).is_multiple_of(2) {
            linked.push(id);
        } else {
            asked.push(id);
        }
    }
    process(ctx, &linked).await;
    for label in labels {
        sqlx::query("insert into signals.projects (id, workspace_id, name) values ($1 || '-' || $2, $1, replace($2, '_', ' '))")
            .bind(workspace)
            .bind(label)
            .execute(pool)
            .await
            .unwrap();
    }
    sqlx::query(
        "insert into signals.signal_projects (signal_id, project_id, workspace_id)
         select s.id, p.id, s.workspace_id from signals.signals s
         join signals.projects p on p.id = s.workspace_id || '-' || (s.tags ->> 0) where s.id = any ($1)",
    )
    .bind(&linked)
    .execute(pool)
    .await
    .unwrap();
    let start = Instant::now();
    process(ctx, &asked).await;
    let rate = asked.len() as f64 / start.elapsed().max(Duration::from_millis(1)).as_secs_f64();
    let rows: Vec<Answer> = sqlx::query_as(
        "select tags ->> 0, substr(ai_classification #>> '{projectMatches,0,projectId}', length(workspace_id) + 2),
                (ai_classification #>> '{projectMatches,0,confidence}')::float8, classification ? 'projectId',
                (classification ->> 'isNewInitiative')::bool
         from signals.signals where id = any ($1)",
    )
    .bind(&asked)
    .fetch_all(pool)
    .await
    .unwrap();
    let seen = |(label, project, confidence, decided, is_new): (_, _, Option<f64>, _, _)| Seen {
        label,
        project,
        confidence: confidence.unwrap_or(0.0),
        decided,
        is_new,
    };
    (rows.into_iter().map(seen).collect(), rate)
}

/// Label, best project, its confidence, whether one was decided, whether it is called new.
type Answer = (String, Option<String>, Option<f64>, bool, bool);

async fn process(ctx: &Arc<Ctx>, ids: &[String]) {
    for batch in ids.chunks(Process::BATCH_MAX) {
        let lease = |id: &String| Leased {
            id: LeaseId { job: -1, attempt: 1 },
            workspace_id: String::new(),
            trace_id: None,
            attempts_before: 0,
            job: Process { signal_id: id.clone() },
        };
        let verdicts = Process::run(ctx.clone(), batch.iter().map(lease).collect()).await;
        assert!(verdicts.iter().all(|v| matches!(v, Verdict::Committed)), "{verdicts:?}");
    }
}
