use std::{fs::File, io::Write, path::Path, process::Command, time::Duration};

use rand::{RngExt, distr::Alphanumeric};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    App, Sender, client,
    cluster::Private,
    oracle::{self, Oracle},
    proxy::Proxy,
    reliability::Figure,
    wait_until,
};

const SOON: Duration = Duration::from_secs(60);
const BODY_BYTES: usize = 200_000;
/// More than either volume can take.
const DELIVERIES_MAX: usize = 3000;

/// R11: the volume of the data is full, then that of the WAL; `times` deliveries are refused each time.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let (Some(data), Some(wal)) = (Volume::mount("size=96m"), Volume::mount("size=200m")) else {
        println!("SKIPPED: no volume can be mounted here (that takes root)");
        return Vec::new();
    };
    vec![
        full("R11 data", &data, Private::start_in(data.path()).await, times).await,
        full("R11 WAL", &wal, Private::start_logging_to(wal.path()).await, times).await,
    ]
}

async fn full(id: &'static str, volume: &Volume, mut postgres: Private, times: u32) -> Figure {
    let database = postgres.database().await;
    let proxy = Proxy::before(&database.url).await;
    let app = App::new(&database, &["all"]).env("DATABASE_URL", &proxy.url).ready().await;
    let sender = Sender::add(&app, "chaos", "webhook", &[]).await;
    let mut books = Books::default();
    books.deliver(&sender, 1).await;
    volume.fill();
    while books.refused < times && books.sent < DELIVERIES_MAX {
        books.deliver(&sender, BODY_BYTES).await;
    }
    let alive = client().get(app.url("/livez")).send().await.is_ok_and(|a| a.status() == 200);
    volume.free();
    let mut ended = false;
    let before = books.oracle.promised_so_far();
    wait_until("deliveries to be taken again", SOON, async || {
        // It may take a while to die.
        if postgres.ended() {
            ended = true;
            postgres.again().await;
            proxy.retarget(&postgres.url());
        }
        books.deliver(&sender, 1).await;
        (books.oracle.promised_so_far() > before).then_some(())
    })
    .await;
    let pool = postgres.database().await.pool;
    wait_until("all work to be done", SOON, async || {
        oracle::unfinished(&pool).await.is_empty().then_some(())
    })
    .await;
    let verdict = books.oracle.judge(&pool, books.sent).await;
    let Books { refused, other, .. } = books;
    let figure = format!(
        "{} promised, {refused} refused with 503, {other} other answers; process alive: {alive}; Postgres ended: \
         {ended}; afterwards {} lost, good: {}",
        verdict.promised,
        verdict.lost.len(),
        verdict.is_good()
    );
    Figure::new(id, verdict.is_good() && alive && other == 0 && refused >= times, figure)
}

#[derive(Default)]
struct Books {
    oracle: Oracle,
    sent: usize,
    refused: u32,
    other: u32,
}

impl Books {
    /// One delivery of so many bytes that do not compress.
    async fn deliver(&mut self, sender: &Sender, bytes: usize) {
        let name = format!("full-{}", self.sent);
        self.sent += 1;
        let noise: String =
            rand::rng().sample_iter(Alphanumeric).take(bytes).map(char::from).collect();
        let body: Value =
            json!({ "verbatim": "It stops halfway", "sourceRef": name, "noise": noise });
        let answer = sender.send("", &body).await;
        match answer.status {
            200 => self.oracle.promised(&name, answer.event_id()),
            503 => self.refused += 1,
            _ => self.other += 1,
        }
    }
}

/// A small volume of its own.
struct Volume {
    folder: TempDir,
}

impl Volume {
    /// Nothing where that is not allowed.
    fn mount(size: &str) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("{size},mode=0777"), "millrace"])
            .arg(folder.path());
        mount.output().is_ok_and(|done| done.status.success()).then_some(Self { folder })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// To the last byte.
    fn fill(&self) {
        let mut ballast = File::create(self.path().join("ballast")).unwrap();
        while ballast.write_all(&[1; 1 << 16]).is_ok() {}
        while ballast.write_all(&[1]).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.path().join("ballast")).unwrap();
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        Command::new("umount").arg("--lazy").arg(self.path()).status().ok();
    }
}
