//! The database's half of the scheduler: who leads, and which tick has been taken.

use std::time::Duration;

use chrono::{DateTime, Utc};
use millrace_config::point::{Point, may_fail};
use sqlx::PgConnection;

use super::{Enqueued, NewJob, Queue};

impl Queue {
    /// Take or extend the lease `name`. Returns the database's clock if `holder` has it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn lead(
        &self,
        name: &str,
        holder: &str,
        lease: Duration,
    ) -> sqlx::Result<Option<DateTime<Utc>>> {
        sqlx::query_scalar(
            "insert into ops.leases as l (name, holder, until)
             values ($1, $2, now() + $3 * interval '1 millisecond')
             on conflict (name) do update set holder = excluded.holder, until = excluded.until
             where l.holder = excluded.holder or l.until < now()
             returning clock_timestamp()",
        )
        .bind(name)
        .bind(holder)
        .bind(i64::try_from(lease.as_millis()).unwrap_or(i64::MAX))
        .fetch_optional(self.pool())
        .await
    }

    /// Give the lease back, so that the next one need not wait for it to run out.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn resign(&self, name: &str, holder: &str) -> sqlx::Result<()> {
        sqlx::query("delete from ops.leases where name = $1 and holder = $2")
            .bind(name)
            .bind(holder)
            .execute(self.pool())
            .await
            .map(drop)
    }

    /// The last tick taken of a schedule.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn last_tick(&self, schedule: &str) -> sqlx::Result<Option<DateTime<Utc>>> {
        sqlx::query_scalar(
            "select tick from ops.schedule_ticks where schedule = $1 order by tick desc limit 1",
        )
        .bind(schedule)
        .fetch_optional(self.pool())
        .await
    }

    /// Take a tick and enqueue its job, both or neither. `None`: it was taken before.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn tick(
        &self,
        schedule: &str,
        tick: DateTime<Utc>,
        job: NewJob,
    ) -> sqlx::Result<Option<Enqueued>> {
        let mut tx = self.pool().begin().await?;
        if !take(&mut tx, schedule, tick).await? {
            return Ok(None);
        }
        may_fail(Point::TickTaken)?;
        let enqueued = self.enqueue(&mut tx, &[job]).await?;
        sqlx::query("update ops.schedule_ticks set job_id = $3 where schedule = $1 and tick = $2")
            .bind(schedule)
            .bind(tick)
            .bind(enqueued.first().map(|e| e.id))
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        may_fail(Point::TickCommitted)?;
        self.wake(&enqueued);
        Ok(enqueued.into_iter().next())
    }

    /// Remember where a schedule begins, without a job: a new schedule does not run for the past.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn begin(&self, schedule: &str, tick: DateTime<Utc>) -> sqlx::Result<()> {
        let mut conn = self.pool().acquire().await?;
        take(&mut conn, schedule, tick).await.map(drop)
    }

    /// Forget ticks older than `days`, but never the last of a schedule. Returns how many.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn forget_ticks(&self, days: i32) -> sqlx::Result<u64> {
        let done = sqlx::query(
            "delete from ops.schedule_ticks t
             where t.tick < now() - $1 * interval '1 day'
               and exists (select from ops.schedule_ticks n where n.schedule = t.schedule and n.tick > t.tick)",
        )
        .bind(days)
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected())
    }
}

async fn take(conn: &mut PgConnection, schedule: &str, tick: DateTime<Utc>) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "insert into ops.schedule_ticks (schedule, tick) values ($1, $2) on conflict do nothing",
    )
    .bind(schedule)
    .bind(tick)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}
