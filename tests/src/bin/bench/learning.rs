//! What learning makes of worlds whose truth is known, beside the seed's rule and a test of fixed size on the same traffic; and
//! how long a night takes over more and more replies.

use chrono::{DateTime, Utc};
use millrace_config::Settings;
use millrace_jobs::learning::{
    drift::Drift,
    drift::simulate as quiet,
    experiments::simulate as trials,
    keywords::simulate as words,
    night::{self, Lesson, Outcome, Plan},
    nightly,
    policy::{self, simulate as policies},
    simulate::{self, World},
    suggestions::Suggestions,
};
use sqlx::PgPool;
use tokio::time::Instant;

use crate::{pipeline::Cpu, report::Report, server};

const SEED: u64 = 1;

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Measure; `--lives=N` lives of each world (12), `--to=N` replies at most (1,000,000).
pub(crate) async fn run(report: &mut Report, options: &[String]) {
    let option =
        |name: &str| options.iter().find_map(|o| o.strip_prefix(name)?.parse::<u32>().ok());
    nights(report, option("--to=").unwrap_or(1_000_000)).await;
    let lives = option("--lives=").unwrap_or(12);
    report.note(format!("Seed {SEED}. Weights and policy: {lives} lives of 84 days with 150 replies a day, one in ten rewarded."));
    weights(report, lives);
    variants(report);
    drift(report);
    keywords(report, lives);
    policy(report, lives);
}

/// A night over so many replies, of weights and of all lessons: the figure of this process alone, beside Postgres's.
async fn nights(report: &mut Report, to: u32) {
    let (_pg, db) = server::postgres().await;
    let settings = Settings::from_parts(&millrace_tests::home(), None, std::iter::empty()).unwrap();
    let as_of: DateTime<Utc> = "2026-06-01T02:00:00Z".parse().unwrap();
    let mut from = 1;
    for replies in [10_000, 100_000, 1_000_000, 3_000_000].into_iter().filter(|n| *n <= to) {
        load(&db.pool, from, i32::try_from(replies).unwrap()).await;
        from = i32::try_from(replies).unwrap() + 1;
        let plan = Plan { workspace: server::WORKSPACE, as_of, dry_run: true };
        let (start, cpu) = (Instant::now(), Cpu::now(&db.pool).await.others);
        let told: nightly::Told = lesson(&db.pool, &settings, plan).await;
        let (took, cpu) = (start.elapsed().as_secs_f64(), Cpu::now(&db.pool).await.others - cpu);
        assert_eq!(told.rows, usize::try_from(replies).unwrap());
        report.row(
            &format!("a night over {replies} replies, 27 segments"),
            &format!("{took:.1} s, {cpu:.1} s of them here"),
            &format!("peak {:.0} MiB of this process", server::peak_mib_of(std::process::id())),
            if replies == 1_000_000 { "10 s, 500 MiB" } else { "" },
        );
        let mut others = [0.0; 3];
        let start = Instant::now();
        let policy: policy::nightly::Told = lesson(&db.pool, &settings, plan).await;
        others[0] = start.elapsed().as_secs_f64();
        let _: Suggestions = lesson(&db.pool, &settings, plan).await;
        others[1] = start.elapsed().as_secs_f64() - others[0];
        let _: Drift = lesson(&db.pool, &settings, plan).await;
        others[2] = start.elapsed().as_secs_f64() - others[0] - others[1];
        let [policy_s, suggestions_s, drift_s] = others;
        report.row(
            "the other lessons of that night",
            &format!(
                "policy over the last {}: {policy_s:.1} s, suggestions {suggestions_s:.1} s, drift {drift_s:.1} s",
                policy.found.rows
            ),
            &format!("peak {:.0} MiB of this process", server::peak_mib_of(std::process::id())),
            "",
        );
    }
}

async fn lesson<L: Lesson>(pool: &PgPool, settings: &Settings, plan: Plan<'_>) -> L {
    let Outcome::Ran(told) = night::run::<L>(pool, settings, plan).await.unwrap() else {
        panic!("it did not run")
    };
    *told
}

async fn load(pool: &PgPool, from: i32, to: i32) {
    let analyze = "analyze social.replies, social.click_events, social.decision_exposures, social.reply_outcomes";
    let seen: serde_json::Value = serde_json::from_str(include_str!("learning.json")).unwrap();
    server::load(pool, from..=to, analyze, async |conn, at, end| {
        let load = sqlx::query(include_str!("learning.sql")).bind(at).bind(end).bind(&seen);
        load.execute(conn).await.unwrap();
    })
    .await;
}

fn weights(report: &mut Report, lives: u32) {
    for (world, bar) in [
        (World::Aa, "steps 5 % at most"),
        (World::Right, "steps 5 % at most"),
        (World::Ab, ""),
        (World::Segments, ""),
        (World::Drift, ""),
    ] {
        let found = simulate::simulate(simulate::Plan::of(world, lives, SEED));
        let of = |tally: &simulate::Tally| {
            format!(
                "steps {}, wrong {}, gained {}",
                percent(tally.stepped),
                percent(tally.wrong),
                percent(tally.recovered)
            )
        };
        let reference = format!("seed's rule: {}", of(&found.seed_rule));
        report.row(&format!("weights, {world}"), &of(&found.ours), &reference, bar);
    }
}

fn variants(report: &mut Report) {
    for (world, name, bar) in [
        (trials::World::VariantsAa, "experiment, 3 v 3 %, 10,000 looks", "wrong 5 % at most"),
        (trials::World::VariantsAb, "experiment, 5 v 3 %", "right 95 %, wrong 1 %, 4,000"),
    ] {
        let found = trials::simulate(trials::Plan::of(world, 1_000, SEED));
        let of = |tally: &trials::Tally| {
            let n = tally.median_samples.map_or_else(|| "-".to_owned(), |n| n.to_string());
            format!(
                "right {}, wrong {}, median {n}, missed {:.0}",
                percent(tally.correct),
                percent(tally.wrong),
                tally.regret
            )
        };
        let reference =
            format!("seed's rule: {}; fixed size: {}", of(&found.seed_rule), of(&found.fixed));
        report.row(name, &of(&found.ours), &reference, bar);
    }
}

fn drift(report: &mut Report) {
    for line in quiet::simulate(100, SEED, &[50, 200, 1_000]).lines {
        let of = |tally: quiet::Tally| {
            format!("{:.2} false a year, sees {}", tally.false_per_year, percent(tally.seen))
        };
        let reference =
            format!("seed's rule: {}; weekly test: {}", of(line.seed_rule), of(line.fixed_test));
        let bar = if line.per_week == 1_000 { "1 a year, 80 %" } else { "" };
        report.row(
            &format!("drift, {} replies a week, -20 %", line.per_week),
            &of(line.ours),
            &reference,
            bar,
        );
    }
}

fn keywords(report: &mut Report, lives: u32) {
    for (world, name, bar) in [
        (words::World::KeywordsAa, "keywords, all worth the same", "wrong 5 % at most"),
        (words::World::KeywordsBad, "keywords, one of 24 is not worth it", "wrong 5 % at most"),
        (words::World::PhrasesAa, "phrases, none says anything", ""),
        (words::World::PhrasesHidden, "phrases, one is rewarded thrice as often", ""),
    ] {
        let runs = if matches!(world, words::World::KeywordsAa | words::World::KeywordsBad) {
            10 * lives
        } else {
            lives
        };
        let found =
            words::simulate(words::Plan { world, runs, seed: SEED, days: 84, per_day: 150 });
        let of = |tally: &words::Tally| {
            let days = tally.median_days.map_or_else(|| "-".to_owned(), |n| n.to_string());
            format!(
                "wrong in {} of lives ({:.2} a life), found {}, median {days} days",
                percent(tally.wrong),
                tally.wrong_per_life,
                percent(tally.found)
            )
        };
        let reference = format!("seed's rule: {}", of(&found.seed_rule));
        report.row(name, &of(&found.ours), &reference, bar);
    }
}

fn policy(report: &mut Report, lives: u32) {
    let worlds = [
        (policies::World::Aa, "policy, all actions worth the same"),
        (policies::World::Ab, "policy, the post decides what is worth most"),
        (policies::World::Turn, "policy, half-way it turns around"),
    ];
    for (world, name) in worlds {
        let plan = policies::Plan { world, runs: lives, seed: SEED, days: 84, per_day: 150 };
        let found = policies::simulate(plan);
        report.row(
            name,
            &format!(
                "a say {}, most {}, taken back {}",
                percent(found.shared),
                percent(found.full),
                percent(found.taken_back)
            ),
            &format!(
                "of the best over the rules: its own choices {}, all done {}",
                percent(found.own_gain),
                percent(found.gained)
            ),
            if world == policies::World::Aa { "a say 5 % at most" } else { "" },
        );
    }
}
