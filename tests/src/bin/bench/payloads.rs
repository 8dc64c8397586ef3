//! What recorded deliveries of platforms become: `<folder>/<platform>/<event>.json`, signed as the platform signs.

use std::{collections::BTreeMap, path::Path, time::Duration};

use millrace_tests::Answer;
use sqlx::PgPool;

use crate::server;

const PATIENCE: Duration = Duration::from_secs(60);

/// Where GitHub says what a signal needs to know.
const GITHUB: &str = r#"{
    "verbatim": ["/comment/body", "/issue/body", "/issue/title"], "sourceRef": ["/comment/html_url", "/issue/html_url"],
    "sourceUrl": ["/comment/html_url", "/issue/html_url"], "updatedAt": ["/comment/updated_at", "/issue/updated_at"],
    "createdAt": ["/comment/created_at", "/issue/created_at"], "sourceName": "/sender/login"
}"#;

/// Sources (a name, kind, more arguments) that take a platform's deliveries.
fn sources(platform: &str) -> Vec<(&'static str, &str, Vec<&'static str>)> {
    match platform {
        "github" => vec![
            ("webhook, field map", "webhook", vec!["--scheme", "github", "--field-map", GITHUB]),
            ("webhook", "webhook", vec!["--scheme", "github"]),
            ("standard", "standard", vec!["--scheme", "github"]),
        ],
        kind => vec![("", kind, vec![])],
    }
}

/// Deliver every file to every source that takes it; print what became of it.
pub(crate) async fn run(folder: &str) {
    let (_pg, db) = server::postgres().await;
    let pool = &db.pool;
    let role = server::role(&db, "all", &[]).await;
    println!("{:<58} {:>6}  {:<36} records", "delivery", "answer", "state");
    for platform in entries(Path::new(folder)) {
        let name = stem(&platform);
        for (label, kind, extra) in sources(&name) {
            let sender = server::sender(&role, server::WORKSPACE, kind, &extra).await;
            for file in entries(&platform) {
                let event = stem(&file);
                let mut headers = vec![("content-type", b"application/json".as_slice())];
                if name == "github" {
                    headers.push(("x-github-event", event.split('.').next().unwrap().as_bytes()));
                }
                let body = std::fs::read(&file).unwrap();
                let signed = sender.sign(&format!("{event}-{label}"), &headers, body);
                let Answer { status, body, .. } = sender.deliver(signed).await.unwrap();
                let (state, records) = match body["eventId"].as_str() {
                    Some(id) => became(pool, id).await,
                    None => (body["code"].as_str().unwrap_or("-").to_owned(), String::new()),
                };
                let what = format!("{name}/{event} {label}");
                println!("{what:<58} {status:>6}  {state:<36} {records}");
            }
        }
    }
    let dead: BTreeMap<String, i64> = sqlx::query_as::<_, (String, i64)>(
        "select kind || ': ' || reason, count(*) from ops.dead_letters group by 1",
    )
    .fetch_all(pool)
    .await
    .unwrap()
    .into_iter()
    .collect();
    println!("dead letters: {dead:?}");
}

/// State with its reason, and the records' keys and beginnings.
async fn became(pool: &PgPool, event: &str) -> (String, String) {
    let id: uuid::Uuid = event.parse().unwrap();
    let state = millrace_tests::wait_until("the event to be read", PATIENCE, async || {
        let row: (String, Option<String>, Option<String>) = sqlx::query_as(
            "select e.state, e.reason, q.detail from ops.events e left join ops.quarantine q on q.event_id = e.id
             where e.id = $1",
        )
        .bind(id)
        .fetch_one(pool)
        .await
        .unwrap();
        (row.0 != "stored").then(|| {
            let why = [row.1, row.2].into_iter().flatten().collect::<Vec<_>>().join(": ");
            if why.is_empty() { row.0 } else { format!("{} ({why})", row.0) }
        })
    })
    .await;
    let records: Vec<String> = sqlx::query_scalar(
        "select source_ref || ' ' || quote_literal(left(verbatim, 60)) from signals.signals where event_id = $1",
    )
    .bind(id)
    .fetch_all(pool)
    .await
    .unwrap();
    (state, format!("{} {}", records.len(), records.join("; ")))
}

fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut all: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    all.sort();
    all
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}
