//! Form bodies: urlencoded and multipart, from memory, bounded.

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::stream;

use crate::limits;

/// One field or file.
#[derive(Debug, Clone)]
pub struct Part {
    /// Field name.
    pub name: String,
    /// File name, if it is a file.
    pub file_name: Option<String>,
    /// Content type as stated.
    pub content_type: Option<String>,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Whether the content type is one of a form.
#[must_use]
pub fn is_form(content_type: &str) -> bool {
    is_urlencoded(content_type) || is_multipart(content_type)
}

/// Content type of a form, and the way query strings are written.
pub const URLENCODED: &str = "application/x-www-form-urlencoded";

/// Whether the content type is `multipart/form-data`.
#[must_use]
pub fn is_multipart(content_type: &str) -> bool {
    starts(content_type, "multipart/form-data")
}

fn is_urlencoded(content_type: &str) -> bool {
    starts(content_type, URLENCODED)
}

fn starts(content_type: &str, kind: &str) -> bool {
    content_type.trim_start().get(..kind.len()).is_some_and(|head| head.eq_ignore_ascii_case(kind))
}

/// All parts of a form body.
///
/// # Errors
/// Why it cannot be read, without any of it.
pub fn parts(content_type: &str, body: &[u8]) -> Result<Vec<Part>, &'static str> {
    if is_urlencoded(content_type) {
        return Ok(urlencoded(body));
    }
    let boundary =
        multer::parse_boundary(content_type).map_err(|_| "multipart body without a boundary")?;
    // The body is in memory, so the parser never waits: one poll runs it to its end.
    multipart(boundary, Bytes::copy_from_slice(body))
        .now_or_never()
        .ok_or("multipart body is cut")?
        .map_err(|_| "multipart body is malformed")
}

/// The first field of that name, as text.
#[must_use]
pub fn field(content_type: &str, body: &[u8], name: &str) -> Option<String> {
    let part = parts(content_type, body).ok()?.into_iter().find(|p| p.name == name)?;
    String::from_utf8(part.bytes.to_vec()).ok()
}

async fn multipart(boundary: String, body: Bytes) -> multer::Result<Vec<Part>> {
    let body = stream::once(async move { Ok::<_, std::convert::Infallible>(body) });
    let mut form = multer::Multipart::new(body, boundary);
    let mut out = Vec::new();
    while let Some(field) = form.next_field().await? {
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().map(str::to_owned);
        let content_type = field.content_type().map(ToString::to_string);
        let bytes = field.bytes().await?;
        if out.len() < limits::PARTS_MAX {
            out.push(Part { name, file_name, content_type, bytes });
        }
    }
    Ok(out)
}

fn urlencoded(body: &[u8]) -> Vec<Part> {
    let pairs = body.split(|b| *b == b'&').filter(|pair| !pair.is_empty()).take(limits::PARTS_MAX);
    pairs
        .map(|pair| {
            let mut halves = pair.splitn(2, |b| *b == b'=');
            let name = unescape(halves.next().unwrap_or(&[]), true);
            let value = unescape(halves.next().unwrap_or(&[]), true);
            Part {
                name: String::from_utf8_lossy(&name).into_owned(),
                file_name: None,
                content_type: None,
                bytes: value.into(),
            }
        })
        .collect()
}

/// Undo percent escapes once; a broken escape stays as it is.
#[must_use]
pub fn unescape(text: &[u8], plus_is_space: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'+' if plus_is_space => out.push(b' '),
            b'%' => match tail
                .split_at_checked(2)
                .and_then(|(code, after)| Some((hex::decode(code).ok()?, after)))
            {
                Some((byte, after)) => {
                    out.extend(byte);
                    rest = after;
                }
                None => out.push(b'%'),
            },
            _ => out.push(byte),
        }
    }
    out
}
