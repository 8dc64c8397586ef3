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

/// Tables of our schemas that this user may not write.
///
/// # Errors
/// If the database does not answer.
pub async fn unwritable(pool: &PgPool) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select format('%I.%I', n.nspname, c.relname)
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname in ('ops', 'signals') and c.relkind in ('r', 'p')
           and not (has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
                    and has_table_privilege(c.oid, 'insert') and has_table_privilege(c.oid, 'update')
                    and has_table_privilege(c.oid, 'delete'))
         order by 1",
    )
    .fetch_all(pool)
    .await
}
