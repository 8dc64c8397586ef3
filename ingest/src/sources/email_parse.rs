//! One mail out of what each provider posts.

use std::borrow::Cow;

use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::{HeaderValue, Message, MessageParser, PartType};

use crate::form::{self, Part};
use crate::json::{self, Object};
use crate::limits;

/// What we read of a mail.
#[derive(Debug, Default)]
pub(super) struct Mail {
    pub(super) message_id: Option<String>,
    pub(super) recipient: Option<String>,
    pub(super) from: Option<String>,
    pub(super) from_name: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) date: Option<String>,
    pub(super) text: Option<String>,
    pub(super) html: Option<String>,
    /// The reply alone, as the provider cut it out.
    pub(super) reply: Option<String>,
    /// First message of the conversation.
    pub(super) thread: Option<String>,
    auto_submitted: Option<String>,
    list_id: Option<String>,
    precedence: Option<String>,
    /// A delivery report.
    report: bool,
}

impl Mail {
    /// Why this mail is no person's: RFC 3834 replies, lists, bulk, bounces. Answering or counting
    /// them would build loops.
    pub(super) fn automatic(&self) -> Option<&'static str> {
        let is = |field: &Option<String>, words: &[&str]| {
            field.as_deref().is_some_and(|f| words.iter().any(|w| f.trim().eq_ignore_ascii_case(w)))
        };
        if self.report {
            return Some("bounce");
        }
        if self.auto_submitted.is_some() && !is(&self.auto_submitted, &["no"]) {
            return Some("auto_submitted");
        }
        if self.list_id.is_some() {
            return Some("mailing_list");
        }
        is(&self.precedence, &["bulk", "list", "junk", "auto_reply"]).then_some("bulk")
    }

    /// Fill in what the headers say, where the provider said nothing.
    fn read_headers(&mut self, message: &Message<'_>) {
        let line = |name: &'static str| {
            message.header_raw(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
        };
        let from = message.from().and_then(|a| a.first());
        let or = |slot: &mut Option<String>, value: Option<String>| {
            if slot.is_none() {
                *slot = value;
            }
        };
        or(&mut self.message_id, message.message_id().map(str::to_owned));
        or(&mut self.subject, message.subject().map(str::to_owned));
        or(&mut self.from, from.and_then(|a| a.address()).map(str::to_owned));
        or(&mut self.from_name, from.and_then(|a| a.name()).map(str::to_owned));
        let to = message.to().and_then(|a| a.first()).and_then(|a| a.address());
        or(&mut self.recipient, to.map(str::to_owned));
        or(&mut self.date, message.date().map(mail_parser::DateTime::to_rfc3339));
        or(
            &mut self.thread,
            first_text(message.references()).or_else(|| first_text(message.in_reply_to())),
        );
        or(&mut self.auto_submitted, line("Auto-Submitted"));
        or(&mut self.list_id, line("List-Id"));
        or(&mut self.precedence, line("Precedence"));
        let report = line("Content-Type")
            .is_some_and(|c| c.to_ascii_lowercase().starts_with("multipart/report"));
        self.report = self.report || report || line("Return-Path").as_deref() == Some("<>");
    }

    fn read_mime(&mut self, raw: &[u8]) -> Result<(), &'static str> {
        let message = MessageParser::default().parse(raw).ok_or("not a MIME message")?;
        self.read_headers(&message);
        for id in &message.text_body {
            if let Some(PartType::Text(text)) =
                usize::try_from(*id).ok().and_then(|i| message.parts.get(i)).map(|p| &p.body)
            {
                self.text = Some(text.clone().into_owned());
                break;
            }
        }
        for id in &message.html_body {
            if let Some(PartType::Html(html)) =
                usize::try_from(*id).ok().and_then(|i| message.parts.get(i)).map(|p| &p.body)
            {
                self.html = Some(html.clone().into_owned());
                break;
            }
        }
        Ok(())
    }
}

/// The mail in a delivery.
///
/// # Errors
/// Why it is none, without any of it.
pub(super) fn parse(content_type: &str, body: &[u8]) -> Result<Mail, &'static str> {
    if form::is_form(content_type) {
        return of_form(&form::parts(content_type, body)?);
    }
    if content_type.to_ascii_lowercase().starts_with("message/rfc822") {
        let mut mail = Mail::default();
        mail.read_mime(body)?;
        return known(mail);
    }
    of_json(&Object::parse(&json::decode(body))?)
}

/// A mail without sender, id and subject is something else.
fn known(mail: Mail) -> Result<Mail, &'static str> {
    let nameless = mail.message_id.is_none() && mail.from.is_none() && mail.subject.is_none();
    if nameless { Err("no Message-ID, sender or subject") } else { Ok(mail) }
}

/// Postmark's inbound webhook.
fn of_json(mail: &Object<'_>) -> Result<Mail, &'static str> {
    let line = |key: &str| mail.line(key, limits::FIELD_BYTES_MAX);
    let long = |key: &str| mail.text(key).filter(|t| !t.is_empty());
    let mut out = Mail {
        recipient: line("OriginalRecipient")
            .or_else(|| line("/ToFull/0/Email"))
            .or_else(|| line("To")),
        from: line("/FromFull/Email").or_else(|| line("From")),
        from_name: line("FromName").or_else(|| line("/FromFull/Name")),
        subject: line("Subject"),
        date: line("Date"),
        text: long("TextBody"),
        html: long("HtmlBody"),
        reply: long("StrippedTextReply"),
        ..Mail::default()
    };
    let headers: Vec<Object<'_>> =
        mail.array("Headers").into_iter().filter_map(|h| Object::parse(h.get()).ok()).collect();
    let pairs = headers.iter().filter_map(|h| Some((h.text("Name")?, h.text("Value")?)));
    read_pairs(&mut out, pairs);
    // Postmark's own id, if the mail had none.
    out.message_id = out.message_id.or_else(|| line("MessageID"));
    known(out)
}

/// SendGrid (parsed or raw) and Mailgun (parsed or raw).
fn of_form(parts: &[Part]) -> Result<Mail, &'static str> {
    let part = |name: &str| {
        parts.iter().find(|p| p.name.eq_ignore_ascii_case(name)).map(|p| p.bytes.as_ref())
    };
    let charsets = part("charsets").map(json::decode).unwrap_or(Cow::Borrowed("{}"));
    let charsets = Object::parse(&charsets).unwrap_or_default();
    let field = |name: &str| {
        let text = decoded(part(name)?, charsets.text(name).as_deref());
        (!text.trim().is_empty()).then_some(text)
    };
    let envelope = field("envelope").unwrap_or_default();
    let envelope = Object::parse(&envelope).unwrap_or_default();
    let mut mail = Mail {
        recipient: envelope.text("/to/0").or_else(|| field("recipient")),
        report: envelope.text("from").is_some_and(|f| f.is_empty()),
        ..Mail::default()
    };
    if let Some(raw) = part("email").or_else(|| part("body-mime")) {
        mail.read_mime(raw)?;
        return known(mail);
    }
    mail.text = field("body-plain").or_else(|| field("text"));
    mail.html = field("body-html").or_else(|| field("html"));
    mail.reply = field("stripped-text");
    mail.subject = field("subject");
    if let Some(headers) = field("message-headers") {
        let pairs = json::items(&headers).unwrap_or_default();
        let pairs = pairs.into_iter().filter_map(|pair| {
            let pair = json::array(pair);
            Some((json::scalar(pair.first()?)?, json::scalar(pair.get(1)?)?))
        });
        read_pairs(&mut mail, pairs);
    } else {
        let mut headers = field("headers").unwrap_or_default();
        if headers.is_empty()
            && let Some(from) = field("from")
        {
            headers = format!("From: {from}");
        }
        read_block(&mut mail, &headers);
    }
    known(mail)
}

fn read_pairs(mail: &mut Mail, pairs: impl Iterator<Item = (String, String)>) {
    let mut block = String::new();
    for (name, value) in pairs {
        // One line each: a line break in a value must not become a header.
        for piece in [&name, ": ", &value] {
            block.extend(piece.chars().map(|c| if c.is_control() { ' ' } else { c }));
        }
        block.push_str("\r\n");
    }
    read_block(mail, &block);
}

fn read_block(mail: &mut Mail, headers: &str) {
    let block = format!("{}\r\n\r\n", headers.trim());
    if let Some(message) = MessageParser::default().parse(block.as_bytes()) {
        mail.read_headers(&message);
    }
}

fn decoded(bytes: &[u8], charset: Option<&str>) -> String {
    match charset.and_then(|c| charset_decoder(c.as_bytes())) {
        Some(decode) => decode(bytes),
        None => json::decode(bytes).into_owned(),
    }
}

fn first_text(value: &HeaderValue<'_>) -> Option<String> {
    value
        .as_text_list()
        .and_then(|list| list.first().map(ToString::to_string))
        .or_else(|| value.as_text().map(str::to_owned))
}
