//! What a sender signs: a template over the request.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Parts;

/// A parsed template such as `v0:{ts}:{body}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Base(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Id,
    Ts,
    Body,
    Method,
    Uri,
    UriDecoded,
}

const NAMES: [(&str, Piece); 6] = [
    ("{id}", Piece::Id),
    ("{ts}", Piece::Ts),
    ("{body}", Piece::Body),
    ("{method}", Piece::Method),
    ("{uri}", Piece::Uri),
    ("{uri-decoded}", Piece::UriDecoded),
];

impl Default for Base {
    fn default() -> Self {
        Self(vec![Piece::Body])
    }
}

impl TryFrom<String> for Base {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find('{') {
            let (literal, tail) = rest.split_at(at);
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.to_owned()));
            }
            let (name, piece) = NAMES
                .iter()
                .find(|(name, _)| tail.starts_with(name))
                .ok_or_else(|| format!("unknown name in base template {text:?}"))?;
            pieces.push(piece.clone());
            rest = tail.strip_prefix(name).unwrap_or("");
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        Ok(Self(pieces))
    }
}

impl From<Base> for String {
    fn from(base: Base) -> Self {
        base.0
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => text.as_str(),
                Piece::Id => "{id}",
                Piece::Ts => "{ts}",
                Piece::Body => "{body}",
                Piece::Method => "{method}",
                Piece::Uri => "{uri}",
                Piece::UriDecoded => "{uri-decoded}",
            })
            .collect()
    }
}

impl Base {
    pub(super) fn has_id(&self) -> bool {
        self.0.contains(&Piece::Id)
    }

    pub(super) fn has_ts(&self) -> bool {
        self.0.contains(&Piece::Ts)
    }

    pub(super) fn has_body(&self) -> bool {
        self.0.contains(&Piece::Body)
    }

    /// The signed bytes; the body itself, uncopied, where that is all.
    pub(super) fn fill<'a>(&self, parts: &Parts<'a>, id: &str, ts: &str) -> Cow<'a, [u8]> {
        if self.0 == [Piece::Body] {
            return Cow::Borrowed(parts.body);
        }
        let mut out = Vec::with_capacity(parts.body.len().saturating_add(256));
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Id => out.extend_from_slice(id.as_bytes()),
                Piece::Ts => out.extend_from_slice(ts.as_bytes()),
                Piece::Body => out.extend_from_slice(parts.body),
                Piece::Method => out.extend_from_slice(parts.method.as_bytes()),
                Piece::Uri => out.extend_from_slice(parts.uri.as_bytes()),
                Piece::UriDecoded => out.extend_from_slice(decoded(parts.uri).as_bytes()),
            }
        }
        Cow::Owned(out)
    }
}

/// Undo exactly the escapes that HubSpot's guide lists for its v3 signature.
fn decoded(uri: &str) -> String {
    const ESCAPES: [(&str, &str); 12] = [
        ("%3A", ":"),
        ("%2F", "/"),
        ("%3F", "?"),
        ("%40", "@"),
        ("%21", "!"),
        ("%24", "$"),
        ("%27", "'"),
        ("%28", "("),
        ("%29", ")"),
        ("%2A", "*"),
        ("%2C", ","),
        ("%3B", ";"),
    ];
    let mut out = String::with_capacity(uri.len());
    let mut rest = uri;
    while let Some(at) = rest.find('%') {
        let (head, tail) = rest.split_at(at);
        out.push_str(head);
        let code = tail.get(..3);
        let hit =
            ESCAPES.iter().find(|(from, _)| code.is_some_and(|c| c.eq_ignore_ascii_case(from)));
        if let Some((_, to)) = hit {
            out.push_str(to);
            rest = tail.get(3..).unwrap_or("");
        } else {
            out.push('%');
            rest = tail.get(1..).unwrap_or("");
        }
    }
    out.push_str(rest);
    out
}
