//! X's filtered stream: one listener, whatever dies, and no post lost between two connections.

use chrono::TimeDelta;
use millrace_tests::{
    Database, Pg,
    platforms::{Platform, Post},
    rig, wait_until,
};
use serde_json::json;

use super::{SOON, poll, source, stored, worker};

fn post(nth: usize) -> Post {
    let now = rig::now();
    Post::new("x", nth, now - TimeDelta::seconds(60 - i64::try_from(nth).unwrap()))
}

async fn has(db: &Database, posts: &[&Post]) {
    wait_until("what was said is stored", SOON, async || {
        let (ids, _) = stored(db).await;
        posts.iter().all(|post| ids.contains(&post.id)).then_some(())
    })
    .await;
}

async fn one_listens(platform: &Platform) {
    wait_until("one listens", SOON, async || (platform.listeners() == 1).then_some(())).await;
}

#[tokio::test]
async fn a_stream_has_one_listener_and_what_is_said_between_two_is_found() {
    let db = Pg::database().await;
    let platform = Platform::start(20).await;
    let mut apps = [worker(&db).ready().await, worker(&db).ready().await];
    let options =
        json!({ "terms": ["hangover", "day after"], "stream": true, "interval_s": 86_400 });
    source(&apps[0], &platform, "x", options).await;
    poll(&apps[0]).await;
    one_listens(&platform).await;
    assert_eq!(platform.rules(), [r#"(hangover OR "day after") -is:retweet"#]);
    let [told, cut, missed, again, after] = [1, 2, 3, 4, 5].map(post);
    platform.say(&told);
    has(&db, &[&told]).await;

    // Cut in the middle of a post; another is written while nobody listens.
    platform.cut(&cut);
    platform.show([told.clone(), cut.clone(), missed.clone()]);
    one_listens(&platform).await;
    platform.say(&again);
    wait_until("the sweep after the cut", SOON, async || {
        poll(&apps[0]).await;
        let (ids, _) = stored(&db).await;
        [&cut, &missed, &again].iter().all(|post| ids.contains(&post.id)).then_some(())
    })
    .await;

    // Whoever listens dies: the other one does, when the lease is over.
    apps.iter_mut().for_each(millrace_tests::App::kill);
    sqlx::query("update ops.leases set until = now() where name like 'stream of %'")
        .execute(&db.pool)
        .await
        .unwrap();
    wait_until("nobody listens", SOON, async || {
        // A line that nobody takes shows who is gone.
        platform.say(&told);
        (platform.listeners() == 0).then_some(())
    })
    .await;
    apps[1].spawn();
    one_listens(&platform).await;
    platform.say(&after);
    has(&db, &[&after]).await;
    assert_eq!(platform.rules().len(), 1, "rules are added once");
    let posts: i64 = db.count("select count(*) from social.posts").await;
    assert_eq!(posts, 5);
    let odd = db
        .count("select count(*) from ops.events where state not in ('stored', 'normalized')")
        .await;
    assert_eq!(odd, 0, "what is cut is not stored");
}
