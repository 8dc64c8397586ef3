//! What people answer to us is fetched, and stored as said to us.

use chrono::{TimeDelta, Utc};
use millrace_tests::{
    Pg,
    platforms::{Platform, Post},
    wait_until,
};
use serde_json::json;

use super::{SOON, poll, source, stored, worker};
use crate::outcomes::house;

/// Answers, of which no word is one of the brand's.
#[expect(clippy::disallowed_methods, reason = "platforms write with the real time")]
fn answers(to: &str, prefix: &str, ages_s: impl IntoIterator<Item = i64>) -> Vec<Post> {
    let now = Utc::now();
    let post = |(nth, age): (usize, i64)| Post {
        id: format!("{prefix}{nth}"),
        text: format!("thank you, that was kind {nth}"),
        answers: Some(to.to_owned()),
        ..Post::new("threads", nth, now - TimeDelta::seconds(age))
    };
    ages_s.into_iter().enumerate().map(|(nth, age)| post((nth, age))).collect()
}

/// All answers are stored, as answers to ours.
async fn all_are_answers(db: &millrace_tests::Database, to: &str, count: i64) {
    let (addressed, of): (i64, i64) = sqlx::query_as(
        "select count(*) filter (where addressed and in_reply_to = $1), count(*) from social.posts where in_reply_to is not null",
    )
    .bind(to)
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!((addressed, of), (count, count));
}

#[tokio::test]
async fn answers_on_threads_are_fetched_post_by_post_of_ours() {
    let db = Pg::database().await;
    let app = worker(&db).ready().await;
    let threads = Platform::start(5).await;
    house(&db, "acme").await;
    sqlx::query(
        "update social.replies set platform = 'THREADS', platform_post_id = case id when 'acme-r1' then '55' else '66' end,
           posted_at = now() - case id when 'acme-r1' then interval '10 minutes' else interval '8 days' end
         where id in ('acme-r1', 'acme-r2')",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    let known = db.count("select count(*) from social.posts").await;
    threads.show(answers("55", "900", (0..12).map(|n| 5 + n * 40)));
    threads.show(answers("1", "800", [30, 40]));
    threads.show(answers("66", "700", [35]));
    source(&app, &threads, "threads", json!({ "replies": true })).await;
    wait_until("the answers are stored", SOON, async || {
        poll(&app).await;
        (db.count("select count(*) from social.posts").await >= known + 12).then_some(())
    })
    .await;
    all_are_answers(&db, "55", 12).await;
    let asked = threads.calls();
    assert!(asked.iter().all(|call| call.path == "/v1.0/55/replies"), "{asked:?}");
    let cursor = "select count(*) from ops.ingest_cursors where kind = 'replies' and query = '55' and bucket = 'media' and since_id = '9000'";
    wait_until("the cursor has arrived", SOON, async || {
        (db.count(cursor).await == 1).then_some(())
    })
    .await;
    // Ten minutes after it was posted it is asked again in a sixth of that, whatever the source's interval.
    let rare = "select count(*) from ops.ingest_cursors where kind = 'replies' and next_at > last_ok_at + interval '99 s'";
    assert_eq!(db.count(rare).await, 1);
}

#[tokio::test]
async fn answers_on_reddit_are_fetched_from_one_place() {
    let db = Pg::database().await;
    let app = worker(&db).ready().await;
    let reddit = Platform::start(5).await;
    reddit.show(answers("t1_ours", "t1_9", (0..7).map(|n| 5 + n * 40)));
    source(&app, &reddit, "reddit", json!({ "replies": true })).await;
    wait_until("the answers are stored", SOON, async || {
        poll(&app).await;
        (stored(&db).await.0.len() == 7).then_some(())
    })
    .await;
    all_are_answers(&db, "t1_ours", 7).await;
    let placed = "select count(*) from social.posts where conversation = 't3_thread9' and community = 'party'
                  and url like 'https://www.reddit.com/r/party/comments/thread9/a_title/%'";
    assert_eq!(db.count(placed).await, 7);
}
