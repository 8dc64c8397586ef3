//! Peak memory of `serve` with 64 worst-case bodies in flight.

use std::{fmt::Write, sync::Arc, time::Duration};

use chrono::Utc;
use millrace_ingest::verify::{self, Unsigned};
use tokio::{io::AsyncWriteExt, net::TcpStream, sync::Barrier, task::JoinSet};

use crate::{
    load::read_answer,
    report::Report,
    server::{self, peak_mib},
};

const IN_FLIGHT: usize = 64;
const ROUNDS: usize = 5;
const SETTLE: Duration = Duration::from_millis(500);

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
    let (_pg, db) = server::postgres().await;
    let role = server::role(&db, "serve", &[]).await;
    let source = server::sender(&role, server::WORKSPACE, "webhook", &[]).await;
    let (path_id, secret) = (source.path_id(), source.secret());
    let idle = peak_mib(&role);
    let head =
        format!("POST /hooks/{path_id} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n");
    let mut sockets = Vec::new();
    for _ in 0..IN_FLIGHT {
        sockets.push(TcpStream::connect(("127.0.0.1", role.port())).await.unwrap());
    }
    let bodies = worst_bodies();
    for _ in 0..ROUNDS {
        let requests =
            (0..IN_FLIGHT).map(|nth| request(&head, secret, &bodies[nth % bodies.len()]));
        let mut posts = JoinSet::new();
        let all_but_the_end = Arc::new(Barrier::new(IN_FLIGHT));
        for (mut socket, request) in sockets.drain(..).zip(requests) {
            let all_but_the_end = all_but_the_end.clone();
            posts.spawn(async move {
                let (begin, end) = request.split_at(request.len() - 1);
                socket.write_all(begin).await.unwrap();
                all_but_the_end.wait().await;
                // What the kernel still holds reaches the server: now it has all bodies and can answer none.
                tokio::time::sleep(SETTLE).await;
                socket.write_all(end).await.unwrap();
                assert_eq!(read_answer(&mut socket, &mut [0; 4096]).await, 200, "accepted");
                socket
            });
        }
        sockets = posts.join_all().await;
    }
    report.row(
        "peak RSS of serve, 64 worst-case 1 MiB bodies in flight",
        &format!("{:.0} MiB", peak_mib(&role)),
        &format!("{idle:.0} MiB idle"),
        "<= 256 MiB",
    );
}

/// A signed request, as bytes on the wire.
fn request(head: &str, secret: &str, body: &str) -> Vec<u8> {
    let body = body.replacen("\"x\"", &format!("\"{}\"", uuid::Uuid::new_v4()), 1);
    let scheme = verify::scheme("millrace").unwrap();
    let timestamp = Utc::now();
    let unsigned = Unsigned { method: "POST", uri: "", body: body.as_bytes(), id: "", timestamp };
    let mut request = format!("{head}content-length: {}\r\n", body.len());
    for (name, value) in verify::sign(scheme, secret, &unsigned).unwrap() {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    request.push_str("\r\n");
    request.push_str(&body);
    request.into_bytes()
}
