//! `millrace learn simulate`.

use clap::ValueEnum;
use millrace_jobs::learning::{
    drift::simulate as quiet,
    experiments::simulate as trials,
    keywords::simulate as words,
    simulate::{self, World},
};

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
    /// An experiment whose variants are the same
    VariantsAa,
    /// An experiment whose variant B is better, 5 against 3 %
    VariantsAb,
    /// Years of a platform that does not change, and falls by a fifth; of 50, 200 and 1,000 replies a week
    DriftAlarm,
    /// Keywords that are all worth the same
    KeywordsAa,
    /// One of them is not worth it
    KeywordsBad,
    /// Posts in which no phrase says anything
    PhrasesAa,
    /// Posts in which one does
    PhrasesHidden,
}

/// Which of the simulations a world belongs to.
enum Kind {
    Weights(World),
    Policy(policy::World),
    Variants(trials::World),
    Drift,
    Keywords(words::World),
}

impl Truth {
    const fn kind(self) -> Kind {
        match self {
            Self::Aa => Kind::Weights(World::Aa),
            Self::Right => Kind::Weights(World::Right),
            Self::Ab => Kind::Weights(World::Ab),
            Self::Segments => Kind::Weights(World::Segments),
            Self::Drift => Kind::Weights(World::Drift),
            Self::PolicyAa => Kind::Policy(policy::World::Aa),
            Self::PolicyAb => Kind::Policy(policy::World::Ab),
            Self::PolicyTurn => Kind::Policy(policy::World::Turn),
            Self::VariantsAa => Kind::Variants(trials::World::VariantsAa),
            Self::VariantsAb => Kind::Variants(trials::World::VariantsAb),
            Self::DriftAlarm => Kind::Drift,
            Self::KeywordsAa => Kind::Keywords(words::World::KeywordsAa),
            Self::KeywordsBad => Kind::Keywords(words::World::KeywordsBad),
            Self::PhrasesAa => Kind::Keywords(words::World::PhrasesAa),
            Self::PhrasesHidden => Kind::Keywords(words::World::PhrasesHidden),
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Live the lives.
pub(super) fn run(args: &Args, out: Out) -> anyhow::Result<()> {
    let world = match args.world.kind() {
        Kind::Weights(world) => world,
        Kind::Policy(world) => return policy::simulated(args, world, out),
        Kind::Variants(world) => return variants(args, world, out),
        Kind::Drift => return alarms(args, out),
        Kind::Keywords(world) => return keywords(args, world, out),
    };
    let plan = simulate::Plan {
        days: args.days,
        per_day: args.per_day,
        ..simulate::Plan::of(world, args.runs, args.seed)
    };
    let outcome = simulate::simulate(plan);
    out.answer(&outcome, || {
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

fn alarms(args: &Args, out: Out) -> anyhow::Result<()> {
    let outcome = quiet::simulate(args.runs, args.seed, &[50, 200, 1_000]);
    out.answer(&outcome, || {
        out.say(format!(
            "{} years and as many falls by a fifth, from seed {}",
            args.runs, args.seed
        ));
        let rows = outcome.lines.iter().flat_map(|line| {
            let row = |rule: &str, tally: quiet::Tally| {
                [
                    line.per_week.to_string(),
                    rule.to_owned(),
                    format!("{:.2}", tally.false_per_year),
                    format!("{:.1} %", tally.seen * 100.0),
                ]
            };
            [
                row("millrace", line.ours),
                row("the seed's rule", line.seed_rule),
                row("a test each week, p < .05", line.fixed_test),
            ]
        });
        let head = ["replies a week", "rule", "false alarms a year", "falls seen in two weeks"];
        out.table(head, rows);
    })
}

fn keywords(args: &Args, world: words::World, out: Out) -> anyhow::Result<()> {
    let Args { runs, seed, days, per_day, .. } = *args;
    let outcome = words::simulate(words::Plan { world, runs, seed, days, per_day });
    out.answer(&outcome, || {
        let row = |name: &str, tally: &words::Tally| {
            [
                name.to_owned(),
                percent(tally.wrong),
                format!("{:.2}", tally.wrong_per_life),
                percent(tally.found),
                tally.median_days.map_or_else(dash, |days| days.to_string()),
            ]
        };
        out.say(format!("{runs} lives of {days} days from seed {seed}"));
        let rows = [row("millrace", &outcome.ours), row("the seed's rule", &outcome.seed_rule)];
        let head =
            ["rule", "lives with wrong ones", "wrong ones a life", "found", "days until then"];
        out.table(head, rows);
    })
}

fn variants(args: &Args, world: trials::World, out: Out) -> anyhow::Result<()> {
    let plan = trials::Plan::of(world, args.runs, args.seed);
    let outcome = trials::simulate(plan);
    out.answer(&outcome, || {
        let row = |name: &str, tally: &trials::Tally| {
            [
                name.to_owned(),
                percent(tally.promoted),
                percent(tally.correct),
                percent(tally.wrong),
                tally.median_samples.map_or_else(dash, |n| n.to_string()),
                format!("{:.1}", tally.regret),
                percent(tally.saved),
            ]
        };
        let [a, b] = plan.rates.map(percent);
        let (units, runs, seed) = (plan.units, plan.runs, plan.seed);
        out.say(format!(
            "A {a}, B {b}; {runs} experiments with a look after each of {units} authors, from seed {seed}"
        ));
        let rows = [
            row("millrace", &outcome.ours),
            row("the seed's rule", &outcome.seed_rule),
            row("a test of fixed size", &outcome.fixed),
        ];
        let headings = ["rule", "promoted", "rightly", "wrongly", "authors until then", "rewards missed", "saved"];
        out.table(headings, rows);
    })
}
