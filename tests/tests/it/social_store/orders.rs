//! Orders, batches and writers at once.

use std::collections::BTreeMap;

use chrono::Duration;
use millrace_jobs::social::record::{Metrics, Said};
use millrace_tests::Database;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use uuid::Uuid;

use super::{at, author_gone, batch, gone, house, post, said};

/// Everything that a workspace has, without what differs by itself: ids and times of writing.
pub(super) async fn rows(db: &Database, workspace_id: &str) -> Vec<String> {
    sqlx::query_scalar(
        "select 'author ' || (to_jsonb(a) - '{id,workspace_id,created_at,updated_at,deleted_at}'::text[]
                              || jsonb_build_object('gone', a.deleted_at is not null))::text
         from social.authors a where workspace_id = $1
         union all
         select 'post ' || (to_jsonb(p) - '{id,workspace_id,author_id,created_at,updated_at,deleted_at,checked_at}'::text[]
                            || jsonb_build_object('gone', p.deleted_at is not null, 'by', a.platform_id))::text
         from social.posts p join social.authors a on a.id = p.author_id where p.workspace_id = $1
         union all
         select 'version ' || (to_jsonb(v) - '{post_id,workspace_id,recorded_at}'::text[] || jsonb_build_object('of', p.platform_post_id))::text
         from social.post_versions v join social.posts p on p.id = v.post_id where v.workspace_id = $1
         union all
         select 'counts ' || (to_jsonb(s) - '{post_id,workspace_id}'::text[] || jsonb_build_object('of', p.platform_post_id))::text
         from social.post_metric_snapshots s join social.posts p on p.id = s.post_id where s.workspace_id = $1
         union all
         select 'mention ' || c.name || p.platform_post_id || m.sentiment
         from social.competitive_mentions m join social.posts p on p.id = m.post_id
         join social.competitors c on c.id = m.competitor_id where m.workspace_id = $1
         union all
         select 'tombstone ' || (to_jsonb(t) - '{workspace_id,recorded_at}'::text[])::text from social.tombstones t where workspace_id = $1
         order by 1",
    )
    .bind(workspace_id)
    .fetch_all(&db.pool)
    .await
    .unwrap()
}

/// What platforms may say of three authors and five posts: edits are seen later than what they change, the rest is any.
fn history(random: &mut StdRng) -> Vec<(Uuid, Said)> {
    let texts =
        ["my hangover", "Acme is no good", "crypto now", "good morning", "Acme, my hangover"];
    let mut all = Vec::new();
    for n in 0..random.random_range(6..16_i64) {
        let nth = random.random_range(1..=5_usize);
        let id = nth.to_string();
        // Of one minute, now and then.
        let seen = n - i64::from(random.random_bool(0.2));
        let mut one = post(&id, seen, texts[random.random_range(0..texts.len())]);
        one.seen_at += Duration::seconds(n);
        one.edited_at = (n > 8).then(|| at(n - 1));
        one.author.platform_id = (nth % 3).to_string();
        let mut maybe = |value: i64| random.random_bool(0.6).then_some(value);
        one.author.followers = maybe(n * 100);
        one.author.handle = maybe(n).map(|n| format!("ann{n}"));
        one.author.display_name = maybe(n).map(|n| format!("Ann {n}"));
        one.author.verified = maybe(n).map(|n| n % 2 == 0);
        one.lang = maybe(n).map(|n| if n % 2 == 0 { "en".into() } else { "de".into() });
        one.conversation = maybe(1).map(|_| "top".into());
        one.metrics = Metrics {
            likes: maybe(n),
            replies: maybe(n * 2),
            views: maybe(n * 9),
            ..Metrics::default()
        };
        // An edit of X: the fifth replaces the fourth.
        if nth == 5 && random.random_bool(0.5) {
            one.supersedes = vec!["4".into()];
        }
        all.push(said(one));
        let victim = random.random_range(1..=5_i32).to_string();
        match random.random_range(0..12) {
            0 => all.push(gone(&victim, Some(n), "deleted")),
            1 => all.push(gone(&victim, None, "withheld")),
            2 if n > 5 => all.push(author_gone(&victim, Some(n), "deleted")),
            _ => {}
        }
    }
    all.into_iter().map(|said| (Uuid::now_v7(), said)).collect()
}

async fn tell_in_batches(
    db: &Database,
    workspace_id: &str,
    all: &[(Uuid, Said)],
    random: &mut StdRng,
) {
    let mut rest = all;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(random.random_range(1..=rest.len().min(6)));
        batch(db, workspace_id, now).await;
        rest = later;
    }
}

#[tokio::test]
async fn any_order_in_any_batches_gives_the_same_rows() {
    let db = house().await;
    let mut kinds = BTreeMap::new();
    for seed in 0..40 {
        let mut random = StdRng::seed_from_u64(seed);
        let all = history(&mut random);
        let mut mixed = all.clone();
        mixed.shuffle(&mut random);
        tell_in_batches(&db, "w", &all, &mut random).await;
        tell_in_batches(&db, "v", &mixed, &mut random).await;
        let told = rows(&db, "w").await;
        assert_eq!(told, rows(&db, "v").await, "seed {seed}");
        for row in &told {
            *kinds.entry(row.split(' ').next().unwrap().to_owned()).or_insert(0) += 1;
            *kinds.entry(format!("gone {}", row.contains("\"gone\": true"))).or_insert(0) += 1;
            *kinds
                .entry(format!("replaced {}", row.contains("\"superseded_by\": \"5\"")))
                .or_insert(0) += 1;
        }
        sqlx::raw_sql("delete from social.authors; delete from social.tombstones")
            .execute(&db.pool)
            .await
            .unwrap();
    }
    for kind in [
        "author",
        "post",
        "version",
        "counts",
        "mention",
        "tombstone",
        "gone true",
        "replaced true",
    ] {
        assert!(kinds.get(kind).is_some_and(|n| *n > 5), "{kind}: {kinds:?}");
    }
}

#[tokio::test]
async fn many_writers_at_once_neither_fail_nor_differ() {
    let db = house().await;
    let mut random = StdRng::seed_from_u64(7);
    let all: Vec<_> = (0..30).flat_map(|_| history(&mut random)).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..16_u64 {
        // Each tells all of it, in its own order.
        let (db, mut mine) = (db.clone(), all.clone());
        let mut random = StdRng::seed_from_u64(n);
        mine.shuffle(&mut random);
        tasks.spawn(async move {
            for part in mine.chunks(60) {
                batch(&db, "w", part).await;
            }
        });
    }
    tasks.join_all().await;
    batch(&db, "v", &all).await;
    assert_eq!(rows(&db, "w").await, rows(&db, "v").await);
}
