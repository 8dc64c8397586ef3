//! A private NATS server with JetStream, in a folder that goes away with it.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::{App, app::free_port, fetched, wait_until};

/// Who may use it.
const USER: &str = "millrace";
const PASSWORD: &str = "only-in-tests";

/// A server that can be killed and started again over what it has stored.
#[derive(Debug)]
pub struct Nats {
    /// For the processes under test.
    pub url: String,
    program: PathBuf,
    folder: TempDir,
    child: Option<Child>,
}

impl Nats {
    /// One whose messages may have `payload_max` bytes; nothing (and why, printed) where there is no program.
    pub async fn start(payload_max: usize) -> Option<Self> {
        let Some(program) = fetched("nats-server", &["/usr/local/bin", "/usr/bin", "/usr/sbin"])
        else {
            println!("SKIPPED: no nats-server; `scripts/setup --tests` fetches it where apt is");
            return None;
        };
        let (folder, port) = (TempDir::new().unwrap(), free_port());
        let store = folder.path().join("store");
        let config = format!(
            "listen: 127.0.0.1:{port}\nmax_payload: {payload_max}\njetstream {{ store_dir: {store:?} }}\n\
             authorization {{ user: {USER}, password: {PASSWORD} }}\n"
        );
        std::fs::write(folder.path().join("nats.conf"), config).unwrap();
        let url = format!("nats://127.0.0.1:{port}");
        let mut nats = Self { url, program, folder, child: None };
        nats.spawn().await;
        Some(nats)
    }

    /// Starts it (again) and waits until it answers.
    pub async fn spawn(&mut self) {
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(self.folder.path().join("nats.conf"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        wait_until("the NATS server", Duration::from_secs(30), async || {
            self.client().await.ok().map(drop)
        })
        .await;
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// A connection of the test itself.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn client(&self) -> Result<async_nats::Client, async_nats::ConnectError> {
        let options = async_nats::ConnectOptions::new();
        options.user_and_password(USER.into(), PASSWORD.into()).connect(&self.url).await
    }

    /// An app that uses it as its buffer.
    #[must_use]
    pub fn buffer(&self, app: App) -> App {
        app.env("MILLRACE__INGEST__BUFFER", "nats")
            .env("MILLRACE__NATS__URL", &self.url)
            .env("MILLRACE__NATS__USER", USER)
            .env("MILLRACE__NATS__PASSWORD", PASSWORD)
            .env("MILLRACE__NATS__MAX_BYTES", "67108864")
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}
