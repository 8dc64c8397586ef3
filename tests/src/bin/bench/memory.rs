//! Peak memory of `serve` with 64 worst-case bodies in flight.

use std::time::Duration;

use chrono::Utc;
use millrace_ingest::verify::{self, Unsigned};
use tokio::task::JoinSet;

use crate::{
    report::Report,
    server::{Durable, Role},
};

/// Just under the cap: a larger one is refused unread and measures nothing.
const BODY_BYTES: usize = (1 << 20) - 4096;

/// Bodies of 1 MiB that amplify most when parsed carelessly (spec/style-reliability.md, 0.5).
fn worst_bodies() -> Vec<String> {
    let fill = |unit: &str| {
        let mut text = String::from("{\"verbatim\":\"x\",\"extra\":[");
        while text.len() + unit.len() + 8 < BODY_BYTES {
            text.push_str(unit);
            text.push(',');
        }
        text.push_str("0]}");
        text
    };
    vec![fill("{\"a\":0}"), fill("[0]"), fill("0"), fill("1e131000"), fill("\"\\u0000\"")]
}

/// Measure.
pub(crate) async fn run(report: &mut Report) {
    let pg = Durable::start().await;
    let (url, _pool) = pg.database().await;
    let role = Role::start(&url, "serve", &[]).await;
    let (path_id, secret) = role.source("webhook");
    let idle = role.peak_mib();
    let target = format!("http://127.0.0.1:{}/hooks/{path_id}", role.port);
    let bodies = worst_bodies();
    let scheme = verify::scheme("millrace").unwrap();
    let client = millrace_tests::client();
    for _ in 0..5 {
        let mut posts = JoinSet::new();
        for nth in 0..64 {
            let body = bodies.get(nth % bodies.len()).unwrap().replacen(
                "\"x\"",
                &format!("\"{}\"", uuid::Uuid::new_v4()),
                1,
            );
            let unsigned = Unsigned {
                method: "POST",
                uri: &target,
                body: body.as_bytes(),
                id: "",
                timestamp: Utc::now(),
            };
            let mut request = client
                .post(&target)
                .header("content-type", "application/json")
                .timeout(Duration::from_secs(30));
            for (name, value) in verify::sign(scheme, &secret, &unsigned).unwrap() {
                request = request.header(name, value);
            }
            posts.spawn(request.body(body).send());
        }
        for answer in posts.join_all().await {
            let status = answer.unwrap().status().as_u16();
            assert!([200, 400, 503].contains(&status), "answered {status}");
        }
    }
    report.row(
        "peak RSS of serve, 64 worst-case 1 MiB bodies in flight",
        &format!("{:.0} MiB", role.peak_mib()),
        &format!("{idle:.0} MiB idle"),
        "<= 256 MiB",
    );
}
