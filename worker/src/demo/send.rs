//! Signing and sending one delivery, as its platform would.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use chrono::{DateTime, Utc};
use millrace_ingest::verify::{self, Scheme, Unsigned};
use uuid::Uuid;

/// A platform gives up on us after less.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// One delivery, ready but for its signature.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Full URL of the source.
    pub url: &'a str,
    /// Name of its signature scheme.
    pub scheme: &'a str,
    /// Its secret; empty sends no signature.
    pub secret: &'a str,
    /// The sender's delivery id.
    pub id: &'a str,
    /// Content type.
    pub content_type: &'a str,
    /// Further headers.
    pub headers: &'a [(&'a str, String)],
    /// Body.
    pub body: &'a [u8],
    /// When it is signed.
    pub at: DateTime<Utc>,
}

/// What the server said.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// accepted, duplicate, replied (a handshake) or refused.
    pub outcome: &'static str,
    /// Id of the stored event, for accepted and duplicate deliveries.
    pub event: Option<Uuid>,
    /// Body.
    pub body: String,
}

/// What every source's answer says about a stored delivery.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    event_id: Uuid,
    duplicate: bool,
}

impl Reply {
    fn new(status: u16, body: String) -> Self {
        let receipt = serde_json::from_str::<Receipt>(&body).ok();
        let outcome = match &receipt {
            _ if status >= 300 => "refused",
            Some(Receipt { duplicate: true, .. }) => "duplicate",
            Some(_) => "accepted",
            None => "replied",
        };
        Self { status, outcome, event: receipt.map(|r| r.event_id), body }
    }
}

/// Sends deliveries.
#[derive(Debug, Clone)]
pub struct Sender(reqwest::Client);

impl Sender {
    /// A client that keeps its connections.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new() -> Result<Self> {
        // A second caller finds the provider installed, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        Ok(Self(reqwest::Client::builder().timeout(ANSWER_WITHIN).build()?))
    }

    /// Signs and sends.
    ///
    /// # Errors
    /// If the secret cannot sign or nobody answers.
    pub async fn send(&self, out: Outgoing<'_>) -> Result<Reply> {
        let mut url = out.url.to_owned();
        let mut headers = Vec::new();
        if !out.secret.is_empty() {
            let scheme = scheme(out.scheme)?;
            for (name, value) in sign(scheme, &out)? {
                if name == ":path" {
                    url = format!("{url}/{value}");
                } else {
                    headers.push((name, value));
                }
            }
        }
        let mut request =
            self.0.post(url).header("content-type", out.content_type).body(out.body.to_vec());
        for (name, value) in out.headers {
            request = request.header(*name, value);
        }
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        // A key may be part of the URL.
        let response = request.send().await.map_err(reqwest::Error::without_url)?;
        let status = response.status().as_u16();
        let body = response.text().await.map_err(reqwest::Error::without_url)?;
        Ok(Reply::new(status, body))
    }
}

fn scheme(name: &str) -> Result<&'static Scheme> {
    verify::scheme(name)
        .with_context(|| format!("no signature scheme {name:?}; see `millrace source schemes`"))
}

fn sign(scheme: &Scheme, out: &Outgoing<'_>) -> Result<Vec<(String, String)>> {
    ensure!(
        scheme.signature.form.is_none(),
        "the scheme {} signs inside the body: send it with the platform's own tool",
        out.scheme
    );
    let request =
        Unsigned { method: "POST", uri: out.url, body: out.body, id: out.id, timestamp: out.at };
    verify::sign(scheme, out.secret, &request).map_err(|why| anyhow!(why))
}
