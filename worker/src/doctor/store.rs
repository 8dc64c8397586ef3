//! The database: version, extension, schema, clock, connections.

use millrace_config::{Clock, Settings};
use millrace_jobs::store::{
    health::{self, Server},
    migrate::{self, SchemaError},
};
use sqlx::PgPool;

use super::{Finding, broken, rights};

/// Oldest Postgres that has everything we use.
const POSTGRES_MIN: i32 = 150_000;
/// Oldest pgvector with `halfvec`.
const VECTOR_MIN: (u32, u32) = (0, 7);
/// Signed timestamps are judged by our clock, leases by the database's; within this they agree.
const SKEW_S_MAX: f64 = 5.0;
/// Connections of the queue's own pool.
const QUEUE_CONNECTIONS: u32 = 12;

/// Look at the database; false if nothing further can be asked of it.
pub(super) async fn examine(
    pool: &PgPool,
    settings: &Settings,
    findings: &mut Vec<Finding>,
) -> bool {
    let before = Clock::system().now();
    let server = match health::server(pool).await {
        Ok(server) => server,
        Err(e) => {
            findings.push(broken("database", &e));
            return false;
        }
    };
    let took = Clock::system().now() - before;
    findings.push(version(&server));
    findings.push(vector(&server));
    findings.push(clock((server.now - (before + took / 2)).as_seconds_f64()));
    findings.push(connections(&server, settings));
    findings.push(durability(&server));
    let usable = match migrate::check(pool).await {
        Ok(()) => {
            findings.push(Finding::ok(
                "schema",
                format!("version {}, which this binary knows", migrate::known()),
            ));
            true
        }
        Err(e) => {
            findings.push(schema(&e));
            false
        }
    };
    if usable {
        rights::examine(pool, &server, settings, findings).await;
    }
    usable
}

fn schema(e: &SchemaError) -> Finding {
    if let SchemaError::Database(e) = e
        && rights::denied(e)
    {
        return rights::locked_out("schema", e);
    }
    let advice = "run `millrace migrate`, or use the release that the database belongs to";
    Finding::fail("schema", e.to_string(), advice)
}

fn version(server: &Server) -> Finding {
    let found = format!("Postgres {}", server.version_text);
    if server.version < POSTGRES_MIN {
        return Finding::fail("database", found, "use Postgres 15 or later");
    }
    Finding::ok("database", found)
}

fn vector(server: &Server) -> Finding {
    const CHECK: &str = "pgvector";
    match (&server.vector, &server.vector_available) {
        (Some(version), _) if at_least(version, VECTOR_MIN) => Finding::ok(CHECK, version.clone()),
        (Some(version), _) => Finding::fail(
            CHECK,
            format!("{version} is too old"),
            "install 0.7 or later on the server, then `alter extension vector update`",
        ),
        (None, Some(available)) => Finding::warn(
            CHECK,
            format!("{available} is there but not added yet"),
            "`millrace migrate` adds it",
        ),
        (None, None) => Finding::fail(
            CHECK,
            "the server does not have it",
            "install pgvector 0.7 or later on the server",
        ),
    }
}

fn at_least(version: &str, least: (u32, u32)) -> bool {
    let mut parts = version.split('.').map(|p| p.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= least
}

fn clock(ahead_s: f64) -> Finding {
    let found = format!("the database is {ahead_s:+.2} s from this machine");
    if ahead_s.abs() > SKEW_S_MAX {
        return Finding::warn(
            "clock",
            found,
            "let both keep time (NTP): signed timestamps are judged by this machine's",
        );
    }
    Finding::ok("clock", found)
}

fn connections(server: &Server, settings: &Settings) -> Finding {
    let d = &settings.database;
    let bridges = if settings.buffered() { settings.nats.bridges } else { 0 };
    let ours = d.ingest_connections
        + d.edge_connections
        + d.api_connections
        + d.job_connections
        + QUEUE_CONNECTIONS
        + bridges;
    let others = (server.connections - server.own_connections).max(0);
    let free = i64::from(server.connections_max) - others;
    let found = format!(
        "{} of {} in use, {} by millrace; one process that does everything takes up to {ours}",
        server.connections, server.connections_max, server.own_connections
    );
    if free < i64::from(ours) {
        return Finding::warn(
            "connections",
            found,
            "raise max_connections of Postgres, or lower database.*_connections",
        );
    }
    Finding::ok("connections", found)
}

fn durability(server: &Server) -> Finding {
    let found = format!("synchronous_commit is {}", server.synchronous_commit);
    if server.synchronous_commit == "off" {
        let advice = "turn it on: with `off`, a crash of the server can lose deliveries that were acknowledged";
        return Finding::fail("durability", found, advice);
    }
    Finding::ok("durability", found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_not_text() {
        assert!(at_least("0.10.0", (0, 7)));
        assert!(at_least("1.0", (0, 7)));
        assert!(at_least("0.7", (0, 7)));
        for old in ["0.6.2", "", "x", "0"] {
            assert!(!at_least(old, (0, 7)), "{old}");
        }
    }
}
