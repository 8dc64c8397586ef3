//! What is measured: a durable Postgres of its own and the release binary on it.

use std::process::{Child, Command, Stdio};

use millrace_jobs::store::workspaces;
use millrace_tests::roles;
use millrace_worker::embedded::{Cluster, Keep, Place, launch};
use sqlx::{Connection, PgConnection, PgPool};
use tempfile::TempDir;

use crate::post::Post;

const KEYS: &str = "bench:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A Postgres that flushes to disk, in a folder that goes away with it.
#[derive(Debug)]
pub(crate) struct Durable {
    cluster: Cluster,
    lifeline: Option<std::io::PipeWriter>,
    _folder: TempDir,
}

impl Durable {
    /// Start one.
    pub(crate) async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let home = millrace_tests::home();
        let place =
            Place::with_cluster(&home.canonicalize().unwrap(), &folder.path().join("pg")).unwrap();
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let (reader, lifeline) = std::io::pipe().unwrap();
        let cluster = launch(&place, Keep::Durable, reader.into()).await.unwrap();
        Self { cluster, lifeline: Some(lifeline), _folder: folder }
    }

    /// CPU seconds that the server's processes have used.
    pub(crate) fn cpu_s(&self) -> f64 {
        cpu_s_of(self.cluster.supervisor.id())
    }

    /// A fresh migrated database with one workspace, `bench`.
    pub(crate) async fn database(&self) -> (String, PgPool) {
        let name = format!("b_{}", uuid::Uuid::now_v7().simple());
        let mut admin = PgConnection::connect(&self.cluster.url).await.unwrap();
        let sql = sqlx::AssertSqlSafe(format!("create database {name}"));
        sqlx::query(sql).execute(&mut admin).await.unwrap();
        let url = self.cluster.url.replace("/postgres?", &format!("/{name}?"));
        let pool =
            sqlx::postgres::PgPoolOptions::new().max_connections(16).connect(&url).await.unwrap();
        roles::provision(&url).await;
        workspaces::add(&pool, Some("bench"), "bench").await.unwrap();
        (roles::connecting_as(roles::APP, &url), pool)
    }
}

impl Drop for Durable {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        drop(self.cluster.supervisor.wait());
    }
}

/// A role of the release binary.
#[derive(Debug)]
pub(crate) struct Role {
    child: Child,
    /// Its port.
    pub(crate) port: u16,
    url: String,
    _home: TempDir,
}

impl Role {
    /// Start it on the database and wait until it is ready.
    pub(crate) async fn start(url: &str, role: &str, env: &[(&str, String)]) -> Self {
        let home = millrace_tests::state_folder();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = command(url, home.path(), port, env)
            .arg(role)
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(home.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let role = Self { child, port, url: url.into(), _home: home };
        let client = millrace_tests::client();
        let ready = format!("http://127.0.0.1:{port}/readyz");
        millrace_tests::wait_until("ready", std::time::Duration::from_secs(60), async || {
            client.get(&ready).send().await.ok().filter(|a| a.status().is_success()).map(drop)
        })
        .await;
        role
    }

    /// Add a source; returns its path id and secret.
    pub(crate) fn source(&self, kind: &str) -> (String, String) {
        let Post { url, secret, .. } = self.sender("bench", kind, &[]);
        (url.rsplit('/').next().unwrap().to_owned(), secret)
    }

    /// Add a source with more arguments of `source add`.
    pub(crate) fn sender(&self, workspace: &str, kind: &str, extra: &[&str]) -> Post {
        let mut command = command(&self.url, self._home.path(), self.port, &[]);
        let name = uuid::Uuid::now_v7().to_string();
        command.args(["--json", "source", "add", kind, "--workspace", workspace, "--name", &name]);
        let output = command.args(extra).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let source: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |key: &str| source[key].as_str().unwrap().to_owned();
        let url = format!("http://127.0.0.1:{}/hooks/{}", self.port, text("path_id"));
        let client = millrace_tests::client();
        Post { client, url, scheme: text("scheme"), secret: text("secret") }
    }

    /// CPU seconds that it has used.
    pub(crate) fn cpu_s(&self) -> f64 {
        cpu_s_of(self.child.id())
    }

    /// Peak resident memory, MiB.
    pub(crate) fn peak_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn command(url: &str, home: &std::path::Path, port: u16, env: &[(&str, String)]) -> Command {
    let binary = std::env::current_exe().unwrap().with_file_name("millrace");
    let mut command = Command::new(binary);
    command
        .arg("--home")
        .arg(home)
        .env("DATABASE_URL", url)
        .env("MILLRACE__SECRETS__KEYS", KEYS)
        .env("MILLRACE__TELEMETRY__LEVEL", "warn")
        .env("MILLRACE__HTTP__LISTEN", format!("127.0.0.1:{port}"))
        .envs(env.iter().map(|(k, v)| (*k, v.as_str())));
    command
}

/// CPU seconds that a process and its living descendants have used.
pub(crate) fn cpu_s_of(root: u32) -> f64 {
    let mut processes = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap() {
        let entry = entry.unwrap();
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        // After the name in parentheses: state, parent, ..., utime and stime as the 12th and 13th (proc(5)).
        let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        let number = |nth: usize| fields[nth].parse::<u64>().unwrap();
        processes.push((pid, number(1), number(11) + number(12)));
    }
    let mut tree = vec![root];
    let mut ticks = 0;
    while let Some(pid) = tree.pop() {
        ticks += processes.iter().filter(|(p, ..)| *p == pid).map(|(.., t)| t).sum::<u64>();
        tree.extend(
            processes.iter().filter(|(_, parent, _)| *parent == u64::from(pid)).map(|(p, ..)| *p),
        );
    }
    // The unit of proc(5) is 1/100 s for every program, whatever the kernel's own tick.
    ticks as f64 / 100.0
}
