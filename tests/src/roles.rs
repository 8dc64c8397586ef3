//! The least-privilege roles, set up as an administrator would: `roles.sql`, passwords, migrations by the owner.

use millrace_jobs::store::migrate;
use sqlx::{AssertSqlSafe, PgPool, postgres::PgPoolOptions};

/// What the service connects as.
pub const APP: &str = "millrace_app";
/// Who migrates.
pub const OWNER: &str = "millrace_owner";
/// Who looks.
pub const READER: &str = "millrace_reader";

/// Roles and schema in the database behind `admin` (a superuser's URL); the roles get the password of that URL.
#[expect(clippy::disallowed_methods, reason = "role names and passwords cannot be parameters")]
pub async fn provision(admin: &str) {
    let pool = pool(admin).await;
    sqlx::raw_sql(include_str!("../../migrations/roles.sql")).execute(&pool).await.unwrap();
    let password = reqwest::Url::parse(admin).unwrap().password().unwrap().to_owned();
    for role in [APP, OWNER, READER] {
        let sql = format!("alter role {role} password '{password}'");
        sqlx::query(AssertSqlSafe(sql)).execute(&pool).await.unwrap();
    }
    pool.close().await;
    let owner = self::pool(&connecting_as(OWNER, admin)).await;
    migrate::run(&owner).await.unwrap();
    owner.close().await;
}

/// `url` with another role, whose password is the same.
#[must_use]
pub fn connecting_as(role: &str, url: &str) -> String {
    let mut url = reqwest::Url::parse(url).unwrap();
    url.set_username(role).unwrap();
    url.to_string()
}

async fn pool(url: &str) -> PgPool {
    PgPoolOptions::new().max_connections(1).connect(url).await.unwrap()
}
