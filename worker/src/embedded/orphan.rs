//! A server that outlived its owner and supervisor still holds the data folder: stop it, and only it.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

/// Ends the server that runs on `data`, if one does: politely at first.
pub(super) async fn stop(data: &Path) -> Result<()> {
    for (signal, wait) in [(Signal::INT, 15), (Signal::QUIT, 15)] {
        let Some(pid) = server_of(data) else { return Ok(()) };
        tracing::info!(pid = pid.as_raw_nonzero().get(), "stopping an orphaned Postgres");
        if kill_process(pid, signal).is_err() {
            continue;
        }
        let deadline = Instant::now() + Duration::from_secs(wait);
        while server_of(data).is_some() && Instant::now() < deadline {
            sleep(Duration::from_millis(20)).await;
        }
    }
    ensure!(
        server_of(data).is_none(),
        "a Postgres still runs on {} and does not stop",
        data.display()
    );
    Ok(())
}

/// The process in `postmaster.pid`, if it lives and truly serves `data`: process ids are reused.
fn server_of(data: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid = Pid::from_raw(text.lines().next()?.trim().parse().ok()?)?;
    serves(pid, data).then_some(pid)
}

/// A server's working folder is its data folder; where the system does not show it, its arguments do.
fn serves(pid: Pid, data: &Path) -> bool {
    let pid = pid.as_raw_nonzero().get();
    if cfg!(target_os = "linux") {
        return std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == data);
    }
    let arguments = Command::new("ps").args(["-o", "args=", "-p", &pid.to_string()]).output();
    arguments
        .is_ok_and(|o| String::from_utf8_lossy(&o.stdout).contains(&data.display().to_string()))
}
