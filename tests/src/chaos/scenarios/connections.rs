use std::time::Duration;

use millrace_worker::embedded::Keep;
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::{
    App, Sender,
    cluster::Private,
    oracle::{self, Oracle},
    reliability::Figure,
    wait_until,
};

const SOON: Duration = Duration::from_secs(60);

/// R7: Postgres has no connection left; `times` deliveries are refused meanwhile.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let postgres = Private::start(Keep::Throwaway).await;
    let db = postgres.database().await;
    let app = App::new(&db, &["all"]).ready().await;
    let sender = Sender::add(&app, "chaos", "webhook", &[]).await;
    let mut oracle = Oracle::default();
    let body = |nth: u32| json!({ "verbatim": format!("Report {nth} stops"), "sourceRef": format!("{nth}") });
    oracle.promised("0", sender.send("", &body(0)).await.event_id());
    let mut hogs = Vec::new();
    wait_until("no connection to be left", SOON, async || {
        sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'millrace-%'")
            .execute(&db.pool)
            .await
            .unwrap();
        while let Ok(hog) = PgConnection::connect(&db.url).await {
            hogs.push(hog);
        }
        let theirs = "select count(*) from pg_stat_activity where application_name like 'millrace-%'";
        let theirs: i64 = sqlx::query_scalar(theirs).fetch_one(&db.pool).await.unwrap();
        (theirs == 0).then_some(())
    })
    .await;
    let mut refused = 0;
    for nth in 1..=times {
        let answer = sender.send("", &body(nth)).await;
        refused += u32::from(answer.status == 503 && answer.retry_after.is_some());
    }
    let held = hogs.len();
    drop(hogs);
    for nth in 1..=times {
        let taken = async || Some(sender.send("", &body(nth)).await).filter(|a| a.status == 200);
        let answer = wait_until("the delivery to be taken", SOON, taken).await;
        oracle.promised(&nth.to_string(), answer.event_id());
    }
    wait_until("all work to be done", SOON, async || {
        oracle::unfinished(&db.pool).await.is_empty().then_some(())
    })
    .await;
    let verdict = oracle.judge(&db.pool, usize::try_from(times).unwrap() + 1).await;
    let figure = format!(
        "{held} connections held by others: {refused} of {times} deliveries refused with 503 and Retry-After; afterwards \
         good: {}",
        verdict.is_good()
    );
    vec![Figure::new("R7 connections", verdict.is_good() && refused == times, figure)]
}
