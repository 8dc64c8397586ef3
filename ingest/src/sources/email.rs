//! Inbound mail by webhook: SendGrid Inbound Parse, Postmark, Mailgun routes, or raw MIME.
//!
//! Which of them it is shows in the body itself. A mail never changes, so all its copies carry the
//! same version and whoever repeats a Message-ID overwrites nothing.

use millrace_jobs::record::{Change, Content, Origin, Record, UNCHANGING};
use serde_json::{Map, Value};

use super::email_parse::{self, Mail};
use super::email_text;
use super::fields::{keep, words};
use super::identity::{self, common_reply, hold, refuse};
use crate::source::{
    Accepted, Delivery, Hold, Normalized, Receipt, Reject, Source, SourceConfig, Stored, Wire,
};
use crate::{limits, text, time};

/// See the module.
#[derive(Debug)]
pub(super) struct Email;

impl Source for Email {
    fn name(&self) -> &'static str {
        "email"
    }

    fn about(&self) -> &'static str {
        "Inbound mail: SendGrid, Postmark, Mailgun or raw MIME (option provider=...)"
    }

    fn default_scheme(&self) -> &'static str {
        "path-key"
    }

    fn wire(&self, config: &SourceConfig) -> Wire {
        // SendGrid tries again on 5xx only; Postmark wants exactly 200 and stops at 403; Mailgun
        // stops at 406. 403 ends it for all but Mailgun.
        let mailgun = config.options.get("provider").and_then(Value::as_str) == Some("mailgun");
        Wire {
            ok: 200,
            retry: 503,
            retry_after: false,
            refuse: if mailgun { 406 } else { 403 },
            no_retry: None,
            body_bytes_max: limits::MAIL_BODY_BYTES_MAX,
        }
    }

    fn accept(&self, delivery: &Delivery<'_>, _: &SourceConfig) -> Result<Accepted, Reject> {
        let mail = email_parse::parse(identity::content_type(delivery), delivery.body)
            .map_err(|_| refuse("mail_malformed", "Not a mail of a known provider"))?;
        let key = match &mail.message_id {
            // One mail to two of our addresses is two deliveries.
            Some(id) => identity::parts(&["mail", id, mail.recipient.as_deref().unwrap_or("")]),
            None => identity::key(delivery, None),
        };
        Ok(identity::event(key, Some("mail")))
    }

    fn reply(&self, receipt: &Receipt) -> Value {
        common_reply(receipt, "Mail received, processing async")
    }

    fn normalize(&self, stored: &Stored<'_>, _: &SourceConfig) -> Result<Normalized, Hold> {
        let content_type = identity::stored_header(stored, "content-type").unwrap_or("");
        let mail = email_parse::parse(content_type, stored.body)
            .map_err(|why| hold("mail_malformed", why))?;
        if let Some(reason) = mail.automatic() {
            return Ok(Normalized::Ignored(reason));
        }
        let Some(content) = content(&mail) else {
            return Ok(Normalized::Ignored("empty"));
        };
        let source_ref = match &mail.message_id {
            Some(id) => format!("email-{id}"),
            None => identity::own_ref("email", stored),
        };
        Ok(Normalized::Records(vec![Record {
            origin: Origin::Email,
            source_ref: text::bounded_ref(&source_ref),
            version: UNCHANGING,
            change: Change::Signal(Box::new(content)),
        }]))
    }
}

/// What the sender wrote: the provider's own cut of the reply, ours, or the subject.
fn content(mail: &Mail) -> Option<Content> {
    let bounded = |t: &String| text::cap(t, limits::MAIL_TEXT_BYTES_MAX).to_owned();
    let body = mail.text.as_ref().map(bounded).filter(|t| !t.trim().is_empty());
    let body = body.or_else(|| mail.html.as_ref().map(bounded).map(|t| text::strip_html(&t)));
    let cut = mail.reply.clone().filter(|t| !t.trim().is_empty());
    let said = cut.or_else(|| body.as_deref().map(email_text::own_words)).unwrap_or_default();
    let said = if said.trim().is_empty() { mail.subject.clone()? } else { said };
    let (verbatim, sanitized) = words(&said);
    if verbatim.is_empty() {
        return None;
    }
    let mut metadata = Map::new();
    keep(&mut metadata, "externalId", mail.message_id.clone());
    keep(&mut metadata, "customerEmail", mail.from.clone());
    keep(&mut metadata, "sourceName", mail.from_name.clone());
    keep(&mut metadata, "subject", mail.subject.clone());
    keep(&mut metadata, "recipient", mail.recipient.clone());
    keep(&mut metadata, "threadTs", mail.thread.clone());
    Some(Content {
        verbatim,
        sanitized,
        metadata,
        occurred_at: mail.date.as_deref().and_then(time::parse),
        ..Content::default()
    })
}
