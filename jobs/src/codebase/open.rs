//! Where a codebase is, and its tree as it is now.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use millrace_config::{Clock, SecretString, Settings};
use url::Url;

use super::{access, git::Repository, tree::Tree};
use crate::{signals::endpoint::is_private_host, store::codebase::connections::Connection};

/// The branch that the repository itself calls its first.
pub const ITS_OWN: &str = "HEAD";

/// The codebase at this address is a folder of this machine.
#[must_use]
pub fn is_folder(repository_url: &str) -> bool {
    repository_url.starts_with('/')
}

/// Whether a worker may go there: what a row says may have been written by many hands, and a folder of this machine or
/// a service of its network is not for all of them to read.
///
/// # Errors
/// Why not.
pub fn allowed(settings: &Settings, of: &Connection) -> Result<(), &'static str> {
    if settings.codebase.allow_local {
        return Ok(());
    }
    match Url::parse(&of.repository_url) {
        Ok(url) if url.scheme() != "https" => Err("only https, unless codebase.allow_local"),
        Ok(url) if is_private_host(&url) => Err("only public hosts, unless codebase.allow_local"),
        Ok(_) => Ok(()),
        Err(_) => Err("no folders, unless codebase.allow_local"),
    }
}

/// The tree, and its commit if it is a repository's: the newest one of the branch, whatever a delivery said.
///
/// # Errors
/// If it cannot be reached.
pub async fn open(
    settings: &Settings,
    clock: &Clock,
    of: &Connection,
) -> anyhow::Result<(Tree, Option<String>)> {
    if is_folder(&of.repository_url) {
        let folder = PathBuf::from(&of.repository_url);
        ensure!(folder.is_dir(), "there is no folder {}", folder.display());
        return Ok((Tree::Folder(folder), None));
    }
    let repository = Repository::open(&place(settings, of), &of.repository_url).await?;
    let token = token(settings, clock, of).await?;
    let commit = repository.fetch(branch(of), token.as_ref()).await?;
    let blobs = Box::new(repository.blobs()?);
    Ok((Tree::Commit { repository, commit: commit.clone(), blobs }, Some(commit)))
}

/// The newest commit of the branch, without fetching it.
///
/// # Errors
/// If the repository cannot be reached.
pub async fn newest(settings: &Settings, clock: &Clock, of: &Connection) -> anyhow::Result<String> {
    let repository = Repository::open(&place(settings, of), &of.repository_url).await?;
    repository.newest(branch(of), token(settings, clock, of).await?.as_ref()).await
}

/// Our own repository of a codebase, which can be made anew at any time, is deleted.
pub fn forget(settings: &Settings, of: &Connection) {
    std::fs::remove_dir_all(place(settings, of)).ok();
}

async fn token(
    settings: &Settings,
    clock: &Clock,
    of: &Connection,
) -> anyhow::Result<Option<SecretString>> {
    let url = Url::parse(&of.repository_url).context("the address of the repository")?;
    access::token(&settings.codebase, &url, of.github_installation_id, clock.now()).await
}

fn branch(of: &Connection) -> Option<&str> {
    Some(of.default_branch.as_str()).filter(|branch| *branch != ITS_OWN)
}

fn place(settings: &Settings, of: &Connection) -> PathBuf {
    settings.codebase.folder.join(format!("{}.git", of.id))
}
