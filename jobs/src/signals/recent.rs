//! "Have we heard this before": the vectors of a workspace's processed signals, in memory.
//!
//! Only first-heard texts are kept; a duplicate points at one of them already. Memory is bounded: of a
//! large workspace the newest are compared by meaning, all of them by exact text (in the database).

use std::collections::VecDeque;

use crate::embed::cosine;

/// A processed signal.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) id: String,
    pub(crate) content_hash: Vec<u8>,
    pub(crate) vector: Vec<f32>,
}

/// All that were heard first, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    heard: VecDeque<Heard>,
}

impl Recent {
    pub(crate) fn push(&mut self, heard: Heard) {
        self.heard.push_back(heard);
    }

    /// Forgets the oldest beyond `rows_max`.
    pub(crate) fn trim(&mut self, rows_max: usize) {
        let excess = self.heard.len().saturating_sub(rows_max);
        self.heard.drain(..excess);
    }

    /// The most similar other one with its cosine, if that is at least `least`.
    pub(crate) fn nearest(&self, id: &str, vector: &[f32], least: f32) -> Option<(&Heard, f32)> {
        let others = self.heard.iter().filter(|h| h.id != id);
        let scored = others.map(|h| (h, cosine(&h.vector, vector))).filter(|(_, c)| *c >= least);
        scored.max_by(|a, b| a.1.total_cmp(&b.1))
    }
}
