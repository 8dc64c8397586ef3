//! What Postgres can store, within the bounds of `limits`.

use millrace_ingest::limits;
use millrace_jobs::record::Record;
use serde_json::Value;

const MIB: usize = 1 << 20;

/// # Panics
/// If the record cannot be stored, or not be read back.
pub fn check_storable(record: &Record) {
    assert!(!record.source_ref.is_empty() && record.source_ref.len() <= limits::REF_BYTES_MAX);
    assert!(record.version <= limits::TIME_MAX_US && record.version >= limits::TIME_MIN_US);
    let json = serde_json::to_value(record).unwrap();
    check_value(&json);
    let metadata = json["change"]["metadata"].to_string();
    assert!(metadata.len() <= MIB, "{} bytes of metadata", metadata.len());
    if let Some(words) = json["change"]["verbatim"].as_str() {
        assert!(!words.trim().is_empty() && words.len() <= limits::VERBATIM_BYTES_MAX);
    }
}

pub(super) fn check_value(value: &Value) {
    match value {
        Value::String(text) => assert!(!text.contains('\0')),
        Value::Array(items) => items.iter().for_each(check_value),
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            assert!(!key.contains('\0'));
            check_value(value);
        }),
        Value::Number(number) => {
            assert!(number.as_f64().is_some_and(|n| n.is_finite() && n.abs() < 1e22));
        }
        Value::Null | Value::Bool(_) => {}
    }
}
