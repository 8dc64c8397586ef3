use std::collections::BTreeMap;

use millrace_jobs::store::migrate;
use sqlx::{AssertSqlSafe, PgPool};

use crate::{Database, Pg, reliability::Figure, roles, schema};

/// R24: the connection of the owner is killed at up to `times` statements of the migrations, one at a time; then they
/// are run again.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let whole = database(i64::MAX).await;
    migrate::run(&owner(&whole).await).await.unwrap();
    let statements: i64 =
        sqlx::query_scalar("select last_value from ddl").fetch_one(&whole.pool).await.unwrap();
    let expected = schema::dump(&whole).await;
    let kills = i64::from(times).min(statements);
    let (mut survived, mut wrong) = (0, Vec::new());
    let mut stopped_at: BTreeMap<i64, usize> = BTreeMap::new();
    for nth in 0..kills {
        let statement = 1 + nth * (statements - 1) / (kills - 1).max(1);
        let db = database(statement).await;
        survived += usize::from(migrate::run(&owner(&db).await).await.is_ok());
        let left = migrate::version(&db.pool).await.unwrap();
        *stopped_at.entry(left + 1).or_default() += 1;
        let again = migrate::run(&owner(&db).await).await;
        if again.is_err() || schema::dump(&db).await != expected {
            wrong.push((statement, again.err().map(|e| e.to_string())));
        }
    }
    let committed = std::fs::read_to_string(crate::root().join("migrations/schema.sql")).ok();
    let linted = schema::lint();
    let figure = format!(
        "killed at {kills} of {statements} statements, in migrations {stopped_at:?}; run again: {} did not end with the \
         same schema {wrong:?}; schema as committed: {}; squawk: {}",
        wrong.len(),
        expected.is_some() && expected == committed,
        linted.as_deref().map_or("not there", |said| if said.is_empty() {
            "0 warnings"
        } else {
            said
        }),
    );
    let kept = wrong.is_empty()
        && survived == 0
        && (expected.is_none() || expected == committed)
        && linted.is_none_or(|said| said.is_empty());
    vec![Figure::new("R24", kept, figure)]
}

/// An empty one with the roles, in which the connection that executes the `nth` DDL statement dies in it.
#[expect(clippy::disallowed_methods, reason = "a function cannot have parameters from outside")]
async fn database(nth: i64) -> Database {
    let db = Pg::empty_database().await;
    let script = format!(
        "create sequence public.ddl minvalue 0 start 1;
         grant all on sequence public.ddl to public;
         create function public.dies() returns event_trigger language plpgsql as $$
         begin
           if nextval('public.ddl') = {nth} then
             perform pg_terminate_backend(pg_backend_pid());
           end if;
         end $$;
         create event trigger dies on ddl_command_end execute function public.dies();"
    );
    sqlx::raw_sql(include_str!("../../../../migrations/roles.sql"))
        .execute(&db.pool)
        .await
        .unwrap();
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&db.pool).await.unwrap();
    db
}

async fn owner(db: &Database) -> PgPool {
    PgPool::connect(&db.url_as(roles::OWNER)).await.unwrap()
}
