//! Repositories by the git program: bare, one commit deep, without the large blobs.
//!
//! The program and not a library: it alone fetches shallow and filtered from every server, its transports and its
//! credential rules are what administrators know, and it is updated by their distribution. It gets a clean environment,
//! no prompt and no configuration but ours; a token lies in a file that only we can read, for as long as a fetch lasts,
//! and stands in no URL, argument or environment.

use std::{
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, ensure};
use millrace_config::{ExposeSecret, SecretString};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};
use url::{Host, Url};

use super::{
    select::FILE_BYTES_MAX,
    tree::{Entry, Mode},
};

/// A fetch that brings nothing for as long is given up.
const FETCH_TIMEOUT: Duration = Duration::from_secs(600);
const QUICK_TIMEOUT: Duration = Duration::from_secs(60);
/// Of the program's complaints, this much is passed on, bytes.
const SAID_MAX: usize = 600;
/// The commit that is being indexed.
const TARGET: &str = "refs/millrace/target";

/// A bare repository of ours.
#[derive(Debug)]
pub struct Repository {
    folder: PathBuf,
    url: String,
}

impl Repository {
    /// Open it, or make it.
    ///
    /// # Errors
    /// Without the git program, or without a place.
    pub async fn open(folder: &Path, url: &str) -> anyhow::Result<Self> {
        let repository = Self { folder: folder.to_owned(), url: url.to_owned() };
        if !folder.join("HEAD").exists() {
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
            repository.run(&["init", "--quiet", "--bare", "."], QUICK_TIMEOUT).await?;
        }
        Ok(repository)
    }

    /// Bring what `branch` (or else the remote's HEAD) is now; the id of the commit.
    ///
    /// # Errors
    /// What the program said: no such branch, no access, no network.
    pub async fn fetch(
        &self,
        branch: Option<&str>,
        token: Option<&SecretString>,
    ) -> anyhow::Result<String> {
        let credentials = Credentials::new(&self.url, token)?;
        let (helper, filter) =
            (credentials.helper(), format!("--filter=blob:limit={}", FILE_BYTES_MAX + 1));
        let refspec = format!("+{}:{TARGET}", wanted(branch)?);
        let mut arguments =
            vec!["-c", &helper, "fetch", "--quiet", "--depth=1", "--no-tags", "--force"];
        arguments.extend([filter.as_str(), "--no-write-fetch-head", "--", &self.url, &refspec]);
        self.run(&arguments, FETCH_TIMEOUT).await?;
        let target = format!("{TARGET}^{{commit}}");
        let id = self
            .run(&["rev-parse", "--verify", "--end-of-options", &target], QUICK_TIMEOUT)
            .await?;
        Ok(String::from_utf8_lossy(&id).trim().to_owned())
    }

    /// The id of the commit that [`Repository::fetch`] would bring.
    ///
    /// # Errors
    /// As those of it.
    pub async fn newest(
        &self,
        branch: Option<&str>,
        token: Option<&SecretString>,
    ) -> anyhow::Result<String> {
        let credentials = Credentials::new(&self.url, token)?;
        let (helper, wanted) = (credentials.helper(), wanted(branch)?);
        let arguments = ["-c", &helper, "ls-remote", "--quiet", "--", &self.url, &wanted];
        let listed =
            String::from_utf8_lossy(&self.run(&arguments, QUICK_TIMEOUT).await?).into_owned();
        let id =
            listed.lines().find_map(|line| line.strip_suffix(&wanted)?.split_whitespace().next());
        Ok(id.with_context(|| format!("the repository has no {wanted}"))?.to_owned())
    }

    /// All files of a commit.
    ///
    /// # Errors
    /// If it is not there.
    pub async fn files(&self, commit: &str) -> anyhow::Result<Vec<Entry>> {
        let listed =
            self.run(&["ls-tree", "-r", "-z", "--full-tree", commit], QUICK_TIMEOUT).await?;
        Ok(listed.split(|byte| *byte == 0).filter_map(entry).collect())
    }

    /// Start to read blobs.
    ///
    /// # Errors
    /// If the program cannot be started.
    pub fn blobs(&self) -> anyhow::Result<Blobs> {
        let mut command = self.command();
        command.args(["cat-file", "--batch"]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("git cat-file")?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        Ok(Blobs {
            input: stdin.context("no pipe to git")?,
            output: BufReader::new(stdout.context("no pipe from git")?),
            _child: child,
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new("git");
        command.env_clear().current_dir(&self.folder).kill_on_drop(true);
        command
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LC_ALL", "C")
            .env("HOME", &self.folder);
        // Plain HTTP goes no further than this machine.
        let here = Url::parse(&self.url).is_ok_and(|url| is_loopback(&url));
        let protocols = if here { "http:https" } else { "https:file" };
        for (name, value) in [
            ("GIT_DIR", "."),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_ASKPASS", "true"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_ALLOW_PROTOCOL", protocols),
        ] {
            command.env(name, value);
        }
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        command
    }

    async fn run(&self, arguments: &[&str], within: Duration) -> anyhow::Result<Vec<u8>> {
        let what =
            arguments.iter().find(|a| !a.starts_with('-') && !a.contains('=')).unwrap_or(&"");
        let running = self.command().args(arguments).output();
        let done = timeout(within, running)
            .await
            .with_context(|| format!("git {what} took over {within:?}"))?;
        let done =
            done.with_context(|| "git cannot be started: install it and put it into the path")?;
        let said = String::from_utf8_lossy(&done.stderr);
        let said = said.get(..said.floor_char_boundary(SAID_MAX)).unwrap_or_default();
        ensure!(done.status.success(), "git {what}: {}", said.trim());
        Ok(done.stdout)
    }
}

/// The ref of a branch. What git itself refuses in names (git-check-ref-format) and could mean something else here is
/// refused before.
fn wanted(branch: Option<&str>) -> anyhow::Result<String> {
    let Some(branch) = branch else { return Ok("HEAD".into()) };
    let odd = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
    ensure!(!branch.contains(odd) && !branch.contains(".."), "{branch:?} is no name of a branch");
    Ok(format!("refs/heads/{branch}"))
}

/// `100644 blob <id>\t<path>`; none if the path is no UTF-8.
fn entry(line: &[u8]) -> Option<Entry> {
    let line = String::from_utf8_lossy(line);
    let (about, path) = line.split_once('\t')?;
    let mut about = about.split(' ');
    let mode = match about.next()? {
        "120000" => Mode::Symlink,
        "160000" => Mode::Submodule,
        _ => Mode::File,
    };
    let hash = about.nth(1)?.to_owned();
    Some(Entry { path: path.to_owned(), hash, mode })
}

/// A running `git cat-file`.
#[derive(Debug)]
pub struct Blobs {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _child: Child,
}

impl Blobs {
    /// The content of a blob; none if it was left out for its size.
    ///
    /// # Errors
    /// If the program ends.
    pub async fn read(&mut self, hash: &str) -> anyhow::Result<Option<Vec<u8>>> {
        self.input.write_all(format!("{hash}\n").as_bytes()).await.context("git cat-file")?;
        self.input.flush().await.context("git cat-file")?;
        let mut header = String::new();
        self.output.read_line(&mut header).await.context("git cat-file")?;
        let mut words = header.split_whitespace().skip(1);
        match (words.next(), words.next()) {
            (Some("missing"), _) => Ok(None),
            (Some(_), Some(size)) => {
                // The newline after it, too.
                let mut content = vec![0; size.parse::<usize>().context("git cat-file")? + 1];
                self.output.read_exact(&mut content).await.context("git cat-file")?;
                content.pop();
                Ok(Some(content))
            }
            _ => anyhow::bail!("git cat-file ended"),
        }
    }
}

/// A file with the token, for git's own `credential-store`; gone with it. Without a token no helper at all, also none of
/// whoever set up this machine.
#[derive(Debug)]
struct Credentials {
    path: Option<PathBuf>,
}

impl Credentials {
    fn new(url: &str, token: Option<&SecretString>) -> anyhow::Result<Self> {
        let Some(token) = token else { return Ok(Self { path: None }) };
        let mut url = Url::parse(url).context("the address of the repository")?;
        ensure!(url.scheme() == "https" || is_loopback(&url), "a token goes over https only");
        let none = |()| anyhow::anyhow!("the address of the repository takes no user");
        url.set_username("x-access-token").map_err(none)?;
        url.set_password(Some(token.expose_secret())).map_err(none)?;
        url.set_path("");
        let path = std::env::temp_dir().join(format!("millrace-{}", uuid::Uuid::new_v4()));
        let options =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let mut file = options.context("a file for the token")?;
        let credentials = Self { path: Some(path) };
        file.write_all(format!("{url}\n").as_bytes()).context("a file for the token")?;
        Ok(credentials)
    }

    fn helper(&self) -> String {
        match &self.path {
            Some(path) => format!("credential.helper=store --file={}", path.display()),
            None => "credential.helper=".into(),
        }
    }
}

impl Drop for Credentials {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            std::fs::remove_file(path).ok();
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    matches!(url.host(), Some(Host::Ipv4(ip)) if ip.is_loopback())
}
