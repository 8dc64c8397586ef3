//! A text by lines, with the number of tokens in each.

use std::ops::Range;

/// Lines end after their newline.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    pub(super) source: &'a str,
    /// Where each begins, and the end.
    starts: Vec<usize>,
    /// Tokens before each, and all.
    tokens: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(source: &'a str, count: &dyn Fn(&str) -> usize) -> Self {
        let (mut starts, mut tokens) = (vec![0], vec![0]);
        let (mut at, mut all) = (0, 0);
        for line in source.split_inclusive('\n') {
            at += line.len();
            all += count(line);
            starts.push(at);
            tokens.push(all);
        }
        Self { source, starts, tokens }
    }

    pub(super) fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// Bytes of some lines.
    pub(super) fn bytes(&self, lines: &Range<usize>) -> Range<usize> {
        let at = |line: usize| self.starts.get(line).copied().unwrap_or(self.source.len());
        at(lines.start)..at(lines.end)
    }

    pub(super) fn text(&self, lines: Range<usize>) -> &'a str {
        self.source.get(self.bytes(&lines)).unwrap_or_default()
    }

    pub(super) fn line(&self, line: usize) -> &'a str {
        self.text(line..line + 1)
    }

    pub(super) fn tokens(&self, lines: &Range<usize>) -> usize {
        let before = |line: usize| self.tokens.get(line.min(self.count())).copied().unwrap_or(0);
        before(lines.end).saturating_sub(before(lines.start))
    }

    /// The last line so that all from `start` have at most `most` tokens; at least one line.
    pub(super) fn fitting(&self, start: usize, end: usize, most: usize) -> usize {
        let limit = self.tokens.get(start).copied().unwrap_or(0) + most;
        let fits = self.tokens.partition_point(|tokens| *tokens <= limit) - 1;
        fits.clamp(start + 1, end)
    }

    pub(super) fn is_blank(&self, line: usize) -> bool {
        self.line(line).trim().is_empty()
    }
}
