//! What platforms say becomes rows: any order, any batches, any concurrency, one result.

mod orders;

use chrono::{DateTime, Duration, Utc};
use millrace_jobs::{
    embed::content_hash,
    social::{
        record::{Author, Metrics, Platform, Post, Said},
        triage::{Mention, Refusal, Triage, refused},
    },
    store::social::{Arrival, ToDecide, apply},
};
use millrace_tests::{Database, Pg};
use orders::rows;
use uuid::Uuid;

async fn house() -> Database {
    let db = Pg::database().await;
    sqlx::raw_sql("insert into signals.workspaces (id, name) values ('w', 'W'), ('v', 'V')")
        .execute(&db.pool)
        .await
        .unwrap();
    db
}

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_750_000_000, 123_456_789).unwrap() + Duration::minutes(minutes)
}

fn post(id: &str, minutes: i64, content: &str) -> Post {
    Post {
        platform: Platform::Twitter,
        platform_post_id: id.into(),
        supersedes: Vec::new(),
        author: Author { platform_id: "9".into(), ..Author::default() },
        content: content.into(),
        posted_at: None,
        edited_at: None,
        lang: None,
        in_reply_to: None,
        conversation: None,
        community: None,
        url: None,
        addressed: false,
        metrics: Metrics::default(),
        seen_at: at(minutes),
    }
}

fn said(post: Post) -> Said {
    Said::Post(Box::new(post))
}

fn gone(id: &str, minutes: Option<i64>, reason: &str) -> Said {
    let (platform, reason) = (Platform::Twitter, reason.into());
    Said::PostGone { platform, platform_post_id: id.into(), at: minutes.map(at), reason }
}

fn author_gone(id: &str, minutes: Option<i64>, reason: &str) -> Said {
    let (platform, reason) = (Platform::Twitter, reason.into());
    Said::AuthorGone { platform, platform_id: id.into(), at: minutes.map(at), reason }
}

/// The seed's rules, and what a brand profile would add.
fn triaged(said: &Said) -> Triage {
    let Said::Post(post) = said else { return Triage::default() };
    let content_norm_hash = content_hash(&post.content);
    let mut found = Triage { refused: refused(post), content_norm_hash, ..Triage::default() };
    if post.content.contains("hangover") {
        found.keyword_matches = vec!["hangover".into()];
        found.keyword_categories = vec!["direct_hangover".into()];
        found.keyword_priority = Some(1);
    }
    if post.content.contains("off topic") {
        let (rule, message) = ("no_keyword", "Must match at least one keyword");
        found.refused = Some(Refusal { rule, message });
    }
    found.spam_reason = post.content.contains("crypto").then(|| "crypto".into());
    if post.content.contains("Acme") {
        let (competitor, sentiment, satisfaction) = ("Acme".into(), "NEGATIVE", "UNSATISFIED");
        found.mentions.push(Mention { competitor, sentiment, satisfaction, opportunity: 0.9 });
    }
    found
}

/// One batch, each with its delivery. What needs a decision, and the counts of the first workspace's stages.
async fn batch(
    db: &Database,
    workspace_id: &str,
    batch: &[(Uuid, Said)],
) -> (Vec<ToDecide>, Vec<(String, i64)>) {
    let arrivals: Vec<Arrival<'_>> = batch
        .iter()
        .map(|(event_id, said)| Arrival {
            workspace_id,
            source_id: "s",
            event_id: *event_id,
            trace_id: "t",
            said,
            triage: triaged(said),
        })
        .collect();
    let mut tx = db.pool.begin().await.unwrap();
    let applied = apply(&mut tx, &arrivals).await.unwrap();
    tx.commit().await.unwrap();
    let funnel =
        applied.funnel.iter().map(|((_, _, stage), n)| ((*stage).to_owned(), *n)).collect();
    (applied.to_decide, funnel)
}

async fn tell(db: &Database, all: Vec<Said>) -> (Vec<ToDecide>, Vec<(String, i64)>) {
    let all: Vec<_> = all.into_iter().map(|said| (Uuid::now_v7(), said)).collect();
    batch(db, "w", &all).await
}

#[tokio::test]
async fn what_is_unknown_or_older_overwrites_nothing() {
    let db = house().await;
    let mut full = post("1", 5, "my hangover");
    full.author.handle = Some("ann".into());
    full.author.followers = Some(700);
    full.author.verified = Some(true);
    full.author.bio = Some("nurse\0".into());
    full.lang = Some("en".into());
    full.metrics.likes = Some(0);
    full.metrics.views = Some(90);
    let mut bare = post("1", 9, "my hangover");
    bare.metrics.likes = Some(3);
    let mut older = post("1", 1, "my hangover");
    older.author.followers = Some(5);
    older.author.display_name = Some("Ann".into());
    older.metrics.views = Some(10);
    older.author.bio = Some("student".into());
    for one in [full, bare, older] {
        tell(&db, vec![said(one)]).await;
    }
    let author: (String, i32, bool, String, String, i64) = sqlx::query_as(
        "select handle, follower_count, is_verified, display_name, bio,
                (extract(epoch from last_seen_at - first_seen_at) / 60)::bigint from social.authors",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    let expected = ("ann".into(), 700, true, "Ann".into(), "nurse\u{FFFD}".into(), 8);
    assert_eq!(author, expected);
    let post: (serde_json::Value, String, Vec<String>) =
        sqlx::query_as("select raw_metrics, lang, keyword_matches from social.posts")
            .fetch_one(&db.pool)
            .await
            .unwrap();
    assert_eq!(
        post,
        (serde_json::json!({"likes": 3, "views": 90}), "en".into(), vec!["hangover".into()])
    );
    // Out of the seed's range is not known.
    let mut absurd = post_of_author("2", 20);
    absurd.author.followers = Some(1_000_000_001);
    tell(&db, vec![said(absurd)]).await;
    assert_eq!(db.count("select follower_count::bigint from social.authors").await, 700);
}

fn post_of_author(id: &str, minutes: i64) -> Post {
    post(id, minutes, "good morning")
}

#[tokio::test]
async fn an_edit_is_decided_upon_again_and_a_repetition_is_not() {
    let db = house().await;
    let (first, stages) =
        tell(&db, vec![said(post("1", 1, "my hangover")), said(post("2", 1, "crypto now"))]).await;
    assert_eq!(first.len(), 1, "spam is stored and not decided upon");
    assert_eq!(
        stages,
        [("matched".into(), 1), ("saved".into(), 2), ("scanned".into(), 2), ("spam".into(), 1)]
    );
    assert_eq!(
        db.count(
            "select count(*) from social.posts where spam_filtered and spam_reason = 'crypto'"
        )
        .await,
        1
    );
    sqlx::query("update social.posts set processed_at = now()").execute(&db.pool).await.unwrap();
    let mut again = post("1", 3, "my hangover");
    again.metrics.likes = Some(8);
    let (none, stages) = tell(&db, vec![said(again.clone()), said(again)]).await;
    assert_eq!((none.len(), stages), (0, vec![("scanned".into(), 2)]));
    assert_eq!(db.count("select count(*) from social.posts where processed_at is null").await, 0);
    assert_eq!(db.count("select count(*) from social.post_metric_snapshots").await, 1);
    let mut edited = post("1", 4, "Acme, my hangover");
    edited.edited_at = Some(at(4));
    let (edit, stages) = tell(&db, vec![said(edited)]).await;
    assert_eq!(edit, first);
    assert_eq!(stages, [("edited".into(), 1), ("scanned".into(), 1)]);
    // A page that was kept somewhere shows the old text later.
    let (none, _) = tell(&db, vec![said(post("1", 6, "my hangover"))]).await;
    assert_eq!(none.len(), 0);
    let texts: (String, String, bool) = sqlx::query_as(
        "select p.content, v.content, p.processed_at is null from social.posts p join social.post_versions v on v.post_id = p.id",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!(texts, ("Acme, my hangover".into(), "my hangover".into(), true));
    assert_eq!(db.count("select count(*) from social.competitive_mentions").await, 1);
    let mut without = post("1", 7, "good morning");
    without.edited_at = Some(at(7));
    tell(&db, vec![said(without)]).await;
    assert_eq!(db.count("select count(*) from social.competitive_mentions").await, 0);
    assert_eq!(
        db.count("select sum(count)::bigint from social.funnel where stage = 'scanned'").await,
        7
    );
}

#[tokio::test]
async fn an_x_edit_to_what_is_not_ours_replaces_the_id_before_in_either_order() {
    let db = house().await;
    let mut edited = post("11", 2, "off topic");
    edited.supersedes = vec!["9".into()];
    for order in [[0, 1], [1, 0]] {
        let both = [said(post("9", 1, "my hangover")), said(edited.clone())];
        for which in order {
            tell(&db, vec![both[which].clone()]).await;
        }
        let replaced = "select count(*) from social.posts where superseded_by = '11'";
        assert_eq!(db.count(replaced).await, 1, "{order:?}");
        assert_eq!(db.count("select count(*) from social.posts").await, 1);
        sqlx::raw_sql("delete from social.authors; delete from social.tombstones")
            .execute(&db.pool)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn an_edit_that_leaves_the_topic_is_what_its_author_says_now() {
    let db = house().await;
    let first = || said(post("9", 1, "my hangover"));
    let mut left = post("9", 2, "off topic");
    left.edited_at = Some(at(2));
    assert_eq!(tell(&db, vec![said(left.clone())]).await.0, [], "nothing of ours is said yet");
    assert_eq!(db.count("select count(*) from social.refused_posts").await, 1);
    tell(&db, vec![first()]).await;
    let (decide, funnel) = tell(&db, vec![said(left.clone())]).await;
    assert_eq!(decide.len(), 1, "it is decided upon anew");
    assert!(
        funnel.contains(&("edited".into(), 1))
            && !funnel.iter().any(|(stage, _)| stage == "refused"),
        "{funnel:?}"
    );
    let now =
        "select count(*) from social.posts where content = 'off topic' and keyword_matches = '{}'";
    assert_eq!(db.count(now).await, 1);
    assert_eq!(
        db.count("select count(*) from social.post_versions where content = 'my hangover'").await,
        1
    );

    sqlx::raw_sql("delete from social.authors").execute(&db.pool).await.unwrap();
    tell(&db, vec![said(left), first()]).await;
    assert_eq!(db.count(now).await, 1, "in one batch, in either order");
}

#[tokio::test]
async fn what_is_no_spam_any_more_is_decided_upon() {
    let db = house().await;
    assert_eq!(tell(&db, vec![said(post("9", 1, "my hangover, crypto"))]).await.0, []);
    assert_eq!(tell(&db, vec![said(post("9", 2, "my hangover"))]).await.0.len(), 1, "an edit");
    // The same words again: by other accounts, or another profile.
    sqlx::raw_sql("update social.posts set spam_filtered = true, spam_reason = 'new account'")
        .execute(&db.pool)
        .await
        .unwrap();
    assert_eq!(tell(&db, vec![said(post("9", 3, "my hangover"))]).await.0.len(), 1);
    assert_eq!(tell(&db, vec![said(post("9", 4, "my hangover"))]).await.0, [], "once");
}

#[tokio::test]
async fn an_x_edit_replaces_the_id_before() {
    let db = house().await;
    let mut second = post("11", 2, "my hangover, edited");
    second.supersedes = vec!["9".into(), "11".into()];
    let (decide, _) = tell(&db, vec![said(post("9", 1, "my hangover")), said(second)]).await;
    assert_eq!(decide.len(), 1, "the newest only");
    let mut third = post("12", 3, "my hangover, edited twice");
    third.supersedes = vec!["9".into(), "11".into()];
    tell(&db, vec![said(third)]).await;
    let chain = "select string_agg(platform_post_id || '>' || coalesce(superseded_by, ''), ' ' order by length(platform_post_id), platform_post_id) from social.posts";
    let chain: String = sqlx::query_scalar(chain).fetch_one(&db.pool).await.unwrap();
    assert_eq!(chain, "9>12 11>12 12>");
    tell(&db, vec![gone("12", Some(4), "deleted")]).await;
    assert_eq!(db.count("select count(*) from social.posts where content = '[deleted]'").await, 3);
}

#[tokio::test]
async fn a_tombstone_is_there_first_or_last_and_what_returns_may() {
    let db = house().await;
    let (decide, _) = tell(&db, vec![gone("1", Some(5), "deleted")]).await;
    assert_eq!(decide.len(), 0);
    let mut late = post("1", 9, "Acme, my hangover");
    late.author.handle = Some("ann".into());
    late.url = Some("https://example.org".into());
    late.metrics.likes = Some(4);
    let (decide, _) = tell(&db, vec![said(late)]).await;
    assert_eq!(decide.len(), 0);
    let gone_row = "select count(*) from social.posts where platform_post_id = '1' and content = '[deleted]' and deleted_at is not null
                    and url is null and raw_metrics is null and content_hash is null and content_norm_hash is null
                    and keyword_matches = '{}' and not exists (select from social.competitive_mentions)";
    assert_eq!(db.count(gone_row).await, 1);
    assert_eq!(db.count("select likes from social.post_metric_snapshots").await, 4, "counts stay");

    // An account hides for a while: what it showed until then is gone, what it shows later is not.
    tell(&db, vec![said(post("2", 10, "my hangover")), author_gone("9", Some(11), "protected")])
        .await;
    let handle: String =
        sqlx::query_scalar("select handle from social.authors").fetch_one(&db.pool).await.unwrap();
    assert_eq!(handle, "[deleted]");
    let mut back = post("3", 20, "good morning");
    back.author.handle = Some("ann".into());
    let (decide, _) = tell(&db, vec![said(back), said(post("2", 8, "my hangover"))]).await;
    assert_eq!(decide.len(), 1);
    let (decide, _) = tell(&db, vec![said(post("2", 21, "my hangover"))]).await;
    assert_eq!(decide.len(), 1);
    let alive =
        "select count(*) from social.posts where deleted_at is null and content <> '[deleted]'";
    assert_eq!(db.count(alive).await, 2);
    assert_eq!(
        db.count("select count(*) from social.authors where handle = 'ann' and deleted_at is null")
            .await,
        1
    );
    tell(&db, vec![author_gone("9", Some(12), "deleted")]).await;
    let (decide, _) = tell(&db, vec![said(post("4", 90, "my hangover"))]).await;
    assert_eq!((decide.len(), db.count(alive).await), (0, 0));
}

#[tokio::test]
async fn two_tenants_have_the_same_post_each() {
    let db = house().await;
    let one = vec![(Uuid::now_v7(), said(post("1", 1, "Acme, my hangover")))];
    assert_eq!(batch(&db, "w", &one).await.0.len(), 1);
    assert_eq!(batch(&db, "v", &one).await.0.len(), 1);
    assert_eq!(rows(&db, "w").await, rows(&db, "v").await);
    batch(&db, "v", &[(Uuid::now_v7(), gone("1", None, "deleted"))]).await;
    assert_eq!(
        db.count(
            "select count(*) from social.posts where content = '[deleted]' and workspace_id = 'v'"
        )
        .await,
        1
    );
    assert_eq!(
        db.count(
            "select count(*) from social.posts where content <> '[deleted]' and workspace_id = 'w'"
        )
        .await,
        1
    );
}

#[tokio::test]
async fn refused_posts_are_kept_once_for_each_rule() {
    let db = house().await;
    let mut handle = post("1", 1, "hello");
    handle.author.handle = Some("a-b".into());
    let mut orphan = post("2", 1, "hello");
    orphan.author.platform_id = String::new();
    let long = post("3", 1, &"é".repeat(5001));
    let nul = post("a\0b", 1, "hello");
    let all: Vec<Said> =
        [handle.clone(), handle, orphan, long, nul, post("5", 1, "fine")].map(said).into();
    let (decide, stages) = tell(&db, all.clone()).await;
    assert_eq!(decide.len(), 1);
    assert_eq!(stages, [("refused".into(), 5), ("saved".into(), 1), ("scanned".into(), 6)]);
    tell(&db, all).await;
    let kept: Vec<(String, String, String)> = sqlx::query_as(
        "select platform_post_id, rule, message from social.refused_posts order by 1",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    let expected = [
        ("1", "handle_format", "Invalid handle format"),
        ("2", "author_missing", "Post has no author"),
        ("3", "content_length", "Post content exceeds maximum length"),
        ("a\u{FFFD}b", "post_id_format", "Invalid post ID format"),
    ];
    assert_eq!(kept, expected.map(|(a, b, c)| (a.into(), b.into(), c.into())));
    assert_eq!(db.count("select count(*) from social.posts").await, 1);
}
