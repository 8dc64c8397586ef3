//! `millrace bench`: what this machine makes of the embedding engines.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use anyhow::{Context, ensure};
use clap::Subcommand;
use millrace_config::Settings;
use millrace_jobs::embed::{self, cosine};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{demo::Data, out::Out};

/// What is compared, the reference last.
const ENGINES: [&str; 2] = ["native", "fastembed"];
/// Texts of a call, as jobs give them.
const CALL: usize = 64;
/// Lines of a chunk of code: about 220 tokens.
const CODE_LINES: usize = 22;

/// Measurements on this machine.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Embed the same texts with every engine, each in a process of its own
    #[command(
        after_help = "Examples:\n  millrace bench embed\n  millrace bench embed --rounds 5 --json"
    )]
    Embed {
        /// Runs of each engine, in turns; the medians are shown
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
        rounds: u32,
        /// One engine, in this process: vectors go to this file, figures to stdout
        #[arg(long, hide = true, requires = "into")]
        engine: Option<String>,
        #[arg(long, hide = true)]
        into: Option<PathBuf>,
    },
}

/// One engine in one process.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Run {
    engine: String,
    why: String,
    /// From nothing to the first vector.
    start_ms: f64,
    short: Rate,
    code: Rate,
    /// Most memory that was resident; 0 where the system does not say.
    peak_mib: f64,
}

/// How fast one kind of text was embedded by one thread.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Rate {
    texts: usize,
    per_second: f64,
    /// By the processor's time; 0 where the system does not say.
    per_cpu_second: f64,
}

/// The command.
///
/// # Errors
/// If an engine cannot be measured in another process.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<ExitCode> {
    let Act::Embed { rounds, engine, into } = args.act;
    if let (Some(engine), Some(into)) = (engine, into) {
        let run = one(settings, &engine, &into).await?;
        out.answer(&run, || ())?;
        return Ok(ExitCode::SUCCESS);
    }
    let dir = tempfile::tempdir().context("a folder for vectors")?;
    let mut runs: Vec<(&str, Vec<Run>)> =
        ENGINES.iter().map(|engine| (*engine, Vec::new())).collect();
    for _ in 0..rounds {
        for (engine, runs) in &mut runs {
            match apart(settings, engine, &dir.path().join(*engine)) {
                Ok(run) => runs.push(run),
                Err(e) => out.warn(format!("{engine}: {e:#}")),
            }
        }
    }
    let reference = vectors(&dir.path().join("fastembed")).unwrap_or_default();
    let mut rows = Vec::new();
    for (engine, runs) in runs.iter().filter(|(_, runs)| !runs.is_empty()) {
        let made = vectors(&dir.path().join(engine)).context("reading vectors")?;
        rows.push(Row::of(runs, &made, &reference).context("an engine without a run")?);
    }
    ensure!(
        !rows.is_empty(),
        "no engine could be measured; `millrace doctor` says what is missing"
    );
    out.answer(&json!({ "rounds": rounds, "engines": rows }), || show(&rows, out))?;
    Ok(ExitCode::SUCCESS)
}

/// Medians of an engine's runs, and how near its vectors are to the reference.
#[derive(Debug, Serialize)]
struct Row {
    #[serde(flatten)]
    run: Run,
    cosine_mean: Option<f64>,
    cosine_min: Option<f32>,
}

impl Row {
    fn of(runs: &[Run], made: &[Vec<f32>], reference: &[Vec<f32>]) -> Option<Self> {
        let median = |of: fn(&Run) -> f64| {
            let mut all: Vec<f64> = runs.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied()
        };
        let mut run = runs.first()?.clone();
        run.start_ms = median(|r| r.start_ms)?;
        run.peak_mib = median(|r| r.peak_mib)?;
        run.short.per_second = median(|r| r.short.per_second)?;
        run.short.per_cpu_second = median(|r| r.short.per_cpu_second)?;
        run.code.per_second = median(|r| r.code.per_second)?;
        run.code.per_cpu_second = median(|r| r.code.per_cpu_second)?;
        let cosines: Vec<f32> = made.iter().zip(reference).map(|(a, b)| cosine(a, b)).collect();
        let lowest = cosines.iter().copied().min_by(f32::total_cmp);
        let count = u32::try_from(cosines.len()).ok().filter(|n| *n > 0);
        let mean =
            count.map(|n| cosines.iter().copied().map(f64::from).sum::<f64>() / f64::from(n));
        Some(Self { run, cosine_mean: mean, cosine_min: lowest })
    }
}

fn show(rows: &[Row], out: Out) {
    let headings = [
        "engine",
        "short/s",
        "code/s",
        "short/CPU-s",
        "code/CPU-s",
        "start",
        "peak",
        "cosine, lowest",
    ];
    let table = rows.iter().map(|Row { run, cosine_mean, cosine_min }| {
        let near =
            cosine_mean.zip(*cosine_min).map_or("-".into(), |(m, l)| format!("{m:.5}, {l:.4}"));
        [
            run.engine.clone(),
            format!("{:.0}", run.short.per_second),
            format!("{:.1}", run.code.per_second),
            format!("{:.0}", run.short.per_cpu_second),
            format!("{:.1}", run.code.per_cpu_second),
            format!("{:.0} ms", run.start_ms),
            format!("{:.0} MiB", run.peak_mib),
            near,
        ]
    });
    out.table(headings, table);
    for Row { run, .. } in rows {
        out.say(format!("{}: {}", run.engine, run.why));
    }
    let texts = rows.first().map_or((0, 0), |row| (row.run.short.texts, row.run.code.texts));
    out.say(format!(
        "one thread; {} texts of two sentences, {} chunks of code; cosine to fastembed",
        texts.0, texts.1
    ));
}

/// One engine in a process of its own: a cold start, and memory that nothing else used.
fn apart(settings: &Settings, engine: &str, into: &Path) -> anyhow::Result<Run> {
    let me = std::env::current_exe().context("this program's path")?;
    let done = std::process::Command::new(me)
        .arg("--home")
        .arg(&settings.home)
        .args(["--json", "bench", "embed", "--engine", engine, "--into"])
        .arg(into)
        .env("MILLRACE__EMBED__ENGINE", engine)
        .env("MILLRACE__EMBED__THREADS", "1")
        .output()
        .context("starting it")?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "{}", said.lines().last().unwrap_or("it said nothing"));
    serde_json::from_slice(&done.stdout).context("its figures")
}

async fn one(settings: &Settings, engine: &str, into: &Path) -> anyhow::Result<Run> {
    let (short, code) = texts()?;
    let begun = Instant::now();
    let choice = embed::choose(settings).with_context(|| engine.to_owned())?;
    let embedder = choice.embedder;
    embedder.embed(short.iter().take(1).cloned().collect()).await?;
    let start_ms = begun.elapsed().as_secs_f64() * 1_000.0;
    let (mut all, mut rates) = (Vec::new(), Vec::new());
    for texts in [&short, &code] {
        let (begun, before) = (Instant::now(), model_seconds());
        for call in texts.chunks(CALL) {
            all.extend(embedder.embed(call.to_vec()).await?);
        }
        let (wall, cpu) = (begun.elapsed().as_secs_f64(), model_seconds() - before);
        let count = f64::from(u32::try_from(texts.len())?);
        let per_cpu_second = if cpu > 0.0 { count / cpu } else { 0.0 };
        rates.push(Rate { texts: texts.len(), per_second: count / wall, per_cpu_second });
    }
    let bytes: Vec<u8> = all.iter().flatten().flat_map(|x| x.to_le_bytes()).collect();
    std::fs::write(into, bytes).context("writing vectors")?;
    let [short, code]: [Rate; 2] = rates.try_into().ok().context("two kinds of text")?;
    let engine = embedder.model().engine.clone();
    Ok(Run { engine, why: choice.why, start_ms, short, code, peak_mib: peak_mib() })
}

/// Texts of two sentences, no two equal, and chunks of this program's own source.
fn texts() -> anyhow::Result<(Vec<String>, Vec<String>)> {
    let says: Vec<String> = Data::shipped()?.project.into_iter().flat_map(|p| p.says).collect();
    let count = says.len();
    let pair = |n: usize| {
        Some(format!(
            "{} {} ({n})",
            says.get(n % count)?,
            says.get((n * 7 + n / count + 1) % count)?
        ))
    };
    let short = (0..1_000).filter_map(pair).collect();
    let source = [
        include_str!("bench.rs"),
        include_str!("index.rs"),
        include_str!("learn.rs"),
        include_str!("search.rs"),
        include_str!("source.rs"),
        include_str!("../app.rs"),
        include_str!("../cli.rs"),
        include_str!("../http.rs"),
        include_str!("../telemetry.rs"),
    ];
    let lines: Vec<&str> = source.iter().flat_map(|file| file.lines()).collect();
    Ok((short, lines.chunks(CODE_LINES).map(|chunk| chunk.join("\n")).collect()))
}

fn vectors(path: &Path) -> anyhow::Result<Vec<Vec<f32>>> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    let numbers: Vec<f32> =
        bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    Ok(numbers.chunks(384).map(<[f32]>::to_vec).collect())
}

/// Seconds of processor time of the model's threads, as Linux counts them to the nanosecond; 0 elsewhere.
fn model_seconds() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let models = tasks.filter(|task| {
        std::fs::read_to_string(task.path().join("comm"))
            .is_ok_and(|name| name.starts_with("embed-"))
    });
    let nanoseconds = models.filter_map(|task| {
        let line = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        line.split(' ').next()?.parse::<f64>().ok()
    });
    nanoseconds.sum::<f64>() / 1e9
}

fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().split(' ').next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}
