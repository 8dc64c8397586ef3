//! The read side asked by three tenants for everything that each of them has.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use reqwest::Method;
use serde_json::{Value, json};

use super::TENANTS;
use crate::{App, Pg, Sender, client, wait_until};

/// Requests at once.
const AT_ONCE: usize = 8;
const TEXTS: usize = 3;

/// A tenant as its key's holder knows it.
struct Tenant {
    name: &'static str,
    key: String,
    /// Of each kind of thing that has an id.
    signals: Vec<String>,
    projects: Vec<String>,
    events: Vec<String>,
    jobs: Vec<String>,
    dead: Vec<String>,
}

impl Tenant {
    fn ids(&self) -> impl Iterator<Item = &String> {
        [&self.signals, &self.projects, &self.events, &self.jobs, &self.dead].into_iter().flatten()
    }
}

/// A request, and the tenants of whom it names something.
struct Asked {
    method: Method,
    path: String,
    body: Option<Value>,
    /// The caller is none of them.
    foreign: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Requests {
    /// How many were made.
    pub made: usize,
    /// Of them, such as name something of another tenant.
    pub foreign: usize,
    /// Answers that hold something of another tenant, or grant what they should not. None, if the walls stand.
    pub leaks: Vec<String>,
}

/// `times` requests in an order drawn from `seed`.
pub async fn run(times: usize, seed: u64) -> Requests {
    let db = Pg::database().await;
    let app = App::new(&db, &["all"]).ready().await;
    let mut tenants = Vec::new();
    for name in TENANTS {
        tenants.push(moved_in(&app, &db.pool, name).await);
    }
    let mut random = StdRng::seed_from_u64(seed);
    let plan: Vec<(usize, Asked)> = (0..times)
        .map(|_| {
            let caller = random.random_range(0..tenants.len());
            (caller, some_request(&tenants, caller, &mut random))
        })
        .collect();
    let foreign = plan.iter().filter(|(_, asked)| asked.foreign).count();
    let (client, tenants) = (client(), &tenants);
    let answers = stream::iter(plan).map(|(caller, asked)| {
        let (client, app) = (client.clone(), &app);
        async move { judged(&client, app, tenants, caller, asked).await }
    });
    let leaks = answers.buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await;
    Requests { made: times, foreign, leaks }
}

/// A workspace with a source, deliveries, projects, and a job and a dead letter that wait.
async fn moved_in(app: &App, pool: &sqlx::PgPool, name: &'static str) -> Tenant {
    let sender = Sender::add(app, name, "webhook", &["--name", &format!("{name}~source")]).await;
    let scopes = ["--json", "key", "add", "--workspace", name, "--scopes", "read,write,operate"];
    let key = app.run_json(&scopes).await["key"].as_str().unwrap().to_owned();
    let mut tenant = Tenant {
        name,
        key,
        signals: Vec::new(),
        projects: Vec::new(),
        events: Vec::new(),
        jobs: Vec::new(),
        dead: Vec::new(),
    };
    for n in 0..TEXTS {
        let text = json!({ "verbatim": format!("{name}~words number {n} of this tenant") });
        tenant.events.push(sender.send(&n.to_string(), &text).await.event_id().to_string());
        let about = json!({ "name": format!("{name}~project {n}"), "description": format!("{name}~about") });
        let made = ask(app, &tenant.key, Method::POST, "/v1/projects", Some(about)).await.1;
        tenant.projects.push(made["id"].as_str().unwrap().to_owned());
    }
    let waiting: i64 = sqlx::query_scalar(
        "insert into ops.jobs (workspace_id, kind, attempts_max, payload, state, run_at, last_error)
         values ($1, 'normalize', 3, '{}', 'scheduled', now() + interval '1 day', $1 || '~error') returning id",
    )
    .bind(name)
    .fetch_one(pool)
    .await
    .unwrap();
    tenant.jobs.push(waiting.to_string());
    let dead: i64 = sqlx::query_scalar(
        "insert into ops.dead_letters (job_id, workspace_id, kind, payload, priority, attempts_max, reason, error, attempt, crashes, created_at)
         values (1, $1, 'none', '{}', 2, 3, 'permanent', $1 || '~error', 3, 0, now()) returning id",
    )
    .bind(name)
    .fetch_one(pool)
    .await
    .unwrap();
    tenant.dead.push(dead.to_string());
    tenant.signals = wait_until("its signals", std::time::Duration::from_secs(30), async || {
        let page = ask(app, &tenant.key, Method::GET, "/v1/signals?processed=true", None).await.1;
        let ids: Vec<String> = page["items"]
            .as_array()?
            .iter()
            .filter_map(|s| s["id"].as_str().map(str::to_owned))
            .collect();
        (ids.len() == TEXTS).then_some(ids)
    })
    .await;
    tenant
}

async fn ask(
    app: &App,
    key: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> (u16, Value) {
    let mut request = client().request(method, app.url(path)).bearer_auth(key);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
}

/// Anything that the API knows, about anybody's things.
fn some_request(tenants: &[Tenant], caller: usize, random: &mut StdRng) -> Asked {
    let (a, b) = (random.random_range(0..tenants.len()), random.random_range(0..tenants.len()));
    let signal = tenants[a].signals.choose(random).unwrap();
    let project = tenants[b].projects.choose(random).unwrap();
    let (event, job, dead) =
        (tenants[a].events.choose(random).unwrap(), &tenants[a].jobs[0], &tenants[a].dead[0]);
    let (one, both) = (a != caller, a != caller || b != caller);
    let get = |path: String, foreign| Asked { method: Method::GET, path, body: None, foreign };
    let put = |method, path: String, body, foreign| Asked { method, path, body, foreign };
    let dry = random.random_bool(0.5);
    match random.random_range(0..22) {
        0 => get("/v1/signals?limit=200".into(), false),
        1 => get(format!("/v1/signals?q={}", tenants[a].name), false),
        2 => get(format!("/v1/signals?project={project}"), false),
        3 => get(format!("/v1/signals/{signal}"), one),
        4 => get(format!("/v1/signals/{signal}/similar"), one),
        5 => put(
            Method::PATCH,
            format!("/v1/signals/{signal}"),
            Some(json!({ "severity": "low" })),
            one,
        ),
        6 => get("/v1/projects".into(), false),
        7 => get(format!("/v1/projects/{}", tenants[a].projects[0]), one),
        8 => put(
            Method::PATCH,
            format!("/v1/projects/{}", tenants[a].projects[0]),
            Some(json!({ "status": "active" })),
            one,
        ),
        9 => put(Method::PUT, format!("/v1/signals/{signal}/projects/{project}"), None, both),
        10 => put(Method::DELETE, format!("/v1/signals/{signal}/projects/{project}"), None, both),
        11 => put(
            Method::POST,
            format!("/v1/signals/{signal}/suggestions/{project}/accept"),
            None,
            both,
        ),
        12 => put(
            Method::POST,
            format!("/v1/signals/{signal}/suggestions/{project}/dismiss"),
            None,
            both,
        ),
        13 => get(format!("/v1/suggestions?signal={signal}&confidence_min=0"), false),
        14 => get("/v1/sources".into(), false),
        15 => get(format!("/v1/events?source={}~source", tenants[a].name), false),
        16 => get(format!("/v1/events/{event}"), one),
        17 => put(
            Method::POST,
            "/v1/events/replay".into(),
            Some(json!({ "filter": { "ids": [event] }, "dry_run": dry })),
            false,
        ),
        18 => get(format!("/v1/jobs/{job}"), one),
        19 => get(["/v1/jobs", "/v1/dead", "/v1/stats"].choose(random).unwrap().to_string(), false),
        20 => put(
            Method::POST,
            format!("/v1/jobs/{job}/{}", if one && dry { "cancel" } else { "retry" }),
            None,
            one,
        ),
        _ => put(
            Method::POST,
            "/v1/dead/replay".into(),
            Some(json!({ "ids": [dead.parse::<i64>().unwrap()], "dry_run": true })),
            false,
        ),
    }
}

/// What is wrong with the answer.
async fn judged(
    client: &reqwest::Client,
    app: &App,
    tenants: &[Tenant],
    caller: usize,
    asked: Asked,
) -> Option<String> {
    let Asked { method, path, body, foreign } = asked;
    let sent =
        format!("{method} {path} {}", body.as_ref().map_or_else(String::new, Value::to_string));
    let mut request = client.request(method, app.url(&path)).bearer_auth(&tenants[caller].key);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
    let others = || tenants.iter().enumerate().filter(|(n, _)| *n != caller).map(|(_, t)| t);
    let canary = others()
        .any(|t| text.contains(&format!("{}~", t.name)) && !sent.contains(&format!("{}~", t.name)));
    let short = |id: &String| id.len() < 8;
    let known: BTreeSet<&String> = others().flat_map(Tenant::ids).filter(|id| !short(id)).collect();
    let id = known.iter().any(|id| text.contains(id.as_str()) && !sent.contains(id.as_str()));
    let granted = foreign && status != 404;
    let broken = status >= 500;
    (canary || id || granted || broken)
        .then(|| format!("{} asked {sent}: {status} {text}", tenants[caller].name))
}
