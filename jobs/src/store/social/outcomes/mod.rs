//! `click_events`, `order_events`, `relationship_events`: what came of replies, each thing once.

mod follow;
mod forgotten;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{PgConnection, Row, postgres::PgRow};

use crate::social::outcomes::told::{Outcome, What};

/// An outcome, and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// Tenant.
    pub workspace_id: &'a str,
    /// What was told.
    pub outcome: &'a Outcome,
}

/// What rows that have changed lead to.
#[derive(Debug, Default)]
struct Touched {
    /// Orders themselves.
    orders: BTreeSet<String>,
    replies: BTreeSet<String>,
    /// Replies of clicks by nobody known: anybody's orders may follow from them.
    anonymous: BTreeSet<String>,
    visitors: BTreeSet<String>,
    accounts: BTreeSet<String>,
    authors: BTreeSet<String>,
}

/// Apply outcomes in the caller's transaction: rows, matched to their replies; orders credited; what was between the
/// authors and us. Whatever the order in which they come, the rows are the same.
///
/// One transaction at a time in a workspace: of two, neither would see what the other adds. It locks authors last; who
/// locks authors and then applies outcomes may dead-lock with it.
///
/// # Errors
/// Those of the database; the transaction is then lost.
pub async fn apply(
    conn: &mut PgConnection,
    told: &[Told<'_>],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let mut by_workspace: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for one in told {
        by_workspace.entry(one.workspace_id).or_default().push(one.outcome);
    }
    for (workspace, outcomes) in by_workspace {
        alone(conn, workspace).await?;
        let outcomes = forgotten::without(conn, workspace, outcomes).await?;
        let mut touched = Touched::default();
        let of = |kind: fn(&What) -> bool| {
            Columns::of(outcomes.iter().map(AsRef::as_ref).filter(|o| kind(&o.what)))
        };
        clicks(conn, workspace, &of(|w| matches!(w, What::Click { .. })), &mut touched).await?;
        orders(conn, workspace, &of(|w| matches!(w, What::Order { .. })), &mut touched).await?;
        relations(conn, workspace, &of(|w| matches!(w, What::Relation { .. })), &mut touched)
            .await?;
        follow::follow(conn, workspace, touched, now).await?;
    }
    Ok(())
}

/// Match what came before its reply or its author was known; how many were.
///
/// # Errors
/// Those of the database; the transaction is then lost.
pub async fn match_again(
    conn: &mut PgConnection,
    workspace: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    alone(conn, workspace).await?;
    let rows = sqlx::query(
        "with click as (
           update social.click_events c set reply_id = social.reply_named($1, c.data -> 'of' ->> 'reply_id', c.utm_code, c.data #>> '{of,post,0}', c.data #>> '{of,post,1}')
           where c.workspace_id = $1 and c.reply_id is null and c.data -> 'of' <> '{}' and c.occurred_at > $2::timestamptz - interval '14 days'
             and social.reply_named($1, c.data -> 'of' ->> 'reply_id', c.utm_code, c.data #>> '{of,post,0}', c.data #>> '{of,post,1}') is not null
           returning c.reply_id, c.visitor
         ), bought as (
           update social.order_events o set reply_id = social.reply_named($1, o.data -> 'of' ->> 'reply_id', o.utm_code, o.data #>> '{of,post,0}', o.data #>> '{of,post,1}')
           where o.workspace_id = $1 and o.reply_id is null and o.data -> 'of' <> '{}' and o.occurred_at > $2::timestamptz - interval '14 days'
             and social.reply_named($1, o.data -> 'of' ->> 'reply_id', o.utm_code, o.data #>> '{of,post,0}', o.data #>> '{of,post,1}') is not null
           returning o.external_id, o.reply_id
         ), found as (
           select e.id, coalesce(e.reply_id, n.reply_id) as reply_id, coalesce(e.author_id,
             social.author_named($1, split_part(e.data ->> 'account', ' ', 1), split_part(e.data ->> 'account', ' ', 2), coalesce(e.reply_id, n.reply_id))) as author_id
           from social.relationship_events e
           cross join lateral (select social.reply_named($1, e.data -> 'of' ->> 'reply_id', e.data -> 'of' ->> 'utm_code', e.data #>> '{of,post,0}', e.data #>> '{of,post,1}') as reply_id) n
           where e.workspace_id = $1 and (e.author_id is null or (e.reply_id is null and e.data -> 'of' <> '{}'))
             and e.occurred_at > $2::timestamptz - interval '14 days'
         ), related as (
           update social.relationship_events e set reply_id = f.reply_id, author_id = f.author_id from found f
           where e.id = f.id and (e.reply_id, e.author_id) is distinct from (f.reply_id, f.author_id)
           returning e.reply_id, e.author_id, e.data ->> 'account' as account
         )
         select 'click' as type, null as id, reply_id, visitor, null as account, null as author_id from click
         union all select 'order', external_id, reply_id, null, null, null from bought
         union all select 'relation', null, reply_id, null, account, author_id from related",
    )
    .bind(workspace)
    .bind(now)
    .fetch_all(&mut *conn)
    .await?;
    let mut touched = Touched::default();
    for row in &rows {
        touched.add(row)?;
    }
    follow::follow(conn, workspace, touched, now).await?;
    Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
}

/// Clicks, orders and relationship events of `workspace` (or of all) that belong to nothing yet.
///
/// # Errors
/// Those of the database.
pub async fn unmatched(
    conn: &mut PgConnection,
    workspace: Option<&str>,
) -> sqlx::Result<[(&'static str, i64); 3]> {
    let (clicks, orders, relations) = sqlx::query_as(
        "select (select count(*) from social.click_events c where ($1::text is null or c.workspace_id = $1) and c.reply_id is null),
                (select count(*) from social.order_events o where ($1::text is null or o.workspace_id = $1) and o.reply_id is null and o.credited_to is null),
                (select count(*) from social.relationship_events e where ($1::text is null or e.workspace_id = $1) and e.author_id is null)",
    )
    .bind(workspace)
    .fetch_one(conn)
    .await?;
    Ok([("click", clicks), ("order", orders), ("relation", relations)])
}

async fn alone(conn: &mut PgConnection, workspace: &str) -> sqlx::Result<()> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('social.outcomes ' || $1, 0))")
        .bind(workspace)
        .execute(conn)
        .await
        .map(drop)
}

impl Touched {
    fn add(&mut self, row: &PgRow) -> sqlx::Result<()> {
        let text = |name| row.try_get::<Option<String>, _>(name);
        self.orders.extend(text("id")?);
        self.accounts.extend(text("account")?);
        self.authors.extend(text("author_id")?);
        let (reply, visitor) = (text("reply_id")?, text("visitor")?);
        if visitor.is_none() && row.try_get::<&str, _>("type")? == "click" {
            self.anonymous.extend(reply.clone());
        }
        self.replies.extend(reply);
        self.visitors.extend(visitor);
        Ok(())
    }
}

/// Outcomes of one kind, column by column; of those with one id the one that counts.
#[derive(Default)]
struct Columns<'a> {
    ids: Vec<&'a str>,
    at: Vec<DateTime<Utc>>,
    reply_ids: Vec<Option<&'a str>>,
    utm_codes: Vec<Option<&'a str>>,
    platforms: Vec<Option<&'static str>>,
    posts: Vec<Option<&'a str>>,
    visitors: Vec<Option<&'a str>>,
    accounts: Vec<Option<String>>,
    data: Vec<Value>,
    outcomes: Vec<&'a Outcome>,
}

impl<'a> Columns<'a> {
    fn of(outcomes: impl Iterator<Item = &'a Outcome>) -> Self {
        let mut columns = Self::default();
        for outcome in outcomes {
            let of = &outcome.of;
            let account = outcome
                .account
                .as_ref()
                .map(|a| format!("{} {}", a.platform.as_str(), a.platform_id));
            columns.ids.push(&outcome.id);
            columns.at.push(outcome.at);
            columns.reply_ids.push(of.reply_id.as_deref());
            columns.utm_codes.push(of.utm_code.as_deref());
            columns.platforms.push(of.post.as_ref().map(|(platform, _)| platform.as_str()));
            columns.posts.push(of.post.as_ref().map(|(_, id)| id.as_str()));
            columns.visitors.push(outcome.visitor.as_deref());
            columns.data.push(json!({
                "of": of, "what": outcome.what, "visitor": outcome.visitor, "account": account,
            }));
            columns.accounts.push(account);
            columns.outcomes.push(outcome);
        }
        columns
    }

    fn note(&self, kind: &'static str, rows: &[PgRow], touched: &mut Touched) -> sqlx::Result<()> {
        let mut fresh = 0_u64;
        for row in rows {
            touched.add(row)?;
            fresh = fresh.saturating_add(row.try_get::<bool, _>("fresh")?.into());
        }
        let told = u64::try_from(self.ids.len()).unwrap_or(u64::MAX);
        let count = |known, n| {
            metrics::counter!("millrace_social_outcomes_total", "type" => kind, "known" => known)
                .increment(n);
        };
        count("no", fresh);
        count("yes", told.saturating_sub(fresh));
        Ok(())
    }
}

async fn clicks(
    conn: &mut PgConnection,
    workspace: &str,
    told: &Columns<'_>,
    touched: &mut Touched,
) -> sqlx::Result<()> {
    if told.ids.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query(include_str!("clicks.sql"))
        .bind(workspace)
        .bind(&told.ids)
        .bind(&told.at)
        .bind(&told.reply_ids)
        .bind(&told.utm_codes)
        .bind(&told.platforms)
        .bind(&told.posts)
        .bind(&told.visitors)
        .bind(&told.data)
        .fetch_all(conn)
        .await?;
    told.note("click", &rows, touched)
}

async fn orders(
    conn: &mut PgConnection,
    workspace: &str,
    told: &Columns<'_>,
    touched: &mut Touched,
) -> sqlx::Result<()> {
    if told.ids.is_empty() {
        return Ok(());
    }
    let bought: Vec<_> = told.outcomes.iter().map(|o| bought(o)).collect();
    let rows = sqlx::query(include_str!("orders.sql"))
        .bind(workspace)
        .bind(&told.ids)
        .bind(&told.at)
        .bind(&told.reply_ids)
        .bind(&told.utm_codes)
        .bind(&told.platforms)
        .bind(&told.posts)
        .bind(&told.visitors)
        .bind(&told.data)
        .bind(bought.iter().map(|(cents, _, _)| *cents).collect::<Vec<_>>())
        .bind(bought.iter().map(|(_, currency, _)| *currency).collect::<Vec<_>>())
        .bind(bought.iter().map(|(_, _, new)| *new).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    told.note("order", &rows, touched)
}

fn bought(outcome: &Outcome) -> (i64, &str, Option<bool>) {
    match &outcome.what {
        What::Order { cents, currency, new_customer, .. } => (*cents, currency, *new_customer),
        What::Click { .. } | What::Relation { .. } => (0, "XXX", None),
    }
}

async fn relations(
    conn: &mut PgConnection,
    workspace: &str,
    told: &Columns<'_>,
    touched: &mut Touched,
) -> sqlx::Result<()> {
    if told.ids.is_empty() {
        return Ok(());
    }
    let kinds: Vec<_> = told.outcomes.iter().filter_map(|o| relation(o)).collect();
    let account =
        |o: &&Outcome| o.account.as_ref().map(|a| (a.platform.as_str(), a.platform_id.clone()));
    let accounts: Vec<_> = told.outcomes.iter().map(account).collect();
    let rows = sqlx::query(include_str!("relations.sql"))
        .bind(workspace)
        .bind(&told.ids)
        .bind(&told.at)
        .bind(&told.reply_ids)
        .bind(&told.utm_codes)
        .bind(&told.platforms)
        .bind(&told.posts)
        .bind(
            accounts.iter().map(|a| a.as_ref().map(|(platform, _)| *platform)).collect::<Vec<_>>(),
        )
        .bind(accounts.iter().map(|a| a.as_ref().map(|(_, id)| id.as_str())).collect::<Vec<_>>())
        .bind(&told.data)
        .bind(kinds.iter().map(|(name, _)| *name).collect::<Vec<_>>())
        .bind(kinds.iter().map(|(_, weight)| *weight).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    told.note("relation", &rows, touched)
}

fn relation(outcome: &Outcome) -> Option<(&'static str, f64)> {
    match &outcome.what {
        What::Relation { kind } => Some((kind.as_str(), kind.weight())),
        What::Click { .. } | What::Order { .. } => None,
    }
}
