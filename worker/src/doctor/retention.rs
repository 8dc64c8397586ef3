//! Retention: whether what is over goes somewhere. Where there are no posts, nothing is said.

use millrace_config::{Clock, Settings};
use millrace_jobs::social::retention::{self, archive::Archive};
use sqlx::PgPool;

use super::{Finding, broken};

const CHECK: &str = "retention";

pub(super) async fn examine(pool: &PgPool, settings: &Settings, findings: &mut Vec<Finding>) {
    let keep = &settings.social.retention;
    if keep.folder.as_os_str().is_empty() {
        let due = match retention::plan(pool, keep, Clock::system().now()).await {
            Ok(due) => due.iter().map(|d| d.rows + d.held).sum::<i64>(),
            Err(e) => match e.downcast::<sqlx::Error>() {
                Ok(e) => return findings.push(broken(CHECK, &e)),
                Err(e) => {
                    return findings.push(Finding::fail(CHECK, format!("{e:#}"), "see the log"));
                }
            },
        };
        if due > 0 {
            findings.push(Finding::warn(
                CHECK,
                format!("off, and {due} rows of posts, decisions, figures or the audit are over"),
                "set social.retention.folder: `millrace retention plan` says what goes there",
            ));
        }
        return;
    }
    let folder = keep.folder.display().to_string();
    let tried = Archive::open(&keep.folder).and_then(|archive| archive.try_out());
    findings.push(match tried {
        Ok(()) => Finding::ok(CHECK, format!("archives go to {folder}")),
        Err(e) => Finding::fail(
            CHECK,
            format!("cannot write to {folder}: {e}"),
            "give the user of Millrace that folder, or set social.retention.folder",
        ),
    });
}
