//! Pushes through the real binary: stored once, one run for however many, searchable over HTTP by whom it concerns.

use std::time::Duration;

use millrace_tests::{Answer, App, Checkout, Database, Pg, Sender, client, wait_until};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(30);

async fn app(db: &Database) -> App {
    App::new(db, &["all"]).env("MILLRACE__CODEBASE__ALLOW_LOCAL", "true").ready().await
}

async fn said(github: &Sender, id: &str, event: &str, body: &Value) -> Answer {
    github.github(id, event, body).await.unwrap()
}

/// Until the index of the project shows this commit and nothing is left to do.
async fn shown(db: &Database, commit: &str) {
    wait_until("the commit to be shown", SOON, async || {
        let done: bool = sqlx::query_scalar(
            "select count(*) = 1 and (select count(*) from ops.jobs where kind = 'codebase.index') = 0
             from factory.codebase_connections
             where last_indexed_commit = $1 and target_commit = $1 and index_status = 'completed'",
        )
        .bind(commit)
        .fetch_one(&db.pool)
        .await
        .unwrap();
        done.then_some(())
    })
    .await;
}

async fn key(app: &App, workspace: &str, scopes: &str) -> String {
    let made =
        app.run_json(&["--json", "key", "add", "--workspace", workspace, "--scopes", scopes]).await;
    made["key"].as_str().unwrap().to_owned()
}

async fn ask(app: &App, key: &str, body: Value) -> (u16, Value) {
    let request = client().post(app.url("/v1/search/code")).bearer_auth(key).json(&body);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn a_push_is_searchable_and_a_hundred_are_two_runs() {
    let db = Pg::database().await;
    let app = app(&db).await;
    let github = Sender::add(&app, "acme", "github", &[]).await;
    let checkout = Checkout::new();
    checkout.write("src/harbour.rs", "/// Where boats lie at night.\nfn harbour() {}\n");
    let first = checkout.commit("first");
    checkout.connect(&db.pool, "acme", "points").await;
    let answer = said(&github, "d-1", "push", &checkout.push()).await;
    assert_eq!((answer.status, &answer.body["duplicate"]), (202, &json!(false)));
    let again = said(&github, "d-1", "push", &checkout.push()).await;
    assert_eq!((again.status, &again.body["duplicate"]), (202, &json!(true)));
    shown(&db, &first).await;

    checkout.write("src/lighthouse.rs", "/// Shows boats the way.\nfn lighthouse() {}\n");
    let second = checkout.commit("second");
    let runs = || db.count("select count(*) from factory.job_runs");
    let before = runs().await;
    for nth in 0..100 {
        let answer = said(&github, &format!("e-{nth}"), "push", &checkout.push()).await;
        assert_eq!(answer.status, 202);
    }
    shown(&db, &second).await;
    let after = runs().await - before;
    assert!((1..=100).contains(&after), "{after} runs");
    let wrong = "select count(*) from factory.job_runs where status <> 'completed' or output ->> 'commit' is null";
    assert_eq!(db.count(wrong).await, 0);
    assert_eq!(db.count("select count(*) from factory.activities").await, 2, "one for each commit");

    let (status, found) =
        ask(&app, &key(&app, "acme", "search").await, json!({ "query": "lighthouse" })).await;
    assert_eq!(
        (status, &found["items"][0]["filePath"]),
        (200, &json!("src/lighthouse.rs")),
        "{found}"
    );
}

#[tokio::test]
async fn what_belongs_to_others_is_not_there() {
    let db = Pg::database().await;
    let app = app(&db).await;
    let github = Sender::add(&app, "acme", "github", &[]).await;
    let foreign = Sender::add(&app, "other", "github", &[]).await;
    let checkout = Checkout::new();
    checkout.write("a.rs", "fn secret_of_acme() {}\n");
    let commit = checkout.commit("first");
    checkout.connect(&db.pool, "acme", "points").await;
    // A push that another tenant's source tells is about nothing.
    assert_eq!(said(&foreign, "f-1", "push", &checkout.push()).await.status, 202);
    wait_until("the push to be read", SOON, async || {
        (db.count("select count(*) from ops.events where state = 'normalized'").await == 1)
            .then_some(())
    })
    .await;
    assert_eq!(
        db.count(
            "select count(*) from factory.codebase_connections where target_commit is not null"
        )
        .await,
        0
    );
    said(&github, "g-1", "push", &checkout.push()).await;
    shown(&db, &commit).await;

    let question = json!({ "query": "secret_of_acme" });
    let (status, found) = ask(&app, &key(&app, "acme", "search").await, question.clone()).await;
    assert_eq!((status, found["items"].as_array().unwrap().len()), (200, 1));
    let (status, _) = ask(&app, &key(&app, "other", "search").await, question.clone()).await;
    assert_eq!(status, 404);
    let (status, _) = ask(&app, &key(&app, "acme", "read").await, question).await;
    assert_eq!(status, 403);
    for bad in [
        json!({ "query": " " }),
        json!({ "query": "x", "limit": 0 }),
        json!({ "query": "x", "minScore": 2 }),
        json!({ "query": "x", "symbolType": "spell" }),
        json!({ "query": "x", "nonsense": 1 }),
    ] {
        let (status, answer) = ask(&app, &key(&app, "acme", "search").await, bad.clone()).await;
        assert_eq!(status, 400, "{bad}: {answer}");
    }
    let (status, _) =
        ask(&app, &key(&app, "acme", "search").await, json!({ "query": "x", "project": "none" }))
            .await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn missed_pushes_are_found_and_taken_access_is_respected() {
    let db = Pg::database().await;
    let app = app(&db).await;
    let github = Sender::add(&app, "acme", "github", &[]).await;
    let checkout = Checkout::new();
    checkout.write("a.rs", "fn a() {}\n");
    let first = checkout.commit("first");
    checkout.connect(&db.pool, "acme", "points").await;
    let reconcile = async || {
        sqlx::query("insert into ops.jobs (workspace_id, kind, attempts_max, payload) values ('', 'codebase.reconcile', 3, '{}')")
            .execute(&db.pool)
            .await
            .unwrap();
        wait_until("the reconciler", SOON, async || {
            (db.count("select count(*) from ops.jobs where kind = 'codebase.reconcile'").await == 0)
                .then_some(())
        })
        .await;
    };
    let shows = async |commit: &str| {
        wait_until("the commit", SOON, async || {
            let shown: Option<String> =
                sqlx::query_scalar("select last_indexed_commit from factory.codebase_connections")
                    .fetch_one(&db.pool)
                    .await
                    .unwrap();
            (shown.as_deref() == Some(commit)).then_some(())
        })
        .await;
    };
    reconcile().await;
    shows(&first).await;
    checkout.write("b.rs", "fn b() {}\n");
    let second = checkout.commit("second");
    reconcile().await;
    shows(&second).await;

    let installation = |action: &str| json!({ "action": action, "installation": { "id": 7 } });
    said(&github, "i-1", "installation", &installation("suspend")).await;
    wait_until("suspended", SOON, async || {
        let sql =
            "select count(*) from factory.codebase_connections where suspended_at is not null";
        (db.count(sql).await == 1).then_some(())
    })
    .await;
    checkout.write("c.rs", "fn c() {}\n");
    let third = checkout.commit("third");
    said(&github, "p-3", "push", &checkout.push()).await;
    wait_until("the run to be refused, not failed", SOON, async || {
        let sql = "select count(*) from ops.job_history where kind = 'codebase.index' and outcome = 'cancelled'";
        (db.count(sql).await == 1).then_some(())
    })
    .await;
    said(&github, "i-2", "installation", &installation("unsuspend")).await;
    shows(&third).await;

    said(&github, "i-3", "installation", &installation("deleted")).await;
    wait_until("disconnected", SOON, async || {
        let sql = "select count(*) from factory.codebase_connections where disabled_at is not null";
        (db.count(sql).await == 1).then_some(())
    })
    .await;
    let chunks = || db.count("select count(*) from factory.code_chunks");
    reconcile().await;
    assert_eq!(chunks().await, 3, "within the grace");
    sqlx::query("update factory.codebase_connections set disabled_at = now() - interval '8 days'")
        .execute(&db.pool)
        .await
        .unwrap();
    reconcile().await;
    assert_eq!(chunks().await, 0);
}
