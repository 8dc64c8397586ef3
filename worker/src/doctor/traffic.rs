//! What flows: secrets, sources, the queue and its workers.

use millrace_config::Settings;
use millrace_ingest::{registry::health, secrets::KeyRing};
use millrace_jobs::queue::Queue;
use sqlx::PgPool;

use super::{Finding, broken};

/// A ready job older than this is not being picked up.
const READY_S_MAX: f64 = 60.0;

pub(super) async fn secrets(pool: &PgPool, ring: Option<&KeyRing>, findings: &mut Vec<Finding>) {
    const CHECK: &str = "secrets";
    let Some(ring) = ring else { return };
    findings.push(match health::secrets(pool, ring).await {
        Ok(health::Secrets { all, closed, older }) => match closed.first() {
            None if older > 0 => Finding::warn(
                CHECK,
                format!("{all} stored, all open; {older} are sealed with an older key"),
                "`millrace keys rotate` seals them anew",
            ),
            None => Finding::ok(CHECK, format!("{all} stored, all open")),
            Some(first) => Finding::fail(
                CHECK,
                format!(
                    "{} of {all} do not open; source {}: {}",
                    closed.len(),
                    first.source_id,
                    first.why
                ),
                "put the key that sealed them back into the key ring, or `millrace source rotate`",
            ),
        },
        Err(e) => broken(CHECK, &e),
    });
}

pub(super) async fn sources(pool: &PgPool, findings: &mut Vec<Finding>) {
    const CHECK: &str = "sources";
    let found = match health::sources(pool).await {
        Ok(found) => found,
        Err(e) => return findings.push(broken(CHECK, &e)),
    };
    let before = findings.len();
    if found.living == 0 {
        findings.push(Finding::warn(
            CHECK,
            "there are none",
            "`millrace source add KIND --workspace W`",
        ));
    }
    if !found.without_secret.is_empty() {
        let names = found.without_secret.join(", ");
        findings.push(Finding::fail(
            CHECK,
            format!("no secret, so everything is refused: {names}"),
            "`millrace source rotate`",
        ));
    }
    if !found.paused.is_empty() {
        findings.push(Finding::warn(
            CHECK,
            format!("paused: {}", found.paused.join(", ")),
            "`millrace source resume`",
        ));
    }
    if !found.silent.is_empty() {
        let names = found.silent.join(", ");
        let advice = "give the platform the URL that `millrace source show` prints; `millrace send` tries it";
        findings.push(Finding::warn(CHECK, format!("no delivery yet: {names}"), advice));
    }
    if findings.len() == before {
        findings.push(Finding::ok(CHECK, format!("{} active, all with deliveries", found.living)));
    }
}

pub(super) async fn queue(pool: &PgPool, settings: &Settings, findings: &mut Vec<Finding>) {
    let queue = Queue::new(pool, &settings.queue);
    let (depth, workers, pauses) =
        match tokio::try_join!(queue.depth(pool, None), queue.workers(), queue.pauses()) {
            Ok(answers) => answers,
            Err(e) => return findings.push(broken("queue", &e)),
        };
    let silent_s_max =
        std::time::Duration::from_millis(settings.queue.lease_ms).as_secs_f64() * 2.0;
    let alive = workers.iter().filter(|w| w.silent_s < silent_s_max).count();
    let ready: i64 = depth.iter().map(|d| d.ready).sum();
    if alive > 0 {
        findings.push(Finding::ok("workers", format!("{alive} alive")));
    } else {
        findings.push(Finding::warn(
            "workers",
            "none alive",
            "start `millrace work`, `all` or `up`; until then jobs wait",
        ));
    }
    let oldest = depth.iter().filter_map(|d| d.oldest_ready_s).fold(0.0, f64::max);
    let found = format!("{ready} ready, the oldest since {oldest:.0} s");
    findings.push(if oldest > READY_S_MAX {
        Finding::warn(
            "queue",
            found,
            "more workers, or `millrace jobs stats` to see which kind is behind",
        )
    } else {
        Finding::ok("queue", found)
    });
    if !pauses.is_empty() {
        let found = format!("{} pause(s) in force", pauses.len());
        findings.push(Finding::warn(
            "queue",
            found,
            "`millrace jobs stats` shows them, `millrace jobs resume` ends them",
        ));
    }
    let dead: i64 = depth.iter().map(|d| d.dead).sum();
    findings.push(if dead > 0 {
        Finding::warn(
            "dead letters",
            format!("{dead} not replayed"),
            "`millrace dead ls` says why, `millrace dead replay` runs them again",
        )
    } else {
        Finding::ok("dead letters", "none")
    });
}
