//! What there is to index: the files of a commit, or of a folder as it is now.

use std::path::{Path, PathBuf};

use anyhow::Context;
use ignore::WalkBuilder;
use sha1::{Digest, Sha1};

use super::{
    git::{Blobs, Repository},
    select::FILE_BYTES_MAX,
};

/// What a name in a tree stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A file.
    File,
    /// A link to another name.
    Symlink,
    /// A commit of another repository.
    Submodule,
}

/// A name in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// From the root, with `/`.
    pub path: String,
    /// Object id of the content as git computes it, hex; equal content has equal ids, here and there.
    pub hash: String,
    /// What it is.
    pub mode: Mode,
}

/// What is in a file.
#[derive(Debug)]
pub enum Content {
    /// The bytes and their id: a folder may have changed since it was listed.
    Bytes {
        /// Object id.
        hash: String,
        /// All of them.
        bytes: Vec<u8>,
    },
    /// It was not fetched.
    TooLarge,
    /// It went away.
    Gone,
}

/// A version of a codebase.
#[derive(Debug)]
pub enum Tree {
    /// A commit of a repository of ours.
    Commit {
        /// Where it is.
        repository: Repository,
        /// Its id.
        commit: String,
        /// Reads it.
        blobs: Box<Blobs>,
    },
    /// A folder, without what its ignore files name.
    Folder(PathBuf),
}

impl Tree {
    /// All files, by path.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn entries(&self) -> anyhow::Result<Vec<Entry>> {
        let mut entries = match self {
            Self::Commit { repository, commit, .. } => repository.files(commit).await?,
            Self::Folder(root) => {
                let root = root.clone();
                tokio::task::spawn_blocking(move || walk(&root))
                    .await
                    .context("walking thread")??
            }
        };
        entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    /// The content of a file.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn read(&mut self, entry: &Entry) -> anyhow::Result<Content> {
        match self {
            Self::Commit { blobs, .. } => Ok(match blobs.read(&entry.hash).await? {
                Some(bytes) => Content::Bytes { hash: entry.hash.clone(), bytes },
                None => Content::TooLarge,
            }),
            Self::Folder(root) => {
                if entry.hash.starts_with(SIZED) {
                    return Ok(Content::TooLarge);
                }
                match tokio::fs::read(root.join(&entry.path)).await {
                    Ok(bytes) => Ok(Content::Bytes { hash: blob_id(&bytes), bytes }),
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Content::Gone),
                    Err(e) => Err(e).with_context(|| entry.path.clone()),
                }
            }
        }
    }
}

/// Files of a folder. Every one is read: an edit that keeps size and time is an edit.
fn walk(root: &Path) -> anyhow::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let own = |entry: &ignore::DirEntry| entry.file_name() != ".git";
    let walk = WalkBuilder::new(root).hidden(false).require_git(false).filter_entry(own).build();
    for found in walk {
        let found = found.context("walking the folder")?;
        let Some(kind) = found.file_type().filter(|kind| !kind.is_dir()) else { continue };
        let path =
            found.path().strip_prefix(root).unwrap_or(found.path()).to_string_lossy().into_owned();
        let (hash, mode) = if kind.is_symlink() {
            (String::new(), Mode::Symlink)
        } else if kind.is_file() {
            let Some(hash) = hash(found.path())? else { continue };
            (hash, Mode::File)
        } else {
            continue;
        };
        entries.push(Entry { path, hash, mode });
    }
    Ok(entries)
}

/// In place of an id.
const SIZED: &str = "size:";

/// None if it is gone. What is too large to be looked into is known by its size.
fn hash(path: &Path) -> anyhow::Result<Option<String>> {
    let read = || {
        let size = std::fs::metadata(path)?.len();
        Ok(if size > FILE_BYTES_MAX {
            format!("{SIZED}{size}")
        } else {
            blob_id(&std::fs::read(path)?)
        })
    };
    match read() {
        Ok(hash) => Ok(Some(hash)),
        Err(e) if std::io::Error::kind(&e) == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).with_context(|| path.display().to_string()),
    }
}

/// The id that git gives to a blob: SHA-1 over its kind, its length and its bytes.
#[must_use]
pub fn blob_id(content: &[u8]) -> String {
    let mut hasher = Sha1::new();
    hasher.update(format!("blob {}\0", content.len()));
    hasher.update(content);
    hex::encode(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_git() {
        // `printf 'hello\n' | git hash-object --stdin`, and of nothing.
        assert_eq!(blob_id(b"hello\n"), "ce013625030ba8dba906f756967f9e9ca394464a");
        assert_eq!(blob_id(b""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
    }
}
