use chrono::{DateTime, Utc};
use millrace_config::Schedule;
use millrace_jobs::{maintenance::Partitions, queue::Queue};
use millrace_worker::schedule::{ScheduleError, Scheduler};

use super::*;

const JOBS: &[Spec] = jobs![Partitions];

fn hourly(queue: &Queue) -> Scheduler {
    let mut schedules = rig::settings().schedule;
    schedules.retain(|schedule| schedule.name == "partitions");
    Scheduler::new(queue.clone(), &schedules, JOBS).unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_tick_happens_once_and_only_the_last_missed_one_is_made_up_for() {
    let ctx = fresh().await;
    let (mut one, mut two) = (hourly(&ctx.queue), hourly(&ctx.queue));
    assert_eq!(one.step_at(at("2026-03-01T10:20:00.5Z")).await.unwrap(), 0, "not for the past");
    assert_eq!(one.step_at(at("2026-03-01T10:59:59.9Z")).await.unwrap(), 0);
    assert_eq!(one.step_at(at("2026-03-01T11:00:00Z")).await.unwrap(), 1);
    assert_eq!(one.step_at(at("2026-03-01T11:00:01Z")).await.unwrap(), 0);
    assert_eq!(two.step_at(at("2026-03-01T11:00:02Z")).await.unwrap(), 0, "taken by the other");
    // Down for five hours.
    assert_eq!(two.step_at(at("2026-03-01T16:10:00Z")).await.unwrap(), 1);
    let ticks: Vec<DateTime<Utc>> = sqlx::query_scalar(
        "select tick from ops.schedule_ticks where job_id is not null order by 1",
    )
    .fetch_all(&ctx.pool)
    .await
    .unwrap();
    assert_eq!(ticks, [at("2026-03-01T11:00:00Z"), at("2026-03-01T16:00:00Z")]);
}

#[tokio::test]
async fn one_leads_until_its_lease_ends() {
    let ctx = fresh().await;
    let (mut one, mut two) = (hourly(&ctx.queue), hourly(&ctx.queue));
    one.step().await.unwrap();
    two.step().await.unwrap();
    let holder = "select holder from ops.leases";
    let first: String = sqlx::query_scalar(holder).fetch_one(&ctx.pool).await.unwrap();
    sqlx::query("update ops.leases set until = now() - interval '1 second'")
        .execute(&ctx.pool)
        .await
        .unwrap();
    two.step().await.unwrap();
    let second: String = sqlx::query_scalar(holder).fetch_one(&ctx.pool).await.unwrap();
    assert_ne!(first, second);
}

#[tokio::test]
async fn a_schedule_of_no_job_is_refused() {
    let ctx = fresh().await;
    let schedule = |cron: &str, kind: &str| Schedule {
        name: "s".into(),
        cron: cron.into(),
        timezone: "UTC".parse().unwrap(),
        kind: kind.into(),
    };
    let check = |s| Scheduler::new(ctx.queue.clone(), &[s], JOBS).err();
    let kind = check(schedule("0 * * * *", "no.such"));
    assert!(matches!(kind, Some(ScheduleError::Kind { .. })));
    let cron = check(schedule("every now and then", "maintenance.partitions"));
    assert!(matches!(cron, Some(ScheduleError::Cron { .. })));
}

#[tokio::test]
async fn partitions_are_made_ahead_and_old_ones_dropped() {
    let ctx = fresh().await;
    sqlx::query(
        "create table ops.job_history_20200101 partition of ops.job_history
         for values from ('2020-01-01 00:00:00+00') to ('2020-01-02 00:00:00+00')",
    )
    .execute(&ctx.pool)
    .await
    .unwrap();
    put(&ctx, &[JOBS[0].periodic("partitions")]).await;
    assert_eq!(step(&ctx, JOBS).await.unwrap(), 1);
    assert_eq!(
        count(&ctx.pool, "select count(*) from ops.job_history where outcome = 'done'").await,
        1
    );
    let left = "select count(*) from pg_class where relname = 'job_history_20200101'";
    assert_eq!(count(&ctx.pool, left).await, 0);
    let ahead = "select count(*) from pg_class
                 where relname = 'job_history_' || to_char((now() at time zone 'utc')::date + 7, 'YYYYMMDD')";
    assert_eq!(count(&ctx.pool, ahead).await, 1);
}
