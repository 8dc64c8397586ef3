//! `social.escalations`: what waits for a person, under leases on the database's clock.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{PgConnection, PgExecutor};
use utoipa::ToSchema;

use crate::social::oversight::escalation::{NewEscalation, Priority, Reason, Status};

/// A row of `social.escalations`, and what it is about.
#[derive(Debug, Clone, Serialize, sqlx::FromRow, ToSchema)]
pub struct EscalationRow {
    /// Id.
    pub id: String,
    /// Tenant.
    pub workspace_id: String,
    /// Why a person must look.
    pub reason: String,
    /// In words.
    pub reason_text: Option<String>,
    /// `CRITICAL`, `HIGH`, `MEDIUM`, `LOW`.
    pub priority: String,
    /// `PENDING`, `IN_REVIEW`, `RESOLVED`, `DISMISSED`.
    pub status: String,
    /// Who has it, or had it last.
    pub assigned_to: Option<String>,
    /// Who has claimed it; after `claimed_until` another may.
    pub claimed_by: Option<String>,
    /// When the claim runs out.
    pub claimed_until: Option<DateTime<Utc>>,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it should have ended.
    pub sla_due_at: Option<DateTime<Utc>>,
    /// It has not, or did not.
    pub overdue: bool,
    /// Who ended it.
    pub resolved_by: Option<String>,
    /// What they said.
    pub resolution_notes: Option<String>,
    /// When.
    pub resolved_at: Option<DateTime<Utc>>,
    /// The decision that it is about.
    pub decision_id: Option<String>,
    /// The post.
    pub post_id: Option<String>,
    /// Where that is.
    pub platform: Option<String>,
    /// Its address.
    pub url: Option<String>,
    /// What it says.
    pub post: Option<String>,
    /// Our reply.
    pub reply_id: Option<String>,
    /// What that says.
    pub reply: Option<String>,
}

/// Which escalations; `None` does not filter, but for `status`: then only those that have not ended.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "columns of social.escalations")]
pub struct EscalationFilter {
    pub workspace_id: Option<String>,
    pub id: Option<String>,
    pub status: Option<Status>,
    pub priority: Option<Priority>,
    pub reason: Option<Reason>,
    pub overdue: Option<bool>,
    pub assigned_to: Option<String>,
    pub reply_id: Option<String>,
}

/// Where a list goes on.
pub type Place = (i32, DateTime<Utc>, String);

impl EscalationRow {
    /// Its place in a list: by priority, then by age.
    #[must_use]
    pub fn place(&self) -> Place {
        let rank = Priority::ALL.iter().zip(1..).find(|(p, _)| p.as_str() == self.priority);
        (rank.map_or(0, |(_, rank)| rank), self.created_at, self.id.clone())
    }

    /// Why somebody may not act on it.
    #[must_use]
    pub fn why_not(&self) -> String {
        match (&self.claimed_by, self.claimed_until) {
            _ if self.resolved_at.is_some() => format!("it has ended: {}", self.status),
            (Some(who), Some(until)) => format!("{who} has claimed it until {until}"),
            _ => "claim it first".to_owned(),
        }
    }
}

/// Open them in the caller's transaction, each with the priority of its reason and the clock of its priority: 2 h, 2 h,
/// 24 h, 7 d. One of a decision and reason that lives already is not opened again. Returns the ids of new ones.
///
/// # Errors
/// Those of the database.
pub async fn open(conn: &mut PgConnection, new: &[NewEscalation]) -> sqlx::Result<Vec<String>> {
    let column = |value: fn(&NewEscalation) -> Option<&str>| -> Vec<Option<&str>> {
        new.iter().map(value).collect()
    };
    let decided: Vec<_> = new.iter().map(|e| e.decision.as_ref().map(|(_, at)| *at)).collect();
    sqlx::query_scalar(
        "insert into social.escalations (workspace_id, post_id, decision_id, decision_created_at, reply_id, reason, reason_text,
                                         priority, sla_due_at)
         select n.workspace_id, n.post_id, n.decision_id, n.decided, n.reply_id, n.reason, n.reason_text, p.priority,
                now() + case p.priority when 'CRITICAL' then interval '2 hours' when 'HIGH' then interval '2 hours'
                                        when 'MEDIUM' then interval '24 hours' else interval '7 days' end
         from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[])
           as n (workspace_id, post_id, decision_id, decided, reply_id, reason, reason_text, priority)
         join social.escalation_reasons r on r.name = n.reason
         cross join lateral (select coalesce(n.priority, r.severity) as priority) p
         on conflict (workspace_id, decision_id, reason) where decision_id is not null and status in ('PENDING','IN_REVIEW')
         do nothing
         returning id",
    )
    .bind(column(|e| Some(&e.workspace_id)))
    .bind(column(|e| e.post_id.as_deref()))
    .bind(column(|e| e.decision.as_ref().map(|(id, _)| id.as_str())))
    .bind(decided)
    .bind(column(|e| e.reply_id.as_deref()))
    .bind(column(|e| Some(e.reason.as_str())))
    .bind(column(|e| e.reason_text.as_deref()))
    .bind(column(|e| e.priority.map(Priority::as_str)))
    .fetch_all(conn)
    .await
}

/// Escalations after a place: CRITICAL, HIGH, MEDIUM, LOW, and the oldest first.
///
/// # Errors
/// Those of the database.
pub async fn list(
    db: impl PgExecutor<'_>,
    filter: &EscalationFilter,
    after: Option<&Place>,
    limit: i64,
) -> sqlx::Result<Vec<EscalationRow>> {
    sqlx::query_as(
        "select e.id, e.workspace_id, e.reason, e.reason_text, e.priority, e.status, e.assigned_to, e.claimed_by, e.claimed_until,
                e.created_at, e.sla_due_at, coalesce(coalesce(e.resolved_at, now()) > e.sla_due_at, false) as overdue,
                e.resolved_by, e.resolution_notes, e.resolved_at, e.decision_id, e.post_id, p.platform, p.url, p.content as post,
                e.reply_id, r.content as reply
         from social.escalations e
         left join social.posts p on p.workspace_id = e.workspace_id and p.id = e.post_id
         left join social.replies r on r.workspace_id = e.workspace_id and r.id = e.reply_id
         cross join lateral array_position(array['CRITICAL','HIGH','MEDIUM','LOW'], e.priority) as rank
         where ($1::text is null or e.workspace_id = $1) and ($2::text is null or e.id = $2)
           and (e.status = $3 or $3 is null and ($2 is not null or e.status in ('PENDING','IN_REVIEW')))
           and ($4::text is null or e.priority = $4) and ($5::text is null or e.reason = $5)
           and ($6::boolean is null or $6 = coalesce(coalesce(e.resolved_at, now()) > e.sla_due_at, false))
           and ($7::text is null or e.assigned_to = $7) and ($8::text is null or e.reply_id = $8)
           and ($9::int is null or (rank, e.created_at, e.id) > ($9, $10, $11))
         order by rank, e.created_at, e.id limit $12",
    )
    .bind(&filter.workspace_id)
    .bind(&filter.id)
    .bind(filter.status.map(Status::as_str))
    .bind(filter.priority.map(Priority::as_str))
    .bind(filter.reason.map(Reason::as_str))
    .bind(filter.overdue)
    .bind(&filter.assigned_to)
    .bind(&filter.reply_id)
    .bind(after.map(|place| place.0))
    .bind(after.map(|place| place.1))
    .bind(after.map(|place| &place.2))
    .bind(limit)
    .fetch_all(db)
    .await
}

/// Take one, or prolong one's own claim of it; `false` if it has ended, is another's, or there is none.
///
/// # Errors
/// Those of the database.
pub async fn claim(
    db: impl PgExecutor<'_>,
    workspace_id: &str,
    id: &str,
    actor: &str,
    minutes: i32,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "update social.escalations set status = 'IN_REVIEW', assigned_to = $3, claimed_by = $3,
           claimed_until = clock_timestamp() + make_interval(mins => $4)
         where workspace_id = $1 and id = $2 and status in ('PENDING','IN_REVIEW')
           and (claimed_by is null or claimed_by = $3 or claimed_until <= clock_timestamp())",
    )
    .bind(workspace_id)
    .bind(id)
    .bind(actor)
    .bind(minutes)
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Take the most urgent one that nobody has; its id. Several who ask at once get several.
///
/// # Errors
/// Those of the database.
pub async fn claim_next(
    db: impl PgExecutor<'_>,
    workspace_id: &str,
    actor: &str,
    minutes: i32,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "update social.escalations set status = 'IN_REVIEW', assigned_to = $2, claimed_by = $2,
           claimed_until = clock_timestamp() + make_interval(mins => $3)
         where workspace_id = $1 and id = (
           select e.id from social.escalations e
           where e.workspace_id = $1 and e.status in ('PENDING','IN_REVIEW')
             and (e.claimed_by is null or e.claimed_until <= clock_timestamp())
           order by array_position(array['CRITICAL','HIGH','MEDIUM','LOW'], e.priority), e.created_at, e.id
           limit 1 for update skip locked)
         returning id",
    )
    .bind(workspace_id)
    .bind(actor)
    .bind(minutes)
    .fetch_optional(db)
    .await
}

/// Give a claim back; `false` unless `actor` has it, or is to be `over` others.
///
/// # Errors
/// Those of the database.
pub async fn release(
    db: impl PgExecutor<'_>,
    workspace_id: &str,
    id: &str,
    actor: &str,
    over: bool,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "update social.escalations set status = 'PENDING', assigned_to = null, claimed_by = null, claimed_until = null
         where workspace_id = $1 and id = $2 and status = 'IN_REVIEW' and (claimed_by = $3 or $4)",
    )
    .bind(workspace_id)
    .bind(id)
    .bind(actor)
    .bind(over)
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// One that ended.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Ended {
    /// How urgent it was.
    pub priority: String,
    /// It was late, and nobody had counted it yet.
    pub newly_late: bool,
}

/// End one: who has claimed it last may, even when the time has run out, and who is `over` others. `None` for all others,
/// or if it has ended.
///
/// # Errors
/// Those of the database.
pub async fn end(
    db: impl PgExecutor<'_>,
    (workspace_id, id): (&str, &str),
    as_status: Status,
    notes: &str,
    actor: &str,
    over: bool,
) -> sqlx::Result<Option<Ended>> {
    sqlx::query_as(
        "with open as (
           select workspace_id, id, sla_due_at < clock_timestamp() and sla_breached_at is null as newly_late
           from social.escalations
           where workspace_id = $1 and id = $2 and status in ('PENDING','IN_REVIEW') and (claimed_by = $5 or $6)
           for update
         )
         update social.escalations e set status = $3, resolution_notes = $4, resolved_by = $5, resolved_at = clock_timestamp(),
           claimed_by = null, claimed_until = null,
           sla_breached_at = case when o.newly_late then clock_timestamp() else e.sla_breached_at end
         from open o where e.workspace_id = o.workspace_id and e.id = o.id
         returning e.priority, coalesce(o.newly_late, false) as newly_late",
    )
    .bind(workspace_id)
    .bind(id)
    .bind(as_status.as_str())
    .bind(notes)
    .bind(actor)
    .bind(over)
    .fetch_optional(db)
    .await
}

/// Note those that have become late, each once; how urgent each was.
///
/// # Errors
/// Those of the database.
pub async fn mark_late(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "update social.escalations set sla_breached_at = now()
         where status in ('PENDING','IN_REVIEW') and sla_due_at < now() and sla_breached_at is null
         returning priority",
    )
    .fetch_all(db)
    .await
}

/// How escalations of a workspace, or of all, are kept up with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, sqlx::FromRow, ToSchema)]
pub struct Sla {
    /// Not ended.
    pub open: i64,
    /// Of them late.
    pub overdue: i64,
    /// Ended in the last 30 days.
    pub ended: i64,
    /// Of them late.
    pub ended_late: i64,
}

/// Count them.
///
/// # Errors
/// Those of the database.
pub async fn sla(db: impl PgExecutor<'_>, workspace_id: Option<&str>) -> sqlx::Result<Sla> {
    sqlx::query_as(
        "select count(*) filter (where resolved_at is null) as open,
                count(*) filter (where resolved_at is null and sla_due_at < now()) as overdue,
                count(resolved_at) as ended, count(*) filter (where resolved_at > sla_due_at) as ended_late
         from social.escalations
         where ($1::text is null or workspace_id = $1)
           and (status in ('PENDING','IN_REVIEW') or resolved_at > now() - interval '30 days')",
    )
    .bind(workspace_id)
    .fetch_one(db)
    .await
}
