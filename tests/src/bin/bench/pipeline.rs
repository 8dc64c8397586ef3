//! Signals per second from stored delivery to classified row, beside the model alone on the same texts.

use std::{sync::Arc, time::Duration};

use millrace_config::Settings;
use millrace_jobs::{
    ctx::Ctx,
    embed,
    queue::{Queue, Runtime},
};
use sqlx::PgPool;
use tokio::time::Instant;

use crate::{report::Report, server};

const SIGNALS: usize = 2_000;

/// What is run in this process: the default model on the given pool.
pub(crate) fn ctx(pool: &PgPool) -> Arc<Ctx> {
    let settings = Settings::from_parts(&millrace_tests::home(), None, std::iter::empty()).unwrap();
    let queue = Queue::new(pool, &settings.queue);
    let embedder = embed::open(&settings).unwrap();
    Arc::new(Ctx::new(pool.clone(), queue, Arc::new(settings), embedder))
}

/// The demo's projects (name, description) and as many texts, no two equal.
fn demo() -> (Vec<(String, String)>, Vec<String>) {
    let path = millrace_tests::root().join("worker/demo/feedback.toml");
    let table: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let (mut projects, mut says) = (Vec::new(), Vec::new());
    for project in table["project"].as_array().unwrap() {
        let text = |key: &str| project[key].as_str().unwrap().to_owned();
        projects.push((text("name"), text("description")));
        says.extend(
            project["says"].as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()),
        );
    }
    let pair = |n: usize| {
        let (a, b) = (&says[n % says.len()], &says[(n / says.len() + n * 7 + 1) % says.len()]);
        format!("{a} {b} ({n})")
    };
    (projects, (0..SIGNALS).map(pair).collect())
}

/// Measure.
pub(crate) async fn run(report: &mut Report) {
    let (projects, texts) = demo();
    let (_pg, db) = server::postgres().await;
    let pool = &db.pool;
    for (name, about) in &projects {
        let mut conn = pool.acquire().await.unwrap();
        millrace_jobs::store::projects::create(&mut conn, server::WORKSPACE, name, Some(about))
            .await
            .unwrap();
    }
    let role = server::role(&db, "serve", &[]).await;
    let sender = server::sender(&role, server::WORKSPACE, "webhook", &[]).await;
    let bodies = texts.iter().map(|text| serde_json::json!({ "verbatim": text }));
    server::send_all(&sender, bodies).await;
    drop(role);

    let ctx = ctx(pool);
    let alone = Instant::now();
    for batch in texts.chunks(64) {
        ctx.embedder.embed(batch.to_vec()).await.unwrap();
    }
    let alone = texts.len() as f64 / alone.elapsed().as_secs_f64();

    let before = Cpu::now(pool).await;
    let start = Instant::now();
    let runtime = Runtime::start(ctx, millrace_worker::JOBS);
    let wanted = i64::try_from(SIGNALS).unwrap();
    millrace_tests::wait_until("all processed", Duration::from_secs(600), async || {
        let done: i64 = sqlx::query_scalar(
            "select count(*) from signals.signals where processed_at is not null",
        )
        .fetch_one(pool)
        .await
        .unwrap();
        (done == wanted).then_some(())
    })
    .await;
    let whole = texts.len() as f64 / start.elapsed().as_secs_f64();
    let after = Cpu::now(pool).await;
    runtime.drain().await;
    report.note(format!(
        "{SIGNALS} texts of two sentences, one model thread, {} projects",
        projects.len()
    ));
    report.row(
        "signals per second, stored event to classified row",
        &format!("{whole:.0}/s"),
        &format!("{alone:.0}/s the model alone ({:.0} %)", 100.0 * whole / alone),
        "",
    );
    let each = |name: &str, seconds: f64, report: &mut Report| {
        let figure = format!("{:.2} ms", 1000.0 * seconds / texts.len() as f64);
        report.row(&format!("CPU per signal: {name}"), &figure, "", "");
    };
    each("the model", after.model - before.model, report);
    each("the worker's other threads", after.others - before.others, report);
    each("Postgres", after.postgres - before.postgres, report);
}

/// CPU seconds used so far.
pub(crate) struct Cpu {
    pub(crate) model: f64,
    pub(crate) others: f64,
    pub(crate) postgres: f64,
}

impl Cpu {
    /// Of this process's threads and of the connections that are open.
    pub(crate) async fn now(pool: &PgPool) -> Self {
        let (mut model, mut others, mut postgres) = (0.0, 0.0, 0.0);
        for task in std::fs::read_dir("/proc/self/task").unwrap() {
            let (name, seconds) = cpu(&task.unwrap().path().join("stat"));
            *if name.starts_with("embed") { &mut model } else { &mut others } += seconds;
        }
        let pids: Vec<i32> =
            sqlx::query_scalar("select pid from pg_stat_activity").fetch_all(pool).await.unwrap();
        for pid in pids {
            postgres += cpu(format!("/proc/{pid}/stat").as_ref()).1;
        }
        Self { model, others, postgres }
    }
}

/// Name and CPU seconds (at 100 ticks per second, as Linux reports them) of a process or thread.
fn cpu(stat: &std::path::Path) -> (String, f64) {
    let line = std::fs::read_to_string(stat).unwrap_or_default();
    let Some((head, rest)) = line.rsplit_once(") ") else { return (String::new(), 0.0) };
    let ticks = rest.split(' ').skip(11).take(2).map(|t| t.parse::<f64>().unwrap()).sum::<f64>();
    (head.split_once('(').map_or("", |(_, name)| name).to_owned(), ticks / 100.0)
}
