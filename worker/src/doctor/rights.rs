//! What the connected role may do: enough, and not too much.

use millrace_config::{ExposeSecret, Settings};
use millrace_jobs::store::health::{self, Right, Role, Server};
use sqlx::PgPool;

use super::{Finding, broken};

const CHECK: &str = "role";
const GRANT: &str =
    "run `millrace roles | psql` as administrator, then `millrace migrate` as millrace_owner";

pub(super) async fn examine(
    pool: &PgPool,
    server: &Server,
    settings: &Settings,
    findings: &mut Vec<Finding>,
) {
    let (role, rights) = match (health::role(pool).await, health::rights(pool).await) {
        (Ok(role), Ok(rights)) => (role, rights),
        (Err(e), _) | (_, Err(e)) if denied(&e) => return findings.push(locked_out(CHECK, &e)),
        (Err(e), _) | (_, Err(e)) => return findings.push(broken(CHECK, &e)),
    };
    let (missing, excess): (Vec<Right>, Vec<Right>) = rights.into_iter().partition(|r| r.needed);
    findings.push(access(server, &missing));
    let embedded = settings.database.url.expose_secret().is_empty();
    findings.push(power(&role, &excess, embedded));
}

/// Postgres does not let this role near it.
pub(super) fn denied(e: &sqlx::Error) -> bool {
    e.as_database_error().and_then(|e| e.code()).is_some_and(|code| code == "42501")
}

pub(super) fn locked_out(check: &'static str, e: &sqlx::Error) -> Finding {
    let found = e.as_database_error().map_or_else(|| e.to_string(), |e| e.message().to_owned());
    Finding::fail(check, found, GRANT)
}

fn access(server: &Server, missing: &[Right]) -> Finding {
    const CHECK: &str = "write access";
    if server.read_only {
        let advice = "point DATABASE_URL at the primary";
        return Finding::fail(CHECK, "the server takes no writes", advice);
    }
    if missing.is_empty() {
        return Finding::ok(CHECK, "everything the service needs");
    }
    Finding::fail(CHECK, format!("missing: {}", list(missing)), GRANT)
}

fn power(role: &Role, excess: &[Right], embedded: bool) -> Finding {
    let name = &role.name;
    let too_much = if role.superuser {
        "a superuser: the wall between tenants does not stand before it"
    } else if role.bypasses_policies {
        "one with BYPASSRLS: the wall between tenants does not stand before it"
    } else if role.owner {
        "the owner of the tables: it may change and drop them"
    } else if !excess.is_empty() {
        let found = format!("{name} may do more than it needs: {}", list(excess));
        return Finding::warn(CHECK, found, GRANT);
    } else {
        return Finding::ok(CHECK, format!("{name}, with the rights it needs and no others"));
    };
    let found = format!("{name} is {too_much}");
    if embedded {
        return Finding::ok(CHECK, format!("{found} (the embedded Postgres has no other role)"));
    }
    Finding::warn(
        CHECK,
        found,
        "connect as millrace_app; `millrace roles` prints the SQL that makes it",
    )
}

fn list(rights: &[Right]) -> String {
    const SHOWN: usize = 5;
    let mut text: Vec<&str> = rights.iter().take(SHOWN).map(|r| r.text.as_str()).collect();
    if rights.len() > SHOWN {
        text.push("...");
    }
    text.join(", ")
}
