//! What a caller is told when a request fails: a status, a stable code, a sentence.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A failed request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// The request makes no sense; the text says where.
    #[error("{0}")]
    BadRequest(String),
    /// No key, or not a living one.
    #[error("send a living API key as `Authorization: Bearer mr_...` or `X-API-Key`")]
    Unauthorized,
    /// The key is good but lacks this scope.
    #[error("this key lacks the scope {0:?}")]
    Forbidden(&'static str),
    /// There is none in the key's workspace.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The state of things forbids it.
    #[error("{0}")]
    Conflict(String),
    /// A rule of ours forbids it: its name for programs, and a sentence.
    #[error("{1}")]
    Refused(&'static str, String),
    /// The body is over the cap.
    #[error("the body may have at most {0} bytes")]
    TooLarge(usize),
    /// The body is not JSON by its content type.
    #[error("send the body as application/json")]
    NotJson,
    /// The path exists, the method does not.
    #[error("this path does not take this method")]
    Method,
    /// Postgres or a worker does not answer in time.
    #[error("temporarily unavailable, try again")]
    Unavailable,
    /// Ours.
    #[error("internal error; the log of the service says more")]
    Internal,
}

/// Body of every failed request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// A sentence for people.
    #[schema(example = "no such signal")]
    pub(crate) error: String,
    /// A stable name for programs.
    #[schema(example = "not_found")]
    pub(crate) code: &'static str,
}

impl ApiError {
    const fn parts(&self) -> (StatusCode, &'static str) {
        match self {
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "bad_request"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
            Self::Refused(rule, _) => (StatusCode::CONFLICT, *rule),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.parts();
        let mut response =
            (status, Json(Problem { error: self.to_string(), code })).into_response();
        let headers = response.headers_mut();
        match self {
            Self::Unauthorized => drop(headers.insert(
                axum::http::header::WWW_AUTHENTICATE,
                axum::http::HeaderValue::from_static("Bearer"),
            )),
            Self::Unavailable => drop(headers.insert(axum::http::header::RETRY_AFTER, 2.into())),
            Self::BadRequest(_)
            | Self::Forbidden(_)
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::Refused(..)
            | Self::TooLarge(_)
            | Self::NotJson
            | Self::Method
            | Self::Internal => {}
        }
        response
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(e: sqlx::Error) -> Self {
        let code = e.as_database_error().and_then(|d| d.code().map(|c| c.into_owned()));
        match (code.as_deref(), &e) {
            // Text that Postgres cannot hold: a NUL byte in an id or a filter.
            (Some("22021"), _) => Self::BadRequest("text must not contain NUL".into()),
            (Some(code), _) if ["08", "53", "57"].iter().any(|class| code.starts_with(class)) => {
                tracing::warn!(error = %e, "the read side cannot reach the database");
                Self::Unavailable
            }
            (None, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed) => {
                tracing::warn!(error = %e, "the read side cannot reach the database");
                Self::Unavailable
            }
            _ => {
                tracing::error!(error = %e, "a request of the read side failed");
                Self::Internal
            }
        }
    }
}

impl From<anyhow::Error> for ApiError {
    fn from(e: anyhow::Error) -> Self {
        match e.downcast::<sqlx::Error>() {
            Ok(e) => e.into(),
            Err(e) => {
                tracing::error!(error = format!("{e:#}"), "a request of the read side failed");
                Self::Internal
            }
        }
    }
}
