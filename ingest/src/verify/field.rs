//! Where a signature, a timestamp or an id stands in a request.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Parts, reject};
use crate::source::Reject;
use crate::{form, json, limits};

/// A place in the request. The first place that is there counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Field {
    /// Header names, the preferred one first. A header given twice is refused.
    pub headers: Vec<String>,
    /// Field of a form body (urlencoded or multipart).
    pub form: Option<String>,
    /// JSON pointer into a JSON body.
    pub json: Option<String>,
    /// The key in the URL's path.
    pub path: bool,
    /// The value is a list split at this character.
    pub separator: Option<char>,
    /// Only values (of the list) that begin so count; it is cut off. Case does not matter.
    pub prefix: Option<String>,
    /// A value without the prefix counts too.
    pub prefix_optional: bool,
}

/// Where a timestamp stands and how it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// Its place.
    pub at: Field,
    /// Its unit.
    pub unit: Unit,
    /// Largest distance from our clock, in seconds, both ways.
    #[serde(default = "Stamp::tolerance_default")]
    pub tolerance_s: u32,
}

/// Unit of a timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Seconds since 1970.
    S,
    /// Milliseconds since 1970.
    Ms,
    /// RFC 3339.
    Iso,
}

/// A timestamp as sent (it is signed as text) and as read.
pub(super) struct Read {
    pub(super) text: String,
    pub(super) at: DateTime<Utc>,
}

impl Field {
    pub(super) fn is_nowhere(&self) -> bool {
        self.headers.is_empty() && !self.in_body() && !self.path
    }

    pub(super) fn in_body(&self) -> bool {
        self.form.is_some() || self.json.is_some()
    }

    /// All values that count, at most [`limits::SIGNATURES_MAX`].
    pub(super) fn all(&self, parts: &Parts<'_>) -> Result<Vec<String>, Reject> {
        let Some(raw) = self.raw(parts)? else { return Ok(Vec::new()) };
        let items: Vec<&str> = match self.separator {
            Some(separator) => raw.split(separator).collect(),
            None => vec![raw.as_str()],
        };
        let counted = items.into_iter().filter_map(|item| self.cut(item.trim()));
        Ok(counted
            .filter(|v| !v.is_empty())
            .take(limits::SIGNATURES_MAX)
            .map(str::to_owned)
            .collect())
    }

    /// The one value, or a refusal if there are several.
    pub(super) fn one(&self, parts: &Parts<'_>) -> Result<Option<String>, Reject> {
        let mut all = self.all(parts)?;
        match all.len() {
            0 | 1 => Ok(all.pop()),
            _ => Err(reject("header_duplicated", "Invalid signature")),
        }
    }

    fn cut<'a>(&self, item: &'a str) -> Option<&'a str> {
        let Some(prefix) = &self.prefix else { return Some(item) };
        match item.get(..prefix.len()) {
            Some(head) if head.eq_ignore_ascii_case(prefix) => item.get(prefix.len()..),
            _ => self.prefix_optional.then_some(item),
        }
    }

    fn raw(&self, parts: &Parts<'_>) -> Result<Option<String>, Reject> {
        for name in &self.headers {
            let mut values = parts.headers.get_all(name.as_str()).iter();
            let Some(value) = values.next() else { continue };
            if values.next().is_some() {
                return Err(reject("header_duplicated", "Invalid signature"));
            }
            if value.len() > limits::HEADER_VALUE_BYTES_MAX {
                return Err(reject("signature_malformed", "Invalid signature"));
            }
            // Visible ASCII only: anything else is no signature of any scheme.
            let text =
                value.to_str().map_err(|_| reject("signature_malformed", "Invalid signature"))?;
            return Ok(Some(text.to_owned()));
        }
        if self.path {
            return Ok(parts.path_key.map(str::to_owned));
        }
        let content_type = parts
            .headers
            .get(http::header::CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .unwrap_or("");
        if let Some(name) = &self.form
            && form::is_form(content_type)
        {
            return Ok(form::field(content_type, parts.body, name));
        }
        match &self.json {
            Some(pointer) => Ok(json::text_at(parts.body, pointer)),
            None => Ok(None),
        }
    }
}

impl Stamp {
    const fn tolerance_default() -> u32 {
        300
    }

    pub(super) fn read(&self, parts: &Parts<'_>, now: DateTime<Utc>) -> Result<Read, Reject> {
        let text = self.at.one(parts)?.ok_or(reject("timestamp_missing", "Invalid signature"))?;
        let at =
            self.unit.parse(&text).ok_or(reject("timestamp_malformed", "Invalid signature"))?;
        let window = TimeDelta::seconds(i64::from(self.tolerance_s));
        let age = now.signed_duration_since(at);
        if age > window {
            return Err(reject("timestamp_stale", "Invalid signature"));
        }
        if age < -window {
            return Err(reject("timestamp_future", "Invalid signature"));
        }
        Ok(Read { text, at })
    }
}

impl Unit {
    fn parse(self, text: &str) -> Option<DateTime<Utc>> {
        // Digits only: `i64::from_str` would also take a sign.
        let number =
            || text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<i64>().ok()).flatten();
        match self {
            Self::S => DateTime::from_timestamp(number()?, 0),
            Self::Ms => DateTime::from_timestamp_millis(number()?),
            Self::Iso => DateTime::parse_from_rfc3339(text).ok().map(|t| t.to_utc()),
        }
    }

    /// The text that a sender would write.
    pub(super) fn write(self, at: DateTime<Utc>) -> String {
        match self {
            Self::S => at.timestamp().to_string(),
            Self::Ms => at.timestamp_millis().to_string(),
            Self::Iso => at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        }
    }
}
