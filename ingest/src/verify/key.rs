//! Secrets as they are stored, and the keys they stand for.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet, engine::general_purpose};

use super::{Algorithm, KeyForm, Scheme, hash_key};

/// A secret of a source. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub enum Secret {
    /// The text that the vendor shows (signing secret, public key, token).
    Text(Vec<u8>),
    /// SHA-256 of an API key.
    Sha256([u8; 32]),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// SubjectPublicKeyInfo of Ed25519 (RFC 8410), up to the 32 key bytes.
const SPKI_ED25519: &[u8] =
    &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// SubjectPublicKeyInfo of a P-256 key (RFC 5480), up to the 65 bytes of the uncompressed point.
const SPKI_P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

impl Secret {
    /// A secret in its text form.
    #[must_use]
    pub fn text(text: impl Into<Vec<u8>>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        match self {
            Self::Text(text) => hash_key(text),
            Self::Sha256(hash) => *hash,
        }
    }

    /// Whether this secret can serve the scheme; for `source add`, before anything depends on it.
    ///
    /// # Errors
    /// Says in one line what is wrong, without the secret.
    pub fn check(&self, scheme: &Scheme) -> Result<(), &'static str> {
        if scheme.is_api_key() { Ok(()) } else { self.key(scheme).map(drop) }
    }

    /// Key bytes for the scheme's algorithm.
    pub(super) fn key(&self, scheme: &Scheme) -> Result<Vec<u8>, &'static str> {
        let Self::Text(text) = self else {
            return Err("only the hash of this secret is stored; the scheme needs the secret");
        };
        if text.is_empty() {
            return Err("the secret is empty");
        }
        let text = std::str::from_utf8(text).map_err(|_| "the secret is not UTF-8 text")?.trim();
        if scheme.key == KeyForm::Public {
            return public_key(text, scheme.algorithm);
        }
        // A public key is known to everybody: as an HMAC key it would let anybody sign.
        if text.starts_with("-----BEGIN") || text.starts_with("whpk_") || text.starts_with("whsk_")
        {
            return Err("this is an asymmetric key; the scheme needs a shared secret");
        }
        match scheme.key {
            KeyForm::Text => Ok(text.as_bytes().to_vec()),
            KeyForm::Hex => hex::decode(text).map_err(|_| "the secret is not hexadecimal"),
            KeyForm::Whsec => {
                let key = base64(text.strip_prefix("whsec_").unwrap_or(text))
                    .ok_or("the secret is not base64 (after whsec_)")?;
                // The specification asks for 24 to 64 bytes; some senders use shorter ones.
                if key.len() < 16 { Err("the secret is shorter than 16 bytes") } else { Ok(key) }
            }
            KeyForm::Public => Err("unreachable: handled above"),
        }
    }
}

fn public_key(text: &str, algorithm: Algorithm) -> Result<Vec<u8>, &'static str> {
    if text.starts_with("whsec_") || text.starts_with("whsk_") || text.contains("PRIVATE KEY") {
        return Err("this is a private or shared secret; the scheme needs the sender's public key");
    }
    let bytes = key_bytes(text.strip_prefix("whpk_").unwrap_or(text))
        .ok_or("the key is not PEM, base64 or hex")?;
    let ed25519 = algorithm == Algorithm::Ed25519;
    let (spki, raw_len) = if ed25519 { (SPKI_ED25519, 32) } else { (SPKI_P256, 65) };
    let raw = bytes.strip_prefix(spki).unwrap_or(&bytes);
    if raw.len() == raw_len { Ok(raw.to_vec()) } else { Err("the key is not of the scheme's kind") }
}

/// Bytes of a key written as PEM, hexadecimal or base64.
pub(super) fn key_bytes(text: &str) -> Option<Vec<u8>> {
    if text.starts_with("-----BEGIN") {
        let inner: String =
            text.lines().filter(|l| !l.starts_with("-----")).map(str::trim).collect();
        return base64(&inner);
    }
    hex::decode(text).ok().or_else(|| base64(text))
}

/// Base64 in either alphabet, padded or not: vendors differ.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig =
        general_purpose::PAD.with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}
