//! Secrets at rest: XChaCha20-Poly1305 under a key ring, bound to their row.
//!
//! Envelope: `1 | key id length | key id | nonce (24) | ciphertext and tag`. The associated data names
//! table, row and column, so a ciphertext moved to another row does not open.

pub mod file;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use millrace_config::{ExposeSecret, SecretString, Secrets};

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
/// Between two looks into the file for a key that is not in memory.
const LOOK_EVERY: Duration = Duration::from_millis(100);

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
    /// A key file is asked for a key that it does not have.
    #[error("the key ring has no key {0:?}; `millrace keys ls` shows them")]
    NoSuchKey(String),
    /// Truncated, tampered with, or moved from another row.
    #[error("sealed secret does not open: damaged, or moved from another row")]
    Damaged,
}

/// Keys by id; the first one seals, all of them open. A ring from a file looks there again when an envelope names a key
/// that it does not hold: keys can be added while the service runs.
pub struct KeyRing {
    keys: RwLock<Arc<Keys>>,
    file: Option<PathBuf>,
    looked: Mutex<Option<Instant>>,
}

type Keys = Vec<(String, XChaCha20Poly1305)>;

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing").field("ids", &self.ids()).finish_non_exhaustive()
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
        let text = file::read(&settings.key_file)?;
        Ok(Self { file: Some(settings.key_file.clone()), ..Self::parse(&text)? })
    }

    /// Keys from text: `id:base64`, separated by commas or lines.
    ///
    /// # Errors
    /// If there is none or one is malformed.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let keys = RwLock::new(Arc::new(keys_of(text)?));
        Ok(Self { keys, file: None, looked: Mutex::default() })
    }

    /// A fresh key as text for a key file.
    #[must_use]
    pub fn generate() -> SecretString {
        let id = format!("k{:08x}", rand::random::<u32>());
        SecretString::from(format!("{id}:{}", STANDARD.encode(rand::random::<[u8; 32]>())))
    }

    /// Ids of all keys, that of the key that seals first.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        self.keys().iter().map(|(id, _)| id.clone()).collect()
    }

    /// Id of the key that seals.
    #[must_use]
    pub fn writer(&self) -> String {
        self.ids().into_iter().next().unwrap_or_default()
    }

    fn keys(&self) -> Arc<Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the file was looked into just now.
    fn reloaded(&self) -> bool {
        let Some(path) = &self.file else { return false };
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return false;
        }
        *looked = Some(Instant::now());
        match file::read(path).and_then(|text| keys_of(&text)) {
            Ok(keys) => {
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
                true
            }
            Err(e) => {
                tracing::error!(error = %e, "the key file cannot be read again");
                false
            }
        }
    }

    /// Seal `secret` for the row `row` of `ops.source_secrets`.
    ///
    /// # Errors
    /// If the ring is empty.
    pub fn seal(&self, row: &str, secret: &[u8]) -> Result<Vec<u8>, SecretError> {
        let keys = self.keys();
        let (id, cipher) = keys.first().ok_or(SecretError::NoKey)?;
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
        match open(&self.keys(), row, envelope) {
            Err(SecretError::UnknownKey(_)) if self.reloaded() => open(&self.keys(), row, envelope),
            done => done,
        }
    }
}

fn keys_of(text: &str) -> Result<Keys, SecretError> {
    let mut keys = Keys::new();
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
    if keys.is_empty() { Err(SecretError::NoKey) } else { Ok(keys) }
}

/// Id of the key that sealed an envelope; absent if it is no envelope.
#[must_use]
pub fn sealed_with(envelope: &[u8]) -> Option<&str> {
    parts(envelope).map(|(id, _, _)| id)
}

/// Key id, nonce, ciphertext.
fn parts(envelope: &[u8]) -> Option<(&str, [u8; NONCE_BYTES], &[u8])> {
    let (&version, rest) = envelope.split_first()?;
    let (&id_bytes, rest) = rest.split_first()?;
    let (id, rest) = rest.split_at_checked(id_bytes.into())?;
    let (nonce, sealed) = rest.split_at_checked(NONCE_BYTES)?;
    let id = std::str::from_utf8(id).ok()?;
    (version == VERSION).then_some((id, nonce.try_into().ok()?, sealed))
}

fn open(keys: &Keys, row: &str, envelope: &[u8]) -> Result<Vec<u8>, SecretError> {
    let (id, nonce, sealed) = parts(envelope).ok_or(SecretError::Damaged)?;
    let found = keys.iter().find(|(key, _)| key == id);
    let (_, cipher) = found.ok_or_else(|| SecretError::UnknownKey(id.to_owned()))?;
    cipher
        .decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: &aad(row) })
        .map_err(|_| SecretError::Damaged)
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
        assert_eq!(sealed_with(&sealed), Some(&*old.writer()));
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
