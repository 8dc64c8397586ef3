//! The brand profiles that are in force: shipped or files, each read again when it has changed.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use anyhow::Context;
use millrace_config::Settings;
use sqlx::PgPool;

use super::{profile::Profile, vocabulary::Change};
use crate::store::social::{keywords, profiles};

/// How long a changed file may go unnoticed.
const LOOKED_FOR: Duration = Duration::from_secs(2);

/// A profile that is in force, and its text.
#[derive(Debug)]
pub struct Brand {
    /// Name or path, as the settings say.
    pub name: String,
    /// Its file.
    pub toml: String,
    /// What the file says.
    pub profile: Profile,
}

/// The profiles that a process knows.
#[derive(Debug, Default)]
pub struct Brands {
    known: Mutex<HashMap<String, Known>>,
    /// By workspace: its profile with what was changed of the keywords.
    laid: Mutex<HashMap<String, Laid>>,
    /// (workspace, SHA-256) of which there is a row.
    recorded: tokio::sync::Mutex<HashSet<(String, String)>>,
}

#[derive(Debug)]
struct Known {
    brand: Arc<Brand>,
    looked: Instant,
    stamp: Option<Stamp>,
}

#[derive(Debug, Clone)]
struct Laid {
    base: Arc<Brand>,
    changes: Vec<Change>,
    brand: Arc<Brand>,
    looked: Instant,
}

/// Another one says that a file has changed: when, and bytes.
type Stamp = (SystemTime, u64);

impl Brands {
    /// The profile of a workspace. A file that has become wrong is as good as unchanged: the last good text stays in
    /// force, and the log says why.
    ///
    /// # Errors
    /// If there never was a good one.
    pub fn of(&self, settings: &Settings, workspace_id: &str) -> anyhow::Result<Arc<Brand>> {
        let name = settings.social.profile_of(workspace_id);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.get(name);
        if let Some(known) = before.filter(|known| known.looked.elapsed() < LOOKED_FOR) {
            return Ok(known.brand.clone());
        }
        let stamp = stamp(name);
        let brand = match before {
            Some(known) if known.stamp == stamp => known.brand.clone(),
            Some(known) => match read(name) {
                Ok(brand) => {
                    tracing::info!(
                        profile = name,
                        sha256 = brand.profile.sha256,
                        "profile read again"
                    );
                    Arc::new(brand)
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::error!(
                        profile = name,
                        error,
                        "profile is wrong; the one before stays in force"
                    );
                    known.brand.clone()
                }
            },
            None => Arc::new(read(name)?),
        };
        let looked = Instant::now();
        known.insert(name.to_owned(), Known { brand: brand.clone(), looked, stamp });
        Ok(brand)
    }

    /// The profile of a workspace with what is in force of the changes of its keywords: by this posts are found and read.
    ///
    /// # Errors
    /// As of [`Self::of`], and those of the database.
    pub async fn in_force(
        &self,
        pool: &PgPool,
        settings: &Settings,
        workspace_id: &str,
    ) -> anyhow::Result<Arc<Brand>> {
        let base = self.of(settings, workspace_id)?;
        let laid = || self.laid.lock().unwrap_or_else(PoisonError::into_inner);
        let before =
            laid().get(workspace_id).filter(|laid| Arc::ptr_eq(&laid.base, &base)).cloned();
        if let Some(laid) = before.as_ref().filter(|laid| laid.looked.elapsed() < LOOKED_FOR) {
            return Ok(laid.brand.clone());
        }
        let changes = keywords::in_force(pool, workspace_id).await.context("keywords")?;
        let brand = match before.filter(|laid| laid.changes == changes) {
            Some(laid) => laid.brand,
            None => base.changed(&changes),
        };
        let looked = Instant::now();
        let now = Laid { base, changes, brand: brand.clone(), looked };
        laid().insert(workspace_id.to_owned(), now);
        Ok(brand)
    }

    /// Note, before anything acts by it, that a workspace has this profile now. Not in the transaction that acts: one that
    /// fails would take the note with it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn record(
        &self,
        pool: &PgPool,
        workspace_id: &str,
        brand: &Brand,
    ) -> sqlx::Result<()> {
        let key = (workspace_id.to_owned(), brand.profile.sha256.clone());
        let mut recorded = self.recorded.lock().await;
        if !recorded.contains(&key) {
            profiles::record(pool, workspace_id, brand).await?;
            recorded.insert(key);
        }
        Ok(())
    }
}

impl Brand {
    /// With changes of its keywords laid over it. Changes that cannot be are none, and the log says why.
    #[must_use]
    pub fn changed(self: &Arc<Self>, changes: &[Change]) -> Arc<Self> {
        if changes.is_empty() {
            return self.clone();
        }
        match Self::laid(&self.name, &self.toml, changes) {
            Ok(brand) => Arc::new(brand),
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(profile = self.name, error, "changes of keywords are not in force");
                self.clone()
            }
        }
    }

    fn laid(name: &str, toml: &str, changes: &[Change]) -> anyhow::Result<Self> {
        let brand = parsed(name, toml.to_owned())?;
        Ok(Self { profile: brand.profile.changed(changes)?, ..brand })
    }
}

fn stamp(name: &str) -> Option<Stamp> {
    let about = Path::new(name).metadata().ok()?;
    Some((about.modified().ok()?, about.len()))
}

/// A profile by its name, or the file at a path.
///
/// # Errors
/// If there is none, or it is wrong: all of its problems.
pub fn read(name: &str) -> anyhow::Result<Brand> {
    let toml = match Profile::shipped(name) {
        Some(text) => text.to_owned(),
        None => std::fs::read_to_string(name)
            .with_context(|| format!("social profile {name}: neither shipped nor a file"))?,
    };
    parsed(name, toml)
}

fn parsed(name: &str, toml: String) -> anyhow::Result<Brand> {
    let profile = Profile::parse(&toml).map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("social profile {name}: {}", problems.join("; "))
    })?;
    Ok(Brand { name: name.to_owned(), toml, profile })
}
