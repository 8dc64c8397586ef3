//! A codebase to be indexed: a folder with a git repository in it.

use std::{fs, path::Path, process::Command};

use millrace_jobs::store::codebase::{
    connections::{self, Connection, Repository},
    runs::{self, Lease},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use tempfile::TempDir;

/// Who the platform says has it.
const OWNER: &str = "acme";
const BRANCH: &str = "main";

/// A checkout with one branch, `main`; gone when dropped.
#[derive(Debug)]
pub struct Checkout(TempDir);

impl Default for Checkout {
    fn default() -> Self {
        Self::new()
    }
}

impl Checkout {
    /// Without a commit.
    #[must_use]
    pub fn new() -> Self {
        let checkout = Self(TempDir::new().unwrap());
        checkout.git(&["init", "--quiet", "--initial-branch", BRANCH]);
        // As public servers do: without it no fetch leaves large blobs out.
        checkout.git(&["config", "uploadpack.allowFilter", "true"]);
        checkout
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Its address for `git`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("file://{}", self.path().display())
    }

    /// Write a file, and the folders it is in.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Delete a file.
    pub fn remove(&self, path: &str) {
        fs::remove_file(self.path().join(path)).unwrap();
    }

    /// Rename a file.
    pub fn rename(&self, from: &str, to: &str) {
        let to = self.path().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(self.path().join(from), to).unwrap();
    }

    /// Commit everything; the id of the commit.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        let who =
            ["-c", "user.name=a", "-c", "user.email=a@example.test", "-c", "commit.gpgsign=false"];
        let commit = ["commit", "--quiet", "--allow-empty", "--message", message];
        self.git(&[who.as_slice(), &commit].concat());
        self.head()
    }

    /// The newest commit.
    #[must_use]
    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    /// What the git program prints.
    pub fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.path()).args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null");
        let done = command.output().unwrap();
        assert!(
            done.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// Connected to a project, as its repository.
    pub async fn connect(&self, pool: &PgPool, workspace: &str, project: &str) -> Connection {
        let url = self.url();
        let repository =
            Repository { url: &url, owner: OWNER, name: project, branch: BRANCH, installation: 7 };
        let mut conn = pool.acquire().await.unwrap();
        let project = connections::project(&mut conn, workspace, project).await.unwrap();
        connections::connect(&mut conn, project, &repository).await.unwrap()
    }

    /// What GitHub says of its newest commit, where the project is called `points`.
    #[must_use]
    pub fn push(&self) -> Value {
        self.push_of("points")
    }

    /// The same, of the repository of another project.
    #[must_use]
    pub fn push_of(&self, project: &str) -> Value {
        json!({
            "ref": format!("refs/heads/{BRANCH}"),
            "before": "0".repeat(40),
            "after": self.head(),
            "created": false,
            "deleted": false,
            "forced": false,
            "repository": { "full_name": format!("{OWNER}/{project}"), "default_branch": BRANCH },
            "installation": { "id": 7 },
            "commits": [],
        })
    }
}

/// As long as any test may take, and as many runs as it likes.
pub const LEASE: Lease = Lease { silent_s: 60, runs_max: 100, job: None };

/// Taken for a run.
pub async fn take(pool: &PgPool, of: &Connection) -> Connection {
    let mut tx = pool.begin().await.unwrap();
    let taken = runs::begin(&mut tx, of.id, LEASE, "test").await.unwrap().unwrap();
    tx.commit().await.unwrap();
    taken
}
