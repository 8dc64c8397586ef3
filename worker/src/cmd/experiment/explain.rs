//! An experiment in words.

use millrace_jobs::store::social::experiments::{ExperimentRow, LookRow, PromotionRow};
use serde_json::Value;

use crate::{
    cmd::args::{dash, maybe_time, time},
    out::Out,
};

fn number(of: &Value, at: &str) -> Option<f64> {
    of.pointer(at).and_then(Value::as_f64)
}

fn whole(of: &Value, at: &str) -> String {
    number(of, at).map_or_else(dash, |n| format!("{n:.0}"))
}

fn percent(value: Option<f64>) -> String {
    value.map_or_else(dash, |value| format!("{:.2} %", value * 100.0))
}

fn range(of: &Value, at: &str) -> String {
    let ends = [number(of, &format!("{at}/low")), number(of, &format!("{at}/high"))];
    ends.map(percent).join(" to ")
}

fn changes(variant: &Value) -> String {
    let all = variant.get("thresholds").and_then(Value::as_object);
    let all: Vec<String> =
        all.into_iter().flatten().map(|(name, value)| format!("{name} {value}")).collect();
    if all.is_empty() { "nothing".into() } else { all.join(", ") }
}

/// All of it.
pub(super) fn experiment(
    row: &ExperimentRow,
    looks: &[LookRow],
    promotions: &[PromotionRow],
    out: Out,
) {
    out.say(format!("{} ({}): {}", row.name, row.id, row.status.to_lowercase()));
    if let Some(description) = &row.description {
        out.say(format!("  {description}"));
    }
    out.say(format!(
        "  A changes {}; B changes {}",
        changes(&row.variant_a),
        changes(&row.variant_b)
    ));
    let kind = if row.adaptive { "follows what is known" } else { "stays" };
    out.say(format!(
        "  counts {}; {} of the authors who come now get A, which {kind}; from {} to {}",
        row.metric,
        percent(Some(row.traffic_split)),
        maybe_time(row.start_date),
        maybe_time(row.end_date),
    ));
    match &row.results_json {
        Some(results) => figures(results, out),
        None => out.say("  Nothing is known yet: it is looked at every hour while it runs."),
    }
    ending(row, out);
    for one in promotions {
        let state = match (one.effective_from, one.effective_to) {
            (None, None) => "PROPOSED: millrace experiment promote".to_owned(),
            (Some(from), None) => format!("in force for all since {}", time(from)),
            (from, Some(to)) => format!("in force from {} to {}", maybe_time(from), time(to)),
        };
        out.say(format!(
            "  version {} of the thresholds ({}): {state}",
            one.version, one.thresholds
        ));
    }
    let looks = looks.iter().map(|look| {
        [
            look.n.to_string(),
            format!("{:.2}", look.log_e_value),
            percent(look.cs_low),
            percent(look.cs_high),
            look.srm_p.map_or_else(dash, |p| format!("{p:.3}")),
            time(look.looked_at),
        ]
    });
    out.table(["authors", "ln(e)", "difference from", "to", "p of the split", "looked at"], looks);
}

fn figures(results: &Value, out: Out) {
    let row = |name: &str, at: &str| {
        let of = |field: &str| format!("/variant_{at}/{field}");
        [
            name.to_owned(),
            whole(results, &of("assigned")),
            whole(results, &of("n")),
            whole(results, &of("successes")),
            percent(number(results, &of("rate"))),
            range(results, &of("credible")),
            whole(results, &of("ess")),
            percent(number(results, &of("expected_loss"))),
        ]
    };
    out.table(
        [
            "variant",
            "authors",
            "of whom all is known",
            "rewarded",
            "rate",
            "95 % of belief",
            "ESS",
            "expected loss",
        ],
        [row("A", "a"), row("B", "b")],
    );
    let figure = |at: &str| number(results, at).map_or_else(dash, |x| format!("{x:.4}"));
    out.say(format!(
        "  B less A: {} (at all times at once within {}); of A's rate {} ({})",
        percent(number(results, "/difference")),
        range(results, "/interval"),
        percent(number(results, "/lift")),
        range(results, "/lift_interval"),
    ));
    out.say(format!(
        "  always-valid p {}, ln(e) {}; among all experiments that run {} (Benjamini-Hochberg)",
        figure("/p"),
        figure("/log_e"),
        figure("/q")
    ));
    out.say(format!(
        "  P(B is better) {}; the seed's p {}, Cohen's d {}, h {}: they decide nothing. As many authors find a rise of {}",
        figure("/probability_b_better"),
        figure("/seed_p"),
        figure("/cohens_d"),
        figure("/cohens_h"),
        percent(number(results, "/mde")),
    ));
    costs(results, out);
}

fn costs(results: &Value, out: Out) {
    let figure = |at: &str| number(results, at).map_or_else(dash, |x| format!("{x:.4}"));
    let guard = |name: &str, at: &str| {
        let of = |field: &str| format!("/{at}/{field}");
        format!(
            "{name} {} of A and {} of B, in B at least {} times as frequent, at most {} more",
            whole(results, &of("a")),
            whole(results, &of("b")),
            figure(&of("ratio_low")),
            percent(number(results, &of("more_at_most"))),
        )
    };
    out.say(format!("  guardrails: {}", guard("removals", "removals")));
    out.say(format!("              {}", guard("escalations", "escalations")));
    out.say(format!(
        "              answers praise {} of A and {} of B, blame {} and {}; below 65 % B would be stopped",
        whole(results, "/sentiment/a/0"),
        whole(results, "/sentiment/b/0"),
        whole(results, "/sentiment/a/1"),
        whole(results, "/sentiment/b/1"),
    ));
    out.say(format!(
        "  regret: {} rewards missed, {} if split evenly ({} saved)",
        whole(results, "/regret"),
        whole(results, "/regret_even"),
        percent(number(results, "/regret_saved")),
    ));
}

fn ending(row: &ExperimentRow, out: Out) {
    let results = row.results_json.as_ref();
    if let Some(why) = &row.stop_reason {
        let winner = row.winner.as_ref().map_or_else(String::new, |who| format!("; {who} won"));
        out.say(format!("  It is over: {}{winner}", why.replace('_', " ").to_lowercase()));
    }
    let missing = results.and_then(|of| of.get("missing")).and_then(Value::as_array);
    let missing: Vec<String> = missing.into_iter().flatten().map(gate).collect();
    if row.winner.is_none() && !missing.is_empty() {
        out.say(format!("  Missing: {}", missing.join("; ")));
        let needed = results.map_or_else(dash, |of| whole(of, "/needed"));
        let eta = results.and_then(|of| of.get("eta")).and_then(Value::as_str);
        out.say(format!(
            "  If the difference stays what it is, {needed} authors are enough: {}",
            eta.map_or_else(
                || "at an unknown date".to_owned(),
                |eta| format!("about {}", eta.get(..10).unwrap_or(eta))
            )
        ));
    }
}

fn gate(one: &Value) -> String {
    let have = || format!("{} of {}", whole(one, "/have"), whole(one, "/need"));
    match one.get("gate").and_then(Value::as_str) {
        Some("UNITS") => format!("{} authors of the smaller variant", have()),
        Some("SUCCESSES") => format!("{} rewards of the smaller variant", have()),
        Some("EVIDENCE") => {
            let p = number(one, "/q").unwrap_or(1.0);
            format!("evidence: p is {p:.4} and has to be below .05")
        }
        Some("INTERVAL") => "an interval of the difference without 0".to_owned(),
        Some("GUARDRAIL") => {
            let name = one.get("name").and_then(Value::as_str).unwrap_or("-");
            format!("a guardrail: it is not sure that B is harmless ({name})")
        }
        _ => one.to_string(),
    }
}
