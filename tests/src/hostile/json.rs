//! Hostile JSON: values for any field, and ways to write a document.

use std::fmt::Write as _;

use serde_json::Value;

/// Of the large values: large enough that quadratic work would be felt, small enough for a debug build.
pub const LARGE: usize = 1 << 14;

/// Texts that some language between here and a reader would run; each must come back as it was sent.
pub const META: [&str; 20] = [
    "'; drop table signals.signals; --",
    "' or '1'='1",
    "\" or \"\"=\"",
    "$$; select pg_sleep(10); $$",
    "$1 $2 :name ?",
    r"\'; \x00 \u0000 \\ \copy (select 1) to program 'id'",
    "E'\\047' U&'\\0041' B'1' X'1F' N'x'",
    "100% _%_ like [a-z]* {1,2} %s %n %x",
    "(select 1); begin; rollback; commit;",
    "/* comment */ -- comment\n# comment",
    "{\"a\": \"'\"} [1,2] {x,y} (a,b) {{7*7}} ${7*7} #{7*7} <%= 7*7 %>",
    "<script>alert('x')</script><img src=x onerror=alert(1)>&lt;b&gt;&#0;",
    "=cmd|'/C calc'!A0 @SUM(1) +1 -1",
    "../../../../etc/passwd %2e%2e%2f ..\\..\\ file:///etc/passwd",
    "${jndi:ldap://x.test/a} $(id) `id` ; id | id && id",
    "\u{202e}txt.exe\u{202d} \u{200b}\u{feff}\u{2028}\u{2029} a\u{300}\u{301}\u{302}",
    "\u{1}\u{2}\u{7f}\u{80}\u{9f} \u{1b}[31mred\u{1b}[0m \r\n\tinner",
    "\u{fffe}\u{ffff}\u{10ffff}\u{e000} 👩‍👩‍👧‍👦 🏳️‍🌈 ﷽",
    "İstanbul ß ſ K Å ﬁ ǅ",
    "NULL null nil None undefined NaN Infinity true false 1e1000 -0",
];

/// Values that go into every field of every model delivery, by name; raw JSON.
#[must_use]
pub fn values() -> Vec<(String, String)> {
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let mut all: Vec<(String, String)> = SHORT.map(|v| (v.into(), v.into())).to_vec();
    all.extend(META.iter().map(|text| (format!("meta {text}"), quoted(text))));
    let long =
        |name: &str, unit: &str| (format!("long {name}"), quoted(&unit.repeat(LARGE / unit.len())));
    all.extend([
        long("text", "x"),
        long("wide text", "\u{10ffff}"),
        long("open tags", "<"),
        long("unclosed tags", "<a"),
        long("bare tags", "< >"),
        long("comments", "<!--"),
        long("scripts", "<script>"),
        long("entities", "&amp;"),
        long("captions", "[0:01] a\n"),
        long("quotes", "On a\n> b\n"),
        long("blank lines", " \n\t\n"),
        long("mentions", "<@U1|a> <!here> <http://a|b> "),
        long("marks", "*_~`*_~`"),
        long("digits", "9"),
    ]);
    all.push(("inner blanks".into(), quoted(&format!("a{}b", " ".repeat(LARGE)))));
    all.push(("array of numbers".into(), format!("[{}0]", "0,".repeat(LARGE / 2))));
    all.push(("one-entry objects".into(), format!("[{}{{}}]", r#"{"a":1},"#.repeat(LARGE / 8))));
    all.push(("number bombs".into(), format!("[{}1e131000]", "1e131000,".repeat(5_000))));
    all.push(("huge numbers".into(), format!("[{}1e308]", "1e308,".repeat(5_000))));
    all.push(("long number".into(), "9".repeat(LARGE)));
    all.push(("long fraction".into(), format!("0.{}1", "0".repeat(LARGE))));
    let half = LARGE / 2;
    all.push(("deep arrays".into(), format!("{}{}", "[".repeat(half), "]".repeat(half))));
    let (open, shut) = (r#"{"a":"#.repeat(half), "}".repeat(half));
    all.push(("deep objects".into(), format!("{open}0{shut}")));
    let (open, shut) = (r#"{"a":["#.repeat(60), "]}".repeat(60));
    all.push(("deep, within 128".into(), format!("{open}{shut}")));
    let mut many = String::from("{");
    (0..LARGE / 8).for_each(|n| write!(many, "\"k{n}\":{n},").unwrap());
    all.push(("many keys".into(), format!("{many}\"z\":0}}")));
    all.push(("one key often".into(), format!("{{{}\"z\":0}}", "\"k\":0,".repeat(LARGE / 4))));
    all
}

const SHORT: [&str; 30] = [
    "null",
    "true",
    "0",
    "-1",
    "-0.0",
    "1e400",
    "1e131000",
    "1e-400",
    "9223372036854775808",
    "18446744073709551616",
    "-9223372036854775809",
    "123456789012345678901234567890",
    r#""""#,
    r#"" ""#,
    r#""\u0000""#,
    r#""a\u0000b\u0000""#,
    r#""\ud800\udc""#,
    r#""\ud800 lone \udfff""#,
    r#""+294277-01-01T00:00:00Z""#,
    r#""999999-12-31T23:59:59Z""#,
    r#""0000-00-00T00:00:00Z""#,
    r#""2026-02-30T25:61:61+99:99""#,
    r#""9999999999999999999""#,
    r#""99999999999999999.9""#,
    r#""-9223372036854775808""#,
    "{}",
    "[]",
    "[[]]",
    r#"{"":{"":{"":""}}}"#,
    r#"{"a":1,"a":2,"verbatim":"x","verbatim":"y","\u0000":0,"__proto__":{}}"#,
];

/// Every document that is `document` with one of its values replaced by `@hostile@`, with the place of that value.
#[must_use]
pub fn places(document: &Value) -> Vec<(String, String)> {
    let mut pointers = Vec::new();
    walk(document, String::new(), &mut pointers);
    let replaced = pointers.into_iter().map(|pointer| {
        let mut changed = document.clone();
        if let Some(value) = changed.pointer_mut(&pointer) {
            *value = "@hostile@".into();
        }
        (pointer, changed.to_string())
    });
    replaced.collect()
}

/// A document of [`places`] with its place filled.
#[must_use]
pub fn fill(template: &str, value: &str) -> String {
    template.replace("\"@hostile@\"", value)
}

fn walk(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                walk(value, format!("{at}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                walk(value, format!("{at}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    found.push(at);
}

/// Ways to write a document, each with the bytes it makes of one.
#[must_use]
pub fn shapes(document: &Value) -> Vec<(String, Vec<u8>)> {
    let compact = document.to_string();
    let pretty = serde_json::to_string_pretty(document).unwrap();
    let inner = compact.get(1..compact.len() - 1).unwrap();
    let object = document.is_object();
    let twice = if object { format!("{{{inner},{inner}}}") } else { format!("[{inner},{inner}]") };
    let mut many = inner.to_owned();
    (0..3_000).for_each(|n| write!(many, ",\"extra{n}\":{{\"n\":[{n}]}}").unwrap());
    let utf16: Vec<u8> = compact.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cut = |at: usize| compact.as_bytes().get(..at).unwrap().to_vec();
    let (escaped, mut broken) = (escape(&compact), compact.clone().into_bytes());
    let middle = compact.len() / 2;
    broken.splice(middle..middle, *b"\xff\xfe\xed\xa0\x80\xc0\xaf");
    let text = |text: String| text.into_bytes();
    let shapes: Vec<(&str, Vec<u8>)> = vec![
        ("as it is", text(compact.clone())),
        ("pretty", text(pretty)),
        ("byte order mark", text(format!("\u{feff}{compact}"))),
        ("every key twice", text(twice)),
        ("3,000 more keys", text(format!("{{{many}}}"))),
        ("all escaped", text(escaped)),
        (
            "wide blanks",
            text(format!("{}{compact}{}", " \r\n\t".repeat(10_000), "\n".repeat(10_000))),
        ),
        ("garbage after it", text(format!("{compact} x"))),
        ("two documents", text(format!("{compact}\n{compact}"))),
        ("comment in it", text(format!("/* c */{compact}// c"))),
        ("trailing comma", text(format!("{},}}", compact.trim_end_matches('}')))),
        ("single quotes", text(compact.replace('"', "'"))),
        ("in an array", text(format!("[{compact}]"))),
        ("as a string", serde_json::to_vec(&compact).unwrap()),
        ("UTF-16", [vec![0xff, 0xfe], utf16].concat()),
        ("broken UTF-8", broken),
        ("cut in half", cut(middle)),
        ("last byte missing", cut(compact.len() - 1)),
        ("first byte only", cut(1)),
        ("NUL after it", [compact.as_bytes(), b"\0"].concat()),
    ];
    shapes.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

/// Every character of every string as `\uXXXX`.
fn escape(json: &str) -> String {
    let mut out = String::new();
    let (mut inside, mut escaped) = (false, false);
    for c in json.chars() {
        match c {
            '"' if !escaped => {
                inside = !inside;
                out.push(c);
            }
            c if inside && !escaped && c != '\\' => {
                let mut units = [0; 2];
                c.encode_utf16(&mut units)
                    .iter()
                    .for_each(|unit| write!(out, "\\u{unit:04x}").unwrap());
            }
            c => out.push(c),
        }
        escaped = inside && c == '\\' && !escaped;
    }
    out
}
