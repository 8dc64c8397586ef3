//! Every row of every table, as text.

use sqlx::{AssertSqlSafe, PgPool};

use super::Canaries;

/// Tables that keep what users said.
const KEEP_WHAT_IS_SAID: [&str; 5] = [
    "ops.event_bodies",
    "signals.signals",
    "signals.signal_versions",
    "signals.inbox_items",
    "signals.signal_enrichments",
];

/// Search everything that is stored; `bytea` columns are text in hexadecimal there.
#[expect(clippy::disallowed_methods, reason = "a table's name cannot be a parameter")]
pub(super) async fn search(pool: &PgPool, canaries: &mut Canaries) {
    let tables: Vec<String> = sqlx::query_scalar(
        "select schemaname || '.' || tablename from pg_tables where schemaname in ('ops', 'signals', 'public') order by 1",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(tables.len() > 20, "{tables:?}");
    for table in tables {
        let sql = format!("select coalesce(string_agg(t::text, chr(10)), '') from {table} t");
        let rows: String = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(pool).await.unwrap();
        let place = format!("table {table}");
        if KEEP_WHAT_IS_SAID.iter().any(|kept| table.starts_with(kept)) {
            canaries.search_for_secrets(&place, &rows);
        } else {
            canaries.search(&place, &rows);
        }
    }
}
