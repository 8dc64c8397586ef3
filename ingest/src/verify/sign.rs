//! The sender's side: for `millrace send`, the demo and tests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::HeaderMap;
use ring::{hmac, rand::SystemRandom, signature};

use super::{Algorithm, Encoding, Field, KeyForm, Parts, Scheme, Secret, key};

/// A request that is still to be signed.
#[derive(Debug, Clone, Copy)]
pub struct Unsigned<'a> {
    /// `POST` and so on.
    pub method: &'a str,
    /// The full URL that will be called.
    pub uri: &'a str,
    /// The body exactly as it will be sent.
    pub body: &'a [u8],
    /// Delivery id, for schemes that have one.
    pub id: &'a str,
    /// Time of signing.
    pub timestamp: DateTime<Utc>,
}

/// The headers that make a request pass [`super::verify`]. Where the scheme keeps its signature in
/// the body (Mailgun) they are form fields, to be added to the body instead; a key in the path is
/// the part named `:path`.
///
/// # Errors
/// Says in one line why this secret cannot sign (asymmetric schemes need the private key: PKCS#8 as
/// PEM or base64, or `whsk_...`).
pub fn sign(
    scheme: &Scheme,
    secret: &str,
    request: &Unsigned<'_>,
) -> Result<Vec<(String, String)>, &'static str> {
    let headers = HeaderMap::new();
    let parts = Parts {
        method: request.method,
        uri: request.uri,
        headers: &headers,
        path_key: None,
        body: request.body,
    };
    let ts = scheme.timestamp.as_ref().map(|s| s.unit.write(request.timestamp)).unwrap_or_default();
    let message = scheme.base.fill(&parts, request.id, &ts);
    let raw = match scheme.algorithm {
        Algorithm::HmacSha1 => mac(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, scheme, secret, &message)?,
        Algorithm::HmacSha256 => mac(hmac::HMAC_SHA256, scheme, secret, &message)?,
        Algorithm::HmacSha512 => mac(hmac::HMAC_SHA512, scheme, secret, &message)?,
        Algorithm::Ed25519 => ed25519(secret)?.sign(&message).as_ref().to_vec(),
        Algorithm::EcdsaP256 => ecdsa(secret, &message)?,
        Algorithm::ApiKey => secret.as_bytes().to_vec(),
        Algorithm::None => return Err("the scheme refuses everything"),
    };
    let text = match scheme.encoding {
        Encoding::Plain => String::from_utf8(raw).map_err(|_| "the key is not text")?,
        Encoding::Hex => hex::encode(raw),
        Encoding::Base64 => STANDARD.encode(raw),
    };
    let mut out = Vec::new();
    put(&mut out, &scheme.signature, &text);
    if let Some(stamp) = &scheme.timestamp {
        put(&mut out, &stamp.at, &ts);
    }
    if let Some(id) = scheme.id.as_ref().filter(|_| !request.id.is_empty()) {
        put(&mut out, id, request.id);
    }
    Ok(out)
}

/// Write a value where the verifier will look for it; two values in one header share it (Stripe).
fn put(out: &mut Vec<(String, String)>, field: &Field, value: &str) {
    let value = format!("{}{value}", field.prefix.as_deref().unwrap_or(""));
    let name = match (field.headers.first(), &field.form, field.path) {
        (Some(header), _, _) => header.as_str(),
        (None, Some(form), _) => form.as_str(),
        (None, None, true) => ":path",
        (None, None, false) => return,
    };
    match (out.iter_mut().find(|(n, _)| n == name), field.separator) {
        (Some((_, all)), Some(separator)) => *all = format!("{value}{separator}{all}"),
        _ => out.push((name.to_owned(), value)),
    }
}

fn mac(
    algorithm: hmac::Algorithm,
    scheme: &Scheme,
    secret: &str,
    message: &[u8],
) -> Result<Vec<u8>, &'static str> {
    let key = Secret::text(secret).key(scheme)?;
    Ok(hmac::sign(&hmac::Key::new(algorithm, &key), message).as_ref().to_vec())
}

fn ed25519(secret: &str) -> Result<signature::Ed25519KeyPair, &'static str> {
    const UNUSABLE: &str = "not an Ed25519 private key (whsk_..., PKCS#8 or a seed)";
    let bytes = key::key_bytes(secret.strip_prefix("whsk_").unwrap_or(secret)).ok_or(UNUSABLE)?;
    if let Some(seed) = bytes.get(..32).filter(|_| matches!(bytes.len(), 32 | 64)) {
        return signature::Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| UNUSABLE);
    }
    signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(&bytes).map_err(|_| UNUSABLE)
}

fn ecdsa(secret: &str, message: &[u8]) -> Result<Vec<u8>, &'static str> {
    const UNUSABLE: &str = "not a P-256 private key (PKCS#8)";
    let bytes = key::key_bytes(secret).ok_or(UNUSABLE)?;
    let rng = SystemRandom::new();
    let pair = signature::EcdsaKeyPair::from_pkcs8(
        &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
        &bytes,
        &rng,
    )
    .map_err(|_| UNUSABLE)?;
    pair.sign(&rng, message).map(|s| s.as_ref().to_vec()).map_err(|_| UNUSABLE)
}

/// A fresh secret in the form the scheme reads; none where only the vendor can make one.
#[must_use]
pub fn fresh_secret(scheme: &Scheme) -> Option<String> {
    let random = rand::random::<[u8; 32]>();
    match scheme.key {
        KeyForm::Text | KeyForm::Hex => Some(hex::encode(random)),
        KeyForm::Whsec => Some(format!("whsec_{}", STANDARD.encode(random))),
        KeyForm::Public => None,
    }
}
