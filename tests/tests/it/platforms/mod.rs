//! Social platforms: what they deliver, and what is fetched of them.

mod account;
mod budgets;
mod looks;
mod polling;
mod rechecks;
mod replies;
mod streaming;
mod trouble;
mod webhooks;

use std::time::Duration;

use millrace_tests::{App, Database, Sender, platforms::Platform};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(40);

/// A source of a kind that asks a fake platform, every second.
async fn source(app: &App, platform: &Platform, kind: &str, more: Value) -> Sender {
    let mut options = json!({ "api_url": platform.url, "auth_url": platform.url, "interval_s": 1, "first_s": 600_000 });
    for (name, value) in more.as_object().unwrap() {
        options[name] = value.clone();
    }
    let options = options.to_string();
    let mut arguments = vec!["--options", &*options];
    let bearer = format!("bearer={}", platform.token());
    let access = format!("access_token={}", platform.token());
    match kind {
        "x" => arguments.extend(["--credential", &bearer]),
        "reddit" => arguments.extend([
            "--credential",
            "client_id=reddit-app-id",
            "--credential",
            "client_secret=reddit-app-secret",
        ]),
        _ => arguments.extend(["--credential", &access]),
    }
    Sender::add(app, "acme", kind, &arguments).await
}

/// A worker that may call machines of its own network, with a breaker that does not last.
fn worker(db: &Database) -> App {
    App::new(db, &["work"])
        .env("MILLRACE__POLL__ALLOW_PRIVATE_ADDRESSES", "true")
        .env("MILLRACE__POLL__BREAKER_OPEN_S", "1")
        .env("MILLRACE__SOCIAL__PROFILE", "vita")
        .env("MILLRACE__QUEUE__CRASHES_MAX", "100")
        .env("MILLRACE__QUEUE__LEASE_MS", "1500")
        .env("MILLRACE__QUEUE__HEARTBEAT_MS", "400")
}

/// Ids of all posts, and how many pages there are.
async fn stored(db: &Database) -> (Vec<String>, i64) {
    let ids = sqlx::query_scalar(
        "select platform_post_id from social.posts order by platform_post_id collate \"C\"",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    (ids, db.count("select count(*) from ops.event_bodies").await)
}

/// What `social status` says of the only query.
async fn status(app: &App) -> Value {
    app.run_json(&["--json", "social", "status"]).await[0].clone()
}

async fn poll(app: &App) {
    app.run_json(&["--json", "social", "poll"]).await;
}

/// Poll until all posts of the platform are stored.
async fn all_there(app: &App, db: &Database, platform: &Platform) {
    let mut wanted = platform.ids();
    wanted.sort_unstable();
    millrace_tests::wait_until("every post is stored", SOON, async || {
        poll(app).await;
        (stored(db).await.0 == wanted).then_some(())
    })
    .await;
}
