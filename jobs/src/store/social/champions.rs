//! `community_champions`: who stands up for us, and how far it went with them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgConnection, PgExecutor};

use crate::social::outcomes::champions::{Champion, Engagement, Tier};

/// An author who was kind of late.
#[derive(Debug, Clone, FromRow)]
pub struct Kind {
    /// `social.authors.id`.
    pub author_id: String,
    positives: i32,
    negatives: i32,
    last_at: DateTime<Utc>,
    power_user: bool,
}

impl Kind {
    /// What the rules look at.
    #[must_use]
    pub const fn engagement(&self) -> Engagement {
        Engagement {
            positives: self.positives,
            negatives: self.negatives,
            last_at: self.last_at,
            power_user: self.power_user,
        }
    }
}

/// Authors with a kind event in the 30 days before `now`, and champions without: what was between them and us.
///
/// # Errors
/// Those of the database.
pub async fn kind(
    conn: &mut PgConnection,
    workspace: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Kind>> {
    sqlx::query_as(
        "select a.id as author_id, a.is_power_user as power_user,
                (count(*) filter (where e.weight > 0))::int as positives, (count(*) filter (where e.weight < 0))::int as negatives,
                coalesce(max(e.occurred_at) filter (where e.weight > 0), '1970-01-01'::timestamptz) as last_at
         from social.authors a
         left join social.relationship_events e on e.workspace_id = $1 and e.author_id = a.id
           and e.occurred_at > $2::timestamptz - interval '30 days' and e.occurred_at <= $2
         where a.workspace_id = $1 and a.deleted_at is null
           and (e.id is not null or exists (select from social.community_champions c where c.workspace_id = $1 and c.author_id = a.id))
         group by a.id",
    )
    .bind(workspace)
    .bind(now)
    .fetch_all(conn)
    .await
}

/// Note how much authors do. One who is no champion is noted if they were one: how far it went with them is kept.
///
/// # Errors
/// Those of the database.
pub async fn note(
    conn: &mut PgConnection,
    workspace: &str,
    found: &[(&Kind, Option<Tier>)],
) -> sqlx::Result<u64> {
    let noted = sqlx::query(
        "with found as (
           select * from unnest($2::text[], $3::text[], $4::int[]) as t (author_id, tier, engagement_count)
         ), known as (
           update social.community_champions c set tier = f.tier, engagement_count = f.engagement_count
           from found f where c.workspace_id = $1 and c.author_id = f.author_id
             and (c.tier, c.engagement_count) is distinct from (f.tier, f.engagement_count)
         )
         insert into social.community_champions (workspace_id, author_id, tier, engagement_count)
         select $1, f.author_id, f.tier, f.engagement_count from found f where f.tier is not null
         on conflict (workspace_id, author_id) do nothing",
    )
    .bind(workspace)
    .bind(found.iter().map(|(kind, _)| kind.author_id.as_str()).collect::<Vec<_>>())
    .bind(found.iter().map(|(_, tier)| tier.map(Tier::as_str)).collect::<Vec<_>>())
    .bind(found.iter().map(|(kind, _)| kind.positives).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(noted.rows_affected())
}

/// A row of `social.community_champions`, and who it is.
#[derive(Debug, Clone, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns of social.community_champions and authors")]
pub struct ChampionRow {
    pub id: String,
    pub author_id: String,
    pub platform: String,
    pub handle: String,
    pub tier: Option<String>,
    pub engagement_count: i32,
    pub advocate_status: String,
    pub dm_sent_at: Option<DateTime<Utc>>,
    pub dm_response: Option<String>,
    pub sample_sent: bool,
    pub converted: bool,
    pub consent_at: Option<DateTime<Utc>>,
    pub consent_withdrawn_at: Option<DateTime<Utc>>,
}

/// Champions, those who do the most first.
///
/// # Errors
/// Those of the database.
pub async fn list(
    db: impl PgExecutor<'_>,
    workspace: &str,
    former: bool,
) -> sqlx::Result<Vec<ChampionRow>> {
    sqlx::query_as(
        "select c.id, c.author_id, a.platform, a.handle, c.tier, c.engagement_count, c.advocate_status, c.dm_sent_at, c.dm_response,
                c.sample_sent, c.converted, c.consent_at, c.consent_withdrawn_at
         from social.community_champions c join social.authors a on a.workspace_id = $1 and a.id = c.author_id
         where c.workspace_id = $1 and ($2 or c.tier is not null)
         order by array_position(array['GOLD','SILVER','BRONZE'], c.tier) nulls last, c.engagement_count desc, c.id limit 1000",
    )
    .bind(workspace)
    .bind(former)
    .fetch_all(db)
    .await
}

/// A champion, and how many messages were written to champions since `day`; their row is held until the transaction
/// ends, and nobody else counts meanwhile.
///
/// # Errors
/// Those of the database.
pub async fn hold(
    conn: &mut PgConnection,
    workspace: &str,
    id: &str,
    day: DateTime<Utc>,
) -> sqlx::Result<Option<(Champion, i64)>> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('social.champions ' || $1, 0))")
        .bind(workspace)
        .execute(&mut *conn)
        .await?;
    let found: Option<Champion> = sqlx::query_as(
        "select c.tier is not null as is_champion, c.advocate_status, c.consent_at, c.consent_withdrawn_at, c.dm_sent_at,
                c.dm_response, c.sample_sent, c.converted
         from social.community_champions c where c.workspace_id = $1 and c.id = $2 for no key update",
    )
    .bind(workspace)
    .bind(id)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(champion) = found else { return Ok(None) };
    let today = sqlx::query_scalar(
        "select count(*) from social.community_champions c where c.workspace_id = $1 and c.dm_sent_at >= $2",
    )
    .bind(workspace)
    .bind(day)
    .fetch_one(conn)
    .await?;
    Ok(Some((champion, today)))
}

/// Write what became of one.
///
/// # Errors
/// Those of the database.
pub async fn write(
    conn: &mut PgConnection,
    workspace: &str,
    id: &str,
    champion: &Champion,
) -> sqlx::Result<()> {
    sqlx::query(
        "update social.community_champions c set advocate_status = $3, consent_at = $4, consent_withdrawn_at = $5, dm_sent_at = $6,
           dm_response = $7, sample_sent = $8, converted = $9
         where c.workspace_id = $1 and c.id = $2",
    )
    .bind(workspace)
    .bind(id)
    .bind(&champion.advocate_status)
    .bind(champion.consent_at)
    .bind(champion.consent_withdrawn_at)
    .bind(champion.dm_sent_at)
    .bind(&champion.dm_response)
    .bind(champion.sample_sent)
    .bind(champion.converted)
    .execute(conn)
    .await
    .map(drop)
}
