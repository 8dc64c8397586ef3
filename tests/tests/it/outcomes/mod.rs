//! What came of replies, on a real Postgres and through the real binary.

mod told;

use chrono::{DateTime, Utc};
use millrace_tests::Database;
use sqlx::AssertSqlSafe;

/// A tenant with authors, posts and replies: `house.sql`.
#[expect(clippy::disallowed_methods, reason = "a script of ours")]
async fn house(db: &Database, workspace: &str) {
    let script = include_str!("house.sql").replace("{w}", workspace);
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&db.pool).await.unwrap();
}

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}
