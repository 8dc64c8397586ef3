//! People over the machine: escalations, the audit, replies.

mod chain;
mod escalations;
mod karma;
mod replies;
mod reviews;

use millrace_jobs::social::oversight::escalation::{NewEscalation, Reason};
use millrace_tests::{App, Database, Pg, client};
use reqwest::Method;
use serde_json::Value;

use crate::api::key;

/// A running server, a workspace with posts, and a key of a person there.
pub(crate) struct Office {
    pub(crate) db: Database,
    pub(crate) app: App,
    pub(crate) key: String,
    client: reqwest::Client,
}

impl Office {
    pub(crate) async fn open() -> Self {
        let db = Pg::database().await;
        let app = App::new(&db, &["serve"]).env("MILLRACE__SOCIAL__PROFILE", "vita").ready().await;
        for workspace in ["acme", "rival"] {
            app.run_json(&["--json", "workspace", "add", workspace, "--id", workspace]).await;
        }
        let key = key(&app, "acme", "read,reply,moderate").await;
        let office = Self { db, app, key, client: client() };
        office.run("insert into social.authors (workspace_id, id, platform, platform_id, handle) values ('acme', 'ann', 'TWITTER', '7', 'ann')").await;
        office
    }

    pub(crate) async fn run(&self, sql: &'static str) {
        sqlx::query(sql).execute(&self.db.pool).await.unwrap();
    }

    /// A post with a decision on it, of the same id.
    pub(crate) async fn decided(&self, id: &str) {
        sqlx::query(
            "with post as (
               insert into social.posts (workspace_id, id, platform, platform_post_id, author_id, content)
               values ('acme', $1, 'TWITTER', $1, 'ann', 'What helps against a headache? ' || $1) returning id
             )
             insert into social.decisions (workspace_id, id, post_id, platform, sss_score, ars_score, evs_score, trs_score,
                                           composite_score, mode)
             select 'acme', id, id, 'TWITTER', 0.9, 0.5, 1, 0.9, 0.8, 'HELPFUL' from post",
        )
        .bind(id)
        .execute(&self.db.pool)
        .await
        .unwrap();
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.ask(Method::POST, path, &self.key, Some(body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.ask(Method::GET, path, &self.key, None).await
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let mut request = self.client.request(method, self.app.url(path)).bearer_auth(key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }
}

/// One of the workspace, about a decision.
pub(crate) fn escalation(decision: &str, reason: Reason) -> NewEscalation {
    NewEscalation {
        workspace_id: "acme".into(),
        post_id: Some(decision.into()),
        decision: Some((decision.into(), chrono::DateTime::UNIX_EPOCH)),
        reply_id: None,
        reason,
        reason_text: Some(format!("because of {decision}")),
        priority: None,
    }
}
