//! Tokens to ask a platform with: kept sealed, renewed when they run out, and never in a log.

use chrono::{DateTime, TimeDelta, Utc};
use millrace_config::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// Shortest bearer token of X and key that can be one, characters: an empty or cut one is noticed where it is given.
const BEARER_CHARS_MIN: usize = 50;
const KEY_CHARS_MIN: usize = 10;

/// What a source that polls has been given, and what became of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Credentials {
    /// X: bearer token of the app.
    #[serde(serialize_with = "exposed", skip_serializing_if = "Option::is_none")]
    pub bearer: Option<SecretString>,
    /// Reddit: id of the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Reddit: its secret.
    #[serde(serialize_with = "exposed", skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<SecretString>,
    /// Reddit: of a person who lets the app read; without one the app asks for itself.
    #[serde(serialize_with = "exposed", skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<SecretString>,
    /// Threads: of the account; Reddit: what the others are exchanged for.
    #[serde(serialize_with = "exposed", skip_serializing_if = "Option::is_none")]
    pub access_token: Option<SecretString>,
    /// When `access_token` runs out, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

fn exposed<S: Serializer>(secret: &Option<SecretString>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(expose(secret.as_ref()))
}

/// The secret's text; empty if there is none.
pub(crate) fn expose(secret: Option<&SecretString>) -> &str {
    secret.map_or("", |secret| secret.expose_secret())
}

impl Credentials {
    /// Read what was given for a kind of source.
    ///
    /// # Errors
    /// Says in one line what is missing or cannot be one, without any of it.
    pub fn given(kind: &str, json: &str) -> Result<Self, String> {
        // The parser's message may quote a secret.
        let read: Self = serde_json::from_str(json).map_err(|_| {
            "credentials are bearer (x), client_id, client_secret, refresh_token (reddit), access_token (threads)".to_owned()
        })?;
        let long =
            |secret: Option<&str>, name: &str, chars_min: usize| match secret.map_or(0, str::len) {
                0 => Err(format!("the credential {name} is missing")),
                length if length < chars_min => {
                    Err(format!("the credential {name} is too short to be one"))
                }
                _ => Ok(()),
            };
        match kind {
            "x" => long(Some(expose(read.bearer.as_ref())), "bearer", BEARER_CHARS_MIN)?,
            "reddit" => {
                long(read.client_id.as_deref(), "client_id", KEY_CHARS_MIN)?;
                long(Some(expose(read.client_secret.as_ref())), "client_secret", KEY_CHARS_MIN)?;
            }
            "threads" => {
                long(Some(expose(read.access_token.as_ref())), "access_token", KEY_CHARS_MIN)?
            }
            _ => return Err("only x, reddit and threads take credentials".into()),
        }
        Ok(read)
    }

    /// With the token that a platform granted.
    #[must_use]
    pub(crate) fn with(&self, grant: Grant, now: DateTime<Utc>) -> Self {
        let seconds = grant.expires_in.and_then(TimeDelta::try_seconds);
        Self {
            access_token: Some(grant.access_token),
            expires_at: seconds.and_then(|time| now.checked_add_signed(time)),
            ..self.clone()
        }
    }
}

/// The answer of a token endpoint (RFC 6749, 5.1).
#[derive(Debug, Deserialize)]
pub(crate) struct Grant {
    pub(crate) access_token: SecretString,
    #[serde(default)]
    pub(crate) expires_in: Option<i64>,
}

/// Read such an answer.
pub(crate) fn grant(body: &[u8]) -> Option<Grant> {
    let grant: Grant = serde_json::from_slice(body).ok()?;
    (!grant.access_token.expose_secret().is_empty()).then_some(grant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_credential_is_noticed_and_never_quoted() {
        let wrong = [
            ("x", r#"{"bearer":"short-secret"}"#),
            ("x", r#"{"client_id":"short-secret"}"#),
            ("reddit", r#"{"client_id":"0123456789"}"#),
            ("threads", r#"{}"#),
            ("slack", r#"{"bearer":"short-secret"}"#),
            ("x", r#"{"short-secret":"1"}"#),
            ("x", "short-secret"),
        ];
        for (kind, json) in wrong {
            let why = Credentials::given(kind, json).unwrap_err();
            assert!(!why.contains("short-secret"), "{why}");
        }
        let given = Credentials::given(
            "reddit",
            r#"{"client_id":"0123456789","client_secret":"the-secret-of-it"}"#,
        )
        .unwrap();
        assert!(!format!("{given:?}").contains("the-secret"));
        let kept = serde_json::to_string(&given).unwrap();
        assert_eq!(
            expose(Credentials::given("reddit", &kept).unwrap().client_secret.as_ref()),
            "the-secret-of-it"
        );
    }

    #[test]
    fn a_granted_token_has_its_end() {
        let now = DateTime::from_timestamp(1_768_478_400, 0).unwrap();
        let granted =
            grant(br#"{"access_token":"t","token_type":"bearer","expires_in":3600}"#).unwrap();
        let with = Credentials::default().with(granted, now);
        assert_eq!(with.expires_at, DateTime::from_timestamp(1_768_482_000, 0));
        assert!(grant(br#"{"access_token":""}"#).is_none());
        assert!(grant(br#"{"error":"invalid_grant"}"#).is_none());
    }
}
