//! Dense symmetric positive definite systems, row-major, in single precision: with a ridge of 0.1 the
//! condition number stays below 1e5 for the sizes allowed.
#![expect(clippy::indexing_slicing, reason = "loop bounds are the matrix's own size")]

use crate::embed::cosine as dot;

/// The lower Cholesky factor, row `i` holding `i + 1` numbers.
#[derive(Debug)]
pub(super) struct Factor {
    rows: Vec<Vec<f32>>,
}

impl Factor {
    /// Factors the matrix given by its lower rows; `None` if it is not positive definite.
    pub(super) fn new(mut rows: Vec<Vec<f32>>) -> Option<Self> {
        for i in 0..rows.len() {
            let (done, rest) = rows.split_at_mut(i);
            let row = &mut rest[0];
            for j in 0..i {
                let sum = dot(&row[..j], &done[j][..j]);
                row[j] = (row[j] - sum) / done[j][j];
            }
            let pivot = row[i] - dot(&row[..i], &row[..i]);
            if pivot.is_nan() || pivot <= 0.0 {
                return None;
            }
            row[i] = pivot.sqrt();
        }
        Some(Self { rows })
    }

    /// Solves for many right-hand sides at once: `rhs[i]` is the i-th row of all of them.
    pub(super) fn solve(&self, mut rhs: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
        for i in 0..rhs.len() {
            let (done, rest) = rhs.split_at_mut(i);
            for (factor, row) in self.rows[i].iter().zip(done) {
                add_scaled(&mut rest[0], row, -factor);
            }
            scale(&mut rest[0], 1.0 / self.rows[i][i]);
        }
        for i in (0..rhs.len()).rev() {
            let (above, rest) = rhs.split_at_mut(i);
            scale(&mut rest[0], 1.0 / self.rows[i][i]);
            for (factor, row) in self.rows[i].iter().zip(above) {
                add_scaled(row, &rest[0], -factor);
            }
        }
        rhs
    }

    /// The diagonal of the inverse matrix.
    pub(super) fn inverse_diagonal(&self) -> Vec<f32> {
        let n = self.rows.len();
        let mut inverse: Vec<Vec<f32>> = Vec::with_capacity(n);
        let mut diagonal = vec![0.0_f32; n];
        for (i, row) in self.rows.iter().enumerate() {
            let mut new = vec![0.0_f32; i + 1];
            for (factor, known) in row.iter().zip(&inverse) {
                add_scaled(&mut new[..known.len()], known, -factor);
            }
            new[i] = 1.0;
            scale(&mut new, 1.0 / row[i]);
            for (sum, x) in diagonal.iter_mut().zip(&new) {
                *sum += x * x;
            }
            inverse.push(new);
        }
        diagonal
    }
}

fn add_scaled(to: &mut [f32], from: &[f32], factor: f32) {
    for (t, f) in to.iter_mut().zip(from) {
        *t += factor * f;
    }
}

fn scale(row: &mut [f32], factor: f32) {
    for x in row {
        *x *= factor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_and_inverts() {
        // [[4, 2, 0.6], [2, 5, 1], [0.6, 1, 3]]
        let full = [[4.0, 2.0, 0.6], [2.0, 5.0, 1.0], [0.6, 1.0, 3.0_f32]];
        let lower = (0..3).map(|i| full[i][..=i].to_vec()).collect();
        let factor = Factor::new(lower).unwrap();
        let identity = (0..3).map(|i| (0..3).map(|j| f32::from(i == j)).collect()).collect();
        let inverse = factor.solve(identity);
        for (i, row) in full.iter().enumerate() {
            let product = |j: usize| (0..3).map(|k| row[k] * inverse[k][j]).sum::<f32>();
            assert!((0..3).all(|j| (product(j) - f32::from(i == j)).abs() < 1e-5));
            assert!((factor.inverse_diagonal()[i] - inverse[i][i]).abs() < 1e-6);
        }
        assert!(Factor::new(vec![vec![1.0], vec![2.0, 1.0]]).is_none());
    }
}
