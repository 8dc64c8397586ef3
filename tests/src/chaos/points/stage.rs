//! One run: a database in a prepared state, a process, and what keeps it going.

use std::{path::PathBuf, time::Duration};

use millrace_config::point::Point;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Case, Seen, endpoint};
use crate::{
    App, Checkout, Database, Nats, Pg, Sender, client,
    oracle::{self, Oracle},
    platforms::Platform,
};

/// The workspace of the work.
pub(super) const WORKSPACE: &str = "points";
/// What a step may take, restarts and leases of the dead included.
const STEP_MAX: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(30);
/// Of the codebase: more than are written at once.
const FILES: usize = 40;
/// Larger deliveries do not fit into a message of the buffer.
const MESSAGE_BYTES_MAX: usize = 64 << 10;
/// The points that only a buffer has.
const BUFFERED: [Point; 5] =
    [Point::Publish, Point::Published, Point::LaneTaken, Point::BridgeStored, Point::BridgeSettled];

const SCHEDULES: &str = r#"
[[schedule]]
name = "first"
cron = "0 0 1 1 *"
timezone = "UTC"
kind = "maintenance.partitions"
[[schedule]]
name = "second"
cron = "0 0 1 1 *"
timezone = "UTC"
kind = "maintenance.partitions"
[[schedule]]
name = "third"
cron = "0 0 1 1 *"
timezone = "UTC"
kind = "maintenance.partitions"
[[schedule]]
name = "fourth"
cron = "0 0 1 1 *"
timezone = "UTC"
kind = "social.retention"
"#;

/// What waits in the database when a run begins: ticks that are due, jobs of dead workers, jobs that are due, suspects,
/// jobs that cannot be read, queries of a platform that are due, partitions that are over.
const PLANTED: &str = r#"
insert into ops.schedule_ticks (schedule, tick)
  select s, now() - interval '2 years' from unnest(array['first', 'second', 'third', 'fourth']) s;
insert into ops.jobs (workspace_id, kind, attempts_max, payload, state, attempt, leased_by, lease_until, started_at)
  select 'points', 'signals.process', 25, jsonb_build_object('signal_id', 'forsaken-' || n), 'running', 1, 'nobody',
         now() - interval '1 hour', now() - interval '2 hours' from generate_series(1, 2) n;
insert into ops.jobs (workspace_id, kind, attempts_max, payload, state, run_at)
  select 'points', 'signals.process', 25, jsonb_build_object('signal_id', 'due-' || n), 'scheduled',
         now() - interval '1 minute' from generate_series(1, 2) n;
insert into ops.jobs (workspace_id, kind, attempts_max, payload, crashes)
  select 'points', 'signals.process', 25, jsonb_build_object('signal_id', 'suspect-' || n), 2 from generate_series(1, 3) n;
insert into ops.jobs (workspace_id, kind, attempts_max, payload)
  select 'points', 'signals.process', 25, '{}' from generate_series(1, 2) n;
insert into ops.jobs (workspace_id, kind, attempts_max, payload) values ('points', 'poll.tick', 25, '{}');
do $$
declare parent text; d date := current_date - 90;
begin
  foreach parent in array array['event_bodies', 'job_history'] loop
    execute format('create table ops.%I partition of ops.%I for values from (%L) to (%L)',
                   parent || '_' || to_char(d, 'YYYYMMDD'), parent, d, d + 1);
  end loop;
end $$;
-- Two posts that are over, one of them with a decision.
insert into social.authors (workspace_id, id, platform, platform_id, handle) values ('points', 'old', 'TWITTER', '77777', 'old');
insert into social.posts (workspace_id, id, platform, platform_post_id, author_id, content, detected_at, processed_at)
  select 'points', 'old-' || n, 'TWITTER', 'old_' || n, 'old', 'Long ago', now() - interval '200 days', now()
  from generate_series(1, 2) n;
insert into social.decisions (workspace_id, id, post_id, sss_score, ars_score, evs_score, trs_score, composite_score, mode, created_at)
  values ('points', 'old', 'old-1', 0, 0, 0, 0, 0, 'DISENGAGED', now() - interval '200 days');
-- An experiment that has been won; its authors came before its posts.
insert into social.experiments (workspace_id, id, name, variant_a, variant_b, metric, status, start_date, end_date)
  values ('points', 'sooner', 'sooner', '{}', '{"thresholds": {"sss_power": 0.6}}', 'engagement', 'RUNNING',
          now() - interval '30 days', now() - interval '1 hour');
insert into social.experiment_assignments (workspace_id, experiment_id, unit_id, variant, propensity, assigned_at, decision_id)
  select 'points', 'sooner', 'u' || n, case when n % 2 = 0 then 'B' else 'A' end, 0.5, now() - interval '20 days', 'd' || n
  from generate_series(1, 800) n;
insert into social.replies (workspace_id, id, decision_id, decision_snapshot, content, platform, approval_status, posted_at)
  select 'points', 'r' || n, 'd' || n, '{}', 'a reply of ten words', 'TWITTER', 'APPROVED', now() - interval '20 days'
  from generate_series(1, 800) n where n % 2 = 0 and n % 5 < 3 or n % 10 = 1;
insert into social.click_events (workspace_id, external_id, reply_id, occurred_at)
  select 'points', id, id, posted_at + interval '1 hour' from social.replies where workspace_id = 'points' and id like 'r%';
select social.ensure_partitions(2);
"#;

/// What every run begins with.
#[derive(Debug)]
pub(super) struct Template {
    database: String,
    sender: Sender,
    github: Sender,
    x: Sender,
    key: String,
    project: String,
    nats: Option<Nats>,
    codebase: Checkout,
}

impl Template {
    pub(super) async fn prepare() -> Self {
        let db = Pg::database().await;
        let app = App::new(&db, &[]);
        let sender = Sender::add(&app, WORKSPACE, "webhook", &[]).await;
        let github = Sender::add(&app, WORKSPACE, "github", &[]).await;
        let platform = Platform::start(3).await;
        platform.write("x", (0..5).map(|n| 600 + n * 11));
        let options =
            json!({ "api_url": platform.url, "terms": ["hangover"], "interval_s": 86_400 })
                .to_string();
        let bearer = format!("bearer={}", platform.token());
        let polled = ["--options", &options, "--credential", &bearer];
        let x = Sender::add(&app, WORKSPACE, "x", &polled).await;
        let scopes = "read,write,operate";
        let key = ["--json", "key", "add", "--workspace", WORKSPACE, "--scopes", scopes];
        let key = app.run_json(&key).await["key"].as_str().unwrap().to_owned();
        let project = ["--json", "project", "add", "Exports", "--workspace", WORKSPACE];
        let project = app.run_json(&project).await["id"].as_str().unwrap().to_owned();
        sqlx::raw_sql(PLANTED).execute(&db.pool).await.unwrap();
        let codebase = Checkout::new();
        for nth in 0..FILES {
            codebase.write(
                &format!("src/part{nth}.rs"),
                format!("/// Part {nth}.\nfn part{nth}() {{}}\n"),
            );
        }
        codebase.write("Cargo.lock", "version = 4\n");
        codebase.commit("all of it");
        codebase.connect(&db.pool, WORKSPACE, "points").await;
        db.pool.close().await;
        let database = db.url.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
        let nats = Nats::start(MESSAGE_BYTES_MAX).await;
        Self { database, sender, github, x, key, project, nats, codebase }
    }

    /// The points that the work can pass here.
    pub(super) fn expected(&self) -> impl Iterator<Item = Point> {
        let buffered = self.nats.is_some();
        Point::ALL.iter().copied().filter(move |point| buffered || !BUFFERED.contains(point))
    }
}

/// One run.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) db: Database,
    app: App,
    sender: Sender,
    github: Sender,
    x: Sender,
    /// What GitHub says when a branch of the codebase has another commit.
    pub(super) push: Value,
    key: String,
    pub(super) project: String,
    pub(super) oracle: Oracle,
    faults: Vec<Case>,
    /// How often the process ended before it was asked to.
    pub(super) deaths: usize,
    client: reqwest::Client,
}

/// What a run left.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) problems: Vec<String>,
    pub(super) state: Vec<String>,
}

impl Run {
    /// A process over a fresh copy of the template, told to fail at `faults`.
    pub(super) async fn start(template: &Template, faults: Vec<Case>) -> Self {
        let db = Pg::create(&template.database).await;
        let mut app = App::new(&db, &["all"]);
        let (seen, config) = (app.home().join("seen"), app.home().join("millrace.toml"));
        let archive = app.home().join("archive");
        std::fs::write(&config, SCHEDULES).unwrap();
        for (name, value) in [
            ("MILLRACE_POINTS_SEEN", seen.to_str().unwrap()),
            ("MILLRACE_CONFIG", config.to_str().unwrap()),
            ("MILLRACE__QUEUE__LEASE_MS", "1500"),
            ("MILLRACE__QUEUE__HEARTBEAT_MS", "300"),
            ("MILLRACE__QUEUE__POLL_MS", "200"),
            ("MILLRACE__QUEUE__RETRY_BASE_MS", "100"),
            ("MILLRACE__QUEUE__CRASHES_MAX", "100"),
            ("MILLRACE__QUEUE__DRAIN_MS", "2000"),
            ("MILLRACE__DATABASE__API_CONNECTIONS", "3"),
            ("MILLRACE__DATABASE__JOB_CONNECTIONS", "5"),
            ("MILLRACE__ENDPOINT__URL", &endpoint::start().await),
            ("MILLRACE__ENDPOINT__MODEL", "m"),
            ("MILLRACE__ENDPOINT__ALLOW_PRIVATE_ADDRESSES", "true"),
            // Nothing of the work is to depend on what the classifier thinks.
            ("MILLRACE__CLASSIFY__AUTO_LINK_ABOVE", "1.0"),
            ("MILLRACE__CODEBASE__ALLOW_LOCAL", "true"),
            ("MILLRACE__SOCIAL__PROFILE", "vita"),
            ("MILLRACE__POLL__ALLOW_PRIVATE_ADDRESSES", "true"),
            ("MILLRACE__POLL__BREAKER_OPEN_S", "1"),
            ("MILLRACE__SOCIAL__RETENTION__FOLDER", archive.to_str().unwrap()),
        ] {
            app = app.env(name, value);
        }
        if let Some(nats) = &template.nats {
            let stream = format!("RUN-{:016x}", rand::random::<u64>());
            app = nats
                .buffer(app)
                .env("MILLRACE__NATS__STREAM", &stream)
                .env("MILLRACE__NATS__MAX_BYTES", "4194304");
        }
        let (sender, github) = (template.sender.to(&app), template.github.to(&app));
        let x = template.x.to(&app);
        let push = template.codebase.push();
        let (key, project) = (template.key.clone(), template.project.clone());
        let oracle = Oracle::default();
        let (deaths, client) = (0, client());
        let mut run =
            Self { db, app, sender, github, x, push, key, project, oracle, faults, deaths, client };
        run.spawn();
        run
    }

    /// Faults that were not made yet, by the passes that are left until then.
    pub(super) fn open_faults(&self) -> Vec<Case> {
        let (lines, seen) = (self.lines(), self.seen());
        let made = |case: &&Case| {
            lines.iter().any(|(name, how)| name == case.point.name() && how == "fired")
        };
        let left = |case: &Case| {
            let passes = seen.get(&case.point).map_or(0, |(passes, _)| *passes);
            Case { pass: case.pass.saturating_sub(passes).max(1), ..*case }
        };
        self.faults.iter().filter(|case| !made(case)).map(left).collect()
    }

    fn spawn(&mut self) {
        let open: Vec<String> = self.open_faults().iter().map(ToString::to_string).collect();
        self.app.set("MILLRACE_FAULTS", &open.join(","));
        self.app.spawn();
    }

    /// Until `step` yields a value, or says why it does not go on; a process that ended is started again, without the fault.
    pub(super) async fn until<T>(
        &mut self,
        what: &str,
        mut step: impl AsyncFnMut(&mut Self) -> Option<T>,
    ) -> Result<T, String> {
        let mut deadline = Instant::now() + STEP_MAX;
        loop {
            if self.revive().await {
                deadline = Instant::now() + STEP_MAX;
            }
            if let Some(value) = step(self).await {
                return Ok(value);
            }
            if Instant::now() > deadline {
                return Err(self.stuck(what).await);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Why it does not go on.
    async fn stuck(&self, what: &str) -> String {
        let mut open = oracle::unfinished(&self.db.pool).await;
        let events: i64 = sqlx::query_scalar("select count(*) from ops.events")
            .fetch_one(&self.db.pool)
            .await
            .unwrap();
        open.push(format!("{events} events of {} promised", self.oracle.promised_so_far()));
        format!("waits for {what}: {open:?}\n{}", self.app.log())
    }

    /// True if it had to be started again.
    async fn revive(&mut self) -> bool {
        let dead = !self.app.is_running();
        if dead {
            self.deaths += 1;
            // The next leader need not wait for the lease of the dead one, and how many deaths a job may see is
            // another question.
            sqlx::raw_sql(
                "update ops.leases set until = now(); update ops.jobs set attempts_max = 100",
            )
            .execute(&self.db.pool)
            .await
            .unwrap();
            self.spawn();
        }
        dead
    }

    pub(super) fn sender(&self) -> Sender {
        self.sender.clone()
    }

    pub(super) fn github(&self) -> Sender {
        self.github.clone()
    }

    pub(super) fn x(&self) -> Sender {
        self.x.clone()
    }

    /// Status and body of an API request; nothing if it broke.
    pub(super) async fn ask(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<Value>,
    ) -> Option<(u16, Value)> {
        let mut request = self.client.request(method, self.app.url(path)).bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.json().await.unwrap_or(Value::Null)))
    }

    /// SIGTERM; true if it ended well.
    pub(super) async fn stop(&mut self) -> bool {
        self.app.signal(Signal::TERM);
        let status = self.app.ended(STEP_MAX).await;
        if !status.success() {
            self.deaths += 1;
            self.spawn();
        }
        status.success()
    }

    pub(super) async fn judge(&self) -> Judged {
        let verdict = self.oracle.judge(&self.db.pool, self.oracle.promised_so_far()).await;
        let mut problems = Vec::new();
        if !verdict.is_good() {
            problems.push(format!("{verdict:?}"));
        }
        Judged { problems, state: oracle::state(&self.db.pool).await }
    }

    fn seen_file(&self) -> PathBuf {
        self.app.home().join("seen")
    }

    fn lines(&self) -> Vec<(String, String)> {
        let text = std::fs::read_to_string(self.seen_file()).unwrap_or_default();
        let line = |l: &str| l.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned()));
        text.lines().filter_map(line).collect()
    }

    /// The points it has passed so far.
    pub(super) fn seen(&self) -> Seen {
        let mut seen = Seen::new();
        for (name, how) in self.lines().iter().filter(|(_, how)| how != "fired") {
            let point = Point::ALL.iter().find(|point| point.name() == name).unwrap();
            let (passes, can_fail) = seen.entry(*point).or_default();
            (*passes, *can_fail) = (*passes + 1, *can_fail || how == "may_fail");
        }
        seen
    }
}
