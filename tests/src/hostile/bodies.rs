//! Hostile bodies that are no JSON, with the headers that make something parse them.

mod files;
mod forms;
mod mails;

use super::json::LARGE;

/// A name, headers, a body.
pub(super) type Body = (&'static str, Vec<(&'static str, String)>, Vec<u8>);

const FORM: &str = "application/x-www-form-urlencoded";

/// All of them; `large` is the size in bytes of those that would be processed piece by piece.
pub(super) fn bodies(large: usize) -> Vec<Body> {
    [plain(large), forms::bodies(), files::bodies(large), mails::bodies()].concat()
}

fn typed(name: &'static str, content_type: &str, body: impl Into<Vec<u8>>) -> Body {
    (name, vec![("content-type", content_type.to_owned())], body.into())
}

/// The whole body is the file.
fn file(name: &'static str, file: &str, body: impl Into<Vec<u8>>) -> Body {
    (name, vec![("content-type", String::new()), ("x-file-name", file.to_owned())], body.into())
}

fn plain(large: usize) -> Vec<Body> {
    let json = "application/json";
    let utf16: Vec<u8> = "Wide words".encode_utf16().flat_map(u16::to_be_bytes).collect();
    vec![
        typed("nothing", json, ""),
        typed("nothing at all", "", ""),
        typed("blanks", json, " \n\t"),
        typed("byte order mark alone", json, "\u{feff}"),
        typed("one NUL", "text/plain", "\0"),
        typed("NULs", "text/plain", "a\0b".repeat(LARGE)),
        typed("words with NUL", "text/plain", "The export\0 stops"),
        typed("invalid UTF-8", "text/plain", b"caf\xe9 \xff\xfe\xed\xa0\x80 words".to_vec()),
        typed("UTF-16 text", "text/plain; charset=utf-16", [vec![0xfe, 0xff], utf16].concat()),
        typed("unknown charset", "text/plain; charset=\"x-klingon\"; charset=utf-7", "+AGE- words"),
        typed("JSON as text", "text/plain", r#"{"verbatim":"said as text"}"#),
        typed("text as JSON", json, "The export stops"),
        typed("JSON as a form", FORM, r#"{"verbatim":"said as form"}"#),
        typed("XML", "application/xml", XML_BOMB),
        typed("a type that is none", ";;;/=,\"", r#"{"verbatim":"which type"}"#),
        typed("a long type", &"x/".repeat(2_000), r#"{"verbatim":"long type"}"#),
        typed("a lot of words", "text/plain", "word ".repeat(large / 5)),
        typed("a lot of one word", "text/plain", "w".repeat(large)),
        typed("a lot of different words", "text/plain", different_words(large / 28)),
        typed("a lot of one-entry objects", json, objects(large)),
        typed("a lot of number bombs", json, array("1e131000", large)),
        typed("a lot of open brackets", json, "[".repeat(large)),
        typed("a lot of open objects", json, r#"{"a":"#.repeat(large / 5)),
        typed(
            "a lot of lone surrogates",
            json,
            format!(r#"{{"verbatim":"{}"}}"#, r"\ud800".repeat(large / 7)),
        ),
        typed(
            "a lot of NUL escapes",
            json,
            format!(r#"{{"text":"{}"}}"#, r"\u0000".repeat(large / 7)),
        ),
        typed("over the cap", json, format!(r#"{{"verbatim":"{}"}}"#, "x".repeat(6_000_000))),
    ]
}

const XML_BOMB: &str = r#"<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY x SYSTEM "file:///etc/passwd">]><l>&c;&x;</l>"#;

/// As many lexemes as the search column can meet: hyphenated words count whole and by their parts.
fn different_words(count: usize) -> String {
    (0..count).map(|n| format!("{:03x}-{:03x} ", n % 4096, (n * 7 + n / 4096) % 4096)).collect()
}

fn objects(bytes: usize) -> String {
    array(r#"{"a":1}"#, bytes)
}

fn array(item: &str, bytes: usize) -> String {
    format!(
        r#"{{"metadata":[{}0],"verbatim":"x"}}"#,
        format!("{item},").repeat(bytes / (item.len() + 1))
    )
}
