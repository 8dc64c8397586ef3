use std::time::Duration;

use serde_json::Value;

use crate::{App, Pg, Sender, reliability::Figure, wait_until};

const SOON: Duration = Duration::from_secs(120);

/// R35: what the shipped demo and `times` more deliveries became is what today's code makes of their bytes; a field map
/// that is changed shows in exactly the events of its source, and reading them again settles it.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let db = Pg::database().await;
    let app = App::new(&db, &["up", "--demo"]).ready().await;
    let map = r#"{"verbatim": "/said"}"#;
    let mapped =
        Sender::add(&app, "acme", "webhook", &["--name", "mapped", "--field-map", map]).await;
    let plain = Sender::add(&app, "acme", "webhook", &["--name", "plain"]).await;
    for n in 0..usize::try_from(times).unwrap() {
        let mut body = Sender::feedback(n);
        plain.send("", &body).await;
        body["said"] = format!("Said {n}").into();
        body["meant"] = format!("Meant {n}").into();
        mapped.send("", &body).await;
    }
    wait_until("all to be read", SOON, async || {
        let waiting: i64 = sqlx::query_scalar(
            "select count(*) from ops.events where state = 'stored' or (select count(*) from ops.events) < 100",
        )
        .fetch_one(&db.pool)
        .await
        .unwrap();
        (waiting == 0).then_some(())
    })
    .await;
    let before = check(&app).await;
    let map = r#"{"verbatim": "/meant"}"#;
    app.run_json(&["--json", "source", "set", mapped.id(), "--field-map", map]).await;
    let changed = check(&app).await;
    let all_of_it = changed["differences"].as_array().unwrap();
    let only_its = all_of_it.iter().all(|d| d["source_id"] == mapped.id());
    app.run_json(&["--json", "events", "replay", "--source", mapped.id()]).await;
    // The worker may still know the source as it was.
    let after = wait_until("the replay", SOON, async || {
        let now = check(&app).await;
        if now["different"] != 0 {
            app.run_json(&["--json", "events", "replay", "--source", mapped.id()]).await;
        }
        (now["different"] == 0).then_some(now)
    })
    .await;
    let sources: i64 = sqlx::query_scalar("select count(distinct kind) from ops.sources")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    let figure = format!(
        "{} events of {sources} kinds of source read again: {} as before; with another field map for {times} of them {} \
         are listed, all of that source: {only_its}; after a replay {} differ",
        before["checked"], before["same"], changed["different"], after["different"],
    );
    let kept = before["same"] == before["checked"]
        && before["unknown"] == 0
        && changed["different"] == times
        && only_its;
    vec![Figure::new("R35", kept, figure)]
}

/// Its exit code is 1 when something differs.
async fn check(app: &App) -> Value {
    let done = app.run(&["--json", "events", "replay", "--all", "--check"]).await;
    let checked: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(done.status.success(), checked["different"] == 0, "{}", done.stderr);
    checked
}
