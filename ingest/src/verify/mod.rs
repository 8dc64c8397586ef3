//! Signature verification, driven by a table of records (`schemes.toml`): a new provider is data.
//!
//! Raw bytes only; nothing of a body is believed before its signature is.

mod base;
mod field;
mod handshake;
mod key;
mod sign;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use http::HeaderMap;
use ring::{digest, hmac, signature};
use serde::{Deserialize, Serialize};

pub use base::Base;
pub use field::{Field, Stamp, Unit};
pub use handshake::{crc_response, verify_token};
pub use key::Secret;
pub use sign::{Unsigned, fresh_secret, sign};

use crate::source::Reject;

/// What is done with the signed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the variants are the algorithms' names")]
pub enum Algorithm {
    HmacSha1,
    HmacSha256,
    HmacSha512,
    Ed25519,
    EcdsaP256,
    /// The "signature" is the secret itself; compared by SHA-256.
    ApiKey,
    /// Refuses everything.
    None,
}

/// How a stored secret becomes a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyForm {
    /// The bytes of the text.
    #[default]
    Text,
    /// Base64 after an optional `whsec_` (Standard Webhooks).
    Whsec,
    /// Hexadecimal.
    Hex,
    /// A public key: PEM, DER in base64, or the raw key in base64 or hex, with an optional `whpk_`.
    Public,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the variants are the encodings' names")]
pub enum Encoding {
    #[default]
    Plain,
    Hex,
    Base64,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// One line for people.
    #[serde(default)]
    pub about: String,
    /// What is computed.
    pub algorithm: Algorithm,
    /// How the secret is read.
    #[serde(default)]
    pub key: KeyForm,
    /// How the signature is written.
    #[serde(default)]
    pub encoding: Encoding,
    /// What is signed.
    #[serde(default)]
    pub base: Base,
    /// Where the signature stands.
    pub signature: Field,
    /// Where the timestamp stands, if there is one.
    #[serde(default)]
    pub timestamp: Option<Stamp>,
    /// Where the vendor's delivery id stands, if there is one.
    #[serde(default)]
    pub id: Option<Field>,
}

/// A request as a verifier sees it.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// `POST` and so on.
    pub method: &'a str,
    /// The full public URL that the sender called, with its query (HubSpot signs it).
    pub uri: &'a str,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// The key in the URL's path, if it has one.
    pub path_key: Option<&'a str>,
    /// The body exactly as received.
    pub body: &'a [u8],
}

/// A delivery whose sender holds one of the secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Which of the secrets given.
    pub secret_index: usize,
    /// The vendor's delivery id; covered by the signature where the scheme's base has `{id}`.
    pub delivery_id: Option<String>,
    /// The signed time.
    pub timestamp: Option<DateTime<Utc>>,
}

static TABLE: LazyLock<BTreeMap<String, Scheme>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "embedded file; a test parses it")]
    toml::from_str(include_str!("schemes.toml")).expect("schemes.toml is valid")
});

/// The built-in schemes by name.
#[must_use]
pub fn schemes() -> &'static BTreeMap<String, Scheme> {
    &TABLE
}

/// A built-in scheme, or the source's own record if the name is `custom`.
#[must_use]
pub fn scheme(name: &str) -> Option<&'static Scheme> {
    TABLE.get(name)
}

impl Scheme {
    /// Read and check a source's own record.
    ///
    /// # Errors
    /// Says in one line what is wrong with it.
    pub fn custom(spec: &serde_json::Value) -> Result<Self, String> {
        let scheme: Self = serde_json::from_value(spec.clone()).map_err(|e| e.to_string())?;
        scheme.check()?;
        Ok(scheme)
    }

    /// Whether the record can protect anything.
    ///
    /// # Errors
    /// Says in one line what is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        let asymmetric = matches!(self.algorithm, Algorithm::Ed25519 | Algorithm::EcdsaP256);
        if asymmetric != (self.key == KeyForm::Public) {
            return Err(
                "key = \"public\" belongs to ed25519 and ecdsa-p256, and only to them".into()
            );
        }
        if self.algorithm == Algorithm::None {
            return Ok(());
        }
        if self.signature.is_nowhere() {
            return Err("signature names no header, form field, JSON pointer or path".into());
        }
        if self.is_api_key() {
            return Ok(());
        }
        if self.encoding == Encoding::Plain {
            return Err("encoding must be hex or base64".into());
        }
        if !self.base.has_body() && !self.signature.in_body() {
            return Err("base must contain {body}: otherwise any body passes".into());
        }
        let stamped = self.timestamp.as_ref();
        if self.base.has_ts() && stamped.is_none() {
            return Err("base contains {ts} but there is no timestamp".into());
        }
        if stamped.is_some_and(|s| !s.at.in_body()) && !self.base.has_ts() {
            return Err("the timestamp is not part of base: it would protect nothing".into());
        }
        if self.base.has_id() && self.id.is_none() {
            return Err("base contains {id} but there is no id".into());
        }
        Ok(())
    }

    /// The sender presents the secret itself; store only its SHA-256.
    #[must_use]
    pub fn is_api_key(&self) -> bool {
        self.algorithm == Algorithm::ApiKey
    }
}

const fn reject(code: &'static str, message: &'static str) -> Reject {
    Reject { code, message }
}

/// Check a delivery against all active secrets.
///
/// # Errors
/// A [`Reject`] whose `code` is the reason and whose `message` tells the sender no more than that
/// authentication failed. `secret_missing` means that the source is not ready (503), all others 401.
pub fn verify(
    scheme: &Scheme,
    parts: &Parts<'_>,
    secrets: &[Secret],
    now: DateTime<Utc>,
) -> Result<Verified, Reject> {
    if scheme.algorithm == Algorithm::None {
        return Err(reject("unsigned_refused", "No authentication provided"));
    }
    if secrets.is_empty() {
        return Err(reject("secret_missing", "Source is not ready"));
    }
    let found = scheme.signature.all(parts)?;
    if found.is_empty() {
        return Err(reject("signature_missing", "No authentication provided"));
    }
    let id = match &scheme.id {
        Some(field) => field.one(parts)?,
        None => None,
    };
    if scheme.is_api_key() {
        let secret_index = key_of(scheme, &found, secrets)?;
        return Ok(Verified { secret_index, delivery_id: id, timestamp: None });
    }
    let stamp = match &scheme.timestamp {
        Some(stamp) => Some(stamp.read(parts, now)?),
        None => None,
    };
    if scheme.base.has_id() && id.is_none() {
        return Err(reject("id_missing", "Invalid signature"));
    }
    let ts = stamp.as_ref().map_or("", |s| s.text.as_str());
    let message = scheme.base.fill(parts, id.as_deref().unwrap_or(""), ts);
    let candidates: Vec<Vec<u8>> =
        found.iter().filter_map(|s| decode(scheme.encoding, s)).collect();
    if candidates.is_empty() {
        return Err(reject("signature_malformed", "Invalid signature"));
    }
    let secret_index = signer_of(scheme, &message, &candidates, secrets)?;
    Ok(Verified { secret_index, delivery_id: id, timestamp: stamp.map(|s| s.at) })
}

/// Index of the secret that made one of the signatures.
fn signer_of(
    scheme: &Scheme,
    message: &[u8],
    candidates: &[Vec<u8>],
    secrets: &[Secret],
) -> Result<usize, Reject> {
    let mut usable = false;
    for (index, secret) in secrets.iter().enumerate() {
        let Ok(key) = secret.key(scheme) else { continue };
        usable = true;
        if candidates.iter().any(|signature| matches(scheme.algorithm, &key, message, signature)) {
            return Ok(index);
        }
    }
    if usable {
        Err(reject("signature_mismatch", "Invalid signature"))
    } else {
        // A key of the wrong kind never verifies anything; it is our configuration that is broken.
        Err(reject("secret_unusable", "Source is not ready"))
    }
}

fn matches(algorithm: Algorithm, key: &[u8], message: &[u8], candidate: &[u8]) -> bool {
    let mac = |a| hmac::verify(&hmac::Key::new(a, key), message, candidate).is_ok();
    let public = |a| signature::UnparsedPublicKey::new(a, key).verify(message, candidate).is_ok();
    match algorithm {
        Algorithm::HmacSha1 => mac(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        Algorithm::HmacSha256 => mac(hmac::HMAC_SHA256),
        Algorithm::HmacSha512 => mac(hmac::HMAC_SHA512),
        Algorithm::Ed25519 => public(&signature::ED25519),
        Algorithm::EcdsaP256 => public(&signature::ECDSA_P256_SHA256_ASN1),
        Algorithm::ApiKey | Algorithm::None => false,
    }
}

/// Index of the secret that was presented. All are compared, each in constant time.
fn key_of(scheme: &Scheme, found: &[String], secrets: &[Secret]) -> Result<usize, Reject> {
    let [presented] = found else {
        return Err(reject("key_malformed", "Invalid API key"));
    };
    let presented =
        decode(scheme.encoding, presented).ok_or(reject("key_malformed", "Invalid API key"))?;
    let hash = hash_key(&presented);
    let mut hit = None;
    for (index, secret) in secrets.iter().enumerate() {
        if same(&secret.hash(), &hash) {
            hit = Some(index);
        }
    }
    hit.ok_or(reject("key_unknown", "Invalid API key"))
}

/// SHA-256 of an API key: what is stored of it.
#[must_use]
pub fn hash_key(key: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, key).as_ref());
    out
}

fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.iter().zip(b).fold(0, |diff, (x, y)| diff | (x ^ y)) == 0
}

fn decode(encoding: Encoding, text: &str) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Plain => Some(text.as_bytes().to_vec()),
        Encoding::Hex => hex::decode(text).ok(),
        Encoding::Base64 => key::base64(text),
    }
}

#[cfg(test)]
mod bit_flips;
#[cfg(test)]
mod tests;
