//! Whether platforms have changed, for people.

use serde_json::Value;

use super::explain::{number, percent, text};
use crate::{cmd::args::dash, out::Out};

/// A run: each platform's state, its alarms, and its last days.
pub(super) fn report(report: &Value, out: Out) {
    out.say(format!(
        "run {} of {}, as of {}: {} replies, each as it was shown a day after it was posted",
        text(report, "run_id"),
        text(report, "workspace"),
        text(report, "as_of"),
        report.get("rows").map_or_else(dash, Value::to_string),
    ));
    let all: Vec<&Value> =
        report.get("drift").and_then(Value::as_array).into_iter().flatten().collect();
    let row = |one: &&Value| {
        let last = one.get("days").and_then(Value::as_array).and_then(|days| days.last());
        let of_last = |name| last.and_then(|day| number(day, name));
        let figure = |value: Option<f64>| value.map_or_else(dash, |x| format!("{x:.2}"));
        let seed = one.get("seed").and_then(|seed| number(seed, "change"));
        [
            text(one, "platform").to_owned(),
            text(one, "figure").to_owned(),
            one.get("n").map_or_else(dash, Value::to_string),
            text(one, "state").replace('_', " ").to_lowercase(),
            one.get("shortfall").map_or_else(dash, Value::to_string),
            figure(of_last("figure")),
            figure(of_last("up")),
            figure(of_last("down")),
            figure(number(one, "threshold")),
            percent(seed),
        ]
    };
    let head = [
        "platform",
        "of",
        "replies",
        "state",
        "days short",
        "usual reply",
        "rise",
        "fall",
        "alarm at",
        "week by the seed's rule",
    ];
    out.table(head, all.iter().map(row));
    for one in &all {
        for alarm in one.get("alarms").and_then(Value::as_array).into_iter().flatten() {
            out.say(format!(
                "{}: {} since about {}, seen on {}",
                text(one, "platform"),
                percent(number(alarm, "change")),
                text(alarm, "since"),
                text(alarm, "day"),
            ));
        }
        days(one, out);
    }
}

/// The last two weeks of a platform.
fn days(one: &Value, out: Out) {
    let all = one.get("days").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let figure = |of: &Value, name| number(of, name).map_or_else(dash, |x| format!("{x:.2}"));
    let row = |day: &Value| {
        [
            format!("{} {}", text(one, "platform"), text(day, "day")),
            day.get("n").map_or_else(dash, Value::to_string),
            figure(day, "figure"),
            figure(day, "z"),
            figure(day, "up"),
            figure(day, "down"),
        ]
    };
    let last = all.get(all.len().saturating_sub(14)..).unwrap_or_default();
    if !last.is_empty() {
        let head = ["day", "replies", "usual reply", "deviations", "rise", "fall"];
        out.table(head, last.iter().map(row));
    }
}
