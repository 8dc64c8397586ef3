//! Keywords learn from what came of the posts that they found; what people approve of it finds posts, through the real
//! binary.

use std::{sync::Arc, time::Duration};

use millrace_jobs::{
    learning::night::Learn,
    queue::{Job, LeaseId, Leased, Verdict},
    social::brand,
};
use millrace_tests::{App, Database, Pg, Sender, rig, social::x_post, wait_until};
use serde_json::Value;

const NIGHT: &str = "2026-06-01T02:00:00Z";

/// Everything of the file beside, before `at`; "last straw" and "black friday" are on trial.
async fn house(at: &str) -> (Database, App) {
    let db = Pg::database().await;
    let app = App::new(&db, &[]);
    let neutral = brand::read("neutral").unwrap().profile;
    let categories = neutral.taxonomy.categories().iter();
    let terms = categories.flat_map(|of| of.terms.iter().chain(&of.common)).cloned();
    let tried = ["last straw", "black friday"].map(str::to_owned);
    let terms: Vec<String> = terms.chain(tried.clone()).collect();
    sqlx::query("insert into signals.workspaces (id, name) values ('w', 'W')")
        .execute(&db.pool)
        .await
        .unwrap();
    sqlx::query(include_str!("learning_keywords.sql"))
        .bind(at.parse::<chrono::DateTime<chrono::Utc>>().unwrap())
        .bind(&terms)
        .execute(&db.pool)
        .await
        .unwrap();
    sqlx::query(
        "insert into social.keyword_changes (workspace_id, version, term, what, category, share, created_at, effective_from, approved_by)
         select 'w', nth, term, 'ADD', 'complains', 0.1, '2026-01-01', '2026-01-01', 'ann'
         from unnest($1::text[]) with ordinality t (term, nth)",
    )
    .bind(&tried[..])
    .execute(&db.pool)
    .await
    .unwrap();
    (db, app)
}

async fn learn(app: &App, args: &[&str]) -> Value {
    app.run_json(&[&["--json", "learn", "--workspace", "w"], args].concat()).await
}

async fn keywords(app: &App, args: &[&str]) -> Value {
    learn(app, &[&["keywords"], args].concat()).await
}

fn of<'a>(report: &'a Value, term: &str) -> &'a Value {
    let all = report["keywords"].as_array().unwrap();
    all.iter().find(|one| one["term"] == term).unwrap()
}

/// What a night makes of it.
async fn changed(db: &Database) {
    for (count, rows) in [
        ("select count(*) from social.keyword_changes", 6),
        ("select count(*) from social.keyword_changes where term = 'waste of money' and what = 'RETIRE' and approved_by is null
            and run_id is not null", 1),
        ("select count(*) from social.keyword_changes where term = 'need help with' and what = 'RAISE' and approved_by = 'learning'
            and effective_to is null", 1),
        ("select count(*) from social.keyword_changes where term = 'last straw' and share = 0.1 and ended_by = 'learning'", 1),
        ("select count(*) from social.keyword_changes where term = 'last straw' and share = 1 and category = 'complains'
            and effective_to is null and approved_by = 'learning'", 1),
        ("select count(*) from social.keyword_changes where term = 'black friday' and ended_by = 'learning'", 1),
        ("select count(*) from social.keyword_changes where term = 'tried everything' and what = 'ADD' and share = 0.1
            and category = 'complains' and approved_by is null", 1),
    ] {
        assert_eq!(db.count(count).await, rows, "{count}");
    }
}

#[tokio::test]
async fn what_came_of_posts_raises_ends_trials_and_proposes_the_rest() {
    let (db, app) = house(NIGHT).await;
    let args = ["run", "--of", "keywords", "--as-of", NIGHT];
    let dry = learn(&app, &[&args[..], &["--dry-run"]].concat()).await;
    assert_eq!(dry, learn(&app, &[&args[..], &["--dry-run"]].concat()).await, "to the last bit");
    assert_eq!(db.count("select count(*) from social.learning_runs").await, 0);
    // Killed before the commit, nothing is left; again, it is as if nothing had been.
    let killed = App::new(&db, &[]).env("MILLRACE_FAULTS", "LearnWritten:1:abort");
    let end = killed.run(&[&["learn", "--workspace", "w"], &args[..]].concat()).await;
    assert!(!end.status.success());
    assert_eq!(db.count("select count(*) from social.keyword_changes").await, 2);
    let told = learn(&app, &args).await;
    assert_eq!(told["keywords"], dry["keywords"]);
    assert_eq!((&told["skipped"], &told["rows"]), (&Value::Null, &Value::from(6000)));
    for (term, act) in [
        ("waste of money", "RETIRE"),
        ("need help with", "RAISE"),
        ("last straw", "ADOPT"),
        ("black friday", "DROP"),
    ] {
        let one = of(&told, term);
        assert_eq!((&one["act"], &one["skip"]), (&Value::from(act), &Value::Null), "{one}");
    }
    let acted = told["keywords"].as_array().unwrap().iter().filter(|one| one["skip"].is_null());
    assert_eq!(acted.count(), 4, "nothing else");
    let bad = of(&told, "waste of money");
    assert!(bad["seed"]["false_positives"].as_f64() > Some(0.3), "the seed's is beside: {bad}");
    assert_eq!(told["discovery"]["phrases"].as_array().unwrap().len(), 1, "{}", told["discovery"]);
    changed(&db).await;
    let log = "select count(*) from social.weight_adjustment_logs where action = 'ADJUSTED' and total_segments = 26
                 and reason like '%RETIRE WASTE OF MONEY%' and new_weights ->> 'need help with' = 'RAISE'";
    assert_eq!(db.count(log).await, 1);
    let again = app.run(&[&["learn", "--workspace", "w"], &args[..]].concat()).await;
    assert_eq!(again.status.code(), Some(2), "one run for one night");
    let replay = learn(&app, &[&args[..], &["--dry-run"]].concat()).await;
    assert_eq!((&replay["keywords"], &replay["discovery"]), (&dry["keywords"], &dry["discovery"]));
    let words =
        app.run(&["learn", "--workspace", "w", "keywords", "explain", "waste of money"]).await;
    for part in ["always-valid p", "none of ours", "less than 70.00 %", "factor 0.80"] {
        assert!(words.stdout.contains(part), "no {part} in {}", words.stdout);
    }
    people_have_the_last_word(&db, &app).await;
}

/// Who refuses is not asked again, who locks is left alone, and what was let in is taken back.
async fn people_have_the_last_word(db: &Database, app: &App) {
    keywords(app, &["refuse", "waste of money"]).await;
    keywords(app, &["lock", "need help with"]).await;
    keywords(app, &["rollback", "need help with"]).await;
    // The same weeks again, before a night of today.
    for later in [
        "update social.replies set posted_at = posted_at + (now() - '2026-06-01')",
        "update social.click_events set occurred_at = occurred_at + (now() - '2026-06-01')",
        "update social.decisions set created_at = created_at + (now() - '2026-06-01')",
    ] {
        sqlx::query(later).execute(&db.pool).await.unwrap();
    }
    let now = (rig::now() + chrono::Duration::minutes(1)).to_rfc3339();
    let night = ["run", "--of", "keywords", "--as-of", &now, "--dry-run"];
    let next = learn(app, &night).await;
    assert_eq!(of(&next, "waste of money")["skip"], "REFUSED");
    assert_eq!(of(&next, "need help with")["skip"], "LOCKED");
    let none = learn(app, &["keywords", "list"]).await;
    assert_eq!(none["changes"].as_array().unwrap().len(), 2, "{none}");
    for (args, code) in [
        (&["approve", "nothing"][..], 3),
        (&["retire", "not a keyword"], 3),
        (&["approve", "tried everything", "--category", "nowhere"], 2),
        (&["rollback", "waste of money"], 3),
    ] {
        let end = app.run(&[&["learn", "--workspace", "w", "keywords"], args].concat()).await;
        assert_eq!(end.status.code(), Some(code), "{args:?}: {}", end.stderr);
    }
    let notes =
        "select count(*) from ops.audit where action like 'keywords.%' and workspace_id = 'w'";
    assert_eq!(db.count(notes).await, 3);
}

#[tokio::test]
async fn the_nightly_job_does_it_once() {
    let (db, _) = house(&rig::now().to_rfc3339()).await;
    let ctx = rig::ctx(&db.pool, rig::settings());
    for _ in 0..2 {
        let lease = Leased {
            id: LeaseId { job: -1, attempt: 1 },
            workspace_id: "w".into(),
            trace_id: None,
            attempts_before: 0,
            job: Learn::default(),
        };
        let verdicts = Learn::run(Arc::clone(&ctx), vec![lease]).await;
        assert!(matches!(verdicts[..], [Verdict::Done]), "{verdicts:?}");
    }
    changed(&db).await;
    let runs =
        "select count(*) from social.learning_runs where kind = 'keywords' and status = 'DONE'";
    // Twice if the hour has changed between the two.
    assert!((1..=2).contains(&db.count(runs).await));
}

const SOON: Duration = Duration::from_secs(40);

async fn stored(db: &Database, word: &str) -> i64 {
    sqlx::query_scalar(
        "select count(*) from social.posts where content like '%' || $1 || '%' and processed_at is not null",
    )
    .bind(word)
    .fetch_one(&db.pool)
    .await
    .unwrap()
}

/// Sends such a text again and again, until it is there, or is not.
async fn until(db: &Database, x: &Sender, marker: &str, there: bool, text: impl Fn(u64) -> String) {
    let from =
        10_000 * u64::try_from(db.count("select 100 + count(*) from social.posts").await).unwrap();
    let mut before = stored(db, marker).await;
    for nth in 1..2_000 {
        let answer = x.send("", &x_post(from + nth, "eve", 10, &text(nth))).await;
        assert_eq!(answer.status, 200);
        idle(db).await;
        let now = stored(db, marker).await;
        if (now > before) == there {
            return;
        }
        before = now;
    }
    panic!("{marker} is not as it should be");
}

async fn idle(db: &Database) {
    wait_until("the jobs", SOON, async || {
        let left = "select count(*) from ops.jobs where kind in ('normalize', 'social.decide')";
        (db.count(left).await == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_addition_is_tried_on_a_tenth_then_finds_all_and_a_retired_one_finds_nothing() {
    let db = Pg::database().await;
    let app = App::new(&db, &["all"]).env("MILLRACE__SOCIAL__PROFILE", "vita");
    sqlx::raw_sql(
        "insert into signals.workspaces (id, name) values ('acme', 'Acme');
         insert into social.keyword_changes (workspace_id, version, term, what, category, share)
           values ('acme', 1, 'tried everything', 'ADD', 'recovery_intent', 0.1);",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    let say = async |args: &[&str]| {
        app.run_json(&[&["--json", "learn", "--workspace", "acme", "keywords"], args].concat())
            .await
    };
    let tried = say(&["approve", "tried everything", "--category", "drinking_context"]).await;
    assert_eq!((&tried["share"], &tried["version"]), (&0.1.into(), &1.into()));
    let app = app.ready().await;
    let x = Sender::add(&app, "acme", "x", &[]).await;
    let send = async |from: u64, count: u64, text: &str| {
        for nth in 0..count {
            let text = format!("{text} on day {nth}");
            let answer = x.send("", &x_post(from + nth, "ann", 100, &text)).await;
            assert_eq!(answer.status, 200);
        }
        idle(&db).await;
    };
    send(1, 200, "i tried everything").await;
    let tenth = stored(&db, "i tried everything").await;
    assert!((8..=36).contains(&tenth), "{tenth} of 200");
    // What is decided is by the same words: the trial names the version of the policy.
    let by = "select count(*) from social.decisions d join social.posts p on p.id = d.post_id
              where d.decision_logic_version like '%+k________' and p.keyword_matches = '{tried everything}'
                and p.keyword_categories = '{drinking_context}'";
    assert_eq!(db.count(by).await, tenth);
    let say = async |args: &[&str]| {
        app.run_json(&[&["--json", "learn", "--workspace", "acme", "keywords"], args].concat())
            .await
    };
    let all = say(&["approve", "tried everything"]).await;
    assert_eq!((&all["share"], &all["version"]), (&1.0.into(), &2.into()));
    // A text that was not among the tenth is found now.
    let texts = (0..200).map(|nth| format!("i tried everything on day {nth}"));
    let mut left = None;
    for text in texts {
        if left.is_none() && stored(&db, &text).await == 0 {
            left = Some(text);
        }
    }
    let left = left.unwrap();
    until(&db, &x, &left, true, |_| left.clone()).await;
    send(2_000, 20, "you tried everything").await;
    assert_eq!(stored(&db, "you tried everything").await, 20);

    send(3_000, 1, "so hungover").await;
    assert_eq!(stored(&db, "so hungover").await, 1);
    say(&["retire", "hungover"]).await;
    until(&db, &x, "very hungover", false, |nth| format!("very hungover {nth}")).await;
    say(&["rollback", "hungover"]).await;
    until(&db, &x, "again hungover", true, |nth| format!("again hungover {nth}")).await;
    say(&["rollback", "tried everything"]).await;
    until(&db, &x, "nobody tried", false, |nth| format!("nobody tried everything {nth}")).await;
    let verified = app.run(&["decisions", "verify"]).await;
    assert!(verified.status.success(), "{}", verified.stderr);
}
