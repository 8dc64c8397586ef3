//! What the scan of 8-bit copies finds is what a comparison of all vectors finds.

use crate::models::Dice;
use millrace_kernels::{Isa, Nearest};
use proptest::prelude::*;

fn product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Vectors in clusters, so that there are close ones, exact copies among them.
fn vectors(seed: u64, dims: usize, count: usize, spread: f32) -> Vec<Vec<f32>> {
    let mut dice = Dice(seed | 1);
    let centres: Vec<Vec<f32>> = (0..1 + count / 8).map(|_| dice.unit(dims)).collect();
    (0..count)
        .map(|_| {
            let (centre, away) = (&centres[dice.below(centres.len())], dice.unit(dims));
            let spread = if dice.below(5) == 0 { 0.0 } else { spread };
            let x: Vec<f32> = centre.iter().zip(away).map(|(c, a)| c + spread * a).collect();
            let length = product(&x, &x).sqrt();
            x.iter().map(|x| x / length).collect()
        })
        .collect()
}

fn filled(vectors: &[Vec<f32>], dims: usize, isa: Isa) -> Nearest {
    let mut nearest = Nearest::new(dims, isa).unwrap();
    for vector in vectors {
        nearest.push(vector);
    }
    nearest
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_top_is_the_top(
        seed: u64, count in 0_usize..400, dims in prop::sample::select(vec![1_usize, 40, 128, 384]),
        k in 0_usize..20, spread in 0.01_f32..1.0,
    ) {
        let all = vectors(seed, dims, count, spread);
        let query = vectors(seed ^ 9, dims, 1, spread).remove(0);
        let removed = |row: &usize| count > 10 && row % 7 == 3;
        let mut right: Vec<(usize, f32)> = (0..count)
            .filter(|row| !removed(row))
            .map(|row| (row, product(&all[row], &query)))
            .collect();
        right.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        right.truncate(k);
        for isa in Isa::available() {
            let mut nearest = filled(&all, dims, isa);
            (0..count).filter(removed).for_each(|row| nearest.remove(row));
            let top = nearest.top(&query, k, |row| product(&all[row], &query));
            let top: Vec<(usize, f32)> = top.iter().map(|hit| (hit.row, hit.score)).collect();
            prop_assert_eq!(&top, &right, "{:?}", isa);
        }
    }

    #[test]
    fn every_pair_is_found_once(
        seed: u64, count in 0_usize..400, above in -0.2_f32..1.0, spread in 0.01_f32..1.0, parts in 1_usize..4,
    ) {
        let all = vectors(seed, 64, count, spread);
        let removed = |row: usize| count > 10 && row % 11 == 5;
        let mut right = Vec::new();
        for a in 0..count {
            for b in a + 1..count {
                let score = product(&all[a], &all[b]);
                if score >= above && !removed(a) && !removed(b) {
                    right.push((a, b));
                }
            }
        }
        let mut nearest = filled(&all, 64, Isa::best());
        (0..count).filter(|row| removed(*row)).for_each(|row| nearest.remove(row));
        let mut found = Vec::new();
        for part in 0..parts {
            nearest.pairs(above, (part, parts), |a, b| product(&all[a], &all[b]), |a, b, _| found.push((a, b)));
        }
        found.sort_unstable();
        prop_assert_eq!(found, right);
    }
}

#[test]
fn vectors_of_any_length_and_none_are_compared_too() {
    let zero = vec![0.0; 384];
    let long: Vec<f32> = (0..384).map(|i| 1e3 * (i as f32).sin()).collect();
    let tiny: Vec<f32> = long.iter().map(|x| x * 1e-12).collect();
    let all = [zero.clone(), long.clone(), tiny];
    let nearest = filled(&all, 384, Isa::best());
    let top = nearest.top(&long, 3, |row| product(&all[row], &long));
    assert_eq!(top.iter().map(|hit| hit.row).collect::<Vec<_>>(), [1, 2, 0]);
    assert!(nearest.top(&zero, 0, |_| 0.0).is_empty());
    assert_eq!(nearest.len(), 3);
}
