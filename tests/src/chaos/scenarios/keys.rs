use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use millrace_config::{SecretString, Secrets};
use millrace_ingest::{
    registry::admin::{self, NewSource},
    secrets::{KeyRing, sealed_with},
};
use sqlx::PgPool;
use tokio::task::JoinSet;

use crate::{App, Pg, Sender, reliability::Figure, wait_until};

/// Sources that deliver all the time.
const SENDING: usize = 6;
/// Rows of which every pair is swapped.
const SWAPPED: usize = 20;
const SOON: Duration = Duration::from_secs(30);

/// Deliveries by one source until told to stop.
#[derive(Debug, Default, Clone)]
struct Load {
    over: Arc<AtomicBool>,
    sent: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
}

impl Load {
    fn start(&self, tasks: &mut JoinSet<()>, sender: Sender, name: &str) {
        let (load, name) = (self.clone(), name.to_owned());
        tasks.spawn(async move {
            while !load.over.load(Ordering::Relaxed) {
                let nth = load.sent.fetch_add(1, Ordering::Relaxed);
                let answer = sender.send(&format!("{name}-{nth}"), &Sender::feedback(nth)).await;
                load.refused.fetch_add(usize::from(answer.status != 200), Ordering::Relaxed);
            }
        });
    }

    /// As many again as were sent until now.
    async fn goes_on(&self) {
        let now = self.sent.load(Ordering::Relaxed);
        wait_until("more deliveries", SOON, async || {
            (self.sent.load(Ordering::Relaxed) > now + 20).then_some(())
        })
        .await;
    }
}

/// R26: `times` secrets get another key, and those of sources that deliver meanwhile are replaced, too.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let db = Pg::database().await;
    let app = App::new(&db, &["all"]).env("MILLRACE__SECRETS__KEYS", "");
    app.run_json(&["--json", "keys", "init"]).await;
    let mut app = app.ready().await;
    let (mut senders, mut tasks, load) = (Vec::new(), JoinSet::new(), Load::default());
    for n in 0..SENDING {
        let name = format!("sending-{n}");
        let sender =
            Sender::add(&app, "acme", "webhook", &["--scheme", "standard", "--name", &name]).await;
        load.start(&mut tasks, sender.clone(), &name);
        senders.push(sender);
    }
    fill(&db.pool, &ring(&app), usize::try_from(times).unwrap().saturating_sub(SENDING)).await;
    load.goes_on().await;

    let old = ring(&app).writer();
    let new = app.run_json(&["--json", "keys", "add"]).await["id"].as_str().unwrap().to_owned();
    let rotated = app.run_json(&["--json", "keys", "rotate", &new]).await;
    load.goes_on().await;
    for sender in &mut senders {
        let added = app.run_json(&["--json", "source", "rotate", sender.id()]).await;
        sender.source["secret"] = added["secret"].clone();
        // The platform uses the new one at once, and the old one a while longer.
        load.start(&mut tasks, sender.clone(), &format!("{}-new", sender.id()));
    }
    load.goes_on().await;
    app.run_json(&["--json", "keys", "rm", &old]).await;
    load.goes_on().await;
    load.over.store(true, Ordering::Relaxed);
    while tasks.join_next().await.is_some() {}
    // Whoever starts now has never seen the old key.
    app.kill();
    app.spawn();
    app.wait_ready().await;
    for (n, sender) in senders.iter().enumerate() {
        let answer = sender.send(&format!("after-{n}"), &Sender::feedback(n)).await;
        load.refused.fetch_add(usize::from(answer.status != 200), Ordering::Relaxed);
    }

    let rows = sealed(&db.pool).await;
    let anew = rows.iter().filter(|(_, row)| sealed_with(row) == Some(&new)).count();
    let forgotten = !ring(&app).ids().contains(&old);
    let (sent, refused) = (load.sent.load(Ordering::Relaxed), load.refused.load(Ordering::Relaxed));
    let (swaps, opened) = swaps(&ring(&app), &rows);
    let noticed = noticed(&app, &db.pool, &senders).await;
    let figure = format!(
        "{} of {} secrets sealed anew ({} by one command), old key gone: {forgotten}; {refused} of {sent} good deliveries \
         refused meanwhile, with {SENDING} sources' secrets replaced, too; {opened} of {swaps} swapped ciphertexts opened, \
         of two swapped in the database deliveries are refused and the doctor says so: {noticed}",
        anew,
        rows.len(),
        rotated["sealed"],
    );
    let kept = anew == rows.len() && forgotten && refused == 0 && opened == 0 && noticed;
    vec![Figure::new("R26 rotation", kept, figure)]
}

fn ring(app: &App) -> KeyRing {
    let key_file = app.home().join("secrets.key");
    KeyRing::load(&Secrets { keys: SecretString::from(""), key_file }).unwrap()
}

async fn fill(pool: &PgPool, ring: &KeyRing, sources: usize) {
    for n in 0..sources {
        let new = NewSource {
            workspace_id: "acme".into(),
            kind: "webhook".into(),
            name: format!("quiet-{n}"),
            ..NewSource::default()
        };
        admin::add(pool, ring, &new, None).await.unwrap();
    }
}

async fn sealed(pool: &PgPool) -> Vec<(String, Vec<u8>)> {
    sqlx::query_as("select id, sealed from ops.source_secrets order by id")
        .fetch_all(pool)
        .await
        .unwrap()
}

/// How many pairs of rows were tried, and how many opened with each other's ciphertext.
fn swaps(ring: &KeyRing, rows: &[(String, Vec<u8>)]) -> (usize, usize) {
    let rows: Vec<_> = rows.iter().take(SWAPPED).collect();
    let pairs = rows.iter().enumerate().flat_map(|(a, (id, _))| {
        rows.iter().enumerate().filter(move |(b, _)| a != *b).map(move |(_, (_, row))| (id, row))
    });
    let outcomes: Vec<bool> = pairs.map(|(id, row)| ring.open(id, row).is_ok()).collect();
    (outcomes.len(), outcomes.iter().filter(|opened| **opened).count())
}

/// Two sources' ciphertexts are swapped: neither takes what its own sender signs, and the doctor fails.
async fn noticed(app: &App, pool: &PgPool, senders: &[Sender]) -> bool {
    let [a, b, ..] = senders else { return false };
    sqlx::query(
        "update ops.source_secrets x set sealed = y.sealed
         from ops.source_secrets y
         where x.source_id = any (array[$1, $2]) and y.source_id = any (array[$1, $2])
           and x.source_id <> y.source_id and (x.not_after is null) = (y.not_after is null)",
    )
    .bind(a.id())
    .bind(b.id())
    .execute(pool)
    .await
    .unwrap();
    for sender in [a, b] {
        wait_until("refusals", SOON, async || {
            let answer = sender.send("swapped", &Sender::feedback(0)).await;
            (answer.status != 200).then_some(())
        })
        .await;
    }
    app.run(&["doctor"]).await.status.code() == Some(1)
}
