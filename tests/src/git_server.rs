//! A git server over HTTP that wants a token: git's own `http-backend` behind a listener.

use std::{
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{io::AsyncWriteExt, process::Command};

use crate::fake::{self, Reply, Request};

/// One that serves a folder of repositories to whoever has the token; it ends with the runtime.
#[derive(Debug, Clone)]
pub struct GitServer {
    /// `http://127.0.0.1:<port>`.
    pub url: String,
    /// Programs that had the token in their arguments or environment while a request was answered.
    leaks: Arc<Mutex<Vec<String>>>,
}

impl GitServer {
    /// Serve `root`.
    pub async fn start(root: PathBuf, token: &str) -> Self {
        let leaks: Arc<Mutex<Vec<String>>> = Arc::default();
        let backend = Arc::new(Backend { root, token: token.to_owned(), leaks: leaks.clone() });
        let url = fake::start(move |request| {
            let backend = backend.clone();
            async move { backend.answer(&request).await }
        });
        Self { url: url.await, leaks }
    }

    /// Where the token was seen.
    #[must_use]
    pub fn leaks(&self) -> Vec<String> {
        self.leaks.lock().unwrap().clone()
    }
}

struct Backend {
    root: PathBuf,
    token: String,
    leaks: Arc<Mutex<Vec<String>>>,
}

impl Backend {
    async fn answer(&self, request: &Request) -> Reply {
        self.look_around();
        let wanted = format!("Basic {}", STANDARD.encode(format!("x-access-token:{}", self.token)));
        if request.header("authorization") != Some(&wanted) {
            let head = vec![("www-authenticate".into(), "Basic realm=\"git\"".into())];
            return Reply { head, ..Reply::new("401 Unauthorized", "") };
        }
        let (method, target) = request.line();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut backend = Command::new("git");
        backend
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &self.root)
            .env("GIT_HTTP_EXPORT_ALL", "1");
        backend.env("PATH_INFO", path).env("QUERY_STRING", query).env("REQUEST_METHOD", method);
        backend.env("CONTENT_LENGTH", request.body.len().to_string());
        for (name, from) in [
            ("CONTENT_TYPE", "content-type"),
            ("HTTP_GIT_PROTOCOL", "git-protocol"),
            ("HTTP_CONTENT_ENCODING", "content-encoding"),
        ] {
            if let Some(value) = request.header(from) {
                backend.env(name, value);
            }
        }
        let mut backend = backend.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = backend.stdin.take().unwrap();
        // It may know enough before it has read all.
        input.write_all(&request.body).await.ok();
        drop(input);
        let output = backend.wait_with_output().await.unwrap().stdout;
        let end = output.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&output[..end]).into_owned();
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        let (status, head): (Vec<_>, Vec<_>) = lines
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .partition(|(name, _)| name == "Status");
        let status = status.into_iter().next().map_or("200 OK".into(), |(_, status)| status);
        Reply { status, head, body: output[end + 4..].to_vec(), more: None }
    }

    /// Whatever runs on this machine now.
    fn look_around(&self) {
        for process in std::fs::read_dir("/proc").unwrap().flatten() {
            for part in ["cmdline", "environ"] {
                let text = std::fs::read(process.path().join(part)).unwrap_or_default();
                if text.windows(self.token.len()).any(|window| window == self.token.as_bytes()) {
                    self.leaks.lock().unwrap().push(String::from_utf8_lossy(&text).into_owned());
                }
            }
        }
    }
}
