//! `millrace champions`: people of the community who stand up for us.

use chrono::{DateTime, Utc};
use clap::{Subcommand, ValueEnum};
use millrace_config::{Clock, Settings};
use millrace_jobs::{
    social::{
        brand,
        outcomes::{
            champions::{Act, Champion},
            daily,
        },
    },
    store::social::champions::{self, ChampionRow},
};
use serde_json::json;

use super::{
    args::{dash, maybe_time},
    audit,
    kpi::whose,
};
use crate::{
    cli::{NotFound, Usage},
    db,
    out::Out,
};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  millrace champions ls
  millrace champions note 4f5k... consent     they agreed to be written to
  millrace champions note 4f5k... message     you wrote to them: refused without consent, twice, or a sixth time a day")]
pub struct Args {
    /// Whose; needed if there are several
    #[arg(long, global = true)]
    workspace: Option<String>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List champions, those who do the most first
    Ls {
        /// Also those who were champions once
        #[arg(long)]
        former: bool,
    },
    /// Note what was done with one, or what they did
    Note {
        /// Id
        id: String,
        /// What
        act: Noted,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Noted {
    /// They agree to be written to
    Consent,
    /// They do not any more
    Withdraw,
    /// A direct message was written to them
    Message,
    /// They answered it, kindly
    Accept,
    /// They want none of it
    Decline,
    /// A sample was sent
    Sample,
    /// They bought
    Convert,
    /// They speak for us
    Advocate,
    /// They are dear to us
    Vip,
}

impl Noted {
    const fn act(self) -> Act {
        match self {
            Self::Consent => Act::Consent,
            Self::Withdraw => Act::Withdraw,
            Self::Message => Act::Message,
            Self::Accept => Act::Accept,
            Self::Decline => Act::Decline,
            Self::Sample => Act::Sample,
            Self::Convert => Act::Convert,
            Self::Advocate => Act::Advocate,
            Self::Vip => Act::Vip,
        }
    }
}

/// List or note.
///
/// # Errors
/// If the database does not answer, there is no such champion, or it may not be done.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<()> {
    let pool = db::connect(settings).await?;
    let workspace = whose(&pool, args.workspace).await?;
    match args.action {
        Action::Ls { former } => {
            let rows = champions::list(&pool, &workspace, former).await?;
            out.answer(&rows, || table(&rows, out))
        }
        Action::Note { id, act } => {
            let profile = brand::read(settings.social.profile_of(&workspace))?.profile;
            let zone = profile.brand.time_zone;
            let now = Clock::system().now();
            let day = daily::midnight(now.with_timezone(&zone).date_naive(), zone);
            let name = format!("champion.{act:?}").to_lowercase();
            audit::note(&pool, &workspace, &name, &id, json!({})).await?;
            let mut tx = pool.begin().await?;
            let champion = noted(&mut tx, (&workspace, &id), act.act(), now, day).await?;
            tx.commit().await?;
            let status = json!({ "id": id, "advocate_status": champion.advocate_status });
            out.answer(&status, || out.say(format!("{id}: {}", champion.advocate_status)))
        }
    }
}

async fn noted(
    conn: &mut sqlx::PgConnection,
    (workspace, id): (&str, &str),
    act: Act,
    now: DateTime<Utc>,
    day: DateTime<Utc>,
) -> anyhow::Result<Champion> {
    let Some((champion, today)) = champions::hold(conn, workspace, id, day).await? else {
        let why = format!("no champion {id:?}; `millrace champions ls --former` shows them");
        return Err(NotFound(why).into());
    };
    let next = champion.after(act, now, today).map_err(|why| Usage(why.to_string()))?;
    champions::write(conn, workspace, id, &next).await?;
    Ok(next)
}

fn table(rows: &[ChampionRow], out: Out) {
    let rows = rows.iter().map(|c| {
        let agreed = match (c.consent_at, c.consent_withdrawn_at) {
            (Some(given), Some(withdrawn)) if withdrawn >= given => "withdrawn".into(),
            (given, _) => maybe_time(given),
        };
        [
            c.id.clone(),
            format!("{} {}", c.platform.to_lowercase(), c.handle),
            c.tier.clone().unwrap_or_else(dash),
            c.engagement_count.to_string(),
            c.advocate_status.clone(),
            agreed,
            maybe_time(c.dm_sent_at),
            c.dm_response.clone().unwrap_or_else(dash),
        ]
    });
    out.table(
        ["champion", "who", "tier", "kind acts", "status", "agreed", "written to", "answer"],
        rows,
    );
}
