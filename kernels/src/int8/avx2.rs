//! AVX2 without VNNI. `vpmaddubsw` saturates at 16 bits when a byte may be 255; with the sign moved from one factor to
//! the other both stay within 127, two products within 32,258, and the sum is exact.

use std::arch::x86_64::{
    _mm256_abs_epi8, _mm256_add_epi32, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_set1_epi16,
    _mm256_set1_epi32, _mm256_setzero_si256, _mm256_sign_epi8,
};

use super::{
    COLS, Panel, Rows, Tile,
    avxvnni::{add, bytes},
    four,
};

/// Vectors of eight columns that are summed at once.
const VECTORS: usize = 2;

/// See [`crate::isa::Kernels::tile`].
#[target_feature(enable = "avx2,fma")]
pub(crate) fn tile(
    left: Rows<'_>,
    rows: usize,
    panel: Panel<'_>,
    start: &[f32; COLS],
    out: &mut Tile,
) {
    out[..rows].fill(*start);
    match rows {
        1 => rows_of::<1>(left, 0, panel, out),
        2 => rows_of::<2>(left, 0, panel, out),
        3 => rows_of::<3>(left, 0, panel, out),
        _ => {
            rows_of::<3>(left, 0, panel, out);
            match rows {
                4 => rows_of::<1>(left, 3, panel, out),
                5 => rows_of::<2>(left, 3, panel, out),
                _ => rows_of::<3>(left, 3, panel, out),
            }
        }
    }
}

#[target_feature(enable = "avx2,fma")]
fn rows_of<const M: usize>(left: Rows<'_>, from: usize, panel: Panel<'_>, out: &mut Tile) {
    let ones = _mm256_set1_epi16(1);
    for (b, (columns, scales)) in panel.blocks.iter().zip(panel.scales).enumerate() {
        let row = left.from(from).block::<M>(b);
        let scales = scales.as_chunks::<8>().0;
        for first in (0..COLS / 8).step_by(VECTORS) {
            let mut sums = [[_mm256_setzero_si256(); VECTORS]; M];
            for (step, group) in columns.iter().enumerate() {
                let group = group.as_chunks::<32>().0;
                let weights = [bytes(&group[first]), bytes(&group[first + 1])];
                for m in 0..M {
                    let four = _mm256_set1_epi32(four(row.blocks[m][step]));
                    let sizes = _mm256_abs_epi8(four);
                    for v in 0..VECTORS {
                        let pairs = _mm256_maddubs_epi16(sizes, _mm256_sign_epi8(weights[v], four));
                        sums[m][v] = _mm256_add_epi32(sums[m][v], _mm256_madd_epi16(pairs, ones));
                    }
                }
            }
            for m in 0..M {
                let out = out[from + m].as_chunks_mut::<8>().0;
                for v in 0..VECTORS {
                    add(&mut out[first + v], sums[m][v], &scales[first + v], row.scales[m]);
                }
            }
        }
    }
}
