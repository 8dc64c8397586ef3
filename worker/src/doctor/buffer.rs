//! The front buffer: server, stream, and what waits in it.

use millrace_config::Settings;
use millrace_ingest::{
    buffer::{Buffer, BufferError, Depth},
    limits::WEBHOOK_BODY_BYTES_MAX,
};

use super::Finding;

/// Events older than this are not being moved.
const OLDEST_S_MAX: f64 = 60.0;
/// Above this share the stream is in danger of refusing.
const FULL_PERCENT_MAX: u64 = 80;
const MIB: u64 = 1 << 20;

pub(super) async fn examine(settings: &Settings, findings: &mut Vec<Finding>) {
    const CHECK: &str = "nats";
    let buffer = match Buffer::probe(&settings.nats).await {
        Ok(buffer) => buffer,
        Err(e) => {
            let advice = "start nats-server with JetStream (docs/deploy.md), or correct nats.url, user, password and TLS files";
            return findings.push(Finding::fail(CHECK, e.to_string(), advice));
        }
    };
    let (name, version, payload_max) = buffer.server();
    let found = format!("{name}, version {version}, messages up to {} KiB", payload_max / 1024);
    findings.push(if payload_max <= WEBHOOK_BODY_BYTES_MAX + (64 << 10) {
        let advice = "larger deliveries go straight to Postgres and need it; set max_payload of the server to 8MB";
        Finding::warn(CHECK, found, advice)
    } else {
        Finding::ok(CHECK, found)
    });
    match buffer.depth().await {
        Ok(depth) => stream(&depth, settings, findings),
        Err(e) => findings.push(unusable(&e)),
    }
}

fn unusable(e: &BufferError) -> Finding {
    let advice = match e {
        BufferError::Stream(..) => {
            "name another with nats.stream, or empty and remove this one so that it is made anew"
        }
        BufferError::Settings(_) | BufferError::Server(_) | BufferError::Database(_) => {
            "switch JetStream on (`jetstream {}` in the server's configuration), give it room for nats.max_bytes, let this user manage the streams, and start a `serve`, which makes them"
        }
    };
    Finding::fail("jetstream", e.to_string(), advice)
}

fn stream(depth: &Depth, settings: &Settings, findings: &mut Vec<Finding>) {
    let bytes_max = u64::try_from(depth.bytes_max).unwrap_or(u64::MAX);
    let found = format!(
        "stream {}: {} cop{}, up to {} MiB, nothing expires",
        settings.nats.stream,
        depth.replicas,
        if depth.replicas == 1 { "y" } else { "ies" },
        bytes_max / MIB
    );
    findings.push(if depth.replicas == 1 {
        let advice = "a crash of the server loses nothing, a power cut what is not synced: `sync_interval: always` in its jetstream section; nats.replicas = 3 on a cluster also survives the loss of a machine";
        Finding::warn("jetstream", found, advice)
    } else {
        Finding::ok("jetstream", found)
    });
    let percent = depth.bytes.saturating_mul(100) / bytes_max.max(1);
    let found = format!(
        "{} waiting, {} MiB ({percent} %), the oldest since {:.0} s; {} handed out again",
        depth.messages,
        depth.bytes / MIB,
        depth.oldest_s,
        depth.redelivered
    );
    findings.push(if percent > FULL_PERCENT_MAX {
        Finding::fail(
            "buffer",
            found,
            "when it is full, senders are told to retry: raise nats.max_bytes, and see why `millrace work` does not empty it",
        )
    } else if depth.oldest_s > OLDEST_S_MAX {
        let advice =
            "is Postgres up and does a `millrace work` run? more of them, or nats.bridges, move more";
        Finding::warn("buffer", found, advice)
    } else {
        Finding::ok("buffer", found)
    });
    findings.push(if depth.held > 0 {
        let advice = format!(
            "the log of `work` says why (millrace_bridge_held_total counts by reason); they wait in stream {}-HELD and are tried again when a `work` starts",
            settings.nats.stream
        );
        Finding::fail("buffer held", format!("{} accepted, not storable", depth.held), advice)
    } else {
        Finding::ok("buffer held", "none")
    });
}
