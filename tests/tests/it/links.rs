//! People's word on links: obeyed, remembered, learned from, and kept within the tenant.

use std::sync::Arc;

use millrace_jobs::{
    ctx::Ctx,
    queue::{Job, LeaseId, Leased, Verdict},
    signals::{
        links::{Answer, Linked, Project, Request, accept, dismiss, link, link_all, unlink},
        process::Process,
        profile::Profile,
    },
    store::{projects, suggestions},
};
use millrace_tests::{Database, Pg, rig};

async fn setup(db: &Database) -> (Arc<Ctx>, String, String) {
    for id in ["w", "other"] {
        sqlx::query("insert into signals.workspaces (id, name) values ($1, $1)")
            .bind(id)
            .execute(&db.pool)
            .await
            .unwrap();
    }
    let mut conn = db.pool.acquire().await.unwrap();
    let about = Some("offline job sheets sync without connection");
    let ours = projects::create(&mut conn, "w", "Offline sheets", about).await.unwrap();
    let theirs = projects::create(&mut conn, "other", "Offline sheets", about).await.unwrap();
    (rig::ctx(&db.pool, rig::settings()), ours.id, theirs.id)
}

async fn signal(db: &Database, id: &str, text: &str) {
    sqlx::query(
        "insert into signals.signals (id, workspace_id, source, verbatim, content_hash) values ($1, 'w', 'paste', $2, $3)",
    )
    .bind(id)
    .bind(text)
    .bind(millrace_jobs::embed::content_hash(text).to_vec())
    .execute(&db.pool)
    .await
    .unwrap();
}

fn lease<J>(job: J) -> Leased<J> {
    Leased {
        id: LeaseId { job: -1, attempt: 1 },
        workspace_id: "w".into(),
        trace_id: None,
        attempts_before: 0,
        job,
    }
}

async fn process(ctx: &Arc<Ctx>, id: &str) {
    let verdicts = Process::run(ctx.clone(), vec![lease(Process { signal_id: id.into() })]).await;
    assert!(matches!(verdicts[..], [Verdict::Committed]), "{verdicts:?}");
}

async fn status(db: &Database, id: &str) -> String {
    sqlx::query_scalar("select status from signals.signals where id = $1")
        .bind(id)
        .fetch_one(&db.pool)
        .await
        .unwrap()
}

async fn open(db: &Database) -> Vec<(String, String)> {
    let all = suggestions::list(&db.pool, "w", None, 0.05, 0.05, 50).await.unwrap();
    all.into_iter().map(|s| (s.signal_id, s.project_id)).collect()
}

fn request<'a>(signal_id: &'a str, project_id: &'a str) -> Request<'a> {
    Request { workspace_id: "w", signal_id, project_id, actor: "key" }
}

#[tokio::test]
async fn links_by_hand_are_idempotent_and_stay_within_the_tenant() {
    let db = Pg::database().await;
    let (ctx, ours, theirs) = setup(&db).await;
    signal(&db, "a", "zebra crossing umbrella tangerine").await;
    let mut conn = db.pool.acquire().await.unwrap();
    let asked = [
        (
            link(&mut conn, &ctx.queue, request("a", &theirs), None).await.unwrap(),
            Answer::NotFound,
            "new",
        ),
        (
            accept(&mut conn, &ctx.queue, request("a", &theirs)).await.unwrap(),
            Answer::NotFound,
            "new",
        ),
        (
            dismiss(&mut conn, &ctx.queue, request("a", &theirs)).await.unwrap(),
            Answer::NotFound,
            "new",
        ),
        (
            unlink(&mut conn, &ctx.queue, request("a", &ours)).await.unwrap(),
            Answer::Unchanged,
            "new",
        ),
    ];
    for (got, expected, state) in asked {
        assert_eq!(got, expected);
        assert_eq!(status(&db, "a").await, state);
    }
    let foreign = Request { workspace_id: "other", ..request("a", &theirs) };
    assert_eq!(link(&mut conn, &ctx.queue, foreign, None).await.unwrap(), Answer::NotFound);
    let why = Some("read it");
    assert_eq!(
        link(&mut conn, &ctx.queue, request("a", &ours), why).await.unwrap(),
        Answer::Changed
    );
    assert_eq!(
        link(&mut conn, &ctx.queue, request("a", &ours), why).await.unwrap(),
        Answer::Unchanged
    );
    assert_eq!(status(&db, "a").await, "linked");
    assert_eq!(unlink(&mut conn, &ctx.queue, request("a", &ours)).await.unwrap(), Answer::Changed);
    assert_eq!(
        unlink(&mut conn, &ctx.queue, request("a", &ours)).await.unwrap(),
        Answer::Unchanged
    );
    assert_eq!(status(&db, "a").await, "reviewed");
    let profile: (i64, i32) = sqlx::query_as(
        "select version, linked_count from signals.project_profiles where project_id = $1",
    )
    .bind(&ours)
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!(profile, (3, 0), "created, linked, unlinked");
    let jobs: i64 =
        sqlx::query_scalar("select count(*) from ops.jobs where kind = 'signals.profile'")
            .fetch_one(&db.pool)
            .await
            .unwrap();
    assert_eq!(jobs, 1, "changes are answered together");
}

#[tokio::test]
async fn many_links_are_one_request_and_learned_from_once() {
    let db = Pg::database().await;
    let (ctx, ours, theirs) = setup(&db).await;
    signal(&db, "a", "tablet tunnel reception spinner forever").await;
    signal(&db, "b", "spinner forever tablet reception tunnel again").await;
    signal(&db, "sure", "offline job sheets sync without connection").await;
    for id in ["a", "b", "sure"] {
        process(&ctx, id).await;
    }
    assert_eq!(status(&db, "b").await, "new");
    let mut conn = db.pool.acquire().await.unwrap();
    let all = ["sure", "nobody", "a", "a"].map(str::to_owned);
    let project = Project { workspace_id: "w", project_id: &ours, actor: "key" };
    let first = link_all(&mut conn, &ctx.queue, project, &all).await.unwrap();
    let unknown = vec!["nobody".to_owned()];
    assert_eq!(first, Linked { linked: 2, unchanged: 0, unknown: unknown.clone() });
    let again = link_all(&mut conn, &ctx.queue, project, &all).await.unwrap();
    assert_eq!(again, Linked { linked: 0, unchanged: 2, unknown });
    let foreign = Project { project_id: &theirs, ..project };
    let refused = link_all(&mut conn, &ctx.queue, foreign, &all).await.unwrap();
    assert_eq!((refused.linked, refused.unchanged), (0, 0));
    let rows: (i64, i64, i64) = sqlx::query_as(
        "select (select count(*) from signals.signal_projects where origin = 'manual'),
                (select count(*) from signals.activity_logs where action = 'signal.linked' and actor_id = 'key'),
                (select count(*) from ops.jobs where kind = 'signals.profile')",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!(rows, (2, 2, 1), "also the automatic link is a person's now");
    let verdicts = Profile::run(ctx.clone(), vec![lease(Profile {})]).await;
    assert!(matches!(verdicts[..], [Verdict::Committed]), "{verdicts:?}");
    assert_eq!(status(&db, "b").await, "linked", "what is like a linked signal follows it");
}

#[tokio::test]
async fn a_dismissed_project_is_never_suggested_again() {
    let db = Pg::database().await;
    let (ctx, ours, _) = setup(&db).await;
    signal(&db, "a", "offline job sheets sync without connection").await;
    process(&ctx, "a").await;
    assert_eq!(status(&db, "a").await, "linked");
    let mut conn = db.pool.acquire().await.unwrap();
    assert_eq!(dismiss(&mut conn, &ctx.queue, request("a", &ours)).await.unwrap(), Answer::Changed);
    assert_eq!(status(&db, "a").await, "reviewed", "the automatic link is taken back");
    assert!(open(&db).await.is_empty());
    let verdicts = Profile::run(ctx.clone(), vec![lease(Profile {})]).await;
    assert!(matches!(verdicts[..], [Verdict::Committed]), "{verdicts:?}");
    assert!(open(&db).await.is_empty());
    assert_eq!(status(&db, "a").await, "reviewed", "also when everything is scored anew");
}

#[tokio::test]
async fn an_automatic_link_that_a_person_takes_away_stays_away() {
    let db = Pg::database().await;
    let (ctx, ours, _) = setup(&db).await;
    signal(&db, "a", "offline job sheets sync without connection").await;
    process(&ctx, "a").await;
    assert_eq!(status(&db, "a").await, "linked");
    let mut conn = db.pool.acquire().await.unwrap();
    assert_eq!(unlink(&mut conn, &ctx.queue, request("a", &ours)).await.unwrap(), Answer::Changed);
    let verdicts = Profile::run(ctx.clone(), vec![lease(Profile {})]).await;
    assert!(matches!(verdicts[..], [Verdict::Committed]), "{verdicts:?}");
    assert_eq!(status(&db, "a").await, "reviewed", "also when everything is scored anew");
    let judged = "select count(*) from signals.suggestion_feedback where verdict = 'dismissed' and confidence > 0.85";
    assert_eq!(db.count(judged).await, 1, "and it is learned from");
}

#[tokio::test]
async fn accepted_suggestions_and_new_words_move_the_profile() {
    let db = Pg::database().await;
    let (ctx, ours, _) = setup(&db).await;
    signal(&db, "a", "tablet tunnel reception spinner forever").await;
    signal(&db, "b", "spinner forever tablet reception tunnel again").await;
    process(&ctx, "a").await;
    process(&ctx, "b").await;
    assert_eq!(status(&db, "b").await, "new");
    let mut conn = db.pool.acquire().await.unwrap();
    assert_eq!(accept(&mut conn, &ctx.queue, request("a", &ours)).await.unwrap(), Answer::Changed);
    let verdicts = Profile::run(ctx.clone(), vec![lease(Profile {})]).await;
    assert!(matches!(verdicts[..], [Verdict::Committed]), "{verdicts:?}");
    assert_eq!(status(&db, "b").await, "linked", "what is like an accepted signal follows it");

    signal(&db, "c", "invoices payment reminders bank totals").await;
    process(&ctx, "c").await;
    assert_eq!(status(&db, "c").await, "new");
    let about = Some("invoices payment reminders bank totals");
    projects::update(&mut conn, "w", &ours, None, about, None).await.unwrap().unwrap();
    Profile::run(ctx.clone(), vec![lease(Profile {})]).await;
    assert_eq!(status(&db, "c").await, "linked", "a new description finds its signals");

    let like = suggestions::similar(&mut conn, "w", "a", 10).await.unwrap().unwrap();
    assert_eq!(like[0].signal_id, "b");
    assert!(suggestions::similar(&mut conn, "other", "a", 10).await.unwrap().is_none());
}
