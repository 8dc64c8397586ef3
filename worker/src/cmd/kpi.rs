//! `millrace kpi`: the figures of the last days, with small plots.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use clap::ValueEnum;
use millrace_config::{Clock, Settings};
use millrace_jobs::{
    social::{
        brand,
        outcomes::{daily, kpi},
        profile::Kpi,
        record::Platform,
    },
    store::social::{
        alerts::{self, AlertRow},
        kpis::{self, KpiRow, Voice},
        outcomes,
    },
};
use serde::Serialize;
use sqlx::PgPool;

use super::args::{dash, time};
use crate::{cli::Usage, db, out::Out};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  millrace kpi                          the last 28 days of all platforms together
  millrace kpi --platform reddit --since 7
  millrace kpi --json                   for a machine

A figure is about the replies posted on its day, and changes for eight days. A day without data has none.")]
pub struct Args {
    /// Whose; needed if there are several
    #[arg(long)]
    workspace: Option<String>,
    /// Of one platform
    #[arg(long)]
    platform: Option<On>,
    /// Days back
    #[arg(long, default_value_t = 28, value_parser = clap::value_parser!(u64).range(1..=731))]
    since: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum On {
    #[value(alias = "x")]
    Twitter,
    Reddit,
    Threads,
}

impl On {
    const fn platform(self) -> Platform {
        match self {
            Self::Twitter => Platform::Twitter,
            Self::Reddit => Platform::Reddit,
            Self::Threads => Platform::Threads,
        }
    }
}

/// A figure over the days.
#[derive(Debug, Serialize)]
struct Line {
    r#type: String,
    name: String,
    about: &'static str,
    target: Option<f64>,
    /// Beyond this it is an alert.
    alert: Option<f64>,
    /// More is better.
    more: bool,
    /// Mean of the days.
    mean: f64,
    last: f64,
    last_date: NaiveDate,
    /// `ok`, `missed` (its target), `alert`; none without a target.
    state: Option<&'static str>,
    days: Vec<(NaiveDate, f64)>,
}

#[derive(Debug, Serialize)]
struct Answer {
    workspace: String,
    platform: Option<&'static str>,
    since: NaiveDate,
    kpis: Vec<Line>,
    alerts: Vec<AlertRow>,
    /// Who is spoken of.
    voices: Vec<Voice>,
    /// Outcomes that belong to nothing yet.
    unmatched: BTreeMap<&'static str, i64>,
}

/// Show them.
///
/// # Errors
/// If the database does not answer, or it is not said whose they are.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<()> {
    let pool = db::connect(settings).await?;
    let workspace = whose(&pool, args.workspace).await?;
    let profile = brand::read(settings.social.profile_of(&workspace))?.profile;
    let zone = profile.brand.time_zone;
    let today = Clock::system().now().with_timezone(&zone).date_naive();
    let since = today.checked_sub_days(Days::new(args.since)).unwrap_or(today);
    let from = daily::midnight(since, zone);
    let platform = args.platform.map(|on| on.platform().as_str());
    let rows = kpis::list(&pool, &workspace, platform, since).await?;
    let mut conn = pool.acquire().await?;
    let answer = Answer {
        kpis: lines(&rows, &profile.kpis),
        alerts: alerts::list(&mut *conn, &workspace, platform, from).await?,
        voices: kpis::voices(&mut *conn, &workspace, platform, from).await?,
        unmatched: outcomes::unmatched(&mut conn, Some(&workspace)).await?.into(),
        workspace,
        platform,
        since,
    };
    out.answer(&answer, || people(&answer, today, out))
}

/// The workspace that is meant; the only one with posts if none is named.
pub(super) async fn whose(pool: &PgPool, named: Option<String>) -> anyhow::Result<String> {
    if let Some(workspace) = named {
        return Ok(workspace);
    }
    let mut all = kpis::workspaces(pool).await?;
    match (all.pop(), all.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(Usage("there are no posts yet: say --workspace W".into()).into()),
        (Some(_), false) => {
            Err(Usage("there are several workspaces: say --workspace W".into()).into())
        }
    }
}

fn lines(rows: &[KpiRow], wanted: &[Kpi]) -> Vec<Line> {
    let mut by_name: BTreeMap<(&str, &str), Vec<(NaiveDate, f64)>> = BTreeMap::new();
    for row in rows {
        let days = by_name.entry((&row.metric_type, &row.metric_name)).or_default();
        days.push((row.date, row.value));
    }
    by_name.into_iter().filter_map(|((kind, name), days)| line(kind, name, days, wanted)).collect()
}

fn line(kind: &str, name: &str, days: Vec<(NaiveDate, f64)>, wanted: &[Kpi]) -> Option<Line> {
    let (last_date, last) = days.last().copied()?;
    #[expect(clippy::as_conversions, reason = "two years of days")]
    let mean = days.iter().map(|(_, value)| value).sum::<f64>() / days.len() as f64;
    let wanted = wanted.iter().find(|kpi| kpi.name == name);
    Some(Line {
        r#type: kind.to_owned(),
        name: name.to_owned(),
        about: kpi::by_name(name).map_or("", |definition| definition.about),
        target: wanted.map(|kpi| kpi.target),
        alert: wanted.and_then(|kpi| kpi.alert),
        more: wanted.is_none_or(|kpi| kpi.more),
        mean,
        last,
        last_date,
        state: wanted.map(|kpi| state(kpi, mean)),
        days,
    })
}

/// What is exactly at its target has met it.
fn state(kpi: &Kpi, value: f64) -> &'static str {
    let beyond = |limit: f64| if kpi.more { value < limit } else { value > limit };
    match kpi.alert {
        Some(limit) if beyond(limit) => "alert",
        _ if beyond(kpi.target) => "missed",
        _ => "ok",
    }
}

fn people(answer: &Answer, today: NaiveDate, out: Out) {
    let platform = answer.platform.unwrap_or("all platforms");
    out.say(format!("{}, {platform}, since {}", answer.workspace, answer.since));
    let target = |line: &Line| {
        let sign = if line.more { ">=" } else { "<=" };
        line.target.map_or_else(dash, |target| format!("{sign} {}", number(target)))
    };
    let rows = answer.kpis.iter().map(|line| {
        [
            line.r#type.to_lowercase(),
            line.name.clone(),
            plot(&line.days, answer.since, today),
            number(line.mean),
            number(line.last),
            target(line),
            line.state.map_or_else(dash, str::to_uppercase),
        ]
    });
    out.table(["type", "figure", "day by day", "mean", "last", "target", "state"], rows);
    for alert in &answer.alerts {
        let on = alert.platform.as_deref().unwrap_or("all");
        let at = time(alert.raised_at);
        out.say(format!("{} {at} {on}: {}", alert.severity, alert.message));
    }
    let said: i64 = answer.voices.iter().map(|voice| voice.mentions).sum();
    if said > 0 {
        let rows = answer.voices.iter().map(|voice| {
            let share = voice.mentions.saturating_mul(100) / said;
            [
                voice.competitor.clone().unwrap_or_else(|| "(us)".into()),
                voice.mentions.to_string(),
                format!("{share} %"),
                voice.positive.to_string(),
                voice.negative.to_string(),
                voice.replied.to_string(),
            ]
        });
        out.table(["spoken of", "posts", "share", "kindly", "unkindly", "answered"], rows);
    }
    for (kind, count) in answer.unmatched.iter().filter(|(_, count)| **count > 0) {
        out.say(format!("{count} outcomes ({kind}) belong to nothing we know"));
    }
}

fn number(value: f64) -> String {
    if value == 0.0 || value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.3}") }
}

/// One character for each day, from the smallest value to the largest; a dot for a day without.
fn plot(days: &[(NaiveDate, f64)], since: NaiveDate, today: NaiveDate) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let known: BTreeMap<NaiveDate, f64> = days.iter().copied().collect();
    let low = known.values().copied().fold(f64::INFINITY, f64::min);
    let high = known.values().copied().fold(f64::NEG_INFINITY, f64::max);
    let bar = |value: f64| {
        let part = if high > low { (value - low) / (high - low) } else { 0.5 };
        let step = BARS.iter().zip(1_u8..).find(|(_, nth)| part <= f64::from(*nth) / 8.0);
        step.map_or('█', |(bar, _)| *bar)
    };
    let all = since.iter_days().take_while(|day| *day <= today);
    all.map(|day| known.get(&day).map_or('·', |value| bar(*value))).collect()
}

#[cfg(test)]
mod tests {
    use millrace_jobs::social::profile::KpiType;

    use super::*;

    fn day(n: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 2, n).unwrap()
    }

    #[test]
    fn a_plot_has_a_character_for_each_day() {
        let days = [(day(1), 0.0), (day(2), 1.0), (day(4), 0.5)];
        assert_eq!(plot(&days, day(1), day(5)), "▁█·▄·");
        assert_eq!(plot(&[(day(3), 7.0)], day(2), day(4)), "·▄·");
        assert_eq!(plot(&[], day(1), day(2)), "··");
    }

    #[test]
    fn a_figure_at_its_target_has_met_it() {
        let kpi = |more, target, alert| Kpi {
            kind: KpiType::Commercial,
            name: "x".into(),
            target,
            more,
            alert: Some(alert),
        };
        let more = kpi(true, 0.02, 0.015);
        let less = kpi(false, 0.02, 0.03);
        let states = |kpi: &Kpi, values: [f64; 4]| values.map(|value| state(kpi, value));
        assert_eq!(
            states(&more, [0.02, 0.019, 0.015, 0.0149]),
            ["ok", "missed", "missed", "alert"]
        );
        assert_eq!(states(&less, [0.02, 0.021, 0.03, 0.0301]), ["ok", "missed", "missed", "alert"]);
    }
}
