//! Codebases: what indexing them needs, and how it went. Where there are none, nothing is said.

use millrace_jobs::store::codebase::connections;
use sqlx::PgPool;

use super::{Finding, broken};

const CHECK: &str = "codebases";

pub(super) async fn examine(pool: &PgPool, findings: &mut Vec<Finding>) {
    let found = async { connections::failures(&mut *pool.acquire().await?).await };
    let (count, failed) = match found.await {
        Ok((0, _)) => return,
        Ok(found) => found,
        Err(e) => return findings.push(broken(CHECK, &e)),
    };
    findings.push(if failed.is_empty() {
        Finding::ok(CHECK, format!("{count}, none of which failed"))
    } else {
        let names = failed.join(", ");
        Finding::warn(
            CHECK,
            format!("failed: {names}"),
            "`millrace index status` says why; they are tried again",
        )
    });
    findings.push(git().await);
}

/// The program that fetches repositories, where this runs; workers elsewhere have their own.
async fn git() -> Finding {
    let asked = tokio::process::Command::new("git").arg("--version").output().await;
    match asked {
        Ok(done) if done.status.success() => {
            Finding::ok("git", String::from_utf8_lossy(&done.stdout).trim().to_owned())
        }
        _ => Finding::warn(
            "git",
            "not in the path",
            "install it where workers run: it fetches repositories",
        ),
    }
}
