//! What was predicted of an adjustment, and what it was: learning about learning.

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{
    cell::lift_of,
    night::Plan,
    rows::{Four, Row, Segment},
};
use crate::store::social::learning::{self as store, Event};

/// A prediction is judged on the rows that matured in as many days after it.
const JUDGED_AFTER: Duration = Duration::days(7);

/// A prediction that was judged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// `learning_events.id`.
    pub event: String,
    /// Where.
    pub segment: String,
    /// Relative gain, as it was predicted.
    pub predicted: f64,
    /// And as it was.
    pub actual: f64,
    /// Rows that it was judged on.
    pub rows: u32,
    /// The predicted gain was in the 95 % interval of what was.
    pub covered: bool,
    /// Squared error over that of "no gain"; below 1 is skill.
    pub skill: Option<f64>,
}

impl Judged {
    /// Keep it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn write(
        &self,
        conn: &mut PgConnection,
        workspace_id: &str,
        at: DateTime<Utc>,
    ) -> sqlx::Result<()> {
        let evaluation = json!({ "rows": self.rows, "covered": self.covered, "skill": self.skill });
        store::evaluated(conn, (workspace_id, &self.event), self.actual, &evaluation, at).await
    }
}

/// Judge what was predicted a week ago or longer, by the orders that the old and the new weights give the rows since.
///
/// # Errors
/// Those of the database.
pub async fn judge(
    conn: &mut PgConnection,
    plan: Plan<'_>,
    rows: &[Row],
) -> anyhow::Result<Vec<Judged>> {
    let until = plan.as_of - JUDGED_AFTER;
    let open = store::open_events(conn, plan.workspace, "WEIGHT", until).await?;
    Ok(open.iter().filter_map(|event| one(event, rows)).collect())
}

fn one(event: &Event, rows: &[Row]) -> Option<Judged> {
    let four = |name: &str| -> Option<Four> {
        serde_json::from_value(event.adjustment.0.get(name)?.clone()).ok()
    };
    let segment = Segment::named(event.adjustment.0.get("segment").and_then(Value::as_str)?)?;
    let (from, to) = (four("from")?, four("to")?);
    let end = event.date + JUDGED_AFTER;
    let of_segment = |row: &&Row| row.segments().contains(&segment) && row.matured_at <= end;
    let (before, since): (Vec<&Row>, Vec<&Row>) =
        rows.iter().filter(of_segment).partition(|row| row.matured_at <= event.date);
    let found = lift_of(&before, &since, &from, &to)?;
    let (predicted, actual) = (event.predicted_improvement, found.lift);
    let error = (actual - predicted).powi(2);
    Some(Judged {
        event: event.id.clone(),
        segment: segment.key(),
        predicted,
        actual,
        rows: found.rows,
        covered: found.low <= predicted && predicted <= found.high,
        skill: (actual != 0.0).then(|| error / actual.powi(2)),
    })
}
