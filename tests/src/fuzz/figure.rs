//! What came of a run, for RELIABILITY.md.

use std::collections::BTreeSet;

use crate::reliability::Figure;

const EXECUTIONS_MIN: u64 = 10_000_000;
const CPU_SECONDS_MIN: u64 = 3600;
const MS_MAX: f64 = 50.0;
const MIB_MAX: f64 = 64.0;

/// R16 from the summary that `scripts/fuzz` writes: a line per target, each of which ran for `seconds`.
#[must_use]
pub fn figure(seconds: &str, summary: &str) -> Option<Figure> {
    let seconds: u64 = seconds.parse().ok()?;
    let lines: Option<Vec<Line<'_>>> = summary.lines().map(Line::read).collect();
    let lines = lines?;
    let ran: BTreeSet<&str> = lines.iter().map(|line| line.target).collect();
    let all = super::targets().iter().all(|target| ran.contains(target));
    let long = lines.iter().all(|l| l.executions >= EXECUTIONS_MIN || seconds >= CPU_SECONDS_MIN);
    let found = lines.iter().filter(|line| line.found).count();
    let fewest = lines.iter().min_by_key(|line| line.executions)?;
    let slowest = lines.iter().max_by(|a, b| a.ms.total_cmp(&b.ms))?;
    let largest = lines.iter().max_by(|a, b| a.mib.total_cmp(&b.mib))?;
    let text = format!(
        "{} targets, {seconds} CPU-seconds each: {} executions, {} at least ({}); {found} targets with a finding; slowest input \
         {} ms ({}), largest {} MiB on the heap ({})",
        lines.len(),
        lines.iter().map(|line| line.executions).sum::<u64>(),
        fewest.executions,
        fewest.target,
        slowest.ms,
        slowest.target,
        largest.mib,
        largest.target,
    );
    let small = slowest.ms <= MS_MAX && largest.mib <= MIB_MAX;
    Some(Figure::new("R16 fuzz", all && found == 0, text).within(long && small))
}

struct Line<'s> {
    target: &'s str,
    executions: u64,
    ms: f64,
    mib: f64,
    found: bool,
}

impl<'s> Line<'s> {
    fn read(line: &'s str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [target, executions, _, ms, "ms", mib, "MiB", ref rest @ ..] = words[..] else {
            return None;
        };
        Some(Self {
            target,
            executions: executions.parse().ok()?,
            ms: ms.parse().ok()?,
            mib: mib.parse().ok()?,
            found: !rest.is_empty(),
        })
    }
}
