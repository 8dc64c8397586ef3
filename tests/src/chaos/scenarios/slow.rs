use std::time::Duration;

use crate::{App, Pg, Sender, flood::p99_ms, reliability::Figure, slow};

/// R20: connections that say nothing, or a byte now and then, or read nothing.
pub(super) async fn run(connections: u32) -> Vec<Figure> {
    let db = Pg::database().await;
    let app = App::new(&db, &["serve"]);
    // A few are for the promise, not for the times: they need not wait for the deadlines that the product has.
    let (app, length) = match connections {
        1000.. => (app, Duration::from_secs(15)),
        _ => (impatient(app), Duration::from_secs(2)),
    };
    let app = app.ready().await;
    let sender = Sender::add(&app, "acme", "webhook", &[]).await;
    let outcome = slow::run(&app, &sender, usize::try_from(connections).unwrap(), length).await;
    let [alone, beside] = [&outcome.alone, &outcome.beside].map(p99_ms);
    let figure = format!(
        "{} slow connections: {} never dropped, the last after {:.1} s; beside them {} deliveries refused, p99 {beside:.1} ms, \
         {alone:.1} ms without them",
        outcome.open,
        outcome.immortal.len(),
        outcome.life_max.as_secs_f64(),
        outcome.refused,
    );
    let kept = outcome.immortal.is_empty() && outcome.refused == 0;
    // A few milliseconds more are nothing that a platform could notice.
    let fast = beside <= (2.0 * alone).max(10.0) && outcome.life_max <= Duration::from_secs(15);
    vec![Figure::new("R20", kept, figure).within(fast)]
}

fn impatient(app: App) -> App {
    app.env("MILLRACE__HTTP__HEADER_READ_MS", "1000")
        .env("MILLRACE__HTTP__BODY_READ_MS", "2000")
        .env("MILLRACE__HTTP__REQUEST_MS", "3000")
        // Fewer than there are slow bodies: they must not take the places of those who work.
        .env("MILLRACE__HTTP__IN_FLIGHT_MAX", "16")
}
