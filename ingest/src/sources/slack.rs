//! Slack Events API: messages with their edits and deletions, and the notices about the app itself.

use millrace_jobs::record::{Change, Content, Origin, Record};
use serde_json::{Map, Value, json};

use super::fields::{keep, words};
use super::identity::{self, hold, refuse};
use super::slack_text;
use crate::json::{self, Object};
use crate::source::{
    Accepted, Delivery, Hold, Normalized, Receipt, Reject, Source, SourceConfig, Stored, Wire,
};
use crate::{limits, text, time};

/// See the module.
#[derive(Debug)]
pub(super) struct Slack;

const ID_BYTES_MAX: usize = 64;

impl Source for Slack {
    fn name(&self) -> &'static str {
        "slack"
    }

    fn about(&self) -> &'static str {
        "Slack Events API: messages, edits, deletions"
    }

    fn default_scheme(&self) -> &'static str {
        "slack"
    }

    fn wire(&self, _: &SourceConfig) -> Wire {
        // Slack knows no Retry-After here; it tries three times more unless told not to.
        Wire {
            ok: 200,
            retry: 503,
            retry_after: false,
            refuse: 400,
            no_retry: Some(("x-slack-no-retry", "1")),
            body_bytes_max: limits::WEBHOOK_BODY_BYTES_MAX,
        }
    }

    fn accept(&self, delivery: &Delivery<'_>, config: &SourceConfig) -> Result<Accepted, Reject> {
        if crate::form::is_form(identity::content_type(delivery)) {
            return Ok(identity::event(identity::hash_key(delivery.body), Some("interactivity")));
        }
        let body = json::decode(delivery.body);
        let outer = Object::parse(&body).map_err(|_| refuse("json_invalid", "Invalid JSON"))?;
        let kind = outer.text("type");
        if kind.as_deref() == Some("url_verification") {
            let challenge = outer.text("challenge").unwrap_or_default();
            let answer = json!({ "challenge": text::cap(&challenge, limits::FIELD_BYTES_MAX) });
            return Ok(Accepted::Reply {
                content_type: "application/json",
                body: answer.to_string().into(),
            });
        }
        if kind.is_some() && !serves(&outer, config) {
            return Err(refuse("unknown_account", "Unknown Slack team or inactive integration"));
        }
        let key = match outer.line("event_id", ID_BYTES_MAX) {
            Some(id) => identity::parts(&["event_id", &id]),
            None => identity::hash_key(delivery.body),
        };
        let inner = outer.text("/event/type").or(kind);
        Ok(identity::event(key, inner.as_deref()))
    }

    fn reply(&self, receipt: &Receipt) -> Value {
        json!({ "ok": true, "eventId": receipt.event_id, "duplicate": receipt.duplicate })
    }

    fn normalize(&self, stored: &Stored<'_>, config: &SourceConfig) -> Result<Normalized, Hold> {
        if crate::form::is_form(identity::stored_header(stored, "content-type").unwrap_or("")) {
            return Ok(Normalized::Ignored("interactivity"));
        }
        let body = json::decode(stored.body);
        let outer = Object::parse(&body).map_err(|why| hold("json_invalid", why))?;
        match outer.text("type").as_deref() {
            Some("event_callback") => {}
            Some("app_rate_limited") => return Ok(Normalized::Ignored("app_rate_limited")),
            Some(_) => return Ok(Normalized::Ignored("event_type")),
            None => return Err(hold("foreign_payload", "no Slack envelope: `type` is missing")),
        }
        let event =
            outer.object("event").ok_or_else(|| hold("foreign_payload", "`event` is missing"))?;
        match event.text("type").as_deref() {
            Some("message") => message(&outer, &event, stored, config),
            Some("app_uninstalled") => Ok(Normalized::Uninstalled("app_uninstalled")),
            // Also sent when one person takes back their own token; the app lives on then.
            Some("tokens_revoked") if !event.array("/tokens/bot").is_empty() => {
                Ok(Normalized::Uninstalled("tokens_revoked"))
            }
            _ => Ok(Normalized::Ignored("event_type")),
        }
    }
}

/// Whether the envelope belongs to the workspace that this source is bound to.
fn serves(outer: &Object<'_>, config: &SourceConfig) -> bool {
    let Some(bound) = config.external_id.as_deref() else { return true };
    ["/team_id", "/enterprise_id", "/authorizations/0/team_id", "/authorizations/0/enterprise_id"]
        .iter()
        .any(|pointer| outer.text(pointer).as_deref() == Some(bound))
}

/// The team in the object's key. On an org-wide installation the envelope's team is where the event
/// happened, the authorization's is whose installation it is.
fn team(outer: &Object<'_>) -> Option<String> {
    let line = |pointer: &str| outer.line(pointer, ID_BYTES_MAX);
    let installed =
        || line("/authorizations/0/team_id").or_else(|| line("/authorizations/0/enterprise_id"));
    if outer.flag("/authorizations/0/is_enterprise_install") {
        return installed().or_else(|| line("team_id"));
    }
    line("team_id").or_else(installed)
}

fn message(
    outer: &Object<'_>,
    event: &Object<'_>,
    stored: &Stored<'_>,
    config: &SourceConfig,
) -> Result<Normalized, Hold> {
    let team = team(outer).ok_or_else(|| hold("field_missing", "team_id"))?;
    let channel = event
        .line("channel", ID_BYTES_MAX)
        .ok_or_else(|| hold("field_missing", "event.channel"))?;
    let version = event.text("event_ts").or_else(|| event.text("ts"));
    let version = time::version(version.and_then(|ts| time::parse_us(&ts)), stored.received_at);
    let record = |ts: &str, change| {
        Normalized::Records(vec![Record {
            origin: Origin::Slack,
            source_ref: text::bounded_ref(&format!("slack-{team}-{channel}-{ts}")),
            version,
            change,
        }])
    };
    let timestamp = |object: &Object<'_>, key: &str| {
        object.line(key, ID_BYTES_MAX).ok_or_else(|| hold("field_missing", "ts"))
    };
    match event.text("subtype").as_deref() {
        None | Some("file_share" | "thread_broadcast" | "me_message" | "bot_message") => {
            if is_bot(event, outer, config) {
                return Ok(Normalized::Ignored("bot_message"));
            }
            let ts = timestamp(event, "ts")?;
            let change = content(event, &team, &channel, &ts).map(|c| Change::Signal(Box::new(c)));
            Ok(change.map_or(Normalized::Ignored("empty"), |change| record(&ts, change)))
        }
        Some("message_changed") => {
            let now =
                event.object("message").ok_or_else(|| hold("field_missing", "event.message"))?;
            if is_bot(&now, outer, config) {
                return Ok(Normalized::Ignored("bot_message"));
            }
            let ts = timestamp(&now, "ts")?;
            // A deleted message that still has replies stays as a tombstone; an edit to nothing is
            // a retraction too.
            let gone = now.text("subtype").as_deref() == Some("tombstone");
            let content = content(&now, &team, &channel, &ts).filter(|_| !gone);
            Ok(record(&ts, content.map_or(Change::Delete, |c| Change::Signal(Box::new(c)))))
        }
        Some("message_deleted") => {
            let was_bot =
                event.object("previous_message").is_some_and(|m| is_bot(&m, outer, config));
            if was_bot {
                return Ok(Normalized::Ignored("bot_message"));
            }
            Ok(record(&timestamp(event, "deleted_ts")?, Change::Delete))
        }
        Some(_) => Ok(Normalized::Ignored("subtype")),
    }
}

/// Posted by a bot, or by our own bot user.
fn is_bot(message: &Object<'_>, outer: &Object<'_>, config: &SourceConfig) -> bool {
    if message.at("bot_id").is_some() || message.text("subtype").as_deref() == Some("bot_message") {
        return true;
    }
    let Some(user) = message.text("user") else { return false };
    let ours = outer
        .flag("/authorizations/0/is_bot")
        .then(|| outer.text("/authorizations/0/user_id"))
        .flatten();
    let configured = config.options.get("botUserId").and_then(Value::as_str);
    ours.as_deref() == Some(user.as_str()) || configured == Some(user.as_str())
}

fn content(message: &Object<'_>, team: &str, channel: &str, ts: &str) -> Option<Content> {
    let (verbatim, sanitized) = words(&slack_text::plain(&message.text("text")?));
    if verbatim.is_empty() {
        return None;
    }
    let mut metadata = Map::new();
    let line = |key: &str| message.line(key, ID_BYTES_MAX);
    keep(&mut metadata, "externalId", Some(format!("{team}/{channel}/{ts}")));
    keep(&mut metadata, "channelId", Some(channel.to_owned()));
    keep(&mut metadata, "messageTs", Some(ts.to_owned()));
    keep(&mut metadata, "threadTs", line("thread_ts"));
    keep(&mut metadata, "userId", line("user"));
    keep(&mut metadata, "subtype", line("subtype"));
    let files: Vec<Value> = message.array("files").into_iter().take(20).filter_map(file).collect();
    if !files.is_empty() {
        metadata.insert("files".to_owned(), Value::Array(files));
    }
    Some(Content {
        verbatim,
        sanitized,
        metadata,
        occurred_at: time::parse(ts),
        ..Content::default()
    })
}

/// What is known of a file. Of one shared through Slack Connect that is only its id, with
/// `file_access` = `check_file_info`.
fn file(raw: &serde_json::value::RawValue) -> Option<Value> {
    let file = Object::parse(raw.get()).ok()?;
    let mut out = Map::new();
    for (from, to) in
        [("id", "id"), ("name", "name"), ("mimetype", "mimeType"), ("file_access", "access")]
    {
        keep(&mut out, to, file.line(from, 256));
    }
    Some(Value::Object(out))
}
