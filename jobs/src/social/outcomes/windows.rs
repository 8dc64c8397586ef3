//! When a reply's metrics are looked at: four times after it was posted, each by a job of its own.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::queue::NewJob;

/// `Job::KIND` of the job that looks; it knows platforms, so it is elsewhere.
pub const KIND: &str = "social.outcome";
/// Deliveries of one look; the sweep begins anew as long as [`LATEST`] has not passed.
pub const ATTEMPTS_MAX: i32 = 6;
/// So long after a window's time a look is of no use any more.
pub const LATEST: TimeDelta = TimeDelta::days(2);

/// How long after a reply was posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Window {
    /// 15 minutes.
    #[serde(rename = "15m")]
    Quarter,
    /// 60 minutes.
    #[serde(rename = "60m")]
    Hour,
    /// 24 hours.
    #[serde(rename = "24h")]
    Day,
    /// 7 days.
    #[serde(rename = "7d")]
    Week,
}

impl Window {
    /// All of them, the shortest first.
    pub const ALL: [Self; 4] = [Self::Quarter, Self::Hour, Self::Day, Self::Week];

    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quarter => "15m",
            Self::Hour => "60m",
            Self::Day => "24h",
            Self::Week => "7d",
        }
    }

    /// After the reply was posted.
    #[must_use]
    pub const fn after(self) -> TimeDelta {
        match self {
            Self::Quarter => TimeDelta::minutes(15),
            Self::Hour => TimeDelta::minutes(60),
            Self::Day => TimeDelta::hours(24),
            Self::Week => TimeDelta::days(7),
        }
    }
}

/// Payload of the job: a reply and the window to look at it in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// `social.replies.id`.
    pub reply_id: String,
    /// Which look.
    pub window: Window,
}

impl Look {
    /// The job, due when the window is; one waits, however often it is asked for.
    ///
    /// # Errors
    /// Never in practice: the payload is two strings.
    pub fn job(
        &self,
        workspace_id: &str,
        posted_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> serde_json::Result<NewJob> {
        let wait = posted_at + self.window.after() - now;
        Ok(NewJob {
            kind: KIND,
            workspace_id: workspace_id.to_owned(),
            payload: serde_json::value::to_raw_value(self)?,
            priority: 2,
            attempts_max: ATTEMPTS_MAX,
            unique_key: Some(format!("{} {}", self.reply_id, self.window.as_str())),
            delay: wait.to_std().unwrap_or(Duration::ZERO),
            trace_id: None,
        })
    }
}

/// The jobs of a reply that is posted: enqueue them in the transaction that says so.
///
/// # Errors
/// As [`Look::job`].
pub fn jobs(
    workspace_id: &str,
    reply_id: &str,
    posted_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> serde_json::Result<Vec<NewJob>> {
    let look = |window| Look { reply_id: reply_id.to_owned(), window };
    Window::ALL.into_iter().map(|window| look(window).job(workspace_id, posted_at, now)).collect()
}

/// What a platform shows of a reply. Absent is unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Likes, hearts, or upvotes less downvotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub likes: Option<i64>,
    /// Answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replies: Option<i64>,
    /// Reposts and quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shares: Option<i64>,
    /// Times it was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub views: Option<i64>,
    /// It is not there any more.
    pub removed: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_looks_are_due_and_what_is_late_is_due_now() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let due = |ago: TimeDelta| -> Vec<u64> {
            let jobs = jobs("w", "r", now - ago, now).unwrap();
            jobs.iter().map(|job| job.delay.as_secs()).collect()
        };
        assert_eq!(due(TimeDelta::zero()), [900, 3_600, 86_400, 604_800]);
        assert_eq!(due(TimeDelta::minutes(60)), [0, 0, 82_800, 601_200]);
        let jobs = jobs("w", "r", now, now).unwrap();
        assert_eq!(jobs[3].unique_key.as_deref(), Some("r 7d"));
        let look: Look = serde_json::from_str(jobs[0].payload.get()).unwrap();
        assert_eq!(look, Look { reply_id: "r".into(), window: Window::Quarter });
        for window in Window::ALL {
            assert_eq!(serde_json::to_value(window).unwrap(), window.as_str());
        }
    }
}
