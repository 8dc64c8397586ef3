//! One page over the wire: budget, token, answer, and what each failure means.

use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode};
use millrace_config::point::{Point, may_fail};
use millrace_jobs::ctx::Ctx;
use reqwest::{Client, RequestBuilder, Response};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    budget::{Quota, Told, retry_after},
    client::{self, Answer},
    plan::Query,
    platform::{Ask, Of, Platform, platform},
    store::{
        budgets::{self, Budget, Ended},
        cursors::{self, Key},
    },
    walk::{self, Cursor},
};
use crate::{
    registry::credentials::{self, Kept, Polled},
    secrets::KeyRing,
};

/// A platform that says no and not for how long is left alone so long.
const UNSAID: Duration = Duration::from_secs(60);

/// Nobody renews a token for longer than that.
const RENEWING_MAX: Duration = Duration::from_secs(60);
/// While somebody else renews it.
const RENEWED_SOON: Duration = Duration::from_secs(1);

/// A page, and what matters of it.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) body: Vec<u8>,
    pub(super) page: walk::Page,
}

/// Why there is no page.
#[derive(Debug)]
pub(super) enum Failure {
    /// The budget is used up, or the breaker is open: after this long. No call was made, or it was turned away.
    NotNow(Duration),
    /// The platform does not answer, or with an error of its own.
    Away(String),
    /// It refuses us or the query; trying again soon is of no use.
    Wrong(String),
}

impl Failure {
    /// For the counter.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::NotNow(_) => "not_now",
            Self::Away(_) => "away",
            Self::Wrong(_) => "wrong",
        }
    }
}

/// All that a call needs.
struct Line<'a> {
    ctx: &'a Ctx,
    ring: &'a KeyRing,
    platform: &'static dyn Platform,
    source: &'a Polled,
    client: Client,
    budget: Budget,
}

/// The next page of a query.
///
/// # Errors
/// Those of the database and of the key ring; what platforms do is a [`Failure`].
pub(super) async fn fetch(
    ctx: &Ctx,
    ring: &KeyRing,
    source: &Polled,
    query: &Query,
    cursor: &Cursor,
    key: Key<'_>,
) -> anyhow::Result<Result<Fetched, Failure>> {
    let Some(platform) = platform(&source.kind) else {
        return Ok(Err(Failure::Wrong("no platform of this kind".into())));
    };
    let Some(kept) = credentials::load(&ctx.pool, ring, &source.id).await.context("credentials")?
    else {
        let why = "the source has no credentials to poll with; `millrace source set --credential` gives it some";
        return Ok(Err(Failure::Wrong(why.into())));
    };
    let of = Of { options: &source.options, credentials: &kept.credentials };
    let budget = budget(ctx, platform, source, &kept, platform.quota(of, query));
    cursors::begin(&ctx.pool, key, &budget.credential, budget.quota.bucket)
        .await
        .context("cursor")?;
    let client = client::client(&ctx.settings.poll).context("HTTP client")?;
    let line = Line { ctx, ring, platform, source, client, budget };
    let page = |kept: &Kept| {
        let ask = Ask { query, cursor, now: ctx.clock.now() };
        platform.page(&line.client, line.of(kept), &ask)
    };
    let answer = match line.ask(kept, page).await? {
        Ok(answer) => answer,
        Err(failure) => return Ok(Err(failure)),
    };
    let mut fetched = line.judge(answer);
    if let Ok(Fetched { page, .. }) = &mut fetched {
        page.lost = page.items == 0 && cursor.next_page.is_some() && platform.empty_is_lost();
    }
    Ok(fetched)
}

/// Any other call, from a budget of its own.
///
/// # Errors
/// As those of [`fetch`].
pub(super) async fn ask(
    ctx: &Ctx,
    (platform, source): (&'static dyn Platform, &Polled),
    (ring, kept): (&KeyRing, Kept),
    quota: Quota,
    request: impl Fn(&Client, Of<'_>) -> RequestBuilder,
) -> anyhow::Result<Result<Answer, Failure>> {
    let budget = budget(ctx, platform, source, &kept, quota);
    let client = client::client(&ctx.settings.poll).context("HTTP client")?;
    let line = Line { ctx, ring, platform, source, client, budget };
    line.ask(kept, |kept| request(&line.client, line.of(kept))).await
}

/// An answer that does not end, as far as its head.
///
/// # Errors
/// As those of [`fetch`].
pub(super) async fn open(
    ctx: &Ctx,
    (platform, source): (&'static dyn Platform, &Polled),
    (ring, kept): (&KeyRing, &Kept),
    quota: Quota,
    request: impl Fn(&Client, Of<'_>) -> RequestBuilder,
) -> anyhow::Result<Result<Response, Failure>> {
    let budget = budget(ctx, platform, source, kept, quota);
    let client = client::client(&ctx.settings.poll).context("HTTP client")?;
    let line = Line { ctx, ring, platform, source, client, budget };
    if let Err(wait) = line.take().await? {
        return Ok(Err(Failure::NotNow(wait)));
    }
    let request = request(&line.client, line.of(kept));
    match client::send(&ctx.settings.poll, request).await {
        Ok(answer) => {
            line.noted(answer.status(), answer.headers()).await?;
            Ok(Ok(answer))
        }
        Err(why) => {
            line.note(Ended { failed: true, ..Ended::default() }).await?;
            Ok(Err(Failure::Away(why)))
        }
    }
}

fn budget(
    ctx: &Ctx,
    platform: &dyn Platform,
    source: &Polled,
    kept: &Kept,
    quota: Quota,
) -> Budget {
    let counted_by = platform.counted_by(&kept.credentials).unwrap_or(&source.id);
    let settings = &ctx.settings.poll;
    Budget {
        workspace_id: source.workspace_id.clone(),
        credential: hex::encode(Sha256::digest([source.kind.as_str(), counted_by].join("\0")))
            .chars()
            .take(32)
            .collect(),
        quota,
        failures_max: i32::try_from(settings.breaker_failures).unwrap_or(i32::MAX),
        open_s: f64::from(settings.breaker_open_s.saturating_mul(platform.patience())),
    }
}

impl Line<'_> {
    fn of<'k>(&'k self, kept: &'k Kept) -> Of<'k> {
        Of { options: &self.source.options, credentials: &kept.credentials }
    }

    /// Ask, with another token if this one has run out.
    async fn ask(
        &self,
        mut kept: Kept,
        request: impl Fn(&Kept) -> RequestBuilder,
    ) -> anyhow::Result<Result<Answer, Failure>> {
        let mut renewed = false;
        if self.platform.is_stale(&kept.credentials, self.ctx.clock.now()) {
            renewed = true;
            match self.renew(&kept).await? {
                Ok(Some(fresh)) => kept = fresh,
                // What is left of the old one may still do.
                Ok(None) => {}
                Err(failure) if kept.credentials.access_token.is_none() => return Ok(Err(failure)),
                Err(_) => tracing::warn!(
                    source_id = self.source.id,
                    "a token cannot be renewed before its end"
                ),
            }
        }
        let answer = self.call(request(&kept)).await?;
        let denied = answer.as_ref().is_ok_and(|answer| answer.status == StatusCode::UNAUTHORIZED);
        if !denied || renewed {
            return Ok(answer);
        }
        match self.renew(&kept).await? {
            Ok(Some(fresh)) => self.call(request(&fresh)).await,
            Ok(None) => Ok(answer),
            Err(failure) => Ok(Err(failure)),
        }
    }

    /// One call within the budget.
    async fn call(&self, request: RequestBuilder) -> anyhow::Result<Result<Answer, Failure>> {
        if let Err(wait) = self.take().await? {
            return Ok(Err(Failure::NotNow(wait)));
        }
        may_fail(Point::CallTaken)?;
        let answer = match client::ask(&self.ctx.settings.poll, request).await {
            Ok(answer) => answer,
            Err(why) => {
                self.note(Ended { failed: true, ..Ended::default() }).await?;
                return Ok(Err(Failure::Away(why)));
            }
        };
        let wait = self.noted(answer.status, &answer.headers).await?;
        let limited = answer.status == StatusCode::TOO_MANY_REQUESTS;
        // An error of its own is one, whatever it says of when to come again: the budget remembers that.
        Ok(match wait.filter(|_| limited) {
            Some(wait) => {
                let why = format!("{}, for {} s", answer.status, wait.as_secs());
                tracing::info!(source_id = self.source.id, why, "the platform asks us to wait");
                Err(Failure::NotNow(wait))
            }
            None => Ok(answer),
        })
    }

    /// Note what an answer says of the budget; how long it asks us to wait, if so.
    async fn noted(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> anyhow::Result<Option<Duration>> {
        let now = self.ctx.clock.now();
        let told = self.platform.told(headers, now);
        let limited = status == StatusCode::TOO_MANY_REQUESTS;
        let failed = limited || status.is_server_error();
        let said = retry_after(headers, now).filter(|_| failed);
        let wait = said.or_else(|| limited.then(|| until(told, now)));
        self.note(Ended { told, failed, wait }).await?;
        Ok(wait)
    }

    async fn note(&self, ended: Ended) -> anyhow::Result<()> {
        let low = budgets::note(&self.ctx.pool, &self.budget, ended).await.context("budget")?;
        self.warn(low);
        Ok(())
    }

    /// One call of the budget, or how long there is none.
    async fn take(&self) -> anyhow::Result<Result<(), Duration>> {
        let taken = budgets::take(&self.ctx.pool, &self.budget).await.context("budget")?;
        Ok(taken.map(|low| self.warn(low)))
    }

    /// Four fifths of a window are used: said once, for what is left does not grow before the next.
    fn warn(&self, low: budgets::BecameLow) {
        if low {
            let (source_id, bucket) = (&self.source.id, self.budget.quota.bucket);
            tracing::warn!(source_id, bucket, "four fifths of the calls of a window are used");
            metrics::counter!("millrace_poll_quota_low_total", "bucket" => bucket).increment(1);
        }
    }

    /// Another token; `None` if this one is all there is. One renews: with some platforms a new token ends the others.
    async fn renew(&self, kept: &Kept) -> anyhow::Result<Result<Option<Kept>, Failure>> {
        let Some(request) = self.platform.renewal(&self.client, self.of(kept)) else {
            return Ok(Ok(None));
        };
        let (queue, name) = (&self.ctx.queue, format!("token of {}", self.source.id));
        let holder = Uuid::new_v4().to_string();
        if queue.lead(&name, &holder, RENEWING_MAX).await.context("lease")?.is_none() {
            return Ok(Err(Failure::NotNow(RENEWED_SOON)));
        }
        let renewed = self.renew_alone(kept, request).await;
        queue.resign(&name, &holder).await.context("lease")?;
        renewed
    }

    async fn renew_alone(
        &self,
        kept: &Kept,
        request: RequestBuilder,
    ) -> anyhow::Result<Result<Option<Kept>, Failure>> {
        let load = async || {
            credentials::load(&self.ctx.pool, self.ring, &self.source.id)
                .await
                .context("credentials")
        };
        if let Some(newer) = load().await?.filter(|newer| !newer.is_same(kept)) {
            return Ok(Ok(Some(newer)));
        }
        let answer = match client::ask(&self.ctx.settings.poll, request).await {
            Ok(answer) => answer,
            Err(why) => return Ok(Err(Failure::Away(format!("renewing the token: {why}")))),
        };
        let status = answer.status;
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Ok(Err(Failure::Away(format!("renewing the token: {status}"))));
        }
        let Some(grant) = self.platform.granted(&answer.body).filter(|_| status.is_success())
        else {
            return Ok(Err(Failure::Wrong(format!("the token cannot be renewed: {status}"))));
        };
        let credentials = kept.credentials.with(grant, self.ctx.clock.now());
        credentials::renew(&self.ctx.pool, self.ring, kept, &credentials)
            .await
            .context("keeping the token")?;
        Ok(Ok(load().await?))
    }

    /// What an answer is.
    fn judge(&self, answer: Answer) -> Result<Fetched, Failure> {
        accepted(answer.status)?;
        match self.platform.read(&answer.body) {
            Ok(page) => Ok(Fetched { body: answer.body, page }),
            Err(why) => Err(Failure::Away(why.0.to_owned())),
        }
    }
}

/// How long a platform that says no wants to be left alone.
fn until(told: Told, now: DateTime<Utc>) -> Duration {
    let reset = told.reset_at.and_then(|at| (at - now).to_std().ok());
    reset.map_or(UNSAID, |wait| wait + Duration::from_secs(1))
}

/// What an answer means that is none.
///
/// # Errors
/// What has failed.
pub(super) fn accepted(status: StatusCode) -> Result<(), Failure> {
    let hint = match status {
        _ if status.is_success() => return Ok(()),
        _ if status.is_server_error() => return Err(Failure::Away(status.to_string())),
        StatusCode::UNAUTHORIZED => ": the credentials are not accepted",
        StatusCode::FORBIDDEN => ": the app may not read this",
        _ => "",
    };
    Err(Failure::Wrong(format!("{status}{hint}")))
}
