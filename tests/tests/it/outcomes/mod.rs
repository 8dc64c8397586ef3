//! What came of replies, on a real Postgres and through the real binary.

mod kpis;
mod people;
mod told;
mod windows;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use millrace_jobs::{
    ctx::Ctx,
    queue::{Job, LeaseId, Leased, Verdict},
};
use millrace_tests::Database;
use sqlx::AssertSqlSafe;

/// A tenant with authors, posts and replies: `house.sql`.
#[expect(clippy::disallowed_methods, reason = "a script of ours")]
pub(crate) async fn house(db: &Database, workspace: &str) {
    let script = include_str!("house.sql").replace("{w}", workspace);
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&db.pool).await.unwrap();
}

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

pub(crate) async fn posted_at(db: &Database, reply: &str, at: DateTime<Utc>) {
    sqlx::query("update social.replies set posted_at = $2 where id = $1")
        .bind(reply)
        .bind(at)
        .execute(&db.pool)
        .await
        .unwrap();
}

/// Run a scheduled job now.
pub(crate) async fn run<J: Job>(ctx: &Arc<Ctx>, job: J) {
    let lease = Leased {
        id: LeaseId { job: -1, attempt: 1 },
        workspace_id: String::new(),
        trace_id: None,
        attempts_before: 0,
        job,
    };
    let verdicts = J::run(ctx.clone(), vec![lease]).await;
    assert!(matches!(verdicts[..], [Verdict::Done]), "{verdicts:?}");
}
