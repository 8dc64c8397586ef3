//! Whether predicted modes are worth something, for people.

use serde_json::Value;

use super::explain::{number, percent, text};
use crate::{cmd::args::dash, out::Out};

/// A run: all predictions, and those of each mode.
pub(super) fn report(report: &Value, out: Out) {
    out.say(format!(
        "run {} of {}, as of {}: {} decisions whose mode was drawn by lot, eight days ago or longer",
        text(report, "run_id"),
        text(report, "workspace"),
        text(report, "as_of"),
        report.get("rows").map_or_else(dash, Value::to_string),
    ));
    if let Some(why) = report.get("skipped").and_then(Value::as_str) {
        out.say(format!("Nothing is said: {}", why.replace('_', " ").to_lowercase()));
    }
    let row = |one: &Value| {
        let count = |name| one.get(name).map_or_else(dash, Value::to_string);
        let interval = one.get("interval");
        let end = |name| percent(interval.and_then(|i| number(i, name)));
        [
            text(one, "predicted").to_owned(),
            count("n"),
            count("followed"),
            count("rewarded"),
            percent(number(one, "uplift")),
            format!("{} to {}", end("low"), end("high")),
            text(one, "verdict").to_lowercase(),
            count("seed_causal"),
        ]
    };
    let all = report.get("uplifts").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let head = [
        "predicted",
        "decisions",
        "followed",
        "rewarded",
        "uplift",
        "at all times (95 %)",
        "verdict",
        "causal by the seed",
    ];
    out.table(head, all.iter().map(row));
}
