//! What `millrace index` prints.

use std::collections::BTreeMap;

use millrace_jobs::{
    codebase::report::Report,
    store::codebase::{
        connections::Connection,
        files::{File, Skipped},
    },
};

use crate::{
    cmd::args::{maybe_time, short},
    out::Out,
};

pub(super) fn status(all: &[Connection], out: Out) {
    let rows = all.iter().map(|c| {
        let behind = c.target_commit.is_some() && c.target_commit != c.last_indexed_commit;
        let status =
            if behind && c.index_status == "completed" { "behind" } else { &c.index_status };
        [
            c.project.clone(),
            status.to_owned(),
            c.file_count.to_string(),
            short(c.last_indexed_commit.as_deref(), 10),
            maybe_time(c.last_indexed_at),
            c.repository_url.clone(),
        ]
    });
    out.table(["project", "status", "files", "commit", "indexed", "codebase"], rows);
    for connection in all {
        if let Some(error) = &connection.error {
            out.say(format!("{}: {error}", connection.project));
        }
    }
}

pub(super) fn files(all: &[File], out: Out) {
    let row = |f: &File| {
        [f.file_path.clone(), f.language.clone().unwrap_or_default(), f.size_bytes.to_string()]
    };
    out.table(["file", "language", "bytes"], all.iter().map(row));
}

pub(super) fn skipped(all: &[Skipped], out: Out) {
    out.table(["file", "reason"], all.iter().map(|f| [f.file_path.clone(), f.reason.clone()]));
}

pub(super) fn summary(r: &Report, project: &str, out: Out) {
    out.say(format!(
        "{project}: {} files: {} added, {} changed, {} renamed, {} deleted, {} as they were",
        r.files, r.added, r.updated, r.renamed, r.deleted, r.unchanged
    ));
    if !r.skipped.is_empty() {
        out.say(format!(
            "not looked into: {} (`millrace index skipped --project {project}`)",
            list(&r.skipped)
        ));
    }
    if r.chunks > 0 {
        out.say(format!(
            "{} chunks, {} embedded, {} reused; {}",
            r.chunks,
            r.chunks_embedded,
            r.chunks_reused,
            list(&r.languages)
        ));
    }
    for path in &r.failed_files {
        out.warn(format!("not read: {path}"));
    }
    out.say(format!("{:.1} s", r.seconds));
}

/// Most first.
fn list(counts: &BTreeMap<String, usize>) -> String {
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    counts.iter().map(|(what, count)| format!("{what} {count}")).collect::<Vec<_>>().join(", ")
}
