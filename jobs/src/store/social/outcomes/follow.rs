//! What follows from outcomes: credit of orders, relationship events of clicks and purchases, scores of authors. All of
//! it is computed anew from the rows, so that it depends on what there is and not on how it came.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{FromRow, PgConnection};

use super::Touched;
use crate::social::{
    outcomes::attribution::{Touch, attribute},
    relationship::{Event, EventKind, fold},
};

/// Events of `authors.interaction_history`: the last so many.
const HISTORY_MAX: usize = 50;

pub(super) async fn follow(
    conn: &mut PgConnection,
    workspace: &str,
    mut touched: Touched,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let orders = orders(conn, workspace, &touched).await?;
    credit(conn, workspace, &orders, &mut touched.replies).await?;
    let authors = derive(conn, workspace, &touched.replies).await?;
    touched.authors.extend(authors);
    score(conn, workspace, &touched.authors, now).await
}

/// Orders whose credit what was touched may change.
async fn orders(
    conn: &mut PgConnection,
    workspace: &str,
    touched: &Touched,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select o.external_id from social.order_events o
         where o.workspace_id = $1 and (o.external_id = any ($2) or o.visitor = any ($3) or o.reply_id = any ($4)
           or (o.reply_id = any ($5) and o.visitor is null)
           or o.data ->> 'account' = any ($6 || array(select a.platform || ' ' || a.platform_id from social.authors a
                                                      where a.workspace_id = $1 and a.id = any ($7))))
         order by o.external_id",
    )
    .bind(workspace)
    .bind(list(&touched.orders))
    .bind(list(&touched.visitors))
    .bind(list(&touched.anonymous))
    .bind(list(&touched.replies))
    .bind(list(&touched.accounts))
    .bind(list(&touched.authors))
    .fetch_all(conn)
    .await
}

fn list(set: &BTreeSet<String>) -> Vec<&str> {
    set.iter().map(String::as_str).collect()
}

/// An order, and the last of each kind of touch before it.
#[derive(Debug, FromRow)]
struct Order {
    external_id: String,
    occurred_at: DateTime<Utc>,
    /// The reply that it names, unless a click on that reply is known of the buyer, or of nobody.
    claimed: Option<String>,
    credited_to: Option<String>,
    visitor_at: Option<DateTime<Utc>>,
    visitor_reply: Option<String>,
    named_at: Option<DateTime<Utc>>,
    named_reply: Option<String>,
    engaged_at: Option<DateTime<Utc>>,
    engaged_reply: Option<String>,
}

impl Order {
    fn touches(&self) -> Vec<Touch> {
        let touch = |at: Option<DateTime<Utc>>, reply: &Option<String>, click| {
            Some(Touch { at: at?, reply_id: reply.clone()?, click })
        };
        [
            touch(self.visitor_at, &self.visitor_reply, true),
            touch(self.named_at, &self.named_reply, true),
            touch(Some(self.occurred_at), &self.claimed, true),
            touch(self.engaged_at, &self.engaged_reply, false),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Credit orders; the replies that have lost or won one are `touched`. An order that names a reply on which no click is
/// known came by a link of it all the same: the click was just now.
async fn credit(
    conn: &mut PgConnection,
    workspace: &str,
    orders: &[String],
    touched: &mut BTreeSet<String>,
) -> sqlx::Result<()> {
    if orders.is_empty() {
        return Ok(());
    }
    let orders: Vec<Order> = sqlx::query_as(
        "select o.external_id, o.occurred_at, o.credited_to,
                case when n.occurred_at is null then o.reply_id end as claimed,
                v.occurred_at as visitor_at, v.reply_id as visitor_reply,
                n.occurred_at as named_at, o.reply_id as named_reply,
                e.occurred_at as engaged_at, e.reply_id as engaged_reply
         from social.order_events o
         left join lateral (
           select c.occurred_at, c.reply_id from social.click_events c
           where c.workspace_id = $1 and c.visitor = o.visitor and c.reply_id is not null and c.occurred_at <= o.occurred_at
           order by c.occurred_at desc, c.reply_id desc limit 1) v on true
         left join lateral (
           select c.occurred_at from social.click_events c
           where c.workspace_id = $1 and c.reply_id = o.reply_id and c.occurred_at <= o.occurred_at
             and (c.visitor is null or o.visitor is null or c.visitor = o.visitor)
           order by c.occurred_at desc limit 1) n on true
         left join lateral (
           select r.occurred_at, r.reply_id from social.relationship_events r
           where r.workspace_id = $1 and r.reply_id is not null and r.occurred_at <= o.occurred_at
             and r.type in ('thanks', 'like', 'question', 'direct_message')
             and r.author_id = social.author_named($1, split_part(o.data ->> 'account', ' ', 1), split_part(o.data ->> 'account', ' ', 2), null)
           order by r.occurred_at desc, r.reply_id desc limit 1) e on true
         where o.workspace_id = $1 and o.external_id = any ($2)",
    )
    .bind(workspace)
    .bind(orders)
    .fetch_all(&mut *conn)
    .await?;
    let found: Vec<_> = orders
        .iter()
        .map(|order| {
            let touches = order.touches();
            let found = attribute(order.occurred_at, &touches);
            found.map(|(reply, by)| (reply.to_owned(), by))
        })
        .collect();
    touched.extend(orders.iter().filter_map(|order| order.credited_to.clone()));
    touched.extend(found.iter().flatten().map(|(reply, _)| reply.clone()));
    sqlx::query(
        "update social.order_events o set credited_to = u.reply_id, credited_by = u.by, credit = u.credit
         from unnest($2::text[], $3::text[], $4::text[], $5::double precision[]) as u (external_id, reply_id, by, credit)
         where o.workspace_id = $1 and o.external_id = u.external_id
           and (o.credited_to, o.credited_by) is distinct from (u.reply_id, u.by)",
    )
    .bind(workspace)
    .bind(orders.iter().map(|o| o.external_id.as_str()).collect::<Vec<_>>())
    .bind(found.iter().map(|f| f.as_ref().map(|(reply, _)| reply.as_str())).collect::<Vec<_>>())
    .bind(found.iter().map(|f| f.as_ref().map(|(_, by)| by.as_str())).collect::<Vec<_>>())
    .bind(found.iter().map(|f| f.as_ref().map(|(_, by)| by.credit())).collect::<Vec<_>>())
    .execute(conn)
    .await
    .map(drop)
}

/// A reply is one click and one purchase between its author and us, however many there were: those who follow a link
/// are not known to be the author. The authors of what has changed.
async fn derive(
    conn: &mut PgConnection,
    workspace: &str,
    replies: &BTreeSet<String>,
) -> sqlx::Result<Vec<String>> {
    if replies.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_scalar(
        "with found as (
           select r.id, 'click' as type, $3::double precision as weight,
             (select min(c.occurred_at) from social.click_events c where c.workspace_id = $1 and c.reply_id = r.id) as at
           from unnest($2::text[]) as r (id)
           union all
           select r.id, 'purchase', $4,
             (select min(o.occurred_at) from social.order_events o
              where o.workspace_id = $1 and o.credited_to = r.id and o.credited_by = 'click_7d')
           from unnest($2::text[]) as r (id)
         ), gone as (
           delete from social.relationship_events e using found f
           where e.workspace_id = $1 and e.type = f.type and e.source_event_id = 'reply ' || f.id and f.at is null
           returning e.author_id
         ), there as (
           insert into social.relationship_events as e (workspace_id, author_id, reply_id, type, source_event_id, weight, occurred_at)
           select $1, social.author_named($1, null, null, f.id), f.id, f.type, 'reply ' || f.id, f.weight, f.at
           from found f where f.at is not null order by f.type, f.id
           on conflict (workspace_id, type, source_event_id) do update
             set occurred_at = excluded.occurred_at, author_id = coalesce(excluded.author_id, e.author_id)
           where (e.occurred_at, e.author_id) is distinct from (excluded.occurred_at, coalesce(excluded.author_id, e.author_id))
           returning e.author_id
         )
         select author_id from gone where author_id is not null union select author_id from there where author_id is not null",
    )
    .bind(workspace)
    .bind(list(replies))
    .bind(EventKind::Click.weight())
    .bind(EventKind::Purchase.weight())
    .fetch_all(conn)
    .await
}

/// One event of an author.
#[derive(Debug, FromRow)]
struct Happened {
    author_id: String,
    r#type: String,
    source_event_id: String,
    occurred_at: DateTime<Utc>,
    reply_id: Option<String>,
}

/// Fold the events of authors anew.
async fn score(
    conn: &mut PgConnection,
    workspace: &str,
    authors: &BTreeSet<String>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    if authors.is_empty() {
        return Ok(());
    }
    let ids = list(authors);
    sqlx::query("select from social.authors where workspace_id = $1 and id = any ($2) order by id for no key update")
        .bind(workspace)
        .bind(&ids)
        .execute(&mut *conn)
        .await?;
    let happened: Vec<Happened> = sqlx::query_as(
        "select author_id, type, source_event_id, occurred_at, reply_id from social.relationship_events
         where workspace_id = $1 and author_id = any ($2) order by author_id, occurred_at, type, source_event_id",
    )
    .bind(workspace)
    .bind(&ids)
    .fetch_all(&mut *conn)
    .await?;
    let mut by_author: BTreeMap<&str, Vec<&Happened>> =
        ids.iter().map(|id| (*id, Vec::new())).collect();
    for one in &happened {
        by_author.entry(&one.author_id).or_default().push(one);
    }
    let scores: Vec<f64> = by_author.values().map(|all| fold(&events(all), now).score).collect();
    let histories: Vec<Value> = by_author.values().map(|all| history(all)).collect();
    sqlx::query(
        "update social.authors a set relationship_score = u.score, interaction_history = u.history
         from unnest($2::text[], $3::double precision[], $4::jsonb[]) as u (id, score, history)
         where a.workspace_id = $1 and a.id = u.id",
    )
    .bind(workspace)
    .bind(by_author.keys().copied().collect::<Vec<_>>())
    .bind(&scores)
    .bind(&histories)
    .execute(conn)
    .await
    .map(drop)
}

fn events(all: &[&Happened]) -> Vec<Event> {
    let kind = |name: &str| EventKind::ALL.into_iter().find(|kind| kind.as_str() == name);
    let event = |one: &&Happened| {
        Some(Event {
            kind: kind(&one.r#type)?,
            source_id: one.source_event_id.clone(),
            at: one.occurred_at,
        })
    };
    all.iter().filter_map(event).collect()
}

/// As the seed's programs read it.
fn history(all: &[&Happened]) -> Value {
    let last = all.get(all.len().saturating_sub(HISTORY_MAX)..).unwrap_or_default();
    last.iter()
        .map(|one| {
            json!({
                "type": one.r#type,
                "timestamp": one.occurred_at.to_rfc3339(),
                "context": { "replyId": one.reply_id },
            })
        })
        .collect()
}
