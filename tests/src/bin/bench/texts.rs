//! The whole pipeline on texts that nobody here wrote: a file of `text TAB label` lines, delivered signed.
//!
//! Labels are projects, known by their names. Half of the texts are linked to them by hand; the other half is
//! then delivered and judged by its labels, which the service never sees. Once with all labels, once with a fifth
//! of the labels left out, whose texts then belong nowhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::time::Duration;

use millrace_tests::App;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::time::Instant;

use crate::{
    judge::{self, Seen},
    report::Report,
    server,
};

const PATIENCE: Duration = Duration::from_secs(600);
/// Every so many labels, one is left out in the second run.
const HELD_OUT: usize = 5;

struct Text {
    verbatim: String,
    label: String,
    learn: bool,
}

/// Lines of the file, or of every `.tsv` file of the folder.
fn read(path: &Path) -> Vec<Text> {
    let files = if path.is_dir() {
        let entries = std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path());
        entries.filter(|p| p.extension().is_some_and(|e| e == "tsv")).collect()
    } else {
        vec![path.to_owned()]
    };
    let content: String = files.iter().map(|f| std::fs::read_to_string(f).unwrap()).collect();
    let mut seen: HashMap<String, usize> = HashMap::new();
    let texts = content.lines().filter_map(|l| l.split_once('\t')).map(|(verbatim, label)| {
        // Every second text of each label is linked by hand.
        let nth = seen.entry(label.to_owned()).or_default();
        *nth += 1;
        Text { verbatim: verbatim.into(), label: label.replace('_', " "), learn: *nth % 2 == 1 }
    });
    texts.collect()
}

/// Deliver, link, deliver, judge; twice.
pub(crate) async fn run(report: &mut Report, path: &str) {
    let started = Instant::now();
    let texts = read(Path::new(path));
    let labels: BTreeSet<&str> = texts.iter().map(|t| t.label.as_str()).collect();
    let (_pg, db) = server::postgres().await;
    let pool = &db.pool;
    let role = server::role(&db, "all", &[]).await;

    let all = labels.iter().copied().collect();
    let (seen, times) = classify(&role, pool, "all", &texts, &all).await;
    judge::all(report, &seen);
    let known = labels.iter().enumerate().filter(|(n, _)| n % HELD_OUT != 0).map(|(_, l)| *l);
    let known = known.collect();
    let (seen, _) = classify(&role, pool, "open", &texts, &known).await;
    judge::open(report, &seen, |label| known.contains(label));
    let learned = texts.iter().filter(|t| t.learn).count();
    report.note(format!(
        "{} texts of {} labels, {learned} of them linked by hand (one request per label: {:.1} s until learned); all \
         delivered signed over HTTP; {:.0} then {:.0} signals/s from the first delivery to the last classified row; {:.0} s \
         for both runs",
        texts.len(),
        labels.len(),
        times[1],
        learned as f64 / times[0],
        (texts.len() - learned) as f64 / times[2],
        started.elapsed().as_secs_f64(),
    ));
}

/// Runs the texts through a workspace of its own with these labels as projects. What became of those that were
/// not linked, and the seconds of the three steps.
async fn classify(
    role: &App,
    pool: &PgPool,
    workspace: &str,
    texts: &[Text],
    labels: &BTreeSet<&str>,
) -> (Vec<Seen>, [f64; 3]) {
    millrace_jobs::store::workspaces::add(pool, Some(workspace), workspace).await.unwrap();
    let sender = server::sender(role, workspace, "webhook", &[]).await;
    let bodies = |learn: bool| {
        let of = texts.iter().enumerate().filter(move |(_, t)| t.learn == learn);
        of.map(|(nth, t)| json!({ "verbatim": t.verbatim, "sourceRef": format!("text-{nth}") }))
    };
    let mut times = [0.0; 3];
    let mut started = Instant::now();
    let mut lap = |step: usize| {
        times[step] = started.elapsed().as_secs_f64();
        started = Instant::now();
    };
    server::send_all(&sender, bodies(true)).await;
    processed(pool).await;
    lap(0);
    link(role, pool, workspace, texts, labels).await;
    lap(1);
    server::send_all(&sender, bodies(false)).await;
    processed(pool).await;
    lap(2);
    (seen(pool, workspace, texts).await, times)
}

/// A project for each label, and its texts linked by hand in one request; until that is learned.
async fn link(role: &App, pool: &PgPool, workspace: &str, texts: &[Text], labels: &BTreeSet<&str>) {
    let key = {
        let scopes = ["read", "write"].map(str::to_owned);
        let mut conn = pool.acquire().await.unwrap();
        let made =
            millrace_ingest::registry::keys::create(&mut conn, workspace, None, "bench", &scopes);
        millrace_config::ExposeSecret::expose_secret(&made.await.unwrap().1).to_owned()
    };
    let client = millrace_tests::client();
    let ask = async |path: String, body: Value| -> Value {
        let answer =
            client.post(role.url(&path)).bearer_auth(&key).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    };
    let rows: Vec<(String, String)> =
        sqlx::query_as("select source_ref, id from signals.signals where workspace_id = $1")
            .bind(workspace)
            .fetch_all(pool)
            .await
            .unwrap();
    let ids: HashMap<String, String> = rows.into_iter().collect();
    let mut linked: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for (nth, text) in texts.iter().enumerate().filter(|(_, t)| t.learn) {
        linked.entry(&text.label).or_default().push(&ids[&format!("text-{nth}")]);
    }
    for label in labels {
        let made = ask("/v1/projects".into(), json!({ "name": label })).await;
        let path = format!("/v1/projects/{}/signals", made["id"].as_str().unwrap());
        let signals = linked.get(label).cloned().unwrap_or_default();
        let answer = ask(path, json!({ "signals": signals })).await;
        assert_eq!(answer["linked"], signals.len());
    }
    millrace_tests::wait_until("no job is left", PATIENCE, async || {
        let jobs: i64 =
            sqlx::query_scalar("select count(*) from ops.jobs").fetch_one(pool).await.unwrap();
        (jobs == 0).then_some(())
    })
    .await;
}

/// Until every event is a processed signal.
async fn processed(pool: &PgPool) {
    let open = "select (select count(*) from ops.events where state = 'stored')
                     + (select count(*) from signals.signals where processed_at is null)";
    millrace_tests::wait_until("everything processed", PATIENCE, async || {
        let open: i64 = sqlx::query_scalar(open).fetch_one(pool).await.unwrap();
        (open == 0).then_some(())
    })
    .await;
}

/// What became of the texts that nobody linked.
async fn seen(pool: &PgPool, workspace: &str, texts: &[Text]) -> Vec<Seen> {
    type Row = (String, Option<String>, Option<f64>, bool, bool, bool, bool);
    let rows: Vec<Row> = sqlx::query_as(
        "select source_ref, ai_classification #>> '{projectMatches,0,projectName}',
                (ai_classification #>> '{projectMatches,0,confidence}')::float8,
                classification ? 'projectId', (classification ->> 'isNewInitiative')::bool,
                exists (select from signals.signal_projects p where p.signal_id = s.id), duplicate_of is not null
         from signals.signals s where workspace_id = $1",
    )
    .bind(workspace)
    .fetch_all(pool)
    .await
    .unwrap();
    let judged = rows.into_iter().filter_map(|row| {
        let nth: usize = row.0.strip_prefix("text-").unwrap().parse().unwrap();
        let Text { label, learn, .. } = &texts[nth];
        (!learn).then(|| Seen {
            right: row.1.as_deref() == Some(label),
            label: label.clone(),
            confidence: row.2.unwrap_or(0.0),
            decided: row.3,
            is_new: row.4,
            linked: row.5,
            duplicate: row.6,
        })
    });
    judged.collect()
}
