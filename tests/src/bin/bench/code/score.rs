//! How good an answer is: ranks, and lines that have to be read until the function is seen.

use millrace_jobs::codebase::search::Hit;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::strip::Question;

/// Draws of a bootstrap (Efron, 1979).
const DRAWS: usize = 1_000;
/// A result may be so long and still count for the function that it covers.
const LINES_MAX: usize = 100;

/// What one question came to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Score {
    /// Rank of the file, of the function; from 1.
    file: Option<usize>,
    symbol: Option<usize>,
    /// Lines returned until then, that result's included.
    lines: Option<usize>,
}

/// Judge an answer.
pub(super) fn score(question: &Question, hits: &[Hit]) -> Score {
    let (mut files, mut lines, mut score) = (Vec::new(), 0, Score::default());
    for (rank, hit) in (1..).zip(hits) {
        let (start, end) =
            (usize::try_from(hit.start_line).unwrap(), usize::try_from(hit.end_line).unwrap());
        lines += end + 1 - start;
        if !files.contains(&&hit.file_path) {
            files.push(&hit.file_path);
        }
        if hit.file_path != question.path {
            continue;
        }
        score.file = score.file.or(Some(files.len()));
        let (first, last) = question.lines;
        let common = (end.min(last) + 1).saturating_sub(start.max(first));
        let (result, function) = (end + 1 - start, last + 1 - first);
        if common * 2 >= result || (common * 2 >= function && result <= LINES_MAX) {
            (score.symbol, score.lines) = (Some(rank), Some(lines));
            break;
        }
    }
    score
}

/// A measure of many scores.
pub(super) struct Measure {
    pub(super) name: &'static str,
    of: fn(&Score) -> f64,
}

fn within(rank: Option<usize>, most: usize) -> f64 {
    f64::from(u8::from(rank.is_some_and(|rank| rank <= most)))
}

fn reciprocal(rank: Option<usize>) -> f64 {
    rank.filter(|rank| *rank <= 10).map_or(0.0, |rank| 1.0 / rank as f64)
}

/// All of them, MRR of the first ten.
pub(super) const MEASURES: [Measure; 8] = [
    Measure { name: "file MRR", of: |s| reciprocal(s.file) },
    Measure { name: "file R@10", of: |s| within(s.file, 10) },
    Measure { name: "symbol MRR", of: |s| reciprocal(s.symbol) },
    Measure { name: "R@1", of: |s| within(s.symbol, 1) },
    Measure { name: "R@5", of: |s| within(s.symbol, 5) },
    Measure { name: "R@10", of: |s| within(s.symbol, 10) },
    Measure { name: "B100", of: |s| within(s.lines, 100) },
    Measure { name: "B300", of: |s| within(s.lines, 300) },
];

impl Measure {
    /// Mean, and half the width of its 95 % interval.
    pub(super) fn mean(&self, scores: &[Score]) -> (f64, f64) {
        let values: Vec<f64> = scores.iter().map(self.of).collect();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let mut random = StdRng::seed_from_u64(1);
        let mut drawn: Vec<f64> = (0..DRAWS)
            .map(|_| {
                let one = |_| values[random.random_range(0..values.len())];
                mean(&(0..values.len()).map(one).collect::<Vec<_>>())
            })
            .collect();
        drawn.sort_by(f64::total_cmp);
        (mean(&values), (drawn[DRAWS * 39 / 40] - drawn[DRAWS / 40]) / 2.0)
    }
}
