//! Schema `social`: with the seed's names, uniques, indexes and vocabularies, and with what it adds kept.

use std::collections::{BTreeMap, BTreeSet};

use millrace_tests::{Database, Pg};
use sqlx::{AssertSqlSafe, PgPool};

/// Tables and columns of the social seed, exactly as it names them.
const SEED_COLUMNS: &[(&str, &str)] = &[
    (
        "authors",
        "id platform platform_id handle display_name follower_count is_verified is_power_user power_tier archetype_tags \
         relationship_score interaction_history first_seen_at last_seen_at created_at updated_at",
    ),
    (
        "posts",
        "id platform platform_post_id author_id content detected_at processed_at keyword_matches keyword_categories \
         spam_filtered raw_metrics error_count error_message created_at updated_at",
    ),
    (
        "decisions",
        "id post_id sss_score ars_score evs_score trs_score composite_score mode archetype safety_flags signals_json \
         temporal_context competitor_detected is_power_user experiment_id experiment_variant is_randomized_experiment \
         predicted_mode created_at",
    ),
    (
        "replies",
        "id decision_id content archetype platform platform_post_id utm_code help_count approval_status approved_by \
         approved_at posted_at metrics_json deleted_at delete_reason reply_type created_at updated_at",
    ),
    (
        "competitors",
        "id name category primary_mechanism price_point brand_keywords created_at updated_at",
    ),
    (
        "competitive_mentions",
        "id post_id competitor_id sentiment satisfaction opportunity_score replied created_at",
    ),
    (
        "community_champions",
        "id author_id tier engagement_count dm_sent_at dm_response sample_sent converted advocate_status created_at \
         updated_at",
    ),
    ("kpi_metrics", "id date platform metric_type metric_name value created_at"),
    (
        "escalations",
        "id post_id decision_id reply_id reason priority status assigned_to resolved_by resolution_notes created_at \
         resolved_at",
    ),
    ("audit_logs", "id entity_type entity_id action actor details_json created_at"),
    (
        "experiments",
        "id name description variant_a variant_b metric traffic_split status start_date end_date results_json winner \
         created_at updated_at",
    ),
    (
        "weight_adjustment_logs",
        "id date action reason valid_segments total_segments sample_sizes old_weights new_weights \
         predicted_improvement created_at",
    ),
    (
        "learning_events",
        "id date adjustment_type adjustment predicted_improvement baseline_performance actual_improvement accuracy \
         evaluated_at created_at",
    ),
    (
        "randomized_experiments",
        "id decision_id predicted_mode actual_mode predicted_outcome actual_outcome created_at",
    ),
    (
        "segmented_weights",
        "id segment_type segment_key sss_weight ars_weight evs_weight trs_weight sample_size performance updated_at \
         created_at",
    ),
];

/// Unique constraints of the seed, and ours on its tables.
const UNIQUES: &[(&str, &str)] = &[
    ("authors", "UNIQUE (workspace_id, platform, platform_id)"),
    ("posts", "UNIQUE (workspace_id, platform, platform_post_id)"),
    (
        "kpi_metrics",
        "UNIQUE NULLS NOT DISTINCT (workspace_id, date, platform, metric_type, metric_name)",
    ),
    ("segmented_weights", "UNIQUE (workspace_id, segment_type, segment_key)"),
    ("community_champions", "UNIQUE (workspace_id, author_id)"),
    ("competitors", "UNIQUE (workspace_id, name)"),
    ("competitive_mentions", "UNIQUE (post_id, competitor_id)"),
    ("relationship_events", "UNIQUE (workspace_id, type, source_event_id)"),
    ("weight_versions", "UNIQUE (workspace_id, segment_type, segment_key, version)"),
    ("replies", "UNIQUE (workspace_id, utm_code)"),
];

/// Indexes of the seed, each within its workspace.
const INDEXES: &[(&str, &str)] = &[
    ("decisions", "created_at"),
    ("decisions", "experiment_variant"),
    ("decisions", "is_randomized_experiment"),
    ("decisions", "mode"),
    ("decisions", "composite_score"),
    ("replies", "posted_at"),
    ("replies", "approval_status"),
    ("replies", "platform, posted_at"),
    ("weight_adjustment_logs", "date"),
    ("authors", "is_power_user"),
    ("authors", "platform, handle"),
    ("posts", "processed_at"),
    ("posts", "platform, detected_at"),
    ("escalations", "status, priority"),
    ("escalations", "created_at"),
];

/// Columns that hold a word of a list: the documented ones, and nothing else.
const VOCABULARIES: &[(&str, &str, &str)] = &[
    ("authors", "platform", "TWITTER REDDIT THREADS"),
    (
        "authors",
        "user_tier",
        "MEGA_POWER MACRO_POWER MICRO_POWER ENGAGED_REGULAR STANDARD SMALL NEW_UNKNOWN",
    ),
    ("authors", "power_tier", "MICRO MACRO MEGA"),
    ("posts", "platform", "TWITTER REDDIT THREADS"),
    ("decisions", "mode", "HELPFUL ENGAGEMENT HYBRID DISENGAGED"),
    (
        "decisions",
        "archetype",
        "CHECKLIST MYTHBUST COACH STORYLET HUMOR_LIGHT CREDIBILITY_ANCHOR CONFIDENT_RECOMMENDER PROBLEM_SOLUTION_DIRECT",
    ),
    ("replies", "approval_status", "PENDING APPROVED REJECTED AUTO_APPROVED"),
    ("replies", "reply_type", "STANDARD COMPETITIVE_POSITIONING MYTH_CORRECTION KARMA_BUILDING"),
    ("competitors", "category", "REHYDRATION HANGOVER_PILLS IV_THERAPY HOME_REMEDY"),
    ("competitors", "price_point", "LOW MID HIGH"),
    ("competitive_mentions", "sentiment", "POSITIVE NEUTRAL NEGATIVE"),
    ("competitive_mentions", "satisfaction", "SATISFIED UNSATISFIED QUESTIONING"),
    ("community_champions", "tier", "BRONZE SILVER GOLD"),
    ("community_champions", "dm_response", "NO_RESPONSE ACCEPTED DECLINED"),
    ("community_champions", "advocate_status", "POTENTIAL CONTACTED ENGAGED ADVOCATE VIP"),
    ("experiments", "status", "DRAFT RUNNING PAUSED COMPLETED CANCELLED"),
    ("kpi_metrics", "metric_type", "COMMERCIAL LOVE SAFETY"),
    (
        "escalations",
        "reason",
        "SAFETY_AMBIGUITY VIRAL_THREAD MODERATOR_WARNING BACKLASH_SPIKE LOW_CONFIDENCE MANUAL_FLAG",
    ),
    ("escalations", "priority", "CRITICAL HIGH MEDIUM LOW"),
    ("escalations", "status", "PENDING IN_REVIEW RESOLVED DISMISSED"),
    ("weight_adjustment_logs", "action", "ADJUSTED SKIPPED"),
    ("learning_events", "adjustment_type", "WEIGHT ARCHETYPE KEYWORD"),
    ("segmented_weights", "segment_type", "GLOBAL PLATFORM TIME_OF_DAY DAY_OF_WEEK COMBINED"),
];

/// A row of each, written as a program of the seed does: without a workspace.
const ROWS: &str = "
  insert into signals.workspaces (id, name) values ('w', 'W');
  insert into social.authors (id, platform, platform_id, handle) values ('a', 'TWITTER', '1', 'ann');
  insert into social.posts (id, platform, platform_post_id, author_id, content) values ('p', 'TWITTER', '10', 'a', 'hi');
  insert into social.decisions (id, post_id, sss_score, ars_score, evs_score, trs_score, composite_score, mode)
    values ('d', 'p', 0.9, 0.5, 2, 0.75, 0.6, 'HELPFUL');
  insert into social.replies (id, decision_id, content, platform) values ('r', 'd', 'drink some water', 'TWITTER');
  insert into social.competitors (id, name) values ('c', 'Other');
  insert into social.competitive_mentions (post_id, competitor_id) values ('p', 'c');
  insert into social.community_champions (author_id) values ('a');
  insert into social.experiments (name, variant_a, variant_b, metric) values ('e', '{}', '{}', 'ctr');
  insert into social.kpi_metrics (date, metric_type, metric_name, value) values (current_date, 'LOVE', 'thanks', 1);
  insert into social.escalations (post_id, decision_id, reason) values ('p', 'd', 'MANUAL_FLAG');
  insert into social.weight_adjustment_logs (action) values ('SKIPPED');
  insert into social.learning_events (adjustment_type, adjustment, predicted_improvement, baseline_performance)
    values ('WEIGHT', '{}', 0.1, 0.5);
  insert into social.segmented_weights (segment_type, segment_key) values ('PLATFORM', 'TWITTER');
  insert into social.audit_logs (entity_type, entity_id, action, actor, details_json)
    select 'reply', n::text, 'approved', 'ann', '{}' from generate_series(1, 3) n;";

async fn with_rows() -> Database {
    let db = Pg::database().await;
    sqlx::raw_sql(ROWS).execute(&db.pool).await.unwrap();
    db
}

/// The SQLSTATE of what Postgres says; empty if it does it.
#[expect(clippy::disallowed_methods, reason = "statements of this file")]
async fn state(pool: &PgPool, sql: &str) -> String {
    match sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(pool).await {
        Ok(_) => String::new(),
        Err(e) => e.as_database_error().unwrap().code().unwrap().into_owned(),
    }
}

#[tokio::test]
async fn the_seeds_columns_uniques_and_indexes_are_there() {
    let db = Pg::database().await;
    let columns: Vec<(String, String)> = sqlx::query_as(
        "select table_name::text, column_name::text from information_schema.columns where table_schema = 'social'",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (table, column) in &columns {
        found.entry(table).or_default().insert(column);
    }
    for (table, columns) in SEED_COLUMNS {
        for column in columns.split_whitespace() {
            assert!(found[table].contains(column), "{table}.{column} is missing");
        }
    }
    let uniques: Vec<(String, String)> = sqlx::query_as(
        "select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint
         where connamespace = 'social'::regnamespace and contype = 'u'",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    for (table, definition) in UNIQUES {
        let expected = (format!("social.{table}"), (*definition).to_owned());
        assert!(uniques.contains(&expected), "{expected:?}");
    }
    let indexes: Vec<(String, String)> = sqlx::query_as(
        "select tablename::text, indexdef from pg_indexes where schemaname = 'social'",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    for (table, columns) in INDEXES {
        let ends = format!("USING btree (workspace_id, {columns})");
        assert!(
            indexes.iter().any(|(of, is)| of == table && is.ends_with(&ends)),
            "{table}: {ends}"
        );
    }
}

#[tokio::test]
async fn the_documented_vocabularies_are_taken_and_nothing_else() {
    let db = with_rows().await;
    for (table, column, words) in VOCABULARIES {
        for word in words.split_whitespace() {
            let sql = format!("update social.{table} set {column} = '{word}'");
            assert_eq!(state(&db.pool, &sql).await, "", "{sql}");
        }
        let unheard = format!("update social.{table} set {column} = 'UNHEARD_OF'");
        assert_eq!(state(&db.pool, &unheard).await, "23514", "{unheard}");
    }
}

#[tokio::test]
async fn ranges_hold_at_both_ends() {
    let db = with_rows().await;
    for (taken, column, values) in [
        (true, "authors set follower_count", "0 1000000000"),
        (false, "authors set follower_count", "-1 1000000001"),
        (true, "authors set relationship_score", "0 1"),
        (false, "authors set relationship_score", "-0.001 1.001"),
        (true, "decisions set sss_score", "0 1"),
        (false, "decisions set sss_score", "-0.001 1.001 'NaN'"),
        (false, "decisions set ars_score", "-0.001 1.001"),
        (false, "decisions set trs_score", "-0.001 1.001"),
        (true, "decisions set evs_score", "0 5000"),
        (false, "decisions set evs_score", "-0.001 'NaN' 'infinity'"),
        (true, "posts set content", "'x' repeat('é',5000)"),
        (false, "posts set content", "'' repeat('x',5001)"),
        (true, "posts set platform_post_id", "'t3_a-Z9' repeat('x',100)"),
        (false, "posts set platform_post_id", "'' 'a.b' repeat('x',101)"),
        (true, "replies set content", "repeat('x',10) repeat('x',1000) '[deleted]'"),
        (false, "replies set content", "repeat('x',9) repeat('x',1001)"),
        (true, "replies set utm_code", "'a_b-9'"),
        (false, "replies set utm_code", "'A' ''"),
        (true, "segmented_weights set sss_weight", "0.4009 0.3991"),
        (false, "segmented_weights set sss_weight", "0.4011 0.3989 -0.4"),
    ] {
        for value in values.split(' ') {
            let sql = format!("update social.{column} = {value}");
            let expected = if taken { "" } else { "23514" };
            assert_eq!(state(&db.pool, &sql).await, expected, "{sql}");
        }
    }
    let weights = |w: &str| {
        format!(
            "insert into social.weight_versions (segment_type, segment_key, version, weights) values ('GLOBAL', '{w}', 1, '{{{w}}}')"
        )
    };
    for w in [".4,.25,.2,.15", ".05,.05,.05,.85"] {
        assert_eq!(state(&db.pool, &weights(w)).await, "", "{w}");
    }
    for w in [
        ".4,.25,.2,.1500001",
        ".04,.06,.05,.85",
        ".4,.25,.35",
        ".4,.25,.35,null",
        "{.4,.25},{.2,.15}",
    ] {
        assert_eq!(state(&db.pool, &weights(w)).await, "23514", "{w}");
    }
}

#[tokio::test]
async fn what_is_unique_is_so_within_its_workspace() {
    let db = with_rows().await;
    let again = "insert into social.kpi_metrics (workspace_id, date, metric_type, metric_name, value) values ('w', current_date, 'LOVE', 'thanks', 2)";
    assert_eq!(state(&db.pool, again).await, "23505", "the platform that is null is one");
    let author =
        "insert into social.authors (platform, platform_id, handle) values ('TWITTER', '1', 'ann')";
    assert_eq!(state(&db.pool, author).await, "23505");
    sqlx::query("insert into signals.workspaces (id, name) values ('v', 'V')")
        .execute(&db.pool)
        .await
        .unwrap();
    assert_eq!(state(&db.pool, author).await, "P0001", "it says what to set");
    let other = format!("set local millrace.workspace = 'v'; {author}");
    assert_eq!(state(&db.pool, &other).await, "");
    assert_eq!(db.count("select count(*) from social.authors where workspace_id = 'v'").await, 1);
    let crossed = "insert into social.posts (workspace_id, platform, platform_post_id, author_id, content) values ('v', 'TWITTER', '11', 'a', 'hi')";
    assert_eq!(state(&db.pool, crossed).await, "23503", "an author of another workspace");
}

#[tokio::test]
async fn decisions_have_their_months_and_replies_outlive_them() {
    let db = with_rows().await;
    let of = |id: &'static str| {
        let db = db.clone();
        async move {
            let sql =
                "select platform, tableoid::regclass::text from social.decisions where id = $1";
            sqlx::query_as::<_, (String, String)>(sql).bind(id).fetch_one(&db.pool).await.unwrap()
        }
    };
    assert_eq!(of("d").await.0, "TWITTER", "that of its post");
    let far = "insert into social.decisions (id, post_id, sss_score, ars_score, evs_score, trs_score, composite_score, mode, created_at)
               values ('far', 'p', 0, 0, 0, 0, 0, 'DISENGAGED', now() + interval '7 months')";
    assert_eq!(state(&db.pool, far).await, "");
    assert_eq!(of("far").await.1, "social.decisions_default");
    assert_eq!(db.count("select social.ensure_partitions(8)::bigint").await, 6);
    assert_eq!(db.count("select social.ensure_partitions(8)::bigint").await, 0);
    assert_eq!(db.count("select count(*) from social.decisions_default").await, 0);
    assert!(of("far").await.1.starts_with("social.decisions_2"));
    let open = db.count(
        "select count(*) from pg_inherits i join pg_class c on c.oid = i.inhrelid
         where i.inhparent = 'social.decisions'::regclass and not (c.relrowsecurity and c.relforcerowsecurity)",
    );
    assert_eq!(open.await, 0, "partitions behind the wall");

    sqlx::query("delete from social.posts").execute(&db.pool).await.unwrap();
    assert_eq!(db.count("select count(*) from social.decisions").await, 0);
    let frozen: (String, f64) = sqlx::query_as(
        "select decision_snapshot ->> 'mode', (decision_snapshot ->> 'sss_score')::float8 from social.replies",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!(frozen, ("HELPFUL".into(), 0.9));
    let nowhere = "insert into social.replies (decision_id, content, platform) values ('d', 'drink some water', 'TWITTER')";
    assert_eq!(state(&db.pool, nowhere).await, "23503");
}

#[tokio::test]
async fn the_audit_log_is_a_chain_that_nobody_changes() {
    let db = with_rows().await;
    for sql in [
        "update social.audit_logs set actor = 'bob'",
        "delete from social.audit_logs",
        "truncate social.audit_logs",
    ] {
        assert_eq!(state(&db.pool, sql).await, "42501", "{sql}");
    }
    let whole = "select count(*) from social.audit_logs l where row_hash = social.audit_hash(l)
                 and prev_hash is not distinct from (select row_hash from social.audit_logs b where b.seq = l.seq - 1)";
    assert_eq!(db.count(whole).await, 3);
    let writers = (0..8).map(|_| {
        state(&db.pool, "insert into social.audit_logs (entity_type, entity_id, action, actor) values ('x', 'y', 'z', 'ann')")
    });
    assert!(futures_util::future::join_all(writers).await.iter().all(String::is_empty));
    assert_eq!(db.count(whole).await, 11);
    // Somebody who may switch triggers off is found out.
    sqlx::raw_sql("set session_replication_role = replica; update social.audit_logs set actor = 'bob' where seq = 2; set session_replication_role = origin")
        .execute(&db.pool)
        .await
        .unwrap();
    assert_eq!(db.count(whole).await, 10);
}
