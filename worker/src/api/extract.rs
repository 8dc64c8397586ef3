//! Query strings, paths and bodies into types, with a 400 that names what is wrong.

use axum::{
    body::to_bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderMap, header, request::Parts},
};
use serde::de::DeserializeOwned;

use super::error::ApiError;

/// Cap of every body of the read side.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;

/// A query string.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(params)| Self(params))
            .map_err(|e| ApiError::BadRequest(innermost(&e)))
    }
}

/// The variables of a path; what does not parse names nothing.
#[derive(Debug)]
pub(crate) struct At<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let found = Path::from_request_parts(parts, state).await;
        found.map(|Path(at)| Self(at)).map_err(|_| ApiError::NotFound("object"))
    }
}

/// A JSON body under [`BODY_BYTES_MAX`].
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::NotJson);
        }
        let bytes = to_bytes(request.into_body(), BODY_BYTES_MAX)
            .await
            .map_err(|_| ApiError::TooLarge(BODY_BYTES_MAX))?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|e| {
            let path = e.path().to_string();
            let at = if path == "." { String::new() } else { format!("{path}: ") };
            ApiError::BadRequest(format!("{at}{}", e.inner()))
        })?;
        json.end().map_err(|e| ApiError::BadRequest(e.to_string()))?;
        Ok(Self(value))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let media = given.and_then(|v| v.split(';').next()).map(|m| m.trim().to_ascii_lowercase());
    media.is_some_and(|m| m == "application/json" || m.ends_with("+json"))
}

/// The last cause speaks of the caller's field; the outer ones only of this code.
fn innermost(e: &dyn std::error::Error) -> String {
    let mut at = e;
    while let Some(cause) = at.source() {
        at = cause;
    }
    at.to_string()
}
