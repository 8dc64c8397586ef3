//! One at a time, the most urgent first, and by a clock.

use futures_util::future::join_all;
use millrace_jobs::{
    social::oversight::escalation::{NewEscalation, Priority, Reason},
    store::social::escalations,
};
use millrace_tests::{App, wait_until};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Office, escalation};
use crate::api::{SOON, ids, key};

async fn opened(office: &Office, new: &[NewEscalation]) -> Vec<String> {
    let mut conn = office.db.pool.acquire().await.unwrap();
    escalations::open(&mut conn, new).await.unwrap()
}

fn words<'a>(page: &'a Value, field: &str) -> Vec<&'a str> {
    page["items"].as_array().unwrap().iter().map(|row| row[field].as_str().unwrap()).collect()
}

#[tokio::test]
async fn each_reason_has_its_priority_and_its_clock_and_is_opened_once() {
    let office = Office::open().await;
    for id in ["a", "b"] {
        office.decided(id).await;
    }
    let new = [
        escalation("a", Reason::LowConfidence),
        escalation("a", Reason::ModeratorWarning),
        escalation("b", Reason::SafetyAmbiguity),
        NewEscalation {
            priority: Some(Priority::Critical),
            ..escalation("b", Reason::BacklashSpike)
        },
        NewEscalation { priority: Some(Priority::Low), ..escalation("b", Reason::ManualFlag) },
    ];
    assert_eq!(opened(&office, &new).await.len(), 5);
    let again = [new.clone(), new].concat();
    assert_eq!(opened(&office, &again).await, Vec::<String>::new(), "they live already");

    let hours: Vec<(String, i64)> = sqlx::query_as(
        "select reason, (extract(epoch from sla_due_at - created_at) / 3600)::bigint from social.escalations order by reason",
    )
    .fetch_all(&office.db.pool)
    .await
    .unwrap();
    let said = |reason: &str, hours| (reason.to_owned(), hours);
    assert_eq!(
        hours,
        [
            said("BACKLASH_SPIKE", 2),
            said("LOW_CONFIDENCE", 24),
            said("MANUAL_FLAG", 168),
            said("MODERATOR_WARNING", 2),
            said("SAFETY_AMBIGUITY", 2),
        ]
    );
    let (_, first) = office.get("/v1/social/escalations?limit=2").await;
    let next = first["next"].as_str().unwrap();
    let (_, rest) = office.get(&format!("/v1/social/escalations?limit=9&cursor={next}")).await;
    assert_eq!(
        [words(&first, "priority"), words(&rest, "priority")].concat(),
        ["CRITICAL", "CRITICAL", "HIGH", "MEDIUM", "LOW"]
    );
    let (_, one) = office.get("/v1/social/escalations?reason=LOW_CONFIDENCE&priority=MEDIUM").await;
    assert_eq!(one["items"][0]["post"], "What helps against a headache? a");
    assert_eq!(one["items"][0]["platform"], "TWITTER");
    assert_eq!(office.get("/v1/social/escalations?cursor=MSAy").await.0, 400);
}

#[tokio::test]
async fn of_twenty_who_claim_one_wins_and_each_gets_another_of_the_next() {
    let office = Office::open().await;
    let mut new = Vec::new();
    for n in 0..20 {
        let id = format!("p{n}");
        office.decided(&id).await;
        new.push(escalation(&id, Reason::ViralThread));
    }
    let all = opened(&office, &new).await;
    let keys = join_all((0..20).map(|_| key(&office.app, "acme", "moderate"))).await;
    let path = format!("/v1/social/escalations/{}/claim", all[0]);
    let answers = keys.iter().map(|key| office.ask(Method::POST, &path, key, Some(json!({}))));
    let answers = join_all(answers).await;
    let won: Vec<_> = answers.iter().filter(|(status, _)| *status == 200).collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    assert!(answers.iter().all(|(status, _)| [200, 409].contains(status)));
    let holder = won[0].1["claimed_by"].as_str().unwrap();
    let told = &answers.iter().find(|(status, _)| *status == 409).unwrap().1["error"];
    assert!(told.as_str().unwrap().starts_with(holder), "who has it is named: {told}");

    let path = "/v1/social/escalations/claim";
    let others = keys[1..].iter().map(|key| office.ask(Method::POST, path, key, Some(json!({}))));
    let mut taken: Vec<String> = join_all(others)
        .await
        .into_iter()
        .map(|(status, row)| {
            assert_eq!(status, 200, "{row}");
            row["id"].as_str().unwrap().to_owned()
        })
        .collect();
    taken.push(all[0].clone());
    taken.sort();
    let mut expected = all;
    expected.sort();
    assert_eq!(taken, expected, "nobody got another's");
    assert_eq!(office.post(path, json!({})).await.0, 404, "none is free");
    let held =
        office.db.count("select count(*) from social.audit_logs where action = 'claimed'").await;
    assert_eq!(held, 20, "each claim is on record, and no refusal");
}

#[tokio::test]
async fn a_claim_that_ran_out_is_anothers_and_only_its_holder_ends_it() {
    let office = Office::open().await;
    office.decided("a").await;
    let id = opened(&office, &[escalation("a", Reason::ViralThread)]).await.remove(0);
    let at = |verb: &str| format!("/v1/social/escalations/{id}/{verb}");
    let notes = || Some(json!({ "notes": "answered by hand" }));
    let (second, admin) = (
        key(&office.app, "acme", "moderate").await,
        key(&office.app, "acme", "moderate,operate").await,
    );
    assert_eq!(office.post(&at("resolve"), notes().unwrap()).await.0, 409, "claim it first");
    assert_eq!(office.post(&at("claim"), json!({ "minutes": 5 })).await.0, 200);
    assert_eq!(office.post(&at("claim"), json!({ "minutes": 10 })).await.0, 200, "prolonged");
    for minutes in [0, 481] {
        assert_eq!(office.post(&at("claim"), json!({ "minutes": minutes })).await.0, 400);
    }
    assert_eq!(office.ask(Method::POST, &at("claim"), &second, Some(json!({}))).await.0, 409);
    assert_eq!(office.ask(Method::POST, &at("resolve"), &second, notes()).await.0, 409);
    assert_eq!(office.ask(Method::POST, &at("release"), &second, None).await.0, 409);

    office.run("update social.escalations set claimed_until = now() - interval '1 second'").await;
    let (status, row) = office.ask(Method::POST, &at("claim"), &second, Some(json!({}))).await;
    assert_eq!(status, 200, "{row}");
    assert_eq!(office.post(&at("resolve"), notes().unwrap()).await.0, 409, "it is another's now");
    office.run("update social.escalations set claimed_until = now() - interval '1 second'").await;
    assert_eq!(office.post(&at("resolve"), json!({ "notes": " " })).await.0, 400);
    let (status, row) = office.ask(Method::POST, &at("resolve"), &second, notes()).await;
    assert_eq!(
        (status, &row["status"]),
        (200, &json!("RESOLVED")),
        "nobody else took it meanwhile"
    );
    assert_eq!(row["resolution_notes"], "answered by hand");
    assert_eq!(row["resolved_by"], row["assigned_to"]);
    for verb in ["claim", "resolve", "dismiss", "release"] {
        let body = if verb == "claim" { Some(json!({})) } else { notes() };
        let (status, told) = office.ask(Method::POST, &at(verb), &admin, body).await;
        assert_eq!(status, 409, "{verb} of one that has ended: {told}");
    }

    let id = opened(&office, &[escalation("a", Reason::ViralThread)]).await.remove(0);
    let at = |verb: &str| format!("/v1/social/escalations/{id}/{verb}");
    assert_eq!(office.post(&at("claim"), json!({})).await.0, 200);
    assert_eq!(office.post(&at("release"), json!({})).await.1["status"], "PENDING");
    assert_eq!(office.post(&at("claim"), json!({})).await.0, 200);
    let (status, row) = office.ask(Method::POST, &at("dismiss"), &admin, notes()).await;
    assert_eq!((status, &row["status"]), (200, &json!("DISMISSED")), "an admin may");
    let rival = key(&office.app, "rival", "read,moderate,operate").await;
    for verb in ["claim", "release"] {
        let foreign = office.ask(Method::POST, &at(verb), &rival, Some(json!({}))).await;
        assert_eq!(foreign.0, 404, "another workspace has none");
    }
    let read = key(&office.app, "acme", "read").await;
    assert_eq!(office.ask(Method::POST, &at("claim"), &read, Some(json!({}))).await.0, 403);
}

#[tokio::test]
async fn what_is_late_is_shown_and_counted_once() {
    let office = Office::open().await;
    for id in ["a", "b", "c"] {
        office.decided(id).await;
    }
    let new = ["a", "b", "c"].map(|id| escalation(id, Reason::ViralThread));
    opened(&office, &new).await;
    let sla = async || office.get("/v1/social/escalations/sla").await.1;
    assert_eq!(sla().await, json!({ "open": 3, "overdue": 0, "ended": 0, "ended_late": 0 }));
    office.run("update social.escalations set sla_due_at = now() - interval '1 second' where post_id in ('a', 'b')").await;
    let (_, late) = office.get("/v1/social/escalations?overdue=true").await;
    let late = ids(&late);
    assert_eq!(late.len(), 2);
    let path = format!("/v1/social/escalations/{}", late[0]);
    office.post(&format!("{path}/claim"), json!({})).await;
    let (_, ended) = office.post(&format!("{path}/resolve"), json!({ "notes": "done" })).await;
    assert_eq!(ended["overdue"], true);
    let counted = "millrace_escalations_late_total";
    assert_eq!(office.app.counter(counted).await, 1, "it was noticed when it ended");
    assert_eq!(sla().await, json!({ "open": 2, "overdue": 1, "ended": 1, "ended_late": 1 }));

    let _work = App::new(&office.db, &["work"]).spawned();
    office.run("insert into ops.jobs (workspace_id, kind, attempts_max, payload) values ('', 'social.overdue', 3, '{}')").await;
    wait_until("the other", SOON, async || {
        let marked = "select count(*) from social.escalations where sla_breached_at is not null";
        (office.db.count(marked).await == 2).then_some(())
    })
    .await;
    assert!(escalations::mark_late(&office.db.pool).await.unwrap().is_empty(), "once");
}

#[tokio::test]
async fn people_work_on_them_from_the_command_line() {
    let office = Office::open().await;
    for id in ["a", "b"] {
        office.decided(id).await;
    }
    let new = [escalation("a", Reason::LowConfidence), escalation("b", Reason::SafetyAmbiguity)];
    opened(&office, &new).await;
    let cli = async |args: &[&str]| {
        office.app.run_json(&[&["--json", "escalations"], args].concat()).await
    };
    let listed = cli(&["ls"]).await;
    assert_eq!(listed[0]["priority"], "CRITICAL");
    assert_eq!(cli(&["ls", "--reason", "low_confidence"]).await.as_array().unwrap().len(), 1);
    let claimed = cli(&["claim", "--workspace", "acme"]).await;
    assert_eq!(claimed["id"], listed[0]["id"], "the most urgent");
    let id = claimed["id"].as_str().unwrap();
    let shown = office.app.run(&["escalations", "show", id]).await.stdout;
    assert!(
        shown.contains("SAFETY_AMBIGUITY, because of b") && shown.contains("headache? b"),
        "{shown}"
    );
    cli(&["release", id]).await;
    assert_eq!(office.post(&format!("/v1/social/escalations/{id}/claim"), json!({})).await.0, 200);
    let refused = office.app.run(&["escalations", "resolve", id, "--notes", "x"]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("has claimed it until"), "{}", refused.stderr);
    let ended = cli(&["resolve", id, "--notes", "done", "--force"]).await;
    assert_eq!(ended["status"], "RESOLVED");
    assert_eq!(cli(&["ls", "--status", "resolved"]).await[0]["id"], id);
    assert_eq!(office.app.run(&["escalations", "show", "none"]).await.status.code(), Some(3));
    let table = office.app.run(&["escalations", "ls"]).await.stdout;
    assert!(
        table.contains("1 open, 0 of them late; 1 ended in 30 days, 0 of them late"),
        "{table}"
    );
}

#[tokio::test]
async fn a_person_opens_one_by_hand() {
    let office = Office::open().await;
    office.decided("a").await;
    let flag =
        json!({ "post_id": "a", "text": "a moderator wrote to us", "reason": "MODERATOR_WARNING" });
    let (status, row) = office.post("/v1/social/escalations", flag).await;
    assert_eq!((status, &row["priority"]), (201, &json!("HIGH")), "{row}");
    let (_, row) =
        office.post("/v1/social/escalations", json!({ "text": "look", "priority": "LOW" })).await;
    assert_eq!((&row["reason"], &row["priority"]), (&json!("MANUAL_FLAG"), &json!("LOW")));
    let nowhere = json!({ "post_id": "none", "text": "x" });
    assert_eq!(office.post("/v1/social/escalations", nowhere).await.0, 404);
    let who: Vec<String> =
        sqlx::query_scalar("select distinct actor from social.audit_logs where action = 'opened'")
            .fetch_all(&office.db.pool)
            .await
            .unwrap();
    assert!(who.len() == 1 && who[0].starts_with("key:"), "{who:?}");
}
