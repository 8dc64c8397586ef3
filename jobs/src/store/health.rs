//! What `millrace doctor` asks the database about itself. Reads only.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

/// The server as this connection sees it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Server {
    /// As `server_version_num`: 180004 is 18.4.
    pub version: i32,
    /// As people write it.
    pub version_text: String,
    /// Version of the extension `vector`, if it is in this database.
    pub vector: Option<String>,
    /// Version of the extension that could be added.
    pub vector_available: Option<String>,
    /// A standby, or a session that may not write.
    pub read_only: bool,
    /// The database's clock.
    pub now: DateTime<Utc>,
    /// Connections the server allows to us.
    pub connections_max: i32,
    /// Connections open now, ours included.
    pub connections: i64,
    /// Of them, those of Millrace.
    pub own_connections: i64,
    /// `synchronous_commit`: with `off`, an acknowledged delivery can be lost.
    pub synchronous_commit: String,
}

/// Ask the server.
///
/// # Errors
/// If it does not answer.
pub async fn server(pool: &PgPool) -> sqlx::Result<Server> {
    sqlx::query_as(
        "select current_setting('server_version_num')::int as version, current_setting('server_version') as version_text,
                (select extversion from pg_extension where extname = 'vector') as vector,
                (select default_version from pg_available_extensions where name = 'vector') as vector_available,
                pg_is_in_recovery() or current_setting('transaction_read_only')::bool as read_only,
                clock_timestamp() as now,
                current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as connections_max,
                (select count(*) from pg_stat_activity where backend_type = 'client backend') as connections,
                (select count(*) from pg_stat_activity where application_name like 'millrace-%') as own_connections,
                current_setting('synchronous_commit') as synchronous_commit",
    )
    .fetch_one(pool)
    .await
}

/// The role of this connection.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// May do everything; no policy binds it.
    pub superuser: bool,
    /// No policy binds it.
    pub bypasses_policies: bool,
    /// Owns the schema `ops`, so that it may change and drop tables.
    pub owner: bool,
}

/// Who we are.
///
/// # Errors
/// If the database does not answer.
pub async fn role(pool: &PgPool) -> sqlx::Result<Role> {
    sqlx::query_as(
        "select r.rolname::text as name, r.rolsuper as superuser, r.rolbypassrls as bypasses_policies,
                coalesce((select pg_has_role(nspowner, 'member') from pg_namespace where nspname = 'ops'), false) as owner
         from pg_roles r where r.rolname = current_user",
    )
    .fetch_one(pool)
    .await
}

/// A right of the service's role (`ops.rights`), as `update on ops.events`.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Right {
    /// In words.
    pub text: String,
    /// We should have it; else we have it and should not.
    pub needed: bool,
}

/// Where our rights differ from those the service needs.
///
/// # Errors
/// If the database does not answer, or not to this role.
pub async fn rights(pool: &PgPool) -> sqlx::Result<Vec<Right>> {
    sqlx::query_as(
        "select verb || ' on ' || relation as text, needed
         from (select r.relation, verb, verb = any (r.app) as needed,
                      has_table_privilege(to_regclass(r.relation), verb) as has
               from ops.rights r, unnest(array['select', 'insert', 'update', 'delete', 'truncate']) verb) t
         where needed <> coalesce(has, false)
         union all
         select 'execute on ' || p.oid::regprocedure, true
         from pg_proc p where p.pronamespace = 'ops'::regnamespace and p.prosecdef and not has_function_privilege(p.oid, 'execute')
         order by 1",
    )
    .fetch_all(pool)
    .await
}
