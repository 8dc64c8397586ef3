//! `--watch`: again and again, as something changes.

use std::time::Duration;

use anyhow::Context;
use millrace_config::Clock;
use millrace_jobs::codebase::open;
use notify::{RecursiveMode, Watcher};
use tokio::sync::mpsc;

use super::{Work, place::Place};

/// Whoever saves several files saves them within this.
const SETTLE: Duration = Duration::from_millis(300);
/// A repository is asked as often.
const ASK: Duration = Duration::from_secs(30);

/// Until Ctrl-C.
pub(super) async fn run(work: &Work<'_>, place: &Place) -> anyhow::Result<()> {
    let (changed, mut changes) = mpsc::channel(1);
    let _watcher = if let Some(folder) = place.folder() {
        let tell = move |event: notify::Result<notify::Event>| {
            let own = |event: notify::Event| {
                event.kind.is_access() || event.paths.iter().all(|p| is_git(p))
            };
            // Full: somebody has been told already.
            if !event.is_ok_and(own) {
                changed.try_send(()).ok();
            }
        };
        let mut watcher = notify::recommended_watcher(tell).context("watching the folder")?;
        watcher.watch(folder, RecursiveMode::Recursive).context("watching the folder")?;
        Some(watcher)
    } else {
        None
    };
    work.index(place).await?;
    work.out.say("watching; Ctrl-C ends it");
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(()),
            () = next(work, place, &mut changes) => {}
        }
        if let Err(error) = work.index(place).await {
            work.out.warn(format!("{error:#}"));
        }
    }
}

fn is_git(path: &std::path::Path) -> bool {
    path.components().any(|part| part.as_os_str() == ".git")
}

async fn next(work: &Work<'_>, place: &Place, changes: &mut mpsc::Receiver<()>) {
    if place.folder().is_some() {
        changes.recv().await;
        tokio::time::sleep(SETTLE).await;
        while changes.try_recv().is_ok() {}
        return;
    }
    let Ok(of) = work.connect(place).await else { return tokio::time::sleep(ASK).await };
    loop {
        tokio::time::sleep(ASK).await;
        let newest = open::newest(work.settings, &Clock::system(), &of).await;
        match newest {
            Ok(newest) if of.last_indexed_commit.as_deref() != Some(&newest) => return,
            Ok(_) => {}
            Err(error) => work.out.warn(format!("{error:#}")),
        }
    }
}
