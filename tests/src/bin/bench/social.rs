//! Decisions per second, and how long a stored post waits for its own, behind more and more posts and authors.

use std::{sync::Arc, time::Duration};

use millrace_config::Settings;
use millrace_jobs::{
    ctx::Ctx,
    embed,
    queue::{Queue, Runtime},
    social::judge,
    store::social::ToDecide,
};
use sqlx::PgPool;
use tokio::time::Instant;

use crate::{pipeline::Cpu, report::Report, server};

/// Posts and authors that are stored already.
const STORED: [i32; 4] = [10_000, 100_000, 300_000, 1_000_000];
/// Posts decided at once, and those that come one by one.
const AT_ONCE: i32 = 1_000;
const ONE_BY_ONE: i32 = 300;
const APART: Duration = Duration::from_millis(50);
/// Posts of the author who writes all the time.
const TALKATIVE: i32 = 10_000;
const SENTENCES: [&str; 6] = [
    "I have the worst hangover right now and I can't stop shaking, what helps?",
    "woke up so hungover, headache and nausea, any advice please",
    "Markets are hungover from the rate decision",
    "Liquid I.V. did nothing for my hangover, what should I try instead?",
    "my hangover is a reminder that I am not 21 any more lol",
    "so hungover, I need to be at work in an hour and I feel awful",
];

fn ctx(pool: &PgPool) -> Arc<Ctx> {
    let profile = ("MILLRACE__SOCIAL__PROFILE".to_owned(), "vita".to_owned());
    let settings =
        Settings::from_parts(&millrace_tests::home(), None, std::iter::once(profile)).unwrap();
    let queue = Queue::new(pool, &settings.queue);
    let embedder = embed::open(&settings).unwrap();
    Arc::new(Ctx::new(pool.clone(), queue, Arc::new(settings), embedder))
}

/// Measure; `--to=N` ends with N stored posts.
pub(crate) async fn run(report: &mut Report, options: &[String]) {
    let to = options.iter().find_map(|o| o.strip_prefix("--to=")?.parse().ok());
    let (_pg, db) = server::postgres().await;
    let ctx = ctx(&db.pool);
    let runtime = Runtime::start(ctx.clone(), millrace_worker::JOBS);
    report.note(format!(
        "{AT_ONCE} posts at once, then {ONE_BY_ONE} one by one every {} ms, by as many authors; the model on one thread; no \
         model endpoint; beside so many stored posts of as many authors, each with counts and a decision, of 80 days.",
        APART.as_millis()
    ));
    let (mut from, mut next) = (1, 10_000_000);
    let mut first = 0.0;
    for stored in STORED.into_iter().filter(|n| to.is_none_or(|to| *n <= to)) {
        load(&db.pool, from, stored, "a", 1).await;
        from = stored + 1;
        let cost = decide(
            &ctx,
            &mut next,
            |n| format!("a{}", n % stored + 1),
            report,
            &format!("{stored}"),
        )
        .await;
        if first == 0.0 {
            first = cost;
        }
        println!("{stored}: {:.2} x", cost / first);
    }
    let talkative = from + TALKATIVE - 1;
    load(&db.pool, from, talkative, "a1-", TALKATIVE * 1_000).await;
    let what = format!("{TALKATIVE} of one author, who writes");
    decide(&ctx, &mut next, |_| "a1-0".to_owned(), report, &what).await;
    runtime.drain().await;
}

/// Posts with these numbers; `divisor` of them have one author, whose id begins with `author`.
async fn load(pool: &PgPool, from: i32, to: i32, author: &str, divisor: i32) {
    let mut conn = pool.acquire().await.unwrap();
    sqlx::query("insert into social.authors (workspace_id, id, platform, platform_id, handle) values ('bench', $1 || 0, 'TWITTER', $1, 'x') on conflict do nothing")
        .bind(author)
        .execute(&mut *conn)
        .await
        .unwrap();
    drop(conn);
    let analyze =
        "analyze social.posts, social.authors, social.decisions, social.post_metric_snapshots";
    server::load(pool, from..=to, analyze, async |conn, at, end| {
        let load =
            sqlx::query(include_str!("social.sql")).bind(at).bind(end).bind(author).bind(divisor);
        load.execute(conn).await.unwrap();
    })
    .await;
}

/// New posts are stored, and decided. CPU of Postgres for each, ms.
async fn decide(
    ctx: &Ctx,
    next: &mut i32,
    author: impl Fn(i32) -> String,
    report: &mut Report,
    what: &str,
) -> f64 {
    let pool = &ctx.pool;
    // The model and the plans are warm.
    store(ctx, next, 64, &author).await;
    done(pool, *next).await;
    let (before, start) = (Cpu::now(pool).await, Instant::now());
    store(ctx, next, AT_ONCE, &author).await;
    done(pool, *next).await;
    let rate = f64::from(AT_ONCE) / start.elapsed().as_secs_f64();
    let after = Cpu::now(pool).await;
    let each = |after: f64, before: f64| 1000.0 * (after - before) / f64::from(AT_ONCE);
    let (model, others) = (each(after.model, before.model), each(after.others, before.others));
    let postgres = each(after.postgres, before.postgres);
    let first = *next;
    for _ in 0..ONE_BY_ONE {
        store(ctx, next, 1, &author).await;
        tokio::time::sleep(APART).await;
    }
    done(pool, *next).await;
    let (p50, p99): (f64, f64) = sqlx::query_as(
        "select percentile_cont(0.5) within group (order by t), percentile_cont(0.99) within group (order by t)
         from (select extract(epoch from finished_at - created_at)::float8 * 1000 as t from ops.job_history
               where kind = 'social.decide' order by id desc limit $1) h",
    )
    .bind(i64::from(*next - first))
    .fetch_one(pool)
    .await
    .unwrap();
    let share = 100.0 * model / (model + others + postgres);
    report.row(
        &format!("{what}: decisions per second"),
        &format!("{rate:.0}/s"),
        &format!("CPU each: model {model:.2}, worker {others:.2}, Postgres {postgres:.2} ms"),
        "",
    );
    report.row(
        &format!("{what}: from stored post to decision"),
        &format!("p50 {p50:.0}, p99 {p99:.0} ms"),
        &format!("embedding is {share:.0} % of the CPU"),
        "",
    );
    postgres
}

/// So many new posts with their jobs.
async fn store(ctx: &Ctx, next: &mut i32, count: i32, author: impl Fn(i32) -> String) {
    let numbers: Vec<i32> = (*next..*next + count).collect();
    *next += count;
    let said = |n: &i32| {
        let nth = usize::try_from(*n).unwrap() % SENTENCES.len();
        format!("{} ({n})", SENTENCES[nth])
    };
    let mut tx = ctx.pool.begin().await.unwrap();
    sqlx::query(
        "insert into social.posts (workspace_id, id, platform, platform_post_id, author_id, content, posted_at)
         select 'bench', 'p' || n, 'TWITTER', n::text, author, content, now() - interval '10 minutes'
         from unnest($1::int[], $2::text[], $3::text[]) as t (n, author, content)",
    )
    .bind(&numbers)
    .bind(numbers.iter().map(|n| author(*n)).collect::<Vec<_>>())
    .bind(numbers.iter().map(said).collect::<Vec<_>>())
    .execute(&mut *tx)
    .await
    .unwrap();
    let post = |n: &i32| ToDecide {
        workspace_id: server::WORKSPACE.into(),
        post_id: format!("p{n}"),
        trace_id: "0".repeat(32),
    };
    let jobs = judge::jobs(&numbers.iter().map(post).collect::<Vec<_>>()).unwrap();
    let enqueued = ctx.queue.enqueue(&mut tx, &jobs).await.unwrap();
    tx.commit().await.unwrap();
    ctx.queue.wake(&enqueued);
}

/// All below this number are decided, and their jobs are over.
async fn done(pool: &PgPool, below: i32) {
    millrace_tests::wait_until("all decided", Duration::from_secs(600), async || {
        let open: i64 =
            sqlx::query_scalar("select count(*) from ops.jobs where kind = 'social.decide'")
                .fetch_one(pool)
                .await
                .unwrap();
        (open == 0).then_some(())
    })
    .await;
    let left: i64 = sqlx::query_scalar(
        "select count(*) from social.posts where processed_at is null and workspace_id = 'bench'",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    assert_eq!(left, 0, "posts below {below} without a decision");
}
