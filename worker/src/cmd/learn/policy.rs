//! `millrace learn policy`: what was learned of modes and archetypes.

use clap::Subcommand;
use millrace_config::Clock;
pub(super) use millrace_jobs::learning::policy::simulate::World;
use millrace_jobs::{
    learning::policy::{
        Stage,
        simulate::{Plan, simulate},
    },
    store::social::learning,
};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{
    explain::{number, percent, text},
    simulate::Args,
};
use crate::{
    cli::{NotFound, Usage},
    cmd::{
        args::{dash, time},
        audit,
    },
    out::Out,
};

/// What is done about it.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum Act {
    /// Give it the say that it is proposed to have
    Approve,
    /// Let it look on only
    Rollback,
    /// Leave its say as it is
    Lock,
    /// Let learning change it again
    Unlock,
}

impl Act {
    const fn verb(self) -> &'static str {
        match self {
            Self::Approve => "policy.approve",
            Self::Rollback => "policy.rollback",
            Self::Lock => "policy.lock",
            Self::Unlock => "policy.unlock",
        }
    }
}

/// Show it, or change how much of a say it has.
///
/// # Errors
/// If there is no policy, or what is to be approved is not proposed.
pub(super) async fn run(
    pool: &PgPool,
    workspace: &str,
    act: Option<Act>,
    out: Out,
) -> anyhow::Result<()> {
    if let Some(act) = act {
        change(pool, workspace, act).await?;
    }
    let mut conn = pool.acquire().await?;
    let row = learning::policy(&mut conn, workspace).await?.ok_or_else(none)?;
    let run = learning::run_of(&mut conn, workspace, "", "policy").await?;
    let report = run.and_then(|run| run.report).map(|report| report.0);
    let (stage, share) = (row.stage, row.stage.share());
    let answer = json!({ "workspace": workspace, "stage": stage, "share": share, "since": row.stage_since,
        "proposed": row.proposed, "locked_by": row.locked_by, "version": row.version, "last_run": report });
    out.answer(&answer, || {
        let locked =
            row.locked_by.as_ref().map_or(String::new(), |who| format!(", locked by {who}"));
        let since = time(row.stage_since);
        out.say(format!(
            "{stage} since {since}: it takes {:.0} % of the decisions that leave a choice{locked}",
            share * 100.0
        ));
        if let Some(next) = &row.proposed {
            out.say(format!("{next} is PROPOSED: millrace learn policy approve"));
        }
        say(report.as_ref(), out);
    })
}

fn none() -> NotFound {
    NotFound("there is no policy yet: the next `millrace learn run` makes one".into())
}

async fn change(pool: &PgPool, workspace: &str, act: Act) -> anyhow::Result<()> {
    let mut tx = pool.begin().await?;
    let row = learning::policy(&mut tx, workspace).await?.ok_or_else(none)?;
    let at = Clock::system().now();
    match act {
        Act::Approve => {
            let next = row.proposed.clone().and_then(|name| Stage::try_from(name).ok());
            let next = next.ok_or_else(|| Usage("nothing is proposed for the policy".into()))?;
            learning::put_policy(&mut tx, workspace, next, at).await?;
        }
        Act::Rollback => drop(learning::put_policy(&mut tx, workspace, Stage::Shadow, at).await?),
        Act::Lock => drop(learning::lock_policy(&mut tx, workspace, Some(&audit::me())).await?),
        Act::Unlock => drop(learning::lock_policy(&mut tx, workspace, None).await?),
    }
    let stage = json!({ "stage": row.stage });
    audit::note(pool, workspace, act.verb(), &row.version, stage).await?;
    tx.commit().await?;
    Ok(())
}

/// What a run found of it, in words.
pub(super) fn say(report: Option<&Value>, out: Out) {
    let Some(report) = report else { return };
    let count = |name| number(report, name).unwrap_or_default();
    out.say(format!(
        "the policy knows {} decisions and was judged on {} that it had not learned from ({} rewarded), which weigh {:.0}",
        count("rows"),
        count("judged"),
        count("successes"),
        count("ess"),
    ));
    let interval = |name: &str| match report.get(name) {
        Some(of) if of.is_object() => {
            format!("{} to {}", percent(number(of, "low")), percent(number(of, "high")))
        }
        _ => "not known yet".to_owned(),
    };
    out.say(format!(
        "of a mean reward of {:.2} % it would have gained {} (at all times at once with 95 %: {}); removals {}",
        count("mean_reward") * 100.0,
        percent(number(report, "gain")),
        interval("interval"),
        interval("removals"),
    ));
    let why = text(report, "why").replace('_', " ").to_lowercase();
    match text(report, "verdict") {
        "UP" => out.say(format!("so it gets more of a say: {}", text(report, "next"))),
        "DOWN" => out.say("so its say is taken back: it costs rewards or removals"),
        _ => out.say(format!("it stays {}: {why}", text(report, "stage"))),
    }
}

/// A made-up world for the policy.
pub(super) fn simulated(args: &Args, world: World, out: Out) -> anyhow::Result<()> {
    let Args { runs, seed, days, per_day, .. } = *args;
    let outcome = simulate(Plan { world, runs, seed, days, per_day });
    let share = |share: f64| format!("{:.1} %", share * 100.0);
    out.answer(&outcome, || {
        out.say(format!("{runs} lives of {days} days from seed {seed}"));
        let row = [
            share(outcome.shared),
            share(outcome.full),
            share(outcome.taken_back),
            outcome.median_samples.map_or_else(dash, |n| n.to_string()),
            share(outcome.own_gain),
            share(outcome.gained),
        ];
        let head = [
            "given a say",
            "most",
            "taken back",
            "decisions until then",
            "of the best, its own",
            "gained",
        ];
        out.table(head, [row]);
    })
}
