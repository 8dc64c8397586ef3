//! What is told of somebody who wants to be forgotten: not who it was, and nothing that was only about them.

use std::{borrow::Cow, collections::HashSet};

use sqlx::PgConnection;

use crate::social::outcomes::told::{Outcome, What};

/// The outcomes, those of erased accounts without them; what was between such an account and us is left out, and counted.
pub(super) async fn without<'a>(
    conn: &mut PgConnection,
    workspace: &str,
    outcomes: Vec<&'a Outcome>,
) -> sqlx::Result<Vec<Cow<'a, Outcome>>> {
    let accounts: (Vec<&str>, Vec<&str>) = outcomes
        .iter()
        .filter_map(|outcome| outcome.account.as_ref())
        .map(|account| (account.platform.as_str(), account.platform_id.as_str()))
        .unzip();
    if accounts.0.is_empty() {
        return Ok(outcomes.into_iter().map(Cow::Borrowed).collect());
    }
    let erased: Vec<(String, String)> = sqlx::query_as(
        "select a.platform, a.id from unnest($2::text[], $3::text[]) a (platform, id)
         join social.tombstones t on t.workspace_id = $1 and t.platform = a.platform and t.kind = 'author'
           and t.platform_id = social.erased_as($1, a.platform, a.id)",
    )
    .persistent(false)
    .bind(workspace)
    .bind(accounts.0)
    .bind(accounts.1)
    .fetch_all(conn)
    .await?;
    let erased: HashSet<(&str, &str)> = erased.iter().map(|(p, id)| (&**p, &**id)).collect();
    let mut kept = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        let account = outcome.account.as_ref();
        if !account.is_some_and(|a| erased.contains(&(a.platform.as_str(), &*a.platform_id))) {
            kept.push(Cow::Borrowed(outcome));
        } else if matches!(outcome.what, What::Relation { .. }) {
            metrics::counter!("millrace_social_outcomes_erased_total").increment(1);
        } else {
            kept.push(Cow::Owned(Outcome { account: None, visitor: None, ..outcome.clone() }));
        }
    }
    Ok(kept)
}
