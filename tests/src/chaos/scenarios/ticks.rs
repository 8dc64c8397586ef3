use chrono::{DateTime, Datelike, TimeDelta, Utc};
use chrono_tz::Tz;
use millrace_config::Schedule;
use millrace_jobs::{
    jobs,
    maintenance::Partitions,
    queue::{Queue, Spec},
};
use millrace_worker::schedule::Scheduler;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use sqlx::PgPool;
use tokio::time::Duration;

use crate::{Pg, reliability::Figure, rig};

const JOBS: &[Spec] = jobs![Partitions];
/// Simulated time between two looks.
const STEP: TimeDelta = TimeDelta::minutes(20);
/// Zones whose clocks change at different moments, by half an hour, and in the other half of the year.
const ZONES: [Tz; 4] =
    [Tz::Europe__Berlin, Tz::America__New_York, Tz::Australia__Lord_Howe, Tz::UTC];
/// In the night of the change: an hour that may be missing or there twice.
const NIGHTLY: &str = "30 2 * * *";

/// R13: `times` hourly ticks under three schedulers that are dropped in the middle of what they do; and a tenth of that
/// many months of nights, in zones with daylight saving.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    vec![hourly(times).await, nights(times.div_ceil(8)).await]
}

fn scheduler(queue: &Queue, cron: &str, zone: Tz) -> Scheduler {
    let schedule = Schedule {
        name: zone.name().into(),
        cron: cron.into(),
        timezone: zone,
        kind: JOBS[0].kind.into(),
    };
    Scheduler::new(queue.clone(), &[schedule], JOBS).unwrap()
}

async fn hourly(ticks: u32) -> Figure {
    let mut random = StdRng::seed_from_u64(13);
    let db = Pg::database().await;
    let queue = rig::ctx(&db.pool, rig::settings()).queue.clone();
    let new = || scheduler(&queue, "0 * * * *", Tz::UTC);
    let mut three = [new(), new(), new()];
    let mut now: DateTime<Utc> = "2026-01-01T00:10:00Z".parse().unwrap();
    let until = now + TimeDelta::hours(ticks.into());
    let (mut killed, mut jobs) = (0, 0);
    three[0].step_at(now).await.unwrap();
    while now < until {
        now += STEP;
        for one in &mut three {
            // Somewhere between nothing and all of it.
            let patience = Duration::from_micros(random.random_range(0..4000));
            if tokio::time::timeout(patience, one.step_at(now)).await.is_err() {
                *one = new();
                killed += 1;
            }
        }
        // Somebody looks before the next hour, as somebody leads again before the lease of a dead leader is old.
        three[0].step_at(now).await.unwrap();
        // A job that waits would stand for the next tick's, too.
        let done = sqlx::query("delete from ops.jobs").execute(&db.pool).await.unwrap();
        jobs += done.rows_affected();
    }
    let taken = taken(&db.pool).await;
    let kept = (taken, jobs) == (ticks.into(), ticks.into());
    let figure = format!(
        "{ticks} hours, {killed} schedulers dropped in the middle: {taken} ticks, {jobs} jobs"
    );
    Figure::new("R13 ticks", kept, figure)
}

/// Ticks that became a job.
async fn taken(pool: &PgPool) -> u64 {
    let taken = "select count(*) from ops.schedule_ticks where job_id is not null";
    let taken: i64 = sqlx::query_scalar(taken).fetch_one(pool).await.unwrap();
    taken.unsigned_abs()
}

async fn nights(months: u32) -> Figure {
    let mut wrong = Vec::new();
    let mut nights = 0;
    for zone in ZONES {
        let db = Pg::database().await;
        let queue = rig::ctx(&db.pool, rig::settings()).queue.clone();
        let mut scheduler = scheduler(&queue, NIGHTLY, zone);
        let mut now: DateTime<Utc> = "2026-03-20T12:00:00Z".parse().unwrap();
        let until = now + TimeDelta::days(i64::from(months) * 30);
        while now < until {
            scheduler.step_at(now).await.unwrap();
            now += STEP;
        }
        let ticks: Vec<DateTime<Utc>> = sqlx::query_scalar(
            "select tick from ops.schedule_ticks where job_id is not null order by tick",
        )
        .fetch_all(&db.pool)
        .await
        .unwrap();
        nights += ticks.len();
        let days: Vec<i32> =
            ticks.iter().map(|t| t.with_timezone(&zone).num_days_from_ce()).collect();
        let gaps = days.windows(2).filter(|pair| pair[1] != pair[0] + 1);
        wrong.extend(gaps.map(|pair| format!("{zone} {pair:?}")));
    }
    let figure = format!(
        "{nights} nights in {} zones: {} missed or doubled {wrong:?}",
        ZONES.len(),
        wrong.len()
    );
    Figure::new("R13 DST", wrong.is_empty() && nights > 0, figure)
}
