//! The whole pipeline on texts that nobody here wrote: a file of `text TAB label` lines, delivered signed.
//!
//! Half of the texts are linked by hand to a project per label; the other half is then delivered and
//! judged by its labels, which the service never sees.

use std::{collections::HashMap, time::Duration};

use chrono::Utc;
use millrace_ingest::verify::{self, Unsigned};
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use tokio::{task::JoinSet, time::Instant};

use crate::{
    report::Report,
    server::{Durable, Role},
};

const PATIENCE: Duration = Duration::from_secs(1200);
/// Requests under way at once.
const LANES: usize = 16;

struct Text {
    verbatim: String,
    label: String,
    learn: bool,
}

/// Deliver, link, deliver, judge.
pub(crate) async fn run(report: &mut Report, file: &str) {
    let content = std::fs::read_to_string(file).unwrap();
    let mut seen: HashMap<String, usize> = HashMap::new();
    let texts: Vec<Text> = content
        .lines()
        .filter_map(|l| l.split_once('\t'))
        .map(|(verbatim, label)| {
            // Every second text of each label is linked by hand.
            let nth = seen.entry(label.to_owned()).or_default();
            *nth += 1;
            Text { verbatim: verbatim.into(), label: label.into(), learn: *nth % 2 == 1 }
        })
        .collect();
    let pg = Durable::start().await;
    let (url, pool) = pg.database().await;
    let model = millrace_tests::home().canonicalize().unwrap();
    let role = Role::start(
        &url,
        "all",
        &[
            (
                "MILLRACE__EMBED__MODEL_DIR",
                model.join("models/all-MiniLM-L6-v2").display().to_string(),
            ),
            (
                "MILLRACE__EMBED__RUNTIME_LIBRARY",
                model.join("runtime/libonnxruntime.so").display().to_string(),
            ),
        ],
    )
    .await;
    let people = People::new(&role, &pool).await;
    let started = Instant::now();
    people.deliver(&texts, true).await;
    processed(&pool).await;
    let learning_s = started.elapsed().as_secs_f64();
    people.link(&pool, &texts).await;
    settled(&pool).await;
    let started = Instant::now();
    people.deliver(&texts, false).await;
    processed(&pool).await;
    let judged_s = started.elapsed().as_secs_f64();
    let learned = texts.iter().filter(|t| t.learn).count();
    report.note(format!(
        "{} texts of {} labels, {learned} of them linked by hand through the API; all delivered signed over HTTP; \
         {:.0} then {:.0} signals/s from receipt to classified row",
        texts.len(),
        seen.len(),
        learned as f64 / learning_s,
        (texts.len() - learned) as f64 / judged_s,
    ));
    judge(report, &pool, &texts).await;
}

/// Somebody with an API key, and a source that signs.
struct People {
    client: reqwest::Client,
    base: String,
    key: String,
    path_id: String,
    secret: String,
}

impl People {
    async fn new(role: &Role, pool: &PgPool) -> Self {
        let (path_id, secret) = role.source("webhook");
        let scopes = ["read", "write"].map(str::to_owned);
        let mut conn = pool.acquire().await.unwrap();
        let made =
            millrace_ingest::registry::keys::create(&mut conn, "bench", None, "bench", &scopes)
                .await
                .unwrap();
        let key = millrace_config::ExposeSecret::expose_secret(&made.1).to_owned();
        let base = format!("http://127.0.0.1:{}", role.port);
        Self { client: millrace_tests::client(), base, key, path_id, secret }
    }

    async fn deliver(&self, texts: &[Text], learn: bool) {
        let url = format!("{}/hooks/{}", self.base, self.path_id);
        let scheme = verify::scheme("millrace").unwrap();
        let mut posts = JoinSet::new();
        for (nth, text) in texts.iter().enumerate().filter(|(_, t)| t.learn == learn) {
            let body = json!({ "verbatim": text.verbatim, "sourceRef": format!("text-{nth}") })
                .to_string();
            let unsigned = Unsigned {
                method: "POST",
                uri: &url,
                body: body.as_bytes(),
                id: "",
                timestamp: Utc::now(),
            };
            let mut request = self.client.post(&url).header("content-type", "application/json");
            for (name, value) in verify::sign(scheme, &self.secret, &unsigned).unwrap() {
                request = request.header(name, value);
            }
            if posts.len() >= LANES {
                accepted(posts.join_next().await);
            }
            posts.spawn(request.body(body).send());
        }
        while !posts.is_empty() {
            accepted(posts.join_next().await);
        }
    }

    /// One project for each label, by name only, and its texts linked by hand.
    async fn link(&self, pool: &PgPool, texts: &[Text]) {
        let mut projects: HashMap<&str, String> = HashMap::new();
        let ids = ids(pool).await;
        for (nth, text) in texts.iter().enumerate().filter(|(_, t)| t.learn) {
            if !projects.contains_key(text.label.as_str()) {
                let name = text.label.replace('_', " ");
                let made = self
                    .call(reqwest::Method::POST, "/v1/projects", Some(json!({ "name": name })))
                    .await;
                projects.insert(&text.label, made["id"].as_str().unwrap().into());
            }
            let (signal, project) = (&ids[&format!("text-{nth}")], &projects[text.label.as_str()]);
            self.call(
                reqwest::Method::PUT,
                &format!("/v1/signals/{signal}/projects/{project}"),
                None,
            )
            .await;
        }
    }

    async fn call(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> Value {
        let mut request =
            self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let bytes = answer.bytes().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&bytes));
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    }
}

fn accepted(answer: Option<Result<reqwest::Result<reqwest::Response>, tokio::task::JoinError>>) {
    let answer = answer.unwrap().unwrap().unwrap();
    assert_eq!(answer.status().as_u16(), 200);
}

async fn ids(pool: &PgPool) -> HashMap<String, String> {
    let rows = sqlx::query_as::<_, (String, String)>("select source_ref, id from signals.signals");
    rows.fetch_all(pool).await.unwrap().into_iter().collect()
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

/// Until no job waits or runs: what was linked has been learned.
async fn settled(pool: &PgPool) {
    millrace_tests::wait_until("no job is left", PATIENCE, async || {
        let jobs: i64 =
            sqlx::query_scalar("select count(*) from ops.jobs").fetch_one(pool).await.unwrap();
        (jobs == 0).then_some(())
    })
    .await;
}

async fn judge(report: &mut Report, pool: &PgPool, texts: &[Text]) {
    let rows = sqlx::query(
        "select source_ref, classification->>'projectName' as project, (classification->>'confidence')::float8 as confidence,
                coalesce((classification->>'isNewInitiative')::boolean, false) as new,
                ai_classification->'projectMatches'->0->>'projectName' as first,
                (ai_classification->'projectMatches'->0->>'confidence')::float8 as first_confidence,
                duplicate_of is not null as duplicate
         from signals.signals",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let (mut right, mut named, mut named_right, mut duplicates, mut all) = (0, 0, 0, 0, 0);
    let mut judged: Vec<(f64, bool)> = Vec::new();
    for row in rows {
        let nth: usize =
            row.get::<String, _>("source_ref").trim_start_matches("text-").parse().unwrap();
        let text = &texts[nth];
        duplicates += usize::from(row.get::<bool, _>("duplicate"));
        if text.learn {
            continue;
        }
        all += 1;
        let label = text.label.replace('_', " ");
        let is = |name: Option<String>| name.is_some_and(|n| n == label);
        let hit = is(row.get("first"));
        right += usize::from(hit);
        judged.push((row.get::<Option<f64>, _>("first_confidence").unwrap_or(0.0), hit));
        if !row.get::<bool, _>("new") {
            named += 1;
            named_right += usize::from(is(row.get("project")));
        }
    }
    let share = |part: usize, whole: usize| format!("{:.3}", part as f64 / whole.max(1) as f64);
    report.row(
        "best match is the label's project",
        &share(right, all),
        "nearest centroid .844, logistic .904 (3,000 labelled)",
        "",
    );
    report.row("given to a project at all", &share(named, all), "", "");
    report.row("of those, the right one", &share(named_right, named), "", "");
    report.row(
        "expected calibration error, 10 bins",
        &format!("{:.3}", calibration_error(&judged)),
        "",
        "",
    );
    judged.sort_by(|a, b| b.0.total_cmp(&a.0));
    let sure = &judged[..judged.len() * 7 / 10];
    let sure_right = sure.iter().filter(|(_, hit)| *hit).count();
    report.row("right among the 70 % most confident", &share(sure_right, sure.len()), "", "");
    report.row("marked as duplicates of the workspace's signals", &duplicates.to_string(), "", "");
}

/// Mean gap between confidence and accuracy over ten equal-width bins, weighted by their size (Naeini et al., 2015).
fn calibration_error(judged: &[(f64, bool)]) -> f64 {
    let mut bins = [(0.0, 0.0, 0.0); 10];
    for (confidence, hit) in judged {
        let bin = &mut bins[((confidence * 10.0) as usize).min(9)];
        bin.0 += 1.0;
        bin.1 += confidence;
        bin.2 += f64::from(u8::from(*hit));
    }
    bins.iter()
        .map(|(n, sum, hits): &(f64, f64, f64)| if *n > 0.0 { (sum - hits).abs() } else { 0.0 })
        .sum::<f64>()
        / judged.len() as f64
}
