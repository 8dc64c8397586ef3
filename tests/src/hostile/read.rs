//! Reading back everything that hostile deliveries left.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;
use tokio::{task::JoinSet, time::Instant};
use uuid::Uuid;

use crate::{App, Database, client};

const DONE_WITHIN: Duration = Duration::from_secs(600);
/// Rows of one event that are read one by one; lists and the table scan meet all of them.
const ROWS_EACH: usize = 5;

/// What came back.
#[derive(Debug, Default)]
pub struct Reading {
    /// Events that were stored.
    pub events: usize,
    /// Answers of the read side.
    pub reads: usize,
    /// Longest time to one, and which.
    pub read_max: (Duration, String),
    /// What did not come back, or not as it was sent.
    pub problems: Vec<String>,
    /// Why events became nothing.
    pub reasons: BTreeMap<String, usize>,
}

/// Wait until all work is done, then read every event, its bytes, its rows and all lists.
pub(super) async fn everything(
    app: &App,
    db: &Database,
    workspace: &str,
    stored: Vec<(String, Uuid, Vec<u8>)>,
    at_once: usize,
) -> Reading {
    let mut reading = Reading { events: stored.len(), ..Reading::default() };
    let deadline = Instant::now() + DONE_WITHIN;
    while let Some(open) = unfinished(db).await {
        if Instant::now() > deadline {
            reading.problems.push(format!("not done within {DONE_WITHIN:?}: {open}"));
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let reader = Reader::open(app, workspace).await;
    let mut waiting = JoinSet::new();
    let mut stored = stored.into_iter();
    loop {
        while waiting.len() < at_once
            && let Some((name, event, body)) = stored.next()
        {
            let reader = reader.clone();
            waiting.spawn(async move { reader.event(&name, event, &body).await });
        }
        let Some(found) = waiting.join_next().await else { break };
        reading.add(found.unwrap());
    }
    for list in ["/v1/events", "/v1/signals", "/v1/dead", "/v1/sources", "/v1/stats"] {
        reading.add(reader.list(list).await);
    }
    reading.problems.extend(unreadable(db).await);
    reading
}

#[derive(Debug, Default)]
struct Found {
    reads: Vec<(Duration, String)>,
    problems: Vec<String>,
    reason: Option<String>,
}

impl Reading {
    fn add(&mut self, found: Found) {
        for read in found.reads {
            self.reads += 1;
            if read.0 > self.read_max.0 {
                self.read_max = read;
            }
        }
        self.problems.extend(found.problems);
        if let Some(reason) = found.reason {
            *self.reasons.entry(reason).or_default() += 1;
        }
    }
}

/// A caller of the read side.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    base: String,
    key: String,
    client: reqwest::Client,
}

impl Reader {
    /// With a key of `workspace`.
    pub(super) async fn open(app: &App, workspace: &str) -> Self {
        let arguments =
            ["--json", "key", "add", "--workspace", workspace, "--scopes", "read,operate"];
        let key = app.run_json(&arguments).await["key"].as_str().unwrap().to_owned();
        Self { base: app.url(""), key, client: client() }
    }

    /// Status and JSON of an answer.
    pub(super) async fn ask(&self, path: &str) -> (u16, Value) {
        let (status, bytes) = self.get(path, &mut Found::default()).await;
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str, found: &mut Found) -> (u16, Vec<u8>) {
        let started = Instant::now();
        let answer = self.client.get(format!("{}{path}", self.base)).bearer_auth(&self.key);
        let answer = answer.send().await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.unwrap().to_vec();
        found.reads.push((started.elapsed(), path.to_owned()));
        (status, bytes)
    }

    async fn json(&self, path: &str, found: &mut Found) -> Value {
        let (status, bytes) = self.get(path, found).await;
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if status != 200 || !json.is_object() {
            found.problems.push(format!("{path}: {status}"));
        }
        json
    }

    async fn event(&self, name: &str, id: Uuid, body: &[u8]) -> Found {
        let mut found = Found::default();
        let event = self.json(&format!("/v1/events/{id}"), &mut found).await;
        let (status, bytes) = self.get(&format!("/v1/events/{id}/body"), &mut found).await;
        if status != 200 || bytes != body {
            found.problems.push(format!("{name}: {status}, other bytes came back"));
        }
        let effects = event["effects"].as_array().cloned().unwrap_or_default();
        match (event["state"].as_str(), event["reason"].as_str()) {
            (Some("normalized"), _) => {}
            (Some("ignored" | "quarantined"), Some(reason)) => found.reason = Some(reason.into()),
            _ => found.problems.push(format!("{name}: became nothing, without a reason: {event}")),
        }
        for effect in effects.iter().filter(|e| e["kind"] == "signal").take(ROWS_EACH) {
            let id = effect["id"].as_str().unwrap_or_default();
            let signal = self.json(&format!("/v1/signals/{id}"), &mut found).await;
            if signal["verbatim"].as_str().is_none() || effect["processed"] != true {
                found.problems.push(format!("{name}: signal {id} is not whole"));
            }
        }
        found
    }

    /// Every page of a list.
    async fn list(&self, path: &str) -> Found {
        let mut found = Found::default();
        let mut next = String::new();
        for _ in 0..10_000 {
            let page = self.json(&format!("{path}?{next}"), &mut found).await;
            match page["next"].as_str() {
                Some(cursor) => next = format!("limit=200&cursor={cursor}"),
                None => break,
            }
        }
        found
    }
}

/// Work that is not done, if there is any.
async fn unfinished(db: &Database) -> Option<String> {
    let open = sqlx::query_scalar(
        "select string_agg(distinct what, ', ') from (
           select format('%s %s, attempt %s: %s', kind, state, attempt, last_error) as what from ops.jobs
           union all select 'event ' || id from ops.events where state = 'stored') open",
    );
    open.fetch_one(&db.pool).await.unwrap()
}

/// Tables of which some row cannot be written out as text.
async fn unreadable(db: &Database) -> Vec<String> {
    let tables: [(&str, &'static str); 6] = [
        ("events", "select max(length(t::text)) from ops.events t"),
        ("bodies", "select max(length(t.headers::text)) from ops.event_bodies t"),
        ("jobs", "select max(length(t::text)) from ops.job_history t"),
        ("quarantine", "select max(length(t::text)) from ops.quarantine t"),
        ("signals", "select max(length(t::text)) from signals.signals t"),
        ("inbox items", "select max(length(t::text)) from signals.inbox_items t"),
    ];
    let mut problems = Vec::new();
    for (name, sql) in tables {
        if let Err(e) = sqlx::query_scalar::<_, Option<i32>>(sql).fetch_one(&db.pool).await {
            problems.push(format!("{name}: {e}"));
        }
    }
    let dead: i64 = sqlx::query_scalar("select count(*) from ops.dead_letters")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    if dead > 0 {
        problems.push(format!("{dead} dead letters"));
    }
    problems
}
