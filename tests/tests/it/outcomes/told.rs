//! Told outcomes: each once, whatever the order; orders credited; authors scored.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use millrace_jobs::{
    social::{
        outcomes::told::{Account, Of, Outcome, What},
        record::Platform,
        relationship::EventKind,
    },
    store::social::outcomes::{self, Told},
};
use millrace_tests::{App, Database, Pg, Sender, wait_until};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use super::{at, house};

fn now() -> DateTime<Utc> {
    at("2026-02-20T12:00:00Z")
}

fn outcome(id: &str, at: DateTime<Utc>, what: What) -> Outcome {
    let (of, visitor, account) = (Of::default(), None, None);
    Outcome { id: id.into(), at, of, visitor, account, what }
}

fn click(id: &str, at: DateTime<Utc>) -> Outcome {
    outcome(id, at, What::Click { dwell_s: None, cart: None })
}

fn order(id: &str, at: DateTime<Utc>, cents: i64) -> Outcome {
    let currency = "USD".into();
    outcome(id, at, What::Order { cents, currency, new_customer: None, coupon: None })
}

fn relation(id: &str, at: DateTime<Utc>, kind: EventKind) -> Outcome {
    outcome(id, at, What::Relation { kind })
}

impl Named for Outcome {}

trait Named: Sized + Into<Outcome> {
    fn code(self, code: &str) -> Outcome {
        let one = self.into();
        Outcome { of: Of { utm_code: Some(code.into()), ..one.of.clone() }, ..one }
    }

    fn by(self, visitor: &str) -> Outcome {
        Outcome { visitor: Some(visitor.into()), ..self.into() }
    }

    fn account(self, id: &str) -> Outcome {
        let account = Account { platform: Platform::Twitter, platform_id: id.into() };
        Outcome { account: Some(account), ..self.into() }
    }
}

async fn apply(db: &Database, workspace: &str, told: &[Outcome]) {
    let told: Vec<Told<'_>> =
        told.iter().map(|outcome| Told { workspace_id: workspace, outcome }).collect();
    let mut tx = db.pool.begin().await.unwrap();
    outcomes::apply(&mut tx, &told, now()).await.unwrap();
    tx.commit().await.unwrap();
}

/// All that outcomes write, without what names the tenant.
async fn rows(db: &Database, workspace: &str) -> Value {
    let rows: String = sqlx::query_scalar(
        "select jsonb_build_object(
           'clicks', (select jsonb_agg(to_jsonb(c) order by external_id) from social.click_events c where workspace_id = $1),
           'orders', (select jsonb_agg(to_jsonb(o) order by external_id) from social.order_events o where workspace_id = $1),
           'relations', (select jsonb_agg(to_jsonb(e) - 'id' order by type, source_event_id)
                         from social.relationship_events e where workspace_id = $1),
           'authors', (select jsonb_agg(jsonb_build_array(platform_id, relationship_score, interaction_history) order by platform_id)
                       from social.authors where workspace_id = $1))::text",
    )
    .bind(workspace)
    .fetch_one(&db.pool)
    .await
    .unwrap();
    serde_json::from_str(&rows.replace(workspace, "W")).unwrap()
}

async fn score(db: &Database, id: &str) -> f64 {
    sqlx::query_scalar("select relationship_score from social.authors where id = $1")
        .bind(id)
        .fetch_one(&db.pool)
        .await
        .unwrap()
}

async fn credit(db: &Database, id: &str) -> Option<(String, String, f64)> {
    let credit: (Option<String>, Option<String>, Option<f64>) = sqlx::query_as(
        "select credited_to, credited_by, credit from social.order_events where external_id = $1",
    )
    .bind(id)
    .fetch_one(&db.pool)
    .await
    .unwrap();
    Some((credit.0?, credit.1?, credit.2?))
}

fn credited(reply: &str, by: &str, credit: f64) -> Option<(String, String, f64)> {
    Some((reply.into(), by.into(), credit))
}

/// A few ids, times, visitors and replies, so that they meet; some contradict each other.
fn any_outcome() -> impl Strategy<Value = Outcome> {
    let codes = prop_oneof![Just(None), (1_u8..=4).prop_map(|n| Some(format!("u{n}")))];
    let posts = prop_oneof![3 => Just(None), 1 => (1_u8..=4).prop_map(|n| Some(format!("20{n}")))];
    let visitors = prop_oneof![Just(None), (1_u8..=2).prop_map(|n| Some(format!("v{n}")))];
    let accounts = prop_oneof![2 => Just(None), 1 => (1_u8..=4).prop_map(|n| Some(n.to_string()))];
    let what = prop_oneof![
        Just(What::Click { dwell_s: None, cart: None }),
        (1_i64..4).prop_map(|n| What::Order {
            cents: n * 100,
            currency: "USD".into(),
            new_customer: None,
            coupon: None,
        }),
        (0_usize..9).prop_map(|n| {
            let kind = EventKind::ALL[n];
            let told = !matches!(kind, EventKind::Click | EventKind::Purchase);
            What::Relation { kind: if told { kind } else { EventKind::Thanks } }
        }),
    ];
    (1_u8..10, 0_i64..40, codes, posts, visitors, accounts, what).prop_map(
        |(id, days, utm_code, post, visitor, account, what)| Outcome {
            id: format!("e{id}"),
            at: now() - TimeDelta::days(days),
            of: Of { reply_id: None, utm_code, post: post.map(|id| (Platform::Twitter, id)) },
            visitor,
            account: account
                .map(|platform_id| Account { platform: Platform::Twitter, platform_id }),
            what,
        },
    )
}

#[tokio::test]
async fn every_order_and_grouping_gives_the_same_rows() {
    let db = Pg::database().await;
    let mut runner = TestRunner::new(Config::default());
    for case in 0..25 {
        let all = proptest::collection::vec(any_outcome(), 1..40)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let mut found = Vec::new();
        for turn in 0..3 {
            let workspace = format!("w{case}x{turn}");
            house(&db, &workspace).await;
            let mut all = [all.clone(), all.clone()].concat();
            if turn > 0 {
                all = Just(all).prop_shuffle().new_tree(&mut runner).unwrap().current();
            }
            for part in all.chunks([80, 1, 7][turn]) {
                apply(&db, &workspace, part).await;
            }
            found.push(rows(&db, &workspace).await);
        }
        assert_eq!(found[0], found[1], "one by one: {all:#?}");
        assert_eq!(found[0], found[2], "in parts: {all:#?}");
    }
}

#[tokio::test]
async fn an_order_goes_to_the_last_click_of_seven_days() {
    let db = Pg::database().await;
    house(&db, "w").await;
    let bought = at("2026-01-30T12:00:00Z");
    let ms = TimeDelta::milliseconds(1);
    let (week, month) = (TimeDelta::days(7), TimeDelta::days(30));
    let told = [
        // A click so long before each order, by its own visitor.
        ("on time", week, "click_7d"),
        ("late", week + ms, "click_30d"),
        ("just", month, "click_30d"),
        ("too late", month + ms, ""),
    ];
    for (visitor, before, by) in told {
        let both = [
            order(visitor, bought, 1_000).by(visitor),
            click(&format!("click {visitor}"), bought - before).code("u1").by(visitor),
        ];
        apply(&db, "w", &both).await;
        let share = if by == "click_7d" { 1.0 } else { 0.5 };
        let expected = if by.is_empty() { None } else { credited("w-r1", by, share) };
        assert_eq!(credit(&db, visitor).await, expected, "{visitor}");
    }

    // A later click of another reply arrives last, and wins.
    apply(&db, "w", &[click("c9", bought - ms).code("u2").by("on time")]).await;
    assert_eq!(credit(&db, "on time").await, credited("w-r2", "click_7d", 1.0));
    // One after the order, or of somebody else, does not.
    let none = [
        click("c10", bought + ms).code("u3").by("on time"),
        click("c11", bought - ms).code("u3").by("another"),
    ];
    apply(&db, "w", &none).await;
    assert_eq!(credit(&db, "on time").await, credited("w-r2", "click_7d", 1.0));
}

#[tokio::test]
async fn an_order_that_names_its_reply_is_a_click_of_its_own_unless_one_is_known() {
    let db = Pg::database().await;
    house(&db, "w").await;
    let bought = at("2026-01-30T12:00:00Z");
    apply(&db, "w", &[order("o1", bought, 500).code("u2")]).await;
    assert_eq!(credit(&db, "o1").await, credited("w-r2", "click_7d", 1.0));
    apply(&db, "w", &[click("c1", bought - TimeDelta::days(10)).code("u2")]).await;
    assert_eq!(credit(&db, "o1").await, credited("w-r2", "click_30d", 0.5));
    // Known by their account, they had thanked us.
    let thanks = relation("t1", bought - TimeDelta::days(30), EventKind::Thanks).account("1");
    apply(&db, "w", &[order("o2", bought, 500).account("1"), thanks.code("u1")]).await;
    assert_eq!(credit(&db, "o2").await, credited("w-r1", "engaged_30d", 0.5));
    let block = relation("b1", bought - TimeDelta::days(1), EventKind::Block).account("2");
    apply(&db, "w", &[order("o3", bought, 500).account("2"), block.code("u2")]).await;
    assert_eq!(credit(&db, "o3").await, None, "a block sells nothing");
}

#[tokio::test]
async fn an_author_is_scored_by_each_event_once() {
    let db = Pg::database().await;
    house(&db, "w").await;
    house(&db, "v").await;
    let thanks = relation("t", now(), EventKind::Thanks).code("u1");
    for _ in 0..3 {
        apply(&db, "w", std::slice::from_ref(&thanks)).await;
    }
    assert!((score(&db, "w-a1").await - 0.65).abs() < 1e-9);
    // A hundred clicks on one reply are one event with its author; on another reply, another.
    let clicks: Vec<Outcome> =
        (0..100).map(|n| click(&format!("c{n}"), now()).code("u1")).collect();
    apply(&db, "w", &clicks).await;
    assert!((score(&db, "w-a1").await - 0.75).abs() < 1e-9);
    apply(&db, "w", &[click("d", now()).code("u3"), order("o", now(), 1).code("u3")]).await;
    assert!((score(&db, "w-a1").await - 1.0).abs() < 1e-9, "0.75 + 0.10 + 0.25, clamped");
    // An event that names its account is that account's, whatever the reply.
    apply(&db, "w", &[relation("b", now(), EventKind::Block).code("u1").account("2")]).await;
    assert!((score(&db, "w-a2").await - 0.2).abs() < 1e-9);
    assert!((score(&db, "v-a1").await - 0.5).abs() < 1e-9, "another tenant");
    apply(&db, "v", std::slice::from_ref(&thanks)).await;
    assert!((score(&db, "v-a1").await - 0.65).abs() < 1e-9, "its own event with the same id");
}

#[tokio::test]
async fn what_came_too_early_is_kept_and_matched_later() {
    let db = Pg::database().await;
    house(&db, "w").await;
    let early = [
        click("c", now() - TimeDelta::days(1)).code("u9").by("v"),
        order("o", now(), 100).by("v"),
        relation("t", now(), EventKind::Thanks).code("u9"),
        relation("l", now(), EventKind::Like).account("99"),
    ];
    apply(&db, "w", &early).await;
    let mut conn = db.pool.acquire().await.unwrap();
    let counts = [("click", 1), ("order", 1), ("relation", 2)];
    assert_eq!(outcomes::unmatched(&mut conn, Some("w")).await.unwrap(), counts);
    assert_eq!(outcomes::unmatched(&mut conn, Some("v")).await.unwrap().map(|c| c.1), [0, 0, 0]);
    assert_eq!(outcomes::match_again(&mut conn, "w", now()).await.unwrap(), 0);

    sqlx::query(
        "insert into social.replies (id, workspace_id, decision_id, content, platform, utm_code)
         values ('w-r9', 'w', 'w-d1', 'a late answer', 'TWITTER', 'u9')",
    )
    .execute(&mut *conn)
    .await
    .unwrap();
    sqlx::query(
        "insert into social.authors (id, workspace_id, platform, platform_id, handle)
         values ('w-a99', 'w', 'TWITTER', '99', 'late')",
    )
    .execute(&mut *conn)
    .await
    .unwrap();
    assert_eq!(outcomes::match_again(&mut conn, "w", now()).await.unwrap(), 3);
    assert_eq!(outcomes::unmatched(&mut conn, None).await.unwrap().map(|c| c.1), [0, 0, 0]);
    assert_eq!(credit(&db, "o").await, credited("w-r9", "click_7d", 1.0));
    let decayed = 0.10 * 0.5_f64.powf(1.0 / 90.0);
    let expected = 0.5 + 0.15 + decayed + 0.25;
    assert!((score(&db, "w-a1").await - expected.min(1.0)).abs() < 1e-9);
    assert!((score(&db, "w-a99").await - 0.55).abs() < 1e-9);
    assert_eq!(outcomes::match_again(&mut conn, "w", now()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_pushed_batch_is_applied_once() {
    let db = Pg::database().await;
    let app = App::new(&db, &["all"]).ready().await;
    let shop = Sender::add(&app, "acme", "outcomes", &[]).await;
    house(&db, "acme").await;
    let batch = json!([
        { "id": "c1", "type": "click", "utm_code": "u1", "visitor": "17" },
        { "id": "o1", "type": "order", "visitor": "17", "amount": 24.5, "currency": "EUR" },
        { "id": "t1", "type": "thanks", "platform": "x", "post_id": "202" },
        { "id": "bad", "type": "invoice" },
    ]);
    let first = shop.send("1", &batch).await;
    assert_eq!(first.status, 200);
    // The same events in a delivery of their own.
    let mut again = batch.clone();
    again
        .as_array_mut()
        .unwrap()
        .push(json!({ "id": "l1", "type": "like", "reply_id": "acme-r2" }));
    let second = shop.send("2", &again).await;
    assert!(second.event_id() != first.event_id());
    wait_until("both are applied", Duration::from_secs(20), async || {
        let done = db
            .count(
                "select count(*) from ops.events where state = 'normalized' and records in (3, 4)",
            )
            .await;
        (done == 2).then_some(())
    })
    .await;
    let counts = db
        .count(
            "select (select count(*) from social.click_events) * 100 + (select count(*) from social.order_events) * 10
                  + (select count(*) from social.relationship_events where source_event_id in ('t1', 'l1'))",
        )
        .await;
    assert_eq!(counts, 112);
    let order: (String, String, String) = sqlx::query_as(
        "select amount::text, currency, credited_to from social.order_events where external_id = 'o1'",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!(order, ("24.50".into(), "EUR".into(), "acme-r1".into()));
    assert!((score(&db, "acme-a2").await - 0.70).abs() < 1e-4, "thanks and a like");
    let odd = app.run(&["events", "show", &first.event_id().to_string()]).await;
    assert!(odd.stdout.contains("type_unknown"), "{}", odd.stdout);
}
