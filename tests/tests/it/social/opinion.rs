//! A model is asked for a second opinion: after the decision, and only where it may change it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use millrace_tests::{
    App, Database, Pg, Sender,
    fake::{self, Reply},
    social::x_post,
    wait_until,
};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(60);

/// What is posted, and what the model says of it.
const POSTS: [(&str, &str, Option<&str>); 6] = [
    ("ann", "I'm dying, the worst hangover of my life, what helps?", Some(r#"{"danger":"B"}"#)),
    (
        "bob",
        "I'm dying with this hangover, any advice? Mail bob@mail.example",
        Some(r#"{"danger":"A"}"#),
    ),
    ("cat", "On antibiotics and hungover, what should I take?", Some(r#"{"danger":"C"}"#)),
    ("dan", "My hospital shift starts and I am hungover, what helps?", Some("no JSON at all")),
    ("eve", "I want to kill myself, this hangover is the last straw", None),
    ("fay", "woke up so hungover, headache and nausea, any advice please", None),
];

/// Of an author: how often it was decided, the last safety status, and the last opinion.
async fn of(db: &Database, author: &str) -> (i64, Option<String>, Value) {
    sqlx::query_as(
        "select count(*) over (), d.status, e.features #> '{safety,opinion}'
         from social.decisions d join social.decision_exposures e on e.decision_id = d.id
         join social.posts p on p.id = d.post_id join social.authors a on a.id = p.author_id
         where a.handle = $1 order by d.created_at desc limit 1",
    )
    .bind(author)
    .fetch_one(&db.pool)
    .await
    .map(|(count, status, opinion): (_, _, Option<Value>)| {
        (count, status, opinion.unwrap_or_default())
    })
    .unwrap()
}

async fn idle(db: &Database) {
    wait_until("all to be decided", SOON, async || {
        sqlx::query("update ops.jobs set run_at = now() where kind = 'social.opinion' and state = 'scheduled'")
            .execute(&db.pool)
            .await
            .unwrap();
        let open = "select count(*) from ops.jobs where kind in ('normalize', 'social.decide', 'social.opinion')";
        (db.count(open).await == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_model_is_asked_where_it_matters_and_the_post_is_decided_again() {
    let asked = Arc::new(Mutex::new(Vec::<String>::new()));
    let kept = asked.clone();
    let url = fake::start(move |request| {
        let request: Value = serde_json::from_slice(&request.body).unwrap();
        let text = request["messages"][1]["content"].as_str().unwrap().to_owned();
        let says =
            |(_, post, _): &&(&str, &str, Option<&str>)| text.contains(post.get(..20).unwrap());
        let answer = POSTS.iter().find(says).and_then(|(.., answer)| *answer).unwrap_or("{}");
        let body = json!({ "choices": [{ "message": { "content": answer } }] });
        kept.lock().unwrap().push(text);
        std::future::ready(Reply::new("200 OK", body.to_string()))
    })
    .await;
    let db = Pg::database().await;
    let app = App::new(&db, &["all"])
        .env("MILLRACE__SOCIAL__PROFILE", "vita")
        .env("MILLRACE__ENDPOINT__URL", &url)
        .env("MILLRACE__ENDPOINT__MODEL", "m")
        .env("MILLRACE__ENDPOINT__ALLOW_PRIVATE_ADDRESSES", "true")
        .ready()
        .await;
    let x = Sender::add(&app, "acme", "x", &[]).await;
    for (nth, (author, text, _)) in (1..).zip(POSTS) {
        assert_eq!(x.send("", &x_post(nth, author, 100, text)).await.status, 200);
    }
    wait_until("posts", SOON, async || {
        (db.count("select count(*) from social.posts").await == 6).then_some(())
    })
    .await;
    idle(&db).await;

    let stays_away = Some("DISENGAGED_SAFETY".to_owned());
    let ann = of(&db, "ann").await;
    assert_eq!((ann.0, &ann.2), (2, &json!("B")), "a manner of speaking");
    assert_ne!(ann.1, stays_away);
    assert_eq!(of(&db, "bob").await, (2, stays_away.clone(), json!("A")));
    let cat = of(&db, "cat").await;
    assert_eq!((cat.0, &cat.2), (2, &json!("C")));
    assert_eq!(of(&db, "dan").await, (2, stays_away.clone(), json!("Failed")), "fails closed");
    assert_eq!(of(&db, "eve").await, (1, stays_away, Value::Null), "there is nothing to ask");
    assert_eq!(of(&db, "fay").await.0, 1, "nor in doubt");
    {
        let asked = asked.lock().unwrap();
        assert_eq!(asked.len(), 3 + 3, "dan's three times");
        assert!(asked.iter().all(|text| !text.contains("mail.example")), "no address leaves");
    }
    let verified = app.run_json(&["--json", "decisions", "verify"]).await;
    assert_eq!((verified["decisions"].as_i64(), &verified["differ"]), (Some(10), &json!([])));

    // Other words of the same post have no opinion yet.
    let mut edited = x_post(2, "bob", 100, "The hangover is over, what helped me was sleep");
    edited["data"]["edit_history_tweet_ids"] = json!(["2", "12"]);
    edited["data"]["id"] = "12".into();
    assert_eq!(x.send("", &edited).await.status, 200);
    wait_until("the edit", SOON, async || {
        let edits = "select count(*) from social.posts where content like 'The hangover is over%' and processed_at is not null";
        (db.count(edits).await == 1).then_some(())
    })
    .await;
    idle(&db).await;
    assert_eq!(of(&db, "bob").await.2, Value::Null);
}
