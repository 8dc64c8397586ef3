//! What a run has done, and how far one is.

use std::collections::BTreeMap;

use serde::Serialize;

use super::plan::Plan;

/// Failures that are named; all are counted.
const NAMED_MAX: usize = 20;

/// What a run has done; `job_runs.output` has it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// What the index shows now.
    pub commit: Option<String>,
    /// Files of the tree.
    pub files: usize,
    /// New files.
    pub added: usize,
    /// Files whose chunks were written anew: other content, other rules, or rows that were damaged.
    pub updated: usize,
    /// Files under another name.
    pub renamed: usize,
    /// Files that are gone.
    pub deleted: usize,
    /// Files that were as they are.
    pub unchanged: usize,
    /// Files that are not looked into, by reason.
    pub skipped: BTreeMap<String, usize>,
    /// Chunks of the files that were written.
    pub chunks: usize,
    /// Texts that the model was given.
    pub chunks_embedded: usize,
    /// Chunks whose vector was there, or is that of another chunk of the run.
    pub chunks_reused: usize,
    /// Files that could not be read; they are tried again by the next run.
    pub failed_files: Vec<String>,
    /// How many.
    pub failed: usize,
    /// Files that were written, by language.
    pub languages: BTreeMap<String, usize>,
    /// How long it took.
    pub seconds: f64,
}

impl Report {
    /// What can be said before a file is read.
    #[must_use]
    pub fn of(plan: &Plan, files: usize) -> Self {
        let mut report = Self {
            files,
            renamed: plan.renamed.len(),
            deleted: plan.deleted.len(),
            unchanged: plan.unchanged,
            ..Self::default()
        };
        for (reason, count) in &plan.known_skips {
            *report.skipped.entry(reason.clone()).or_default() += count;
        }
        for (_, skip) in &plan.skipped {
            *report.skipped.entry(skip.as_str().into()).or_default() += 1;
        }
        report
    }

    /// What would be done, if every file that is to be read is one to be looked into.
    #[must_use]
    pub fn preview(plan: &Plan, files: usize) -> Self {
        let mut report = Self::of(plan, files);
        report.added = plan.read.iter().filter(|change| change.added).count();
        report.updated = plan.read.len() - report.added;
        report
    }

    /// Whether something is shown otherwise than before.
    #[must_use]
    pub const fn changed(&self) -> bool {
        self.added + self.updated + self.renamed + self.deleted > 0
    }

    pub(super) fn fail(&mut self, path: String) {
        self.failed += 1;
        if self.failed_files.len() < NAMED_MAX {
            self.failed_files.push(path);
        }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// Files to be read.
    pub of: usize,
    /// Of them, done.
    pub files: usize,
    /// Chunks of those.
    pub chunks: usize,
    /// Texts that the model was given.
    pub embedded: usize,
    /// Chunks whose vector was there.
    pub reused: usize,
}
