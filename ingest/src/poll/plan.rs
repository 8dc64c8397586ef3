//! Which queries a source asks: its options, within what the platforms take.
//!
//! `terms` are words or phrases, of which queries are built; `queries` are written in the platform's own language;
//! `subreddits` are where Reddit is searched, or read whole without terms; `mentions` (Threads) asks for posts that
//! name us, `replies` (Reddit, Threads) for what people answer to us.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Longest query of X's recent search, characters (self-serve access).
const X_CHARS_MAX: usize = 512;
/// Longest search text of Reddit, characters.
const REDDIT_CHARS_MAX: usize = 512;
/// Longest keyword of Threads that we send, characters.
const THREADS_CHARS_MAX: usize = 100;
/// Subreddits of one request: their names are part of its path.
const PLACES_MAX: usize = 50;
/// Queries of one source.
const QUERIES_MAX: usize = 200;
/// What keeps out what says nothing of its own, unless `suffix` says otherwise.
const X_SUFFIX: &str = "-is:retweet";

/// One query of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Kind of page: `search`, `new`, `comments`, `keyword_search`, `mentions`, `replies`.
    pub kind: &'static str,
    /// Subreddits, joined by `+`; of `replies`, the post of ours that was answered (Threads); else empty.
    pub place: String,
    /// The platform's query; empty where all is wanted.
    pub text: String,
}

impl Query {
    /// What the query is known by, 32 hex digits: another query has another cursor.
    #[must_use]
    pub fn hash(&self) -> String {
        let parts = [self.kind, &self.place, &self.text].join("\0");
        hex::encode(Sha256::digest(parts)).chars().take(32).collect()
    }

    /// As people read it.
    #[must_use]
    pub fn shown(&self) -> String {
        [&self.place, &self.text]
            .into_iter()
            .filter(|t| !t.is_empty())
            .cloned()
            .collect::<Vec<_>>()
            .join(": ")
    }
}

/// The queries of a source of this kind; none if it only takes deliveries, or is no source that polls.
///
/// # Errors
/// Says in one line which option or term the platform does not take.
pub fn queries(kind: &str, options: &Map<String, Value>) -> Result<Vec<Query>, String> {
    let (terms, written) = (list(options, "terms")?, list(options, "queries")?);
    let queries = match kind {
        "x" => x(&terms, &written, options)?,
        "reddit" => {
            let mut all = reddit(&terms, &written, &list(options, "subreddits")?)?;
            // What answers us comes to one place.
            all.extend(wants_replies(options).then(|| to_us("")));
            all
        }
        "threads" => threads(&terms, &written, options)?,
        _ => Vec::new(),
    };
    if queries.len() > QUERIES_MAX {
        return Err(format!("{} queries, of at most {QUERIES_MAX}", queries.len()));
    }
    Ok(queries)
}

/// Whether a source asks what people answer to us.
#[must_use]
pub fn wants_replies(options: &Map<String, Value>) -> bool {
    options.get("replies").and_then(Value::as_bool).unwrap_or(false)
}

/// What people answer to a post of ours; to all of them without its id.
#[must_use]
pub fn to_us(id: &str) -> Query {
    Query { kind: "replies", place: id.to_owned(), text: String::new() }
}

fn list(options: &Map<String, Value>, name: &str) -> Result<Vec<String>, String> {
    let Some(value) = options.get(name) else { return Ok(Vec::new()) };
    let items = value.as_array().ok_or_else(|| format!("{name} must be a list of texts"))?;
    let mut out: Vec<String> = Vec::new();
    for item in items {
        let text = item.as_str().ok_or_else(|| format!("{name} must be a list of texts"))?;
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !text.is_empty() && !out.contains(&text) {
            out.push(text);
        }
    }
    Ok(out)
}

fn x(
    terms: &[String],
    written: &[String],
    options: &Map<String, Value>,
) -> Result<Vec<Query>, String> {
    let suffix = options.get("suffix").and_then(Value::as_str).unwrap_or(X_SUFFIX);
    let lang = options.get("lang").and_then(Value::as_str).map(|lang| format!("lang:{lang}"));
    let tail: String = [Some(suffix.to_owned()), lang]
        .into_iter()
        .flatten()
        .filter(|t| !t.is_empty())
        .map(|t| format!(" {t}"))
        .collect();
    // Parentheses: OR binds weaker than the rest.
    let built = any_of(terms, X_CHARS_MAX, |joined| format!("({joined}){tail}"))?;
    let texts = built.into_iter().chain(written.iter().cloned());
    texts.map(|text| query("search", "", within(text, X_CHARS_MAX)?)).collect()
}

fn reddit(terms: &[String], written: &[String], places: &[String]) -> Result<Vec<Query>, String> {
    let mut names: Vec<String> = Vec::new();
    for place in places {
        let name = place.trim_start_matches('/').trim_start_matches("r/").to_ascii_lowercase();
        let sound = (2..=24).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !sound {
            return Err(format!("{place:?} is no name of a subreddit"));
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return if terms.is_empty() && written.is_empty() {
            Ok(Vec::new())
        } else {
            Err("Reddit is searched where you are welcome: name the approved subreddits (`subreddits`)".into())
        };
    }
    let mut texts = any_of(terms, REDDIT_CHARS_MAX, str::to_owned)?;
    texts.extend(written.iter().cloned());
    let mut out = Vec::new();
    for places in names.chunks(PLACES_MAX) {
        let place = format!("r/{}", places.join("+"));
        if texts.is_empty() {
            out.push(query("new", &place, String::new())?);
            out.push(query("comments", &place, String::new())?);
        }
        for text in &texts {
            out.push(query("search", &place, within(text.clone(), REDDIT_CHARS_MAX)?)?);
        }
    }
    Ok(out)
}

/// Threads knows no OR: each term is a query.
fn threads(
    terms: &[String],
    written: &[String],
    options: &Map<String, Value>,
) -> Result<Vec<Query>, String> {
    let mut out = Vec::new();
    for text in terms.iter().chain(written) {
        out.push(query("keyword_search", "", within(text.clone(), THREADS_CHARS_MAX)?)?);
    }
    if options.get("mentions").and_then(Value::as_bool).unwrap_or(false) {
        out.push(query("mentions", "", String::new())?);
    }
    Ok(out)
}

fn query(kind: &'static str, place: &str, text: String) -> Result<Query, String> {
    Ok(Query { kind, place: place.to_owned(), text })
}

fn within(text: String, chars_max: usize) -> Result<String, String> {
    let chars = text.chars().count();
    if chars <= chars_max {
        Ok(text)
    } else {
        Err(format!(
            "{:?} has {chars} characters; the platform takes {chars_max}",
            shortened(&text)
        ))
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

/// As few queries as the terms fit into, each `frame`d, in order.
fn any_of(
    terms: &[String],
    chars_max: usize,
    frame: impl Fn(&str) -> String,
) -> Result<Vec<String>, String> {
    let fits = |joined: &str| frame(joined).chars().count() <= chars_max;
    let mut out: Vec<String> = Vec::new();
    let mut joined = String::new();
    for term in terms {
        let quoted = quoted(term)?;
        if !fits(&quoted) {
            return Err(format!(
                "the term {:?} is too long for a query of {chars_max} characters",
                shortened(term)
            ));
        }
        let longer =
            if joined.is_empty() { quoted.clone() } else { format!("{joined} OR {quoted}") };
        if fits(&longer) {
            joined = longer;
        } else {
            out.push(frame(&joined));
            joined = quoted;
        }
    }
    if !joined.is_empty() {
        out.push(frame(&joined));
    }
    Ok(out)
}

/// More than one word is a phrase; operators in a term are words too.
fn quoted(term: &str) -> Result<String, String> {
    if term.contains('"') {
        return Err(format!(
            "the term {:?} has quotes; write it as one of `queries`",
            shortened(term)
        ));
    }
    let word = term.chars().all(|c| c.is_alphanumeric() || matches!(c, '#' | '@' | '_' | '$'));
    let operator = matches!(term, "OR" | "AND" | "NOT");
    if word && !operator { Ok(term.to_owned()) } else { Ok(format!("\"{term}\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan(kind: &str, options: Value) -> Result<Vec<Query>, String> {
        queries(kind, options.as_object().unwrap())
    }

    fn texts(kind: &str, options: Value) -> Vec<String> {
        plan(kind, options).unwrap().iter().map(Query::shown).collect()
    }

    #[test]
    fn phrases_are_quoted_and_joined() {
        let options = json!({ "terms": ["hangover", "day after", "OR", "too  much-wine", "hangover"], "lang": "en", "queries": ["from:us"] });
        assert_eq!(
            texts("x", options),
            [
                r#"(hangover OR "day after" OR "OR" OR "too much-wine") -is:retweet lang:en"#,
                "from:us"
            ]
        );
        assert_eq!(texts("x", json!({ "terms": ["a"], "suffix": "" })), ["(a)"]);
    }

    #[test]
    fn many_terms_are_several_queries_none_too_long_and_none_lost() {
        let terms: Vec<String> = (0..120).map(|n| format!("term number {n}")).collect();
        for (kind, options) in [
            ("x", json!({ "terms": terms })),
            ("reddit", json!({ "terms": terms, "subreddits": ["a_b"] })),
        ] {
            let queries = plan(kind, options).unwrap();
            assert!(queries.len() > 3 && queries.len() < 8, "{}", queries.len());
            assert!(queries.iter().all(|q| q.text.chars().count() <= 512));
            let all: String = queries.iter().map(|q| q.text.as_str()).collect();
            assert!(terms.iter().all(|term| all.contains(&format!("\"{term}\""))));
        }
    }

    #[test]
    fn exactly_the_limit_is_taken_and_one_more_is_not() {
        let framed = "() -is:retweet".len();
        let term = |chars| json!({ "terms": ["é".repeat(chars)] });
        assert!(plan("x", term(512 - framed)).is_ok());
        assert!(plan("x", term(513 - framed)).unwrap_err().contains("too long"));
        assert!(plan("x", json!({ "queries": ["a".repeat(513)] })).unwrap_err().contains("513"));
        assert!(plan("threads", json!({ "terms": ["a".repeat(101)] })).is_err());
    }

    #[test]
    fn reddit_is_asked_where_it_is_allowed() {
        let places =
            json!({ "subreddits": ["r/Hangover", "/r/hangover", "party"], "terms": ["a b"] });
        assert_eq!(texts("reddit", places), [r#"r/hangover+party: "a b""#]);
        assert_eq!(texts("reddit", json!({ "subreddits": ["party"] })), ["r/party", "r/party"]);
        assert!(plan("reddit", json!({ "terms": ["a"] })).unwrap_err().contains("subreddits"));
        assert!(plan("reddit", json!({ "subreddits": ["../x"] })).is_err());
        let many: Vec<String> = (0..60).map(|n| format!("sub{n}")).collect();
        assert_eq!(plan("reddit", json!({ "subreddits": many })).unwrap().len(), 4);
    }

    #[test]
    fn reddit_asks_once_what_answers_us() {
        let replies = plan("reddit", json!({ "replies": true })).unwrap();
        assert_eq!(replies, [to_us("")]);
        assert_eq!(plan("reddit", json!({ "replies": false })), Ok(Vec::new()));
        assert_ne!(to_us("1").hash(), to_us("2").hash(), "posts of ours have cursors of their own");
    }

    #[test]
    fn threads_asks_for_each_term() {
        assert_eq!(
            plan("threads", json!({ "terms": ["a", "b c"], "mentions": true })).unwrap().len(),
            3
        );
        assert_eq!(plan("threads", json!({})), Ok(Vec::new()));
        assert_eq!(plan("slack", json!({ "terms": ["a"] })), Ok(Vec::new()));
    }

    #[test]
    fn odd_options_are_refused_and_other_queries_have_other_cursors() {
        assert!(plan("x", json!({ "terms": "a" })).is_err());
        assert!(plan("x", json!({ "terms": [1] })).is_err());
        assert!(plan("x", json!({ "terms": ["say \"a\""] })).is_err());
        let hash = |text: &str| plan("x", json!({ "terms": [text] })).unwrap().remove(0).hash();
        assert_eq!(hash("a"), hash("a"));
        assert_ne!(hash("a"), hash("b"));
    }
}
