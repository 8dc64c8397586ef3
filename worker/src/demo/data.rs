//! The shipped texts (`worker/demo/feedback.toml`).

use anyhow::{Context, Result};
use serde::Deserialize;

const FEEDBACK: &str = include_str!("../../demo/feedback.toml");

/// Everything the demo says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Work in progress, each with what was said about it.
    pub project: Vec<Project>,
    /// What belongs to no project.
    pub elsewhere: Said<String>,
    /// Texts of `project` in other words.
    pub echoes: Said<String>,
    /// Messages that were edited or deleted: what was said, what it became (empty: deleted).
    pub changes: Said<(String, String)>,
}

/// One project.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// What it is about; the classifier reads it.
    pub description: String,
    /// Feedback about it.
    pub says: Vec<String>,
}

/// A list of texts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said<T> {
    /// The texts.
    pub says: Vec<T>,
}

impl Data {
    /// Reads the shipped file.
    ///
    /// # Errors
    /// If the file that was compiled in is damaged.
    pub fn shipped() -> Result<Self> {
        toml::from_str(FEEDBACK).context("worker/demo/feedback.toml")
    }
}
