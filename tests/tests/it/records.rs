//! Records become rows: any order, any concurrency, one result.

use millrace_jobs::{
    record::{Change, Content, InboxContent, Origin, Record, Severity, UNCHANGING},
    store::signals::{Applied, Arrival, Outcome, Target, apply},
};
use millrace_tests::{Database, Pg};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

async fn workspace(db: &Database) {
    sqlx::raw_sql(
        "insert into signals.workspaces (id, name) values ('w', 'W');
         insert into ops.sources (id, workspace_id, kind, name, path_id, scheme) values ('s', 'w', 'webhook', 'S', 'p', 'none')",
    )
    .execute(&db.pool)
    .await
    .unwrap();
}

fn said(source_ref: &str, version: i64, verbatim: &str) -> Record {
    let content = Content { verbatim: verbatim.into(), ..Content::default() };
    let change = Change::Signal(Box::new(content));
    Record { origin: Origin::Slack, source_ref: source_ref.into(), version, change }
}

fn deleted(source_ref: &str, version: i64) -> Record {
    let change = Change::Delete;
    Record { origin: Origin::Slack, source_ref: source_ref.into(), version, change }
}

async fn apply_all(db: &Database, records: &[Record]) -> Vec<Applied> {
    let mut tx = db.pool.begin().await.unwrap();
    let event_id = Uuid::now_v7();
    let arrivals: Vec<_> = records
        .iter()
        .map(|record| Arrival {
            workspace_id: "w",
            source_id: "s",
            event_id,
            trace_id: "t",
            record,
        })
        .collect();
    let applied = apply(&mut tx, &arrivals).await.unwrap();
    tx.commit().await.unwrap();
    applied
}

async fn outcomes(db: &Database, records: &[Record]) -> Vec<Outcome> {
    apply_all(db, records).await.into_iter().map(|a| a.outcome).collect()
}

async fn texts(db: &Database) -> Vec<(String, String, i64)> {
    sqlx::query_as("select source_ref, verbatim, version from signals.signals order by source_ref")
        .fetch_all(&db.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn versions_of_one_object_end_in_its_newest() {
    let db = Pg::database().await;
    workspace(&db).await;
    let batch = [said("b", 2, "two"), said("a", 1, "first"), said("b", 1, "one"), deleted("c", 5)];
    let got = outcomes(&db, &batch).await;
    assert_eq!(got, [Outcome::Edited, Outcome::Created, Outcome::Created, Outcome::Deleted]);
    let later = [said("c", 5, "late"), said("b", 1, "one"), said("b", 2, "two"), deleted("a", 1)];
    let got = outcomes(&db, &later).await;
    let expected = [Outcome::TombstoneWins, Outcome::Stale, Outcome::Unchanged, Outcome::Deleted];
    assert_eq!(got, expected);
    let rows = texts(&db).await;
    assert_eq!(
        rows,
        [
            ("a".into(), String::new(), 1),
            ("b".into(), "two".into(), 2),
            ("c".into(), String::new(), 5)
        ]
    );
    let kept: i64 = sqlx::query_scalar(
        "select count(*) from signals.signal_versions v join signals.signals s on s.id = v.signal_id
         where v.verbatim is not null and s.source_ref <> 'b'",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!(kept, 0, "a delete erases the texts of all versions");
    assert_eq!(outcomes(&db, &[said("c", 6, "back")]).await, [Outcome::Edited]);
    assert_eq!(texts(&db).await[2].1, "back");
}

#[tokio::test]
async fn fifty_writers_in_any_order_converge() {
    let db = Pg::database().await;
    workspace(&db).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..50_usize {
        let db = db.clone();
        tasks.spawn(async move {
            // Every writer has all objects, each its own order and its own version of them.
            let mut batch: Vec<_> = (0..8)
                .map(|o| {
                    let version = i64::try_from((n * 7 + o) % 10).unwrap();
                    match (o, version) {
                        (3, 9) => deleted("o3", 9),
                        _ => said(&format!("o{o}"), version, &format!("version {version}")),
                    }
                })
                .collect();
            batch.rotate_left(n % 8);
            apply_all(&db, &batch).await.iter().filter(|a| a.outcome == Outcome::Created).count()
        });
    }
    let created: usize = tasks.join_all().await.into_iter().sum();
    let rows = texts(&db).await;
    assert_eq!(rows.len(), 8);
    for (source_ref, verbatim, version) in rows {
        let expected = if source_ref == "o3" { "" } else { "version 9" };
        assert_eq!((verbatim.as_str(), version), (expected, 9), "{source_ref}");
    }
    let logged: i64 = sqlx::query_scalar("select count(*) from signals.activity_logs")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert!((7..=8).contains(&created), "each object is created once");
    assert_eq!(usize::try_from(logged).unwrap(), created);
}

#[tokio::test]
async fn equal_versions_with_different_texts_converge() {
    let one = Pg::database().await;
    let two = Pg::database().await;
    let (a, b) = (said("x", 1, "this"), said("x", 1, "that"));
    for (db, order) in [(&one, [&a, &b]), (&two, [&b, &a])] {
        workspace(db).await;
        for record in order {
            apply_all(db, std::slice::from_ref(record)).await;
        }
    }
    assert_eq!(texts(&one).await, texts(&two).await);
}

#[tokio::test]
async fn whoever_repeats_the_key_of_a_mail_overwrites_nothing() {
    let db = Pg::database().await;
    workspace(&db).await;
    // Of other objects, the text that hashes highest would win.
    let copies = ["forged", "footer added", "another"].map(|text| said("mail", UNCHANGING, text));
    outcomes(&db, &[said("mail", UNCHANGING, "the mail")]).await;
    for copy in copies {
        assert_eq!(outcomes(&db, &[copy]).await, [Outcome::Unchanged]);
    }
    assert_eq!(texts(&db).await[0].1, "the mail");
}

#[tokio::test]
async fn what_was_derived_from_a_text_falls_with_it() {
    let db = Pg::database().await;
    workspace(&db).await;
    let first = ["edited", "confirmed", "gone"].map(|key| said(key, 1, "Export to Excel"));
    apply_all(&db, &first).await;
    apply_all(&db, &[said("copy", 1, "Export to Excel!"), said("same", 1, "It is slow")]).await;
    sqlx::raw_sql(
        "insert into signals.projects (id, workspace_id, name) values ('p', 'w', 'P');
         insert into signals.signal_projects (workspace_id, signal_id, project_id, origin)
         select 'w', id, 'p', case source_ref when 'confirmed' then 'manual' else 'auto' end from signals.signals
         where source_ref <> 'copy';
         insert into signals.signal_personas (workspace_id, signal_id, persona_id)
         select 'w', id, 'enterprise' from signals.signals;
         update signals.signals set status = 'linked', processed_at = now();
         update signals.signals s set duplicate_of = o.id, duplicate_kind = 'near'
         from signals.signals o where s.source_ref = 'copy' and o.source_ref = 'edited'",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    let later = [
        said("edited", 2, "Dark theme"),
        said("confirmed", 2, "Dark theme"),
        deleted("gone", 2),
        said("same", 2, "It is slow"),
    ];
    apply_all(&db, &later).await;
    let rows: Vec<(String, String, i64, i64, bool)> = sqlx::query_as(
        "select source_ref, status, (select count(*) from signals.signal_projects p where p.signal_id = s.id),
                (select count(*) from signals.signal_personas p where p.signal_id = s.id), duplicate_of is null
         from signals.signals s order by source_ref",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    let row = |key: &str, status: &str, links, personas| {
        (key.to_owned(), status.to_owned(), links, personas, true)
    };
    let expected = [
        row("confirmed", "linked", 1, 0),
        row("copy", "linked", 0, 1),
        row("edited", "new", 0, 0),
        row("gone", "archived", 0, 0),
        row("same", "linked", 1, 1),
    ];
    assert_eq!(rows, expected, "a person's link outlives an edit, nothing outlives a delete");
}

#[tokio::test]
async fn the_beginning_of_a_long_text_holds_its_parts_together_and_is_not_processed() {
    let db = Pg::database().await;
    workspace(&db).await;
    let mut records = [said("file", 1, "The file begins"), said("file/chunk-1", 1, "One part.")];
    let [Change::Signal(whole), Change::Signal(part)] =
        records.each_mut().map(|record| &mut record.change)
    else {
        panic!("signals");
    };
    whole.parts = Some(1);
    part.parent_ref = Some("file".into());
    let states = async || -> Vec<bool> {
        sqlx::query_scalar(
            "select processed_at is not null from signals.signals order by source_ref",
        )
        .fetch_all(&db.pool)
        .await
        .unwrap()
    };
    for version in [1, 2] {
        for record in &mut records {
            record.version = version;
            if let Change::Signal(content) = &mut record.change {
                content.verbatim.push_str(" again");
            }
        }
        let event_id = Uuid::now_v7();
        let arrival =
            |record| Arrival { workspace_id: "w", source_id: "s", event_id, trace_id: "t", record };
        let arrivals: Vec<_> = records.iter().map(arrival).collect();
        let applied = apply_all(&db, &records).await;
        let jobs = millrace_jobs::signals::process::jobs(&arrivals, &applied).unwrap();
        assert_eq!(jobs.len(), 1, "only the part has work to be done");
        assert_eq!(states().await, [true, false], "version {version}");
    }
}

#[tokio::test]
async fn parts_go_with_the_version_of_the_whole_that_had_them() {
    let db = Pg::database().await;
    workspace(&db).await;
    let file = |version: i64, parts: usize| -> Vec<Record> {
        let mut all = vec![said("file", version, &format!("Version {version}"))];
        for n in 1..=parts {
            let mut part =
                said(&format!("file/{n}"), version, &format!("Part {n} of version {version}"));
            if let Change::Signal(content) = &mut part.change {
                content.parent_ref = Some("file".into());
            }
            all.push(part);
        }
        all
    };
    let living = async || -> Vec<String> {
        sqlx::query_scalar(
            "select verbatim from signals.signals where deleted_at is null and parent_id is not null order by source_ref",
        )
        .fetch_all(&db.pool)
        .await
        .unwrap()
    };
    apply_all(&db, &file(2, 3)).await;
    assert_eq!(living().await.len(), 3);
    apply_all(&db, &file(4, 1)).await;
    assert_eq!(living().await, ["Part 1 of version 4"], "two parts are no longer said");
    apply_all(&db, &file(3, 4)).await;
    assert_eq!(living().await, ["Part 1 of version 4"], "nor does a late delivery say them");
    apply_all(&db, &[deleted("file", 4)]).await;
    assert_eq!(living().await, [""; 0], "a delete takes the parts along");
    let texts: i64 = sqlx::query_scalar(
        "select count(*) from signals.signal_versions where verbatim is not null",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!(texts, 0);
    apply_all(&db, &file(5, 2)).await;
    assert_eq!(living().await.len(), 2);
}

#[tokio::test]
async fn an_edit_keeps_what_people_said_and_drops_what_the_model_said() {
    let db = Pg::database().await;
    workspace(&db).await;
    let mut first = said("a", 1, "It is slow.");
    if let Change::Signal(content) = &mut first.change {
        content.severity = Some(Severity::High);
        content.tags = vec!["t".into()];
    }
    apply_all(&db, &[first]).await;
    sqlx::query(
        "update signals.signals set processed_at = now(), frequency = 'rare', user_segment = 'smb', interpretation = 'mine',
           ai_classification = '{}', provenance = provenance || '{\"frequency\": {\"by\": \"model\"}, \"user_segment\": {\"by\": \"model\"}, \"interpretation\": {\"by\": \"user\"}}'",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    apply_all(&db, &[said("a", 2, "It is very slow.")]).await;
    type Row = (bool, Option<String>, Option<String>, Option<String>, Option<String>, Value, Value);
    let row: Row = sqlx::query_as(
        "select processed_at is null and ai_classification is null, severity, frequency, user_segment, interpretation, provenance, tags
         from signals.signals",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    let provenance = json!({"severity": {"by": "caller"}, "interpretation": {"by": "user"}});
    let expected =
        (true, Some("high".into()), None, None, Some("mine".into()), provenance, json!(["t"]));
    assert_eq!(row, expected);
}

#[tokio::test]
async fn parts_point_at_their_parent_and_inbox_items_are_versioned() {
    let db = Pg::database().await;
    workspace(&db).await;
    let mut part = said("file/row-1", 1, "A row.");
    if let Change::Signal(content) = &mut part.change {
        content.parent_ref = Some("file".into());
    }
    apply_all(&db, &[part, said("file", 1, "The file.")]).await;
    let parent: Option<String> = sqlx::query_scalar(
        "select p.source_ref from signals.signals s join signals.signals p on p.id = s.parent_id where s.source_ref = 'file/row-1'",
    )
    .fetch_optional(&db.pool)
    .await
    .unwrap();
    assert_eq!(parent.as_deref(), Some("file"));

    let item = |version, title: &str| Record {
        origin: Origin::Webhook,
        source_ref: "i".into(),
        version,
        change: Change::Inbox(Box::new(InboxContent {
            kind: "transcript".into(),
            source: "webhook".into(),
            title: title.into(),
            raw_content: "text".into(),
            metadata: serde_json::Map::new(),
        })),
    };
    let created = apply_all(&db, &[item(2, "second")]).await;
    assert!(matches!(created[0].target, Target::InboxItem(_)));
    assert_eq!(created[0].outcome, Outcome::Created);
    assert_eq!(outcomes(&db, &[item(1, "first")]).await, [Outcome::Stale]);
    assert_eq!(outcomes(&db, &[item(3, "third")]).await, [Outcome::Edited]);
}

/// A file of many rows once compared each of them with all signals of its workspace, until its statement was cut off, and
/// ended in the dead letters.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a statement of our own sources, explained")]
async fn the_parts_of_a_large_file_cost_as_much_as_they_are_many() {
    const PARTS: usize = 2_000;
    let db = Pg::database().await;
    workspace(&db).await;
    let mut records = vec![said("file", 1, "the beginning")];
    records.extend((0..PARTS).map(|n| said(&format!("file/row-{n}"), 1, "a row")));
    for record in &mut records[1..] {
        if let Change::Signal(content) = &mut record.change {
            content.parent_ref = Some("file".into());
        }
    }
    let mut tx = db.pool.begin().await.unwrap();
    let event_id = Uuid::now_v7();
    let arrival =
        |record| Arrival { workspace_id: "w", source_id: "s", event_id, trace_id: "t", record };
    let arrivals: Vec<_> = records.iter().map(arrival).collect();
    let applied = apply(&mut tx, &arrivals).await.unwrap();
    let ids: Vec<&str> = applied[1..].iter().filter_map(Applied::to_process).collect();
    assert_eq!(ids.len(), PARTS);
    let sql = include_str!("../../../jobs/src/store/signals/tie.sql");
    let explain = format!("explain (analyze, format json) {sql}");
    let plan: Value = sqlx::query_scalar(AssertSqlSafe(explain))
        .persistent(false)
        .bind(&ids)
        .bind(vec!["w"; PARTS])
        .bind(vec!["slack"; PARTS])
        .bind(vec!["file"; PARTS])
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    let rows = rows_of(&plan[0]["Plan"]);
    assert!(
        rows < 20.0 * f64::from(u32::try_from(PARTS).unwrap()),
        "{rows} rows for {PARTS} parts: {plan:#}"
    );
    let tied: i64 =
        sqlx::query_scalar("select count(*) from signals.signals where parent_id is not null")
            .fetch_one(&mut *tx)
            .await
            .unwrap();
    assert_eq!(usize::try_from(tied).unwrap(), PARTS);
}

/// Rows that the nodes of a plan gave or threw away.
fn rows_of(node: &Value) -> f64 {
    let number = |name: &str| node[name].as_f64().unwrap_or(0.0);
    let thrown = number("Rows Removed by Filter") + number("Rows Removed by Join Filter");
    let own = (number("Actual Rows") + thrown) * number("Actual Loops");
    own + node["Plans"].as_array().into_iter().flatten().map(rows_of).sum::<f64>()
}
