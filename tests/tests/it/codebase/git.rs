//! Repositories by git, as servers have them: what a commit holds besides files, and what happens to branches.

use std::path::Path;

use millrace_config::{Clock, SecretString, Settings};
use millrace_jobs::{
    codebase::{open, report::Report, run::Order},
    store::codebase::{connections::Connection, files},
};
use millrace_tests::{Checkout, GitServer, rig};
use tempfile::TempDir;

use super::{Bench, rows};

/// A worker's folder for repositories.
struct Worker {
    bench: Bench,
    settings: Settings,
    _home: TempDir,
}

impl Worker {
    async fn new() -> Self {
        let (bench, home, mut settings) =
            (Bench::new().await, TempDir::new().unwrap(), rig::settings());
        settings.codebase.folder = home.path().join("repositories");
        Self { bench, settings, _home: home }
    }

    async fn index(&self, of: &Connection) -> anyhow::Result<Report> {
        let (tree, commit) = open::open(&self.settings, &Clock::system(), of).await?;
        self.bench.run(of, tree, Order { commit: commit.as_deref(), ..Order::default() }).await
    }
}

#[tokio::test]
async fn what_is_no_file_of_the_repository_is_named_and_left_out() {
    let worker = Worker::new().await;
    let (checkout, other) = (Checkout::new(), Checkout::new());
    other.write("x.rs", "fn x() {}\n");
    other.commit("other");
    checkout.write("a.rs", "fn a() {}\n");
    checkout.write("big.rs", "// long\n".repeat(200_000));
    checkout.write(
        "asset.bin.txt",
        "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
    );
    checkout.write("größe.rs", "fn gross() {}\n");
    std::os::unix::fs::symlink("a.rs", checkout.path().join("link.rs")).unwrap();
    let url = other.url();
    checkout.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &url, "sub"]);
    let commit = checkout.commit("all kinds");
    let of = checkout.connect(&worker.bench.db.pool, "acme", "app").await;
    let report = worker.index(&of).await.unwrap();
    assert_eq!(report.commit.as_deref(), Some(&*commit));
    let mut conn = worker.bench.db.pool.acquire().await.unwrap();
    let skipped = files::skipped(&mut conn, of.id).await.unwrap();
    let skipped: Vec<_> =
        skipped.iter().map(|s| (s.file_path.as_str(), s.reason.as_str())).collect();
    let named = [
        ("asset.bin.txt", "lfs_pointer"),
        ("big.rs", "too_large"),
        ("link.rs", "symlink"),
        ("sub", "submodule"),
    ];
    assert_eq!(skipped, named);
    let indexed = files::all(&mut conn, of.id).await.unwrap();
    let indexed: Vec<&str> = indexed.iter().map(|f| f.file_path.as_str()).collect();
    assert_eq!(indexed, [".gitmodules", "a.rs", "größe.rs"]);
}

#[tokio::test]
async fn a_commit_and_a_checkout_of_it_have_the_same_index() {
    let worker = Worker::new().await;
    let checkout = Checkout::new();
    checkout.write("src/a.rs", "fn a() {\r\n    1\r\n}\r\n");
    checkout.write("b.py", b"\xef\xbb\xbfdef b():\n    return 'caf\xe9'\n");
    checkout.write("gen.rs", "fn g() {}\n");
    checkout.write(".gitattributes", "* -text\ngen.rs linguist-generated\n");
    checkout.commit("first");
    let pool = &worker.bench.db.pool;
    let by_git = checkout.connect(pool, "acme", "app").await;
    worker.index(&by_git).await.unwrap();
    let folder = checkout.connect(pool, "acme", "folder").await;
    worker.bench.index(&folder, &checkout).await;
    assert_eq!(rows(pool, &by_git).await, rows(pool, &folder).await);
}

#[tokio::test]
async fn branches_are_rewritten_deleted_and_found_again() {
    let worker = Worker::new().await;
    let checkout = Checkout::new();
    checkout.write("a.rs", "fn a() {}\n");
    checkout.write("b.rs", "fn b() {}\n");
    let first = checkout.commit("first");
    let pool = &worker.bench.db.pool;
    let of = checkout.connect(pool, "acme", "app").await;
    worker.index(&of).await.unwrap();
    checkout.write("b.rs", "fn other() {}\n");
    checkout.commit("second");
    assert_eq!(worker.index(&of).await.unwrap().updated, 1);
    // History is rewritten, and what was there is gone from the server.
    checkout.git(&["reset", "--quiet", "--hard", &first]);
    checkout.git(&["reflog", "expire", "--expire=now", "--all"]);
    checkout.git(&["gc", "--quiet", "--prune=now"]);
    checkout.remove("a.rs");
    let third = checkout.commit("third");
    let report = worker.index(&of).await.unwrap();
    assert_eq!((report.commit.as_deref(), report.deleted, report.updated), (Some(&*third), 1, 1));
    // The branch is gone: the index stays as it is, and says why.
    checkout.git(&["branch", "--quiet", "--move", "main", "trunk"]);
    let before = rows(pool, &of).await;
    let error = worker.index(&of).await.unwrap_err().to_string();
    assert!(error.contains("main"), "{error}");
    assert_eq!(rows(pool, &of).await, before);
    // Our own copy is lost.
    checkout.git(&["branch", "--quiet", "--move", "trunk", "main"]);
    open::forget(&worker.settings, &of);
    assert_eq!(worker.index(&of).await.unwrap().unchanged, 1);
}

#[tokio::test]
async fn a_token_opens_its_host_and_is_seen_nowhere() {
    let mut worker = Worker::new().await;
    let checkout = Checkout::new();
    checkout.write("a.rs", "fn a() {}\n");
    let commit = checkout.commit("first");
    let served = TempDir::new().unwrap();
    let bare = served.path().join("app.git");
    checkout.git(&["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
    checkout.git(&["-C", bare.to_str().unwrap(), "config", "uploadpack.allowFilter", "true"]);
    let token = "tok_5f1c0a7be4";
    let server = GitServer::start(served.path().to_owned(), token).await;
    let pool = &worker.bench.db.pool;
    let of = checkout.connect(pool, "acme", "app").await;
    let of = Connection { repository_url: format!("{}/app.git", server.url), ..of };
    let refused = worker.index(&of).await.unwrap_err();
    assert!(!format!("{refused:?}").contains(token));
    worker.settings.codebase.tokens =
        SecretString::from(format!("example.test=x, 127.0.0.1={token}"));
    assert_eq!(worker.index(&of).await.unwrap().commit, Some(commit.clone()));
    assert_eq!(open::newest(&worker.settings, &Clock::system(), &of).await.unwrap(), commit);
    assert_eq!(server.leaks(), Vec::<String>::new());
    let folder = &worker.settings.codebase.folder;
    let left = std::process::Command::new("grep").args(["-r", token]).arg(folder).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&left.stdout), "", "in our own repository");
    let wrong = format!("{:?}", worker.settings.codebase);
    assert!(!wrong.contains(token));
}

#[tokio::test]
async fn names_that_git_would_take_for_something_else_are_refused() {
    let worker = Worker::new().await;
    let checkout = Checkout::new();
    checkout.write("a.rs", "fn a() {}\n");
    checkout.commit("first");
    let of = checkout.connect(&worker.bench.db.pool, "acme", "app").await;
    for branch in ["a:b", "a..b", "a b", "a\u{7}", "*"] {
        let odd = Connection { default_branch: branch.into(), ..of.clone() };
        let error = worker.index(&odd).await.unwrap_err().to_string();
        assert!(error.contains("no name of a branch"), "{branch:?}: {error}");
    }
    for url in
        ["--upload-pack=touch x", "ext::sh -c touch% x", "ssh://h/x", "http://example.test/x"]
    {
        let odd = Connection { repository_url: url.into(), ..of.clone() };
        assert!(worker.index(&odd).await.is_err(), "{url}");
    }
    assert!(!Path::new("x").exists());
}
