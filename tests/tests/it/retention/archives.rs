//! Archives are whole, are checked, and give back what they took, whenever the process died.

use serde_json::{Value, json};

use super::Attic;

const FAULTS: &str = "MILLRACE_FAULTS";

/// Every row of every table that is archived from, as text.
async fn rows(attic: &Attic) -> Vec<String> {
    attic
        .ids(
            "select 'posts ' || to_jsonb(t)::text from social.posts t
             union all select 'versions ' || to_jsonb(t)::text from social.post_versions t
             union all select 'snapshots ' || to_jsonb(t)::text from social.post_metric_snapshots t
             union all select 'mentions ' || to_jsonb(t)::text from social.competitive_mentions t
             union all select 'opinions ' || to_jsonb(t)::text from social.post_opinions t
             union all select 'contexts ' || to_jsonb(t)::text from social.context_snapshots t
             union all select 'decisions ' || to_jsonb(t)::text from social.decisions t
             union all select 'exposures ' || to_jsonb(t)::text from social.decision_exposures t
             union all select 'replies ' || to_jsonb(t)::text from social.replies t
             union all select 'figures ' || to_jsonb(t)::text from social.kpi_metrics t
             union all select 'audit ' || to_jsonb(t)::text from social.audit_logs t where t.action <> 'archived'
             order by 1",
        )
        .await
}

async fn filled() -> Attic {
    let attic = Attic::open(&["serve"]).await;
    for (id, at) in [
        ("a", "2025-01-05T06:07:08.009Z"),
        ("b", "2025-01-31T23:59:59.999Z"),
        ("c", "2025-02-01T00:00:00Z"),
    ] {
        attic.post(id, at).await;
        attic.decide(id, at).await;
    }
    attic.post("silent", "2025-01-05T00:00:00Z").await;
    attic
        .run(
            "insert into social.kpi_metrics (workspace_id, date, platform, metric_type, metric_name, value)
               values ('acme', '2021-03-31', null, 'LOVE', 'a \"quoted\", name', 0.1), ('acme', '2021-01-01', 'TWITTER', 'LOVE', 'n', 1e-7),
                      ('acme', '2021-04-01', 'TWITTER', 'LOVE', 'n', 2), ('acme', current_date, 'TWITTER', 'LOVE', 'n', 3);
             insert into social.audit_logs (workspace_id, entity_type, entity_id, action, actor, details_json, created_at)
               select 'acme', 'reply', 'r' || n, 'edited', 'cli:7', jsonb_build_object('n', n, 'text', 'a \"quoted\" one'),
                      case when n < 5 then '2020-06-01'::timestamptz + n * interval '1 hour' when n < 7 then '2021-06-01' else now() end
               from generate_series(1, 8) n",
        )
        .await;
    attic
}

async fn audited(attic: &Attic) -> Value {
    let verified = attic.app.run_json(&["--json", "social", "audit", "verify"]).await;
    assert_eq!(verified["intact"], true, "{verified}");
    verified["chains"][0]["from"].clone()
}

async fn names(attic: &Attic, relation: &str) -> Vec<String> {
    let all = attic.retention(&["ls"]).await;
    let of = |m: &&Value| m["relation"] == relation;
    let name = |m: &Value| m["file"].as_str().unwrap().to_owned();
    all.as_array().unwrap().iter().filter(of).map(name).collect()
}

#[tokio::test]
async fn what_is_put_back_is_what_was_there_and_goes_again_without_another_file() {
    let attic = filled().await;
    let before = rows(&attic).await;
    attic.retention(&["run"]).await;
    assert!(attic.posts().await.is_empty() && attic.decisions().await.is_empty());
    assert_eq!(attic.db.count("select count(*) from social.kpi_metrics").await, 1);
    assert_eq!(audited(&attic).await, 7, "the chain begins at what is not three years old");
    assert_eq!(names(&attic, "kpi_metrics").await.len(), 2, "quarters");
    assert_eq!(names(&attic, "audit_logs").await.len(), 2, "years");
    assert_eq!(names(&attic, "decisions").await.len(), 2, "months");
    let files = attic.retention(&["verify"]).await;
    assert_eq!(files["intact"], true, "{files}");

    for relation in ["posts", "decisions", "kpi_metrics", "audit_logs"] {
        for file in names(&attic, relation).await {
            let done = attic.retention(&["restore", &file]).await;
            assert_eq!(done["rows"], done["restored"], "{file}: {done}");
            let again = attic.retention(&["restore", &file]).await;
            assert_eq!((&again["restored"], &again["skipped"]), (&json!(0), &done["rows"]));
        }
    }
    assert_eq!(rows(&attic).await, before);
    assert_eq!(audited(&attic).await, 1);
    assert_eq!(attic.db.count("select count(*) from social.decisions_default").await, 0);

    let files = attic.retention(&["ls"]).await;
    let done = attic.retention(&["run"]).await;
    assert!(done.as_array().unwrap().iter().all(|d| d["gone"] == true && d["file"].is_null()));
    assert_eq!(attic.retention(&["ls"]).await, files);
    assert!(attic.posts().await.is_empty());
    assert_eq!(audited(&attic).await, 7);
}

/// Wherever the process dies, the next run ends with each row in one file, once.
#[tokio::test]
async fn a_kill_at_any_point_loses_nothing_and_doubles_nothing() {
    for point in ["ArchiveWritten", "ArchiveSettled", "ArchiveLeft"] {
        for pass in [1, 3, 5, 7] {
            let mut attic = filled().await;
            attic.app.set(FAULTS, &format!("{point}:{pass}:abort"));
            let died = attic.app.run(&["--json", "retention", "run"]).await;
            assert!(!died.status.success(), "{point} {pass} is passed");
            attic.app.set(FAULTS, "");
            attic.retention(&["run"]).await;
            assert!(attic.posts().await.is_empty() && attic.decisions().await.is_empty());
            let place = format!("{point} {pass}");
            assert_eq!(attic.archived_ids("decisions", "decision"), ["a", "b", "c"], "{place}");
            assert_eq!(attic.archived_ids("posts", "post"), ["a", "b", "c", "silent"], "{place}");
            assert_eq!(attic.archived("kpi_metrics").len(), 3, "{place}");
            assert_eq!(attic.archived("audit_logs").len(), 6, "{place}");
            assert_eq!(attic.retention(&["verify"]).await["intact"], true, "{place}");
            let begun = std::fs::read_dir(&attic.folder).unwrap();
            let begun = begun.filter(|f| {
                f.as_ref().unwrap().file_name().into_string().unwrap().starts_with(".begun")
            });
            assert_eq!(begun.count(), 0, "{place}");
            audited(&attic).await;
        }
    }
}

/// A file that is not what its manifest says is named, and nothing more is deleted on its word.
#[tokio::test]
async fn a_damaged_archive_is_named() {
    let attic = filled().await;
    attic.retention(&["run"]).await;
    let file = names(&attic, "posts").await.remove(0);
    attic.retention(&["restore", &file]).await;
    let posts = attic.posts().await;
    let path = attic.folder.join(&file);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let verified = attic.app.run(&["--json", "retention", "verify"]).await;
    assert_eq!(verified.status.code(), Some(1));
    let answer: Value = serde_json::from_str(&verified.stdout).unwrap();
    let wrong = answer["files"].as_array().unwrap().iter().filter(|f| !f["wrong"].is_null());
    assert_eq!(wrong.map(|f| f["file"].as_str().unwrap()).collect::<Vec<_>>(), [&file]);
    let run = attic.app.run(&["retention", "run"]).await;
    assert_eq!(run.status.code(), Some(1));
    assert!(run.stderr.contains(&file), "{}", run.stderr);
    assert_eq!(attic.posts().await, posts);
    assert_eq!(attic.app.run(&["retention", "restore", &file]).await.status.code(), Some(1));
    assert_eq!(
        attic.app.run(&["retention", "restore", "no.jsonl.gz"]).await.status.code(),
        Some(3)
    );
}

/// What a platform has deleted since does not come back with an archive.
#[tokio::test]
async fn a_deleted_post_is_not_put_back() {
    let attic = filled().await;
    attic.retention(&["run"]).await;
    attic.run("insert into social.tombstones (workspace_id, platform, kind, platform_id, reason, for_good) values ('acme', 'TWITTER', 'post', 'a', 'deleted', true)").await;
    let mut skipped = 0;
    for file in names(&attic, "posts").await {
        skipped += attic.retention(&["restore", &file]).await["skipped"].as_u64().unwrap();
    }
    assert_eq!((skipped, attic.posts().await), (1, vec!["b".into(), "c".into(), "silent".into()]));
}

/// A table that is made later, and goes with its posts, goes to their archives.
#[tokio::test]
async fn what_goes_with_a_post_is_archived_with_it() {
    let attic = Attic::open(&["serve"]).await;
    let missing = attic
        .ids(
            "select c.relname::text from pg_constraint k join pg_class c on c.oid = k.conrelid
             where k.contype = 'f' and k.confrelid = 'social.posts'::regclass and k.confdeltype = 'c'
               and c.relname !~ '^decisions' and strpos((select prosrc from pg_proc where proname = 'post_line'),
                                                        'social.' || c.relname || ' ') = 0",
        )
        .await;
    assert!(missing.is_empty(), "not in social.post_line: {missing:?}");
}
