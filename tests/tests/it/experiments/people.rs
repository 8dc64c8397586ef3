//! What people do to experiments.

use millrace_tests::{App, Database, Pg, Sender, wait_until};
use serde_json::Value;

use super::{SOON, experiment, parts, planted, posts};

/// Let the job run, as its schedule would.
async fn looked(db: &Database) {
    sqlx::query(
        "insert into ops.jobs (workspace_id, kind, attempts_max, payload) values ('w', 'social.experiments', 3, '{}')",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    wait_until("the look", SOON, async || {
        let left = "select count(*) from ops.jobs where kind = 'social.experiments'";
        (db.count(left).await == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_wins_is_in_force_for_all_until_it_is_rolled_back() {
    let db = Pg::database().await;
    planted(&db, "sooner", 1600, [5.0, 12.0, 0.0]).await;
    let app = App::new(&db, &["all"]).env("MILLRACE__SOCIAL__PROFILE", "vita").ready().await;
    let x = Sender::add(&app, "w", "x", &[]).await;
    looked(&db).await;
    looked(&db).await;
    for (count, rows) in [
        ("select count(*) from social.experiments where status = 'COMPLETED' and winner = 'B' and stop_reason = 'B_IS_BETTER'", 1),
        ("select count(*) from social.experiment_looks where n = 1600 and log_e_value > 3 and cs_low > 0 and srm_p > 0.9", 1),
        ("select count(*) from social.experiment_promotions where version = 1 and approved_by = 'learning' and effective_to is null", 1),
        ("select count(*) from social.weight_adjustment_logs where action = 'ADJUSTED' and (sample_sizes ->> 'B')::int = 800
            and predicted_improvement > 0", 1),
        ("select count(*) from social.audit_logs where entity_id = 'sooner' and action in ('ended', 'promoted')", 2),
    ] {
        assert_eq!(db.count(count).await, rows, "{count}");
    }
    let engage = async |author: &str| parts(&db).await[author].engage;
    posts(&db, &x, 1, &["ann".to_owned()]).await;
    assert!((engage("ann").await - 0.31).abs() < 1e-9);
    assert_eq!(
        db.count("select count(*) from social.decisions where decision_logic_version like '%+1'")
            .await,
        1
    );
    let words = app.run(&["experiment", "show", "sooner"]).await.stdout;
    for part in [
        "It is over: b is better; B won",
        "in force for all since",
        "always-valid p",
        "guardrails",
        "regret",
    ] {
        assert!(words.contains(part), "no {part} in {words}");
    }
    assert_eq!(app.run(&["experiment", "promote", "sooner"]).await.status.code(), Some(2));

    experiment(&app, &["rollback", "sooner"]).await;
    posts(&db, &x, 2, &["ann".to_owned()]).await;
    assert!((engage("ann").await - 0.4).abs() < 1e-9);
    assert_eq!(app.run(&["experiment", "rollback", "sooner"]).await.status.code(), Some(2));
    // Both are decided again to the same.
    let verified = app.run_json(&["--json", "decisions", "verify"]).await;
    assert_eq!((&verified["decisions"], &verified["differ"]), (&2.into(), &Value::Array(vec![])));
}

#[tokio::test]
async fn what_a_person_must_let_in_is_proposed_only() {
    let db = Pg::database().await;
    planted(&db, "sooner", 1600, [5.0, 12.0, 0.0]).await;
    let app = App::new(&db, &["work"]).env("MILLRACE__LEARNING__AUTO_APPROVE", "false").spawned();
    looked(&db).await;
    let in_force =
        "select count(*) from social.experiment_promotions where effective_from is not null";
    assert_eq!(db.count(in_force).await, 0);
    let shown = experiment(&app, &["show", "sooner"]).await;
    assert_eq!(shown["promotions"][0]["thresholds"]["composite_engage"], 0.31);
    assert_eq!(shown["experiment"]["results_json"]["over"], "B_IS_BETTER");
    experiment(&app, &["promote", "sooner"]).await;
    assert_eq!(db.count(in_force).await, 1);
    assert_eq!(
        db.count("select count(*) from social.audit_logs where action in ('proposed', 'promoted')")
            .await,
        2
    );
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_says_why() {
    let db = Pg::database().await;
    let app = App::new(&db, &[]);
    sqlx::raw_sql("insert into signals.workspaces (id, name) values ('w', 'W')")
        .execute(&db.pool)
        .await
        .unwrap();
    let refused = async |args: &[&str], code: i32, part: &str| {
        let answer = app.run(&[&["experiment", "--workspace", "w"], args].concat()).await;
        assert_eq!(answer.status.code(), Some(code), "{args:?}: {}", answer.stderr);
        assert!(answer.stderr.contains(part), "{args:?}: {}", answer.stderr);
    };
    for (set, part) in [
        ("distress_stop=0.9", "safety is no matter of experiments"),
        ("targeting=1", "whom we speak to"),
        ("cta=1", "what we ask people to do"),
        ("claims=1", "claims are no matter"),
        ("hold_out=0", "what measures us"),
        ("composite=0.3", "there is no such threshold; a variant may change ars_strong"),
        ("composite_engage=1.5", "out of range"),
        ("composite_engage=low", "is no number"),
    ] {
        refused(&["create", "--name", "x", "--set", set], 2, part).await;
    }
    refused(
        &["create", "--name", "x", "--set", "sss_power=0.6", "--metric", "joy"],
        2,
        "engagement, clicks, love",
    )
    .await;
    refused(
        &["create", "--name", "x", "--set", "sss_power=0.6", "--split", "0.95"],
        2,
        "0.2 of the authors",
    )
    .await;
    let nowhere = ["--workspace", "x", "create", "--name", "x", "--set", "sss_power=0.6"];
    let answer = app.run(&[&["experiment"], &nowhere[..]].concat()).await;
    assert_eq!(answer.status.code(), Some(3), "{}", answer.stderr);
    refused(&["show", "nobody"], 3, "no experiment").await;
    assert_eq!(db.count("select count(*) from social.experiments").await, 0);

    let file = app.home().join("sooner.toml");
    std::fs::write(&file, "name = \"sooner\"\nmetric = \"clicks\"\ndays = 14\n[variant_b.thresholds]\ncomposite_engage = 0.31\n").unwrap();
    let made = experiment(&app, &["create", "--file", file.to_str().unwrap()]).await;
    assert_eq!(
        (&made["status"], &made["metric"], &made["days"]),
        (&"DRAFT".into(), &"clicks".into(), &14.into())
    );
    std::fs::write(&file, "name = \"same\"\n[variant_b]\n").unwrap();
    refused(&["create", "--file", file.to_str().unwrap()], 2, "the variants are the same").await;
    std::fs::write(&file, "name = \"x\"\naudience = \"all\"\n[variant_b]\n").unwrap();
    refused(&["create", "--file", file.to_str().unwrap()], 2, "audience").await;
    refused(&["pause", "sooner"], 2, "is draft").await;
    experiment(&app, &["start", "sooner"]).await;
    refused(&["start", "sooner"], 2, "is running").await;
    refused(&["promote", "sooner"], 2, "nobody has won yet").await;
    let words = app.run(&["experiment", "--workspace", "w", "show", "sooner"]).await.stdout;
    assert!(words.contains("A changes nothing; B changes composite_engage 0.31"), "{words}");
    experiment(&app, &["stop", "sooner"]).await;
    refused(&["start", "sooner"], 2, "is cancelled").await;
    assert_eq!(experiment(&app, &["ls"]).await[0]["stop_reason"], "STOPPED");
    assert_eq!(
        db.count("select count(*) from social.audit_logs where entity_type = 'experiment'").await,
        3
    );
}

#[tokio::test]
async fn simulated_experiments_tell_their_errors() {
    let app = App::without_database(&[]);
    let args =
        ["--json", "learn", "simulate", "--world", "variants-ab", "--runs", "10", "--seed", "1"];
    let found = app.run_json(&args).await;
    assert_eq!(found, app.run_json(&args).await, "the same seeds give the same lives");
    assert!(found["ours"]["correct"].as_f64() >= Some(0.8), "{found}");
    assert_eq!(found["ours"]["wrong"].as_f64().map(f64::abs), Some(0.0), "{found}");
}
