//! A sender: makes a workspace and sources through the command line, signs as the platform does, posts.

use chrono::Utc;
use http::HeaderName;
use serde_json::{Value, json};

use crate::{
    App,
    app::client_builder,
    client,
    fixture::{self, Signed},
};

/// A source of a running app, with its secret.
#[derive(Debug, Clone)]
pub struct Sender {
    /// Answer of `source add`.
    pub source: Value,
    /// Where it posts to.
    pub url: String,
    client: reqwest::Client,
}

/// What came back.
#[derive(Debug)]
#[expect(missing_docs, reason = "named after the parts of an answer")]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub retry_after: Option<String>,
}

impl Answer {
    /// `eventId` of a stored delivery.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn event_id(&self) -> uuid::Uuid {
        self.body["eventId"].as_str().unwrap().parse().unwrap()
    }
}

impl Sender {
    /// Add a source of `kind` to `workspace` (made if absent), with extra arguments of `source add`.
    pub async fn add(app: &App, workspace: &str, kind: &str, extra: &[&str]) -> Self {
        app.run_json(&["--json", "workspace", "add", workspace, "--id", workspace]).await;
        let mut arguments = vec!["--json", "source", "add", kind, "--workspace", workspace];
        arguments.extend(extra);
        let source = app.run_json(&arguments).await;
        let url = app.url(&format!("/hooks/{}", source["path_id"].as_str().unwrap()));
        Self { source, url, client: client() }
    }

    /// The same platform, told to send to another process.
    #[must_use]
    pub fn to(&self, app: &App) -> Self {
        Self { url: app.url(&format!("/hooks/{}", self.path_id())), ..self.clone() }
    }

    /// From now on each request has a connection of its own, as from a platform with many machines.
    pub fn without_keep_alive(&mut self) {
        self.client = client_builder().pool_max_idle_per_host(0).build().unwrap();
    }

    /// Unguessable part of its address.
    #[must_use]
    pub fn path_id(&self) -> &str {
        self.source["path_id"].as_str().unwrap()
    }

    /// Id of the source.
    #[must_use]
    pub fn id(&self) -> &str {
        self.source["id"].as_str().unwrap()
    }

    /// Its secret or key.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.source["secret"].as_str().unwrap()
    }

    /// Body of the `nth` of many deliveries of the generic webhook, each of its own object.
    #[must_use]
    pub fn feedback(nth: usize) -> Value {
        json!({ "verbatim": format!("Report {nth} stops halfway"), "sourceRef": format!("ref-{nth}") })
    }

    /// Sign and post a JSON body; `id` is the vendor's delivery id where the scheme has one.
    ///
    /// # Panics
    /// If nothing answers.
    pub async fn send(&self, id: &str, body: &Value) -> Answer {
        self.try_send(id, body).await.unwrap()
    }

    /// As [`Sender::send`]; an error if the connection breaks.
    ///
    /// # Errors
    /// No answer.
    pub async fn try_send(&self, id: &str, body: &Value) -> reqwest::Result<Answer> {
        let json = [("content-type", b"application/json".as_slice())];
        self.deliver(self.sign(id, &json, body.to_string().into())).await
    }

    /// As GitHub sends an event of this name.
    ///
    /// # Errors
    /// No answer.
    pub async fn github(&self, id: &str, event: &str, body: &Value) -> reqwest::Result<Answer> {
        let headers = [
            ("content-type", b"application/json".as_slice()),
            ("x-github-event", event.as_bytes()),
        ];
        self.deliver(self.sign(id, &headers, body.to_string().into())).await
    }

    /// What the platform would send: these headers and bytes, signed now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "platforms sign with the real time")]
    pub fn sign(&self, id: &str, headers: &[(&str, &[u8])], body: Vec<u8>) -> Signed {
        let scheme = self.source["scheme"].as_str().unwrap();
        let stamp = (self.url.as_str(), id, Utc::now());
        fixture::sign(scheme, self.secret(), stamp, headers.iter().copied(), body)
    }

    /// Post with these headers; JSON unless they say otherwise.
    ///
    /// # Errors
    /// No answer.
    pub async fn post(
        &self,
        headers: &[(String, String)],
        body: Vec<u8>,
    ) -> reqwest::Result<Answer> {
        let json = [("content-type".to_owned(), "application/json".to_owned())];
        let headers = json.iter().chain(headers).map(|(name, value)| {
            (HeaderName::try_from(name.as_str()).unwrap(), value.parse().unwrap())
        });
        self.deliver(Signed { headers: headers.collect(), body, path_key: None }).await
    }

    /// Post it as it is.
    ///
    /// # Errors
    /// No answer.
    pub async fn deliver(&self, signed: Signed) -> reqwest::Result<Answer> {
        let url = match &signed.path_key {
            Some(key) => format!("{}/{key}", self.url),
            None => self.url.clone(),
        };
        let request = self.client.post(url).headers(signed.headers).body(signed.body);
        let answer = request.send().await?;
        let retry_after =
            answer.headers().get("retry-after").and_then(|v| v.to_str().ok()).map(str::to_owned);
        Ok(Answer {
            status: answer.status().as_u16(),
            body: serde_json::from_slice(&answer.bytes().await?).unwrap_or(Value::Null),
            retry_after,
        })
    }
}
