//! Two whole processes, three platforms.

use std::time::Duration;

use millrace_jobs::social::profile::Profile;
use serde_json::{Value, json};
use sqlx::types::Json;
use tempfile::TempDir;
use tokio::time::Instant;

use super::{
    judge::Books,
    traffic::{Day, Expected, KINDS, Month},
};
use crate::{App, Database, Pg, Sender, platforms::Platform};

/// Posts of a page of each platform.
const PAGE: [usize; 3] = [20, 20, 50];
/// Calls in a window of X and Reddit.
const ALLOWED: (usize, Duration) = (15, Duration::from_secs(2));
/// From what a day shows to its last decision.
const DAY_MAX: Duration = Duration::from_secs(180);
/// Threads has no windows: of this many in a day, an eleventh at once.
const THREADS_CALLS: usize = 2200;
pub(super) const WORKSPACE: &str = "acme";

pub(super) struct House {
    pub(super) platforms: Vec<Platform>,
    pub(super) db: Database,
    pub(super) apps: Vec<App>,
    senders: Vec<Sender>,
    _profile: TempDir,
}

impl House {
    pub(super) async fn open() -> Self {
        let db = Pg::database().await;
        let folder = TempDir::new().unwrap();
        let profile = folder.path().join("profile.toml");
        std::fs::write(&profile, profile_of_a_month()).unwrap();
        let app = || {
            App::new(&db, &["all"])
                .env("MILLRACE__SOCIAL__PROFILE", profile.to_str().unwrap())
                .env("MILLRACE__POLL__ALLOW_PRIVATE_ADDRESSES", "true")
                .env("MILLRACE__POLL__BREAKER_OPEN_S", "1")
                .env("MILLRACE__QUEUE__LEASE_MS", "1500")
                .env("MILLRACE__QUEUE__HEARTBEAT_MS", "400")
                .env("MILLRACE__QUEUE__RETRY_BASE_MS", "200")
                .env("MILLRACE__QUEUE__CRASHES_MAX", "1000")
                .env("MILLRACE__TELEMETRY__LEVEL", "warn")
        };
        let (one, two) = tokio::join!(app().ready(), app().ready());
        let (mut platforms, mut senders) = (Vec::new(), Vec::new());
        for (kind, page) in KINDS.into_iter().zip(PAGE) {
            let platform = Platform::start(page).await;
            if kind != "threads" {
                platform.allow(ALLOWED.0, ALLOWED.1);
            }
            senders.push(source(&one, kind, &platform).await);
            platforms.push(platform);
        }
        Self { platforms, db, apps: vec![one, two], senders, _profile: folder }
    }

    /// The webhooks, each until it has its 2xx.
    pub(super) async fn tell(&self, told: &[(usize, Value)]) {
        for (platform, body) in told {
            let mut tries = 0;
            loop {
                let sender = self.senders[*platform].to(&self.apps[tries % self.apps.len()]);
                match sender.try_send("", body).await {
                    Ok(answer) if answer.status == 200 => break,
                    other => assert!(tries < 500, "nobody takes a webhook: {other:?}"),
                }
                tries += 1;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }

    /// The platforms show what is new, and nothing of what is gone.
    pub(super) fn show(&self, day: &Day) {
        for (nth, platform) in self.platforms.iter().enumerate() {
            day.gone.iter().filter(|(at, _)| *at == nth).for_each(|(_, id)| platform.delete(id));
            platform
                .show(day.shown.iter().filter(|(at, _)| *at == nth).map(|(_, post)| post.clone()));
        }
    }

    /// `kill -9`, and a start.
    pub(super) fn kill(&mut self, nth: usize) {
        self.apps[nth].kill();
        self.apps[nth].spawn();
    }

    /// Poll until everything is as expected and at rest; `between` happens meanwhile, again and again.
    pub(super) async fn until_read(
        &mut self,
        expected: &[Expected],
        mut between: impl AsyncFnMut(&mut Self),
    ) {
        let began = Instant::now();
        loop {
            let (wrong, jobs) = (self.wrong(expected).await, self.at_work().await);
            if wrong.is_empty() && jobs == 0 {
                return;
            }
            assert!(began.elapsed() < DAY_MAX, "not read: {:#?}", &wrong[..wrong.len().min(20)]);
            let mut open: Vec<String> = wrong.into_iter().map(|(kind, _)| kind).collect();
            open.dedup();
            // A platform all of whose posts are there is not asked again.
            sqlx::query(
                "update ops.ingest_cursors c set next_at = now()
                 where c.platform = any ($1) and not exists (select from ops.jobs j where j.kind = 'poll.page'
                   and j.payload ->> 'source_id' = c.source_id)",
            )
            .bind(&open)
            .execute(&self.db.pool)
            .await
            .unwrap();
            self.apps[0].run_json(&["--json", "social", "poll"]).await;
            between(self).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What waits or runs of the work on posts.
    async fn at_work(&self) -> i64 {
        self.db
            .count("select count(*) from ops.jobs where kind in ('normalize', 'social.decide')")
            .await
    }

    /// Each post that is not as expected: its kind of source, and how it is.
    async fn wrong(&self, expected: &[Expected]) -> Vec<(String, String)> {
        sqlx::query_as(
            "with expected as (select * from jsonb_to_recordset($1) as e (platform text, id text, content text, deleted bool,
               spam bool, superseded bool, decisions bigint, refused bool)
             ), found as (
               select e as wanted, p.id, r.rule, jsonb_build_object('content', p.content, 'deleted', p.deleted_at is not null,
                   'spam', p.spam_filtered, 'superseded', p.superseded_by is not null,
                   'decisions', (select count(*) from social.decisions d where d.post_id = p.id)) as is
               from expected e
               left join social.posts p on p.platform = e.platform and p.platform_post_id = e.id
               left join social.refused_posts r on r.platform = e.platform and r.platform_post_id = e.id
             )
             select case (wanted).platform when 'TWITTER' then 'x' else lower((wanted).platform) end,
                    format('%s, but it is %s, refused: %s', to_jsonb(wanted), f.is, rule)
             from found f
             where case when (wanted).refused then id is not null or rule is null
                        else id is null or not to_jsonb(wanted) @> f.is end
             order by 2",
        )
        .bind(Json(expected))
        .fetch_all(&self.db.pool)
        .await
        .unwrap()
    }

    /// What is left.
    pub(super) async fn books(self, month: &Month) -> Books {
        let wrong = self.wrong(month.end()).await;
        let last = ["--json", "decisions", "verify", "--last", "1000000"];
        let verified = self.apps[0].run(&last).await;
        let verified: Value = serde_json::from_str(&verified.stdout).unwrap();
        let platforms = &self.platforms;
        // Threads says nothing of its day: what it must not see more of is what we were told.
        let over_a_day = platforms[2].calls().len().saturating_sub(THREADS_CALLS);
        Books {
            wrong: wrong.into_iter().map(|(_, how)| how).collect(),
            extra: self.db.count("select count(*) from social.posts").await
                - i64::try_from(month.stored()).unwrap(),
            dead: self.db.count("select count(*) from ops.dead_letters").await,
            decisions: Books::decisions(&self.db.pool).await,
            verified: verified["decisions"].as_u64().unwrap(),
            unrepeatable: verified["differ"].as_array().unwrap().len(),
            calls: platforms.iter().map(|platform| platform.calls().len()).sum(),
            over: platforms.iter().map(Platform::over).sum::<usize>() + over_a_day,
            funnel: Books::funnel(&self.db.pool).await,
        }
    }
}

async fn source(app: &App, kind: &str, platform: &Platform) -> Sender {
    let options = json!({ "api_url": platform.url, "auth_url": platform.url, "interval_s": 86_400, "first_s": 600_000,
        "terms": ["hangover"], "subreddits": if kind == "reddit" { vec!["party"] } else { Vec::new() },
        "calls_per_day": THREADS_CALLS });
    let token = platform.token();
    let credentials = match kind {
        "x" => vec![format!("bearer={token}")],
        "reddit" => {
            vec!["client_id=reddit-app-id".into(), "client_secret=reddit-app-secret".into()]
        }
        _ => vec![format!("access_token={token}")],
    };
    let options = options.to_string();
    let mut arguments = vec!["--options", &*options];
    arguments.extend(credentials.iter().flat_map(|credential| ["--credential", credential]));
    Sender::add(app, WORKSPACE, kind, &arguments).await
}

/// The seed's profile for posts of all ages, in a community that is open, with competitors on every day.
fn profile_of_a_month() -> String {
    let mut text = Profile::shipped("vita").unwrap().to_owned();
    for (old, new) in [
        ("post_hours_max = 6.0", "post_hours_max = 720.0"),
        ("per_competitor_day = 5", "per_competitor_day = 1000000"),
        ("per_day = 15", "per_day = 1000000"),
        ("name = \"hangover\"\nenabled", "name = \"party\"\nenabled"),
    ] {
        assert!(text.contains(old), "the profile does not say {old:?} any more");
        text = text.replacen(old, new, 1);
    }
    text
}
