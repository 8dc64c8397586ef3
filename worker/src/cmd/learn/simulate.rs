//! `millrace learn simulate`.

use clap::ValueEnum;
use millrace_jobs::learning::simulate::{self, World};

use super::policy;
use crate::{cmd::args::dash, out::Out};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What is true there
    #[arg(long)]
    world: Truth,
    /// Lives
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) runs: u32,
    /// Seed of the first
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Nights of each
    #[arg(long, default_value_t = 84, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) days: u32,
    /// Replies a day
    #[arg(long, default_value_t = 150, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) per_day: u32,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Truth {
    /// No signal says anything
    Aa,
    /// The documented weights are right
    Right,
    /// Others are
    Ab,
    /// Each platform has its own
    Segments,
    /// Others are, and half-way others again
    Drift,
    /// All modes and archetypes are worth the same
    PolicyAa,
    /// What is worth most depends on the post
    PolicyAb,
    /// So it does, and half-way it turns around
    PolicyTurn,
}

impl Truth {
    const fn world(self) -> Result<World, policy::World> {
        Ok(match self {
            Self::PolicyAa => return Err(policy::World::Aa),
            Self::PolicyAb => return Err(policy::World::Ab),
            Self::PolicyTurn => return Err(policy::World::Turn),
            Self::Aa => World::Aa,
            Self::Right => World::Right,
            Self::Ab => World::Ab,
            Self::Segments => World::Segments,
            Self::Drift => World::Drift,
        })
    }
}

/// Live the lives.
pub(super) fn run(args: &Args, out: Out) -> anyhow::Result<()> {
    let world = match args.world.world() {
        Ok(world) => world,
        Err(world) => return policy::simulated(args, world, out),
    };
    let plan = simulate::Plan {
        days: args.days,
        per_day: args.per_day,
        ..simulate::Plan::of(world, args.runs, args.seed)
    };
    let outcome = simulate::simulate(plan);
    out.answer(&outcome, || {
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let row = |name: &str, tally: &simulate::Tally| {
            [
                name.to_owned(),
                percent(tally.stepped),
                percent(tally.wrong),
                tally.median_samples.map_or_else(dash, |n| n.to_string()),
                percent(tally.recovered),
                percent(tally.regret),
            ]
        };
        let (world, runs, seed) = (plan.world, plan.runs, plan.seed);
        out.say(format!("world {world}, {runs} lives of {} days from seed {seed}", plan.days));
        let rows = [row("millrace", &outcome.ours), row("the seed's rule", &outcome.seed_rule)];
        out.table(
            [
                "rule",
                "stepped",
                "wrongly",
                "replies until then",
                "of the best at the end",
                "regret",
            ],
            rows,
        );
    })
}
