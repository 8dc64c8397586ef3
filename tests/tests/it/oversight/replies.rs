//! Replies: checked with all that is wrong, one for each plan, at the pace of the profile.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use millrace_jobs::social::oversight::approval::sampled;
use serde_json::{Value, json};

use super::Office;

const SIGNATURE: &str = "—Antone (Vita)";

pub(super) fn fine(words: &str) -> String {
    format!("Water, salt and an early night: {words}. {SIGNATURE}")
}

pub(super) fn draft(decision: &str) -> Value {
    json!({ "decision_id": decision, "content": fine(decision), "idempotency_key": format!("plan {decision}") })
}

/// A decision on a post of its own thread.
pub(super) async fn sure(office: &Office, id: &str, confidence: f64) {
    office.decided(id).await;
    sqlx::query("update social.decisions set mode_confidence = $2 where id = $1")
        .bind(id)
        .bind(confidence)
        .execute(&office.db.pool)
        .await
        .unwrap();
}

/// So many were sent, long ago.
async fn sent(office: &Office, count: i32) {
    sqlx::query(
        "insert into social.replies (workspace_id, decision_id, decision_snapshot, content, platform, approval_status, posted_at)
         select 'acme', 'old', '{}', 'a reply of old', 'TWITTER', 'APPROVED', now() - interval '90 days' from generate_series(1, $1)",
    )
    .bind(count)
    .execute(&office.db.pool)
    .await
    .unwrap();
}

pub(super) async fn write(office: &Office, body: Value) -> (u16, Value) {
    office.post("/v1/social/replies", body).await
}

#[tokio::test]
async fn a_check_says_all_that_is_wrong_and_where() {
    let office = Office::open().await;
    let check = async |content: &str, mode: Option<&str>, utm: Option<&str>| {
        let body =
            json!({ "content": content, "platform": "TWITTER", "mode": mode, "utm_code": utm });
        let (status, said) = office.post("/v1/social/replies/check", body).await;
        assert_eq!(status, 200, "{said}");
        let all = said["violations"].as_array().unwrap().clone();
        assert_eq!(said["ok"], all.is_empty());
        let pair = |v: &Value| {
            let span = v["span"]["text"].as_str().map(|text| {
                let at = |end: &str| usize::try_from(v["span"][end].as_u64().unwrap()).unwrap();
                assert_eq!(content.get(at("start")..at("end")), Some(text), "in bytes");
                text.to_owned()
            });
            (v["rule"].as_str().unwrap().to_owned(), span)
        };
        all.iter().map(pair).collect::<Vec<_>>()
    };
    assert!(check(&fine("rest"), None, Some("a_b-1")).await.is_empty());
    let long = "water ".repeat(60);
    for (words, mode, utm, rule, span) in [
        ("this will prevent it", None, None, "seed_claim", Some("prevent")),
        ("this will pre\u{200b}vent it", None, None, "seed_claim", Some("pre\u{200b}vent")),
        ("it is FDA approved", None, None, "claim", Some("FDA approved")),
        ("see #water", None, None, "hashtags", Some("#water")),
        ("\u{1F600} \u{1F601} \u{1F602}", None, None, "emoji", Some("\u{1F602}")),
        (
            "see https://example.com now",
            Some("ENGAGEMENT"),
            None,
            "link",
            Some("https://example.com"),
        ),
        ("rest", None, Some("Not A Code"), "utm", None),
        (&*long, None, None, "length", None),
    ] {
        let said = check(&fine(words), mode, utm).await;
        let expected = (rule.to_owned(), span.map(str::to_owned));
        assert!(said.contains(&expected), "{words}: {said:?}");
        assert!(
            said.iter().all(|(other, _)| other == rule || rule.ends_with("claim")),
            "{words}: {said:?}"
        );
    }
    let words = |all: Vec<(String, Option<String>)>| {
        all.into_iter().map(|(rule, _)| rule).collect::<Vec<_>>()
    };
    assert_eq!(words(check("hi", None, None).await), ["too_short", "signature"]);
    assert!(words(check(&"x".repeat(1_001), None, None).await).contains(&"too_long".to_owned()));
    assert_eq!(office.db.count("select count(*) from social.replies").await, 0);
    assert_eq!(office.db.count("select count(*) from social.audit_logs").await, 0);
}

#[tokio::test]
async fn a_plan_has_one_reply_with_its_decision_frozen() {
    let office = Office::open().await;
    sure(&office, "a", 0.95).await;
    sure(&office, "b", 0.95).await;
    office.run("insert into social.decision_exposures (workspace_id, decision_id, created_at, eligible_actions, action, propensity, policy_version,
                                                       weights_version, features, rng_key)
                select 'acme', 'a', created_at, '{HELPFUL,HYBRID}', 'HELPFUL', 0.25, 'p1', 'w1', '{}', 7 from social.decisions where id = 'a'").await;
    sent(&office, 3).await;
    office.run("update social.replies set posted_at = now() - interval '29 days' where ctid in (select min(ctid) from social.replies)").await;
    let answers = join_all((0..10).map(|_| write(&office, draft("a")))).await;
    let mut count = BTreeMap::new();
    answers.iter().for_each(|(status, _)| *count.entry(*status).or_insert(0) += 1);
    assert_eq!(count, BTreeMap::from([(200, 9), (201, 1)]), "{answers:?}");
    let row = &answers[0].1;
    assert!(answers.iter().all(|(_, other)| other["id"] == row["id"]));
    let snapshot = &row["decision_snapshot"];
    assert_eq!(
        (&snapshot["propensity"], &snapshot["mode"], &snapshot["weights_version"]),
        (&json!(0.25), &json!("HELPFUL"), &json!("w1"))
    );
    assert_eq!(
        (&row["help_count"], &row["version"], &row["confidence"]),
        (&json!(1), &json!(1), &json!(0.95))
    );
    let code = row["utm_code"].as_str().unwrap();
    assert!(code.len() == 16 && code.chars().all(|c| matches!(c, 'a'..='z' | '2'..='7')), "{code}");
    let mut again = draft("a");
    again["content"] = fine("said in another way").into();
    let (status, first) = write(&office, again).await;
    assert_eq!((status, &first["content"]), (200, &row["content"]), "the plan has its reply");
    let mut other = draft("b");
    other["idempotency_key"] = draft("a")["idempotency_key"].clone();
    let (status, why) = write(&office, other).await;
    assert_eq!((status, &why["code"]), (409, &json!("key_reused")));
    assert_eq!(write(&office, draft("none")).await.0, 404);
    office.run("update social.decisions set mode = 'DISENGAGED' where id = 'b'").await;
    assert_eq!(write(&office, draft("b")).await.1["code"], "disengaged");
    let mut bad = draft("b");
    bad["confidence"] = json!(1.5);
    assert_eq!(write(&office, bad).await.0, 400);
}

#[tokio::test]
async fn one_plan_written_for_two_platforms_at_once_has_one_reply() {
    let office = Office::open().await;
    for plan in 0..10 {
        let ids = [format!("x{plan}"), format!("r{plan}")];
        for id in &ids {
            sure(&office, id, 0.95).await;
        }
        office.run("update social.decisions set platform = 'REDDIT' where id like 'r%'").await;
        let bodies = ids.each_ref().map(|id| {
            let mut body = draft(id);
            body["idempotency_key"] = json!(format!("plan {plan}"));
            body
        });
        let answers = join_all(bodies.map(|body| write(&office, body))).await;
        let mut statuses: Vec<_> = answers.iter().map(|(status, _)| *status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{answers:?}");
        office.run("update social.replies set deleted_at = now()").await;
    }
}

#[tokio::test]
async fn confidence_and_the_thousandth_decide_who_allows_it() {
    let office = Office::open().await;
    sent(&office, 999).await;
    let outcome = async |id: &str, confidence: f64, writer: Option<f64>| {
        sure(&office, id, confidence).await;
        let mut body = draft(id);
        body["confidence"] = json!(writer);
        let (status, row) = write(&office, body).await;
        assert_eq!(status, 201, "{row}");
        // Makes room for the next.
        let path = format!("/v1/social/replies/{}/deleted", row["id"].as_str().unwrap());
        assert_eq!(office.post(&path, json!({ "reason": "test" })).await.0, 200);
        let why = row["review_reason"].as_str().map(str::to_owned);
        if why.as_deref() == Some("sampled") {
            assert!(sampled(row["id"].as_str().unwrap()), "by its id");
            return (None, "AUTO_APPROVED".to_owned());
        }
        (why, row["approval_status"].as_str().unwrap().to_owned())
    };
    let waits = |why: &str| (Some(why.to_owned()), "PENDING".to_owned());
    let auto = || (None, "AUTO_APPROVED".to_owned());
    assert_eq!(outcome("a", 0.95, None).await, waits("first"), "the thousandth");
    sent(&office, 1).await;
    for (id, confidence, writer, expected) in [
        ("b", 0.95, None, auto()),
        ("c", 0.90, None, auto()),
        ("d", 0.8999, None, waits("below_auto")),
        ("e", 0.85, None, waits("below_auto")),
        ("f", 0.8499, None, waits("low_confidence")),
        ("g", 0.95, Some(0.86), waits("below_auto")),
        ("h", 0.86, Some(0.95), waits("below_auto")),
    ] {
        assert_eq!(outcome(id, confidence, writer).await, expected, "{id}");
    }
    let (_, called) = office.get("/v1/social/escalations").await;
    assert_eq!(called["items"].as_array().unwrap().len(), 1, "somebody is called for f alone");
    assert_eq!(
        (&called["items"][0]["reason"], &called["items"][0]["post_id"]),
        (&json!("LOW_CONFIDENCE"), &json!("f"))
    );
    assert!(called["items"][0]["reply"].as_str().unwrap().contains("Antone"));
    sure(&office, "z", 0.95).await;
    office.run("update social.decisions set needs_review = true where id = 'z'").await;
    assert_eq!(write(&office, draft("z")).await.1["review_reason"], "decision_review");
}

#[tokio::test]
async fn of_many_at_once_only_so_many_get_a_place() {
    let office = Office::open().await;
    sent(&office, 1_000).await;
    let ids: Vec<String> = (0..12).map(|n| format!("p{n}")).collect();
    for id in &ids {
        sure(&office, id, 0.95).await;
    }
    let answers = join_all(ids.iter().map(|id| write(&office, draft(id)))).await;
    let auto = answers.iter().filter(|(_, row)| row["approval_status"] == "AUTO_APPROVED").count();
    assert_eq!(auto, 2, "two an hour: {answers:?}");
    let refused = answers.iter().filter(|(status, _)| *status == 409);
    assert!(
        refused.clone().count() > 0 && refused.clone().all(|(_, why)| why["code"] == "per_hour")
    );
    assert_eq!(
        office
            .db
            .count("select count(*) from social.replies where approval_status = 'AUTO_APPROVED'")
            .await,
        2
    );
    // What was allowed an hour ago and was not sent may still be.
    office.run("update social.replies set approved_at = now() - interval '2 hours', created_at = now() - interval '2 hours'").await;
    sure(&office, "late", 0.95).await;
    assert_eq!(write(&office, draft("late")).await.1["code"], "per_hour");
    office.run("update social.replies set posted_at = now() - interval '61 minutes', platform_post_id = id where posted_at is null").await;
    assert_eq!(write(&office, draft("late")).await.0, 201);
}

#[tokio::test]
async fn people_who_allow_at_once_get_no_more_places_and_a_thread_has_two() {
    let office = Office::open().await;
    for n in 0..6 {
        sure(&office, &format!("p{n}"), 0.95).await;
    }
    let ids = join_all((0..6).map(|n| write(&office, draft(&format!("p{n}"))))).await;
    let ids: Vec<_> = ids
        .iter()
        .map(|(status, row)| {
            assert_eq!(
                (*status, &row["review_reason"]),
                (201, &json!("first")),
                "those who wait hold no place: {row}"
            );
            row["id"].as_str().unwrap().to_owned()
        })
        .collect();
    let approve = |id: &String| {
        let path = format!("/v1/social/replies/{id}/approve");
        let office = &office;
        async move { office.post(&path, json!({})).await }
    };
    let answers = join_all(ids.iter().map(approve)).await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 2, "{answers:?}");
    assert!(answers.iter().all(|(status, why)| *status == 200 || why["code"] == "per_hour"));

    for n in 0..5 {
        sure(&office, &format!("t{n}"), 0.95).await;
    }
    office.run("update social.posts set conversation = 'top' where id like 't%'").await;
    office.run("update social.replies set posted_at = now() - interval '2 days', platform_post_id = id").await;
    let answers = join_all((0..5).map(|n| write(&office, draft(&format!("t{n}"))))).await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == 201).count(), 2, "{answers:?}");
    assert!(answers.iter().all(|(status, why)| *status == 201 || why["code"] == "per_thread"));
}

#[tokio::test]
async fn promotions_and_links_have_their_share() {
    let office = Office::open().await;
    for n in 0..5 {
        sure(&office, &format!("p{n}"), 0.95).await;
    }
    office.run("update social.posts set community = 'hangover' where id in ('p0', 'p1')").await;
    let promoting = |id: &str, link: Option<&str>| json!({ "decision_id": id, "content": fine("try Vita"), "idempotency_key": id, "link": link });
    let allowed = async |id: &str, link: Option<&str>| {
        let (status, row) = write(&office, promoting(id, link)).await;
        if status != 201 {
            return row["code"].as_str().unwrap().to_owned();
        }
        let path = format!("/v1/social/replies/{}", row["id"].as_str().unwrap());
        let (_, row) = office.post(&format!("{path}/approve"), json!({})).await;
        assert_eq!(row["approval_status"], "APPROVED", "{row}");
        let (status, row) =
            office.post(&format!("{path}/posted"), json!({ "platform_post_id": id })).await;
        assert_eq!(status, 200, "{row}");
        office.run("update social.replies set posted_at = posted_at - interval '2 hours'").await;
        row["link"].as_str().unwrap_or_default().to_owned()
    };
    let link = Some("https://example.com/a");
    let tagged = allowed("p0", link).await;
    assert!(
        tagged.starts_with(
            "https://example.com/a?utm_source=antone&utm_campaign=twitter&utm_content="
        ),
        "{tagged}"
    );
    assert_eq!(allowed("p1", None).await, "promo_per_community_day");
    assert!(allowed("p2", link).await.starts_with("https"));
    assert_eq!(allowed("p3", link).await, "link_share", "of three, one has none");
    assert_eq!(allowed("p3", None).await, "");
    assert!(allowed("p4", link).await.starts_with("https"));
    assert_eq!(allowed("p1", Some("nowhere")).await, "bad_link");
}

#[tokio::test]
async fn who_breaks_rules_three_times_is_not_asked_again() {
    let office = Office::open().await;
    sent(&office, 1_000).await;
    sure(&office, "a", 0.95).await;
    let bad = json!({ "decision_id": "a", "content": "It will cure you, guaranteed", "idempotency_key": "x" });
    for (left, escalated) in [(2, false), (1, false), (0, true)] {
        let (status, why) = write(&office, bad.clone()).await;
        assert_eq!((status, &why["code"]), (422, &json!("violations")));
        assert_eq!(
            (&why["regenerations_left"], &why["escalated"]),
            (&json!(left), &json!(escalated))
        );
        let spans: Vec<_> = why["violations"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|v| v["span"]["text"].as_str())
            .collect();
        assert!(spans.contains(&"cure") && spans.contains(&"guaranteed"), "{spans:?}");
    }
    let (_, called) = office.get("/v1/social/escalations").await;
    let text = called["items"][0]["reason_text"].as_str().unwrap();
    assert!(text.starts_with("3 replies broke rules"), "{text}");
    let (status, row) = write(&office, draft("a")).await;
    assert_eq!((status, &row["review_reason"]), (201, &json!("escalated")), "a person looks now");
    assert_eq!(
        office.db.count("select count(*) from social.replies where decision_id = 'a'").await,
        1
    );
    assert_eq!(
        office
            .db
            .count("select count(*) from social.audit_logs where action = 'reply_refused'")
            .await,
        3
    );
}
