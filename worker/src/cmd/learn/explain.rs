//! Reports of learning in words.

use serde_json::Value;

use super::{causal, drift, keywords, thresholds};
use crate::{cmd::args::dash, out::Out};

pub(super) fn number(of: &Value, name: &str) -> Option<f64> {
    of.get(name).and_then(Value::as_f64)
}

pub(super) fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of.get(name).and_then(Value::as_str).unwrap_or("-")
}

pub(super) fn percent(value: Option<f64>) -> String {
    value.map_or_else(dash, |value| format!("{:+.2} %", value * 100.0))
}

fn fours(of: &Value, name: &str) -> Vec<f64> {
    let all = of.get(name).and_then(Value::as_array);
    all.map(|all| all.iter().filter_map(Value::as_f64).collect()).unwrap_or_default()
}

/// Four weights.
pub(super) fn four(weights: &[f64]) -> String {
    let all: Vec<String> = ["SSS", "ARS", "EVS", "TRS"]
        .iter()
        .zip(weights)
        .map(|(name, w)| format!("{name} {w:.3}"))
        .collect();
    all.join(", ")
}

pub(super) fn verdict(one: &Value) -> String {
    one.get("skip")
        .and_then(Value::as_str)
        .map_or_else(|| "ADJUSTED".into(), |skip| skip.replace('_', " ").to_lowercase())
}

/// A run of any kind.
pub(super) fn report(report: &Value, out: Out) {
    let of_thresholds = report.pointer("/findings/0/threshold").is_some();
    if report.get("drift").is_some() {
        drift::report(report, out);
    } else if report.get("ignored").is_some() {
        causal::bias(report, out);
    } else if report.get("uplifts").is_some() {
        causal::report(report, out);
    } else if report.get("keywords").is_some() {
        keywords::report(report, out);
    } else if of_thresholds {
        thresholds::summary(report, out);
    } else {
        summary(report, out);
    }
}

/// A run, one line for each segment.
fn summary(report: &Value, out: Out) {
    let count = |name| report.get(name).and_then(Value::as_u64).unwrap_or_default();
    out.say(format!(
        "run {} of {}, as of {}",
        text(report, "run_id"),
        text(report, "workspace"),
        text(report, "as_of")
    ));
    out.say(format!(
        "{} replies with a final outcome since {}; {} could not be read; {} of the decisions to answer have no reply",
        count("rows"),
        text(report, "since"),
        count("odd"),
        percent(number(report, "missing")).trim_start_matches('+'),
    ));
    let p = number(report, "sample_ratio_p").unwrap_or(1.0);
    out.say(format!("held-out decisions are as many as they should be with p {p:.3}"));
    if let Some(why) = report.get("skipped").and_then(Value::as_str) {
        out.say(format!("Nothing was adjusted: {}", why.replace('_', " ").to_lowercase()));
    }
    let none = Vec::new();
    let findings = report.get("findings").and_then(Value::as_array).unwrap_or(&none);
    let rows = findings.iter().map(|one| {
        [
            text(one, "segment").to_owned(),
            one.get("n").map_or_else(dash, Value::to_string),
            percent(number(one, "mean_reward")).trim_start_matches('+').to_owned(),
            percent(number(one, "lift")),
            number(one, "p").map_or_else(dash, |p| format!("{p:.4}")),
            one.get("shortfall").map_or_else(dash, Value::to_string),
            verdict(one),
        ]
    });
    out.table(
        ["segment", "replies", "rewarded", "lift", "always-valid p", "short of", "verdict"],
        rows,
    );
    for judged in report.get("judged").and_then(Value::as_array).unwrap_or(&none) {
        out.say(format!(
            "{}: predicted {}, was {} on {} replies",
            text(judged, "segment"),
            percent(number(judged, "predicted")),
            percent(number(judged, "actual")),
            judged.get("rows").map_or_else(dash, Value::to_string),
        ));
    }
}

/// One segment, all figures.
pub(super) fn finding(one: &Value, report: &Value, out: Out) {
    let count = |name| one.get(name).map_or_else(dash, Value::to_string);
    out.say(format!(
        "{} in run {}: {}",
        text(one, "segment"),
        text(report, "run_id"),
        verdict(one)
    ));
    out.say(format!("  in force     {}", four(&fours(one, "now"))));
    out.say(format!("  candidate    {}", four(&fours(one, "candidate"))));
    out.say(format!("  points to    {}", four(&fours(one, "target"))));
    let rate = number(one, "rate").unwrap_or_default();
    out.say(format!("  learning rate {rate:.3}: the share of the way that the slopes are surer than their noise, .05 to .30"));
    let slopes = fours(one, "slope");
    let spread = fours(one, "deviation");
    let each: Vec<String> = ["SSS", "ARS", "EVS", "TRS"]
        .iter()
        .zip(slopes.iter().zip(&spread))
        .map(|(name, (slope, sd))| format!("{name} {slope:+.4} ± {sd:.4}"))
        .collect();
    out.say(format!("  worth of each signal, drawn to the parent segment: {}", each.join(", ")));
    let eta = number(one, "eta_days")
        .map_or_else(|| "at an unknown date".into(), |days| format!("in {days:.0} days"));
    out.say(format!(
        "  replies {} ({} effective), rewarded {}; short of {}, there {eta}",
        count("n"),
        number(one, "effective_n").map_or_else(dash, |n| format!("{n:.0}")),
        count("successes"),
        count("shortfall")
    ));
    let (low, high) =
        one.get("interval").map_or((None, None), |i| (number(i, "low"), number(i, "high")));
    out.say(format!(
        "  gain of the better half {} (at all times within {} and {}), of the mean {}; from {} replies since the weights are in force",
        percent(number(one, "gain")), percent(low), percent(high), percent(number(one, "lift")), count("evidence_n"),
    ));
    out.say(format!("  always-valid p {:.5}, ln(e) {:.2}; the false-discovery rule of all segments decides (e-BH)",
        number(one, "p").unwrap_or(1.0), number(one, "log_e").unwrap_or_default()));
    out.say(format!(
        "  removals may rise by {} at most (allowed: 1 %)",
        percent(number(one, "removals_high"))
    ));
    if let Some(seed) = one.get("seed") {
        let all = |name: &str| {
            fours(seed, name).iter().map(|x| format!("{x:.3}")).collect::<Vec<_>>().join(" ")
        };
        out.say(format!("  the seed's statistics where SSS, ARS, EVS, TRS are high: rows {}; Winsorised means {}; d {}; p {}",
            fours(seed, "sizes").iter().map(|n| format!("{n:.0}")).collect::<Vec<_>>().join(" "),
            all("winsorised"), all("d"), all("p")));
    }
}
