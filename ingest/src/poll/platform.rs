//! What differs between platforms: how a page is asked for and read, and how tokens are renewed.

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use millrace_jobs::social::outcomes::windows::Shown;
use reqwest::{Client, RequestBuilder};
use serde_json::{Map, Value};

use super::{
    access::{Credentials, Grant},
    budget::{Quota, Told},
    plan::Query,
    reddit::Reddit,
    threads::Threads,
    walk::{Cursor, Page},
    x::X,
};

/// A source as its platform's code needs it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Of<'a> {
    pub(crate) options: &'a Map<String, Value>,
    pub(crate) credentials: &'a Credentials,
}

impl Of<'_> {
    /// An option that is text.
    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// Where the platform's API is, without a slash at the end.
    pub(crate) fn base(&self, name: &str, default: &'static str) -> String {
        self.option(name).unwrap_or(default).trim_end_matches('/').to_owned()
    }
}

/// An answer that is no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoPage(pub(crate) &'static str);

/// One platform.
pub(crate) trait Platform: Sync {
    /// The request for the next page of a query.
    fn page(&self, client: &Client, of: Of<'_>, ask: &Ask<'_>) -> RequestBuilder;
    /// What a page holds.
    fn read(&self, body: &[u8]) -> Result<Page, NoPage>;
    /// The request for posts by their ids, joined by commas.
    fn lookup(&self, client: &Client, of: Of<'_>, ids: &str) -> RequestBuilder;
    /// How many posts it may ask for.
    fn lookup_max(&self) -> usize {
        100
    }
    /// Whether the answer to a look-up says anything of what was asked for; if not, it may be that we are shown nothing.
    fn tells(&self, body: &[u8]) -> Result<bool, NoPage>;
    /// The budget that a look-up draws from.
    fn lookup_quota(&self) -> Quota {
        self.look_quota()
    }
    /// The request for what the platform shows of a post of ours.
    fn look(&self, client: &Client, of: Of<'_>, id: &str) -> RequestBuilder {
        self.lookup(client, of, id)
    }
    /// What it shows.
    fn shown(&self, body: &[u8]) -> Result<Shown, NoPage>;
    /// The budget that a look draws from.
    fn look_quota(&self) -> Quota;
    /// What it says of our budget.
    fn told(&self, headers: &HeaderMap, now: DateTime<Utc>) -> Told;
    /// The budget that a query draws from.
    fn quota(&self, of: Of<'_>, query: &Query) -> Quota;
    /// The request for another token, if one can be had. `None`: the token is all there is.
    fn renewal(&self, client: &Client, of: Of<'_>) -> Option<RequestBuilder>;
    /// Whether the token is renewed before it is used.
    fn is_stale(&self, credentials: &Credentials, now: DateTime<Utc>) -> bool;
    /// What the answer to [`Platform::renewal`] gives.
    fn granted(&self, body: &[u8]) -> Option<Grant>;
    /// What the platform counts calls by, as far as the credentials tell.
    fn counted_by<'c>(&self, credentials: &'c Credentials) -> Option<&'c str>;
    /// How long after a post was written it may still turn up in the middle of a listing.
    fn overlap(&self) -> TimeDelta;
    /// Whether an empty page in the middle of a sweep means that its place is gone.
    fn empty_is_lost(&self) -> bool {
        false
    }
    /// How much longer than others its breaker stays open.
    fn patience(&self) -> u32 {
        1
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) query: &'a Query,
    pub(crate) cursor: &'a Cursor,
    pub(crate) now: DateTime<Utc>,
}

/// A kind of source, as columns name its platform.
pub(crate) fn column(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "x" => "TWITTER",
        "reddit" => "REDDIT",
        "threads" => "THREADS",
        _ => return None,
    })
}

/// The platform of a kind of source, if it is polled.
pub(crate) fn platform(kind: &str) -> Option<&'static dyn Platform> {
    Some(match kind {
        "x" => &X,
        "reddit" => &Reddit,
        "threads" => &Threads,
        _ => return None,
    })
}

/// Names and values, escaped.
pub(crate) fn form_of(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// An address with its query.
pub(crate) fn with_query(address: &str, pairs: &[(&str, &str)]) -> String {
    format!("{address}?{}", form_of(pairs))
}
