//! Secrets at rest: XChaCha20-Poly1305 under a key ring, bound to their row.
//!
//! Envelope: `1 | key id length | key id | nonce (24) | ciphertext and tag`. The associated data names
//! table, row and column, so a ciphertext moved to another row does not open.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use millrace_config::{ExposeSecret, SecretString, Secrets};

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;

/// Why a secret cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// No key is configured.
    #[error("no key for secrets: set secrets.keys, or run `millrace keys init`")]
    NoKey,
    /// The file of keys cannot be read.
    #[error("key file {path} cannot be read")]
    File {
        /// Which file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A key is not `id:base64 of 32 bytes`.
    #[error("key {0} of the key ring is not `id:base64 of 32 bytes`")]
    Malformed(usize),
    /// The envelope names a key that the ring does not hold.
    #[error("sealed with key {0:?}, which the key ring does not hold")]
    UnknownKey(String),
    /// Truncated, tampered with, or moved from another row.
    #[error("sealed secret does not open: damaged, or moved from another row")]
    Damaged,
}

/// Keys by id; the first one seals, all of them open.
pub struct KeyRing {
    keys: Vec<(String, XChaCha20Poly1305)>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids: Vec<_> = self.keys.iter().map(|(id, _)| id).collect();
        f.debug_struct("KeyRing").field("ids", &ids).finish()
    }
}

impl KeyRing {
    /// Keys from the settings: `secrets.keys`, else the key file.
    ///
    /// # Errors
    /// If there is no key or one is malformed.
    pub fn load(settings: &Secrets) -> Result<Self, SecretError> {
        let inline = settings.keys.expose_secret();
        if !inline.is_empty() {
            return Self::parse(inline);
        }
        let path = &settings.key_file;
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(SecretError::NoKey),
            Err(source) => Err(SecretError::File { path: path.display().to_string(), source }),
        }
    }

    /// Keys from text: `id:base64`, separated by commas or lines.
    ///
    /// # Errors
    /// If there is none or one is malformed.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let mut keys = Vec::new();
        let entries = text.split([',', '\n']).map(str::trim).filter(|e| !e.is_empty());
        for (n, entry) in entries.enumerate() {
            let malformed = || SecretError::Malformed(n + 1);
            let (id, key) = entry.split_once(':').ok_or_else(malformed)?;
            let key = STANDARD.decode(key.trim()).map_err(|_| malformed())?;
            let cipher = XChaCha20Poly1305::new_from_slice(&key).map_err(|_| malformed())?;
            if id.is_empty() || id.len() > 64 {
                return Err(malformed());
            }
            keys.push((id.to_owned(), cipher));
        }
        if keys.is_empty() { Err(SecretError::NoKey) } else { Ok(Self { keys }) }
    }

    /// A fresh key as text for a key file.
    #[must_use]
    pub fn generate() -> SecretString {
        let id = format!("k{:08x}", rand::random::<u32>());
        SecretString::from(format!("{id}:{}", STANDARD.encode(rand::random::<[u8; 32]>())))
    }

    /// Write a fresh key file, readable by its owner only, unless there is one.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn init_file(path: &Path) -> std::io::Result<bool> {
        use std::{io::Write, os::unix::fs::OpenOptionsExt};
        let mut options = std::fs::OpenOptions::new();
        match options.write(true).create_new(true).mode(0o600).open(path) {
            Ok(mut file) => {
                writeln!(file, "{}", Self::generate().expose_secret())?;
                file.sync_all()?;
                Ok(true)
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Id of the key that seals.
    #[must_use]
    pub fn writer(&self) -> &str {
        self.keys.first().map_or("", |(id, _)| id)
    }

    /// Seal `secret` for the row `row` of `ops.source_secrets`.
    ///
    /// # Errors
    /// If the ring is empty.
    pub fn seal(&self, row: &str, secret: &[u8]) -> Result<Vec<u8>, SecretError> {
        let (id, cipher) = self.keys.first().ok_or(SecretError::NoKey)?;
        let nonce = rand::random::<[u8; NONCE_BYTES]>();
        let payload = Payload { msg: secret, aad: &aad(row) };
        let sealed =
            cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| SecretError::Damaged)?;
        let id_bytes = u8::try_from(id.len()).map_err(|_| SecretError::Damaged)?;
        let mut envelope = vec![VERSION, id_bytes];
        envelope.extend_from_slice(id.as_bytes());
        envelope.extend_from_slice(&nonce);
        envelope.extend_from_slice(&sealed);
        Ok(envelope)
    }

    /// Open an envelope of the row `row`.
    ///
    /// # Errors
    /// If the key is not in the ring, or the envelope is damaged or of another row.
    pub fn open(&self, row: &str, envelope: &[u8]) -> Result<Vec<u8>, SecretError> {
        let damaged = || SecretError::Damaged;
        let (&version, rest) = envelope.split_first().ok_or_else(damaged)?;
        let (&id_bytes, rest) = rest.split_first().ok_or_else(damaged)?;
        let (id, rest) = rest.split_at_checked(id_bytes.into()).ok_or_else(damaged)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_BYTES).ok_or_else(damaged)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| damaged())?;
        let id = std::str::from_utf8(id).map_err(|_| damaged())?;
        if version != VERSION {
            return Err(SecretError::Damaged);
        }
        let found = self.keys.iter().find(|(key, _)| key == id);
        let (_, cipher) = found.ok_or_else(|| SecretError::UnknownKey(id.to_owned()))?;
        cipher
            .decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: &aad(row) })
            .map_err(|_| SecretError::Damaged)
    }
}

fn aad(row: &str) -> Vec<u8> {
    [b"ops.source_secrets\0", row.as_bytes(), b"\0sealed"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_what_it_sealed_and_nothing_else() {
        let old = KeyRing::generate();
        let ring = KeyRing::parse(old.expose_secret()).unwrap();
        let sealed = ring.seal("row1", b"shh").unwrap();
        assert_eq!(ring.open("row1", &sealed).unwrap(), b"shh");
        assert!(matches!(ring.open("row2", &sealed), Err(SecretError::Damaged)), "moved row");
        for at in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            assert!(ring.open("row1", &flipped).is_err(), "byte {at}");
            assert!(ring.open("row1", &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn old_keys_still_open_after_a_new_one_writes() {
        let (a, b) = (KeyRing::generate(), KeyRing::generate());
        let old = KeyRing::parse(a.expose_secret()).unwrap();
        let sealed = old.seal("r", b"x").unwrap();
        let both = format!("{},{}", b.expose_secret(), a.expose_secret());
        let ring = KeyRing::parse(&both).unwrap();
        assert_eq!(ring.open("r", &sealed).unwrap(), b"x");
        assert_ne!(ring.writer(), old.writer());
        let alone = KeyRing::parse(b.expose_secret()).unwrap();
        assert!(matches!(alone.open("r", &sealed), Err(SecretError::UnknownKey(_))));
    }

    #[test]
    fn refuses_malformed_rings() {
        for bad in ["", "k1", "k1:AAAA", ":AAAA", "k1:!!!"] {
            assert!(KeyRing::parse(bad).is_err(), "{bad}");
        }
    }
}
