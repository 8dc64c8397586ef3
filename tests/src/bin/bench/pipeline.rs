//! Signals per second from stored delivery to classified row, beside the model alone on the same texts.

use std::{sync::Arc, time::Duration};

use millrace_config::{Clock, Settings};
use millrace_jobs::{
    ctx::Ctx,
    embed,
    queue::{Queue, Runtime},
    signals::State,
};
use sqlx::PgPool;
use tokio::time::Instant;

use crate::{
    report::Report,
    server::{Durable, Role},
};

const SIGNALS: usize = 2_000;

/// What is run in this process: the default model on the given pool.
pub(crate) fn ctx(pool: &PgPool) -> Arc<Ctx> {
    let settings = Settings::from_parts(&millrace_tests::home(), None, std::iter::empty()).unwrap();
    Arc::new(Ctx {
        pool: pool.clone(),
        queue: Queue::new(pool, &settings.queue),
        embedder: embed::open(&settings).unwrap(),
        settings: Arc::new(settings),
        clock: Clock::system(),
        signals: State::default(),
        endpoint: None,
    })
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
    let pg = Durable::start().await;
    let (url, pool) = pg.database().await;
    for (name, about) in &projects {
        let mut conn = pool.acquire().await.unwrap();
        millrace_jobs::store::projects::create(&mut conn, "bench", name, Some(about))
            .await
            .unwrap();
    }
    let role = Role::start(&url, "serve", &[]).await;
    let post = role.sender("bench", "webhook", &[]);
    post.send_all(texts.iter().map(|text| serde_json::json!({ "verbatim": text }))).await;
    drop(role);

    let ctx = ctx(&pool);
    let alone = Instant::now();
    for batch in texts.chunks(64) {
        ctx.embedder.embed(batch.to_vec()).await.unwrap();
    }
    let alone = texts.len() as f64 / alone.elapsed().as_secs_f64();

    let start = Instant::now();
    let runtime = Runtime::start(ctx, millrace_worker::JOBS);
    let wanted = i64::try_from(SIGNALS).unwrap();
    millrace_tests::wait_until("all processed", Duration::from_secs(600), async || {
        let done: i64 = sqlx::query_scalar(
            "select count(*) from signals.signals where processed_at is not null",
        )
        .fetch_one(&pool)
        .await
        .unwrap();
        (done == wanted).then_some(())
    })
    .await;
    let whole = texts.len() as f64 / start.elapsed().as_secs_f64();
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
}
