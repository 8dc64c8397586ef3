//! What has to be done so that the index shows a tree: compared by object ids, so that nothing is read that is known.

use std::collections::{HashMap, HashSet};

use super::{
    select::{Rules, Skip},
    tree::{Entry, Mode},
};
use crate::store::codebase::files::{File, Skipped};

/// The difference between a tree and its index.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// To be read: new, or with other content than before.
    pub read: Vec<Change>,
    /// The same content under another name: before, after.
    pub renamed: Vec<(String, String)>,
    /// Not looked into for their names; only what is not known as such.
    pub skipped: Vec<(Entry, Skip)>,
    /// Gone.
    pub deleted: Vec<String>,
    /// Indexed as they are.
    pub unchanged: usize,
    /// Not looked into, as before, by reason.
    pub known_skips: HashMap<String, usize>,
}

/// A file to be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    /// The file.
    pub entry: Entry,
    /// It was not indexed before.
    pub added: bool,
}

/// Compare. With `all`, what is not skipped is read, changed or not.
#[must_use]
pub fn plan(
    entries: Vec<Entry>,
    rules: &Rules,
    files: &[File],
    skips: &[Skipped],
    all: bool,
) -> Plan {
    let indexed: HashMap<&str, &File> = files.iter().map(|f| (f.file_path.as_str(), f)).collect();
    let skips: HashMap<&str, &Skipped> = skips.iter().map(|s| (s.file_path.as_str(), s)).collect();
    let mut plan = Plan::default();
    let mut seen = HashSet::with_capacity(entries.len());
    for entry in entries {
        seen.insert(entry.path.clone());
        let reason = match entry.mode {
            Mode::Symlink => Some(Skip::Symlink),
            Mode::Submodule => Some(Skip::Submodule),
            Mode::File => rules.by_name(&entry.path),
        };
        let before = indexed.get(entry.path.as_str());
        let skipped = skips.get(entry.path.as_str()).filter(|s| s.file_hash == entry.hash);
        match (reason, before, skipped) {
            (Some(reason), None, Some(skip)) if skip.reason == reason.as_str() => {
                *plan.known_skips.entry(skip.reason.clone()).or_default() += 1;
            }
            (Some(reason), ..) => plan.skipped.push((entry, reason)),
            (None, Some(file), _) if file.file_hash == entry.hash && !all => plan.unchanged += 1,
            // Its content is the reason, and has not changed; its name was, and is not any more.
            (None, None, Some(skip)) if !all && Skip::is_by_content(&skip.reason) => {
                *plan.known_skips.entry(skip.reason.clone()).or_default() += 1;
            }
            (None, before, _) => plan.read.push(Change { added: before.is_none(), entry }),
        }
    }
    let gone = |path: &&str| !seen.contains(*path);
    plan.deleted =
        indexed.keys().chain(skips.keys()).copied().filter(gone).map(str::to_owned).collect();
    plan.deleted.sort_unstable();
    plan.deleted.dedup();
    if !all {
        plan.find_renamed(&indexed);
    }
    plan
}

impl Plan {
    /// An added file with the content of one that is gone, in the same language, is that one.
    fn find_renamed(&mut self, indexed: &HashMap<&str, &File>) {
        let mut gone: HashMap<&str, Vec<&File>> = HashMap::new();
        for path in self.deleted.iter().rev() {
            if let Some(file) = indexed.get(path.as_str()) {
                gone.entry(&file.file_hash).or_default().push(file);
            }
        }
        let mut renamed = HashSet::new();
        self.read.retain(|change| {
            let before = gone.get_mut(change.entry.hash.as_str()).filter(|_| change.added);
            let Some(files) = before else { return true };
            let language = |path: &str| super::language::of(path, "").map(|l| l.name);
            let here = language(&change.entry.path);
            let found = files.iter().rposition(|f| language(&f.file_path) == here);
            let Some(file) = found.map(|at| files.remove(at)) else { return true };
            renamed.insert(file.file_path.clone());
            self.renamed.push((file.file_path.clone(), change.entry.path.clone()));
            false
        });
        self.deleted.retain(|path| !renamed.contains(path));
    }
}
