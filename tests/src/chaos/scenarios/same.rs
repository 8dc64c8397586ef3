use std::{collections::HashSet, time::Duration};

use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    App, Pg, Sender,
    oracle::{self, Oracle},
    reliability::Figure,
    wait_until,
};

const SOON: Duration = Duration::from_secs(60);

/// R14: a platform that repeats itself all at once.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let db = Pg::database().await;
    let app = App::new(&db, &["all"]).ready().await;
    let sender = Sender::add(&app, "acme", "webhook", &[]).await;
    let body = json!({ "verbatim": "The export stops halfway", "sourceRef": "same" });
    let mut posts = JoinSet::new();
    for _ in 0..times {
        let (sender, body) = (sender.clone(), body.clone());
        posts.spawn(async move { sender.send("", &body).await });
    }
    let answers = posts.join_all().await;
    let promised = answers.iter().filter(|a| a.status == 200).count();
    let mut oracle = Oracle::default();
    answers.iter().filter(|a| a.status == 200).for_each(|a| oracle.promised("same", a.event_id()));
    wait_until("its effect", SOON, async || {
        oracle::unfinished(&db.pool).await.is_empty().then_some(())
    })
    .await;
    let verdict = oracle.judge(&db.pool, 1).await;
    let statuses: HashSet<u16> = answers.iter().map(|a| a.status).collect();
    let met = verdict.is_good() && promised == answers.len();
    let figure = format!(
        "{promised} of {times} answered 200 (all: {statuses:?}); one row, one effect: {}",
        verdict.is_good()
    );
    vec![Figure::new("R14", met, figure)]
}
