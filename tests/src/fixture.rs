//! Recorded deliveries: `tests/fixtures/<source>/<case>.json`.

use std::{collections::BTreeMap, fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, HeaderValue};
use millrace_ingest::{sources, verify};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::root;

/// One recorded delivery and what is to become of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    /// What it shows.
    pub description: String,
    /// `POST` if absent.
    #[serde(default)]
    pub method: Option<String>,
    /// Query string.
    #[serde(default)]
    pub query: Option<String>,
    /// Headers, without the signature's.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A JSON body may be written as JSON; it is sent compact.
    #[serde(default)]
    body: Value,
    #[serde(default)]
    body_base64: Option<String>,
    #[serde(default)]
    body_file: Option<String>,
    /// Of the source.
    #[serde(default)]
    pub config: Config,
    /// What it becomes.
    pub expect: Expect,
    /// Kind of source: the folder's name.
    #[serde(skip)]
    pub kind: String,
}

/// Configuration of the fixture's source.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "as in `ops.sources`")]
pub struct Config {
    pub scheme: Option<String>,
    pub external_id: Option<String>,
    pub field_map: Map<String, Value>,
    pub options: Map<String, Value>,
}

/// What a fixture becomes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the rest is named after what it compares")]
pub struct Expect {
    /// `event`, `reply`, `reject:<code>`, or `page` if it was fetched.
    pub accept: String,
    #[serde(default)]
    pub event_type: Option<String>,
    #[serde(default)]
    pub reply: Option<Value>,
    /// Another case of this source that is the same delivery.
    #[serde(default)]
    pub same_key_as: Option<String>,
    /// What each record holds at least; a text ending in `*` is a beginning, null means absent.
    #[serde(default)]
    pub records: Option<Vec<Map<String, Value>>>,
    /// Of a page: how many of its items could not be read, by reason.
    #[serde(default)]
    pub odd: Option<Value>,
    #[serde(default)]
    pub ignored: Option<String>,
    #[serde(default)]
    pub uninstalled: Option<String>,
    #[serde(default)]
    pub hold: Option<String>,
}

/// All fixtures by source and case.
#[must_use]
pub fn all() -> BTreeMap<(String, String), Fixture> {
    let mut out = BTreeMap::new();
    for folder in fs::read_dir(root().join("tests/fixtures")).unwrap() {
        let folder = folder.unwrap().path();
        let kind = name(&folder);
        for file in fs::read_dir(&folder).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|e| e == "json") {
                let text = fs::read_to_string(&path).unwrap();
                let mut fixture: Fixture = serde_json::from_str(&text)
                    .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                fixture.kind.clone_from(&kind);
                out.insert((kind.clone(), name(&path.with_extension(""))), fixture);
            }
        }
    }
    out
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

impl Fixture {
    /// The body as it is sent, without a signature of its own.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let folder = root().join("tests/fixtures").join(&self.kind);
        match (&self.body_base64, &self.body_file, &self.body) {
            (Some(encoded), _, _) => STANDARD.decode(encoded).unwrap(),
            (_, Some(name), _) => fs::read(folder.join(name)).unwrap(),
            (_, _, Value::String(text)) => text.clone().into_bytes(),
            (_, _, Value::Null) => Vec::new(),
            (_, _, json) => serde_json::to_vec(json).unwrap(),
        }
    }

    /// The body, if it is written as JSON.
    #[must_use]
    pub fn json(&self) -> Option<&Value> {
        (self.body.is_object() || self.body.is_array()).then_some(&self.body)
    }

    /// Name of its signature scheme.
    #[must_use]
    pub fn scheme(&self) -> &str {
        let source = sources::by_name(&self.kind).unwrap();
        self.config.scheme.as_deref().unwrap_or(source.default_scheme())
    }

    /// The vendor's delivery id.
    #[must_use]
    pub fn id(&self) -> &str {
        let named = ["webhook-id", "x-github-delivery"];
        named.iter().find_map(|name| self.headers.get(*name)).map_or("msg_fixture", String::as_str)
    }
}

/// A request that carries its signature.
#[derive(Debug)]
pub struct Signed {
    /// Given ones and the signature's.
    pub headers: HeaderMap,
    /// As sent.
    pub body: Vec<u8>,
    /// Last part of the URL, for schemes that want a key there.
    pub path_key: Option<String>,
}

/// Sign `body` as the sender would; a signature that belongs into a form goes into the body.
///
/// # Panics
/// If this secret cannot sign, or a header is none.
#[must_use]
pub fn sign<'h>(
    scheme: &str,
    secret: &str,
    (uri, id, timestamp): (&str, &str, DateTime<Utc>),
    headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    body: Vec<u8>,
) -> Signed {
    let scheme = verify::scheme(scheme).unwrap();
    let unsigned = verify::Unsigned { method: "POST", uri, body: &body, id, timestamp };
    let made = verify::sign(scheme, secret, &unsigned).unwrap();
    let mut signed = Signed { headers: HeaderMap::new(), body, path_key: None };
    for (name, value) in headers {
        let name = HeaderName::try_from(name).unwrap();
        signed.headers.append(name, HeaderValue::from_bytes(value).unwrap());
    }
    for (name, value) in made {
        if name == ":path" {
            signed.path_key = Some(value);
        } else if scheme.signature.form.is_some() {
            signed.body.extend(format!("&{name}={value}").bytes());
        } else {
            signed.headers.insert(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
    }
    signed
}
