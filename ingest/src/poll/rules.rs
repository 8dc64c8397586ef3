//! The rules of X's filtered stream are a source's queries: those that are missing are added, and ours that no query asks
//! for any more are taken away. Rules of others are not touched.

use std::collections::HashSet;

use millrace_jobs::ctx::Ctx;
use reqwest::Client;
use serde_json::{Value, json};

use super::{
    client::Answer,
    fetch::{self, Failure},
    plan,
    platform::{Of, Platform},
    x,
};
use crate::{
    json::{self, Object},
    registry::credentials::{Kept, Polled},
    secrets::KeyRing,
};

/// What our rules' tags begin with; their query's hash follows.
const TAG: &str = "millrace/";

/// Make the rules those of the source's queries.
///
/// # Errors
/// Those of the database and of the key ring.
pub(super) async fn sync(
    ctx: &Ctx,
    of: (&'static dyn Platform, &Polled),
    (ring, kept): (&KeyRing, &Kept),
) -> anyhow::Result<Result<(), Failure>> {
    let queries = plan::queries(&of.1.kind, &of.1.options).unwrap_or_default();
    let wanted: Vec<(String, String)> =
        queries.into_iter().map(|query| (format!("{TAG}{}", query.hash()), query.text)).collect();
    let ask = async |body: Option<Value>| {
        let request = |client: &Client, of: Of<'_>| x::rules(client, of, body.as_ref());
        fetch::ask(ctx, of, (ring, kept.clone()), x::RULES, request).await
    };
    let known = match ask(None).await?.and_then(read) {
        Ok(known) => known,
        Err(failure) => return Ok(Err(failure)),
    };
    for change in changes(&wanted, &known) {
        if let Err(failure) = ask(Some(change)).await?.and_then(read) {
            return Ok(Err(failure));
        }
    }
    Ok(Ok(()))
}

/// A rule there: its id, tag and text.
type Rule = (String, String, String);

fn read(answer: Answer) -> Result<Vec<Rule>, Failure> {
    fetch::accepted(answer.status)?;
    let body = json::decode(&answer.body);
    let answer = Object::parse(&body).map_err(|why| Failure::Away(why.to_string()))?;
    if !answer.has("data") && !answer.has("meta") {
        return Err(Failure::Wrong("the rules of the stream are not accepted".into()));
    }
    let rules = answer.array("data");
    let rules = rules.iter().filter_map(|raw| Object::parse(raw.get()).ok());
    let of = |rule: Object<'_>| Some((rule.text("id")?, rule.text("tag")?, rule.text("value")?));
    Ok(rules.filter_map(of).collect())
}

/// What to send, in order.
fn changes(wanted: &[(String, String)], known: &[Rule]) -> Vec<Value> {
    let have: HashSet<(&str, &str)> =
        known.iter().map(|(_, tag, text)| (&**tag, &**text)).collect();
    let want: HashSet<(&str, &str)> = wanted.iter().map(|(tag, text)| (&**tag, &**text)).collect();
    let stale = known.iter().filter(|(_, tag, text)| {
        tag.starts_with(TAG) && !want.contains(&(tag.as_str(), text.as_str()))
    });
    let stale: Vec<&str> = stale.map(|(id, ..)| id.as_str()).collect();
    let missing =
        wanted.iter().filter(|(tag, text)| !have.contains(&(tag.as_str(), text.as_str())));
    let missing: Vec<Value> =
        missing.map(|(tag, text)| json!({ "value": text, "tag": tag })).collect();
    let mut changes = Vec::new();
    if !stale.is_empty() {
        changes.push(json!({ "delete": { "ids": stale } }));
    }
    if !missing.is_empty() {
        changes.push(json!({ "add": missing }));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_become_what_is_asked_for_and_others_stay() {
        let rule =
            |id: &str, tag: &str, text: &str| (id.to_owned(), tag.to_owned(), text.to_owned());
        let wanted =
            [("millrace/1".to_owned(), "a".to_owned()), ("millrace/2".to_owned(), "b".to_owned())];
        let known =
            [rule("7", "millrace/1", "a"), rule("8", "millrace/9", "c"), rule("9", "theirs", "d")];
        assert_eq!(
            changes(&wanted, &known),
            [
                json!({ "delete": { "ids": ["8"] } }),
                json!({ "add": [{ "value": "b", "tag": "millrace/2" }] })
            ]
        );
        let known = [rule("7", "millrace/1", "a"), rule("8", "millrace/2", "b")];
        assert_eq!(changes(&wanted, &known), Vec::<Value>::new());
    }
}
