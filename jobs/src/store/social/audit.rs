//! `social.audit_logs`: what people did and what became of replies, in a chain that the database makes. An entry is
//! written last in the transaction of its act: it holds the chain of its workspace until the commit.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};

/// What was done.
#[derive(Debug, Clone, Copy)]
pub struct Act<'a> {
    /// Tenant.
    pub workspace_id: &'a str,
    /// `key:<id of an API key>` or `cli:<user id of the process>`.
    pub actor: &'a str,
    /// `escalation`, `reply`, `decision`, `author`, `audit_logs`.
    pub entity_type: &'a str,
    /// Which.
    pub entity_id: &'a str,
    /// What: `claimed`, `approved`, ...
    pub action: &'a str,
}

/// A row of `social.audit_logs`.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "columns of social.audit_logs, hashes in hex")]
pub struct AuditRow {
    pub workspace_id: String,
    pub seq: i64,
    pub id: String,
    pub entity_type: String,
    pub entity_id: String,
    pub action: String,
    pub actor: String,
    pub details_json: Option<Value>,
    pub created_at: DateTime<Utc>,
    pub prev_hash: Option<String>,
    pub row_hash: String,
}

/// Which entries; `None` does not filter.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "columns of social.audit_logs")]
pub struct AuditFilter {
    pub workspace_id: Option<String>,
    pub entity_type: Option<String>,
    pub entity_id: Option<String>,
    pub action: Option<String>,
    pub actor: Option<String>,
    /// At or after.
    pub since: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
}

/// Say who did what. `details` holds no secret.
///
/// # Errors
/// Those of the database.
pub async fn note(db: impl PgExecutor<'_>, act: Act<'_>, details: Value) -> sqlx::Result<()> {
    sqlx::query(
        "insert into social.audit_logs (workspace_id, entity_type, entity_id, action, actor, details_json)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(act.workspace_id)
    .bind(act.entity_type)
    .bind(act.entity_id)
    .bind(act.action)
    .bind(act.actor)
    .bind(details)
    .execute(db)
    .await
    .map(drop)
}

/// Entries after that place (workspace, seq), in order; so all of them can be read in batches.
///
/// # Errors
/// Those of the database.
pub async fn batch(
    db: impl PgExecutor<'_>,
    filter: &AuditFilter,
    after: (&str, i64),
    limit: i64,
) -> sqlx::Result<Vec<AuditRow>> {
    sqlx::query_as(
        "select workspace_id, seq, id, entity_type, entity_id, action, actor, details_json, created_at,
                encode(prev_hash, 'hex') as prev_hash, encode(row_hash, 'hex') as row_hash
         from social.audit_logs
         where ($1::text is null or workspace_id = $1) and ($2::text is null or entity_type = $2)
           and ($3::text is null or entity_id = $3) and ($4::text is null or action = $4) and ($5::text is null or actor = $5)
           and ($6::timestamptz is null or created_at >= $6) and ($7::timestamptz is null or created_at < $7)
           and (workspace_id, seq) > ($8, $9)
         order by workspace_id, seq limit $10",
    )
    .bind(&filter.workspace_id)
    .bind(&filter.entity_type)
    .bind(&filter.entity_id)
    .bind(&filter.action)
    .bind(&filter.actor)
    .bind(filter.since)
    .bind(filter.until)
    .bind(after.0)
    .bind(after.1)
    .bind(limit)
    .fetch_all(db)
    .await
}

/// The last entries, the newest first.
///
/// # Errors
/// Those of the database.
pub async fn latest(
    db: impl PgExecutor<'_>,
    filter: &AuditFilter,
    limit: i64,
) -> sqlx::Result<Vec<AuditRow>> {
    sqlx::query_as(
        "select workspace_id, seq, id, entity_type, entity_id, action, actor, details_json, created_at,
                encode(prev_hash, 'hex') as prev_hash, encode(row_hash, 'hex') as row_hash
         from social.audit_logs
         where ($1::text is null or workspace_id = $1) and ($2::text is null or entity_type = $2)
           and ($3::text is null or entity_id = $3) and ($4::text is null or action = $4) and ($5::text is null or actor = $5)
           and ($6::timestamptz is null or created_at >= $6) and ($7::timestamptz is null or created_at < $7)
         order by created_at desc, seq desc limit $8",
    )
    .bind(&filter.workspace_id)
    .bind(&filter.entity_type)
    .bind(&filter.entity_id)
    .bind(&filter.action)
    .bind(&filter.actor)
    .bind(filter.since)
    .bind(filter.until)
    .bind(limit)
    .fetch_all(db)
    .await
}

/// How many entries an entity (workspace, type, id) has of an action.
///
/// # Errors
/// Those of the database.
pub async fn count(
    db: impl PgExecutor<'_>,
    of: (&str, &str, &str),
    action: &str,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select count(*) from social.audit_logs where workspace_id = $1 and entity_type = $2 and entity_id = $3 and action = $4",
    )
    .bind(of.0)
    .bind(of.1)
    .bind(of.2)
    .bind(action)
    .fetch_one(db)
    .await
}

/// Workspaces that have entries.
///
/// # Errors
/// Those of the database.
pub async fn workspaces(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select w.id from signals.workspaces w
         where exists (select from social.audit_logs l where l.workspace_id = w.id) order by w.id",
    )
    .fetch_all(db)
    .await
}

/// A place in a chain: what an earlier look found at its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    /// Of the row.
    pub seq: i64,
    /// In hex.
    pub row_hash: String,
}

/// The first row that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// Its number.
    pub seq: i64,
    /// Its id, if there is a row.
    pub id: Option<String>,
    /// What is wrong.
    pub why: &'static str,
}

/// What a walk along the chain found.
#[derive(Debug, Clone, Serialize)]
pub struct Walk {
    /// Tenant.
    pub workspace_id: String,
    /// Rows that were looked at.
    pub rows: i64,
    /// Number of the first row; over 1 when older ones were archived.
    pub from: i64,
    /// The last row that is right: keep it, and a later walk can tell whether the end was cut off.
    pub head: Option<Head>,
    /// Where the chain is broken.
    pub broken: Option<Broken>,
}

#[derive(sqlx::FromRow)]
struct Link {
    seq: i64,
    id: String,
    prev_hash: Option<String>,
    row_hash: String,
    same: bool,
}

/// Rows of a batch of [`walk`].
const BATCH: i64 = 1000;

/// Follow the chain of a workspace from its first row to its last, or to the first that is broken. `known` is a place
/// that an earlier walk reached: it must still be there.
///
/// # Errors
/// Those of the database.
pub async fn walk(
    conn: &mut PgConnection,
    workspace_id: &str,
    known: Option<&Head>,
) -> sqlx::Result<Walk> {
    let mut walk =
        Walk { workspace_id: workspace_id.to_owned(), rows: 0, from: 0, head: None, broken: None };
    loop {
        let after = walk.head.as_ref().map_or(0, |head| head.seq);
        let links: Vec<Link> = sqlx::query_as(
            "select seq, id, encode(prev_hash, 'hex') as prev_hash, encode(row_hash, 'hex') as row_hash,
                    row_hash = social.audit_hash(l) and (
                      case when redacted_at is null then details_hash = social.details_hash(details_json)
                      -- A later entry must say whose traces were taken from it.
                      else exists (select from social.audit_logs e where e.workspace_id = l.workspace_id and e.seq > l.seq
                                     and e.entity_type = 'author' and e.action = 'erased'
                                     and e.details_json -> 'redacted' @> to_jsonb(l.seq)) end) as same
             from social.audit_logs l where workspace_id = $1 and seq > $2 order by seq limit $3",
        )
        .bind(workspace_id)
        .bind(after)
        .bind(BATCH)
        .fetch_all(&mut *conn)
        .await?;
        let full = i64::try_from(links.len()).is_ok_and(|n| n == BATCH);
        for link in links {
            walk.broken = wrong(conn, &mut walk, &link, known).await?;
            if walk.broken.is_some() {
                return Ok(walk);
            }
            walk.rows += 1;
            walk.head = Some(Head { seq: link.seq, row_hash: link.row_hash });
        }
        if !full {
            break;
        }
    }
    let end = walk.head.as_ref().map_or(0, |head| head.seq);
    if known.is_some_and(|known| known.seq > end) {
        walk.broken = Some(Broken { seq: end + 1, id: None, why: "the end was cut off" });
    }
    Ok(walk)
}

/// What is wrong with a row that follows the walk's head.
async fn wrong(
    conn: &mut PgConnection,
    walk: &mut Walk,
    link: &Link,
    known: Option<&Head>,
) -> sqlx::Result<Option<Broken>> {
    let at_row = |why| Some(Broken { seq: link.seq, id: Some(link.id.clone()), why });
    let missing = |seq| Some(Broken { seq, id: None, why: "it was deleted" });
    match &walk.head {
        None => {
            walk.from = link.seq;
            if link.seq > 1 && !archived(conn, &walk.workspace_id, link).await? {
                return Ok(missing(1));
            }
            if link.seq == 1 && link.prev_hash.is_some() {
                return Ok(at_row("it was changed"));
            }
        }
        Some(head) if link.seq != head.seq + 1 => return Ok(missing(head.seq + 1)),
        Some(head) if link.prev_hash.as_ref() != Some(&head.row_hash) => {
            return Ok(at_row("it does not follow the row before"));
        }
        Some(_) => {}
    }
    if !link.same {
        return Ok(at_row("it was changed"));
    }
    let replaced = known.is_some_and(|k| k.seq == link.seq && k.row_hash != link.row_hash);
    Ok(if replaced { at_row("it is not the row that was there") } else { None })
}

/// Whether the chain itself says that the rows before this one were archived: an entry of `audit_logs`, `archived`, with
/// the number and the hash of the last of them.
async fn archived(conn: &mut PgConnection, workspace_id: &str, first: &Link) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from social.audit_logs
           where workspace_id = $1 and entity_type = 'audit_logs' and action = 'archived' and seq >= $2
             and details_json ->> 'through_seq' = ($2 - 1)::text and details_json ->> 'row_hash' = $3)",
    )
    .bind(workspace_id)
    .bind(first.seq)
    .bind(first.prev_hash.as_deref())
    .fetch_one(conn)
    .await
}
