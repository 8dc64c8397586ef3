//! AVX-512 with VNNI: `vpdpbusd` multiplies 64 unsigned by 64 signed bytes and adds them, four and four, to 16 sums.

use std::arch::x86_64::{
    __m512, __m512i, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_loadu_ps,
    _mm512_loadu_si512, _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_storeu_ps,
};

use super::{COLS, Panel, Rows, Tile, four};

/// Vectors in a row of columns.
const VECTORS: usize = COLS / 16;

#[target_feature(enable = "avx512f")]
#[inline]
fn bytes(from: &[u8; 64]) -> __m512i {
    // SAFETY: a reference to 64 bytes may be read as 64 bytes; the load asks for no alignment.
    unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn floats(from: &[f32; 16]) -> __m512 {
    // SAFETY: a reference to 16 numbers may be read as 16 numbers; the load asks for no alignment.
    unsafe { _mm512_loadu_ps(from.as_ptr()) }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn store(to: &mut [f32; 16], x: __m512) {
    // SAFETY: an exclusive reference to 16 numbers may be written as 16 numbers; the store asks for no alignment.
    unsafe { _mm512_storeu_ps(to.as_mut_ptr(), x) }
}

/// See [`crate::isa::Kernels::tile`].
#[target_feature(enable = "avx512f,avx512vnni")]
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

#[target_feature(enable = "avx512f,avx512vnni")]
fn rows_of<const M: usize>(left: Rows<'_>, panel: Panel<'_>, out: &mut Tile) {
    for (b, (columns, scales)) in panel.blocks.iter().zip(panel.scales).enumerate() {
        let row = left.block::<M>(b);
        let mut sums = [[_mm512_set1_epi32(0); VECTORS]; M];
        for m in 0..M {
            sums[m] = [_mm512_set1_epi32(row.offsets[m]); VECTORS];
        }
        for (step, group) in columns.iter().enumerate() {
            let group = group.as_chunks::<64>().0;
            let weights = [bytes(&group[0]), bytes(&group[1]), bytes(&group[2]), bytes(&group[3])];
            for m in 0..M {
                let four = _mm512_set1_epi32(four(row.blocks[m][step]));
                for v in 0..VECTORS {
                    sums[m][v] = _mm512_dpbusd_epi32(sums[m][v], weights[v], four);
                }
            }
        }
        let scales = scales.as_chunks::<16>().0;
        for m in 0..M {
            let out = out[m].as_chunks_mut::<16>().0;
            for v in 0..VECTORS {
                let scale = _mm512_mul_ps(floats(&scales[v]), _mm512_set1_ps(row.scales[m]));
                let whole = _mm512_cvtepi32_ps(sums[m][v]);
                let sum = _mm512_fmadd_ps(whole, scale, floats(&out[v]));
                store(&mut out[v], sum);
            }
        }
    }
}
