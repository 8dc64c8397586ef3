//! `ops.rate_budgets`: what all workers together may call. A call is taken before it is made.

use std::time::Duration;

use sqlx::PgPool;

use crate::poll::budget::{Quota, Told};

/// After a window's end, before the next one is believed in: clocks differ.
const MARGIN_S: f64 = 2.0;
/// Longest time to wait before looking again.
const LOOK_AGAIN_S: f64 = 600.0;

/// Whose budget, and how its breaker works.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    pub(crate) workspace_id: String,
    pub(crate) credential: String,
    pub(crate) quota: Quota,
    /// Failures in a row that open the breaker ...
    pub(crate) failures_max: i32,
    /// ... for this long, seconds.
    pub(crate) open_s: f64,
}

/// Whether a call was the one with which a budget became low: of a window, a fifth is left.
pub(crate) type BecameLow = bool;

/// Take one call, or learn how long to wait.
///
/// # Errors
/// Those of the database.
pub(crate) async fn take(pool: &PgPool, of: &Budget) -> sqlx::Result<Result<BecameLow, Duration>> {
    // Nothing is known of a window yet: one call finds out.
    sqlx::query(
        "insert into ops.rate_budgets (workspace_id, credential, bucket, limit_n, remaining, refill_per_s, window_s, reset_at)
         values ($1, $2, $3, $4::float8, case when $5::float8 > 0 then $4::float8 else 1 end, $5::float8, $6::float8, now() + interval '30 seconds')
         on conflict (workspace_id, credential, bucket) do update
         set limit_n = excluded.limit_n, refill_per_s = excluded.refill_per_s
         where rate_budgets.refill_per_s <> excluded.refill_per_s",
    )
    .bind(&of.workspace_id)
    .bind(&of.credential)
    .bind(of.quota.bucket)
    .bind(of.quota.limit)
    .bind(of.quota.refill_per_s)
    .bind(of.quota.window_s)
    .execute(pool)
    .await?;
    // The first one after an open breaker is a probe: the others wait for what comes of it.
    let (taken, wait, low): (bool, Option<f64>, Option<bool>) = sqlx::query_as(
        "with cell as (
           select b.*, clock_timestamp() as at, b.refill_per_s = 0 and clock_timestamp() > b.reset_at + make_interval(secs => $6) as over
           from ops.rate_budgets b where b.workspace_id = $1 and b.credential = $2 and b.bucket = $3 for update
         ), stock as (
           select *, case when refill_per_s > 0 then least(limit_n, remaining + extract(epoch from at - counted_at) * refill_per_s)
                          when over then case when seen then limit_n else 1 end
                          else remaining end as available
           from cell
         ), taken as (
           update ops.rate_budgets b
           set remaining = s.available - 1, counted_at = s.at,
               reset_at = case when s.over then s.at + make_interval(secs => b.window_s) else b.reset_at end,
               open_until = case when b.failures >= $4 then s.at + make_interval(secs => $5) else b.open_until end
           from stock s
           where b.workspace_id = s.workspace_id and b.credential = s.credential and b.bucket = s.bucket and s.available >= 1
             and (s.blocked_until is null or s.blocked_until <= s.at) and (s.open_until is null or s.open_until <= s.at)
           returning b.bucket
         )
         select exists (select from taken),
                (select extract(epoch from greatest(blocked_until, open_until,
                        case when available >= 1 then null
                             when not seen then at + interval '1 second'
                             when refill_per_s > 0 then at + make_interval(secs => (1 - available) / refill_per_s)
                             else reset_at + make_interval(secs => $6) end) - at)::float8 from stock),
                (select seen and available > limit_n / 5 and available - 1 <= limit_n / 5 from stock)",
    )
    .bind(&of.workspace_id)
    .bind(&of.credential)
    .bind(of.quota.bucket)
    .bind(of.failures_max)
    .bind(of.open_s)
    .bind(MARGIN_S)
    .fetch_one(pool)
    .await?;
    Ok(if taken {
        Ok(low.unwrap_or(false))
    } else {
        Err(Duration::from_secs_f64(wait.unwrap_or(1.0).clamp(0.5, LOOK_AGAIN_S)))
    })
}

/// How a call ended, for the budget.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ended {
    pub(crate) told: Told,
    /// The platform is away, or turned the call away.
    pub(crate) failed: bool,
    /// Not before that.
    pub(crate) wait: Option<Duration>,
}

/// Note how a call ended: what is left is the least of what we counted and what the platform did.
///
/// # Errors
/// Those of the database.
pub(crate) async fn note(pool: &PgPool, of: &Budget, ended: Ended) -> sqlx::Result<BecameLow> {
    let low: Option<Option<bool>> = sqlx::query_scalar(
        "with was as (
           select seen and remaining > limit_n / 5 as plenty from ops.rate_budgets
           where workspace_id = $1 and credential = $2 and bucket = $3
         )
         update ops.rate_budgets
         set limit_n = case when refill_per_s > 0 then limit_n else coalesce($4, limit_n) end,
             remaining = case when refill_per_s > 0 then remaining
                              when $5::float8 is null and $8 then case when seen then remaining else 1 end
                              when $5 is null and not seen then limit_n - 1
                              when not seen then $5
                              else least(remaining, $5) end,
             seen = seen or $5 is not null or not $8,
             reset_at = coalesce($6, case when seen or $8 then reset_at else now() + make_interval(secs => window_s) end),
             blocked_until = case when $7::float8 is null then blocked_until
                                  else greatest(blocked_until, clock_timestamp() + make_interval(secs => $7)) end,
             failures = case when $8 then failures + 1 else 0 end,
             open_until = case when not $8 then null
                               when failures + 1 >= $9 then clock_timestamp() + make_interval(secs => $10)
                               else open_until end
         where workspace_id = $1 and credential = $2 and bucket = $3
         returning (select plenty from was) and remaining <= limit_n / 5",
    )
    .bind(&of.workspace_id)
    .bind(&of.credential)
    .bind(of.quota.bucket)
    .bind(ended.told.limit)
    .bind(ended.told.remaining)
    .bind(ended.told.reset_at)
    .bind(ended.wait.map(|wait| wait.as_secs_f64()))
    .bind(ended.failed)
    .bind(of.failures_max)
    .bind(of.open_s)
    .fetch_optional(pool)
    .await?;
    Ok(low.flatten().unwrap_or(false))
}
