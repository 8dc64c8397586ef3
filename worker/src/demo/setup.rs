//! The demo workspace, its key and its sources; made once, remembered in the state folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use millrace_config::{ExposeSecret, SecretString};
use millrace_ingest::{
    registry::{
        admin::{self, NewSource},
        keys,
    },
    secrets::KeyRing,
    sources,
};
use millrace_jobs::store::workspaces;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use crate::private;

/// Id of the demo workspace.
pub const WORKSPACE: &str = "demo";
const SCOPES: [&str; 3] = ["read", "write", "operate"];

/// What `up` prints and `send` uses. Holds secrets: its file is for its owner only.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Setup {
    /// Where the server listens, without a final slash.
    pub url: String,
    /// The demo workspace.
    pub workspace: String,
    /// An API key of that workspace.
    pub api_key: String,
    /// One source of every kind.
    pub sources: Vec<DemoSource>,
}

/// A source whose secret is known here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DemoSource {
    /// `ops.sources.id`.
    pub id: String,
    /// Unique in the workspace.
    pub name: String,
    /// Kind of source.
    pub kind: String,
    /// Signature scheme.
    pub scheme: String,
    /// Unguessable part of its URL.
    pub path_id: String,
    /// Its secret or API key.
    pub secret: String,
}

impl Setup {
    /// The file of a state folder.
    #[must_use]
    pub fn path(home: &Path) -> PathBuf {
        home.join("demo.json")
    }

    /// What `up` left in the state folder.
    ///
    /// # Errors
    /// If `up` has not run there.
    pub fn load(home: &Path) -> Result<Self> {
        let path = Self::path(home);
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("{} is missing: start `millrace up` with this --home", path.display())
        })?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    /// Makes what is missing of workspace, key and sources, and remembers it for a server at `url`.
    ///
    /// # Errors
    /// If the database does not answer or the file cannot be written.
    pub async fn ensure(home: &Path, pool: &PgPool, ring: &KeyRing, url: String) -> Result<Self> {
        workspaces::add(pool, Some(WORKSPACE), "Hedgerow (demo)").await?;
        let mut setup = Self::load(home).unwrap_or_default();
        setup.url = url;
        setup.workspace = WORKSPACE.into();
        if keys::find(pool, &setup.api_key).await?.is_none_or(|key| key.workspace_id != WORKSPACE) {
            let mut connection = pool.acquire().await?;
            let (_, text) =
                keys::create(&mut connection, WORKSPACE, None, "demo", &SCOPES.map(str::to_owned))
                    .await?;
            setup.api_key = text.expose_secret().to_owned();
        }
        let there = admin::list(pool, Some(WORKSPACE), None).await?;
        for (name, kind, scheme) in wanted() {
            let row = there.iter().find(|row| row.name == name);
            let known = setup.sources.iter().any(|s| row.is_some_and(|row| row.id == s.id));
            if known {
                continue;
            }
            setup.sources.retain(|source| source.name != name);
            let added = match row {
                // Its secret was kept in another state folder.
                Some(row) => admin::rotate(pool, ring, &row.id, None, 24).await,
                None => admin::add(pool, ring, &new(name, kind, scheme), None).await,
            };
            let added = added.with_context(|| format!("demo source {name}"))?;
            setup.sources.push(source(added.source, added.secret));
        }
        private::write(&Self::path(home), &serde_json::to_string_pretty(&setup)?)?;
        Ok(setup)
    }

    /// The source with this name or, failing that, of this kind.
    #[must_use]
    pub fn source(&self, which: &str) -> Option<&DemoSource> {
        let named = self.sources.iter().find(|source| source.name == which);
        named.or_else(|| self.sources.iter().find(|source| source.kind == which))
    }

    /// Where a source takes deliveries.
    #[must_use]
    pub fn hook(&self, source: &DemoSource) -> String {
        format!("{}/hooks/{}", self.url, source.path_id)
    }
}

/// Name, kind and scheme (`None`: the kind's own). The webhook signs a timestamp, and has a twin that
/// takes a plain key, for curl.
fn wanted() -> impl Iterator<Item = (&'static str, &'static str, Option<&'static str>)> {
    let kinds = sources::ALL.iter().map(|source| match source.name() {
        "webhook" => ("webhook", "webhook", Some("millrace-ts")),
        name => (name, name, None),
    });
    kinds.chain([("curl", "webhook", Some("api-key"))])
}

fn new(name: &str, kind: &str, scheme: Option<&str>) -> NewSource {
    NewSource {
        workspace_id: WORKSPACE.into(),
        kind: kind.into(),
        name: name.into(),
        scheme: scheme.map(str::to_owned),
        ..NewSource::default()
    }
}

fn source(row: admin::SourceRow, secret: Option<SecretString>) -> DemoSource {
    DemoSource {
        id: row.id,
        name: row.name,
        kind: row.kind,
        scheme: row.scheme,
        path_id: row.path_id,
        secret: secret.map(|text| text.expose_secret().to_owned()).unwrap_or_default(),
    }
}
