//! What came of replies, pushed by whoever saw it: clicks, orders, thanks, likes, blocks, reports. One event, a list of
//! them, or a list under `events`.

use chrono::{DateTime, TimeDelta, Utc};
use millrace_jobs::social::{
    outcomes::told::{Account, Of, Outcome, What},
    record::Platform,
    relationship::EventKind,
};
use ring::digest;
use serde_json::{Value, value::RawValue};

use super::identity::{self, common_reply, common_wire, hold, refuse};
use super::social::{Aside, Found, known_flag, line, when};
use crate::json::{self, Object};
use crate::limits;
use crate::source::{
    Accepted, Delivery, Hold, Normalized, Receipt, Reject, Source, SourceConfig, Stored, Wire,
};

/// See the module.
#[derive(Debug)]
pub(super) struct Outcomes;

/// Longest id of an event, a visitor or an account, bytes.
const ID_BYTES_MAX: usize = 200;
/// An order above this is a mistake of its sender's, hundredths.
const CENTS_MAX: i64 = 99_999_999_999_999;

impl Source for Outcomes {
    fn name(&self) -> &'static str {
        "outcomes"
    }

    fn about(&self) -> &'static str {
        "What came of replies: clicks, orders, thanks, likes, blocks, reports, as JSON"
    }

    fn default_scheme(&self) -> &'static str {
        "millrace"
    }

    fn wire(&self, _: &SourceConfig) -> Wire {
        common_wire(limits::WEBHOOK_BODY_BYTES_MAX)
    }

    fn accept(&self, delivery: &Delivery<'_>, _: &SourceConfig) -> Result<Accepted, Reject> {
        let body = json::decode(delivery.body);
        let kind = match read(&body).map_err(|_| refuse("json_invalid", "Invalid JSON"))? {
            Body::One(event) => event.line("type", limits::EVENT_TYPE_BYTES_MAX),
            Body::Many(_) => Some("batch".to_owned()),
        };
        Ok(identity::event(identity::key(delivery, None), kind.as_deref()))
    }

    fn reply(&self, receipt: &Receipt) -> Value {
        common_reply(receipt, "Stored")
    }

    fn normalize(&self, stored: &Stored<'_>, config: &SourceConfig) -> Result<Normalized, Hold> {
        let body = json::decode(stored.body);
        let text = |name| config.options.get(name).and_then(Value::as_str).unwrap_or_default();
        let sender = Sender { prefix: text("id_prefix"), received_at: stored.received_at };
        let mut found = Found::default();
        match read(&body).map_err(|why| hold("json_invalid", why))? {
            Body::One(event) => found.add(sender.outcome(&event)),
            Body::Many(events) => {
                for raw in events {
                    let event = Object::parse(raw.get()).map_err(|_| Aside::Odd("item_no_object"));
                    found.add(event.and_then(|event| sender.outcome(&event)));
                }
            }
        }
        found.end_as(Normalized::Outcomes, "empty_batch")
    }
}

enum Body<'a> {
    One(Object<'a>),
    Many(Vec<&'a RawValue>),
}

fn read(body: &str) -> Result<Body<'_>, &'static str> {
    if body.trim_start().starts_with('[') {
        return Ok(Body::Many(json::items(body)?));
    }
    let object = Object::parse(body)?;
    match object.at("events") {
        Some(raw) => Ok(Body::Many(json::items(raw.get())?)),
        None => Ok(Body::One(object)),
    }
}

/// What is the same for all events of a delivery.
struct Sender<'c> {
    /// Put before each id, where two senders of a workspace number theirs alike.
    prefix: &'c str,
    received_at: DateTime<Utc>,
}

impl Sender<'_> {
    fn outcome(&self, event: &Object<'_>) -> Result<Outcome, Aside> {
        let id = event.line("id", ID_BYTES_MAX + 1).ok_or(Aside::Odd("id_missing"))?;
        let id = format!("{}{id}", self.prefix);
        if id.len() > ID_BYTES_MAX || !id.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Aside::Odd("id_invalid"));
        }
        let at = if event.at("at").is_some() {
            when(event, "at").ok_or(Aside::Odd("time_invalid"))?
        } else {
            self.received_at
        };
        let of = Of {
            reply_id: line(event, "reply_id"),
            utm_code: line(event, "utm_code").or_else(|| line(event, "utm_content")),
            post: post(event)?,
        };
        let visitor = event.line("visitor", ID_BYTES_MAX).map(|id| hash(&id));
        Ok(Outcome {
            id,
            // A wild clock must not move an outcome out of its window.
            at: at.min(self.received_at + TimeDelta::days(1)),
            of,
            visitor,
            account: account(event)?,
            what: what(event)?,
        })
    }
}

/// Hex, so that no customer number or address is in our tables.
fn hash(id: &str) -> String {
    hex::encode(digest::digest(&digest::SHA256, id.as_bytes()))
}

fn platform(event: &Object<'_>) -> Result<Platform, Aside> {
    let name = event.line("platform", 16).ok_or(Aside::Odd("platform_missing"))?;
    match name.to_ascii_lowercase().as_str() {
        "twitter" | "x" => Ok(Platform::Twitter),
        "reddit" => Ok(Platform::Reddit),
        "threads" => Ok(Platform::Threads),
        _ => Err(Aside::Odd("platform_unknown")),
    }
}

fn post(event: &Object<'_>) -> Result<Option<(Platform, String)>, Aside> {
    line(event, "post_id").map(|id| Ok((platform(event)?, id))).transpose()
}

fn account(event: &Object<'_>) -> Result<Option<Account>, Aside> {
    let account = |platform_id| platform(event).map(|platform| Account { platform, platform_id });
    line(event, "account_id").map(account).transpose()
}

fn what(event: &Object<'_>) -> Result<What, Aside> {
    let kind = event.line("type", 64).ok_or(Aside::Odd("type_missing"))?;
    match kind.as_str() {
        "click" => {
            let dwell = event.text("dwell_s").and_then(|text| text.parse::<f64>().ok());
            let dwell_s = dwell.filter(|s| (0.0..=86_400.0).contains(s));
            Ok(What::Click { dwell_s, cart: known_flag(event, "cart") })
        }
        "order" | "purchase" => Ok(What::Order {
            cents: cents(&event.line("amount", 32).ok_or(Aside::Odd("amount_missing"))?)
                .ok_or(Aside::Odd("amount_invalid"))?,
            currency: currency(event)?,
            new_customer: known_flag(event, "new_customer"),
            coupon: known_flag(event, "coupon"),
        }),
        name => EventKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .map(|kind| What::Relation { kind })
            .ok_or(Aside::Odd("type_unknown")),
    }
}

fn currency(event: &Object<'_>) -> Result<String, Aside> {
    let code = event.line("currency", 8).ok_or(Aside::Odd("currency_missing"))?;
    let code = code.to_ascii_uppercase();
    let sound = code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
    if sound { Ok(code) } else { Err(Aside::Odd("currency_invalid")) }
}

/// Hundredths of a decimal number without a sign; more than two digits after the point are refused unless they are 0.
fn cents(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    let (fraction, rest) = fraction.split_at_checked(2).unwrap_or((fraction, ""));
    if whole.is_empty() || !digits(whole) || !digits(fraction) || rest.bytes().any(|b| b != b'0') {
        return None;
    }
    let fraction: i64 = format!("{fraction:0<2}").parse().ok()?;
    let cents = whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(fraction)?;
    (cents <= CENTS_MAX).then_some(cents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_or_none() {
        for (text, expected) in [
            ("19.90", Some(1_990)),
            ("19.9", Some(1_990)),
            ("0", Some(0)),
            ("12.500", Some(1_250)),
            ("1.005", None),
            ("-1", None),
            ("1e3", None),
            ("1,50", None),
            ("", None),
            (".5", None),
            ("999999999999.99", Some(CENTS_MAX)),
            ("1000000000000", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(cents(text), expected, "{text}");
        }
    }
}
