//! Who asks: an API key, its workspace, and the scope a handler demands.

use std::{marker::PhantomData, sync::Arc, time::Duration};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use millrace_ingest::{registry::keys, verify::hash_key};
use moka::sync::Cache;
use sqlx::{PgPool, Postgres, Transaction};

use super::{Api, error::ApiError};
use millrace_jobs::store::{
    audit::{self, Act},
    tenants::View,
};
use serde_json::Value;

/// Keys remembered at once.
const CACHE_KEYS_MAX: u64 = 10_000;
/// Longer texts are no keys of ours.
const KEY_BYTES_MAX: usize = 128;

/// Living keys by hash, remembered for a moment; a wrong key is asked for every time.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// Sees all workspaces: until the key is found, nobody knows whose it is.
    edge: PgPool,
    known: Cache<[u8; 32], Arc<keys::ApiKey>>,
}

impl Keys {
    /// Remember a key for `fresh`; a revoked key works no longer than that.
    pub(crate) fn new(edge: PgPool, fresh: Duration) -> Self {
        let known = Cache::builder().max_capacity(CACHE_KEYS_MAX).time_to_live(fresh).build();
        Self { edge, known }
    }

    async fn find(&self, text: &str) -> Result<Option<Arc<keys::ApiKey>>, sqlx::Error> {
        let hash = hash_key(text.as_bytes());
        if let Some(key) = self.known.get(&hash) {
            return Ok(Some(key));
        }
        let Some(key) = keys::find(&self.edge, text).await?.map(Arc::new) else { return Ok(None) };
        keys::touch(&self.edge, &key.id).await?;
        self.known.insert(hash, key.clone());
        Ok(Some(key))
    }
}

/// A scope as a type, so that a handler's signature says what it demands.
pub(crate) trait Scope: Send + Sync {
    /// Its name in `ops.api_keys.scopes`.
    const NAME: &'static str;
}

/// Look.
#[derive(Debug)]
pub(crate) struct Read;
/// Change signals, links and projects.
#[derive(Debug)]
pub(crate) struct Write;
/// Search code.
#[derive(Debug)]
pub(crate) struct Search;
/// Intervene in jobs and events.
#[derive(Debug)]
pub(crate) struct Operate;

/// Write replies.
#[derive(Debug)]
pub(crate) struct Reply;
/// Allow and refuse.
#[derive(Debug)]
pub(crate) struct Moderate;

impl Scope for Read {
    const NAME: &'static str = "read";
}
impl Scope for Write {
    const NAME: &'static str = "write";
}
impl Scope for Search {
    const NAME: &'static str = "search";
}
impl Scope for Operate {
    const NAME: &'static str = "operate";
}
impl Scope for Reply {
    const NAME: &'static str = "reply";
}
impl Scope for Moderate {
    const NAME: &'static str = "moderate";
}

/// The key behind a request, which has scope `S`. Everything it sees is its workspace's.
#[derive(Debug)]
pub(crate) struct Caller<S> {
    key: Arc<keys::ApiKey>,
    scope: PhantomData<S>,
}

impl<S> Caller<S> {
    /// The only tenant this request may touch.
    pub(crate) fn workspace(&self) -> &str {
        &self.key.workspace_id
    }

    /// A transaction that sees this tenant's rows, whatever its statements say.
    pub(crate) async fn begin(&self, api: &Api) -> sqlx::Result<Transaction<'static, Postgres>> {
        self.view(api).begin().await
    }

    /// For work of several transactions.
    pub(super) fn view<'a>(&'a self, api: &'a Api) -> View<'a> {
        View::Of(&api.tenants, self.workspace())
    }

    /// For logs and activity: which key it was.
    pub(crate) fn key_id(&self) -> &str {
        &self.key.id
    }

    /// As audits name it.
    pub(crate) fn actor(&self) -> String {
        format!("key:{}", self.key.id)
    }

    /// Whether the key has another scope besides.
    pub(crate) fn also<T: Scope>(&self) -> bool {
        self.key.scopes.iter().any(|scope| scope == T::NAME)
    }
}

impl Caller<Operate> {
    /// Say in the audit what this caller is about to do.
    pub(super) async fn note(
        &self,
        api: &Api,
        action: &str,
        target: &str,
        detail: Value,
    ) -> Result<(), ApiError> {
        let actor = self.actor();
        let act = Act { workspace_id: self.workspace(), actor: &actor, action, target };
        let mut tx = self.begin(api).await?;
        audit::note(&mut *tx, act, detail).await?;
        Ok(tx.commit().await?)
    }
}

impl<S: Scope> FromRequestParts<Api> for Caller<S> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let text = key_text(&parts.headers).ok_or(ApiError::Unauthorized)?;
        let key = api.keys.find(text).await?.ok_or(ApiError::Unauthorized)?;
        if !key.scopes.iter().any(|s| s == S::NAME) {
            return Err(ApiError::Forbidden(S::NAME));
        }
        Ok(Self { key, scope: PhantomData })
    }
}

fn key_text(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| {
        let (scheme, token) = v.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let text = bearer.or_else(|| headers.get("x-api-key").and_then(|v| v.to_str().ok()))?;
    (!text.is_empty() && text.len() <= KEY_BYTES_MAX).then_some(text)
}
