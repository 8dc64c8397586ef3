//! What is known of keywords, in words.

use serde_json::Value;

use crate::{
    cmd::{
        args::dash,
        learn::explain::{number, percent, text, verdict},
    },
    out::Out,
};

/// The evidence in a few words.
pub(super) fn because(evidence: &Value) -> String {
    let z = number(evidence, "z").map(|z| {
        let n = |name| evidence.get(name).map_or_else(dash, Value::to_string);
        format!("{} rewarded, {} others, z {z:.1}", n("rewarded"), n("others"))
    });
    let p = || number(evidence, "p").map(|p| format!("always-valid p {p:.5}"));
    z.or_else(p).unwrap_or_else(dash)
}

/// A run: each keyword that has posts, what is idle, and what was found.
pub(in crate::cmd::learn) fn report(report: &Value, out: Out) {
    out.say(format!(
        "run {} of {}, as of {}: {} answered posts with keywords",
        text(report, "run_id"),
        text(report, "workspace"),
        text(report, "as_of"),
        report.get("rows").map_or_else(dash, Value::to_string),
    ));
    if let Some(why) = report.get("skipped").and_then(Value::as_str) {
        out.say(format!("Nothing was changed: {}", why.replace('_', " ").to_lowercase()));
    }
    let share = |one: &Value, name: &str| {
        let rate = one.get(name);
        percent(rate.and_then(|rate| number(rate, "mean"))).trim_start_matches('+').to_owned()
    };
    let row = |one: &Value| {
        let skip = verdict(one);
        let acted = one.get("skip").is_some_and(Value::is_null);
        [
            text(one, "term").to_owned(),
            text(one, "state").replace('_', " ").to_lowercase(),
            one.get("hits").map_or_else(dash, Value::to_string),
            share(one, "precision"),
            share(one, "engagement"),
            number(one, "p").map_or_else(dash, |p| format!("{p:.4}")),
            factor(one),
            if acted { text(one, "act").to_owned() } else { skip },
        ]
    };
    let all = report.get("keywords").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let head = [
        "keyword",
        "state",
        "posts of 30 days",
        "ours",
        "rewarded",
        "always-valid p",
        "the seed's factor",
        "verdict",
    ];
    out.table(head, all.iter().map(row));
    let idle = report.get("idle").and_then(Value::as_array).map_or(0, Vec::len);
    out.say(format!("{idle} keywords had no post in 30 days"));
    let found = report.pointer("/discovery/phrases").and_then(Value::as_array);
    for one in found.into_iter().flatten() {
        out.say(format!(
            "\"{}\" might speak for {}: {}; mutual information {:.2}, always-valid p {:.5}",
            text(one, "phrase"),
            text(one, "category"),
            because(one),
            number(one, "pmi").unwrap_or_default(),
            number(one, "p").unwrap_or(1.0),
        ));
    }
}

fn factor(one: &Value) -> String {
    let seed = one.get("seed").and_then(|seed| number(seed, "factor"));
    seed.map_or_else(dash, |factor| format!("{factor:.2}"))
}

/// One keyword, all figures.
pub(super) fn finding(one: &Value, report: &Value, out: Out) {
    out.say(format!(
        "{} in run {}: {} ({})",
        text(one, "term"),
        text(report, "run_id"),
        verdict(one),
        text(one, "act").to_lowercase(),
    ));
    for (name, what) in [("precision", "are ours"), ("engagement", "are rewarded")] {
        let Some(rate) = one.get(name) else { continue };
        let end = |name| percent(rate.get("interval").and_then(|i| number(i, name)));
        let plain = |text: String| text.trim_start_matches('+').to_owned();
        out.say(format!(
            "  of {} posts (of shares {:.1}) {} {what} (95 %: {} to {}); less than {} with {}",
            rate.get("posts").map_or_else(dash, Value::to_string),
            number(rate, "n").unwrap_or_default(),
            plain(percent(number(rate, "mean"))),
            plain(end("low")),
            plain(end("high")),
            plain(percent(number(rate, "floor"))),
            plain(percent(number(rate, "below_floor"))),
        ));
    }
    out.say(format!(
        "  evidence: ln(e) {:.2} that it is not worth it, {:.2} that it is worth more; always-valid p {:.5}, judged together with all keywords (e-BH)",
        number(one, "log_e_poor").unwrap_or_default(),
        number(one, "log_e_good").unwrap_or_default(),
        number(one, "p").unwrap_or(1.0),
    ));
    let eta = number(one, "eta_days")
        .map_or_else(|| "at an unknown date".into(), |days| format!("in {days:.0} days"));
    let short = one.get("shortfall").map_or_else(dash, Value::to_string);
    out.say(format!("  short of {short} posts, there {eta}"));
    let seed = |name| one.get("seed").and_then(|seed| number(seed, name));
    out.say(format!(
        "  the seed's statistics of 30 days: rewarded {}, none of ours {}, factor {}",
        percent(seed("engagement")).trim_start_matches('+'),
        percent(seed("false_positives")).trim_start_matches('+'),
        factor(one),
    ));
}
