//! From a signed delivery to a decision.

use std::time::Duration;

use millrace_tests::{App, Database, Pg, Sender, social::x_post, wait_until};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(40);

pub(super) async fn app(db: &Database) -> App {
    App::new(db, &["all"]).env("MILLRACE__SOCIAL__PROFILE", "vita").ready().await
}

/// Until no post waits and no job is left.
pub(super) async fn decided(db: &Database, posts: i64) {
    wait_until("the decisions", SOON, async || {
        let done: bool = sqlx::query_scalar(
            "select count(*) filter (where processed_at is not null) = $1 and (select count(*) from ops.jobs
               where kind in ('normalize', 'social.decide')) = 0 from social.posts",
        )
        .bind(posts)
        .fetch_one(&db.pool)
        .await
        .unwrap();
        done.then_some(())
    })
    .await;
}

pub(super) async fn said(x: &Sender, id: u64, author: &str, followers: u64, text: &str) {
    let answer = x.send("", &x_post(id, author, followers, text)).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
}

pub(super) const POSTS: [(&str, u64, &str); 8] = [
    (
        "ann",
        120,
        "I have the worst hangover right now and I can't stop shaking, what helps? I need to work in an hour",
    ),
    ("bob", 800, "woke up so hungover, headache and nausea, any advice please"),
    ("cat", 120_000, "hungover again, does anyone know a hangover cure that works?"),
    ("dan", 40, "I want to kill myself, this hangover is the last straw"),
    ("eve", 300, "We watched The Hangover last night, great movie"),
    ("fay", 300, "Markets are hungover from the election"),
    (
        "gus",
        900,
        "Liquid I.V. did nothing for my hangover, still feel awful, what should I try instead?",
    ),
    ("hal", 70, "my hangover is a reminder that I am not 21 any more lol"),
];

#[tokio::test]
async fn posts_are_decided_once_explained_and_decided_again_to_the_same() {
    let db = Pg::database().await;
    let app = app(&db).await;
    let x = Sender::add(&app, "acme", "x", &[]).await;
    for (nth, (author, followers, text)) in (1..).zip(POSTS) {
        said(&x, nth, author, followers, text).await;
    }
    // Nothing of ours; and the same thing twice.
    said(&x, 90, "ida", 10, "a lovely day at the beach with my dog").await;
    said(&x, 1, POSTS[0].0, POSTS[0].1, POSTS[0].2).await;
    let stored = i64::try_from(POSTS.len()).unwrap();
    decided(&db, stored).await;
    let decisions = db.count("select count(*) from social.decisions").await;
    assert_eq!(decisions, stored);
    assert_eq!(
        db.count("select count(*) from social.refused_posts where rule = 'no_keyword'").await,
        1
    );
    let odd = db
        .count(
            "select count(*) from social.decisions d
             left join social.decision_exposures e on e.decision_id = d.id and e.created_at = d.created_at
             where e.decision_id is null or e.propensity <> (e.probabilities ->> e.action)::float8
                or abs((select sum(v::float8) from jsonb_each_text(e.probabilities) t (k, v)) - 1) > 1e-9",
        )
        .await;
    assert_eq!(odd, 0, "each has its exposure, whose probabilities add up");

    let of = async |author: &str| -> (String, Vec<String>, Option<String>) {
        sqlx::query_as(
            "select d.mode, d.safety_flags, d.status from social.decisions d join social.posts p on p.id = d.post_id
             join social.authors a on a.id = p.author_id where a.handle = $1",
        )
        .bind(author)
        .fetch_one(&db.pool)
        .await
        .unwrap()
    };
    let (mode, flags, status) = of("dan").await;
    assert_eq!((mode.as_str(), status.as_deref()), ("DISENGAGED", Some("DISENGAGED_SAFETY")));
    assert!(!flags.is_empty());
    let concern =
        "select count(*) from social.authors where (handle = 'dan') = (concern_posts <> '{}')";
    let authors = db.count("select count(*) from social.authors").await;
    assert_eq!(db.count(concern).await, authors, "and is remembered of its author, of nobody else");
    for figurative in ["eve", "fay"] {
        assert_eq!(of(figurative).await.0, "DISENGAGED", "{figurative}");
    }
    assert_eq!(
        db.count(
            "select count(*) from social.authors where user_tier = 'MACRO_POWER' and is_power_user"
        )
        .await,
        1
    );
    assert_eq!(
        db.count("select count(*) from social.profile_versions where name = 'vita'").await,
        1
    );

    decided_again(&db, &app).await;
}

/// What is shown is what was decided, and it is decided again to the same, unless somebody changed it.
async fn decided_again(db: &Database, app: &App) {
    let verified = app.run_json(&["--json", "decisions", "verify"]).await;
    assert_eq!(
        (verified["decisions"].as_i64(), &verified["differ"]),
        (i64::try_from(POSTS.len()).ok(), &Value::Array(vec![]))
    );
    let listed = app.run_json(&["--json", "decisions", "ls"]).await;
    assert_eq!(listed.as_array().unwrap().len(), POSTS.len());
    let id = listed[0]["id"].as_str().unwrap();
    let told = app.run_json(&["--json", "decisions", "explain", id]).await;
    assert_eq!(told["recomputes"], true);
    for kind in ["signal", "weights", "composite", "rule", "mode", "action"] {
        let lines = told["lines"].as_array().unwrap();
        assert!(lines.iter().any(|line| line["kind"] == kind), "no {kind} in {lines:?}");
    }
    assert_eq!(app.run(&["decisions", "show", "no-such-id"]).await.status.code(), Some(3));

    // Somebody changes what was stored: it shows.
    sqlx::query("update social.decisions set composite_score = 0.123 where id = $1")
        .bind(id)
        .execute(&db.pool)
        .await
        .unwrap();
    let verified = app.run(&["decisions", "verify"]).await;
    assert_eq!(verified.status.code(), Some(1));
    assert!(verified.stdout.contains(id));
}

#[tokio::test]
async fn an_edited_post_is_decided_again_and_a_deleted_one_is_not() {
    let db = Pg::database().await;
    let app = app(&db).await;
    let x = Sender::add(&app, "acme", "x", &[]).await;
    said(&x, 1, "ann", 10, "so hungover, what helps?").await;
    decided(&db, 1).await;
    assert_eq!(app.run(&["jobs", "pause", "--kind", "social.decide"]).await.status.code(), Some(0));
    said(&x, 2, "bob", 10, "so hungover, what helps me?").await;
    wait_until("the post", SOON, async || {
        (db.count("select count(*) from social.posts").await == 2).then_some(())
    })
    .await;
    sqlx::query("update social.posts set deleted_at = now(), content = '[deleted]' where platform_post_id = '2'")
        .execute(&db.pool)
        .await
        .unwrap();
    assert_eq!(
        app.run(&["jobs", "resume", "--kind", "social.decide"]).await.status.code(),
        Some(0)
    );
    wait_until("the job", SOON, async || {
        (db.count("select count(*) from ops.jobs where kind = 'social.decide'").await == 0)
            .then_some(())
    })
    .await;
    assert_eq!(db.count("select count(*) from social.decisions").await, 1);
}
