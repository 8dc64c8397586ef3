//! Experiments on decisions, through the real binary and on a real Postgres: who takes part, how they end, what comes of it.

mod ends;
mod people;

use std::{collections::BTreeMap, time::Duration};

use millrace_tests::{App, Database, Pg, Sender, social::x_post, wait_until};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(40);
/// Ours to the last word, so that each post is decided upon.
const TEXT: &str = "so hungover, what helps?";

/// An experiment that runs since three weeks, with `n` authors of three weeks to ten days ago, every second of them in B.
/// Of a hundred authors `a` clicked in A and `b` in B, and of `harm` in B the reply was removed. All from a hash of
/// their number, so that every run has the same.
async fn planted(db: &Database, id: &str, n: i32, [a, b, harm]: [f64; 3]) {
    sqlx::raw_sql(
        "insert into signals.workspaces (id, name) values ('w', 'W') on conflict do nothing;
         insert into social.authors (workspace_id, id, platform, platform_id, handle)
           values ('w', 'old', 'TWITTER', '7', 'old') on conflict do nothing;
         insert into social.posts (workspace_id, id, platform, platform_post_id, author_id, content, processed_at)
           values ('w', 'old', 'TWITTER', 'old', 'old', 'what helps?', now()) on conflict do nothing;",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    sqlx::query(
        "insert into social.experiments (workspace_id, id, name, variant_a, variant_b, metric, status, start_date, end_date)
         values ('w', $1, $1, '{}', '{\"thresholds\": {\"composite_engage\": 0.31}}', 'engagement', 'RUNNING',
                 now() - interval '21 days', now() + interval '7 days')",
    )
    .bind(id)
    .execute(&db.pool)
    .await
    .unwrap();
    came(db, id, 1, n, [a, b, harm]).await;
}

/// Authors `first..=last` of it.
async fn came(db: &Database, id: &str, first: i32, last: i32, [a, b, harm]: [f64; 3]) {
    sqlx::query(
        "insert into social.experiment_assignments (workspace_id, experiment_id, unit_id, variant, propensity, assigned_at, decision_id)
         select 'w', $1, $1 || '-u' || n, case when n % 2 = 0 then 'B' else 'A' end, 0.5,
                now() - interval '21 days' + n * interval '1 minute', $1 || '-d' || n
         from generate_series($2::int, $3::int) n",
    )
    .bind(id)
    .bind(first)
    .bind(last)
    .execute(&db.pool)
    .await
    .unwrap();
    sqlx::query(
        "insert into social.replies (workspace_id, id, decision_id, decision_snapshot, content, platform, platform_post_id,
           approval_status, posted_at, deleted_at)
         select 'w', $1 || '-r' || n, $1 || '-d' || n, '{}', 'a reply of ten words', 'TWITTER', $1 || '-r' || n, 'APPROVED',
                now() - interval '21 days' + n * interval '1 minute',
                case when n % 2 = 0 and ('x' || substr(md5('harm ' || n), 1, 8))::bit(32)::bigint < 42949672.96 * $4 then now() end
         from generate_series($2::int, $3::int) n",
    )
    .bind(id)
    .bind(first)
    .bind(last)
    .bind(harm)
    .execute(&db.pool)
    .await
    .unwrap();
    sqlx::query(
        "insert into social.click_events (workspace_id, external_id, reply_id, occurred_at)
         select 'w', $1 || '-c' || n, $1 || '-r' || n, now() - interval '20 days'
         from generate_series($2::int, $3::int) n
         where ('x' || substr(md5('click ' || n), 1, 8))::bit(32)::bigint < 42949672.96 * case when n % 2 = 0 then $5 else $4 end",
    )
    .bind(id)
    .bind(first)
    .bind(last)
    .bind(a)
    .bind(b)
    .execute(&db.pool)
    .await
    .unwrap();
}

async fn experiment(app: &App, args: &[&str]) -> Value {
    app.run_json(&[&["--json", "experiment", "--workspace", "w"], args].concat()).await
}

/// A post by each author, decided upon.
async fn posts(db: &Database, x: &Sender, first: u64, authors: &[String]) {
    for (id, author) in (first..).zip(authors) {
        let answer = x.send("", &x_post(id, author, 10, TEXT)).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
    }
    wait_until("the decisions", SOON, async || {
        let done: bool = sqlx::query_scalar(
            "select not exists (select from ops.jobs where kind in ('normalize', 'social.decide'))
                and not exists (select from ops.events where state <> 'normalized')",
        )
        .fetch_one(&db.pool)
        .await
        .unwrap();
        done.then_some(())
    })
    .await;
}

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
struct Part {
    handle: String,
    variant: Option<String>,
    propensity: Option<f64>,
    engage: f64,
}

/// What the last decision on each author was made from.
async fn parts(db: &Database) -> BTreeMap<String, Part> {
    let all: Vec<Part> = sqlx::query_as(
        "select a.handle, e.features #>> '{experiment,variant}' as variant, (e.features #>> '{experiment,propensity}')::float8 as propensity,
                (e.features #>> '{thresholds,composite_engage}')::float8 as engage
         from social.decision_exposures e join social.decisions d on d.id = e.decision_id
         join social.posts p on p.id = d.post_id join social.authors a on a.id = p.author_id
         order by e.created_at, e.decision_id",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    all.into_iter().map(|part| (part.handle.clone(), part)).collect()
}

#[tokio::test]
async fn authors_stay_in_their_variant_whatever_becomes_of_the_split() {
    let db = Pg::database().await;
    let app = App::new(&db, &["all"]).env("MILLRACE__SOCIAL__PROFILE", "vita").ready().await;
    let x = Sender::add(&app, "w", "x", &[]).await;
    let made =
        ["create", "--name", "sooner", "--set", "composite_engage=0.31", "--fixed", "--start"];
    assert_eq!(experiment(&app, &made).await["status"], "RUNNING");
    let authors: Vec<String> = (0..16).map(|n| format!("first{n}")).collect();
    posts(&db, &x, 1, &authors).await;
    let first = parts(&db).await;
    let variants: Vec<&str> = first.values().filter_map(|part| part.variant.as_deref()).collect();
    assert!(
        variants.len() == 16 && variants.contains(&"A") && variants.contains(&"B"),
        "{first:?}"
    );
    for part in first.values() {
        assert_eq!(part.propensity, Some(0.5));
        let engage = if part.variant.as_deref() == Some("B") { 0.31 } else { 0.4 };
        assert!((part.engage - engage).abs() < 1e-9, "{part:?}");
    }
    let logged = "select count(*) from social.experiment_assignments a
                  join social.decision_exposures e on e.decision_id = a.decision_id
                  where a.variant = e.features #>> '{experiment,variant}' and a.propensity = 0.5 and a.assigned_at = e.created_at";
    assert_eq!(db.count(logged).await, 16);

    // Nearly everybody who comes now gets A; who was there before stays, with the probability of then.
    sqlx::raw_sql("update social.experiments set traffic_split = 0.8")
        .execute(&db.pool)
        .await
        .unwrap();
    let later: Vec<String> = (0..16).map(|n| format!("later{n}")).collect();
    posts(&db, &x, 100, &[authors, later].concat()).await;
    let now = parts(&db).await;
    for (author, before) in &first {
        assert_eq!(&now[author], before);
    }
    for part in now.values().filter(|part| part.handle.starts_with("later")) {
        let share = if part.variant.as_deref() == Some("A") { 0.8 } else { 0.2 };
        assert!((part.propensity.unwrap() - share).abs() < 1e-9, "{part:?}");
    }
    assert_eq!(db.count("select count(*) from social.experiment_assignments").await, 32);
    let verified = app.run_json(&["--json", "decisions", "verify"]).await;
    assert_eq!((&verified["decisions"], &verified["differ"]), (&48.into(), &Value::Array(vec![])));

    // Paused: nobody takes part; again: those who did are where they were.
    experiment(&app, &["pause", "sooner"]).await;
    let one = [first.keys().next().unwrap().clone()];
    posts(&db, &x, 200, &one).await;
    assert_eq!(parts(&db).await[&one[0]].variant, None);
    experiment(&app, &["start", "sooner"]).await;
    posts(&db, &x, 201, &one).await;
    assert_eq!(parts(&db).await[&one[0]], first[&one[0]]);
}

#[tokio::test]
async fn what_changes_what_it_may_not_takes_nobody() {
    let db = Pg::database().await;
    let app = App::new(&db, &["all"]).env("MILLRACE__SOCIAL__PROFILE", "vita").ready().await;
    let x = Sender::add(&app, "w", "x", &[]).await;
    // By a program that did not ask us.
    sqlx::raw_sql(
        "insert into social.experiments (workspace_id, name, variant_a, variant_b, metric, status)
         values ('w', 'braver', '{}', '{\"thresholds\": {\"distress_stop\": 0.99}}', 'ctr', 'RUNNING')",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    posts(&db, &x, 1, &["ann".to_owned()]).await;
    assert_eq!(parts(&db).await["ann"].variant, None);
    assert_eq!(db.count("select count(*) from social.experiment_assignments").await, 0);
}

#[tokio::test]
async fn who_was_assigned_otherwise_meanwhile_is_decided_upon_again() {
    let db = Pg::database().await;
    let app = App::new(&db, &["all"])
        .env("MILLRACE__SOCIAL__PROFILE", "vita")
        .env("MILLRACE__QUEUE__RETRY_BASE_MS", "50")
        .ready()
        .await;
    let x = Sender::add(&app, "w", "x", &[]).await;
    experiment(&app, &["create", "--name", "sooner", "--set", "composite_engage=0.31", "--start"])
        .await;
    // Another worker, with another split, is a moment earlier; its transaction commits, as ours is not to.
    sqlx::raw_sql(
        "create sequence earlier; grant usage on sequence earlier to public;
         create function earlier() returns trigger language plpgsql security definer as $$
         begin
           if nextval('earlier') = 1 then
             insert into social.experiment_assignments (workspace_id, experiment_id, unit_id, variant, propensity)
               select 'w', new.experiment_id, p.author_id, case new.experiment_variant when 'A' then 'B' else 'A' end, 0.7
               from social.posts p where p.id = new.post_id;
           end if;
           return new;
         end $$;
         create trigger earlier before insert on social.decisions for each row execute function earlier();",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    posts(&db, &x, 1, &["ann".to_owned()]).await;
    assert_eq!(db.count("select last_value from earlier").await, 2, "not decided twice");
    assert_eq!(db.count("select count(*) from social.decisions").await, 1);
    let agrees = "select count(*) from social.decisions d join social.experiment_assignments a on a.decision_id = d.id
                  where a.variant = d.experiment_variant";
    assert_eq!(db.count(agrees).await, 1);
}
