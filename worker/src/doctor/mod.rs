//! `millrace doctor`: is everything in place, and if not, what to do.

mod buffer;
mod codebases;
mod machine;
mod retention;
mod rights;
mod store;
mod traffic;

use millrace_config::Settings;
use serde::Serialize;

use crate::db;

/// How a check went, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// In order.
    Ok,
    /// Works, but somebody should know.
    Warn,
    /// Does not work.
    Fail,
}

/// One finding.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it is.
    pub level: Level,
    /// What was found.
    pub found: String,
    /// What to do; absent where nothing is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, found: found.into(), advice: None }
    }

    fn warn(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, level: Level::Warn, found: found.into(), advice: Some(advice.into()) }
    }

    fn fail(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, level: Level::Fail, found: found.into(), advice: Some(advice.into()) }
    }
}

/// Look at everything. What needs the database is skipped when that does not answer.
pub async fn examine(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(machine::disk(settings));
    findings.extend(machine::model(settings).await);
    let (key_ring, ring) = machine::key_ring(settings);
    findings.push(key_ring);
    if settings.buffered() {
        buffer::examine(settings, &mut findings).await;
    }
    let pool = match db::connect(settings).await {
        Ok(pool) => pool,
        Err(e) => {
            let advice = "start `millrace up`, or set DATABASE_URL to a Postgres 15 or later with pgvector, and check host, port and password";
            findings.push(Finding::fail("database", format!("{e:#}"), advice));
            return findings;
        }
    };
    if !store::examine(&pool, settings, &mut findings).await {
        return findings;
    }
    traffic::secrets(&pool, ring.as_ref(), &mut findings).await;
    traffic::sources(&pool, &mut findings).await;
    traffic::queue(&pool, settings, &mut findings).await;
    codebases::examine(&pool, &mut findings).await;
    retention::examine(&pool, settings, &mut findings).await;
    findings
}

/// A database that fails in the middle of an examination is a finding too.
fn broken(check: &'static str, e: &sqlx::Error) -> Finding {
    Finding::fail(
        check,
        format!("the database does not say: {e}"),
        "run `millrace doctor` again; see the log of Postgres",
    )
}
