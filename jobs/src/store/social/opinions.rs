//! `social.post_opinions`: what a model said of a text.

use sqlx::PgConnection;

use crate::social::opinion::Told;

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The post says something else now: nothing was written.
    Edited,
    /// Written; the post has a reply, so that its decision stays.
    Answered,
    /// Written; the post waits for a decision again.
    Open,
}

/// The text of a post that is there.
///
/// # Errors
/// Those of the database.
pub async fn text(
    conn: &mut PgConnection,
    (workspace_id, post_id): (&str, &str),
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "select content from social.posts
         where workspace_id = $1 and id = $2 and deleted_at is null and superseded_by is null and not spam_filtered",
    )
    .bind(workspace_id)
    .bind(post_id)
    .fetch_optional(conn)
    .await
}

/// Keep what `model` said of `text`, if the post still says that.
///
/// # Errors
/// Those of the database.
pub async fn write(
    conn: &mut PgConnection,
    (workspace_id, post_id): (&str, &str),
    text: &str,
    told: Told,
    model: &str,
) -> sqlx::Result<Outcome> {
    let said =
        |safety| serde_json::to_value(safety).ok().and_then(|v| v.as_str().map(str::to_owned));
    let (written, open): (bool, bool) = sqlx::query_as(
        "with written as (
           insert into social.post_opinions as o (workspace_id, post_id, content_sha256, safety, seeks_help, p_metaphor, model)
           select p.workspace_id, p.id, sha256(convert_to(p.content, 'utf8')), $4, $5, $6, $7 from social.posts p
           where p.workspace_id = $1 and p.id = $2 and p.content = $3 and p.deleted_at is null and p.superseded_by is null
           on conflict (post_id) do update set content_sha256 = excluded.content_sha256, safety = excluded.safety,
             seeks_help = excluded.seeks_help, p_metaphor = excluded.p_metaphor, model = excluded.model, asked_at = now()
           returning o.post_id
         ), open as (
           update social.posts p set processed_at = null from written w
           where p.id = w.post_id and not exists (
             select from social.decisions d join social.replies r on r.decision_id = d.id
             where d.post_id = p.id and r.workspace_id = $1)
           returning p.id
         )
         select exists (select from written), exists (select from open)",
    )
    .bind(workspace_id)
    .bind(post_id)
    .bind(text)
    .bind(said(told.safety))
    .bind(told.seeks_help)
    .bind(told.p_metaphor)
    .bind(model)
    .fetch_one(conn)
    .await?;
    Ok(match (written, open) {
        (false, _) => Outcome::Edited,
        (true, false) => Outcome::Answered,
        (true, true) => Outcome::Open,
    })
}
