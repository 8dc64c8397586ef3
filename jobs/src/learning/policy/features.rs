//! What the policy sees of a decision, and what it expects of actions there.

use chrono::{Datelike, Weekday};
use millrace_stats::{
    Result,
    linear_ts::{Posterior, State},
};

use crate::social::{
    decide::{Expected, Inputs, Learned},
    mode::{Archetype, ENGAGING, Mode, rung},
    record::Platform,
    temporal::Daypart,
};

/// Features of a decision: one, the four signals, platform, daypart, weekend, what the conversation asks for.
pub const CONTEXT: usize = 14;
/// Features of an action: those of the decision for its mode, and its archetype.
pub const WIDTH: usize = CONTEXT * ENGAGING.len() + Archetype::ALL.len();
/// Of the prior: as much as one observation of each feature with reward 0.
const LAMBDA: f64 = 1.0;

/// See [`CONTEXT`].
pub type Context = [f64; CONTEXT];

/// What the policy sees of a decision.
#[must_use]
pub fn context(inputs: &Inputs) -> Context {
    let is = |fact: bool| f64::from(u8::from(fact));
    let (signals, post, time) = (&inputs.signals, &inputs.post, &inputs.temporal);
    let weekend = matches!(time.local.weekday(), Weekday::Sat | Weekday::Sun);
    let asked = post.conversation;
    [
        1.0,
        signals.sss.score,
        signals.ars.score,
        signals.evs.signal.score,
        signals.trs.signal.score,
        is(post.platform == Platform::Reddit),
        is(post.platform == Platform::Threads),
        is(time.daypart == Daypart::Morning),
        is(time.daypart == Daypart::Afternoon),
        is(time.daypart == Daypart::Evening),
        is(weekend),
        is(asked.asks || asked.compares),
        is(asked.desperate),
        is(asked.jokes),
    ]
}

/// Those of an action, [`WIDTH`] of them.
#[must_use]
pub fn features(context: &Context, mode: Mode, archetype: Archetype) -> Vec<f64> {
    let of_modes = ENGAGING.iter().flat_map(|of| {
        context.iter().map(move |value| if rung(*of) == rung(mode) { *value } else { 0.0 })
    });
    let of_archetypes = Archetype::ALL.iter().map(|of| if *of == archetype { 1.0 } else { 0.0 });
    of_modes.chain(of_archetypes).collect()
}

/// Nothing learned yet.
///
/// # Errors
/// Never, with these constants.
pub fn nothing() -> Result<State> {
    State::new(WIDTH, LAMBDA)
}

/// What was learned, ready for questions.
#[derive(Debug, Clone)]
pub struct Model {
    posterior: Posterior,
    /// Standard deviation of rewards.
    noise: f64,
}

impl Model {
    /// Of what was learned; `noise` is the standard deviation of rewards.
    ///
    /// # Errors
    /// If the state is not one.
    pub fn of(state: &State, noise: f64) -> Result<Self> {
        Ok(Self { posterior: state.posterior()?, noise })
    }

    /// Expected reward of an action, and how unsure that is.
    ///
    /// # Errors
    /// If a feature is not finite, or the state was of other features.
    pub fn expects(
        &self,
        context: &Context,
        mode: Mode,
        archetype: Archetype,
    ) -> Result<(f64, f64)> {
        let (mean, spread) = self.posterior.predict(&features(context, mode, archetype))?;
        Ok((mean, self.noise * spread.sqrt()))
    }

    /// What it expects of every action that a decision might have. None if it cannot say.
    #[must_use]
    pub fn learned(&self, version: &str, share: f64, inputs: &Inputs) -> Option<Learned> {
        let context = context(inputs);
        let mut all: Vec<(Mode, Archetype)> = ENGAGING
            .iter()
            .flat_map(|mode| {
                let pool = inputs.archetypes.pools.get(mode).map_or(&[][..], Vec::as_slice);
                // A competitor's customer may get this one whatever the pool.
                let direct = inputs.competitor.as_ref().map(|_| Archetype::ProblemSolutionDirect);
                pool.iter().copied().chain(direct).map(move |archetype| (*mode, archetype))
            })
            .collect();
        all.sort_unstable();
        all.dedup();
        let expected: Result<Vec<Expected>> = all
            .into_iter()
            .map(|(mode, archetype)| {
                let (mean, deviation) = self.expects(&context, mode, archetype)?;
                Ok(Expected { mode, archetype, mean, deviation })
            })
            .collect();
        Some(Learned { version: version.to_owned(), share, expected: expected.ok()? })
    }
}
