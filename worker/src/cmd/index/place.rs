//! Where a codebase is, as its user says it.

use std::path::Path;

use millrace_jobs::{
    codebase::open::{ITS_OWN, is_folder},
    store::codebase::connections::{Connection, Repository},
};
use url::Url;

use crate::cli::{NotFound, Usage};

/// A folder or a repository, and the project it belongs to.
#[derive(Debug)]
pub(super) struct Place {
    url: String,
    owner: String,
    name: String,
    pub(super) project: String,
    branch: String,
    installation: i64,
}

impl Place {
    pub(super) fn new(
        target: &str,
        project: Option<String>,
        branch: Option<String>,
        installation: i64,
    ) -> anyhow::Result<Self> {
        let (url, path) = if target.contains("://") { address(target)? } else { folder(target)? };
        let mut parts = path.trim_end_matches(".git").rsplit('/');
        let name = parts.next().unwrap_or_default().to_owned();
        let owner = parts.next().unwrap_or_default().to_owned();
        let project = project.unwrap_or_else(|| name.to_lowercase());
        if project.is_empty() {
            return Err(Usage("name the project with --project".into()).into());
        }
        let branch = branch.unwrap_or_else(|| ITS_OWN.into());
        Ok(Self { url, owner, name, project, branch, installation })
    }

    /// The folder of this machine, if it is one.
    pub(super) fn folder(&self) -> Option<&Path> {
        is_folder(&self.url).then(|| Path::new(&self.url))
    }

    pub(super) fn repository(&self) -> Repository<'_> {
        Repository {
            url: &self.url,
            owner: &self.owner,
            name: &self.name,
            branch: &self.branch,
            installation: self.installation,
        }
    }

    /// As it would be stored.
    pub(super) fn connection(&self) -> Connection {
        Connection {
            project: self.project.clone(),
            repository_url: self.url.clone(),
            default_branch: self.branch.clone(),
            github_installation_id: self.installation,
            ..Connection::default()
        }
    }
}

fn address(target: &str) -> anyhow::Result<(String, String)> {
    let url = Url::parse(target).map_err(|e| Usage(format!("{target}: {e}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        let better = "no names or tokens in the address, which is stored: put the token into codebase.tokens";
        return Err(Usage(better.into()).into());
    }
    Ok((target.to_owned(), url.path().trim_matches('/').to_owned()))
}

fn folder(target: &str) -> anyhow::Result<(String, String)> {
    let path = Path::new(target).canonicalize().map_err(|e| NotFound(format!("{target}: {e}")))?;
    if !path.is_dir() {
        return Err(Usage(format!("{target} is no folder")).into());
    }
    let path = path.display().to_string();
    Ok((path.clone(), path))
}
