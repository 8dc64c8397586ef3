//! The policy over modes and archetypes: taught by outcomes, given a say by people or by itself, taken back; and what it
//! takes is made again from what is stored.

use millrace_jobs::learning::policy::features;
use millrace_tests::{App, Database, Pg, Sender};
use serde_json::{Value, json};

use super::decide::{POSTS, app, decided, said};

const NIGHT: &str = "2026-06-01T02:00:00Z";

/// Replies to 3,600 decisions like the one that leaves the most open, taken as the rules take them; clicks come three times
/// as often to the action that comes second in the alphabet. Which that is.
async fn outcomes(db: &Database) -> String {
    sqlx::query_scalar(
        "with like_it as (
           select decision_id, features, probabilities, eligible_actions, weights_version from social.decision_exposures
           order by cardinality(eligible_actions) desc, decision_id limit 1
         ), acts as (
           select key as action, sum(value::float8) over (order by key) as up_to, row_number() over (order by key) as nth,
                  sum(value::float8) over () as said
           from like_it, jsonb_each_text(probabilities) where key <> 'DISENGAGED'
         ), made as (
           select n, timestamptz '2026-04-01T02:00:00Z' + n * interval '20 minutes' as at,
                  ('x' || substr(md5('a' || n), 1, 8))::bit(32)::bigint::float8 / 4294967296 as a,
                  ('x' || substr(md5('b' || n), 1, 8))::bit(32)::bigint::float8 / 4294967296 as b
           from generate_series(1, 3600) n
         ), taken as (
           select n, at, b, action, nth from made cross join lateral (
             select action, nth from acts where up_to > a * said order by up_to limit 1) t
         ), exposed as (
           insert into social.decision_exposures (workspace_id, decision_id, created_at, eligible_actions, action, propensity,
             probabilities, policy_version, weights_version, features, rng_key)
           select 'acme', 'd' || n, at, l.eligible_actions, t.action, (l.probabilities ->> t.action)::float8, l.probabilities, '1',
                  l.weights_version, l.features, n from taken t, like_it l
         ), replied as (
           insert into social.replies (workspace_id, id, decision_id, decision_snapshot, content, platform, approval_status, posted_at)
           select 'acme', 'r' || n, 'd' || n, '{}', 'a reply of ten words', 'TWITTER', 'APPROVED', at from taken
         ), clicked as (
           insert into social.click_events (workspace_id, external_id, reply_id, occurred_at)
           select 'acme', 'c' || n, 'r' || n, at + interval '1 hour' from taken where b < case nth when 2 then 0.30 else 0.10 end
         )
         select action from acts where nth = 2",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap()
}

async fn learn(app: &App, args: &[&str]) -> Value {
    app.run_json(&[&["--json", "learn"], args].concat()).await
}

#[tokio::test]
async fn a_policy_looks_on_is_given_a_say_and_loses_it() {
    let db = Pg::database().await;
    let app = app(&db).await;
    let x = Sender::add(&app, "acme", "x", &[]).await;
    for (nth, (author, followers, text)) in (1..).zip(POSTS) {
        said(&x, nth, author, followers, text).await;
    }
    decided(&db, 8).await;
    assert_eq!(app.run(&["learn", "policy"]).await.status.code(), Some(3), "there is none yet");
    let best = outcomes(&db).await;

    let by_hand = App::new(&db, &[]).env("MILLRACE__LEARNING__AUTO_APPROVE", "false");
    let told = learn(&by_hand, &["run", "--as-of", NIGHT]).await;
    let found = &told["policy"];
    assert_eq!((&found["stage"], &found["next"]), (&json!("SHADOW"), &json!("SHADOW")), "{found}");
    assert_eq!(found["proposed"], "SHARE", "{found}");
    assert!(found["interval"]["low"].as_f64() > Some(0.0), "{found}");
    assert_eq!(learn(&app, &["policy"]).await["proposed"], "SHARE");
    assert_eq!(learn(&app, &["policy", "approve"]).await["stage"], "SHARE");
    let twice = app.run(&["learn", "policy", "approve"]).await;
    assert_eq!(twice.status.code(), Some(2), "nothing is proposed any more");
    let words = app.run(&["learn", "policy"]).await.stdout;
    for part in ["SHARE since", "5 %", "would have gained", "95 %"] {
        assert!(words.contains(part), "no {part} in {words}");
    }

    // From now on it takes nearly all that leave a choice: mostly what did better, and all are made again.
    sqlx::query("update social.policies set stage = 'FULL'").execute(&db.pool).await.unwrap();
    for nth in 0..24 {
        said(&x, 100 + nth, &format!("new{nth}"), 300, &format!("{} ({nth})", POSTS[1].2)).await;
    }
    decided(&db, 32).await;
    let open = "select count(*) from social.decision_exposures where features #>> '{learned,share}' = '0.9'";
    assert_eq!(db.count(open).await, 24);
    // Those that were made up above were not made from what they saw.
    sqlx::query("delete from social.decision_exposures where decision_id not like '%-%'")
        .execute(&db.pool)
        .await
        .unwrap();
    let verified = app.run(&["decisions", "verify"]).await;
    assert!(verified.status.success(), "{}{}", verified.stdout, verified.stderr);
    let mostly = sqlx::query_scalar::<_, String>(
        "select action from social.decision_exposures where features #>> '{learned,share}' = '0.9'
         group by 1 order by count(*) desc, 1 limit 1",
    );
    let mostly = mostly.fetch_one(&db.pool).await.unwrap();
    assert_eq!(mostly.split_once('/').unwrap().1, best.split_once('/').unwrap().1, "{best}");

    assert!(learn(&app, &["policy", "lock"]).await["locked_by"].is_string());
    let next = learn(&app, &["run", "--as-of", "2026-06-02T02:00:00Z"]).await;
    assert_eq!(next["policy"]["why"], "LOCKED", "{}", next["policy"]);
    assert_eq!(learn(&app, &["policy", "unlock"]).await["locked_by"], Value::Null);
    assert_eq!(learn(&app, &["policy", "rollback"]).await["stage"], "SHADOW");
    assert_eq!(db.count("select count(*) from ops.audit where action like 'policy.%'").await, 4);
}

#[tokio::test]
async fn some_authors_keep_the_weights_before_for_a_week() {
    let db = Pg::database().await;
    let app = app(&db).await;
    let x = Sender::add(&app, "acme", "x", &[]).await;
    sqlx::raw_sql(
        "insert into social.learning_runs (workspace_id, run_id, kind, code_version) values ('acme', 'run', 'nightly', '1');
         insert into social.weight_versions (workspace_id, id, segment_type, segment_key, version, weights, effective_from,
             effective_to, approved_by, parent_id, run_id)
           values ('acme', 'v1', 'GLOBAL', 'GLOBAL', 1, '{.4,.25,.2,.15}', 'epoch', now(), 'documented', null, null),
                  ('acme', 'v2', 'GLOBAL', 'GLOBAL', 2, '{.3,.25,.2,.25}', now(), null, 'learning', 'v1', 'run');
         insert into social.segmented_weights (workspace_id, segment_type, segment_key, sss_weight, ars_weight, evs_weight,
             trs_weight, sample_size) values ('acme', 'GLOBAL', 'GLOBAL', .3, .25, .2, .25, 900)",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    for nth in 0..30 {
        said(&x, 100 + nth, &format!("new{nth}"), 300, &format!("{} ({nth})", POSTS[1].2)).await;
    }
    decided(&db, 30).await;
    let found: Vec<(String, String, f64)> = sqlx::query_as(
        "select p.author_id, e.weights_version, (e.features #>> '{weights,global,values,trs}')::float8
         from social.decision_exposures e join social.decisions d on d.id = e.decision_id join social.posts p on p.id = d.post_id",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    assert_eq!(found.len(), 30);
    for (author, version, trs) in found {
        let held = millrace_jobs::learning::hold_back::is_held_back(&author, "GLOBAL", 2);
        let expected = if held { ("GLOBAL:1", 0.15) } else { ("GLOBAL:2", 0.25) };
        assert_eq!((version.as_str(), trs), expected, "{author}");
    }
}

#[tokio::test]
async fn weights_of_the_hour_and_the_day_count_below_those_of_the_platform() {
    let db = Pg::database().await;
    let app = app(&db).await;
    let x = Sender::add(&app, "acme", "x", &[]).await;
    let put = "insert into social.segmented_weights (workspace_id, segment_type, segment_key, sss_weight, ars_weight, evs_weight,
                 trs_weight, sample_size) select 'acme', type, unnest(keys::text[]), sss, ars, .2, .1, n
               from (values ('TIME_OF_DAY', '{NIGHT,MORNING,AFTERNOON,EVENING}', .1, .6, 300),
                 ('DAY_OF_WEEK', '{SUNDAY,MONDAY,TUESDAY,WEDNESDAY,THURSDAY,FRIDAY,SATURDAY}', .6, .1, 100),
                 ('PLATFORM', '{TWITTER}', .5, .2, 300)) w (type, keys, sss, ars, n) where (type = 'PLATFORM') = $1";
    let ars = "select (signals_json #>> '{ars,score}')::float8, composite_score, segment_used from social.decisions
               order by created_at desc limit 1";
    let mut found: Vec<(f64, f64, String)> = Vec::new();
    for (nth, platforms) in [(1, None), (2, Some(false)), (3, Some(true))] {
        if let Some(platforms) = platforms {
            sqlx::query(put).bind(platforms).execute(&db.pool).await.unwrap();
        }
        said(&x, nth, &format!("new{nth}"), 300, POSTS[1].2).await;
        decided(&db, i64::try_from(nth).unwrap()).await;
        found.push(sqlx::query_as(ars).fetch_one(&db.pool).await.unwrap());
    }
    let [documented, hours, platforms] = &found[..] else { panic!("three decisions") };
    assert_eq!(documented.2, "GLOBAL");
    assert!(["NIGHT", "MORNING", "AFTERNOON", "EVENING"].contains(&hours.2.as_str()), "{found:?}");
    assert_eq!(platforms.2, "TWITTER");
    assert!((documented.1 - hours.1).abs() > 0.01, "{found:?}");
    assert!((hours.1 - platforms.1).abs() > 0.01, "{found:?}");
    let chains = "select count(*) from social.decision_exposures where array_length(string_to_array(weights_version, ','), 1)
                  is not distinct from case when weights_version like '%TWITTER:0' then 3 when weights_version like '%:0' then 2 else 1 end";
    assert_eq!(db.count(chains).await, 3);
    let verified = app.run(&["decisions", "verify"]).await;
    assert!(verified.status.success(), "{}{}", verified.stdout, verified.stderr);
}

/// What the policy of the last decision was, and what it expected of the first action.
async fn expected(db: &Database) -> (String, f64) {
    sqlx::query_as(
        "select features #>> '{learned,version}', (features #>> '{learned,expected,0,mean}')::float8
         from social.decision_exposures order by created_at desc limit 1",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_policy_is_read_once_for_each_version_and_another_one_at_once() {
    let db = Pg::database().await;
    let app = app(&db).await;
    let x = Sender::add(&app, "acme", "x", &[]).await;
    let state = |reward: f64| {
        let mut state = features::nothing().unwrap();
        let width = state.xtr.len();
        state.update(&vec![1.0; width], reward, 1.0).unwrap();
        serde_json::to_value(state).unwrap()
    };
    let put = "insert into social.policies (workspace_id, version, stage, stage_since, state, noise)
               values ('acme', $1, 'SHARE', now(), $2, 0.3)
               on conflict (workspace_id) do update set version = excluded.version, state = excluded.state";
    let decide = async |nth: u64| {
        said(&x, nth, &format!("new{nth}"), 300, POSTS[1].2).await;
        decided(&db, i64::try_from(nth).unwrap()).await;
        expected(&db).await
    };
    sqlx::query(put).bind("one").bind(state(0.5)).execute(&db.pool).await.unwrap();
    let (version, low) = decide(1).await;
    assert_eq!(version, "one");
    // What a version knows is not read again: nobody would notice if it were gone.
    sqlx::query(put).bind("one").bind(json!({})).execute(&db.pool).await.unwrap();
    let (version, again) = decide(2).await;
    // The post is a moment older, its engagement a little less.
    assert!(
        version == "one" && (again - low).abs() < 1e-3,
        "{version} expects {again} after {low}"
    );
    sqlx::query(put).bind("two").bind(state(0.9)).execute(&db.pool).await.unwrap();
    let (version, high) = decide(3).await;
    assert!(version == "two" && high > low, "{version} expects {high} after {low}");
    let verified = app.run(&["decisions", "verify"]).await;
    assert!(verified.status.success(), "{}{}", verified.stdout, verified.stderr);
}
