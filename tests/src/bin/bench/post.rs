//! Signed deliveries of a source of the measured binary.

use chrono::Utc;
use millrace_ingest::verify::{self, Unsigned};
use tokio::task::JoinSet;

/// Requests under way at once.
const LANES: usize = 16;

/// A source's sender.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) client: reqwest::Client,
    pub(crate) url: String,
    pub(crate) scheme: String,
    pub(crate) secret: String,
}

impl Post {
    /// Sign and send a JSON body as delivery `id` with more headers; status and answer.
    pub(crate) async fn send(
        &self,
        id: &str,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> (u16, serde_json::Value) {
        let scheme = verify::scheme(&self.scheme).unwrap();
        let unsigned =
            Unsigned { method: "POST", uri: &self.url, body: &body, id, timestamp: Utc::now() };
        let mut request = self.client.post(&self.url).header("content-type", "application/json");
        for (name, value) in verify::sign(scheme, &self.secret, &unsigned).unwrap() {
            request = request.header(name, value);
        }
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let answer = request.body(body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    /// Send all, some at a time; each must be taken.
    pub(crate) async fn send_all(&self, bodies: impl Iterator<Item = serde_json::Value>) {
        let mut posts = JoinSet::new();
        for body in bodies {
            if posts.len() >= LANES {
                taken(&posts.join_next().await.unwrap().unwrap());
            }
            let post = self.clone();
            posts.spawn(async move { post.send("", &[], body.to_string().into()).await });
        }
        posts.join_all().await.iter().for_each(taken);
    }
}

fn taken((status, answer): &(u16, serde_json::Value)) {
    assert_eq!(*status, 200, "{answer}");
}
