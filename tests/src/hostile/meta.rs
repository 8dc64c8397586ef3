//! Texts that databases, shells and browsers would run: stored and given back as they were, and only ever data.

use std::time::Duration;

use serde_json::{Value, json};

use super::{json::META, read::Reader};
use crate::{App, Sender, wait_until};

const SOON: Duration = Duration::from_secs(30);

/// Send each in every text field of a signal, read it back, and ask with it wherever the read side takes a text. Returns
/// how many there are, and what was not as it should be.
pub async fn round_trips(app: &App) -> (usize, Vec<String>) {
    let sender = Sender::add(app, "meta", "webhook", &["--name", "meta"]).await;
    let reader = Reader::open(app, "meta").await;
    let mut problems = Vec::new();
    for text in META {
        let said = json!({
            "verbatim": text, "interpretation": text, "userSegment": text, "interviewee": text, "sourceRef": text,
            "tags": [text], "metadata": { "note": text, text: "as a key" }, "webhookName": text,
        });
        let event = sender.send("", &said).await.event_id();
        let id = wait_until("its signal", SOON, async || {
            let (_, event) = reader.ask(&format!("/v1/events/{event}")).await;
            event["effects"][0]["id"].as_str().map(str::to_owned)
        })
        .await;
        let (_, signal) = reader.ask(&format!("/v1/signals/{id}")).await;
        problems.extend(differences(text, &signal));
        problems.extend(asked(&reader, text).await);
    }
    let (_, all) = reader.ask("/v1/signals?limit=200").await;
    let found = all["items"].as_array().map_or(0, Vec::len);
    if found != META.len() {
        problems.push(format!("{found} signals of {} texts", META.len()));
    }
    (META.len(), problems)
}

fn differences(text: &str, signal: &Value) -> Vec<String> {
    let trimmed = json!(text.trim());
    let mut fields: Vec<(&str, &Value, Value)> =
        ["verbatim", "interpretation", "user_segment", "interviewee", "source_ref"]
            .map(|name| (name, &signal[name], trimmed.clone()))
            .to_vec();
    let metadata = &signal["source_metadata"];
    fields.push(("tags", &signal["tags"], json!([trimmed])));
    fields.push(("metadata", &metadata["note"], json!(text)));
    fields.push(("metadata key", &metadata[text], json!("as a key")));
    fields.retain(|(_, got, want)| *got != want);
    fields.iter().map(|(name, got, want)| format!("{name}: {got} instead of {want}")).collect()
}

/// Ask with the text as filter, id and cursor.
async fn asked(reader: &Reader, text: &str) -> Vec<String> {
    let encoded: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let mut problems = Vec::new();
    let mut expect = |path: String, status: u16, wanted: u16, found: Option<&Value>| {
        if status != wanted || found.is_some_and(|items| *items != json!([])) {
            problems.push(format!("{path}: {status}, {found:?}"));
        }
    };
    for path in [
        "signals?project",
        "signals?persona",
        "events?source",
        "events?reason",
        "events?event_type",
    ] {
        let path = format!("/v1/{path}={encoded}");
        let (status, page) = reader.ask(&path).await;
        expect(path, status, 200, Some(&page["items"]));
    }
    for path in ["signals", "events", "projects", "jobs"] {
        let path = format!("/v1/{path}/{encoded}");
        let (status, _) = reader.ask(&path).await;
        expect(path, status, 404, None);
    }
    for (path, wanted) in [("signals?q", 200), ("signals?cursor", 400), ("events?cursor", 400)] {
        let path = format!("/v1/{path}={encoded}");
        let (status, _) = reader.ask(&path).await;
        expect(path, status, wanted, None);
    }
    problems
}
