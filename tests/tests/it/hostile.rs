//! Bodies that were made to hurt, through every source: nothing panics, nothing grows, and what comes
//! out can be stored.

use std::io::Write as _;

use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue, Method};
use millrace_ingest::source::{Delivery, Normalized, SourceConfig};
use millrace_ingest::{limits, sources};
use millrace_jobs::record::Record;
use serde_json::Value;

use crate::conformance::{deliver, normalize};

const MIB: usize = 1 << 20;
/// Of the large values: large enough that quadratic work would be felt, small enough for a debug build.
const LARGE: usize = 1 << 14;

const CONTENT_TYPES: [&str; 9] = [
    "",
    "application/json",
    "text/plain",
    "text/csv",
    "application/pdf",
    "message/rfc822",
    "application/cloudevents-batch+json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
];

/// Templates of each platform with `@` where the hostile value goes.
const TEMPLATES: [&str; 7] = [
    r#"{"verbatim":@,"sourceRef":@,"severity":@,"tags":@,"metadata":{"k":@},"interviewDate":@,"updatedAt":@}"#,
    r#"{"type":"event_callback","team_id":"T1","event_id":"E1","event":{"type":"message","channel":"C1","user":"U1","ts":@,"text":@,"files":@}}"#,
    r#"{"type":"x","timestamp":@,"data":{"text":@,"userSegment":@}}"#,
    r#"{"event_type":"issue.created","data":{"id":@,"body_html":@,"tags":@,"updated_at":@}}"#,
    r#"{"specversion":"1.0","id":@,"source":"s","type":"t","time":@,"data":@}"#,
    r#"{"MessageID":@,"From":"a@b.test","TextBody":@,"HtmlBody":@,"Headers":@,"Date":@}"#,
    r#"{"videoUrl":"https://youtu.be/a1B2c3D4e5F","captions":@,"payload":{"title":@,"content":@}}"#,
];

fn values() -> Vec<String> {
    let long = "x".repeat(LARGE);
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let mut all: Vec<String> = [
        "null",
        "true",
        "0",
        "-1",
        "1e400",
        "1e131000",
        "18446744073709551616",
        r#""""#,
        r#""\u0000""#,
        r#""\ud800\udc""#,
        r#""\ud800 lone \udfff""#,
        r#""+294277-01-01T00:00:00Z""#,
        r#""9999999999999999999""#,
        r#""99999999999999999.9""#,
        "{}",
        "[]",
        r#"{"a":1,"a":2,"verbatim":"x","verbatim":"y"}"#,
    ]
    .map(str::to_owned)
    .to_vec();
    all.push(quoted(&long));
    all.push(quoted(&"<".repeat(LARGE)));
    all.push(quoted(&"<a".repeat(LARGE / 2)));
    all.push(quoted(&"< >".repeat(LARGE / 2)));
    all.push(quoted(&"&amp;".repeat(LARGE / 4)));
    all.push(quoted(&"[0:01] a\n".repeat(LARGE / 8)));
    all.push(quoted(&"On a\n> b\n".repeat(LARGE / 8)));
    all.push(quoted(&format!("a{}b", " ".repeat(LARGE))));
    all.push(format!("[{}0]", "0,".repeat(LARGE / 2)));
    all.push(format!("[{}{{}}]", "{},".repeat(LARGE / 4)));
    all.push(format!("[{}1e308]", "1e308,".repeat(5_000)));
    all.push(format!("{}{}", "[".repeat(LARGE / 2), "]".repeat(LARGE / 2)));
    all.push(format!("{{{}\"z\":0}}", "\"k\":0,".repeat(LARGE / 4)));
    all
}

fn bodies() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    for value in values() {
        all.extend(TEMPLATES.iter().map(|t| t.replace('@', &value).into_bytes()));
        all.push(value.into_bytes());
    }
    let raw: [&[u8]; 12] = [
        b"",
        b" \n\t",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"{\"verbatim\":\"\xff\xfe\xed\xa0\x80\"}",
        b"{\"verbatim\":\"cut",
        b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.csv\"\r\n\r\na,b\r\n1",
        b"--b--\r\n",
        b"--b\r\n\r\n\r\n--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        b"From: a@b\r\nContent-Type: multipart/mixed; boundary=\r\n\r\n--\r\n",
        b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 1 0 R>>\nendobj\ntrailer<</Root 1 0 R>>",
        b"email=%&text=%ff%00&charsets={%22text%22:%22utf-16%22}&headers=From: a",
    ];
    all.extend(raw.map(<[u8]>::to_vec));
    all.push(b"text\n".iter().copied().chain(b"\"".repeat(LARGE)).collect());
    all.push([b"text\n".to_vec(), b",".repeat(LARGE)].concat());
    all.push([b",".repeat(100_000), b"\nx".to_vec()].concat());
    all.push(b"a\n".repeat(20_000));
    all.push(b"stream\n\x78\x9c".repeat(20_000));
    let mut nested = b"From: a@b.test\r\nMIME-Version: 1.0\r\n".to_vec();
    for level in 0..2_000 {
        write!(nested, "Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n")
            .unwrap();
    }
    all.push(nested);
    all.push(b"Content-Type: message/rfc822\r\n\r\n".repeat(5_000));
    all
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_768_478_400, 0).unwrap()
}

/// What Postgres can store, within the bounds of `limits`.
fn check_storable(record: &Record) {
    assert!(record.source_ref.len() <= limits::REF_BYTES_MAX);
    assert!(record.version <= limits::TIME_MAX_US && record.version >= limits::TIME_MIN_US);
    let json = serde_json::to_value(record).unwrap();
    check_value(&json);
    let metadata = json["change"]["metadata"].to_string();
    assert!(metadata.len() <= MIB, "{} bytes of metadata", metadata.len());
    if let Some(words) = json["change"]["verbatim"].as_str() {
        assert!(!words.trim().is_empty() && words.len() <= limits::VERBATIM_BYTES_MAX);
    }
}

fn check_value(value: &Value) {
    match value {
        Value::String(text) => assert!(!text.contains('\0')),
        Value::Array(items) => items.iter().for_each(check_value),
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            assert!(!key.contains('\0'));
            check_value(value);
        }),
        Value::Number(number) => {
            assert!(number.as_f64().is_some_and(|n| n.is_finite() && n.abs() < 1e22))
        }
        Value::Null | Value::Bool(_) => {}
    }
}

#[test]
fn no_body_hurts_any_source() {
    let method = Method::POST;
    let config = SourceConfig::default();
    for body in bodies() {
        // JSON is worth trying as JSON and as text; everything else as anything.
        let types = if body.first() == Some(&b'{') {
            CONTENT_TYPES.get(1..3)
        } else {
            CONTENT_TYPES.get(..)
        };
        for content_type in types.unwrap() {
            let mut headers = HeaderMap::new();
            headers.insert("content-type", HeaderValue::from_static(content_type));
            for (name, value) in [
                ("ce-id", "%C0%AF"),
                ("ce-source", "\"%"),
                ("ce-specversion", "1.0"),
                ("x-file-name", "%00../x.csv"),
            ] {
                headers.insert(name, HeaderValue::from_static(value));
            }
            let delivery = Delivery {
                method: &method,
                query: Some("integration_id=%FF&&="),
                headers: &headers,
                body: &body,
                received_at: now(),
                delivery_id: None,
            };
            for source in sources::ALL {
                // Also what the door refuses: a replay may meet bytes that an older door let in.
                let outcome = deliver(*source, &delivery, &config);
                let normalized =
                    outcome.normalized.unwrap_or_else(|| normalize(*source, &delivery, &config));
                let Ok(Normalized::Records(records)) = normalized else { continue };
                assert!(!records.is_empty() && records.len() <= limits::RECORDS_MAX + 1);
                records.iter().for_each(check_storable);
            }
        }
    }
}
