//! What is over is archived and goes, nothing else; it can be put back; people can be forgotten.

mod archives;
mod erasure;
mod limits;

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::PathBuf,
};

use flate2::read::GzDecoder;
use millrace_tests::{App, Database, Pg};
use serde_json::Value;
use sqlx::{AssertSqlSafe, SqlSafeStr};

/// A workspace with an author, and an archive. Days are of 2025, when nothing was; so runs of then are runs of now.
struct Attic {
    db: Database,
    app: App,
    folder: PathBuf,
}

impl Attic {
    async fn open(arguments: &[&str]) -> Self {
        let db = Pg::database().await;
        let app = App::new(&db, arguments);
        let folder = app.home().join("archive");
        let app = app
            .env("MILLRACE__SOCIAL__RETENTION__FOLDER", folder.to_str().unwrap())
            .env("MILLRACE__SOCIAL__PROFILE", "vita");
        app.run_json(&["--json", "workspace", "add", "acme", "--id", "acme"]).await;
        let attic = Self { db, app, folder };
        attic.run("insert into social.authors (workspace_id, id, platform, platform_id, handle) values ('acme', 'ann', 'TWITTER', '70000007', 'ann_writes')").await;
        attic
    }

    #[expect(clippy::disallowed_methods, reason = "scripts of these tests")]
    async fn run(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned()).into_sql_str();
        sqlx::raw_sql(sql).execute(&self.db.pool).await.unwrap();
    }

    /// A post of that moment with everything beside it.
    async fn post(&self, id: &str, at: &str) {
        let sql = "
          insert into social.posts (workspace_id, id, platform, platform_post_id, author_id, content, detected_at, seen_at, posted_at,
                                    raw_metrics, keyword_matches, content_hash, observed, processed_at)
            values ('acme', '{id}', 'TWITTER', '{id}', 'ann', 'What helps \"now\"? A naïve question, \\ of {id}', '{at}', '{at}', '{at}',
                    '{\"likes\": 3, \"x\": 1.50}', '{head,\"a b\"}', sha256('{id}'), '{\"content\": 1}', '{at}');
          insert into social.post_versions (workspace_id, post_id, content_sha256, content, seen_at)
            values ('acme', '{id}', sha256('v{id}'), 'What helped then, long before {id}?', '{at}');
          insert into social.post_metric_snapshots (workspace_id, post_id, minute, captured_at, likes)
            select 'acme', '{id}', date_trunc('minute', '{at}'::timestamptz) + n * interval '1 minute', '{at}', n from generate_series(1, 2) n;
          insert into social.post_opinions (workspace_id, post_id, content_sha256, safety, p_metaphor, model)
            values ('acme', '{id}', sha256('{id}'), 'B', 0.1, 'm');
          insert into social.competitors (workspace_id, id, name) values ('acme', 'other', 'Other') on conflict do nothing;
          insert into social.competitive_mentions (workspace_id, post_id, competitor_id, opportunity_score)
            values ('acme', '{id}', 'other', 0.1 + 0.2);
          insert into social.context_snapshots (workspace_id, post_id, context) values ('acme', '{id}', '{\"parent\": \"said\"}')";
        self.run(&sql.replace("{id}", id).replace("{at}", at)).await;
    }

    /// A decision of that moment on a post of the same id, its exposure, and a reply to it.
    async fn decide(&self, id: &str, at: &str) {
        let sql = "
          insert into social.decisions (workspace_id, id, post_id, sss_score, ars_score, evs_score, trs_score, composite_score, mode,
                                        signals_json, mode_probabilities, created_at)
            values ('acme', '{id}', '{id}', 0.9, 0.1 + 0.2, 1e-7, 0.75, 0.6, 'HELPFUL', '{\"sss\": {\"score\": 0.90}}', '{\"HELPFUL\": 1}', '{at}');
          insert into social.decision_exposures (workspace_id, decision_id, created_at, eligible_actions, action, propensity,
                                                 policy_version, weights_version, features, rng_key)
            values ('acme', '{id}', '{at}', '{HELPFUL}', 'HELPFUL', 1, 'p', 'w', '{\"x\": [1, 2.50]}', -7);
          insert into social.replies (workspace_id, id, decision_id, content, platform, posted_at)
            values ('acme', 'reply-{id}', '{id}', 'Drink some water and rest.', 'TWITTER', '{at}')";
        self.run(&sql.replace("{id}", id).replace("{at}", at)).await;
    }

    async fn retention(&self, arguments: &[&str]) -> Value {
        self.app.run_json(&[&["--json", "retention"], arguments].concat()).await
    }

    async fn ids(&self, sql: &'static str) -> Vec<String> {
        sqlx::query_scalar(sql).fetch_all(&self.db.pool).await.unwrap()
    }

    async fn posts(&self) -> Vec<String> {
        self.ids("select id from social.posts order by id").await
    }

    async fn decisions(&self) -> Vec<String> {
        self.ids("select id from social.decisions order by id").await
    }

    /// All lines of all archives of a table.
    fn archived(&self, relation: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for entry in std::fs::read_dir(&self.folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if !name.starts_with(&format!("{relation}-")) || name.ends_with(".manifest.json") {
                continue;
            }
            let file = File::open(entry.path()).unwrap();
            if name.ends_with(".gz") {
                lines.extend(BufReader::new(GzDecoder::new(file)).lines().map(Result::unwrap));
            } else {
                lines.extend(BufReader::new(file).lines().skip(1).map(Result::unwrap));
            }
        }
        lines
    }

    /// Ids of archived posts or decisions.
    fn archived_ids(&self, relation: &str, key: &str) -> Vec<String> {
        let id = |line: &String| {
            let line: Value = serde_json::from_str(line).unwrap();
            line[key]["id"].as_str().unwrap().to_owned()
        };
        let mut ids: Vec<String> = self.archived(relation).iter().map(id).collect();
        ids.sort_unstable();
        ids
    }
}
