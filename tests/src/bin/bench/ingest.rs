//! Durable ingest: verify + event + job in one commit, counted as rows, beside the machine's own limits.

use std::time::{Duration, Instant};

use millrace_tests::{App, Sender, cluster::Private};
use sqlx::PgPool;

use crate::{
    load,
    report::{Report, median},
    server::{self, cpu_s, cpu_s_of},
};

const LENGTH: Duration = Duration::from_secs(6);
const ROUNDS: usize = 3;
const CONNECTIONS: [usize; 3] = [16, 64, 256];

/// Measure.
pub(crate) async fn run(report: &mut Report) {
    let (pg, db) = server::postgres().await;
    let pool = &db.pool;
    let group = server::role(&db, "serve", &[]).await;
    let single = [
        ("MILLRACE__INGEST__BATCH_EVENTS_MAX", "1"),
        ("MILLRACE__DATABASE__INGEST_CONNECTIONS", "16"),
    ];
    let each = server::role(&db, "serve", &single).await;
    let source = server::sender(&group, server::WORKSPACE, "slack", &[]).await;
    let mut limit = Vec::new();
    let mut bursts = [const { Vec::new() }; 3];
    let mut alone = Vec::new();
    for round in 0..ROUNDS {
        limit.push(batched_inserts(pool, round).await);
        for (c, bursts) in CONNECTIONS.iter().zip(&mut bursts) {
            bursts.push(burst(&pg, pool, &group, &source, *c).await);
        }
        alone.push(burst(&pg, pool, &each, &source, 16).await.rate);
        sqlx::query("truncate ops.events, ops.event_bodies, ops.jobs cascade")
            .execute(pool)
            .await
            .unwrap();
    }
    let (limit, alone) = (median(limit), median(alone));
    report.note(format!("{ROUNDS} interleaved rounds of {} s, medians; sender, server and Postgres share the machine", LENGTH.as_secs()));
    for (c, bursts) in CONNECTIONS.iter().zip(&bursts) {
        let figure = |f: fn(&Burst) -> f64| median(bursts.iter().map(f).collect());
        let rate = figure(|b| b.rate);
        let (reference, bar) = match c {
            16 => (format!("{:.2} of commit per request ({alone:.0}/s)", rate / alone), ">= 0.9"),
            256 => (format!("{:.2} of batched inserts ({limit:.0}/s)", rate / limit), ">= 0.5"),
            _ => (format!("{:.2} of batched inserts", rate / limit), ""),
        };
        report.row(&format!("events/s, {c} connections"), &format!("{rate:.0}"), &reference, bar);
        let bar = if *c == 256 { "< 60 ms idle" } else { "" };
        report.row(
            &format!("answer p99, {c} connections"),
            &format!("{:.1} ms", figure(|b| b.p99_ms)),
            "",
            bar,
        );
        let cpu = format!(
            "{:.2} s: sender {:.2}, serve {:.2}, Postgres {:.2}",
            figure(|b| b.cpu_s.iter().sum()),
            figure(|b| b.cpu_s[0]),
            figure(|b| b.cpu_s[1]),
            figure(|b| b.cpu_s[2])
        );
        report.row(&format!("CPU for 10,000 events, {c} connections"), &cpu, "", "");
    }
}

/// What one burst of load measured.
#[derive(Debug)]
struct Burst {
    /// Rows per second.
    rate: f64,
    p99_ms: f64,
    /// CPU seconds for 10,000 events: of the sender, of `serve`, of Postgres.
    cpu_s: [f64; 3],
}

async fn burst(
    pg: &Private,
    pool: &PgPool,
    role: &App,
    source: &Sender,
    connections: usize,
) -> Burst {
    let before = events(pool).await;
    let cpu = || [cpu_s_of(std::process::id()), cpu_s(role), cpu_s_of(pg.process())];
    let [sender, serve, postgres] = cpu();
    let load =
        load::slack(role.port(), source.path_id(), source.secret(), connections, LENGTH).await;
    let used = cpu();
    assert_eq!(load.others, 0, "every delivery is accepted");
    let rows = events(pool).await - before;
    assert_eq!(rows, i64::try_from(load.times.len()).unwrap(), "one row for each 200");
    let each = |now: f64, then: f64| (now - then) * 10_000.0 / rows as f64;
    Burst {
        rate: rows as f64 / LENGTH.as_secs_f64(),
        p99_ms: load.times.value_at_quantile(0.99) as f64 / 1000.0,
        cpu_s: [
            // The servers are children of this process.
            each(used[0] - used[1] - used[2], sender - serve - postgres),
            each(used[1], serve),
            each(used[2], postgres),
        ],
    }
}

async fn events(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from ops.events").fetch_one(pool).await.unwrap()
}

/// The machine's own limit: 8 connections, each inserting batches of 100 rows of the same content into one table.
async fn batched_inserts(pool: &PgPool, round: usize) -> f64 {
    sqlx::raw_sql(
        "drop table if exists bench_events;
         create table bench_events (id uuid primary key, source text not null, dedup bytea not null, state text not null default 'stored',
           headers jsonb not null, body bytea not null, received_at timestamptz not null default now(), unique (source, dedup));
         create index on bench_events (received_at) where state = 'stored';",
    )
    .execute(pool)
    .await
    .unwrap();
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let pool = pool.clone();
        tasks.spawn(async move {
            let mut rows = 0_u64;
            while started.elapsed() < LENGTH {
                let ids: Vec<uuid::Uuid> = (0..100).map(|_| uuid::Uuid::now_v7()).collect();
                let keys: Vec<Vec<u8>> = ids.iter().map(|id| [id.as_bytes().as_slice(), id.as_bytes()].concat()).collect();
                let bodies: Vec<Vec<u8>> = ids.iter().map(|id| load::slack_body(&id.to_string()).into_bytes()).collect();
                sqlx::query(
                    "insert into bench_events (id, source, dedup, headers, body)
                     select id, 'bench', dedup, '{\"content-type\": \"application/json\"}'::jsonb, body
                     from unnest($1::uuid[], $2::bytea[], $3::bytea[]) as t(id, dedup, body) on conflict do nothing",
                )
                .bind(&ids)
                .bind(&keys)
                .bind(&bodies)
                .execute(&pool)
                .await
                .unwrap();
                rows += 100;
            }
            rows
        });
    }
    let rows: u64 = tasks.join_all().await.into_iter().sum();
    println!("round {round}: {:.0} rows/s batched", rows as f64 / started.elapsed().as_secs_f64());
    rows as f64 / started.elapsed().as_secs_f64()
}
