//! Rows that are over, as lines, and gone while they are what was archived. The lines are made by the database alone
//! (`social.post_line` and the like), to be archived and to be compared.

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::{StreamExt, stream::BoxStream};
use sqlx::{PgConnection, PgExecutor};

use crate::social::retention::archive::Total;

/// Lines as they come from the database.
pub type Lines<'a> = BoxStream<'a, sqlx::Result<String>>;

/// Have the archive for this session alone; whether nobody else has it. It ends with the connection.
///
/// # Errors
/// Those of the database.
pub async fn alone(conn: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar("select pg_try_advisory_lock(hashtextextended('social.retention', 0))")
        .fetch_one(conn)
        .await
}

/// For this transaction: its statements read and compare all rows of a month.
///
/// # Errors
/// Those of the database.
pub async fn unhurried(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("select set_config('statement_timeout', '30min', true)")
        .execute(conn)
        .await
        .map(drop)
}

/// How many decisions the default partition has of which workspace: months that nobody made one for.
///
/// # Errors
/// Those of the database.
pub async fn strays(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as("select s.workspace_id, s.decisions from social.stray_decisions() s order by 1")
        .fetch_all(db)
        .await
}

/// First days of the months that have a partition of decisions, oldest first.
///
/// # Errors
/// Those of the database.
pub async fn months(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<NaiveDate>> {
    sqlx::query_scalar(
        "select to_date(right(c.relname, 6), 'YYYYMM') from pg_inherits i join pg_class c on c.oid = i.inhrelid
         where i.inhparent = 'social.decisions'::regclass and c.relname ~ '^decisions_\\d{6}$' order by 1",
    )
    .fetch_all(db)
    .await
}

/// Decisions of a month, and the days that have some.
///
/// # Errors
/// Those of the database.
pub async fn decisions(
    db: impl PgExecutor<'_>,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select count(*) from social.decisions d where d.created_at >= $1 and d.created_at < $2",
    )
    .bind(from)
    .bind(until)
    .fetch_one(db)
    .await
}

/// Decisions of a stretch of time, with their exposures.
pub fn decision_lines(
    conn: &mut PgConnection,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Lines<'_> {
    sqlx::query_scalar(
        "select social.decision_line(d) from social.decisions d where d.created_at >= $1 and d.created_at < $2
         order by d.created_at, d.id",
    )
    .bind(from)
    .bind(until)
    .fetch(conn)
    .boxed()
}

/// Detach and drop a month of decisions; `false` if they are not what was archived.
///
/// # Errors
/// Those of the database, among them that the tables are in use (55P03).
pub async fn drop_decisions(
    db: impl PgExecutor<'_>,
    month: NaiveDate,
    archived: &Total,
) -> sqlx::Result<bool> {
    sqlx::query_scalar("select social.drop_decisions($1, $2, $3::text::numeric)")
        .bind(month)
        .bind(archived.rows)
        .bind(archived.sum.to_string())
        .fetch_one(db)
        .await
}

/// Posts detected at `before` or earlier, the oldest first: their ids and months. Those that have decisions, or that a
/// person is asked about, are not among them.
///
/// # Errors
/// Those of the database.
pub async fn due_posts(
    db: impl PgExecutor<'_>,
    before: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<(String, NaiveDate)>> {
    sqlx::query_as(
        "select p.id, date_trunc('month', p.detected_at at time zone 'utc')::date from social.posts p
         where p.detected_at <= $1 and not exists (select from social.decisions d where d.post_id = p.id)
           and not exists (select from social.escalations e where e.workspace_id = p.workspace_id and e.post_id = p.id
                             and e.status in ('PENDING','IN_REVIEW'))
         order by p.detected_at, p.id limit $2",
    )
    .bind(before)
    .bind(limit)
    .fetch_all(db)
    .await
}

/// Of posts detected at `before` or earlier: how many go, by month; and how many wait for their decisions or for a person.
///
/// # Errors
/// Those of the database.
pub async fn count_posts(
    db: impl PgExecutor<'_>,
    before: DateTime<Utc>,
) -> sqlx::Result<Vec<(NaiveDate, i64, i64)>> {
    sqlx::query_as(
        "select date_trunc('month', p.detected_at at time zone 'utc')::date, count(*) filter (where not h.held),
                count(*) filter (where h.held)
         from social.posts p cross join lateral (select
           exists (select from social.decisions d where d.post_id = p.id)
           or exists (select from social.escalations e where e.workspace_id = p.workspace_id and e.post_id = p.id
                        and e.status in ('PENDING','IN_REVIEW'))) h (held)
         where p.detected_at <= $1 group by 1 order by 1",
    )
    .bind(before)
    .fetch_all(db)
    .await
}

/// These posts, with all that goes with them.
pub fn post_lines<'a>(conn: &'a mut PgConnection, ids: &'a [String]) -> Lines<'a> {
    sqlx::query_scalar("select social.post_line(p) from social.posts p where p.id = any ($1) order by p.detected_at, p.id")
        .bind(ids)
        .fetch(conn)
        .boxed()
}

/// Delete these posts; `false` if they are not what was archived, or have decisions again: roll back then.
///
/// # Errors
/// Those of the database.
pub async fn forget_posts(
    conn: &mut PgConnection,
    ids: &[String],
    archived: &Total,
) -> sqlx::Result<bool> {
    // First the locks, then a look: whoever adds something to a post locks its row.
    sqlx::query("select from social.posts p where p.id = any ($1) order by p.id for update of p")
        .bind(ids)
        .execute(&mut *conn)
        .await?;
    let same: bool = sqlx::query_scalar(
        "select (count(*), coalesce(sum(social.line_number(social.post_line(p))), 0)) = ($2, $3::text::numeric)
                and count(*) filter (where exists (select from social.decisions d where d.post_id = p.id)) = 0
         from social.posts p where p.id = any ($1)",
    )
    .bind(ids)
    .bind(archived.rows)
    .bind(archived.sum.to_string())
    .fetch_one(&mut *conn)
    .await?;
    if same {
        sqlx::query("delete from social.posts p where p.id = any ($1)")
            .bind(ids)
            .execute(conn)
            .await?;
    }
    Ok(same)
}

/// Quarters before a day that have figures: first days and how many.
///
/// # Errors
/// Those of the database.
pub async fn quarters(
    db: impl PgExecutor<'_>,
    before: NaiveDate,
) -> sqlx::Result<Vec<(NaiveDate, i64)>> {
    sqlx::query_as(
        "select date_trunc('quarter', k.date)::date, count(*) from social.kpi_metrics k where k.date < $1 group by 1 order by 1",
    )
    .bind(before)
    .fetch_all(db)
    .await
}

/// Figures of a stretch of days.
pub fn kpi_lines(conn: &mut PgConnection, from: NaiveDate, until: NaiveDate) -> Lines<'_> {
    sqlx::query_scalar(
        "select social.kpi_line(k) from social.kpi_metrics k where k.date >= $1 and k.date < $2
         order by k.workspace_id, k.date, k.platform, k.metric_name, k.id",
    )
    .bind(from)
    .bind(until)
    .fetch(conn)
    .boxed()
}

/// Delete them; `false` if they are not what was archived: roll back then.
///
/// # Errors
/// Those of the database.
pub async fn forget_kpis(
    conn: &mut PgConnection,
    from: NaiveDate,
    until: NaiveDate,
    archived: &Total,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "with gone as (delete from social.kpi_metrics k where k.date >= $1 and k.date < $2 returning social.kpi_line(k) as line)
         select (count(*), coalesce(sum(social.line_number(line)), 0)) = ($3, $4::text::numeric) from gone",
    )
    .bind(from)
    .bind(until)
    .bind(archived.rows)
    .bind(archived.sum.to_string())
    .fetch_one(conn)
    .await
}

/// Years before a moment that audits begin with: first days, and how many entries go with each. Only first entries of a
/// chain can go.
///
/// # Errors
/// Those of the database.
pub async fn audit_years(
    db: impl PgExecutor<'_>,
    before: DateTime<Utc>,
) -> sqlx::Result<Vec<(NaiveDate, i64)>> {
    sqlx::query_as(
        "select date_trunc('year', l.created_at at time zone 'utc')::date, count(*)
         from social.audit_prefix($1) p join social.audit_logs l on l.workspace_id = p.workspace_id and l.seq <= p.through_seq
         group by 1 order by 1",
    )
    .bind(before)
    .fetch_all(db)
    .await
}

/// The first entries of all chains, from before a moment.
pub fn audit_lines(conn: &mut PgConnection, before: DateTime<Utc>) -> Lines<'_> {
    sqlx::query_scalar(
        "select social.audit_line(l)
         from social.audit_prefix($1) p join social.audit_logs l on l.workspace_id = p.workspace_id and l.seq <= p.through_seq
         order by l.workspace_id, l.seq",
    )
    .bind(before)
    .fetch(conn)
    .boxed()
}

/// Delete them, and say so in the chains; `false` if they are not what was archived.
///
/// # Errors
/// Those of the database.
pub async fn forget_audit(
    db: impl PgExecutor<'_>,
    before: DateTime<Utc>,
    archived: &Total,
    actor: &str,
) -> sqlx::Result<bool> {
    sqlx::query_scalar("select social.forget_audit($1, $2, $3::text::numeric, $4)")
        .bind(before)
        .bind(archived.rows)
        .bind(archived.sum.to_string())
        .bind(actor)
        .fetch_one(db)
        .await
}

/// Put archived decisions back where they are not; how many were. Those whose post is not there stay out.
///
/// # Errors
/// Those of the database.
pub async fn restore_decisions(conn: &mut PgConnection, lines: &[String]) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "insert into social.decisions
         select (jsonb_populate_record(null::social.decisions, l -> 'decision')).* from (select t::jsonb as l from unnest($1::text[]) t) g
         where exists (select from social.posts p
                       where p.workspace_id = l -> 'decision' ->> 'workspace_id' and p.id = l -> 'decision' ->> 'post_id')
         on conflict do nothing",
    )
    .bind(lines)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "insert into social.decision_exposures (workspace_id, decision_id, created_at, eligible_actions, action, propensity,
           probabilities, policy_version, weights_version, features, rng_key)
         select e.workspace_id, e.decision_id, e.created_at, e.eligible_actions, e.action, e.propensity, e.probabilities,
                e.policy_version, e.weights_version, e.features, e.rng_key
         from (select t::jsonb as l from unnest($1::text[]) t) g
         cross join jsonb_populate_record(null::social.decision_exposures, l -> 'exposure') e
         where l -> 'exposure' <> 'null' and exists (select from social.decisions d where d.id = l -> 'decision' ->> 'id')
         on conflict do nothing",
    )
    .bind(lines)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Put archived posts back where they are not, with all that went with them; how many were. Those whose author is erased,
/// or that their platform has deleted since, stay out.
///
/// # Errors
/// Those of the database.
pub async fn restore_posts(conn: &mut PgConnection, lines: &[String]) -> sqlx::Result<u64> {
    let back: Vec<String> = sqlx::query_scalar(
        "insert into social.posts
         select (jsonb_populate_record(null::social.posts, l -> 'post')).* from (select t::jsonb as l from unnest($1::text[]) t) g
         where exists (select from social.authors a where a.workspace_id = l -> 'post' ->> 'workspace_id'
                         and a.id = l -> 'post' ->> 'author_id' and (a.deleted_at is null or l -> 'post' ->> 'content' = '[deleted]'))
           and (l -> 'post' ->> 'content' = '[deleted]' or not exists (select from social.tombstones t
                  where t.workspace_id = l -> 'post' ->> 'workspace_id' and t.platform = l -> 'post' ->> 'platform'
                    and t.kind = 'post' and t.platform_id = l -> 'post' ->> 'platform_post_id' and t.reason is not null))
         on conflict do nothing returning id",
    )
    .bind(lines)
    .fetch_all(&mut *conn)
    .await?;
    sqlx::query(
        "with g as (select t::jsonb as l from unnest($1::text[]) t where t::jsonb -> 'post' ->> 'id' = any ($2)),
         versions as (
           insert into social.post_versions
           select (jsonb_populate_record(null::social.post_versions, x)).* from g, jsonb_array_elements(l -> 'versions') x
           on conflict do nothing
         ), snapshots as (
           insert into social.post_metric_snapshots
           select (jsonb_populate_record(null::social.post_metric_snapshots, x)).* from g, jsonb_array_elements(l -> 'snapshots') x
           on conflict do nothing
         ), opinions as (
           insert into social.post_opinions
           select (jsonb_populate_record(null::social.post_opinions, x)).* from g, jsonb_array_elements(l -> 'opinions') x
           on conflict do nothing
         ), mentions as (
           insert into social.competitive_mentions
           select (jsonb_populate_record(null::social.competitive_mentions, x)).* from g, jsonb_array_elements(l -> 'mentions') x
           on conflict do nothing
         )
         insert into social.context_snapshots
         select (jsonb_populate_record(null::social.context_snapshots, x)).* from g, jsonb_array_elements(l -> 'contexts') x
         on conflict do nothing",
    )
    .bind(lines)
    .bind(&back)
    .execute(conn)
    .await?;
    Ok(u64::try_from(back.len()).unwrap_or(u64::MAX))
}

/// Put archived figures back where there are none; how many were.
///
/// # Errors
/// Those of the database.
pub async fn restore_kpis(conn: &mut PgConnection, lines: &[String]) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "insert into social.kpi_metrics
         select (jsonb_populate_record(null::social.kpi_metrics, t::jsonb)).* from unnest($1::text[]) t on conflict do nothing",
    )
    .bind(lines)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Put archived audit entries back where they were; how many were.
///
/// # Errors
/// Those of the database.
pub async fn restore_audit(conn: &mut PgConnection, lines: &[String]) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "insert into social.audit_logs
         select l.* from unnest($1::text[]) t cross join lateral jsonb_populate_record(null::social.audit_logs, t::jsonb) l order by l.workspace_id, l.seq
         on conflict do nothing",
    )
    .bind(lines)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Of archived audit entries: the first that is not what its hash says.
///
/// # Errors
/// Those of the database.
pub async fn audit_altered(
    db: impl PgExecutor<'_>,
    lines: &[String],
) -> sqlx::Result<Option<(String, i64)>> {
    sqlx::query_as(
        "select l.workspace_id, l.seq from unnest($1::text[]) t cross join lateral jsonb_populate_record(null::social.audit_logs, t::jsonb) l
         where l.row_hash <> social.audit_hash(l)
            or (l.redacted_at is null and l.details_hash <> social.details_hash(l.details_json))
         order by l.workspace_id, l.seq limit 1",
    )
    .bind(lines)
    .fetch_optional(db)
    .await
}
