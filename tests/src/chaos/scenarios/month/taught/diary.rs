//! Days and nights of the brand: what is said, what comes of it, what is learned, and how time passes.

use std::{path::PathBuf, time::Duration};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use millrace_jobs::social::{decide::Inputs, record::Platform};
use serde_json::{Value, json};
use sqlx::types::Json;

use super::{
    super::{
        house::{House, WORKSPACE},
        traffic::Day,
    },
    truth::{Four, clicked},
};
use crate::{Sender, wait_until};

/// Until what was told is stored.
const TOLD_WITHIN: Duration = Duration::from_secs(60);
/// Outcomes of one delivery.
const BATCH: usize = 200;

/// A reply, and what came of it.
#[derive(Debug)]
pub(super) struct Replied {
    pub(super) platform: Platform,
    pub(super) signals: Four,
    /// Keys of all segments that it is in.
    segments: Vec<String>,
    pub(super) rewarded: bool,
}

impl Replied {
    pub(super) fn is_in(&self, segment: &str) -> bool {
        segment == "GLOBAL" || self.segments.iter().any(|key| key == segment)
    }
}

/// Other weights for a segment.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) segment: String,
    pub(super) from: Four,
    pub(super) to: Four,
}

/// A prediction that was judged.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Judged {
    pub(super) predicted: f64,
    pub(super) actual: f64,
    pub(super) covered: bool,
}

/// What steps promised and what came of them; replies, and per cent rewarded, by weights before and after.
#[derive(Debug)]
pub(super) struct Predictions {
    pub(super) judged: Vec<Judged>,
    pub(super) old: (i64, f64),
    pub(super) new: (i64, f64),
}

/// The house, and who tells it what came of its replies.
pub(super) struct Diary {
    house: House,
    outcomes: Sender,
    clicks: i64,
    /// Decisions that were not made to the same again.
    pub(super) unrepeatable: usize,
}

#[derive(sqlx::FromRow)]
struct Fresh {
    id: String,
    platform: String,
    post: String,
    posted_at: DateTime<Utc>,
    signals: Vec<f64>,
}

fn platform(name: &str) -> Platform {
    Platform::ALL.into_iter().find(|known| known.as_str() == name).unwrap()
}

impl Diary {
    pub(super) async fn new(house: House) -> Self {
        let outcomes = Sender::add(&house.apps[0], WORKSPACE, "outcomes", &[]).await;
        Self { house, outcomes, clicks: 0, unrepeatable: 0 }
    }

    /// A day: it is decided, answered, and everybody has clicked. It ends a day ago.
    pub(super) async fn live(&mut self, day: &Day) {
        self.house.tell(&day.told).await;
        self.house.show(day);
        let shown: Vec<_> = day.expected_of_shown();
        self.house.until_read(&shown, async |_| {}).await;
        let last = ["--json", "decisions", "verify", "--last", "1000"];
        let verified = self.house.apps[0].run(&last).await;
        let verified: Value = serde_json::from_str(&verified.stdout).unwrap();
        self.unrepeatable += verified["differ"].as_array().unwrap().len();
        self.pass_a_day().await;
        let replies = self.reply().await;
        let clicks: Vec<Value> = replies
            .iter()
            .filter(|fresh| {
                let signals: Four = fresh.signals.clone().try_into().unwrap();
                clicked(platform(&fresh.platform), &fresh.post, &signals)
            })
            .map(|fresh| {
                let at = fresh.posted_at + TimeDelta::hours(1);
                json!({ "id": fresh.id, "type": "click", "reply_id": fresh.id,
                        "at": at.to_rfc3339_opts(SecondsFormat::Millis, true) })
            })
            .collect();
        self.clicks += i64::try_from(clicks.len()).unwrap();
        for batch in clicks.chunks(BATCH) {
            let answer = self.outcomes.send("", &json!({ "events": batch })).await;
            assert_eq!(answer.status, 200, "{:?}", answer.body);
        }
        let (db, clicks) = (&self.house.db, self.clicks);
        wait_until("the clicks", TOLD_WITHIN, async || {
            let stored = "select count(*) from social.click_events where reply_id is not null";
            (db.count(stored).await == clicks).then_some(())
        })
        .await;
    }

    /// Whatever the decisions let through is said.
    async fn reply(&self) -> Vec<Fresh> {
        sqlx::query_as(
            "with said as (
               insert into social.replies (workspace_id, decision_id, decision_created_at, decision_snapshot, content, archetype,
                 platform, approval_status, posted_at, created_at)
               select e.workspace_id, e.decision_id, e.created_at, jsonb_build_object('post_id', d.post_id),
                      'a reply of ten words', d.archetype, d.platform, 'APPROVED', e.created_at, e.created_at
               from social.decision_exposures e join social.decisions d on d.id = e.decision_id
               where e.action <> 'DISENGAGED'
                 and not exists (select from social.replies r where r.decision_id = e.decision_id)
               returning id, decision_id, platform, posted_at
             )
             select s.id, s.platform, p.platform_post_id as post, s.posted_at, e.signals
             from said s join social.decision_exposures e on e.decision_id = s.decision_id
             join social.decisions d on d.id = s.decision_id join social.posts p on p.id = d.post_id",
        )
        .fetch_all(&self.house.db.pool)
        .await
        .unwrap()
    }

    /// All that learning looks at is a day older than it was: no clock here is moved, and what was is a day further away.
    async fn pass_a_day(&self) {
        sqlx::raw_sql(
            "update social.decision_exposures set created_at = created_at - interval '1 day';
             update social.replies set posted_at = posted_at - interval '1 day', created_at = created_at - interval '1 day';
             update social.click_events set occurred_at = occurred_at - interval '1 day';
             update social.weight_versions set effective_from = effective_from - interval '1 day',
               effective_to = effective_to - interval '1 day' where effective_from > 'epoch' or effective_to is not null;
             update social.learning_events set date = date - interval '1 day', evaluated_at = evaluated_at - interval '1 day';
             update social.learning_runs set as_of = as_of - interval '1 day';
             update social.weight_adjustment_logs set date = date - interval '1 day';
             update social.policies set stage_since = stage_since - interval '1 day';
             update ops.rate_budgets set counted_at = counted_at - interval '1 day', reset_at = reset_at - interval '1 day',
               blocked_until = blocked_until - interval '1 day'",
        )
        .execute(&self.house.db.pool)
        .await
        .unwrap();
    }

    /// The night.
    #[expect(clippy::disallowed_methods, reason = "the night is now")]
    pub(super) async fn learn(&self) -> Value {
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let run = ["--json", "learn", "run", "--as-of", &now];
        self.house.apps[0].run_json(&run).await
    }

    /// The page, and its bytes.
    pub(super) async fn report(&self) -> (PathBuf, usize) {
        let file = std::env::temp_dir().join("millrace-taught.html");
        let path = file.to_str().unwrap();
        self.house.apps[0].run_json(&["--json", "learn", "report", path]).await;
        let bytes = std::fs::read(&file).unwrap().len();
        (file, bytes)
    }

    pub(super) async fn replies(&self) -> Vec<Replied> {
        let rows: Vec<(String, Vec<f64>, String, i32, bool)> = sqlx::query_as(
            "select r.platform, e.signals, upper(e.daypart), e.weekday, r.rewarded
             from social.reply_results($1, '-infinity', 'infinity') r
             join social.decision_exposures e on e.decision_id = r.decision_id",
        )
        .bind(WORKSPACE)
        .fetch_all(&self.house.db.pool)
        .await
        .unwrap();
        let days = ["SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"];
        let reply =
            |(name, signals, daypart, weekday, rewarded): (String, Vec<f64>, String, i32, bool)| {
                let day = days[usize::try_from(weekday).unwrap()].to_owned();
                Replied {
                    platform: platform(&name),
                    signals: signals.try_into().unwrap(),
                    segments: vec![format!("{name}_{daypart}"), name, daypart, day],
                    rewarded,
                }
            };
        rows.into_iter().map(reply).collect()
    }

    pub(super) async fn steps(&self) -> Vec<Step> {
        let rows: Vec<(String, Vec<f64>, Vec<f64>)> = sqlx::query_as(
            "select v.segment_key, p.weights, v.weights from social.weight_versions v
             join social.weight_versions p on p.id = v.parent_id where v.run_id is not null",
        )
        .fetch_all(&self.house.db.pool)
        .await
        .unwrap();
        let step = |(segment, from, to): (String, Vec<f64>, Vec<f64>)| Step {
            segment,
            from: from.try_into().unwrap(),
            to: to.try_into().unwrap(),
        };
        rows.into_iter().map(step).collect()
    }

    pub(super) async fn predictions(&self) -> Predictions {
        let pool = &self.house.db.pool;
        let judged = sqlx::query_as(
            "select predicted_improvement as predicted, actual_improvement as actual, (evaluation ->> 'covered')::boolean as covered
             from social.learning_events where adjustment_type = 'WEIGHT' and evaluated_at is not null",
        )
        .fetch_all(pool)
        .await
        .unwrap();
        let (old, old_rate, new, new_rate): (i64, f64, i64, f64) = sqlx::query_as(
            "select coalesce(sum(old), 0)::bigint, coalesce(100 * sum(old * old_rate) / nullif(sum(old), 0), 0)::float8,
                    coalesce(sum(new), 0)::bigint, coalesce(100 * sum(new * new_rate) / nullif(sum(new), 0), 0)::float8
             from (select (h ->> 'held_back')::float8 as old, (h ->> 'held_back_rewarded')::float8 as old_rate,
                          (h ->> 'replies')::float8 as new, (h ->> 'rewarded')::float8 as new_rate
                   from social.learning_events, lateral (select evaluation -> 'hold_back' as h) t) sides",
        )
        .fetch_one(pool)
        .await
        .unwrap();
        Predictions { judged, old: (old, old_rate), new: (new, new_rate) }
    }

    /// The weights that most decisions of the last posts were made with, on each platform.
    pub(super) async fn in_force(&self) -> Vec<(Platform, Four, i64)> {
        let rows: Vec<(String, Json<Inputs>, i64)> = sqlx::query_as(
            "select distinct on (platform) platform, features, n from (
               select d.platform, (array_agg(e.features))[1] as features, count(*) as n
               from social.decision_exposures e join social.decisions d on d.id = e.decision_id
               where e.created_at > (select max(created_at) from social.decision_exposures) - interval '1 hour'
               group by d.platform, e.weights_version) t
             order by platform, n desc",
        )
        .fetch_all(&self.house.db.pool)
        .await
        .unwrap();
        let of = |(name, inputs, n): (String, Json<Inputs>, i64)| {
            let found = inputs.0.weights.effective(inputs.0.thresholds.min_sample, &mut Vec::new());
            let w = found.values;
            (platform(&name), [w.sss, w.ars, w.evs, w.trs], n)
        };
        rows.into_iter().map(of).collect()
    }
}
