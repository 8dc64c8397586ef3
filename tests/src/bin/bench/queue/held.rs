//! Pick-up behind a million jobs while a snapshot is held open and everything else goes on.

use std::time::{Duration, Instant};

use anyhow::Result;
use millrace_tests::reliability::{self, Figure};
use sqlx::{Connection, PgConnection};

use super::{BACKLOG, JOBS, Rig, jobs::Noop, pick_up};
use crate::{report::Report, server};

/// How long the snapshot is held while jobs come and go.
const HELD: Duration = Duration::from_secs(600);
const SLOWER_MAX: f64 = 2.0;

/// R21.
pub(crate) async fn run(report: &mut Report) -> Result<()> {
    let (_server, db) = server::postgres().await;
    let rig = Rig { pool: db.pool };
    let idle = pick_up(report, &rig, "idle", "", None).await?;
    rig.fill(BACKLOG, 1).await?;
    rig.pause(1).await?;
    let mut connection = PgConnection::connect(&db.url).await?;
    let mut tx = connection.begin().await?;
    sqlx::query("set transaction isolation level repeatable read").execute(&mut *tx).await?;
    sqlx::query("select count(*) from ops.jobs").execute(&mut *tx).await?;
    let (began, mut jobs) = (Instant::now(), 0);
    while began.elapsed() < HELD {
        rig.round::<Noop>(JOBS).await?;
        jobs += JOBS;
    }
    let bar = format!("p99 <= {:.2} ms", idle * SLOWER_MAX);
    let held = pick_up(report, &rig, "1M of a tenant paused, snapshot held", &bar, None).await?;
    tx.rollback().await?;
    let figure = format!(
        "p99 {held:.2} ms behind {BACKLOG} jobs, a snapshot held for {} s and {jobs} jobs done meanwhile; {idle:.2} ms \
         with an empty queue (release build)",
        began.elapsed().as_secs()
    );
    let figure = Figure::new("R21", true, figure).within(held <= idle * SLOWER_MAX);
    reliability::record("make bench ARGS=snapshot", &[figure]);
    Ok(())
}
