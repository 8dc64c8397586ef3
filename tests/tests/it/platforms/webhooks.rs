//! Handshakes and signatures of X and Meta, through the real binary.

use chrono::DateTime;
use millrace_ingest::verify;
use millrace_tests::{App, Pg, Sender, client};
use serde_json::{Value, json};

async fn get(url: &str, query: &[(&str, &str)]) -> (u16, String) {
    let pairs = query.iter().map(|(name, value)| {
        let escaped: String = value.bytes().map(|b| format!("%{b:02X}")).collect();
        format!("{name}={escaped}")
    });
    let url = format!("{url}?{}", pairs.collect::<Vec<_>>().join("&"));
    let answer = client().get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Name and value of the header by which `kind` signs a message.
fn signature(kind: &str, secret: &str, message: &[u8]) -> (String, String) {
    let unsigned = verify::Unsigned {
        method: "POST",
        uri: "",
        body: message,
        id: "",
        timestamp: DateTime::UNIX_EPOCH,
    };
    let scheme = verify::scheme(if kind == "x" { "x" } else { "meta" }).unwrap();
    verify::sign(scheme, secret, &unsigned).unwrap().remove(0)
}

#[tokio::test]
async fn x_is_answered_and_gets_no_body_signed() {
    let db = Pg::database().await;
    let app = App::new(&db, &["serve"]).ready().await;
    let x = Sender::add(&app, "acme", "x", &["--secret", "consumer secret 1"]).await;
    let answered = |secret| json!({ "response_token": signature("x", secret, b"challenge-1").1 });
    let (status, body) = get(&x.url, &[("crc_token", "challenge-1"), ("nonce", "n")]).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, body), (200, answered("consumer secret 1")));

    let forged = json!({ "for_user_id": "1", "tweet_delete_events": [] }).to_string();
    let (status, body) = get(&x.url, &[("crc_token", &forged)]).await;
    assert_eq!(status, 400, "{body}");
    let (_, signed) = signature("x", "consumer secret 1", forged.as_bytes());
    assert!(!body.contains(&signed), "the service signs what it is given");
    for query in [&[("crc_token", "")][..], &[("other", "a")], &[]] {
        let (status, _) = get(&x.url, query).await;
        assert!((400..500).contains(&status), "{query:?}: {status}");
    }

    // X asks again right after the secret was changed there, and takes no second answer.
    app.run_json(&["--json", "source", "rotate", x.id(), "--secret", "consumer secret 2"]).await;
    let (_, body) = get(&x.url, &[("crc_token", "challenge-1")]).await;
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), answered("consumer secret 2"));
}

#[tokio::test]
async fn meta_is_answered_if_it_knows_the_token() {
    let db = Pg::database().await;
    let app = App::new(&db, &["serve"]).ready().await;
    let threads = Sender::add(&app, "acme", "threads", &["--secret", "app secret"]).await;
    let token = threads.source["verify_token"].as_str().unwrap();
    let ask = async |token: &str| {
        let query = [
            ("hub.mode", "subscribe"),
            ("hub.challenge", "1158201444"),
            ("hub.verify_token", token),
        ];
        get(&threads.url, &query).await
    };
    assert_eq!(ask(token).await, (200, "1158201444".to_owned()));
    for wrong in ["", "wrong", &format!("{token}x")] {
        let (status, body) = ask(wrong).await;
        assert_eq!(status, 403, "{body}");
        assert!(!body.contains("1158201444"));
    }
    let (status, _) =
        get(&threads.url, &[("hub.mode", "unsubscribe"), ("hub.challenge", "1")]).await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn what_their_secrets_did_not_sign_is_refused() {
    let db = Pg::database().await;
    let app = App::new(&db, &["serve"]).ready().await;
    let body = json!({ "hello": "caf\u{e9}" }).to_string().into_bytes();
    for kind in ["x", "threads"] {
        let sender = Sender::add(&app, "acme", kind, &["--secret", "the secret"]).await;
        let post = async |header: (String, String), body: &[u8]| {
            sender.post(&[header], body.to_vec()).await.unwrap()
        };
        let (name, value) = signature(kind, "the secret", &body);
        let first = post((name.clone(), value.clone()), &body).await;
        assert_eq!(first.status, 200);
        let again = post((name.clone(), value.clone()), &body).await;
        assert_eq!(again.event_id(), first.event_id(), "a replay is the same delivery");
        let wrong = [
            signature(kind, "another secret", &body),
            signature(if kind == "x" { "threads" } else { "x" }, "the secret", &body),
            (name.clone(), "sha256=".to_owned()),
            (name.clone(), value.replace("sha256", "sha1")),
        ];
        for header in wrong {
            assert_eq!(post(header.clone(), &body).await.status, 401, "{kind} {header:?}");
        }
        let altered = [&body[..], b" "].concat();
        assert_eq!(post((name, value), &altered).await.status, 401);
    }
    let reddit = Sender::add(&app, "acme", "reddit", &[]).await;
    assert_eq!(reddit.send("1", &json!({})).await.status, 400, "Reddit delivers nothing");
}
