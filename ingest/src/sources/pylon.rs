//! Pylon tickets. The body of a delivery is a template that the customer writes, so every field has
//! several usual places and can be mapped per source.

use millrace_jobs::record::{Change, Content, Origin, Record, Severity};
use serde_json::{Map, Value};

use super::fields::{Fields, keep, severity_of, web_url, words};
use super::identity::{self, common_reply, common_wire, hold, refuse};
use crate::json::{self, Object};
use crate::source::{
    Accepted, Delivery, Hold, Normalized, Receipt, Reject, Source, SourceConfig, Stored, Wire,
};
use crate::{form, limits, text, time};

/// See the module.
#[derive(Debug)]
pub(super) struct Pylon;

/// Canonical field -> its usual places.
const ID: (&str, &[&str]) = ("id", &["/data/id", "/issue/id", "/id"]);
const EVENT: (&str, &[&str]) = ("event_type", &["/event_type", "/type", "/event"]);
const TITLE: (&str, &[&str]) =
    ("title", &["/data/title", "/issue/title", "/title", "/data/subject", "/subject"]);
const BODY_TEXT: (&str, &[&str]) = (
    "body_text",
    &["/data/body_text", "/issue/body_text", "/body_text", "/data/body", "/body", "/description"],
);
const BODY_HTML: (&str, &[&str]) =
    ("body_html", &["/data/body_html", "/issue/body_html", "/body_html"]);
const PRIORITY: (&str, &[&str]) = ("priority", &["/data/priority", "/issue/priority", "/priority"]);
const UPDATED: (&str, &[&str]) =
    ("updated_at", &["/data/updated_at", "/issue/updated_at", "/updated_at"]);
const CREATED: (&str, &[&str]) =
    ("created_at", &["/data/created_at", "/issue/created_at", "/created_at"]);
const LINK: (&str, &[&str]) = ("link", &["/data/link", "/issue/link", "/link"]);
const TAGS: (&str, &[&str]) = ("tags", &["/data/tags", "/issue/tags", "/tags"]);
/// Metadata key, canonical field, its usual places.
const ABOUT: [(&str, &str, &[&str]); 8] = [
    ("ticketStatus", "state", &["/data/state", "/issue/state", "/state"]),
    (
        "customerEmail",
        "requester_email",
        &["/data/requester/email", "/issue/requester/email", "/requester/email"],
    ),
    (
        "sourceName",
        "requester_name",
        &["/data/requester/name", "/issue/requester/name", "/requester/name"],
    ),
    ("accountId", "account_id", &["/data/account/id", "/issue/account/id", "/account/id"]),
    (
        "accountName",
        "account_name",
        &["/data/account/name", "/issue/account/name", "/account/name"],
    ),
    ("ticketNumber", "number", &["/data/number", "/issue/number", "/number"]),
    (
        "assigneeEmail",
        "assignee_email",
        &["/data/assignee/email", "/issue/assignee/email", "/assignee/email"],
    ),
    ("teamName", "team_name", &["/data/team/name", "/issue/team/name", "/team/name"]),
];

impl Source for Pylon {
    fn name(&self) -> &'static str {
        "pylon"
    }

    fn about(&self) -> &'static str {
        "Pylon (usepylon.com) tickets: created, updated and closed are versions of one signal"
    }

    fn default_scheme(&self) -> &'static str {
        "pylon"
    }

    fn wire(&self, _: &SourceConfig) -> Wire {
        // Pylon publishes no retry policy.
        common_wire(limits::WEBHOOK_BODY_BYTES_MAX)
    }

    fn accept(&self, delivery: &Delivery<'_>, config: &SourceConfig) -> Result<Accepted, Reject> {
        let body = json::decode(delivery.body);
        let object = Object::parse(&body).map_err(|_| refuse("json_invalid", "Invalid JSON"))?;
        if let (Some(bound), Some(asked)) = (&config.external_id, integration(delivery.query))
            && *bound != asked
        {
            return Err(refuse("unknown_account", "Unknown or inactive integration"));
        }
        // Not the ticket's `updated_at`: two triggers of one change differ in the rest.
        let kind = line(&Fields::new(object, config), EVENT);
        Ok(identity::event(identity::key(delivery, None), kind.as_deref()))
    }

    fn reply(&self, receipt: &Receipt) -> Value {
        common_reply(receipt, "Ticket received, processing async")
    }

    fn normalize(&self, stored: &Stored<'_>, config: &SourceConfig) -> Result<Normalized, Hold> {
        let body = json::decode(stored.body);
        let object = Object::parse(&body).map_err(|why| hold("json_invalid", why))?;
        let fields = Fields::new(object, config);
        let id = line(&fields, ID)
            .ok_or_else(|| hold("field_missing", "id: set the source's field map"))?;
        let gone = line(&fields, EVENT).is_some_and(|e| e.ends_with("deleted"));
        let change = if gone {
            Change::Delete
        } else {
            match content(&fields, &id) {
                Some(content) => Change::Signal(Box::new(content)),
                None => return Ok(Normalized::Ignored("empty_content")),
            }
        };
        let stated = line(&fields, UPDATED).or_else(|| line(&fields, CREATED));
        Ok(Normalized::Records(vec![Record {
            origin: Origin::Pylon,
            source_ref: text::bounded_ref(&format!("pylon-{id}")),
            version: time::version(stated.and_then(|t| time::parse_us(&t)), stored.received_at),
            change,
        }]))
    }
}

fn line(fields: &Fields<'_, '_>, (name, places): (&str, &[&str])) -> Option<String> {
    fields.line(name, places, limits::FIELD_BYTES_MAX)
}

fn content(fields: &Fields<'_, '_>, id: &str) -> Option<Content> {
    let long =
        |(name, places): (&str, &[&str])| fields.line(name, places, limits::VERBATIM_BYTES_MAX);
    let html = || long(BODY_HTML).map(|html| text::strip_html(&html)).filter(|t| !t.is_empty());
    let title = line(fields, TITLE);
    let (verbatim, sanitized) = words(&long(BODY_TEXT).or_else(html).or_else(|| title.clone())?);
    let priority = line(fields, PRIORITY);
    let mut metadata: Map<String, Value> = Map::new();
    keep(&mut metadata, "ticketId", Some(id.to_owned()));
    keep(&mut metadata, "ticketTitle", title);
    keep(&mut metadata, "sourceUrl", line(fields, LINK));
    keep(&mut metadata, "priority", priority.clone());
    for (key, name, places) in ABOUT {
        keep(&mut metadata, key, line(fields, (name, places)));
    }
    Some(Content {
        verbatim,
        sanitized,
        severity: priority.as_deref().and_then(severity),
        source_url: line(fields, LINK).as_deref().and_then(web_url),
        tags: fields.list(TAGS.0, TAGS.1),
        occurred_at: line(fields, CREATED).as_deref().and_then(time::parse),
        metadata,
        ..Content::default()
    })
}

/// Pylon's priorities are urgent, high, medium, low.
fn severity(priority: &str) -> Option<Severity> {
    if priority.eq_ignore_ascii_case("urgent") {
        Some(Severity::Critical)
    } else {
        severity_of(priority)
    }
}

/// The `integration_id` of the delivery URL, as the original receiver wanted it.
fn integration(query: Option<&str>) -> Option<String> {
    let value = query?.split('&').find_map(|pair| pair.strip_prefix("integration_id="))?;
    String::from_utf8(form::unescape(value.as_bytes(), true)).ok()
}
