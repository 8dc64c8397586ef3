//! A working day with everything that can go wrong in it, and all that is said about it.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use millrace_config::Settings;
use millrace_ingest::{secrets::KeyRing, verify};
use millrace_jobs::signals::endpoint::Endpoint;
use serde_json::json;

use super::{Canaries, store};
use crate::{
    App, Database, Pg, Sender, client,
    fake::{self, Reply},
    oracle,
    proxy::{Fault, Proxy},
    wait_until,
};

const SOON: Duration = Duration::from_secs(60);
/// All that our own crates say, and what others say to developers: the statements, but not their parameters.
const LEVEL: &str =
    "debug,millrace_config=trace,millrace_ingest=trace,millrace_jobs=trace,millrace_worker=trace";

struct Day {
    db: Database,
    proxy: Proxy,
    app: App,
    canaries: Canaries,
    /// What users say, and from where.
    words: String,
    address: String,
}

/// Work for a day and search all that it left behind.
pub async fn run() -> Canaries {
    let mut day = Day::begin().await;
    let webhook = day.deliver().await;
    day.refuse(&webhook).await;
    day.ask().await;
    day.command(&webhook).await;
    day.misconfigure().await;
    day.lose_the_database(&webhook).await;
    day.show();
    day.end().await
}

impl Day {
    async fn begin() -> Self {
        let db = Pg::database().await;
        let proxy = Proxy::before(&db.url).await;
        let mut canaries = Canaries::default();
        let url = reqwest::Url::parse(&proxy.url).unwrap();
        canaries.known("database password", url.password().unwrap());
        let master = STANDARD.encode(rand::random::<[u8; 32]>());
        canaries.known("master key", &master);
        let (words, address) = (canaries.said("words"), canaries.said("mail"));
        let endpoint = failing_endpoint(words.clone()).await;
        let app = App::new(&db, &["all"])
            .env("DATABASE_URL", &proxy.url)
            .env("MILLRACE__TELEMETRY__LEVEL", LEVEL)
            .env("MILLRACE__SECRETS__KEYS", &format!("canary:{master}"))
            .env("MILLRACE__ENDPOINT__URL", &endpoint)
            .env("MILLRACE__ENDPOINT__MODEL", "m")
            .env("MILLRACE__ENDPOINT__BREAKER_OPEN_S", "1")
            .env("MILLRACE__ENDPOINT__ALLOW_PRIVATE_ADDRESSES", "true")
            .env("MILLRACE__ENDPOINT__API_KEY", &canaries.secret("endpoint key"))
            .env("MILLRACE__NATS__PASSWORD", &canaries.secret("nats password"))
            .env(
                "MILLRACE__NATS__URL",
                &format!("nats://u:{}@127.0.0.1:1", canaries.secret("nats url")),
            )
            .env("MILLRACE__QUEUE__RETRY_BASE_MS", "100")
            .env("MILLRACE__QUEUE__RETRY_CAP_S", "1")
            .ready()
            .await;
        let address = format!("{address}@customer.test");
        Self { db, proxy, app, canaries, words, address }
    }

    /// Deliveries of several kinds: good ones, ones that are held, files that break a parser.
    async fn deliver(&mut self) -> Sender {
        let webhook = self.source("webhook", &[]).await;
        let (words, address) = (self.words.clone(), self.address.clone());
        let text = format!("{words} said {address}: the export stops halfway");
        let pdf = format!(
            "%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n({text})\nendobj\ntrailer<</Root 1 0 R>>"
        );
        let mail = json!({ "MessageID": "m1", "From": address, "FromName": words, "Subject": text, "TextBody": text });
        let slack = json!({ "type": "event_callback", "team_id": "T", "event_id": "E1", "event": { "type": "message",
            "subtype": "unheard_of", "channel": "C", "user": address, "ts": "1.1", "text": text } });
        let deliveries: [(&str, &str, Vec<u8>); 6] = [
            (
                "webhook",
                "application/json",
                json!({ "verbatim": text, "interviewee": address, "metadata": { "m": text } })
                    .to_string()
                    .into(),
            ),
            ("email", "application/json", mail.to_string().into()),
            ("email", "message/rfc822", format!("From: {address}\r\n\r\n").into()),
            ("upload", "application/pdf", pdf.into()),
            ("slack", "application/json", slack.to_string().into()),
            (
                "inbox",
                "application/json",
                json!({ "payload": { "title": words, "content": text } }).to_string().into(),
            ),
        ];
        for (nth, (kind, content_type, body)) in deliveries.into_iter().enumerate() {
            let sender = match kind {
                "webhook" => webhook.clone(),
                kind => {
                    let name = format!("{kind} {nth}");
                    self.source(kind, &["--name", &name]).await
                }
            };
            let headers: [(&str, &[u8]); 2] =
                [("content-type", content_type.as_bytes()), ("x-file-name", b"a.pdf")];
            let answer = sender.deliver(sender.sign("m1", &headers, body)).await.unwrap();
            assert_eq!(answer.status, 200, "{kind}: {answer:?}");
            self.canaries.search("answer to a delivery", &format!("{answer:?}"));
        }
        wait_until("all work to be done", SOON, async || {
            (oracle::jobs(&self.db.pool).await == 0).then_some(())
        })
        .await;
        webhook
    }

    async fn source(&mut self, kind: &str, extra: &[&str]) -> Sender {
        let sender = Sender::add(&self.app, "acme", kind, extra).await;
        self.canaries.known(&format!("{kind} secret"), sender.secret());
        sender
    }

    /// Requests with wrong, misplaced and malformed credentials.
    async fn refuse(&mut self, webhook: &Sender) {
        let wrong = self.canaries.secret("wrong key");
        let unread = self.canaries.secret("query token");
        let json = format!(r#"{{"verbatim":"{}","#, self.words);
        let pairs: [(&str, String); 8] = [
            ("x-api-key", wrong.clone()),
            ("authorization", format!("Bearer {wrong}")),
            ("authorization", format!("Basic {wrong}")),
            ("cookie", format!("session={wrong}")),
            ("x-webhook-signature", format!("sha256={wrong}")),
            ("x-hub-signature-256", wrong.clone()),
            ("x-workspace-id", wrong.clone()),
            ("traceparent", wrong.clone()),
        ];
        let paths = [
            webhook.url.clone(),
            format!("{}?token={unread}", webhook.url),
            format!("{}/{wrong}", webhook.url),
            self.app.url(&format!("/hooks/{wrong}")),
            self.app.url(&format!("/api/webhooks/signals/{wrong}")),
            self.app.url("/api/webhooks/signals"),
            self.app.url(&format!("/api/webhooks/pylon?integration_id={wrong}")),
            self.app.url(&format!("/v1/signals?q={wrong}&cursor={wrong}")),
            self.app.url(&format!("/v1/{wrong}")),
        ];
        for url in &paths {
            for (name, value) in &pairs {
                let request = client().post(url).header(*name, value).body(json.clone());
                let answer = request.send().await.unwrap();
                let place = format!("answer {} of {name}", answer.status());
                let (headers, body) =
                    (format!("{:?}", answer.headers()), answer.text().await.unwrap());
                self.canaries.search(&place, &format!("{headers}{body}"));
            }
        }
        // A body that breaks off after its signature was made.
        let signed = webhook.sign("", &[("content-type", b"application/json")], json.into());
        let answer = webhook.deliver(signed).await.unwrap();
        self.canaries.search("answer to broken JSON", &format!("{answer:?}"));
    }

    /// The read side and the pages of operation. What users said is read by whoever has a key; secrets by nobody.
    async fn ask(&mut self) {
        let made = self.app.run_json(&[
            "--json",
            "key",
            "add",
            "--workspace",
            "acme",
            "--scopes",
            "read,write,operate",
        ]);
        let key = made.await["key"].as_str().unwrap().to_owned();
        self.canaries.known("API key", &key);
        for path in [
            "/metrics",
            "/readyz",
            "/livez",
            "/v1/events",
            "/v1/jobs",
            "/v1/dead",
            "/v1/sources",
            "/v1/stats",
        ] {
            let text = self.get(&key, path).await;
            self.canaries.search(path, &text);
        }
        for path in ["/v1/signals", "/v1/suggestions", "/v1/openapi.json"] {
            let text = self.get(&key, path).await;
            self.canaries.search_for_secrets(path, &text);
        }
        for bad in
            ["/v1/signals?colour=", "/v1/signals?severity=", "/v1/events/", "/v1/signals?cursor="]
        {
            let words = self.words.clone();
            let text = self.get(&key, &format!("{bad}{words}")).await;
            self.canaries.search_for_secrets(bad, &text);
        }
    }

    async fn get(&self, key: &str, path: &str) -> String {
        let answer = client().get(self.app.url(path)).bearer_auth(key).send().await.unwrap();
        answer.text().await.unwrap()
    }

    /// Commands, in text and JSON, good and bad.
    async fn command(&mut self, webhook: &Sender) {
        let id = webhook.id().to_owned();
        let rotated = self.canaries.secret("rotated secret");
        let unusable = self.canaries.secret("unusable secret");
        let sent = self.canaries.secret("secret to send with");
        let closed = "http://127.0.0.1:1/hooks/p";
        let send =
            ["send", "webhook", "--text", "x", "--url", closed, "--secret", &sent, "--scheme"];
        let good: [&[&str]; 12] = [
            &["source", "rotate", &id, "--secret", &rotated],
            &["source", "ls"],
            &["source", "show", &id],
            &["source", "set", &id, "--rate-per-s", "1000"],
            &["key", "ls"],
            &["events", "ls"],
            &["jobs", "ls"],
            &["jobs", "stats"],
            &["dead", "ls"],
            &["audit"],
            &["doctor"],
            &["config", "check"],
        ];
        let bad: [&[&str]; 9] = [
            &[
                "source",
                "add",
                "webhook",
                "--workspace",
                "acme",
                "--name",
                "x",
                "--scheme",
                "discord",
                "--secret",
                &unusable,
            ],
            &[
                "source",
                "add",
                "webhook",
                "--workspace",
                "nobody",
                "--name",
                "y",
                "--secret",
                &unusable,
            ],
            &["source", "rotate", "no-such-source", "--secret", &unusable],
            &["source", "rotate", &id, "--grace-hours", "soon", "--secret", &unusable],
            &[&send[..], &["millrace"]].concat(),
            &[&send[..], &["path-key"]].concat(),
            &[&send[..], &["discord"]].concat(),
            &["key", "revoke", "no-such-key"],
            &["events", "show", "no-such-event"],
        ];
        for arguments in good.iter().chain(&bad) {
            for json in [false, true] {
                let mut all = if json { vec!["--json"] } else { Vec::new() };
                all.extend(*arguments);
                let done = self.app.run(&all).await;
                self.canaries.search(&format!("{arguments:?}"), &done.stdout);
                self.canaries.search(&format!("{arguments:?}, stderr"), &done.stderr);
            }
        }
    }

    /// Settings that cannot be, each with a secret in it.
    async fn misconfigure(&mut self) {
        let canary = self.canaries.secret("setting");
        let wrong: [(&str, String); 9] = [
            ("DATABASE_URL", format!("mysql://u:{canary}@h/d")),
            ("DATABASE_URL", format!("postgres://u:{canary}@h:notaport/d")),
            ("DATABASE_URL", format!("postgres://u:{canary}@127.0.0.1:1/d")),
            ("DATABASE_URL", format!("postgres://u:{canary}@[::bad/d?sslmode={canary}")),
            ("MILLRACE__SECRETS__KEYS", canary.clone()),
            ("MILLRACE__SECRETS__KEYS", format!("id:{canary}")),
            ("MILLRACE__ENDPOINT__URL", format!("https://u:{canary}@models.example")),
            ("MILLRACE__ENDPOINT__API_KEY", format!("{canary}\n\u{7f}")),
            ("MILLRACE__NATS__URL", format!("nats://u:{canary}@")),
        ];
        for (name, value) in wrong {
            for arguments in [&["config", "check"][..], &["doctor"], &["source", "ls"]] {
                let app = App::new(&self.db, &["all"]).env(name, &value);
                let done = app.run(arguments).await;
                let place = format!("{arguments:?} with {name}");
                self.canaries.search(&place, &format!("{}{}", done.stdout, done.stderr));
            }
        }
        for text in [
            format!("[database]\nurl = \"{canary}\n"),
            format!("[database]\nurl = [\"{canary}\"]\n"),
            format!("[secrets]\nkeys = 7\nkey = \"{canary}\"\n"),
            format!("[nats]\npassword = {{ is = \"{canary}\" }}\n"),
            format!("password = \"{canary}\"\n"),
        ] {
            let path = self.app.home().join("wrong.toml");
            std::fs::write(&path, text).unwrap();
            let done = self.app.run(&["--config", path.to_str().unwrap(), "config", "check"]).await;
            assert!(!done.status.success());
            self.canaries.search("a wrong file", &format!("{}{}", done.stdout, done.stderr));
        }
    }

    async fn lose_the_database(&mut self, webhook: &Sender) {
        self.proxy.set(Fault::Reset);
        let body = json!({ "verbatim": self.words, "interviewee": self.address });
        for _ in 0..3 {
            let refused = webhook.send("", &body).await;
            self.canaries.search("answer without database", &format!("{refused:?}"));
        }
        for arguments in [&["doctor"][..], &["source", "ls"], &["--json", "doctor"]] {
            let done = self.app.run(arguments).await;
            let said = format!("{}{}", done.stdout, done.stderr);
            self.canaries.search(&format!("{arguments:?} without database"), &said);
        }
        let ready = client().get(self.app.url("/readyz")).send().await.unwrap();
        self.canaries.search("/readyz without database", &ready.text().await.unwrap());
        self.proxy.set(Fault::None);
        self.app.wait_ready().await;
    }

    /// What the types show of themselves.
    fn show(&mut self) {
        let canary = self.canaries.secret("shown");
        let key = STANDARD.encode(rand::random::<[u8; 32]>());
        self.canaries.known("shown key", &key);
        let file = format!(
            "[database]\nurl = \"postgres://u:{canary}@h/d\"\n[nats]\nurl = \"nats://{canary}@h\"\npassword = \"{canary}\"\n\
             [endpoint]\nurl = \"https://models.example\"\nmodel = \"m\"\napi_key = \"{canary}\"\n[secrets]\nkeys = \"a:{key}\"\n"
        );
        let settings =
            Settings::from_text(std::path::Path::new("h"), Some(&file), std::iter::empty())
                .unwrap();
        let shown = [
            format!("{settings:?} {settings:#?}"),
            format!("{:?}", Endpoint::open(&settings.endpoint).unwrap()),
            format!("{:?}", KeyRing::load(&settings.secrets).unwrap()),
            format!("{:?}", verify::Secret::text(canary.clone())),
            format!("{:?}", verify::Secret::Sha256(verify::hash_key(canary.as_bytes()))),
        ];
        for text in shown {
            self.canaries.search("Debug", &text);
        }
    }

    async fn end(mut self) -> Canaries {
        self.app.signal(rustix::process::Signal::TERM);
        self.app.ended(SOON).await;
        let log = self.app.log();
        assert!(
            log.contains("DEBUG") || log.contains("TRACE"),
            "the log is not at its finest: {log}"
        );
        self.canaries.search("the log", &log);
        store::search(&self.db.pool, &mut self.canaries).await;
        self.canaries
    }
}

/// Answers in turn with what a model endpoint should not say, each with the users' words in it.
async fn failing_endpoint(words: String) -> String {
    let bodies = [
        (500, format!("upstream said {words}")),
        (200, format!("{{\"choices\":[{{\"message\":{{\"content\":\"{words}\"}}}}]}}")),
        (
            200,
            format!(
                "{{\"choices\":[{{\"message\":{{\"content\":\"{{\\\"severity\\\":\\\"{words}\\\"}}\"}}}}]}}"
            ),
        ),
        (400, words.clone()),
        (200, words),
    ];
    let asked = AtomicUsize::new(0);
    let url = fake::start(move |_| {
        let (status, body) = &bodies[asked.fetch_add(1, Ordering::SeqCst) % bodies.len()];
        std::future::ready(Reply::new(format!("{status} X"), body.as_str()))
    });
    format!("{}/v1", url.await)
}
