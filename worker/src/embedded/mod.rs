//! A private Postgres: its programs come from `scripts/setup`, its data lives in the state folder.
//!
//! The server runs under a small shell that reads from a pipe held by us. When we end, in whatever way,
//! the pipe closes and the server shuts down: no orphan even after `kill -9`.

mod orphan;
mod place;

use std::{
    fs::{File, OpenOptions, Permissions},
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use rustix::fs::{FlockOperation, flock};
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep};

pub use place::{Place, RunAs};

use crate::private;

/// Longest `sun_path` that every supported system takes, without its final NUL.
const SOCKET_PATH_BYTES_MAX: usize = 103;
const START_DEADLINE: Duration = Duration::from_secs(60);
const STOP_DEADLINE: Duration = Duration::from_secs(30);
const LOG_BYTES_MAX: u64 = 16 << 20;
const POLL: Duration = Duration::from_millis(10);

/// Runs `$2...` until it ends or standard input closes; then sends it the signal `$1`.
const SUPERVISOR: &str = r#"
trap '' HUP INT TERM
stop=$1; shift
exec 3<&0 </dev/null
"$@" 3<&- & server=$!
( read -r _ <&3; kill -"$stop" "$server" ) & lifeline=$!
wait "$server"; code=$?
kill -9 "$lifeline" 2>/dev/null
exit "$code"
"#;

/// Settings of every cluster; on the command line, so that a new version's settings reach old data.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "max_connections=200",
    "shared_buffers=256MB",
    "max_wal_size=2GB",
    "wal_compression=on",
    "synchronous_commit=on",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_min_duration_statement=1s",
    "log_parameter_max_length=0",
    "log_parameter_max_length_on_error=0",
    "log_checkpoints=off",
];

/// What a cluster promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// A committed transaction survives power loss; stopped by a fast shutdown.
    Durable,
    /// Thrown away after use: no fsync, stopped at once. `synchronous_commit` stays on, so that commits
    /// order as they do in earnest.
    Throwaway,
}

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    /// For sqlx, psql and everything else; holds the password.
    pub url: String,
    /// The supervising shell; ends when the server has ended.
    pub supervisor: Child,
}

/// The embedded Postgres of one state folder.
#[derive(Debug)]
pub struct Embedded {
    cluster: Cluster,
    lifeline: std::io::PipeWriter,
    url_file: PathBuf,
    /// Held for as long as the server runs; the kernel drops it with us.
    _lock: File,
    /// What a person should know about where the data is, if it is not in the state folder.
    pub note: Option<String>,
}

impl Embedded {
    /// Starts the server of `home`, creating its data on first use.
    ///
    /// # Errors
    /// If another process runs it, its programs are missing, or it does not come up within a minute.
    pub async fn start(home: &Path) -> Result<Self> {
        std::fs::create_dir_all(home)
            .with_context(|| format!("cannot create {}", home.display()))?;
        let home = home.canonicalize()?;
        let lock = lock(&home)?;
        let place = Place::of(&home)?;
        let (reader, lifeline) = std::io::pipe()?;
        let cluster = launch(&place, Keep::Durable, reader.into()).await?;
        let url_file = home.join("database.url");
        private::write(&url_file, &cluster.url)?;
        Ok(Self { cluster, lifeline, url_file, _lock: lock, note: place.note })
    }

    /// Connection URL, with the password.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.cluster.url
    }

    /// URL of the server that another process runs on `home` now, if one does.
    #[must_use]
    pub fn running(home: &Path) -> Option<String> {
        let file = File::open(home.join("up.lock")).ok()?;
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => None,
            Err(_) => std::fs::read_to_string(home.join("database.url")).ok(),
        }
    }

    /// Waits until the server has ended by itself, which it should not.
    ///
    /// # Errors
    /// If its supervisor cannot be asked.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.cluster.supervisor.try_wait()? {
                return Ok(status);
            }
            sleep(Duration::from_millis(500)).await;
        }
    }

    /// Shuts the server down (open transactions are rolled back) and waits for it.
    ///
    /// # Errors
    /// If it has not ended after half a minute; it goes on shutting down by itself.
    pub async fn stop(self) -> Result<()> {
        let Self { mut cluster, lifeline, url_file, .. } = self;
        if let Err(e) = std::fs::remove_file(&url_file) {
            tracing::debug!(error = %e, "the URL file was gone already");
        }
        drop(lifeline);
        let status = ended(&mut cluster.supervisor, STOP_DEADLINE).await?;
        ensure!(status.success(), "the embedded Postgres ended with {status}");
        Ok(())
    }
}

/// Starts a cluster at `place`; it runs until `lifeline` (its standard input) closes.
///
/// # Errors
/// See [`Embedded::start`].
pub async fn launch(place: &Place, keep: Keep, lifeline: Stdio) -> Result<Cluster> {
    let dir = &place.cluster;
    own_folder(dir, place.run_as)?;
    own_folder(&dir.join("run"), place.run_as)?;
    let data = dir.join("data");
    orphan::stop(&data).await?;
    let password = create(place, keep, &data).await?;
    let port = free_port()?;
    let (socket_dir, host) = socket(dir);
    let log = log(&dir.join("log"))?;
    let mut command = place.command("/bin/sh");
    let signal = if keep == Keep::Durable { "INT" } else { "QUIT" };
    command.args(["-c", SUPERVISOR, "millrace-postgres", signal]);
    command.arg(place.program("postgres")).arg("-D").arg(&data).arg("-p").arg(port.to_string());
    command.arg("-k").arg(socket_dir);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    if keep == Keep::Throwaway {
        command.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
    }
    command.stdin(lifeline).stdout(log.try_clone()?).stderr(log);
    let mut supervisor = command.spawn().context("cannot start Postgres")?;
    let url = format!("postgres://millrace:{password}@{host}:{port}/postgres?sslmode=disable{}", {
        query_host(dir, host)
    });
    ready(&url, &mut supervisor, &dir.join("log")).await?;
    Ok(Cluster { url, supervisor })
}

/// The data folder, made on first use; returns the password.
async fn create(place: &Place, keep: Keep, data: &Path) -> Result<String> {
    let password_file = place.cluster.join("password");
    if data.exists() {
        return std::fs::read_to_string(&password_file)
            .with_context(|| format!("{} is there, but its password file is not", data.display()));
    }
    let password = hex::encode(rand::random::<[u8; 24]>());
    private::write(&password_file, &password)?;
    place.give(&password_file)?;
    // Under another name until it is whole: a kill half-way leaves nothing that looks like data.
    let half = place.cluster.join("data.new");
    if half.exists() {
        std::fs::remove_dir_all(&half)?;
    }
    let mut command = place.command(place.program("initdb"));
    command.args(["-U", "millrace", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C"]);
    command.args(["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]);
    // The password is 192 random bits: stretching it would only make connecting slow.
    command.args(["-c", "scram_iterations=32"]);
    command.arg("--pwfile").arg(&password_file).arg("-D").arg(&half);
    if keep == Keep::Throwaway {
        command.arg("--no-sync");
    }
    let log = File::create(place.cluster.join("initdb.log"))?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let mut initdb = command.spawn().context("cannot start initdb")?;
    let status = ended(&mut initdb, START_DEADLINE).await?;
    if !status.success() {
        bail!("initdb failed: {}", tail(&place.cluster.join("initdb.log")));
    }
    std::fs::rename(&half, data)?;
    Ok(password)
}

/// Waits until the server answers a connection.
async fn ready(url: &str, supervisor: &mut Child, log: &Path) -> Result<()> {
    let deadline = Instant::now() + START_DEADLINE;
    loop {
        match PgConnection::connect(url).await {
            Ok(connection) => {
                connection
                    .close()
                    .await
                    .context("the embedded Postgres closed its first connection")?;
                return Ok(());
            }
            Err(error) => {
                if let Some(status) = supervisor.try_wait()? {
                    bail!("the embedded Postgres ended with {status}: {}", tail(log));
                }
                if Instant::now() > deadline {
                    return Err(error).context("the embedded Postgres does not answer");
                }
                sleep(POLL).await;
            }
        }
    }
}

/// Polled rather than waited for: `tokio::process` would need its reaper in every caller's runtime.
async fn ended(child: &mut Child, within: Duration) -> Result<ExitStatus> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        ensure!(Instant::now() < deadline, "still running after {} s", within.as_secs());
        sleep(POLL).await;
    }
}

fn lock(home: &Path) -> Result<File> {
    let path = home.join("up.lock");
    let mut options = OpenOptions::new();
    let mut file = options.read(true).write(true).create(true).truncate(false).open(&path)?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        let mut pid = String::new();
        file.read_to_string(&mut pid)?;
        bail!(
            "{} is in use by process {}: stop that one first, or choose another --home",
            home.display(),
            pid.trim()
        );
    }
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}

/// Folder for the unix socket (empty: none) and the host part of the URL.
fn socket(cluster: &Path) -> (PathBuf, &'static str) {
    let run = cluster.join("run");
    let longest = run.join(".s.PGSQL.65535");
    if longest.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
        (run, "localhost")
    } else {
        (PathBuf::new(), "127.0.0.1")
    }
}

fn query_host(cluster: &Path, host: &str) -> String {
    if host != "localhost" {
        return String::new();
    }
    let run = cluster.join("run").into_os_string().into_encoded_bytes();
    format!("&host={}", url::form_urlencoded::byte_serialize(&run).collect::<String>())
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn own_folder(path: &Path, run_as: Option<RunAs>) -> Result<()> {
    std::fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))?;
    std::fs::set_permissions(path, Permissions::from_mode(0o700))?;
    if let Some(ids) = run_as {
        chown(path, Some(ids.uid), Some(ids.gid))?;
    }
    Ok(())
}

/// The server's log, set aside when it has grown large.
fn log(path: &Path) -> Result<File> {
    if std::fs::metadata(path).is_ok_and(|log| log.len() > LOG_BYTES_MAX) {
        std::fs::rename(path, path.with_extension("old"))?;
    }
    Ok(OpenOptions::new().create(true).append(true).open(path)?)
}

/// The last lines of a log, for an error message.
fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
