//! The little linear algebra that regressions of a dozen features need: symmetric matrices as rows.

use crate::{Error, Result};

/// A lower triangle L with A = LLᵀ; row i has i + 1 entries (Cholesky; Golub & Van Loan 2013, algorithm 4.2.1).
#[derive(Debug, Clone)]
pub(crate) struct Cholesky(Vec<Vec<f64>>);

impl Cholesky {
    /// Of a symmetric matrix, of which the lower triangle is read.
    pub(crate) fn of(matrix: &[Vec<f64>]) -> Result<Self> {
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(matrix.len());
        for (i, wanted) in matrix.iter().enumerate() {
            let mut row: Vec<f64> = Vec::with_capacity(i + 1);
            for above in &rows {
                let value = wanted.get(row.len()).copied().unwrap_or(f64::NAN);
                row.push((value - dot(&row, above)) / diagonal(above));
            }
            let square = wanted.get(i).copied().unwrap_or(f64::NAN) - dot(&row, &row);
            if square.is_nan() || square <= 0.0 || square.is_infinite() {
                return Err(Error::Degenerate("the system is singular"));
            }
            row.push(square.sqrt());
            rows.push(row);
        }
        Ok(Self(rows))
    }

    /// The x of Ax = b.
    pub(crate) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut forward: Vec<f64> = Vec::with_capacity(b.len());
        for (row, b) in self.0.iter().zip(b) {
            let next = (b - dot(row, &forward)) / diagonal(row);
            forward.push(next);
        }
        self.back(forward)
    }

    /// The x of Lᵀx = b: of a standard normal b, a draw with covariance A⁻¹.
    pub(crate) fn back(&self, mut b: Vec<f64>) -> Vec<f64> {
        for (i, row) in self.0.iter().enumerate().rev() {
            let Some(last) = b.get_mut(i) else { continue };
            *last /= diagonal(row);
            let x = *last;
            for (rest, factor) in b.iter_mut().zip(row).take(i) {
                *rest -= factor * x;
            }
        }
        b
    }
}

/// Adds `weight`·xxᵀ.
pub(crate) fn add_outer(matrix: &mut [Vec<f64>], x: &[f64], weight: f64) {
    for (row, a) in matrix.iter_mut().zip(x) {
        for (cell, b) in row.iter_mut().zip(x) {
            *cell += weight * (a * b);
        }
    }
}

/// Adds to the diagonal, from row `first` on.
pub(crate) fn add_diagonal(matrix: &mut [Vec<f64>], value: f64, first: usize) {
    for (i, row) in matrix.iter_mut().enumerate().skip(first) {
        if let Some(cell) = row.get_mut(i) {
            *cell += value;
        }
    }
}

/// Over the shorter of the two.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn diagonal(row: &[f64]) -> f64 {
    row.last().copied().unwrap_or(f64::NAN)
}
