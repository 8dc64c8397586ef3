//! Turns a statement of the service into one that asks for another tenant's rows: its own predicates gone, its
//! parameters the other's ids.
#![expect(clippy::string_slice, reason = "at places that were just found")]

use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};

/// `sql` with `workspace_id = $n` replaced by `true`, wherever it stands.
pub(super) fn without_predicates(sql: &str) -> String {
    const MARK: &str = "workspace_id = $";
    let mut out = String::new();
    let mut rest = sql;
    while let Some(at) = rest.find(MARK) {
        let (before, after) = rest.split_at(at);
        let kept = before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
        out.push_str(kept);
        out.push_str("true");
        rest = after[MARK.len()..].trim_start_matches(|c: char| c.is_ascii_digit());
    }
    out.push_str(rest);
    out
}

/// `sql` with literals of the types `types` for its parameters, chosen to hit rows of `victim`. `original` is the
/// statement before anything was taken out: it says which column a parameter is compared with.
pub(super) fn filled(
    sql: &str,
    original: &str,
    types: &[String],
    victim: &str,
    random: &mut StdRng,
) -> String {
    let mut out = sql.to_owned();
    // The largest first: $1 is the beginning of $10.
    for (n, name) in types.iter().enumerate().rev() {
        let column = column(original, n + 1).unwrap_or_default();
        let literal = literal(name, &column, victim, random);
        out = out.replace(&format!("${}", n + 1), &literal);
    }
    out
}

/// The column that parameter `n` stands for: of a comparison, or of an `unnest` with names.
fn column(sql: &str, n: usize) -> Option<String> {
    let flat = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let parameter = format!("${n}");
    let places = flat
        .match_indices(&parameter)
        .filter(|(at, _)| !flat[at + parameter.len()..].starts_with(|c: char| c.is_ascii_digit()));
    for (at, _) in places {
        let before = flat[..at].trim_end_matches(['(', ' ']);
        let before = before.strip_suffix("any").map_or(before, str::trim_end);
        if let Some(left) = before.strip_suffix('=') {
            return Some(last_word(left.trim_end()).rsplit('.').next()?.to_owned());
        }
        if let Some(call) = flat[..at].rfind("unnest(")
            && !flat[call..at].contains(')')
        {
            let nth = flat[call..at].matches(',').count();
            let names = flat[at..].split_once(')')?.1;
            let names = names.split_once('(')?.1.split_once(')')?.0;
            return names.split(',').nth(nth).map(|name| name.trim().to_owned());
        }
    }
    None
}

fn last_word(text: &str) -> &str {
    text.rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).next().unwrap_or(text)
}

/// Elements of an array parameter: as many in each, for several are read side by side.
const ELEMENTS: usize = 3;

fn literal(name: &str, column: &str, victim: &str, random: &mut StdRng) -> String {
    if let Some(element) = name.strip_suffix("[]") {
        if random.random_bool(0.1) {
            return format!("null::{name}");
        }
        let values: Vec<String> =
            (0..ELEMENTS).map(|_| value(element, column, victim, random)).collect();
        return format!("array[{}]::{name}", values.join(","));
    }
    // What filters may be left out; what names a thing may not.
    let optional = !column.ends_with("id") && random.random_bool(0.5);
    if optional {
        format!("null::{name}")
    } else {
        format!("{}::{name}", value(name, column, victim, random))
    }
}

fn value(name: &str, column: &str, victim: &str, random: &mut StdRng) -> String {
    let n = random.random_range(1..=4);
    match name {
        "TEXT" | "VARCHAR" | "NAME" => format!("'{}'", text(column, victim, random)),
        "UUID" => format!("md5('{victim} event {n}')::uuid"),
        "BYTEA" => match n {
            1 => format!("sha256('{victim}')"),
            2 => format!("sha256(convert_to('{victim} event 1', 'utf8'))"),
            _ => format!("sha256(convert_to('{victim}~words {n}', 'utf8'))"),
        },
        "INT8" | "INT4" | "INT2" => random.random_range(1..=12).to_string(),
        "FLOAT4" | "FLOAT8" => "0.5".into(),
        "BOOL" => random.random_bool(0.5).to_string(),
        "TIMESTAMPTZ" | "TIMESTAMP" | "DATE" => "now() - interval '1 hour'".into(),
        "JSONB" | "JSON" => "'{}'".into(),
        _ => "null".into(),
    }
}

fn text(column: &str, victim: &str, random: &mut StdRng) -> String {
    let n = random.random_range(1..=3);
    let words: &[&str] = match column {
        "kind" => &["normalize"],
        "source" => &["webhook"],
        "state" | "status" => &["ready", "scheduled", "running", "new", "active", "stored"],
        "origin" => &["manual"],
        "verdict" => &["dismissed"],
        "change" => &["edited"],
        "outcome" => &["refused"],
        "scopes" => &["read"],
        _ => &[],
    };
    if let Some(word) = words.choose(random) {
        return (*word).to_owned();
    }
    match column {
        "workspace_id" => victim.to_owned(),
        "source_id" => format!("{victim}-source"),
        "signal_id" | "parent_id" => format!("{victim}-signal-{n}"),
        "project_id" => format!("{victim}-project"),
        "source_ref" | "parent_ref" => format!("{victim}~ref {n}"),
        "path_id" => format!("{victim}~path"),
        "external_id" => format!("{victim}~account"),
        "unique_key" => format!("{victim}~{n}"),
        _ => {
            let things =
                ["", "-source", "-secret", "-key", "-project", "-other", "-item", "-cluster"];
            let signals = ["-signal-1", "-signal-2", "-signal-3"];
            let all: Vec<&str> = things.into_iter().chain(signals).collect();
            format!("{victim}{}", all.choose(random).unwrap_or(&""))
        }
    }
}

#[test]
fn predicates_go_and_parameters_are_the_victims() {
    let sql = "select a from t where ($1::text is null or t.workspace_id = $1) and t.id = $2 and (select x from u where workspace_id = $10)";
    assert_eq!(
        without_predicates(sql),
        "select a from t where ($1::text is null or true) and t.id = $2 and (select x from u where true)"
    );
    assert_eq!(column(sql, 2).as_deref(), Some("id"));
    let unnested = "update t set x = 1 from unnest($1::text[], $2::bigint[]) as n (signal_id, version) where a = any ($3)";
    assert_eq!(column(unnested, 1).as_deref(), Some("signal_id"));
    assert_eq!(column(unnested, 2).as_deref(), Some("version"));
    assert_eq!(column(unnested, 3).as_deref(), Some("a"));
}
