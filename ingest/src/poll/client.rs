//! Requests to platforms: bounded in time and size, and to the public internet only.

use std::{sync::OnceLock, time::Duration};

use http::{HeaderMap, StatusCode};
use millrace_config::Poll;
use millrace_jobs::signals::endpoint::guard;
use reqwest::{Client, RequestBuilder, Response};
use url::Url;

/// Longest answer read, bytes.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// An answer, whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// The client of this process.
///
/// # Errors
/// If it cannot be made.
pub(super) fn client(settings: &Poll) -> anyhow::Result<Client> {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client.clone());
    }
    // Somebody else may have set the process's provider already: all the same.
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut client = Client::builder()
        .timeout(Duration::from_millis(settings.timeout_ms))
        // A token goes to the host that it was given for.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    if !settings.allow_private_addresses {
        client = client.dns_resolver(guard::PublicOnly);
    }
    let client = client.build()?;
    Ok(CLIENT.get_or_init(|| client).clone())
}

/// Ask, and read the head of the answer.
///
/// # Errors
/// What happened, without address and payload.
pub(super) async fn send(settings: &Poll, request: RequestBuilder) -> Result<Response, String> {
    let (client, request) = request.build_split();
    let request = request.map_err(|e| e.without_url().to_string())?;
    if !settings.allow_private_addresses && is_private(request.url()) {
        return Err("the address is private; poll.allow_private_addresses allows that".into());
    }
    client.execute(request).await.map_err(why)
}

/// Ask, and read the whole answer.
///
/// # Errors
/// What happened, without address and payload.
pub(super) async fn ask(settings: &Poll, request: RequestBuilder) -> Result<Answer, String> {
    let mut answer = send(settings, request).await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(why)? {
        if body.len().saturating_add(chunk.len()) > ANSWER_BYTES_MAX {
            return Err(format!("the answer is longer than {ANSWER_BYTES_MAX} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body })
}

fn is_private(url: &Url) -> bool {
    guard::is_private_host(url) || guard::is_foreign_port(url)
}

/// The kind of failure; the address may hold a token.
pub(super) fn why(error: reqwest::Error) -> String {
    let kind = match &error {
        e if e.is_timeout() => "no answer in time",
        e if e.is_connect() => "no connection",
        e if e.is_body() || e.is_decode() => "the answer was cut off",
        _ => "the request failed",
    };
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    format!("{kind}: {cause}")
}
