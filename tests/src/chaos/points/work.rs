//! The work that passes every point: deliveries of all sizes, repeated, edited and deleted; jobs that fail, hang, die
//! and are replayed; ticks; links by hand; a stop.

use millrace_config::point::Point;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    endpoint::{HANGS, STUTTERS},
    stage::Run,
};
use crate::social::x_post;

/// Of a delivery that does not fit into a message of the buffer, in bytes.
const LARGE: usize = 80 << 10;

/// All of it, to the end of the process.
pub(super) async fn all(run: &mut Run) -> Result<(), String> {
    ready(run).await?;
    let first: Vec<Value> = (0..6).map(|nth| created(nth, "sometimes")).collect();
    deliver(run, &first).await?;
    deliver(run, &first[..2]).await?;
    for nth in [6, 7] {
        let mut large = created(nth, "always");
        large["metadata"] = json!({ "blob": "x".repeat(LARGE) });
        deliver(run, &[large]).await?;
    }
    push(run).await?;
    posts(run).await?;
    deliver(run, &[created(8, STUTTERS), created(9, STUTTERS), created(10, HANGS)]).await?;
    cancel(run).await?;
    idle(run).await?;
    for nth in [6, 7, 8] {
        link(run, nth).await?;
    }
    deliver(run, &[edited(0), edited(1), deleted(2), deleted(10)]).await?;
    deliver(run, &[edited(3), deleted(4)]).await?;
    idle(run).await?;
    replay(run).await?;
    learn(run).await;
    idle(run).await?;
    while !run.stop().await {
        ready(run).await?;
        idle(run).await?;
    }
    Ok(())
}

async fn ready(run: &mut Run) -> Result<(), String> {
    run.until("ready", async |run| {
        run.ask(Method::GET, "/readyz", None).await.filter(|answer| answer.0 == 200).map(drop)
    })
    .await
}

fn source_ref(nth: usize) -> String {
    format!("report-{nth}")
}

fn created(nth: usize, how: &str) -> Value {
    json!({ "verbatim": format!("Report {nth} stops halfway, {how}"), "sourceRef": source_ref(nth),
            "updatedAt": "2026-01-01T08:00:00Z" })
}

fn edited(nth: usize) -> Value {
    json!({ "verbatim": format!("Report {nth} does not even start"), "sourceRef": source_ref(nth),
            "updatedAt": "2026-01-02T08:00:00Z" })
}

fn deleted(nth: usize) -> Value {
    json!({ "deleted": true, "sourceRef": source_ref(nth), "updatedAt": "2026-01-03T08:00:00Z" })
}

/// All at once, each until it has its 2xx.
async fn deliver(run: &mut Run, bodies: &[Value]) -> Result<(), String> {
    let mut open = bodies.to_vec();
    run.until("deliveries to be taken", async |run| {
        let mut posts = JoinSet::new();
        for body in open.drain(..) {
            let sender = run.sender();
            posts.spawn(async move { (sender.try_send("", &body).await, body) });
        }
        while let Some(done) = posts.join_next().await {
            match done.unwrap() {
                (Ok(answer), body) if answer.status == 200 => {
                    let delivery = format!("{} {}", body["sourceRef"], body["updatedAt"]);
                    run.oracle.promised(&delivery, answer.event_id());
                }
                (_, body) => open.push(body),
            }
        }
        open.is_empty().then_some(())
    })
    .await
}

/// A codebase has changed.
async fn push(run: &mut Run) -> Result<(), String> {
    run.until("a push to be taken", async |run| {
        let answer = run.github().github("push-1", "push", &run.push).await.ok();
        let answer = answer.filter(|answer| answer.status == 202)?;
        run.oracle.promised("push-1", answer.event_id());
        Some(())
    })
    .await
}

/// Somebody says something, twice.
async fn posts(run: &mut Run) -> Result<(), String> {
    for (nth, text) in [
        (1, "Worst hangover ever, what helps against the nausea?"),
        // A reason to ask the endpoint.
        (2, "Pregnant and hungover, what helps?"),
    ] {
        let post = x_post(1_700_000_000_000_000_000 + nth, "ann", 100, text);
        run.until("a post to be taken", async |run| {
            let answer = run.x().try_send("", &post).await.ok()?;
            let answer = Some(answer).filter(|answer| answer.status == 200)?;
            run.oracle.promised(&format!("post-{nth}"), answer.event_id());
            Some(())
        })
        .await?;
    }
    Ok(())
}

/// The job whose endpoint never answers, once its lease was extended a few times.
async fn cancel(run: &mut Run) -> Result<(), String> {
    run.until("leases to be extended", async |run| {
        let extended = run.seen().get(&Point::LeasesExtended).map_or(0, |(passes, _)| *passes);
        (extended >= 3).then_some(())
    })
    .await?;
    let hanging: i64 = run
        .until("the hanging job", async |run| {
            let job = sqlx::query_scalar(
                "select j.id from ops.jobs j join signals.signals s on s.id = j.payload ->> 'signal_id'
                 where j.kind = 'signals.enrich' and s.source_ref = 'report-10' and j.attempt > 0",
            );
            job.fetch_optional(&run.db.pool).await.unwrap()
        })
        .await?;
    run.until("the hanging job to be cancelled", async |run| {
        run.ask(Method::POST, &format!("/v1/jobs/{hanging}/cancel"), None).await;
        let ended = sqlx::query_scalar("select outcome from ops.job_history where id = $1");
        let ended: Option<String> = ended.bind(hanging).fetch_optional(&run.db.pool).await.unwrap();
        ended.map(|outcome| assert_eq!(outcome, "cancelled"))
    })
    .await
}

/// Everything that can be done is done; what waits for its time does not have to.
async fn idle(run: &mut Run) -> Result<(), String> {
    run.until("all to be done", async |run| {
        // Of a window of which nothing is known who died in a call took all there was.
        sqlx::raw_sql(
            "update ops.jobs set run_at = now() where state = 'scheduled' and run_at > now();
             update ops.rate_budgets set reset_at = now() - interval '1 minute' where not seen",
        )
        .execute(&run.db.pool)
        .await
        .unwrap();
        let open: i64 = sqlx::query_scalar(
            "select (select count(*) from ops.jobs) + abs($1 - (select count(*) from ops.events where event_type is distinct from 'page.search'))
                  + (select count(*) from ops.events where state <> 'normalized')
                  + (select count(*) from signals.signals where processed_at is null and deleted_at is null)
                  + 4 - (select count(*) from ops.schedule_ticks where tick > now() - interval '18 months')",
        )
        .bind(i64::try_from(run.oracle.promised_so_far()).unwrap())
        .fetch_one(&run.db.pool)
        .await
        .unwrap();
        (open == 0).then_some(())
    })
    .await
}

async fn link(run: &mut Run, nth: usize) -> Result<(), String> {
    let signal: String = sqlx::query_scalar("select id from signals.signals where source_ref = $1")
        .bind(source_ref(nth))
        .fetch_one(&run.db.pool)
        .await
        .unwrap();
    let path = format!("/v1/signals/{signal}/projects/{}", run.project);
    run.until("the link", async |run| {
        run.ask(Method::PUT, &path, None).await.filter(|answer| answer.0 == 200).map(drop)
    })
    .await
}

/// The night comes.
async fn learn(run: &Run) {
    let job = "insert into ops.jobs (workspace_id, kind, attempts_max, payload, unique_key)
               values ('points', 'social.learn', 25, '{}', 'tonight'), ('points', 'social.experiments', 25, '{}', 'this hour')";
    sqlx::query(job).execute(&run.db.pool).await.unwrap();
}

/// What could not be read is repaired and runs; every delivery is read again.
async fn replay(run: &mut Run) -> Result<(), String> {
    sqlx::query("update ops.dead_letters set payload = '{\"signal_id\": \"repaired\"}'")
        .execute(&run.db.pool)
        .await
        .unwrap();
    for (path, body) in [
        ("/v1/dead/replay", json!({ "reason": "undecodable" })),
        ("/v1/events/replay", json!({ "filter": {} })),
    ] {
        run.until(path, async |run| {
            let answer = run.ask(Method::POST, path, Some(body.clone())).await;
            answer.filter(|answer| answer.0 == 200).map(drop)
        })
        .await?;
    }
    Ok(())
}
