use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use millrace_jobs::store::migrate;
use sqlx::{PgPool, SqlSafeStr, migrate::MigrationType};
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use crate::{App, Database, Pg, Sender, reliability::Figure, roles, wait_until};

/// Senders, each with one delivery at a time and at most one per pace: what workers of a debug build keep up with.
const SENDERS: usize = 8;
const PACE: Duration = Duration::from_millis(160);
/// The reader's transaction; a migration that waited for it would hold up everybody.
const READER: Duration = Duration::from_secs(10);
/// A delivery that took longer was given up by its platform.
const BLOCKED_MAX: Duration = Duration::from_millis(2500);
const SOON: Duration = Duration::from_secs(90);

/// Every delivery: what it got, and how long that took.
type Seen = Arc<Mutex<Vec<(u16, Duration)>>>;

/// R23: an expand migration is applied while a process of before takes deliveries and a reader looks at the table that
/// is changed; then one of after takes them, too, for `times` seconds. With MILLRACE_OLD_BINARY these are two releases
/// and the migrations between them; without, this one and a migration to come.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let old = old_binary();
    let db = Pg::empty_database().await;
    sqlx::raw_sql(include_str!("../../../../migrations/roles.sql"))
        .execute(&db.pool)
        .await
        .unwrap();
    let owner = App::new(&db, &[]).env("DATABASE_URL", &db.url_as(roles::OWNER));
    owner.program(old.as_deref()).run_json(&["--json", "migrate"]).await;
    let before = migrate::version(&db.pool).await.unwrap();
    let app = |old: Option<PathBuf>| App::new(&db, &["all"]).program(old.as_deref());
    let running = app(old.clone()).ready().await;
    let sender = Sender::add(&running, "acme", "webhook", &[]).await;
    let (seen, over, mut load) = (Seen::default(), CancellationToken::new(), JoinSet::new());
    start(&mut load, std::slice::from_ref(&sender), &seen, &over);
    more(&seen).await;

    let reader = read_for(&db, READER).await;
    let began = Instant::now();
    migrate_now(&db, old.is_some()).await;
    let migrated = began.elapsed();
    reader.await.unwrap();
    let after = migrate::version(&db.pool).await.unwrap();
    let fresh = app(None).ready().await;
    start(&mut load, &[sender.to(&fresh), sender], &seen, &over);
    tokio::time::sleep(Duration::from_secs(times.into())).await;
    // The one of before is not sent away by its balancer, and may be started again.
    running.wait_ready().await;
    let again = app(old.clone()).ready().await;
    drop(again);
    over.cancel();
    while load.join_next().await.is_some() {}

    let taken = seen.lock().unwrap().clone();
    let failed = taken.iter().filter(|(status, _)| *status != 200).count();
    let slowest = taken.iter().map(|(_, took)| *took).max().unwrap_or_default();
    let whole = processed(&db.pool, taken.len() - failed).await;
    let figure = format!(
        "schema {before} to {after} in {:.1} s beside a reader of {} s, {}; {failed} of {} deliveries failed, the slowest \
         took {:.2} s; every one became one event and one signal: {whole}",
        migrated.as_secs_f64(),
        READER.as_secs(),
        if old.is_some() { "two releases" } else { "one release and a migration to come" },
        taken.len(),
        slowest.as_secs_f64(),
    );
    let kept = failed == 0 && whole && after > before;
    vec![Figure::new("R23", kept, figure).within(slowest <= BLOCKED_MAX)]
}

#[expect(clippy::disallowed_methods, reason = "the program's own arguments")]
fn old_binary() -> Option<PathBuf> {
    std::env::var_os("MILLRACE_OLD_BINARY").map(PathBuf::from)
}

fn start(load: &mut JoinSet<()>, senders: &[Sender], seen: &Seen, over: &CancellationToken) {
    for nth in 0..SENDERS {
        let (sender, seen, over) =
            (senders[nth % senders.len()].clone(), seen.clone(), over.clone());
        load.spawn(async move {
            let mut pace = tokio::time::interval(PACE);
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while !over.is_cancelled() {
                pace.tick().await;
                let began = Instant::now();
                let body = Sender::feedback(rand::random_range(0..usize::MAX / 2));
                let status = sender.try_send("", &body).await.map_or(0, |answer| answer.status);
                seen.lock().unwrap().push((status, began.elapsed()));
            }
        });
    }
}

async fn more(seen: &Seen) {
    let now = seen.lock().unwrap().len();
    wait_until("deliveries", SOON, async || (seen.lock().unwrap().len() > now + 50).then_some(()))
        .await;
}

/// A transaction that has looked at the busiest tables and stays open.
async fn read_for(db: &Database, time: Duration) -> tokio::task::JoinHandle<()> {
    let mut tx = db.pool.begin().await.unwrap();
    sqlx::query("select (select count(*) from ops.events), (select count(*) from ops.jobs), (select count(*) from signals.signals)")
        .execute(&mut *tx)
        .await
        .unwrap();
    tokio::spawn(async move {
        tokio::time::sleep(time).await;
        tx.commit().await.unwrap();
    })
}

/// Those of this release; or, if the schema is that already, one to come.
async fn migrate_now(db: &Database, releases: bool) {
    let pool = PgPool::connect(&db.url_as(roles::OWNER)).await.unwrap();
    if releases {
        return migrate::run(&pool).await.unwrap();
    }
    let mut migrator = migrate::migrator();
    let to_come = [
        "set local lock_timeout = '1s'; alter table ops.events add column to_come text",
        "set local lock_timeout = '1s'; alter table ops.jobs add column to_come text",
        "set local lock_timeout = '1s'; alter table signals.signals add column to_come text",
    ];
    for (version, sql) in (migrate::known() + 1..).zip(to_come) {
        let kind = MigrationType::Simple;
        let sql = sql.into_sql_str();
        let migration = sqlx::migrate::Migration::new(version, "to come".into(), kind, sql, false);
        migrator.migrations.to_mut().push(migration);
    }
    migrate::run_with(&pool, &migrator).await.unwrap();
}

/// As many events as deliveries, each with its signal, and nothing left to do.
async fn processed(pool: &PgPool, deliveries: usize) -> bool {
    let deliveries = i64::try_from(deliveries).unwrap();
    let done = async || {
        let done: (i64, i64) = sqlx::query_as(
            "select (select count(*) from ops.events), (select count(*) from signals.signals where processed_at is not null)",
        )
        .fetch_one(pool)
        .await
        .unwrap();
        (done == (deliveries, deliveries)).then_some(())
    };
    // As long as it goes on: there may be much to do.
    let (mut before, mut since) = (-1, Instant::now());
    while since.elapsed() < SOON {
        if done().await.is_some() {
            return true;
        }
        let sql = "select count(*) from signals.signals where processed_at is not null";
        let now: i64 = sqlx::query_scalar(sql).fetch_one(pool).await.unwrap();
        if now > before {
            (before, since) = (now, Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    false
}
