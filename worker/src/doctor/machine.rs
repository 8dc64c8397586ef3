//! The machine: disk, model, runtime, key ring.

use std::path::Path;

use millrace_config::Settings;
use millrace_ingest::secrets::{KeyRing, SecretError};
use millrace_jobs::embed::{self, Choice, EmbedError};

use super::Finding;

/// Below this, an embedded Postgres is in danger.
const DISK_BYTES_MIN: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

/// Space left where the state folder is, or will be.
pub(super) fn disk(settings: &Settings) -> Option<Finding> {
    let home = settings.home.as_path();
    let there = std::iter::successors(Some(home), |at| at.parent())
        .map(|at| if at.as_os_str().is_empty() { Path::new(".") } else { at })
        .find(|at| at.exists())?;
    let place = home.display();
    let advice = "free space, or move the state folder with --home";
    Some(match rustix::fs::statvfs(there) {
        Ok(fs) => {
            let free = fs.f_bavail.saturating_mul(fs.f_frsize);
            let found = format!("{} MiB free at {place}", free / MIB);
            if free < DISK_BYTES_MIN {
                Finding::warn("disk", found, advice)
            } else {
                Finding::ok("disk", found)
            }
        }
        Err(e) => Finding::fail("disk", format!("{place}: {e}"), advice),
    })
}

/// The engine and the model, by loading them as a worker does: hashes, self-test and all.
pub(super) async fn model(settings: &Settings) -> Vec<Finding> {
    const RUNTIME: &str = "onnx runtime";
    const MODEL: &str = "model";
    if settings.embed.engine == "hash" {
        let advice = "fine for tests; set embed.engine = \"auto\" for real vectors";
        return vec![Finding::warn(
            MODEL,
            "embed.engine is hash: vectors carry no meaning",
            advice,
        )];
    }
    let asked = settings.clone();
    let opened = match tokio::task::spawn_blocking(move || embed::choose(&asked)).await {
        Ok(opened) => opened,
        Err(e) => Err(EmbedError::Model(e.to_string())),
    };
    let fetch = "run scripts/setup, which fetches it and checks its hash";
    match opened {
        Ok(Choice { embedder, why }) => {
            let model = embedder.model();
            let found = format!(
                "{} ({}, {} dimensions), hash and self-test are right; {why}",
                model.name, model.engine, model.dims
            );
            vec![Finding::ok(MODEL, found)]
        }
        Err(e @ EmbedError::Runtime { .. }) => {
            let advice =
                format!("{fetch}; or set embed.runtime_library to ONNX Runtime 1.24 or later");
            vec![Finding::fail(RUNTIME, e.to_string(), advice)]
        }
        Err(e @ (EmbedError::File { .. } | EmbedError::Weights { .. })) => {
            vec![Finding::fail(MODEL, e.to_string(), format!("{fetch}; or set embed.model_dir"))]
        }
        Err(e @ EmbedError::Unknown(_)) => {
            vec![Finding::fail(
                MODEL,
                e.to_string(),
                "set embed.model to all-MiniLM-L6-v2, or build with the feature `online`",
            )]
        }
        Err(e) => vec![Finding::fail(MODEL, e.to_string(), fetch)],
    }
}

/// The keys that open source secrets.
pub(super) fn key_ring(settings: &Settings) -> (Finding, Option<KeyRing>) {
    const CHECK: &str = "key ring";
    match KeyRing::load(&settings.secrets) {
        Ok(ring) => (
            Finding::ok(CHECK, format!("new secrets are sealed with key {}", ring.writer())),
            Some(ring),
        ),
        Err(e @ SecretError::NoKey) => (
            Finding::fail(CHECK, e.to_string(), "run `millrace keys init`, and back the file up"),
            None,
        ),
        Err(e) => (
            Finding::fail(
                CHECK,
                e.to_string(),
                "restore the key file from its backup, or correct secrets.keys",
            ),
            None,
        ),
    }
}
