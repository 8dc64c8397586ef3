//! Engines of the embedding model beside each other, and exact neighbours on 8-bit copies beside 32-bit floats.

use std::{hint::black_box, process::Command, time::Instant};

use futures_util::future::join_all;
use millrace_config::Settings;
use millrace_jobs::embed::{self, cosine, normalize};
use millrace_kernels::{Isa, Nearest};

use crate::report::Report;

const ROWS: usize = 98_304;
const QUERIES: usize = 200;
const ABOVE: f32 = 0.8;

/// Measure.
pub(crate) async fn run(report: &mut Report) {
    engines(report);
    two_threads(report).await;
    neighbours(report).await;
}

fn engines(report: &mut Report) {
    let program = std::env::current_exe().unwrap().with_file_name("millrace");
    let done = Command::new(&program)
        .arg("--home")
        .arg(millrace_tests::home())
        .args(["--json", "bench", "embed"])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let told: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let engines = told["engines"].as_array().unwrap();
    let (ours, reference) = (&engines[0], &engines[1]);
    let f = |row: &serde_json::Value, path: &str| row.pointer(path).unwrap().as_f64().unwrap();
    report.note(format!(
        "`millrace bench embed`, {} rounds in turns, one thread, {}; {} texts of two sentences, {} chunks of code",
        told["rounds"], ours["why"].as_str().unwrap(), ours["short"]["texts"], ours["code"]["texts"]
    ));
    let both = [
        ("short texts per CPU-second", "/short/per_cpu_second", ">= 450"),
        ("chunks of code per CPU-second", "/code/per_cpu_second", ">= 50"),
    ];
    for (name, path, bar) in both {
        let (made, right) = (f(ours, path), f(reference, path));
        report.row(
            name,
            &format!("{made:.1}"),
            &format!("fastembed, tuned: {right:.1}, x{:.1}", made / right),
            bar,
        );
    }
    report.row(
        "cosine to fastembed: mean, lowest",
        &format!("{:.5}, {:.5}", f(ours, "/cosine_mean"), f(ours, "/cosine_min")),
        "",
        ">= .999, >= .997",
    );
    let peak = |row| format!("{:.0} MiB", f(row, "/peak_mib"));
    report.row(
        "peak memory of the process",
        &peak(ours),
        &format!("fastembed {}", peak(reference)),
        "<= 120 MB",
    );
    let start = |row| format!("{:.0} ms", f(row, "/start_ms"));
    report.row(
        "first vector from a cold start",
        &start(ours),
        &format!("fastembed {}", start(reference)),
        "<= 300 ms",
    );
}

fn settings(threads: &str) -> Settings {
    let env = [("MILLRACE__EMBED__ENGINE", "native"), ("MILLRACE__EMBED__THREADS", threads)];
    let env = env.map(|(k, v)| (k.to_owned(), v.to_owned()));
    Settings::from_parts(&millrace_tests::home(), None, env.into_iter()).unwrap()
}

/// Lines of prose and code of this repository, no two equal.
fn lines() -> Vec<String> {
    let root = millrace_tests::root();
    let files = [
        "README.md",
        "ARCHITECTURE.md",
        "RELIABILITY.md",
        "migrations/0007_social.sql",
        "docs/deploy.md",
    ];
    let text: String =
        files.iter().map(|f| std::fs::read_to_string(root.join(f)).unwrap()).collect();
    let mut lines: Vec<String> = text.lines().filter(|l| l.len() > 60).map(str::to_owned).collect();
    lines.sort();
    lines.dedup();
    lines
}

async fn two_threads(report: &mut Report) {
    let embedder = embed::open(&settings("2")).unwrap();
    let texts = lines();
    let begun = Instant::now();
    let calls = texts.chunks(64).map(|call| embedder.embed(call.to_vec()));
    join_all(calls).await.into_iter().for_each(|made| drop(black_box(made.unwrap())));
    let rate = texts.len() as f64 / begun.elapsed().as_secs_f64();
    report.row(
        "lines of this repository's prose and SQL a second, two threads",
        &format!("{rate:.0}/s"),
        "",
        ">= 850/s",
    );
}

/// Mixtures of real vectors: neighbours at every distance.
async fn vectors() -> Vec<Vec<f32>> {
    let embedder = embed::open(&settings("2")).unwrap();
    let real = embedder.embed(lines()).await.unwrap();
    let mut seed = 1_u64;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed >> 33
    };
    let mut mixed = |_| {
        let (a, b) = (next() as usize % real.len(), next() as usize % real.len());
        let share = (next() % 1000) as f32 / 1000.0;
        let mut x: Vec<f32> = real[a].iter().zip(&real[b]).map(|(a, b)| a + share * b).collect();
        normalize(&mut x);
        x
    };
    (0..ROWS).map(&mut mixed).collect()
}

async fn neighbours(report: &mut Report) {
    let all = vectors().await;
    let mut nearest = Nearest::new(384, Isa::best()).unwrap();
    all.iter().for_each(|x| {
        nearest.push(x);
    });
    let queries: Vec<&Vec<f32>> = all.iter().step_by(ROWS / QUERIES).take(QUERIES).collect();
    let ((mut ours, mut theirs), (mut asked, mut wrong)) = ((Vec::new(), Vec::new()), (0, 0));
    for query in &queries {
        let begun = Instant::now();
        let top = nearest.top(query, 10, |row| {
            asked += 1;
            cosine(&all[row], query)
        });
        ours.push(begun.elapsed().as_secs_f64() * 1e3);
        let begun = Instant::now();
        let mut right: Vec<(usize, f32)> =
            all.iter().map(|x| cosine(x, query)).enumerate().collect();
        right.select_nth_unstable_by(10, |a, b| b.1.total_cmp(&a.1));
        theirs.push(begun.elapsed().as_secs_f64() * 1e3);
        let least = right[..10].iter().map(|r| r.1).fold(f32::INFINITY, f32::min);
        wrong += top.iter().filter(|hit| hit.score < least).count();
    }
    let median = |mut all: Vec<f64>| {
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    report.row(
        &format!("the 10 nearest of {ROWS} vectors"),
        &format!(
            "{:.2} ms, {wrong} of {} wrong, {} vectors asked for",
            median(ours),
            10 * QUERIES,
            asked / QUERIES
        ),
        &format!("scan of 32-bit floats {:.2} ms", median(theirs)),
        "<= 2.5 CPU-ms, recall >= .999",
    );
    let mib = ROWS * (384 + 384 / 64 * 4 + 5) / (1 << 20);
    report.row(
        "memory of the copies",
        &format!("{mib} MiB"),
        &format!("32-bit floats {} MiB", ROWS * 384 * 4 / (1 << 20)),
        "<= 45 MB",
    );
    all_pairs(report, &all, &nearest);
}

fn all_pairs(report: &mut Report, all: &[Vec<f32>], nearest: &Nearest) {
    let begun = Instant::now();
    let mut found = 0_usize;
    let mut of_sample = vec![0_usize; ROWS];
    nearest.pairs(
        ABOVE,
        (0, 1),
        |a, b| cosine(&all[a], &all[b]),
        |a, b, _| {
            found += 1;
            of_sample[a] += 1;
            of_sample[b] += 1;
        },
    );
    let seconds = begun.elapsed().as_secs_f64();
    let missed: usize = (0..ROWS)
        .step_by(ROWS / QUERIES)
        .map(|a| {
            let right = all
                .iter()
                .enumerate()
                .filter(|(b, x)| *b != a && cosine(&all[a], x) >= ABOVE)
                .count();
            right.abs_diff(of_sample[a])
        })
        .sum();
    report.row(
        &format!("all pairs of {ROWS} vectors with a cosine of {ABOVE} and more"),
        &format!("{seconds:.1} s, {found} pairs, {missed} missed of {QUERIES} vectors' pairs"),
        "",
        "<= 12 CPU-s, recall 1",
    );
}
