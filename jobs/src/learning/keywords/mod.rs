//! Keywords of a brand: what each is worth, which ones are not, and which phrases might be some.
//!
//! Learning raises a keyword and ends a trial by itself; that one is retired, and that one is added, is proposed to people.

pub mod discover;
pub mod judge;
pub mod seed_rule;
pub mod simulate;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use millrace_config::Settings;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sqlx::{PgConnection, PgPool};

use super::night::{Lesson, Outline, Plan, identity};
use crate::{
    learning::run::ALPHA,
    social::{
        brand::{self, Brand},
        vocabulary::{Change, What},
    },
    store::social::{
        keywords::{self as store, Heard, New},
        kpis,
        learning::Log,
    },
};
use discover::{AUTHORS_MAX, Discovery, discover};
use judge::{Act, Counts, Finding, Skip, State, TERMS_MIN, Term, learn, whole};

/// The seed's window: its statistics, and posts without which a keyword is idle.
pub const RECENT: Duration = Duration::days(30);
/// What people refused is not proposed again for so long.
const REFUSED: Duration = Duration::days(90);
/// Share of texts in which an addition is tried: the seed's.
pub const TRIAL_SHARE: f64 = 0.10;
/// Who lets in what learning may.
const LEARNING: &str = "learning";

/// Everything that a run found.
#[derive(Debug, Serialize)]
pub struct Keywords {
    /// The same for the same workspace and `as_of`.
    pub run_id: String,
    /// Whose.
    pub workspace: String,
    /// What was final then.
    pub as_of: DateTime<Utc>,
    /// Rows since then.
    pub since: DateTime<Utc>,
    /// See [`Lesson::CODE_VERSION`].
    pub method_version: &'static str,
    /// Posts that were answered, by their keywords' shares.
    pub rows: usize,
    /// Why nothing was learned of keywords.
    pub skipped: Option<&'static str>,
    /// Keywords with posts, raised ones and those on trial.
    pub keywords: Vec<Finding>,
    /// Keywords that no post had in 30 days.
    pub idle: Vec<String>,
    /// Phrases that might be some.
    pub discovery: Discovery,
    /// Trials, as rows.
    #[serde(skip)]
    trials: Vec<Heard>,
}

impl Lesson for Keywords {
    const KIND: &'static str = "keywords";
    const CODE_VERSION: &'static str = "1";

    async fn workspaces(pool: &PgPool) -> sqlx::Result<Vec<String>> {
        kpis::workspaces(pool).await
    }

    async fn find(
        conn: &mut PgConnection,
        settings: &Settings,
        plan: Plan<'_>,
    ) -> anyhow::Result<Self> {
        let Plan { workspace, as_of, .. } = plan;
        let since = as_of - Duration::days(settings.learning.window_days.into());
        let window = (since, as_of - RECENT, as_of);
        let heard = store::heard(conn, workspace, (as_of - REFUSED, as_of)).await;
        let heard = heard.context("changes")?;
        let base = brand::read(settings.social.profile_of(workspace))?;
        let brand = laid(base, &heard);
        let locked = store::locks(conn, workspace).await.context("locks")?;
        let terms = terms(&brand, &heard, locked.into_iter().map(|(term, _)| term).collect());
        let gate = brand.profile.thresholds.trs_gate;
        let replied = store::replied(conn, workspace, window).await.context("replies")?;
        let decided = store::decided(conn, workspace, window, gate).await.context("decisions")?;
        let hits = store::hits(conn, workspace, as_of - RECENT, as_of).await.context("posts")?;
        let texts = store::texts(conn, workspace, (since, as_of), AUTHORS_MAX).await;
        let texts = texts.context("texts")?;
        let taken = taken(&brand, &heard);
        let work = move || {
            let counts = Counts { decided: &decided, replied: &replied, hits: &hits };
            (learn(&terms, counts), discover(&texts, &taken))
        };
        let (found, discovery) = tokio::task::spawn_blocking(work).await.context("learning")?;
        let trials = heard.into_iter().filter(is_trial).collect();
        Ok(Self::of(plan, since, (found, discovery), trials))
    }

    fn outline(&self) -> Outline {
        let acted = || self.acted();
        let changes = |of: &dyn Fn(&Finding) -> Value| -> Value {
            acted().map(|one| (one.term.clone(), of(one))).collect::<Map<_, _>>().into()
        };
        let sizes = self.keywords.iter().map(|one| (one.term.clone(), json!(one.precision.posts)));
        let log = Log {
            adjusted: acted().next().is_some(),
            reason: self.reason(),
            valid: self.keywords.iter().filter(|one| one.shortfall == 0).count(),
            total: self.keywords.len(),
            sample_sizes: sizes.collect::<Map<_, _>>().into(),
            old: changes(&|one| json!(one.state)),
            new: changes(&|one| json!(one.act)),
            predicted_improvement: None,
        };
        Outline { since: self.since, rows: self.rows, skipped: self.skipped, log: Some(log) }
    }

    async fn keep(
        &self,
        conn: &mut PgConnection,
        settings: &Settings,
        run_id: &str,
    ) -> anyhow::Result<()> {
        let by_itself = settings.learning.auto_approve.then_some(LEARNING);
        for one in self.acted() {
            self.act(conn, one, (run_id, by_itself)).await.context("a keyword")?;
        }
        for phrase in &self.discovery.phrases {
            let evidence = serde_json::to_value(phrase)?;
            let new = New {
                category: Some(&phrase.category),
                share: TRIAL_SHARE,
                ..self.change(&phrase.phrase, What::Add, (run_id, None), &evidence)
            };
            new.write(conn).await.context("a phrase")?;
        }
        Ok(())
    }
}

impl Keywords {
    fn of(
        plan: Plan<'_>,
        since: DateTime<Utc>,
        (found, discovery): (Vec<Finding>, Discovery),
        trials: Vec<Heard>,
    ) -> Self {
        let enough = found.iter().filter(|one| one.shortfall == 0).count();
        let short = enough < TERMS_MIN.min(found.len().max(1));
        let idle = found.iter().filter(|one| one.is_idle()).map(|one| one.term.clone()).collect();
        let is_shown = |one: &Finding| {
            let seen = one.precision.posts > 0 || one.engagement.posts > 0;
            seen || one.state != State::InForce
        };
        let mut keywords: Vec<Finding> = found.into_iter().filter(is_shown).collect();
        if short {
            let skip = |one: &mut Finding| one.skip = Some(Skip::InsufficientSampleSize);
            keywords.iter_mut().filter(|one| one.is_acted()).for_each(skip);
        }
        Self {
            run_id: identity(Self::KIND, plan).0,
            workspace: plan.workspace.to_owned(),
            as_of: plan.as_of,
            since,
            method_version: Self::CODE_VERSION,
            rows: answered(&keywords),
            skipped: short.then_some("INSUFFICIENT_SAMPLE_SIZE"),
            keywords,
            idle,
            discovery,
            trials,
        }
    }

    fn acted(&self) -> impl Iterator<Item = &Finding> {
        self.keywords.iter().filter(|one| one.is_acted())
    }

    async fn act(
        &self,
        conn: &mut PgConnection,
        one: &Finding,
        by: (&str, Option<&str>),
    ) -> anyhow::Result<()> {
        let (run_id, by_itself) = by;
        let evidence = serde_json::to_value(one)?;
        let trial = self.trials.iter().find(|trial| trial.term == one.term);
        match (one.act, trial) {
            (Act::Retire, _) => {
                let new = self.change(&one.term, What::Retire, (run_id, None), &evidence);
                new.write(conn).await?;
            }
            (Act::Raise, _) => {
                let new = self.change(&one.term, What::Raise, by, &evidence);
                new.write(conn).await?;
            }
            (Act::Drop, Some(trial)) => {
                self.end(conn, trial).await?;
            }
            (Act::Adopt, Some(trial)) if by_itself.is_some() => {
                self.end(conn, trial).await?;
                let category = trial.category.as_deref();
                let new = self.change(&one.term, What::Add, by, &evidence);
                New { category, ..new }.write(conn).await?;
            }
            // A person lets it in, or there is no such trial any more.
            (Act::Adopt | Act::Drop, _) => {}
        }
        Ok(())
    }

    async fn end(&self, conn: &mut PgConnection, trial: &Heard) -> sqlx::Result<Option<i32>> {
        store::end(conn, (&self.workspace, &trial.id), (LEARNING, self.as_of)).await
    }

    fn change<'a>(
        &'a self,
        term: &'a str,
        what: What,
        (run_id, approved_by): (&'a str, Option<&'a str>),
        evidence: &'a Value,
    ) -> New<'a> {
        New {
            workspace_id: &self.workspace,
            term,
            what,
            category: None,
            share: 1.0,
            evidence,
            run_id: Some(run_id),
            at: self.as_of,
            approved_by,
        }
    }

    /// Why, in words for the seed's log.
    fn reason(&self) -> String {
        let acts: Vec<String> =
            self.acted().map(|one| format!("{:?} {}", one.act, one.term).to_uppercase()).collect();
        let acts = if acts.is_empty() {
            self.skipped.unwrap_or("nothing to change").to_owned()
        } else {
            acts.join(", ")
        };
        let (idle, found) = (self.idle.len(), self.discovery.phrases.len());
        format!("keywords: {acts}; {idle} idle, {found} phrases proposed (error rate {ALPHA})")
    }
}

/// Posts: a share of each for each of its keywords sums to one.
fn answered(keywords: &[Finding]) -> usize {
    let shares = keywords.iter().map(|one| one.engagement.n).sum::<f64>();
    usize::try_from(whole(shares.round())).unwrap_or(usize::MAX)
}

fn is_trial(one: &Heard) -> bool {
    one.what == What::Add && one.in_force && one.share < 1.0
}

/// The profile as it was then.
fn laid(base: Brand, heard: &[Heard]) -> std::sync::Arc<Brand> {
    let changes = heard.iter().filter(|one| one.in_force).map(|one| Change {
        version: one.version,
        term: one.term.clone(),
        what: one.what,
        category: one.category.clone(),
        share: one.share,
    });
    std::sync::Arc::new(base).changed(&changes.collect::<Vec<_>>())
}

/// Every keyword that is in force, in the order of terms.
fn terms(brand: &Brand, heard: &[Heard], locked: BTreeSet<String>) -> Vec<Term> {
    let said = |term: &str, is: fn(&Heard) -> bool| -> BTreeSet<What> {
        heard.iter().filter(|one| one.term == term && is(one)).map(|one| one.what).collect()
    };
    let of = |name: &String| {
        let in_force = said(name, |one| one.in_force);
        let state = if heard.iter().any(|one| one.term == *name && is_trial(one)) {
            State::Trial
        } else if in_force.contains(&What::Raise) {
            State::Raised
        } else {
            State::InForce
        };
        let term = Term {
            name: name.clone(),
            state,
            locked: locked.contains(name),
            proposed: said(name, |one| !one.over && !one.in_force),
            refused: said(name, |one| one.over),
        };
        (name.clone(), term)
    };
    let categories = brand.profile.taxonomy.categories().iter();
    let names = categories.flat_map(|category| category.terms.iter().chain(&category.common));
    names.map(of).collect::<BTreeMap<_, _>>().into_values().collect()
}

/// What a new phrase may not contain: keywords find it already, exclusions shut it out, and people were asked.
fn taken(brand: &Brand, heard: &[Heard]) -> Vec<String> {
    let profile = &brand.profile;
    let alone = profile.taxonomy.categories().iter().flat_map(|category| &category.terms);
    let flags = profile.relevance.exclusions.list().iter();
    let all = alone.chain(flags).chain(profile.relevance.disclaimers.list()).cloned();
    all.chain(heard.iter().map(|one| one.term.clone())).collect()
}
