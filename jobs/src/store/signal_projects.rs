//! `signals.signal_projects`: which signals are evidence for which projects.

use pgvector::HalfVector;
use sqlx::PgConnection;

/// Vectors of linked signals, by project, the newest `per_project_max` each. Links that the classifier
/// made are left out: it must not learn from itself.
pub(crate) async fn examples(
    conn: &mut PgConnection,
    workspace_id: &str,
    model_id: i16,
    per_project_max: i64,
) -> sqlx::Result<Vec<(String, HalfVector)>> {
    sqlx::query_as(
        "select p.id, l.vector
         from signals.projects p cross join lateral (
           select e.vector from signals.signal_projects sp
           join signals.signals s on s.id = sp.signal_id
           join ops.embeddings e on e.model_id = $2 and e.content_hash = s.content_hash
           where sp.project_id = p.id and sp.origin <> 'auto'
           order by sp.linked_at desc, sp.id limit $3
         ) l
         where p.workspace_id = $1 and p.status = 'active'",
    )
    .bind(workspace_id)
    .bind(model_id)
    .bind(per_project_max)
    .fetch_all(conn)
    .await
}

/// Links to be inserted together.
#[derive(Debug, Default)]
pub(crate) struct Links {
    pub(crate) signals: Vec<String>,
    pub(crate) projects: Vec<String>,
    pub(crate) reasons: Vec<String>,
    pub(crate) confidences: Vec<f32>,
}

impl Links {
    /// Writes links by the service; the (signal, project) pairs that are new. A project that left the
    /// workspace or stopped being active meanwhile gets none.
    pub(crate) async fn insert(
        &self,
        conn: &mut PgConnection,
    ) -> sqlx::Result<Vec<(String, String)>> {
        if self.signals.is_empty() {
            return Ok(Vec::new());
        }
        sqlx::query_as(
            "insert into signals.signal_projects (workspace_id, signal_id, project_id, link_reason, confidence, origin)
             select s.workspace_id, s.id, p.id, n.reason, n.confidence, 'auto'
             from unnest($1::text[], $2::text[], $3::text[], $4::real[]) as n (signal_id, project_id, reason, confidence)
             join signals.signals s on s.id = n.signal_id
             join signals.projects p on p.id = n.project_id and p.workspace_id = s.workspace_id and p.status = 'active'
             order by s.id, p.id
             on conflict (signal_id, project_id) do nothing
             returning signal_id, project_id",
        )
        .bind(&self.signals)
        .bind(&self.projects)
        .bind(&self.reasons)
        .bind(&self.confidences)
        .fetch_all(conn)
        .await
    }
}

/// What people's links came to.
#[derive(Debug)]
pub(crate) struct Linked {
    /// Signals of the workspace, in no order; the others do not exist.
    pub(crate) known: Vec<String>,
    /// Those of them whose link is new.
    pub(crate) new: Vec<String>,
}

/// Links signals to a project by hand; an existing automatic link becomes the given kind. Signals that
/// are not of the workspace are passed over; if the project is not, nothing is done.
pub(crate) async fn link(
    conn: &mut PgConnection,
    workspace_id: &str,
    signal_ids: &[String],
    project_id: &str,
    origin: &str,
    reason: Option<&str>,
    confidence: Option<f32>,
) -> sqlx::Result<Linked> {
    let known: Vec<String> = sqlx::query_scalar(
        "select s.id from signals.signals s
         where s.workspace_id = $1 and s.id = any ($2) and s.deleted_at is null
           and exists (select from signals.projects where workspace_id = $1 and id = $3)
         order by s.id for no key update of s",
    )
    .bind(workspace_id)
    .bind(signal_ids)
    .bind(project_id)
    .fetch_all(&mut *conn)
    .await?;
    // An automatic link that a person confirms is replaced, so that the profile learns of it.
    sqlx::query("delete from signals.signal_projects where signal_id = any ($1) and project_id = $2 and origin = 'auto'")
        .bind(&known)
        .bind(project_id)
        .execute(&mut *conn)
        .await?;
    let new = sqlx::query_scalar(
        "insert into signals.signal_projects (workspace_id, signal_id, project_id, origin, link_reason, confidence)
         select $1, n.id, $3, $4, $5, $6 from unnest($2::text[]) as n (id)
         order by n.id on conflict (signal_id, project_id) do nothing
         returning signal_id",
    )
    .bind(workspace_id)
    .bind(&known)
    .bind(project_id)
    .bind(origin)
    .bind(reason)
    .bind(confidence)
    .fetch_all(conn)
    .await?;
    Ok(Linked { known, new })
}

/// Removes a link; its origin if there was one, and whether the signal has another.
pub(crate) async fn unlink(
    conn: &mut PgConnection,
    workspace_id: &str,
    signal_id: &str,
    project_id: &str,
) -> sqlx::Result<(Option<String>, bool)> {
    let gone = sqlx::query_scalar(
        "delete from signals.signal_projects where workspace_id = $1 and signal_id = $2 and project_id = $3 returning origin",
    )
    .bind(workspace_id)
    .bind(signal_id)
    .bind(project_id)
    .fetch_optional(&mut *conn)
    .await?;
    let others: bool = sqlx::query_scalar(
        "select exists (select from signals.signal_projects where workspace_id = $1 and signal_id = $2)",
    )
    .bind(workspace_id)
    .bind(signal_id)
    .fetch_one(conn)
    .await?;
    Ok((gone, others))
}

/// Drops the links that the classifier made from a text that was `reread`, and all of signals that are
/// `gone`.
pub(crate) async fn forget(
    conn: &mut PgConnection,
    reread: &[String],
    gone: &[String],
) -> sqlx::Result<()> {
    if reread.is_empty() && gone.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "delete from signals.signal_projects
         where signal_id = any ($1) and origin = 'auto' or signal_id = any ($2)",
    )
    .bind(reread)
    .bind(gone)
    .execute(conn)
    .await?;
    Ok(())
}
