//! Thresholds of suggestions and automatic links, for people.

use millrace_config::{Clock, Settings};
use millrace_jobs::{
    learning::suggestions::current,
    signals::thresholds::Learned,
    store::signal_thresholds::{self as store, NewVersion, VersionRow},
};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

pub(super) use store::versions;

use super::{
    by,
    explain::{number, percent, text, verdict},
};
use crate::{
    cli::NotFound,
    cmd::{
        args::{dash, time},
        audit,
    },
    out::Out,
};

/// Of the status; nothing if nothing was learned.
pub(super) fn table(rows: &[VersionRow], out: Out) {
    if rows.is_empty() {
        return;
    }
    let row = |row: &VersionRow| {
        [
            row.name.clone(),
            row.version.to_string(),
            format!("{:.2}", row.above),
            format!("{:.2}", row.promise),
            time(row.effective_from),
            by(row.locked_by.as_deref(), row.approved_by.as_deref()),
            row.id.clone(),
        ]
    };
    let head = ["threshold", "version", "from", "right at least", "since", "by", "id"];
    out.table(head, rows.iter().map(row));
}

/// A run, one line for each threshold.
pub(super) fn summary(report: &Value, out: Out) {
    out.say(format!(
        "run {} of {}, as of {}: {} suggestions and links that people had a week to speak against",
        text(report, "run_id"),
        text(report, "workspace"),
        text(report, "as_of"),
        report.get("rows").map_or_else(dash, Value::to_string),
    ));
    for one in report.get("findings").and_then(Value::as_array).into_iter().flatten() {
        finding(one, report, out);
    }
}

/// One threshold, all figures.
pub(super) fn finding(one: &Value, report: &Value, out: Out) {
    let figure = |name| number(one, name).map_or_else(dash, |x| format!("{x:.2}"));
    out.say(format!(
        "{} in run {}: {}",
        text(one, "threshold"),
        text(report, "run_id"),
        verdict(one)
    ));
    out.say(format!(
        "  in force     {}, so that one is right there with {} (the setting)",
        figure("now"),
        figure("promise")
    ));
    out.say(format!("  candidate    {}", figure("candidate")));
    for (name, what) in [("margin", "just above"), ("above", "all above"), ("below", "just below")]
    {
        out.say(format!("  {what:<12} {}", one.get(name).map_or_else(dash, region)));
    }
    out.say(format!(
        "  evidence     ln(e) {:.2} that it promises too much, {:.2} that it asks too often; always-valid p {:.5}, judged together with the other threshold (e-BH)",
        number(one, "log_e_raise").unwrap_or_default(),
        number(one, "log_e_lower").unwrap_or_default(),
        number(one, "p").unwrap_or(1.0),
    ));
    let eta = number(one, "eta_days")
        .map_or_else(|| "at an unknown date".into(), |days| format!("in {days:.0} days"));
    let short = one.get("shortfall").map_or_else(dash, Value::to_string);
    out.say(format!("  short of     {short} verdicts, there {eta}"));
    for band in one.get("bands").and_then(Value::as_array).into_iter().flatten() {
        out.say(format!("  people said  {}", region(band)));
    }
}

fn region(of: &Value) -> String {
    let count = |name| of.get(name).map_or_else(dash, Value::to_string);
    let interval = of.get("interval");
    let end = |name| percent(interval.and_then(|i| number(i, name)));
    let plain = |text: String| text.trim_start_matches('+').to_owned();
    format!(
        "{:.2} to {:.2}: {} of {} right, {} ({} to {}); below the promise with {}",
        number(of, "low").unwrap_or_default(),
        number(of, "high").unwrap_or_default(),
        count("right"),
        count("n"),
        plain(percent(number(of, "precision"))),
        plain(end("low")),
        plain(end("high")),
        plain(percent(number(of, "below_promise"))),
    )
}

/// Leave it as it is, or not.
pub(super) async fn lock(
    pool: &PgPool,
    (workspace, of): (&str, Learned),
    locked: bool,
    out: Out,
) -> anyhow::Result<()> {
    let who = audit::me();
    let verb = if locked { "thresholds.lock" } else { "thresholds.unlock" };
    audit::note(pool, workspace, verb, of.as_str(), json!({})).await?;
    let mut conn = pool.acquire().await?;
    store::lock(&mut conn, workspace, of, locked.then_some(who.as_str())).await?;
    let word = if locked { "locked" } else { "open to learning" };
    out.answer(&json!({ "threshold": of, "locked": locked }), || out.say(format!("{of} is {word}")))
}

/// The proposed version of that id.
pub(super) async fn proposed(
    conn: &mut PgConnection,
    workspace: &str,
    id: &str,
) -> sqlx::Result<Option<VersionRow>> {
    let all = versions(conn, workspace, false).await?;
    Ok(all.into_iter().find(|row| row.id == id && row.approved_by.is_none()))
}

/// Put it into force.
pub(super) async fn approve(
    tx: Transaction<'_, Postgres>,
    pool: &PgPool,
    settings: &Settings,
    (workspace, row): (&str, &VersionRow),
    out: Out,
) -> anyhow::Result<()> {
    let of = Learned::named(&row.name).ok_or_else(|| NotFound(row.name.clone()))?;
    put(tx, pool, settings, (workspace, of, "thresholds.approve"), row.above, out).await
}

/// The version before the one in force; before any there was the setting.
pub(super) async fn rollback(
    pool: &PgPool,
    settings: &Settings,
    (workspace, of): (&str, Learned),
    out: Out,
) -> anyhow::Result<()> {
    let mut tx = pool.begin().await?;
    let mut all = versions(&mut tx, workspace, true).await?;
    all.retain(|row| row.name == of.as_str() && row.approved_by.is_some());
    let Some(before) = all.iter().rev().nth(1).map(|row| row.above) else {
        let what = format!("{of} has no version before: see `millrace learn status`");
        return Err(NotFound(what).into());
    };
    put(tx, pool, settings, (workspace, of, "thresholds.rollback"), before, out).await
}

/// Into force, by a person, now.
async fn put(
    mut tx: Transaction<'_, Postgres>,
    pool: &PgPool,
    settings: &Settings,
    (workspace, of, verb): (&str, Learned, &str),
    above: f64,
    out: Out,
) -> anyhow::Result<()> {
    let at = Clock::system().now();
    let known = current(&mut tx, settings, workspace, at).await?;
    let Some(promise) = known.get(&of).map(|known| known.promise) else {
        let what = format!("{of} is switched off in the settings of {workspace}");
        return Err(NotFound(what).into());
    };
    audit::note(pool, workspace, verb, of.as_str(), json!({ "from": above })).await?;
    let who = audit::me();
    let version = NewVersion {
        workspace_id: workspace,
        of,
        promise,
        above,
        run_id: None,
        at,
        approved_by: Some(&who),
    };
    let id = version.write(&mut tx).await?;
    tx.commit().await?;
    let answer = json!({ "threshold": of, "version": id, "from": above });
    out.answer(&answer, || out.say(format!("{of} begin at {above:.2} now")))
}
