//! The read side, through the real binary: pages, filters, tenants, scopes, interventions.

mod cli;
mod doctor;
mod document;
mod intervene;
mod reading;
mod tenants;

use std::time::Duration;

use millrace_tests::{App, Database, Pg, Sender, client, wait_until};
use serde_json::{Value, json};

pub(crate) const SOON: Duration = Duration::from_secs(30);

/// A running app with one workspace, a source that delivers to it, and a key with every scope.
pub(crate) struct House {
    pub(crate) db: Database,
    pub(crate) app: App,
    pub(crate) sender: Sender,
    pub(crate) key: String,
    client: reqwest::Client,
}

/// Status and body of an answer.
pub(crate) type Reply = (u16, Value);

impl House {
    pub(crate) async fn open() -> Self {
        let db = Pg::database().await;
        let app = App::new(&db, &["all"]).ready().await;
        let sender = Sender::add(&app, "acme", "webhook", &[]).await;
        let key = key(&app, "acme", "read,write,operate").await;
        Self { db, app, sender, key, client: client() }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask(reqwest::Method::GET, path, Some(&self.key), None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.ask(reqwest::Method::POST, path, Some(&self.key), Some(body)).await
    }

    pub(crate) async fn ask(
        &self,
        method: reqwest::Method,
        path: &str,
        key: Option<&str>,
        body: Option<Value>,
    ) -> Reply {
        let mut request = self.client.request(method, self.app.url(path));
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    /// Deliver a feedback and wait until its signal is there; the signal's id.
    pub(crate) async fn signal(&self, body: Value) -> String {
        let event = self.sender.send("", &body).await.event_id();
        let path = format!("/v1/events/{event}");
        wait_until("the signal", SOON, async || {
            let (status, event) = self.get(&path).await;
            assert_eq!(status, 200, "{event}");
            event["effects"][0]["id"].as_str().map(str::to_owned)
        })
        .await
    }

    pub(crate) async fn signals(&self, texts: &[&str]) -> Vec<String> {
        let mut ids = Vec::new();
        for text in texts {
            ids.push(self.signal(json!({ "verbatim": text })).await);
        }
        ids
    }
}

/// A fresh key of `workspace`.
pub(crate) async fn key(app: &App, workspace: &str, scopes: &str) -> String {
    let made =
        app.run_json(&["--json", "key", "add", "--workspace", workspace, "--scopes", scopes]).await;
    made["key"].as_str().unwrap().to_owned()
}

/// The ids of a page, in order.
pub(crate) fn ids(page: &Value) -> Vec<String> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

/// A value with its leaves replaced by their types: what programs rely on, and nothing else.
pub(crate) fn shape(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), shape(v))).collect(),
        Value::Array(items) => {
            items.first().map_or_else(|| json!([]), |first| json!([shape(first)]))
        }
        Value::String(_) => "text".into(),
        Value::Number(_) => "number".into(),
        Value::Bool(_) => "bool".into(),
        Value::Null => Value::Null,
    }
}
