//! JSON from strangers, read level by level as borrowed slices: no tree is ever built of a body.
//!
//! Strings with lone surrogates, NUL or broken UTF-8 are repaired (U+FFFD), not refused; of a
//! duplicate key the last one counts, as in `jsonb` and most parsers.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use crate::limits;
use crate::text;

/// One level of a JSON object.
#[derive(Debug, Default)]
pub struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Object<'a> {
    /// Read an object; everything below its keys stays raw.
    ///
    /// # Errors
    /// Why it is no JSON object, without any of it.
    pub fn parse(json: &'a str) -> Result<Self, &'static str> {
        let mut reader = serde_json::Deserializer::from_str(json);
        let object = reader.deserialize_map(ObjectVisitor).map_err(|e| reason(&e))?;
        reader.end().map_err(|e| reason(&e))?;
        Ok(object)
    }

    /// The value of a key, unless it is null.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a RawValue> {
        let found = self.0.iter().rev().find(|(name, _)| name == key).map(|(_, raw)| *raw);
        found.filter(|raw| raw.get() != "null")
    }

    /// The value at a JSON pointer (RFC 6901), unless it is null. A text without a leading slash is
    /// a key of this level.
    #[must_use]
    pub fn at(&self, pointer: &str) -> Option<&'a RawValue> {
        let Some(path) = pointer.strip_prefix('/') else { return self.get(pointer) };
        let mut tokens = path.split('/').take(limits::POINTER_DEPTH_MAX);
        let mut raw = self.get(&unescape(tokens.next()?))?;
        for token in tokens {
            let token = unescape(token);
            raw = match token.parse::<usize>() {
                Ok(index) if raw.get().starts_with('[') => array(raw).get(index).copied()?,
                _ => Object::parse(raw.get()).ok()?.get(&token)?,
            };
        }
        Some(raw).filter(|raw| raw.get() != "null")
    }

    /// A string, number or boolean as text.
    #[must_use]
    pub fn text(&self, pointer: &str) -> Option<String> {
        self.at(pointer).and_then(scalar)
    }

    /// As [`Self::text`], trimmed, without blank ones, at most `bytes_max` long.
    #[must_use]
    pub fn line(&self, pointer: &str, bytes_max: usize) -> Option<String> {
        let text = self.text(pointer)?;
        let text = text.trim();
        (!text.is_empty()).then(|| text::cap(text, bytes_max).to_owned())
    }

    /// An object below a key.
    #[must_use]
    pub fn object(&self, pointer: &str) -> Option<Self> {
        Self::parse(self.at(pointer)?.get()).ok()
    }

    /// Elements of an array below a key; empty if there is none.
    #[must_use]
    pub fn array(&self, pointer: &str) -> Vec<&'a RawValue> {
        self.at(pointer).map(array).unwrap_or_default()
    }

    /// A boolean.
    #[must_use]
    pub fn flag(&self, pointer: &str) -> bool {
        self.at(pointer).is_some_and(|raw| raw.get() == "true")
    }

    /// Whether the key is there, even as null.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(name, _)| name == key)
    }

    /// Keys and values in order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(key, raw)| (key.as_str(), *raw))
    }
}

/// The body as text; invalid UTF-8 is replaced.
#[must_use]
pub fn decode(body: &[u8]) -> Cow<'_, str> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    String::from_utf8_lossy(body)
}

/// Text at a JSON pointer of a body; nothing if the body is no JSON object.
#[must_use]
pub fn text_at(body: &[u8], pointer: &str) -> Option<String> {
    Object::parse(&decode(body)).ok()?.text(pointer)
}

/// Elements of an array; empty if it is none or has more than [`limits::JSON_ITEMS_MAX`].
#[must_use]
pub fn array(raw: &RawValue) -> Vec<&RawValue> {
    items(raw.get()).unwrap_or_default()
}

/// Elements of an array.
///
/// # Errors
/// Why it cannot be read, without any of it.
pub fn items(json: &str) -> Result<Vec<&RawValue>, &'static str> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let items = reader.deserialize_seq(ArrayVisitor).map_err(|e| reason(&e))?;
    reader.end().map_err(|e| reason(&e))?;
    Ok(items)
}

/// A string, number or boolean as text.
#[must_use]
pub fn scalar(raw: &RawValue) -> Option<String> {
    let json = raw.get();
    match json.as_bytes().first()? {
        b'"' => serde_json::Deserializer::from_str(json).deserialize_bytes(TextVisitor).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(text::cap(json, 64).to_owned()),
    }
}

/// Metadata of a sender's own making, as values that Postgres can store: bounded in size, depth and
/// count, numbers finite. What does not fit is left out and counted.
#[must_use]
pub fn metadata(raw: &RawValue) -> (Map<String, Value>, u64) {
    let Ok(object) = Object::parse(raw.get()) else { return (Map::new(), 1) };
    let mut budget =
        Budget { read: limits::JSON_NODES_MAX, kept: limits::METADATA_NODES_MAX, dropped: 0 };
    let mut out = Map::new();
    for (key, raw) in object.entries() {
        let mut reader = serde_json::Deserializer::from_str(raw.get());
        let kept = Bounded { budget: &mut budget, depth: 1 }.deserialize(&mut reader);
        match kept {
            Ok(Some(value)) => {
                out.insert(field_name(key), value);
            }
            Ok(None) => {}
            Err(_) => budget.dropped = budget.dropped.saturating_add(1),
        }
    }
    (out, budget.dropped)
}

fn field_name(key: &str) -> String {
    text::cap(&text::clean(key).0, limits::TAG_BYTES_MAX).to_owned()
}

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

fn reason(error: &serde_json::Error) -> &'static str {
    use serde_json::error::Category;
    match error.classify() {
        Category::Eof => "JSON ends too early",
        Category::Syntax => "not JSON",
        Category::Data => "not the JSON shape expected, or too many entries",
        Category::Io => "unreadable",
    }
}

struct Key(String);

impl<'de> de::Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(TextVisitor).map(Key)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut out = Vec::new();
        while let Some((Key(key), raw)) = map.next_entry::<Key, &'de RawValue>()? {
            if out.len() >= limits::JSON_KEYS_MAX {
                return Err(de::Error::custom("too many keys"));
            }
            out.push((key, raw));
        }
        Ok(Object(out))
    }
}

struct ArrayVisitor;

impl<'de> Visitor<'de> for ArrayVisitor {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut out = Vec::new();
        while let Some(raw) = seq.next_element::<&'de RawValue>()? {
            if out.len() >= limits::JSON_ITEMS_MAX {
                return Err(de::Error::custom("too many items"));
            }
            out.push(raw);
        }
        Ok(out)
    }
}

/// A string read as bytes: serde_json then lets lone surrogates through, encoded in three bytes.
struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<String, E> {
        Ok(text::from_wtf8(bytes))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

struct Budget {
    read: usize,
    kept: usize,
    dropped: u64,
}

/// Reads one value within the budget; `None` is a value that was left out.
struct Bounded<'b> {
    budget: &'b mut Budget,
    depth: usize,
}

impl Bounded<'_> {
    fn drop_one<T, E>(self) -> Result<Option<T>, E> {
        self.budget.dropped = self.budget.dropped.saturating_add(1);
        Ok(None)
    }

    fn number<E>(self, number: Option<Number>) -> Result<Option<Value>, E> {
        match number {
            Some(number) => Ok(Some(Value::Number(number))),
            None => self.drop_one(),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Option<Value>;

    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        self.budget.read =
            self.budget.read.checked_sub(1).ok_or(de::Error::custom("too many values"))?;
        if self.budget.kept == 0 || self.depth > limits::METADATA_DEPTH_MAX {
            deserializer.deserialize_ignored_any(de::IgnoredAny)?;
            return self.drop_one();
        }
        self.budget.kept = self.budget.kept.saturating_sub(1);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Some(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        self.number(Some(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        self.number(Some(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        // `jsonb` writes every digit out: 1e308 would come back as 309 characters.
        let sane = value == 0.0 || (1e-15..1e21).contains(&value.abs());
        self.number(Number::from_f64(value).filter(|_| sane))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        let (clean, _) = text::clean(value);
        Ok(Some(Value::String(text::cap(&clean, limits::FIELD_BYTES_MAX).to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut out = Vec::new();
        let depth = self.depth.saturating_add(1);
        while let Some(value) =
            seq.next_element_seed(Bounded { budget: &mut *self.budget, depth })?
        {
            out.extend(value);
        }
        Ok(Some(Value::Array(out)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut out = Map::new();
        let depth = self.depth.saturating_add(1);
        while let Some(Key(key)) = map.next_key()? {
            if let Some(value) =
                map.next_value_seed(Bounded { budget: &mut *self.budget, depth })?
            {
                out.insert(field_name(&key), value);
            }
        }
        Ok(Some(Value::Object(out)))
    }
}
