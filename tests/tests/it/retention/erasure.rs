//! Somebody wants to be forgotten.

use std::{path::PathBuf, process::Command, time::Duration};

use flate2::read::GzDecoder;
use millrace_tests::{App, Database, Sender, home, roles, social::x_post, wait_until};
use serde_json::{Value, json};

use super::Attic;

const SOON: Duration = Duration::from_secs(60);
const HANDLE: &str = "zed_wanderer77";
const TEXT: &str = "Worst hangover of my whole life, what helps against this nausea?";
const OLD_TEXT: &str = "Last year I had a terrible headache on a sailing boat near Naxos";
const OTHER: &str = "Somebody else has a hangover too, what helps against the headache?";

/// The whole database as text, as its owner dumps it; `None` without a program for it.
async fn dump(db: &Database) -> Option<String> {
    let program: PathBuf = home().join("postgres/server/18/bin/pg_dump");
    if !program.exists() {
        return None;
    }
    let url = db.url_as(roles::OWNER);
    let dump = move || {
        Command::new(program)
            .args(["--enable-row-security", "--data-only", &url])
            .env("PGOPTIONS", "-c millrace.workspace=*")
            .output()
    };
    let done = tokio::task::spawn_blocking(dump).await.unwrap().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(String::from_utf8(done.stdout).unwrap())
}

fn archives(attic: &Attic) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(&attic.folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let mut plain = Vec::new();
        match std::io::Read::read_to_end(&mut GzDecoder::new(&*bytes), &mut plain) {
            Ok(_) => text += &String::from_utf8(plain).unwrap(),
            Err(_) => text += &String::from_utf8(bytes).unwrap(),
        }
    }
    text
}

fn traces(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    [HANDLE, TEXT, OLD_TEXT]
        .into_iter()
        .flat_map(|what| [what.to_lowercase(), hex::encode(what), hex::encode(what.to_lowercase())])
        .filter(|what| text.contains(what))
        .collect()
}

async fn decided(attic: &Attic, posts: i64) {
    wait_until("posts to be decided upon", SOON, async || {
        let n = attic
            .db
            .count(
                "select count(*) from social.posts where processed_at is not null or spam_filtered",
            )
            .await;
        (n == posts).then_some(())
    })
    .await;
}

async fn say(sender: &Sender, id: u64, author: &str, text: &str) {
    let answer = sender.try_send("", &x_post(id, author, 100, text)).await.unwrap();
    assert_eq!(answer.status, 200);
}

/// A person of whom everything is known that can be, some of it archived.
async fn known(attic: &Attic, sender: &Sender) {
    say(sender, 1_700_000_000_000_000_001, HANDLE, TEXT).await;
    say(sender, 1_700_000_000_000_000_002, "bob", OTHER).await;
    decided(attic, 2).await;
    let old = "
      insert into social.posts (workspace_id, id, platform, platform_post_id, author_id, content, detected_at, processed_at, url)
        select 'acme', 'old', 'TWITTER', '123', a.id, '{old}', '2025-01-05', '2025-01-05', 'https://x.com/{handle}/status/123'
        from social.authors a where a.handle = '{handle}';
      insert into social.decisions (workspace_id, id, post_id, sss_score, ars_score, evs_score, trs_score, composite_score, mode, created_at)
        values ('acme', 'old', 'old', 0, 0, 0, 0, 0, 'DISENGAGED', '2025-01-05');
      insert into social.audit_logs (workspace_id, entity_type, entity_id, action, actor, details_json, created_at)
        select 'acme', 'reply', 'r' || n, 'edited', 'cli:7', '{\"text\": \"Hi @{handle}, you said: {old}\"}',
               case when n < 3 then '2020-06-01' else now() end from generate_series(1, 4) n;
      insert into social.replies (workspace_id, id, decision_id, content, platform)
        select 'acme', 'reply', d.id, 'Hello @{handle}, drink some water.', 'TWITTER' from social.decisions d where d.post_id <> 'old' limit 1;
      insert into social.escalations (workspace_id, post_id, reason, reason_text, status)
        select 'acme', p.id, 'MANUAL_FLAG', '{handle} said: {text}', 'RESOLVED' from social.posts p where p.id <> 'old' limit 1;
      insert into social.order_events (workspace_id, external_id, amount, currency, occurred_at, visitor, data)
        select 'acme', 'o', 10, 'USD', now(), 'v', jsonb_build_object('account', 'TWITTER ' || a.platform_id)
        from social.authors a where a.handle = '{handle}';
      insert into social.relationship_events (workspace_id, author_id, type, source_event_id, weight, occurred_at, data)
        select 'acme', a.id, 'thanks', 't', 0.15, now(), jsonb_build_object('account', 'TWITTER ' || a.platform_id)
        from social.authors a where a.handle = '{handle}'";
    let old = old.replace("{handle}", HANDLE).replace("{old}", OLD_TEXT).replace("{text}", TEXT);
    attic.run(&old).await;
    attic.retention(&["run"]).await;
}

fn erase(app: &App) -> impl Future<Output = Value> {
    let subject = format!("TWITTER:@{}", HANDLE.to_uppercase());
    async move {
        app.run_json(&[
            "--json",
            "retention",
            "erase",
            "--workspace",
            "acme",
            "--subject",
            &subject,
        ])
        .await
    }
}

/// Others, our words without theirs, and chains.
async fn what_stays(attic: &Attic) {
    assert_eq!(attic.ids("select content from social.posts").await, [OTHER]);
    assert_eq!(
        attic.ids("select content from social.replies").await,
        ["Hello [erased], drink some water."]
    );
    assert_eq!(
        attic
            .db
            .count("select count(*) from social.order_events where visitor is null and data = '{}'")
            .await,
        1
    );
    for verified in [
        attic.app.run_json(&["--json", "social", "audit", "verify"]).await,
        attic.retention(&["verify"]).await,
    ] {
        assert_eq!(verified["intact"], true, "{verified}");
    }
    let told =
        "select count(*) from social.audit_logs where entity_type = 'author' and action = 'erased'";
    assert_eq!(attic.db.count(told).await, 1);
    // A row that was changed without such an entry is found out all the same.
    attic.run("set session_replication_role = replica; update social.audit_logs set details_json = '{}', redacted_at = now()
               where seq = (select max(seq) from social.audit_logs); set session_replication_role = origin").await;
    let changed = attic.app.run(&["social", "audit", "verify"]).await;
    assert_eq!(changed.status.code(), Some(1), "{}", changed.stdout);
}

/// They speak again; so does somebody else. A shop tells of them.
async fn again(attic: &Attic, sender: &Sender, account: &str, events: i64) {
    say(
        sender,
        1_700_000_000_000_000_003,
        HANDLE,
        "It is me again, what helps against a bad hangover?",
    )
    .await;
    say(
        sender,
        1_700_000_000_000_000_004,
        "bob",
        "Another one: what helps against a bad hangover today?",
    )
    .await;
    decided(attic, 2).await;
    wait_until("the refusal to be counted", SOON, async || {
        let n = attic
            .db
            .count(
                "select coalesce(sum(count), 0)::bigint from social.funnel where stage = 'erased'",
            )
            .await;
        (n == 1).then_some(())
    })
    .await;
    assert_eq!(attic.db.count("select count(*) from ops.events").await, events + 2);
    assert_eq!(
        attic.db.count("select count(*) from social.authors where handle = 'zed_wanderer77'").await,
        0
    );
    let shop = Sender::add(&attic.app, "acme", "outcomes", &[]).await;
    let batch = json!([
        { "id": "late", "type": "thanks", "platform": "x", "account_id": account },
        { "id": "bought", "type": "order", "visitor": "9", "amount": 1, "currency": "EUR", "platform": "x", "account_id": account },
    ]);
    assert_eq!(shop.send("1", &batch).await.status, 200);
    wait_until("the order", SOON, async || {
        let n = attic
            .db
            .count("select count(*) from social.order_events where external_id = 'bought'")
            .await;
        (n == 1).then_some(())
    })
    .await;
    assert_eq!(attic.db.count("select count(*) from social.relationship_events").await, 0);
    let anonymous = "select count(*) from social.order_events where external_id = 'bought' and visitor is null and data ->> 'account' is null";
    assert_eq!(attic.db.count(anonymous).await, 1);
}

#[tokio::test]
async fn nothing_of_a_forgotten_person_is_left_and_nothing_of_theirs_is_stored_again() {
    let attic = Attic::open(&["all"]).await;
    let mut attic = Attic { app: attic.app.ready().await, ..attic };
    let sender = Sender::add(&attic.app, "acme", "x", &[]).await;
    known(&attic, &sender).await;
    let events = attic.db.count("select count(*) from ops.events").await;
    let account = attic
        .ids("select platform_id from social.authors where handle = 'zed_wanderer77'")
        .await
        .remove(0);
    if let Some(dump) = dump(&attic.db).await {
        assert!(traces(&dump).len() >= 3, "the search finds what is there");
    }
    assert_eq!(traces(&archives(&attic)).len(), 2, "handle and old text");

    let done = erase(&attic.app).await;
    assert_eq!(done["rows"]["posts"], 2, "{done}");
    assert_eq!(done["files"].as_array().unwrap().len(), 3, "posts, decisions, audit: {done}");
    assert_eq!((&done["bodies"], &done["bodies_waiting"]), (&json!(1), &json!(0)), "{done}");
    if let Some(dump) = dump(&attic.db).await {
        assert_eq!(traces(&dump), Vec::<String>::new());
    }
    assert_eq!(traces(&archives(&attic)), Vec::<String>::new());
    assert_eq!(attic.db.count("select count(*) from ops.events").await, events, "rows for ever");
    what_stays(&attic).await;
    again(&attic, &sender, &account, events).await;
    // What came since goes with the next erasure, which says that there is no more of them.
    let again = erase(&attic.app).await;
    assert_eq!((&again["rows"], &again["bodies"]), (&Value::Null, &json!(1)), "{again}");
    let nobody = ["retention", "erase", "--workspace", "acme", "--subject", "TWITTER:nobody"];
    assert_eq!(attic.app.run(&nobody).await.status.code(), Some(3));
    attic.app.kill();
}

/// It is interrupted between its steps; the next one ends it.
#[tokio::test]
async fn an_erasure_that_died_is_repeated() {
    let attic = Attic::open(&["all"]).await;
    let mut attic = Attic { app: attic.app.ready().await, ..attic };
    let sender = Sender::add(&attic.app, "acme", "x", &[]).await;
    known(&attic, &sender).await;
    // Of three files that are written anew: before the first, the second, the last has its manifest.
    for pass in [1, 2, 2] {
        attic.app.set("MILLRACE_FAULTS", &format!("ArchiveWritten:{pass}:abort"));
        let subject = format!("TWITTER:{HANDLE}");
        let arguments = ["retention", "erase", "--workspace", "acme", "--subject", &subject];
        assert!(!attic.app.run(&arguments).await.status.success(), "pass {pass}");
    }
    attic.app.set("MILLRACE_FAULTS", "");
    erase(&attic.app).await;
    assert_eq!(traces(&archives(&attic)), Vec::<String>::new());
    if let Some(dump) = dump(&attic.db).await {
        assert_eq!(traces(&dump), Vec::<String>::new());
    }
    assert_eq!(attic.retention(&["verify"]).await["intact"], true);
    attic.app.kill();
}
