//! One sentence, wrapped as a platform wraps it.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// A body and its type.
#[derive(Debug, Clone)]
pub struct Said {
    /// Content type.
    pub content_type: String,
    /// Body.
    pub body: Vec<u8>,
}

/// The body that `kind` would deliver for `text`.
#[must_use]
pub fn say(kind: &str, text: &str, id: &str, now: DateTime<Utc>) -> Said {
    let body = match kind {
        "slack" => slack(text, id, now),
        "pylon" => json!({ "event_type": "issue.created", "data": {
            "id": id, "title": text, "body_html": text, "state": "new",
            "created_at": now.to_rfc3339(), "updated_at": now.to_rfc3339(),
        }}),
        "inbox" => {
            json!({ "sourceRef": id, "payload": { "type": "feedback", "title": text, "content": text } })
        }
        "email" => json!({
            "MessageID": id, "From": "customer@garden.example", "To": "feedback@hedgerow.example",
            "Subject": "Feedback", "TextBody": text, "Date": now.to_rfc2822(),
        }),
        "cloudevents" => {
            let body = json!({
                "specversion": "1.0", "id": id, "source": "/millrace/send", "type": "feedback.given",
                "time": now.to_rfc3339(), "data": { "verbatim": text },
            });
            return typed("application/cloudevents+json", &body);
        }
        "upload" => {
            let body = format!(
                "--said\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{id}.txt\"\r\nContent-Type: text/plain\r\n\r\n{text}\r\n--said--\r\n"
            );
            return Said {
                content_type: "multipart/form-data; boundary=said".into(),
                body: body.into(),
            };
        }
        _ => json!({ "verbatim": text, "sourceRef": id }),
    };
    typed("application/json", &body)
}

fn typed(content_type: &str, body: &Value) -> Said {
    Said { content_type: content_type.into(), body: body.to_string().into() }
}

fn slack(text: &str, id: &str, now: DateTime<Utc>) -> Value {
    let ts = format!("{}.{:06}", now.timestamp(), now.timestamp_subsec_micros());
    json!({
        "team_id": "T0HEDGEROW", "type": "event_callback", "event_id": format!("Ev{id}"),
        "event_time": now.timestamp(),
        "event": {
            "type": "message", "channel": "C0FEEDBACK", "channel_type": "channel", "user": "U00001",
            "text": text, "ts": ts, "event_ts": ts,
        },
    })
}
