//! `signals.signal_personas`: who speaks.

use sqlx::PgConnection;

/// Adds personas found by the service; known pairs stay.
pub(crate) async fn add(
    conn: &mut PgConnection,
    signals: &[String],
    personas: &[String],
    confidences: &[f32],
) -> sqlx::Result<()> {
    if signals.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into signals.signal_personas (workspace_id, signal_id, persona_id, confidence)
         select s.workspace_id, s.id, n.persona_id, n.confidence
         from unnest($1::text[], $2::text[], $3::real[]) as n (signal_id, persona_id, confidence)
         join signals.signals s on s.id = n.signal_id
         on conflict (signal_id, persona_id) do nothing",
    )
    .bind(signals)
    .bind(personas)
    .bind(confidences)
    .execute(conn)
    .await?;
    Ok(())
}

/// Drops the personas found in a text that was `reread`, and all of signals that are `gone`.
pub(crate) async fn forget(
    conn: &mut PgConnection,
    reread: &[String],
    gone: &[String],
) -> sqlx::Result<()> {
    if reread.is_empty() && gone.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "delete from signals.signal_personas
         where signal_id = any ($1) and linked_by is null or signal_id = any ($2)",
    )
    .bind(reread)
    .bind(gone)
    .execute(conn)
    .await?;
    Ok(())
}
