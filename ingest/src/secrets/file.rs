//! The key file: one `id:base64` per line, the one that seals first. It is replaced as a whole, so that whoever reads it
//! meanwhile sees it before or after.

use std::{io::Write, os::unix::fs::OpenOptionsExt, path::Path};

use millrace_config::ExposeSecret;

use super::{KeyRing, SecretError, keys_of};

/// Write a fresh key file, readable by its owner only, unless there is one.
///
/// # Errors
/// If the file cannot be written.
pub fn init(path: &Path) -> std::io::Result<bool> {
    let mut options = std::fs::OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            writeln!(file, "{}", KeyRing::generate().expose_secret())?;
            file.sync_all()?;
            Ok(true)
        }
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(e),
    }
}

/// Add a fresh key that opens and does not seal yet; its id.
///
/// # Errors
/// If the file cannot be read or written.
pub fn add(path: &Path) -> Result<String, SecretError> {
    let fresh = KeyRing::generate();
    change(path, |lines| lines.push(fresh.expose_secret().to_owned()))?;
    Ok(id(fresh.expose_secret()).to_owned())
}

/// From now on the key `key` seals.
///
/// # Errors
/// If there is no such key, or the file cannot be read or written.
pub fn promote(path: &Path, key: &str) -> Result<(), SecretError> {
    let at = position(path, key)?;
    change(path, |lines| lines.get_mut(..=at).unwrap_or_default().rotate_right(1))
}

/// Forget the key `key`.
///
/// # Errors
/// If there is no such key, or the file cannot be read or written.
pub fn remove(path: &Path, key: &str) -> Result<(), SecretError> {
    let at = position(path, key)?;
    change(path, |lines| drop(lines.remove(at)))
}

pub(super) fn read(path: &Path) -> Result<String, SecretError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(SecretError::NoKey),
        Err(source) => Err(failed(path, source)),
    }
}

fn lines(path: &Path) -> Result<Vec<String>, SecretError> {
    let text = read(path)?;
    keys_of(&text)?;
    let lines = text.split([',', '\n']).map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.map(str::to_owned).collect())
}

fn id(line: &str) -> &str {
    line.split_once(':').map_or(line, |(id, _)| id)
}

fn position(path: &Path, key: &str) -> Result<usize, SecretError> {
    let at = lines(path)?.iter().position(|line| id(line) == key);
    at.ok_or_else(|| SecretError::NoSuchKey(key.to_owned()))
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<String>)) -> Result<(), SecretError> {
    let mut lines = lines(path)?;
    change(&mut lines);
    replace(path, &lines).map_err(|source| failed(path, source))
}

fn replace(path: &Path, lines: &[String]) -> std::io::Result<()> {
    let new = path.with_extension("new");
    // Left by somebody who was killed: its mode may be another.
    match std::fs::remove_file(&new) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    for line in lines {
        writeln!(file, "{line}")?;
    }
    file.sync_all()?;
    std::fs::rename(&new, path)
}

fn failed(path: &Path, source: std::io::Error) -> SecretError {
    SecretError::File { path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_ring_follows_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.key");
        assert!(init(&path).unwrap() && !init(&path).unwrap());
        let settings = millrace_config::Secrets { keys: "".into(), key_file: path.clone() };
        let running = KeyRing::load(&settings).unwrap();
        let old = running.writer();
        let sealed_before = running.seal("r", b"x").unwrap();

        let new = add(&path).unwrap();
        assert_eq!(KeyRing::load(&settings).unwrap().ids(), [old.clone(), new.clone()]);
        promote(&path, &new).unwrap();
        promote(&path, &new).unwrap();
        let later = KeyRing::load(&settings).unwrap();
        assert_eq!(later.ids(), [new.clone(), old.clone()], "promoting twice is promoting once");
        assert_eq!(later.open("r", &sealed_before).unwrap(), b"x");
        let sealed_after = later.seal("r", b"y").unwrap();
        assert_eq!(running.open("r", &sealed_after).unwrap(), b"y", "it looks for what it has not");

        remove(&path, &old).unwrap();
        let alone = KeyRing::load(&settings).unwrap();
        assert_eq!(alone.open("r", &sealed_after).unwrap(), b"y");
        assert!(matches!(alone.open("r", &sealed_before), Err(SecretError::UnknownKey(_))));
        assert!(matches!(remove(&path, &old), Err(SecretError::NoSuchKey(_))));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
