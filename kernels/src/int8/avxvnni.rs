//! AVX-VNNI: `vpdpbusd` on 32 bytes. Sixteen registers hold six rows of sixteen columns.

use std::arch::x86_64::{
    __m256, __m256i, _mm256_cvtepi32_ps, _mm256_dpbusd_avx_epi32, _mm256_fmadd_ps, _mm256_loadu_ps,
    _mm256_loadu_si256, _mm256_mul_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_storeu_ps,
};

use super::{COLS, Panel, Rows, Tile, four};

/// Vectors of eight columns that are summed at once.
const VECTORS: usize = 2;

#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn bytes(from: &[u8; 32]) -> __m256i {
    // SAFETY: a reference to 32 bytes may be read as 32 bytes; the load asks for no alignment.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn floats(from: &[f32; 8]) -> __m256 {
    // SAFETY: a reference to 8 numbers may be read as 8 numbers; the load asks for no alignment.
    unsafe { _mm256_loadu_ps(from.as_ptr()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn store(to: &mut [f32; 8], x: __m256) {
    // SAFETY: an exclusive reference to 8 numbers may be written as 8 numbers; the store asks for no alignment.
    unsafe { _mm256_storeu_ps(to.as_mut_ptr(), x) }
}

/// Adds eight scaled sums to the tile: shared with [`super::avx2`].
#[target_feature(enable = "avx2,fma")]
#[inline]
pub(super) fn add(out: &mut [f32; 8], sums: __m256i, scales: &[f32; 8], scale: f32) {
    let scale = _mm256_mul_ps(floats(scales), _mm256_set1_ps(scale));
    store(out, _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums), scale, floats(out)));
}

/// See [`crate::isa::Kernels::tile`].
#[target_feature(enable = "avx2,fma,avxvnni")]
pub(crate) fn tile(
    left: Rows<'_>,
    rows: usize,
    panel: Panel<'_>,
    start: &[f32; COLS],
    out: &mut Tile,
) {
    out[..rows].fill(*start);
    match rows {
        1 => rows_of::<1>(left, panel, out),
        2 => rows_of::<2>(left, panel, out),
        3 => rows_of::<3>(left, panel, out),
        4 => rows_of::<4>(left, panel, out),
        5 => rows_of::<5>(left, panel, out),
        _ => rows_of::<6>(left, panel, out),
    }
}

#[target_feature(enable = "avx2,fma,avxvnni")]
fn rows_of<const M: usize>(left: Rows<'_>, panel: Panel<'_>, out: &mut Tile) {
    for (b, (columns, scales)) in panel.blocks.iter().zip(panel.scales).enumerate() {
        let row = left.block::<M>(b);
        let scales = scales.as_chunks::<8>().0;
        for first in (0..COLS / 8).step_by(VECTORS) {
            let mut sums = [[_mm256_set1_epi32(0); VECTORS]; M];
            for m in 0..M {
                sums[m] = [_mm256_set1_epi32(row.offsets[m]); VECTORS];
            }
            for (step, group) in columns.iter().enumerate() {
                let group = group.as_chunks::<32>().0;
                let weights = [bytes(&group[first]), bytes(&group[first + 1])];
                for m in 0..M {
                    let four = _mm256_set1_epi32(four(row.blocks[m][step]));
                    for v in 0..VECTORS {
                        sums[m][v] = _mm256_dpbusd_avx_epi32(sums[m][v], weights[v], four);
                    }
                }
            }
            for m in 0..M {
                let out = out[m].as_chunks_mut::<8>().0;
                for v in 0..VECTORS {
                    add(&mut out[first + v], sums[m][v], &scales[first + v], row.scales[m]);
                }
            }
        }
    }
}
