use std::collections::BTreeMap;

use millrace_jobs::{
    record::{Change, Content, Origin, Record},
    store::signals::{Arrival, apply},
};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::{Pg, reliability::Figure};

/// Changes of one set; objects and versions are few, so that they meet.
const CHANGES_MAX: usize = 12;
const OBJECTS: usize = 3;
const VERSIONS: i64 = 4;

type Rows = Vec<(String, String, i64, bool)>;

/// R15: whatever the order, however often, however divided into batches, the rows are the same.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let mut random = StdRng::seed_from_u64(15);
    let db = Pg::database().await;
    workspace(&db.pool).await;
    let mut different = Vec::new();
    for case in 0..times {
        let changes = some_changes(&mut random);
        let expected = applied(&db.pool, &changes, &mut StdRng::seed_from_u64(0)).await;
        let mut again = changes.clone();
        again.extend(changes.iter().filter(|_| random.random_bool(0.3)).cloned());
        again.shuffle(&mut random);
        if applied(&db.pool, &again, &mut random).await != expected {
            different.push(case);
        }
    }
    let figure = format!(
        "{times} sets of changes, shuffled and repeated: {} with other rows {different:?}",
        different.len()
    );
    vec![Figure::new("R15", different.is_empty(), figure)]
}

async fn workspace(pool: &PgPool) {
    sqlx::raw_sql(
        "insert into signals.workspaces (id, name) values ('w', 'W');
         insert into ops.sources (id, workspace_id, kind, name, path_id, scheme) values ('s', 'w', 'webhook', 'S', 'p', 'none')",
    )
    .execute(pool)
    .await
    .unwrap();
}

/// One content for each object and version, as platforms have it.
fn some_changes(random: &mut StdRng) -> Vec<Record> {
    let mut known: BTreeMap<(usize, i64), bool> = BTreeMap::new();
    (0..random.random_range(1..=CHANGES_MAX))
        .map(|_| {
            let (object, version) =
                (random.random_range(0..OBJECTS), random.random_range(0..VERSIONS));
            let deletes =
                *known.entry((object, version)).or_insert_with(|| random.random_bool(0.2));
            let change = if deletes {
                Change::Delete
            } else {
                let verbatim = format!("object {object} as of {version}");
                Change::Signal(Box::new(Content { verbatim, ..Content::default() }))
            };
            Record { origin: Origin::Slack, source_ref: format!("o{object}"), version, change }
        })
        .collect()
}

/// The rows after these changes, in batches of random size; nothing of it stays.
async fn applied(pool: &PgPool, changes: &[Record], random: &mut StdRng) -> Rows {
    let mut tx = pool.begin().await.unwrap();
    let mut rest = changes;
    while !rest.is_empty() {
        let (batch, later) = rest.split_at(random.random_range(1..=rest.len()));
        store(&mut tx, batch).await;
        rest = later;
    }
    let rows = sqlx::query_as(
        "select source_ref, verbatim, version, deleted_at is not null from signals.signals order by source_ref",
    )
    .fetch_all(&mut *tx)
    .await
    .unwrap();
    tx.rollback().await.unwrap();
    rows
}

async fn store(conn: &mut PgConnection, batch: &[Record]) {
    let event_id = Uuid::now_v7();
    let arrivals: Vec<_> = batch
        .iter()
        .map(|record| Arrival {
            workspace_id: "w",
            source_id: "s",
            event_id,
            trace_id: "t",
            record,
        })
        .collect();
    apply(conn, &arrivals).await.unwrap();
}
