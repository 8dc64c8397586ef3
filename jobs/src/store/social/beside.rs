//! What stands beside a post: its former texts, its counts over time, the competitors it speaks of; and what is kept of
//! posts that are not taken.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, DurationRound, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, types::Json};

use super::{
    apply::Arrival,
    merge::{Merged, Version, counts, id_text, millis},
};
use crate::social::record::{Metrics, Post, Said};

/// How many posts came to which stage, by workspace and platform.
pub type Funnel<'a> = BTreeMap<(&'a str, &'static str, &'static str), i64>;

fn sha256(content: &str) -> String {
    format!("\\x{}", hex::encode(Sha256::digest(content)))
}

/// Keeps the former texts; the current one is none of them.
pub(super) async fn write_versions(
    conn: &mut PgConnection,
    merged: &[Merged<'_>],
) -> sqlx::Result<()> {
    let mut newest: BTreeMap<(&str, &str), (&Merged<'_>, &Version)> = BTreeMap::new();
    for one in merged {
        for version in &one.versions {
            let place = newest.entry((&one.row.id, &version.content)).or_insert((one, version));
            let when = |v: &Version| (v.edited_at, v.seen_at);
            if when(version) > when(place.1) {
                *place = (one, version);
            }
        }
    }
    let rows: Vec<Value> = newest
        .values()
        .map(|(one, version)| {
            json!({ "workspace_id": one.row.workspace_id, "post_id": one.row.id, "content": version.content,
                    "content_sha256": sha256(&version.content), "edited_at": version.edited_at, "seen_at": version.seen_at })
        })
        .collect();
    if !rows.is_empty() {
        sqlx::query(
            "insert into social.post_versions as v (workspace_id, post_id, content_sha256, content, edited_at, seen_at)
             select n.workspace_id, n.post_id, n.content_sha256, n.content, n.edited_at, n.seen_at
             from jsonb_populate_recordset(null::social.post_versions, $1) n
             on conflict (post_id, content_sha256) do update set edited_at = excluded.edited_at, seen_at = excluded.seen_at
             where (coalesce(excluded.edited_at, '-infinity'), excluded.seen_at) > (coalesce(v.edited_at, '-infinity'), v.seen_at)",
        )
        .bind(Json(rows))
        .execute(&mut *conn)
        .await?;
    }
    let current: Vec<Value> = merged
        .iter()
        .filter(|one| one.row.reread)
        .map(|one| json!({ "post_id": one.row.id, "content_sha256": sha256(&one.row.content) }))
        .collect();
    if !current.is_empty() {
        sqlx::query(
            "delete from social.post_versions v using jsonb_populate_recordset(null::social.post_versions, $1) n
             where v.post_id = n.post_id and v.content_sha256 = n.content_sha256",
        )
        .persistent(false)
        .bind(Json(current))
        .execute(conn)
        .await?;
    }
    Ok(())
}

/// A row of `social.post_metric_snapshots`.
#[derive(Serialize)]
struct Snapshot<'a> {
    workspace_id: &'a str,
    post_id: &'a str,
    minute: DateTime<Utc>,
    captured_at: DateTime<Utc>,
    #[serde(flatten)]
    metrics: Metrics,
}

/// Counts as they were seen, one row for each minute: of several within it, the greater of each.
pub(super) async fn write_snapshots(
    conn: &mut PgConnection,
    seen: &[(&str, &str, &Post)],
) -> sqlx::Result<()> {
    let mut rows: BTreeMap<(&str, DateTime<Utc>), Snapshot<'_>> = BTreeMap::new();
    for &(workspace_id, post_id, post) in seen {
        let (captured_at, metrics) = (millis(post.seen_at), post.metrics);
        if counts(&metrics).iter().all(|(_, count)| count.is_none()) {
            continue;
        }
        let minute = captured_at.duration_trunc(Duration::minutes(1)).unwrap_or(captured_at);
        let new = Snapshot { workspace_id, post_id, minute, captured_at, metrics };
        let kept = rows.entry((post_id, minute)).or_insert(new);
        kept.captured_at = kept.captured_at.max(captured_at);
        kept.metrics.likes = kept.metrics.likes.max(metrics.likes);
        kept.metrics.replies = kept.metrics.replies.max(metrics.replies);
        kept.metrics.reposts = kept.metrics.reposts.max(metrics.reposts);
        kept.metrics.quotes = kept.metrics.quotes.max(metrics.quotes);
        kept.metrics.views = kept.metrics.views.max(metrics.views);
    }
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into social.post_metric_snapshots as s
           (workspace_id, post_id, minute, captured_at, likes, replies, reposts, quotes, views)
         select n.workspace_id, n.post_id, n.minute, n.captured_at, n.likes, n.replies, n.reposts, n.quotes, n.views
         from jsonb_populate_recordset(null::social.post_metric_snapshots, $1) n
         on conflict (post_id, minute) do update set
           captured_at = greatest(s.captured_at, excluded.captured_at), likes = greatest(s.likes, excluded.likes),
           replies = greatest(s.replies, excluded.replies), reposts = greatest(s.reposts, excluded.reposts),
           quotes = greatest(s.quotes, excluded.quotes), views = greatest(s.views, excluded.views)",
    )
    .bind(Json(rows.into_values().collect::<Vec<_>>()))
    .execute(conn)
    .await?;
    Ok(())
}

/// The competitors that the current texts speak of, and no others; a mention that was answered stays.
pub(super) async fn write_mentions(
    conn: &mut PgConnection,
    merged: &[Merged<'_>],
) -> sqlx::Result<()> {
    let mut names = BTreeSet::new();
    let mut rows = BTreeMap::new();
    for one in merged {
        for mention in one.by.iter().flat_map(|by| &by.triage.mentions) {
            names.insert((&one.row.workspace_id, &mention.competitor));
            let row = json!({ "workspace_id": one.row.workspace_id, "post_id": one.row.id, "name": mention.competitor,
                "sentiment": mention.sentiment, "satisfaction": mention.satisfaction, "opportunity": mention.opportunity });
            rows.insert((&one.row.id, &mention.competitor), row);
        }
    }
    let rows: Vec<Value> = rows.into_values().collect();
    if !rows.is_empty() {
        sqlx::query(
            "insert into social.competitors (workspace_id, name) select r ->> 0, r ->> 1
             from jsonb_array_elements($1) with ordinality as n (r, nth) order by nth
             on conflict (workspace_id, name) do nothing",
        )
        .bind(Json(names))
        .execute(&mut *conn)
        .await?;
        sqlx::query(
            "insert into social.competitive_mentions as m
               (workspace_id, post_id, competitor_id, sentiment, satisfaction, opportunity_score)
             select n.workspace_id, n.post_id, c.id, n.sentiment, n.satisfaction, n.opportunity
             from jsonb_to_recordset($1) as n (workspace_id text, post_id text, name text, sentiment text, satisfaction text,
                                               opportunity double precision)
             join social.competitors c on c.workspace_id = n.workspace_id and c.name = n.name
             on conflict (post_id, competitor_id) do update set sentiment = excluded.sentiment,
               satisfaction = excluded.satisfaction, opportunity_score = excluded.opportunity_score",
        )
        .bind(Json(&rows))
        .execute(&mut *conn)
        .await?;
    }
    let reread: Vec<&str> =
        merged.iter().filter(|one| one.row.reread).map(|one| one.row.id.as_str()).collect();
    if !reread.is_empty() {
        sqlx::query(
            "delete from social.competitive_mentions m using social.competitors c
             where c.id = m.competitor_id and m.post_id = any ($1) and not m.replied
               and not exists (select from jsonb_to_recordset($2) as n (post_id text, name text)
                               where n.post_id = m.post_id and n.name = c.name)",
        )
        .persistent(false)
        .bind(reread)
        .bind(Json(rows))
        .execute(conn)
        .await?;
    }
    Ok(())
}

/// Posts that the rules do not take, each once for each rule.
pub(super) async fn write_refused(
    conn: &mut PgConnection,
    arrivals: &[&Arrival<'_>],
) -> sqlx::Result<()> {
    let mut rows = BTreeMap::new();
    for arrival in arrivals {
        if let (Said::Post(post), Some(refusal)) = (arrival.said, arrival.triage.refused) {
            let (platform, id) = (post.platform.as_str(), id_text(&post.platform_post_id));
            let row = json!({ "workspace_id": arrival.workspace_id, "platform": platform, "platform_post_id": id,
                "rule": refusal.rule, "message": refusal.message, "event_id": arrival.event_id });
            rows.entry((arrival.workspace_id, platform, id, refusal.rule)).or_insert(row);
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into social.refused_posts (workspace_id, platform, platform_post_id, rule, message, event_id)
         select n.workspace_id, n.platform, n.platform_post_id, n.rule, n.message, n.event_id
         from jsonb_populate_recordset(null::social.refused_posts, $1) n
         order by n.workspace_id, n.platform, n.platform_post_id, n.rule
         on conflict (workspace_id, platform, platform_post_id, rule) do nothing",
    )
    .bind(Json(rows.into_values().collect::<Vec<_>>()))
    .execute(conn)
    .await?;
    Ok(())
}

/// Adds to today's counts. Last of all: whoever counts meets the others here.
pub(super) async fn count(conn: &mut PgConnection, funnel: &Funnel<'_>) -> sqlx::Result<()> {
    let rows: Vec<_> = funnel.iter().collect();
    sqlx::query(
        "insert into social.funnel as f (workspace_id, platform, day, stage, count)
         select r -> 0 ->> 0, r -> 0 ->> 1, (now() at time zone 'utc')::date, r -> 0 ->> 2, (r ->> 1)::bigint
         from jsonb_array_elements($1) with ordinality as n (r, nth) order by nth
         on conflict (workspace_id, platform, day, stage) do update set count = f.count + excluded.count",
    )
    .bind(Json(rows))
    .execute(conn)
    .await?;
    Ok(())
}
