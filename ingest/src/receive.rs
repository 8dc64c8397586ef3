//! The one HTTP entry of deliveries: from a request to a durable event, or to a counted refusal.
//!
//! Order on this path: admission, source, cap, raw bytes, signature, freshness, identity, commit,
//! answer. Nothing is parsed, looked up by content or logged before the signature holds.

mod backlog;
mod body;
mod handshake;
mod refusal;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use http::{HeaderMap, Response, StatusCode, header, request::Parts};
use millrace_config::{
    Clock, Http,
    point::{Point, may_die},
};
use millrace_jobs::trace;
use moka::sync::Cache;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tracing::Instrument;
use uuid::Uuid;

pub use self::backlog::Backlog;
use self::{
    body::Bodies,
    refusal::{Refusal, unknown},
};
use crate::{
    buffer::Intake,
    events::{
        NewEvent, STORE_TIMEOUT, StoredEvent,
        counts::{Counts, Outcome},
    },
    registry::{LiveSource, Lookup, Registry, State},
    source::{Accepted, Delivery, Receipt, Reject, is_stored_header},
    verify::{self, Verified},
};

/// Receives deliveries.
#[derive(Debug)]
pub struct Receiver {
    registry: Registry,
    intake: Intake,
    counts: Arc<Counts>,
    clock: Clock,
    in_flight: Arc<Semaphore>,
    bodies: Bodies,
    backlog: Backlog,
    /// One token bucket per rate-limited source.
    rates: Cache<Arc<str>, Arc<DefaultDirectRateLimiter>>,
    nobody: Arc<str>,
    /// Where senders reach us; some schemes sign it.
    public_url: String,
}

/// A request without its body.
struct Arrival<'a> {
    path_key: Option<&'a str>,
    parts: &'a Parts,
    /// 32 hex digits.
    trace_id: String,
}

impl Receiver {
    /// Wire the rooms together.
    #[must_use]
    pub fn new(
        registry: Registry,
        intake: Intake,
        counts: Arc<Counts>,
        clock: Clock,
        backlog: Backlog,
        http: &Http,
        public_url: String,
    ) -> Self {
        Self {
            registry,
            intake,
            counts,
            clock,
            in_flight: Arc::new(Semaphore::new(http.in_flight_max)),
            bodies: Bodies::new(http),
            backlog,
            rates: Cache::builder()
                .max_capacity(10_000)
                .time_to_idle(Duration::from_secs(60))
                .build(),
            nobody: "".into(),
            public_url,
        }
    }

    /// How deliveries ended since the last flush.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Take one delivery for the sources that `lookup` names; `path_key` is a key in the URL's path.
    pub async fn receive<B>(
        &self,
        lookup: Lookup,
        path_key: Option<&str>,
        parts: Parts,
        body: B,
    ) -> Response<Bytes>
    where
        B: http_body::Body<Data = Bytes> + Unpin + Send,
    {
        let mut body = body;
        let arrival = Arrival { path_key, parts: &parts, trace_id: trace_id(&parts.headers) };
        let span = trace::receive(&arrival.trace_id);
        let answer = self.answer(lookup, &arrival, &mut body);
        let answer = answer.instrument(span.clone()).await;
        span.record("outcome", answer.status().as_u16());
        if !answer.status().is_success() {
            body::drain(&parts.headers, body).await;
        }
        answer
    }

    async fn answer<B>(
        &self,
        lookup: Lookup,
        arrival: &Arrival<'_>,
        body: &mut B,
    ) -> Response<Bytes>
    where
        B: http_body::Body<Data = Bytes> + Unpin + Send,
    {
        let sources = match self.registry.find(&lookup).await {
            Ok(sources) => sources,
            Err(e) => {
                tracing::warn!(error = %e, "source look-up failed");
                let refusal = Refusal {
                    retry_after_s: Some(2),
                    ..Refusal::new(503, "store_unavailable", "temporarily unavailable, send again")
                };
                return self.refuse(None, refusal);
            }
        };
        let Some(first) = sources.first().cloned() else {
            return self.refuse(None, unknown(&lookup));
        };
        match self.take(&lookup, &sources, arrival, body).await {
            Ok(response) => response,
            Err((source, refusal)) => self.refuse(Some(&source.unwrap_or(first)), refusal),
        }
    }

    async fn take<B>(
        &self,
        lookup: &Lookup,
        sources: &[Arc<LiveSource>],
        arrival: &Arrival<'_>,
        body: &mut B,
    ) -> Result<Response<Bytes>, (Option<Arc<LiveSource>>, Refusal)>
    where
        B: http_body::Body<Data = Bytes> + Unpin + Send,
    {
        let Arrival { path_key, parts, .. } = *arrival;
        let Some(first) = sources.first() else {
            return Err((None, unknown(&Lookup::Path(String::new()))));
        };
        self.admit(first).map_err(|r| (None, r))?;
        if let Some(answer) = self.handshake(lookup, first, parts).await.map_err(|r| (None, r))? {
            return Ok(answer);
        }
        let cap = sources.iter().map(|s| s.body_bytes_max).max().unwrap_or(0);
        let held =
            self.bodies.read(first, &parts.headers, body, cap).await.map_err(|r| (None, r))?;
        // Not before: a crowd of bodies that trickle in would take all the places, and do no work in them.
        let Ok(_admitted) = self.in_flight.clone().try_acquire_owned() else {
            return Err((None, Refusal::retry(first, "overloaded", "busy, send again")));
        };
        let received_at = self.clock.now();
        let uri = format!("{}{}", self.public_url, parts.uri);
        let signed = verify::Parts {
            method: parts.method.as_str(),
            uri: &uri,
            headers: &parts.headers,
            path_key,
            body: &held.bytes,
        };
        let renewed;
        let (source, verified) = match verified(sources, &signed, received_at) {
            Ok(found) => found,
            Err(reject) => {
                renewed =
                    if may_be_new(&reject) { self.registry.renew(lookup).await } else { None };
                let found = renewed.as_deref().and_then(|s| verified(s, &signed, received_at).ok());
                found.ok_or_else(|| (None, Refusal::reject(first, &reject)))?
            }
        };
        let result = self.accept(source, &verified, arrival, &held.bytes, received_at).await;
        result.map_err(|r| (Some(source.clone()), r))
    }

    /// What its secret has signed: answered, or stored.
    async fn accept(
        &self,
        source: &LiveSource,
        verified: &Verified,
        arrival: &Arrival<'_>,
        body: &Bytes,
        received_at: DateTime<Utc>,
    ) -> Result<Response<Bytes>, Refusal> {
        let parts = arrival.parts;
        let delivery = Delivery {
            method: &parts.method,
            query: parts.uri.query(),
            headers: &parts.headers,
            body,
            received_at,
            delivery_id: verified.delivery_id.as_deref(),
        };
        match source.kind.accept(&delivery, &source.config) {
            Ok(Accepted::Reply { content_type, body }) => {
                self.counts.add(names(source), Outcome::Replied, "");
                Ok(plain(source.wire().ok, content_type, body.into()))
            }
            Ok(Accepted::Event { key, event_type }) => {
                let secret = source.secret_ids.get(verified.secret_index).cloned();
                let event = new_event(source, key, event_type, arrival, body.clone(), secret);
                self.store(source, event).await
            }
            Err(reject) => Err(Refusal::reject(source, &reject)),
        }
    }

    fn admit(&self, source: &LiveSource) -> Result<(), Refusal> {
        match source.state {
            State::Active => {}
            State::Paused => {
                return Err(Refusal::retry(source, "paused", "source is paused, send again"));
            }
            State::Uninstalled => return Err(Refusal::new(410, "uninstalled", "source is gone")),
        }
        if self.backlog.is_late() {
            return Err(Refusal::retry(source, "queue_late", "busy, send again"));
        }
        if let Some(quota) = source.rate_per_s.and_then(std::num::NonZeroU32::new) {
            let bucket = self.rates.get_with(source.id.clone(), || {
                Arc::new(RateLimiter::direct(Quota::per_second(quota)))
            });
            if bucket.check().is_err() {
                return Err(Refusal::retry(
                    source,
                    "rate_limited",
                    "too many deliveries, send again",
                ));
            }
        }
        Ok(())
    }

    async fn store(
        &self,
        source: &LiveSource,
        event: NewEvent,
    ) -> Result<Response<Bytes>, Refusal> {
        let secret = event.secret_id.clone();
        let stored = tokio::time::timeout(STORE_TIMEOUT, self.intake.store(event)).await;
        let StoredEvent { id, duplicate, received_at } = match stored {
            Ok(Ok(stored)) => stored,
            Ok(Err(e)) => {
                let message = "temporarily unavailable, send again";
                return Err(Refusal::retry(source, e.code(), message));
            }
            Err(_) => {
                return Err(Refusal::retry(
                    source,
                    "store_timeout",
                    "temporarily unavailable, send again",
                ));
            }
        };
        may_die(Point::DeliveryStored);
        if let Some(secret) = secret {
            self.counts.secret_used(&secret);
        }
        let outcome = if duplicate { Outcome::Duplicate } else { Outcome::Accepted };
        self.counts.add(names(source), outcome, "");
        let reply = source.kind.reply(&Receipt { event_id: id, duplicate, received_at });
        Ok(plain(source.wire().ok, "application/json", reply.to_string().into()))
    }

    fn refuse(&self, source: Option<&LiveSource>, refusal: Refusal) -> Response<Bytes> {
        let names = source.map_or((&self.nobody, &self.nobody, "none"), names);
        self.counts.add(names, Outcome::Refused, refusal.code);
        let body = json!({ "error": refusal.message, "code": refusal.wire_code });
        let mut response = plain(refusal.status, "application/json", body.to_string().into());
        if let Some(seconds) = refusal.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some((name, value)) = refusal.header {
            response.headers_mut().insert(name, header::HeaderValue::from_static(value));
        }
        response
    }
}

/// The first source that a secret of its own has signed for; else why the first one did not.
fn verified<'a>(
    sources: &'a [Arc<LiveSource>],
    signed: &verify::Parts<'_>,
    now: DateTime<Utc>,
) -> Result<(&'a Arc<LiveSource>, Verified), Reject> {
    let mut failure = None;
    for source in sources {
        match verify::verify(&source.scheme, signed, &source.secrets, now) {
            Ok(verified) => return Ok((source, verified)),
            Err(reject) => failure = failure.or(Some(reject)),
        }
    }
    let unsigned = Reject { code: "signature_mismatch", message: "Invalid signature" };
    Err(failure.unwrap_or(unsigned))
}

/// A secret that was made a moment ago would explain it.
fn may_be_new(reject: &Reject) -> bool {
    ["signature_mismatch", "key_unknown", "secret_missing", "secret_unusable"]
        .contains(&reject.code)
}

fn names(source: &LiveSource) -> (&Arc<str>, &Arc<str>, &'static str) {
    (&source.workspace_id, &source.id, source.kind.name())
}

fn new_event(
    source: &LiveSource,
    key: Vec<Vec<u8>>,
    event_type: Option<String>,
    arrival: &Arrival<'_>,
    body: Bytes,
    secret_id: Option<Arc<str>>,
) -> NewEvent {
    NewEvent {
        id: Uuid::now_v7(),
        workspace_id: source.workspace_id.clone(),
        source_id: source.id.clone(),
        delivery_key: delivery_key(&key),
        event_type: event_type.map(|t| t.replace('\0', "")),
        headers: kept_headers(&arrival.parts.headers),
        body,
        secret_id,
        trace_id: arrival.trace_id.clone(),
        received_at: None,
    }
}

/// SHA-256 over the parts, each preceded by its length, so `ab`+`c` is not `a`+`bc`.
#[must_use]
pub fn delivery_key(parts: &[Vec<u8>]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Headers that normalisers read; none carries a credential.
fn kept_headers(headers: &HeaderMap) -> String {
    let kept = headers.iter().filter(|(name, _)| is_stored_header(name.as_str()));
    let map: Map<String, Value> = kept
        .map(|(name, value)| {
            let text = String::from_utf8_lossy(value.as_bytes()).replace('\0', "\u{fffd}");
            (name.as_str().to_owned(), text.into())
        })
        .collect();
    Value::Object(map).to_string()
}

/// Trace id of a W3C `traceparent`, else a new one.
fn trace_id(headers: &HeaderMap) -> String {
    let given = headers.get("traceparent").and_then(|v| v.to_str().ok());
    let id = given.and_then(|v| v.split('-').nth(1)).filter(|id| {
        id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()) && id.bytes().any(|b| b != b'0')
    });
    id.map_or_else(|| Uuid::new_v4().simple().to_string(), str::to_ascii_lowercase)
}

fn plain(status: u16, content_type: &'static str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    response
}
