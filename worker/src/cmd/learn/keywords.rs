//! `millrace learn keywords`: what learning proposes of them, and what people say to it.

use clap::Subcommand;
use millrace_config::{Clock, Settings};
use millrace_jobs::{
    learning::keywords::{Keywords, TRIAL_SHARE},
    social::{brand, vocabulary::What},
    store::social::{
        keywords::{self as store, ChangeRow, New},
        learning,
    },
};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};

use explain::because;
pub(super) use explain::report;

use super::{Lesson, explain::text};
use crate::{
    cli::{NotFound, Usage},
    cmd::{
        args::{dash, maybe_time},
        audit,
    },
    out::Out,
};

mod explain;

/// What is done about them.
#[derive(Debug, Subcommand)]
pub(super) enum Act {
    /// Changes that are in force or proposed
    List {
        /// Those that are over too
        #[arg(long)]
        all: bool,
    },
    /// Let a proposed change in: an addition is tried on one text in ten; one that is tried is for all
    Approve {
        /// The term, or the beginning of the change's id
        change: String,
        /// Of an addition: the profile's category that it speaks for
        #[arg(long)]
        category: Option<String>,
    },
    /// Say no to a proposed change, or end a trial; learning does not ask again for 90 days
    Refuse {
        /// The term, or the beginning of the change's id
        change: String,
    },
    /// Take a keyword out of force
    Retire {
        /// The term, as matches name it
        term: String,
    },
    /// Take the last change of a term that is in force back
    Rollback {
        /// The term
        term: String,
    },
    /// Nothing but a person changes it
    Lock {
        /// The term
        term: String,
    },
    /// Learning may change it again
    Unlock {
        /// The term
        term: String,
    },
    /// What is known of a term, as the last run found
    Explain {
        /// The term
        term: String,
    },
}

/// Tell or change.
pub(super) async fn run(
    pool: &PgPool,
    settings: &Settings,
    (workspace, act): (&str, Option<Act>),
    out: Out,
) -> anyhow::Result<()> {
    match act {
        None => list(pool, workspace, false, out).await,
        Some(Act::List { all }) => list(pool, workspace, all, out).await,
        Some(Act::Approve { change, category }) => {
            let category = category.as_deref();
            if let Some(name) = category {
                let profile = brand::read(settings.social.profile_of(workspace))?.profile;
                let categories = profile.taxonomy.categories();
                if !categories.iter().any(|known| known.name == name) {
                    let all: Vec<&str> = categories.iter().map(|of| of.name.as_str()).collect();
                    let all = all.join(", ");
                    return Err(Usage(format!("{name} is no category; there are {all}")).into());
                }
            }
            approve(pool, (workspace, &change), category, out).await
        }
        Some(Act::Refuse { change }) => refuse(pool, (workspace, &change), out).await,
        Some(Act::Retire { term }) => retire(pool, settings, (workspace, &term), out).await,
        Some(Act::Rollback { term }) => rollback(pool, (workspace, &term), out).await,
        Some(Act::Lock { term }) => lock(pool, (workspace, &term), true, out).await,
        Some(Act::Unlock { term }) => lock(pool, (workspace, &term), false, out).await,
        Some(Act::Explain { term }) => explained(pool, (workspace, &term), out).await,
    }
}

async fn list(pool: &PgPool, workspace: &str, all: bool, out: Out) -> anyhow::Result<()> {
    let mut conn = pool.acquire().await?;
    let changes = store::changes(&mut conn, workspace, all).await?;
    let locks = store::locks(&mut conn, workspace).await?;
    let answer = json!({ "workspace": workspace, "changes": changes, "locks": locks });
    out.answer(&answer, || {
        if changes.is_empty() {
            out.say("The profile's keywords are in force as they are, and nothing is proposed.");
        } else {
            let head =
                ["term", "change", "category", "of texts", "state", "since", "because", "id"];
            out.table(head, changes.iter().map(row));
        }
        for (term, who) in &locks {
            out.say(format!("{term} is locked by {who}"));
        }
    })
}

fn row(row: &ChangeRow) -> [String; 8] {
    let state = match (&row.ended_by, &row.approved_by) {
        (Some(who), _) => format!("over: {who}"),
        (None, Some(who)) if row.is_trial() => format!("on trial: {who}"),
        (None, Some(who)) => format!("in force: {who}"),
        (None, None) => "PROPOSED".into(),
    };
    [
        row.term.clone(),
        row.what.as_str().to_lowercase(),
        row.category.clone().unwrap_or_else(dash),
        format!("{:.0} %", row.share * 100.0),
        state,
        maybe_time(row.effective_from),
        because(&row.evidence),
        row.id.clone(),
    ]
}

/// The one living change of that term or id that is proposed or on trial.
async fn waiting(
    conn: &mut PgConnection,
    workspace: &str,
    change: &str,
) -> anyhow::Result<ChangeRow> {
    let all = store::changes(conn, workspace, false).await?;
    let mut found = all.into_iter().filter(|row| {
        (row.is_proposed() || row.is_trial()) && (row.term == change || row.id.starts_with(change))
    });
    match (found.next(), found.next()) {
        (Some(row), None) => Ok(row),
        (Some(_), Some(_)) => {
            Err(Usage(format!("several changes are called {change}: give the id")).into())
        }
        (None, _) => Err(NotFound(format!(
            "nothing called {change} is proposed or on trial: see `millrace learn keywords`"
        ))
        .into()),
    }
}

async fn approve(
    pool: &PgPool,
    (workspace, change): (&str, &str),
    category: Option<&str>,
    out: Out,
) -> anyhow::Result<()> {
    let (who, at) = (audit::me(), Clock::system().now());
    let mut tx = pool.begin().await?;
    let row = waiting(&mut tx, workspace, change).await?;
    if category.is_some() && row.what != What::Add {
        return Err(Usage("only an addition has a category".into()).into());
    }
    audit::note(pool, workspace, "keywords.approve", &row.term, json!({ "what": row.what }))
        .await?;
    let (version, share) = if row.is_trial() {
        store::end(&mut tx, (workspace, &row.id), (&who, at)).await?;
        let new = New {
            category: category.or(row.category.as_deref()),
            ..by_a_person((workspace, &row.term), What::Add, &row.evidence, (&who, at))
        };
        (new.write(&mut tx).await?, 1.0)
    } else {
        let share = if row.what == What::Add { TRIAL_SHARE } else { 1.0 };
        let of = (workspace, row.id.as_str());
        (store::approve(&mut tx, of, (category, share), (&who, at)).await?, share)
    };
    tx.commit().await?;
    let Some(version) = version else {
        return Err(NotFound(format!("{change} was changed meanwhile")).into());
    };
    let answer = json!({ "term": row.term, "what": row.what, "version": version, "share": share });
    out.answer(&answer, || {
        let share = share * 100.0;
        let what = row.what.as_str().to_lowercase();
        out.say(format!("{what} {}: in force for {share:.0} % of texts", row.term));
    })
}

fn by_a_person<'a>(
    (workspace_id, term): (&'a str, &'a str),
    what: What,
    evidence: &'a Value,
    (who, at): (&'a str, chrono::DateTime<chrono::Utc>),
) -> New<'a> {
    New {
        workspace_id,
        term,
        what,
        category: None,
        share: 1.0,
        evidence,
        run_id: None,
        at,
        approved_by: Some(who),
    }
}

async fn refuse(pool: &PgPool, (workspace, change): (&str, &str), out: Out) -> anyhow::Result<()> {
    let mut tx = pool.begin().await?;
    let row = waiting(&mut tx, workspace, change).await?;
    audit::note(pool, workspace, "keywords.refuse", &row.term, json!({ "what": row.what })).await?;
    store::end(&mut tx, (workspace, &row.id), (&audit::me(), Clock::system().now())).await?;
    tx.commit().await?;
    let answer = json!({ "term": row.term, "what": row.what, "refused": true });
    out.answer(&answer, || out.say(format!("{} stays as it is", row.term)))
}

async fn retire(
    pool: &PgPool,
    settings: &Settings,
    (workspace, term): (&str, &str),
    out: Out,
) -> anyhow::Result<()> {
    let base = std::sync::Arc::new(brand::read(settings.social.profile_of(workspace))?);
    let in_force = base.changed(&store::in_force(pool, workspace).await?);
    let categories = in_force.profile.taxonomy.categories().iter();
    let mut all = categories.flat_map(|of| of.terms.iter().chain(&of.common));
    if !all.any(|known| known == term) {
        return Err(NotFound(format!("{term} is no keyword of {workspace}")).into());
    }
    audit::note(pool, workspace, "keywords.retire", term, json!({})).await?;
    let (who, at) = (audit::me(), Clock::system().now());
    let mut tx = pool.begin().await?;
    // One that learning proposed is this one.
    let mut living = store::changes(&mut tx, workspace, false).await?.into_iter();
    let proposed = living.find(|row| row.term == term && row.what == What::Retire);
    let version = match proposed {
        Some(row) => store::approve(&mut tx, (workspace, &row.id), (None, 1.0), (&who, at)).await?,
        None => {
            let none = json!({});
            by_a_person((workspace, term), What::Retire, &none, (&who, at)).write(&mut tx).await?
        }
    };
    tx.commit().await?;
    let answer = json!({ "term": term, "what": What::Retire, "version": version });
    out.answer(&answer, || out.say(format!("{term} is no keyword any more")))
}

async fn rollback(pool: &PgPool, (workspace, term): (&str, &str), out: Out) -> anyhow::Result<()> {
    let mut tx = pool.begin().await?;
    let all = store::changes(&mut tx, workspace, false).await?;
    let Some(row) = all.into_iter().rev().find(|row| row.term == term && row.is_in_force()) else {
        let what = format!("no change of {term} is in force: see `millrace learn keywords`");
        return Err(NotFound(what).into());
    };
    audit::note(pool, workspace, "keywords.rollback", term, json!({ "what": row.what })).await?;
    store::end(&mut tx, (workspace, &row.id), (&audit::me(), Clock::system().now())).await?;
    tx.commit().await?;
    let answer = json!({ "term": term, "what": row.what, "version": row.version });
    let what = row.what.as_str().to_lowercase();
    out.answer(&answer, || {
        out.say(format!("{what} {term} is out of force, version {}", row.version))
    })
}

async fn lock(
    pool: &PgPool,
    (workspace, term): (&str, &str),
    locked: bool,
    out: Out,
) -> anyhow::Result<()> {
    let who = audit::me();
    let verb = if locked { "keywords.lock" } else { "keywords.unlock" };
    audit::note(pool, workspace, verb, term, json!({})).await?;
    let mut tx = pool.begin().await?;
    store::lock(&mut tx, (workspace, term), locked.then_some(who.as_str())).await?;
    tx.commit().await?;
    let word = if locked { "locked" } else { "open to learning" };
    out.answer(&json!({ "term": term, "locked": locked }), || out.say(format!("{term} is {word}")))
}

async fn explained(pool: &PgPool, (workspace, term): (&str, &str), out: Out) -> anyhow::Result<()> {
    let mut conn = pool.acquire().await?;
    let run = learning::run_of(&mut conn, workspace, "", Keywords::KIND).await?;
    let report = run.and_then(|run| run.report).map(|report| report.0).unwrap_or_default();
    let all = report.get("keywords").and_then(Value::as_array).into_iter().flatten();
    let Some(one) = all.into_iter().find(|one| text(one, "term") == term) else {
        let what = format!("the last run of {workspace} has no posts with {term}");
        return Err(NotFound(what).into());
    };
    out.answer(one, || explain::finding(one, &report, out))
}
