//! The optional OpenAI-compatible endpoint: asked late, never waited for.

pub mod guard;
mod redact;

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use millrace_config::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use url::Url;

pub(crate) use guard::is_private_host;
pub use redact::redact;

use crate::store::new_id;

/// Longest reply read, in bytes.
const REPLY_BYTES_MAX: usize = 64 * 1024;
/// Characters of a text that are sent.
const CHARS_MAX: usize = 4_000;
/// Longest answer asked for.
const ANSWER_TOKENS_MAX: u32 = 500;

/// Why the endpoint cannot be used as configured.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not an http or https URL.
    #[error("endpoint.url is not an http(s) URL")]
    Url,
    /// Credentials in a URL end up in logs and in `config show`.
    #[error("endpoint.url holds a user or password; use endpoint.api_key")]
    Credentials,
    /// A private address, or a port of another service, without `endpoint.allow_private_addresses`.
    #[error(
        "endpoint.url names a private address or a port below 1024 other than 80 and 443; \
         set endpoint.allow_private_addresses if that is meant"
    )]
    Private,
    /// The HTTP client does not start.
    #[error("no HTTP client for the endpoint: {0}")]
    Client(String),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// It does not answer, or is overloaded: ask again after this long.
    #[error("the endpoint does not answer: {reason}")]
    Away {
        /// What happened; no payload.
        reason: String,
        /// When to ask again.
        again: Duration,
    },
    /// It answered, but not what was asked for.
    #[error("the endpoint's answer is of no use: {0}")]
    Useless(String),
}

/// A text to be asked about, between two lines of [`Fenced::line`], without personal data and not too long.
#[derive(Debug)]
pub struct Fenced {
    /// Nobody can close a fence that they cannot guess.
    pub line: String,
    /// What is asked about, its fence around it.
    pub content: String,
}

impl Fenced {
    /// `what` it is stands in the fence.
    #[must_use]
    pub fn new(what: &str, text: &str) -> Self {
        let line = format!("{what}-{}", new_id());
        let text: String = redact(text).chars().take(CHARS_MAX).collect();
        let content = format!("{line}\n{text}\n{line}");
        Self { line, content }
    }
}

/// Client of the endpoint, with its circuit breaker.
#[derive(Debug)]
pub struct Endpoint {
    client: reqwest::Client,
    url: Url,
    api_key: SecretString,
    model: String,
    failures_max: u32,
    open_for: Duration,
    breaker: Mutex<Breaker>,
}

#[derive(Debug, Default)]
struct Breaker {
    failures: u32,
    open_until: Option<Instant>,
}

#[derive(Debug, Deserialize)]
struct Reply {
    choices: Vec<Choice>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Debug, Deserialize)]
struct Message {
    content: Option<String>,
}

impl Endpoint {
    /// The endpoint of the settings; `None` if none is set.
    ///
    /// # Errors
    /// If it cannot be used as configured.
    pub fn open(settings: &millrace_config::Endpoint) -> Result<Option<Self>, ConfigError> {
        if settings.url.is_empty() {
            return Ok(None);
        }
        let base = format!("{}/", settings.url.trim_end_matches('/'));
        let url = Url::parse(&base).and_then(|u| u.join("chat/completions"));
        let url = url.map_err(|_| ConfigError::Url)?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(ConfigError::Url);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ConfigError::Credentials);
        }
        let open = settings.allow_private_addresses;
        if !open && (guard::is_private_host(&url) || guard::is_foreign_port(&url)) {
            return Err(ConfigError::Private);
        }
        // Somebody else may have set the process's provider already: all the same.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut client = reqwest::Client::builder()
            .timeout(Duration::from_millis(settings.timeout_ms))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        if !open {
            client = client.dns_resolver(guard::PublicOnly);
        }
        let client = client.build().map_err(|e| ConfigError::Client(e.to_string()))?;
        Ok(Some(Self {
            client,
            url,
            api_key: settings.api_key.clone(),
            model: settings.model.clone(),
            failures_max: settings.breaker_failures,
            open_for: Duration::from_secs(settings.breaker_open_s),
            breaker: Mutex::default(),
        }))
    }

    /// Asks for one JSON object.
    ///
    /// # Errors
    /// See [`AskError`].
    pub async fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        instructions: &str,
        content: &str,
    ) -> Result<T, AskError> {
        if let Some(again) = self.shut_for() {
            return Err(AskError::Away { reason: "the circuit breaker is open".into(), again });
        }
        let answer = self.send(instructions, content).await;
        self.note(!matches!(answer, Err(AskError::Away { .. })));
        let text = answer?;
        let object = text.find('{').zip(text.rfind('}')).and_then(|(a, b)| text.get(a..=b));
        let object = object.ok_or_else(|| AskError::Useless("it holds no JSON object".into()))?;
        // The parser's message may quote the answer: only the place is told.
        let wrong = |e: serde_json::Error| {
            AskError::Useless(format!("{:?} error in its JSON", e.classify()))
        };
        serde_json::from_str(object).map_err(wrong)
    }

    async fn send(&self, instructions: &str, content: &str) -> Result<String, AskError> {
        let away = |e: reqwest::Error| AskError::Away {
            reason: e.without_url().to_string(),
            again: self.open_for,
        };
        let request = json!({
            "model": self.model,
            "temperature": 0,
            "max_tokens": ANSWER_TOKENS_MAX,
            "response_format": { "type": "json_object" },
            "messages": [
                { "role": "system", "content": instructions },
                { "role": "user", "content": content },
            ],
        });
        let mut post = self.client.post(self.url.clone()).json(&request);
        if !self.api_key.expose_secret().is_empty() {
            post = post.bearer_auth(self.api_key.expose_secret());
        }
        let mut reply = post.send().await.map_err(away)?;
        let status = reply.status();
        if status.is_server_error() || status.as_u16() == 429 || status.as_u16() == 408 {
            let told =
                reply.headers().get("retry-after").and_then(|v| v.to_str().ok()?.parse().ok());
            let again = told.map_or(self.open_for, |s: u64| Duration::from_secs(s.clamp(1, 3600)));
            return Err(AskError::Away { reason: format!("status {status}"), again });
        }
        if !status.is_success() {
            return Err(AskError::Useless(format!("status {status}")));
        }
        let mut body = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(away)? {
            if body.len() + chunk.len() > REPLY_BYTES_MAX {
                return Err(AskError::Useless(format!(
                    "it is longer than {REPLY_BYTES_MAX} bytes"
                )));
            }
            body.extend_from_slice(&chunk);
        }
        let reply: Reply = serde_json::from_slice(&body)
            .map_err(|_| AskError::Useless("it is no chat completion".into()))?;
        let text = reply.choices.into_iter().next().and_then(|c| c.message.content);
        text.ok_or_else(|| AskError::Useless("it is empty".into()))
    }

    /// How long the breaker stays open.
    fn shut_for(&self) -> Option<Duration> {
        let breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        let left = breaker.open_until?.checked_duration_since(Instant::now())?;
        (!left.is_zero()).then_some(left)
    }

    fn note(&self, answered: bool) {
        let mut breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        if answered {
            *breaker = Breaker::default();
            return;
        }
        breaker.failures += 1;
        if breaker.failures >= self.failures_max {
            breaker.failures = 0;
            breaker.open_until = Instant::now().checked_add(self.open_for);
            tracing::warn!(
                open_s = self.open_for.as_secs(),
                "model endpoint is away: breaker opens"
            );
        }
    }
}
