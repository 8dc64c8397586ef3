//! A prepared statement may keep the plan it was given when the table was empty. It must still be good a minute later.

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};

use super::*;

/// Name, statement and arguments that meet the first jobs of [`fill`].
fn statements() -> [(&'static str, &'static str, &'static str); 8] {
    macro_rules! sql {
        ($file:literal) => {
            include_str!(concat!("../../../../jobs/src/queue/", $file))
        };
    }
    let claim = "'test.act', array['w1'], array[5], array[0], array[0], array[0], array[0],
                 array[0, 1, 2, 3]::smallint[], 'nobody', false, 15000";
    [
        (
            "complete",
            sql!("complete.sql"),
            "array[1, 2], array[1, 1], array['done', 'done'], array[null, null]",
        ),
        (
            "again",
            sql!("again.sql"),
            "array[3, 4], array[1, 1], array[0, 9], array[0, 1], array[null, 'x']",
        ),
        (
            "bury",
            sql!("bury.sql"),
            "array[5, 6], array[1, 1], array['permanent', 'permanent'], array['x', 'y']",
        ),
        ("extend", sql!("extend.sql"), "array[7, 8], array[1, 1], 15000"),
        ("claim", sql!("claim.sql"), claim),
        ("expire", sql!("expire.sql"), "'epoch', 5, 3"),
        ("promote", sql!("promote.sql"), "'epoch', 5"),
        ("sweep", sql!("sweep.sql"), "'', '', -1, 5"),
    ]
}

#[tokio::test]
async fn plans_made_on_an_empty_table_probe_by_id() {
    let ctx = fresh().await;
    let mut conn = ctx.pool.acquire().await.unwrap();
    // Statistics that arrive would have it planned anew, which is luck.
    run(&mut conn, "alter table ops.jobs set (autovacuum_enabled = false)").await;
    run(
        &mut conn,
        "select set_config(name, 'off', false)
         from unnest(array['enable_seqscan', 'enable_bitmapscan', 'enable_hashjoin', 'enable_mergejoin']) name",
    )
    .await;
    run(&mut conn, "set plan_cache_mode = force_generic_plan").await;
    for (name, sql, args) in statements() {
        run(&mut conn, &format!("prepare {name} as {sql}")).await;
        explain(&mut conn, name, args).await;
    }
    fill(&mut conn).await;
    for (name, _, args) in statements() {
        let plan = explain(&mut conn, name, args).await;
        let mut scans = Vec::new();
        scans_of(&plan, &mut scans);
        assert!(!scans.is_empty(), "{name}: {plan:#}");
        for scan in scans {
            assert!(scan["Index Cond"].is_string(), "{name} walks all of an index: {scan:#}");
            let rows = scan["Actual Rows"].as_f64().unwrap()
                + scan["Rows Removed by Filter"].as_f64().unwrap_or(0.0);
            assert!(rows <= 5.0, "{name} reads {rows} rows a probe: {scan:#}");
        }
        let pages = plan["Shared Hit Blocks"].as_i64().unwrap()
            + plan["Shared Read Blocks"].as_i64().unwrap();
        assert!(pages < 500, "{name} touches {pages} pages");
    }
}

/// 200,000 running jobs, then a few ready, due and late ones; and many pauses of others.
async fn fill(conn: &mut PgConnection) {
    run(
        conn,
        "insert into ops.jobs (workspace_id, kind, attempts_max, payload, state, attempt, lease_until, run_at)
         select 'w1', 'test.act', 3, '{}', case when n <= 200000 then 'running' when n % 2 = 0 then 'ready' else 'scheduled' end,
                1, case when n <= 199990 then now() + interval '1 hour' when n <= 200000 then now() - interval '1 hour' end,
                now() - interval '1 minute'
         from generate_series(1, 200100) n",
    )
    .await;
    run(conn, "insert into ops.queue_pauses (workspace_id) select 'p' || n from generate_series(1, 2000) n").await;
}

#[expect(clippy::disallowed_methods, reason = "statements of our own sources, read from them")]
async fn run(conn: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await.unwrap();
}

#[expect(clippy::disallowed_methods, reason = "execute cannot be bound")]
async fn explain(conn: &mut PgConnection, name: &str, args: &str) -> Value {
    let sql = format!("explain (analyze, buffers, format json) execute {name}({args})");
    let plan: Value = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(conn).await.unwrap();
    plan[0]["Plan"].clone()
}

/// Every node that reads jobs or pauses.
fn scans_of<'a>(node: &'a Value, found: &mut Vec<&'a Value>) {
    let scan = node["Node Type"].as_str().unwrap().contains("Scan");
    if scan && (node["Relation Name"] == "jobs" || node["Relation Name"] == "queue_pauses") {
        found.push(node);
    }
    for child in node["Plans"].as_array().into_iter().flatten() {
        scans_of(child, found);
    }
}
