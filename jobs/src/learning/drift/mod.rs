//! Has a platform changed what it does with our replies? What they were shown, a day after each was posted, platform by
//! platform, of a like mix of dayparts; and one alert when it has, which a person looks at if it is by a third.

pub mod seed_rule;
pub mod series;
pub mod simulate;

use anyhow::Context;
use chrono::{DateTime, Duration, DurationRound, NaiveDate, Utc};
use millrace_config::Settings;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sqlx::{PgConnection, PgPool};

use super::night::{Lesson, Outline, Plan, identity};
use crate::{
    social::{
        outcomes::alerts::{Alert, Severity},
        oversight::escalation::{NewEscalation, Priority, Reason},
        record::Platform,
    },
    store::social::{
        alerts, escalations, kpis,
        learning::{Log, shown},
    },
};
use seed_rule::SeedWeek;
use series::{Alarm, BASELINE, CHANGE_MIN, Day, Shown, watch};

/// As far back as a level is looked for.
const WINDOW: Duration = Duration::days(365);
/// The days that a report shows.
const DAYS_SHOWN: usize = 60;
/// An alarm is told while it is as young, and no second one of the platform within twice that time.
const FRESH: Duration = Duration::days(7);
/// From here on a person looks at it.
const REVIEW: f64 = 0.30;
/// Name of the alerts' rule.
const RULE: &str = "drift";

/// What a series counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Times a reply was shown.
    Views,
    /// Likes, answers, reposts: where the platform does not say how often it was shown.
    Engagement,
}

/// How a series is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Too few days to know a level.
    InsufficientSampleSize,
    /// As it was.
    Steady,
    /// It has moved within the last week.
    Moved,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::InsufficientSampleSize => "INSUFFICIENT_SAMPLE_SIZE",
            Self::Steady => "STEADY",
            Self::Moved => "MOVED",
        }
    }
}

/// What is found of a platform.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// Which.
    pub platform: Platform,
    /// What is counted.
    pub figure: Figure,
    /// Replies.
    pub n: usize,
    /// How it is.
    pub state: State,
    /// Days that are missing before anything can be said.
    pub shortfall: usize,
    /// Of the cumulative sum.
    pub slack: Option<f64>,
    /// See `slack`.
    pub threshold: Option<f64>,
    /// The last days.
    pub days: Vec<Day>,
    /// All alarms of a year.
    pub alarms: Vec<Alarm>,
    /// What the seed would say of the last week.
    pub seed: Option<SeedWeek>,
}

/// Everything that a run found.
#[derive(Debug, Serialize)]
pub struct Drift {
    /// The same for the same workspace and `as_of`.
    pub run_id: String,
    /// Whose.
    pub workspace: String,
    /// What was shown then.
    pub as_of: DateTime<Utc>,
    /// See [`Lesson::CODE_VERSION`].
    pub method_version: &'static str,
    /// Replies.
    pub rows: usize,
    /// Why nothing can be said of any platform.
    pub skipped: Option<&'static str>,
    /// Platform by platform.
    pub drift: Vec<Finding>,
}

/// A reply, and what it was shown where that is known.
#[derive(Debug, Clone, Copy)]
pub struct Reply {
    /// Where.
    pub platform: Platform,
    /// When, and at what time of its day; the figure is how many did something.
    pub shown: Shown,
    /// How often it was shown.
    pub views: Option<f64>,
}

impl Lesson for Drift {
    const KIND: &'static str = "drift";
    const CODE_VERSION: &'static str = "1";

    async fn workspaces(pool: &PgPool) -> sqlx::Result<Vec<String>> {
        kpis::workspaces(pool).await
    }

    async fn find(
        conn: &mut PgConnection,
        _settings: &Settings,
        plan: Plan<'_>,
    ) -> anyhow::Result<Self> {
        // Whole days, whose last reply was a day old.
        let end =
            plan.as_of.duration_trunc(Duration::days(1)).context("the day")? - Duration::days(1);
        let replies = shown(conn, plan.workspace, (end - WINDOW, end), plan.as_of).await;
        let replies = replies.context("what replies were shown")?;
        let rows = replies.len();
        let drift = tokio::task::spawn_blocking(move || find(&replies, end)).await?;
        let silent = drift.iter().all(|one| one.state == State::InsufficientSampleSize);
        Ok(Self {
            run_id: identity(Self::KIND, plan).0,
            workspace: plan.workspace.to_owned(),
            as_of: plan.as_of,
            method_version: Self::CODE_VERSION,
            rows,
            skipped: silent.then_some("INSUFFICIENT_SAMPLE_SIZE"),
            drift,
        })
    }

    fn outline(&self) -> Outline {
        let each = |of: &dyn Fn(&Finding) -> Value| -> Value {
            let all = self.drift.iter().map(|one| (one.platform.as_str().to_owned(), of(one)));
            all.collect::<Map<_, _>>().into()
        };
        let parts: Vec<String> = self
            .drift
            .iter()
            .map(|one| format!("{} {}", one.platform.as_str(), one.state.as_str()))
            .collect();
        let log = Log {
            // Whoever is told adjusts; this does not.
            adjusted: false,
            reason: format!("drift: {}", parts.join(", ")),
            valid: self.drift.iter().filter(|one| one.shortfall == 0).count(),
            total: self.drift.len(),
            sample_sizes: each(&|one| json!(one.n)),
            old: json!({}),
            new: json!({}),
            predicted_improvement: None,
        };
        Outline {
            since: self.as_of - WINDOW,
            rows: self.rows,
            skipped: self.skipped,
            log: Some(log),
        }
    }

    async fn keep(
        &self,
        conn: &mut PgConnection,
        _settings: &Settings,
        _run_id: &str,
    ) -> anyhow::Result<()> {
        for one in &self.drift {
            let Some(alarm) = fresh(one, self.as_of.date_naive()) else { continue };
            let platform = Some(one.platform.as_str());
            let since = self.as_of - FRESH * 2;
            let told = alerts::list(&mut *conn, &self.workspace, platform, since).await?;
            let is_same =
                |row: &alerts::AlertRow| row.rule == RULE && row.platform.as_deref() == platform;
            if told.iter().any(is_same) {
                continue;
            }
            let alert = alert(one, alarm);
            alerts::raise(conn, &self.workspace, platform, &alert, self.as_of).await?;
            if alarm.change.abs() > REVIEW {
                let question = NewEscalation {
                    workspace_id: self.workspace.clone(),
                    post_id: None,
                    decision: None,
                    reply_id: None,
                    reason: Reason::ManualFlag,
                    reason_text: Some(alert.message),
                    priority: Some(Priority::High),
                };
                escalations::open(conn, &[question]).await?;
            }
        }
        Ok(())
    }
}

fn find(replies: &[Reply], end: DateTime<Utc>) -> Vec<Finding> {
    Platform::ALL.into_iter().map(|platform| of_platform(replies, platform, end)).collect()
}

fn of_platform(replies: &[Reply], platform: Platform, end: DateTime<Utc>) -> Finding {
    let of: Vec<&Reply> = replies.iter().filter(|reply| reply.platform == platform).collect();
    let viewed: Vec<Shown> =
        of.iter().filter_map(|reply| Some(Shown { figure: reply.views?, ..reply.shown })).collect();
    let (figure, shown) = if viewed.len() * 2 > of.len() {
        (Figure::Views, viewed)
    } else {
        (Figure::Engagement, of.iter().map(|reply| reply.shown).collect())
    };
    let watched = watch(&shown);
    let shortfall = (BASELINE + 1).saturating_sub(watched.days.len());
    let mut found = Finding {
        platform,
        figure,
        n: shown.len(),
        state: State::Steady,
        shortfall,
        slack: watched.slack,
        threshold: watched.threshold,
        alarms: watched.alarms,
        seed: SeedWeek::of(&shown, end),
        days: Vec::new(),
    };
    let old = watched.days.len().saturating_sub(DAYS_SHOWN);
    found.days = watched.days.into_iter().skip(old).collect();
    if shortfall > 0 {
        found.state = State::InsufficientSampleSize;
    } else if fresh(&found, end.date_naive()).is_some() {
        found.state = State::Moved;
    }
    found
}

/// The last alarm, if it is of these days.
fn fresh(one: &Finding, today: NaiveDate) -> Option<&Alarm> {
    one.alarms.last().filter(|alarm| today - alarm.day <= FRESH)
}

fn alert(one: &Finding, alarm: &Alarm) -> Alert {
    let what = match one.figure {
        Figure::Views => "views",
        Figure::Engagement => "likes, answers and reposts",
    };
    let way = if alarm.change < 0.0 { "fell" } else { "rose" };
    let large = alarm.change.abs() > REVIEW;
    let ask =
        if large { "; a person should look whether the platform ranks otherwise now" } else { "" };
    Alert {
        rule: RULE.into(),
        severity: if large { Severity::High } else { Severity::Medium },
        value: alarm.change,
        threshold: CHANGE_MIN.copysign(alarm.change),
        message: format!(
            "{}: {what} of our replies {way} by {:.0} % since about {}, seen on {}{ask}",
            one.platform.as_str(),
            alarm.change.abs() * 100.0,
            alarm.since,
            alarm.day,
        ),
    }
}
