//! Whether predicted modes are worth something, and whether who somebody is decides, for people.

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

/// A run of the audit: how many ignored posts would be answered if it were not for their authors' scores.
pub(super) fn bias(report: &Value, out: Out) {
    let count = |of: &Value, name: &str| of.get(name).map_or_else(dash, Value::to_string);
    let all = report.get("ignored").cloned().unwrap_or_default();
    let plain = |of: &Value, name| percent(number(of, name)).trim_start_matches('+').to_owned();
    let interval = report.get("interval").cloned().unwrap_or_default();
    out.say(format!(
        "run {} of {}, week to {}: of {} ignored posts {} would be answered without their authors' scores, {} ({} to {}); more than 10 % with {}",
        text(report, "run_id"),
        text(report, "workspace"),
        text(report, "as_of"),
        count(&all, "n"),
        count(&all, "flips"),
        plain(report, "share"),
        plain(&interval, "low"),
        plain(&interval, "high"),
        plain(report, "above_limit"),
    ));
    let tiers = report.get("tiers").and_then(Value::as_object).into_iter().flatten();
    let row = |(tier, of): (&String, &Value)| [tier.clone(), count(of, "n"), count(of, "flips")];
    out.table(["tier", "ignored", "flips"], tiers.map(row));
}
