use std::time::Duration;

use rustix::process::Pid;
use tokio::time::Instant;

use crate::{
    chaos::{house::Shape, run::Run},
    reliability::Figure,
};

const RATE: u32 = 100;
const EVERY: Duration = Duration::from_secs(5);
const SLOPE_MAX_MIB: f64 = 1.0;
const BLOAT_MAX: f64 = 2.0;

/// R36: `times` seconds without any fault; nothing grows but the tables.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let run = Run::start(&Shape::default(), RATE).await;
    let began = Instant::now();
    let mut seen: Vec<Vec<Use>> = Vec::new();
    while began.elapsed() < Duration::from_secs(times.into()) {
        tokio::time::sleep(EVERY).await;
        let at_h = began.elapsed().as_secs_f64() / 3600.0;
        seen.push(run.house.apps.iter().map(|app| Use::of(app.pid(), at_h)).collect());
    }
    let (outcome, house) = run.finish().await;
    // Caches fill first.
    let warm = &seen[seen.len() * 3 / 10..];
    let slopes: Vec<f64> = (0..house.apps.len()).map(|nth| slope(warm, nth)).collect();
    let steepest = slopes.iter().copied().fold(f64::MIN, f64::max);
    let files = |uses: &Vec<Use>| uses.iter().map(|u| u.files).sum::<usize>();
    let (first, last) = (files(&warm[0]), files(warm.last().unwrap()));
    let bloat: f64 = sqlx::query_scalar(
        "select pg_table_size('ops.jobs')::float8 / greatest(8192, (select count(*) from ops.jobs) * 400 + 4 * 1024 * 1024)",
    )
    .fetch_one(&house.database().await.pool)
    .await
    .unwrap();
    let figure = format!(
        "{times} s at {RATE}/s: {}; steepest memory slope {steepest:.1} MiB/h; descriptors {first}, then {last}; the \
         queue's table {bloat:.2} of 4 MiB",
        outcome.judged()
    );
    let flat = steepest < SLOPE_MAX_MIB && last <= first * 11 / 10 && bloat <= BLOAT_MAX;
    vec![Figure::new("R36", outcome.verdict.is_good(), figure).within(flat)]
}

/// What a process uses.
struct Use {
    at_h: f64,
    resident_mib: f64,
    files: usize,
}

impl Use {
    fn of(process: Pid, at_h: f64) -> Self {
        let folder = format!("/proc/{}", process.as_raw_nonzero());
        let status = std::fs::read_to_string(format!("{folder}/status")).unwrap();
        let resident = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
        let kib: f64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
        let files = std::fs::read_dir(format!("{folder}/fd")).unwrap().count();
        Self { at_h, resident_mib: kib / 1024.0, files }
    }
}

/// Least squares, MiB per hour.
fn slope(seen: &[Vec<Use>], nth: usize) -> f64 {
    let points: Vec<(f64, f64)> =
        seen.iter().map(|uses| (uses[nth].at_h, uses[nth].resident_mib)).collect();
    let count: f64 = points.iter().map(|_| 1.0).sum();
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let over: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let under: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    if under == 0.0 { 0.0 } else { over / under }
}
