//! The real binary as a child process: started, watched, killed, stopped and continued.

use std::{
    fs::{File, OpenOptions, Permissions},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{Database, wait_until};

/// A sealing key for tests; no secret of anybody.
const SECRET_KEYS: &str = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// From spawn to the first good answer, model load on a busy machine included.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// How to start the binary: a role (`serve`, `work`, `schedule`, `up`), its arguments and environment.
#[derive(Debug)]
pub struct App {
    home: TempDir,
    port: u16,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    /// Of another release.
    program: Option<PathBuf>,
    child: Option<Child>,
}

impl App {
    /// The binary on `db`, not started yet. The embedder is the cheap deterministic one.
    #[must_use]
    pub fn new(db: &Database, arguments: &[&str]) -> Self {
        let app = Self::without_database(arguments);
        app.env("DATABASE_URL", &db.url)
    }

    /// As [`App::new`] with no database configured.
    #[must_use]
    pub fn without_database(arguments: &[&str]) -> Self {
        let home = state_folder();
        let port = free_port();
        let app = Self {
            home,
            port,
            arguments: arguments.iter().map(ToString::to_string).collect(),
            environment: Vec::new(),
            program: None,
            child: None,
        };
        let listen = format!("127.0.0.1:{port}");
        app.env("MILLRACE__HTTP__LISTEN", &listen)
            .env("MILLRACE__TELEMETRY__LISTEN", &listen)
            .env("MILLRACE__SECRETS__KEYS", SECRET_KEYS)
            .env("MILLRACE__EMBED__ENGINE", "hash")
    }

    /// Adds or replaces a variable of its environment (which is otherwise empty but for `PATH`).
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// As [`App::env`], from its next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.into(), value.into()));
    }

    /// False once it has ended by itself, or was never started.
    pub fn is_running(&mut self) -> bool {
        let ended = self.child.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some());
        if ended {
            self.child = None;
        }
        !ended
    }

    /// The program of another release, instead of the one that was built here.
    #[must_use]
    pub fn program(mut self, program: Option<&Path>) -> Self {
        self.program = program.map(Path::to_path_buf);
        self
    }

    /// With the real embedding model.
    #[must_use]
    pub fn with_model(self) -> Self {
        self.env("MILLRACE__EMBED__ENGINE", "fastembed")
    }

    /// Starts the process without waiting for it.
    #[must_use]
    pub fn spawned(mut self) -> Self {
        self.spawn();
        self
    }

    /// Starts the process and waits until it says that it is ready.
    pub async fn ready(self) -> Self {
        let app = self.spawned();
        app.wait_ready().await;
        app
    }

    /// Starts the process (again, after it has ended) on the same port, database and state folder.
    pub fn spawn(&mut self) {
        assert!(self.child.is_none(), "already running");
        let log = OpenOptions::new().create(true).append(true).open(self.log_path()).unwrap();
        let mut command = self.command(&self.arguments);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
    }

    /// Waits until `/readyz` answers 200.
    pub async fn wait_ready(&self) {
        let client = client();
        let url = self.url("/readyz");
        wait_until("ready", READY_WITHIN, async || {
            let answer = client.get(&url).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// Runs a command of the binary to its end with the same environment, e.g. `["source", "ls"]`.
    pub async fn run(&self, arguments: &[&str]) -> Finished {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        Finished {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// As [`App::run`]; its output is one JSON value.
    ///
    /// # Panics
    /// If it fails or prints something else.
    pub async fn run_json(&self, arguments: &[&str]) -> serde_json::Value {
        let done = self.run(arguments).await;
        assert!(done.status.success(), "{arguments:?} ended with {}: {}", done.status, done.stderr);
        serde_json::from_str(&done.stdout)
            .unwrap_or_else(|e| panic!("{arguments:?} printed no JSON ({e}): {}", done.stdout))
    }

    /// Absolute URL of a path of its HTTP server.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Where its HTTP server listens on the loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its state folder.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Everything it has printed and logged so far, over all its starts.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Sends a signal: `TERM` drains, `STOP` and `CONT` pause and continue.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Kills it at once and waits until it is gone.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Waits for it to end by itself.
    pub async fn ended(&mut self, within: Duration) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        let deadline = tokio::time::Instant::now() + within;
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status;
            }
            if tokio::time::Instant::now() > deadline {
                self.child = Some(child);
                panic!("still running after {within:?}");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Value of a counter of `/metrics`, all labels together; 0 if it does not answer.
    pub async fn counter(&self, name: &str) -> u64 {
        let Ok(answer) = client().get(self.url("/metrics")).send().await else { return 0 };
        let text = answer.text().await.unwrap_or_default();
        let values = text.lines().filter(|line| line.starts_with(name));
        values.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }

    /// Process id of the running child.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_child(self.child.as_ref().unwrap())
    }

    fn command(&self, arguments: &[impl AsRef<str>]) -> Command {
        let mut command = Command::new(self.program.clone().unwrap_or_else(|| program("millrace")));
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("RUST_BACKTRACE", "1");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.arg("--home").arg(self.home.path());
        command.args(arguments.iter().map(AsRef::as_ref));
        command
    }

    fn log_path(&self) -> PathBuf {
        self.home.path().join("app.log")
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let from = log.char_indices().rev().nth(20_000).map_or(0, |(at, _)| at);
            println!("---- log of {:?}\n{}", self.arguments, log.get(from..).unwrap_or_default());
        }
        self.kill();
    }
}

/// What a command left behind.
#[derive(Debug)]
#[expect(missing_docs, reason = "named after the streams")]
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

/// An HTTP client that gives up on a request after half a minute.
#[must_use]
pub fn client() -> reqwest::Client {
    client_builder().build().unwrap()
}

pub(crate) fn client_builder() -> reqwest::ClientBuilder {
    // A second caller finds the provider installed, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().timeout(Duration::from_secs(30)).no_proxy()
}

/// A fresh state folder that has what `scripts/setup` fetched.
#[must_use]
pub fn state_folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    // Under root the embedded Postgres runs as somebody else, who must be able to enter.
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    for part in ["postgres", "models", "runtime"] {
        let fetched = crate::home().join(part);
        if fetched.exists() {
            symlink(fetched.canonicalize().unwrap(), folder.path().join(part)).unwrap();
        }
    }
    folder
}

/// A built program: beside this one, or beside the folder of the test binaries.
pub(crate) fn program(name: &str) -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let folder = here.parent().unwrap();
    let folder = if folder.ends_with("deps") { folder.parent().unwrap() } else { folder };
    let binary = folder.join(name);
    assert!(
        File::open(&binary).is_ok(),
        "{} is missing: cargo build --package millrace-worker",
        binary.display()
    );
    binary
}

/// A port that nobody listens on.
#[must_use]
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
