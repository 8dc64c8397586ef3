//! ARM with the dot-product extension (ARMv8.2-A `sdot`, in every server core since Neoverse N1): 16 bytes by 16 bytes,
//! four and four, to four sums.
//!
//! The intrinsic is not stable yet, the instruction is: it is written out.

use std::arch::{
    aarch64::{
        int32x4_t, uint8x16_t, vcvtq_f32_s32, vdupq_n_s32, vfmaq_f32, vld1q_f32, vld1q_u8,
        vmulq_n_f32, vst1q_f32,
    },
    asm,
};

use super::{COLS, Panel, Rows, Tile, four};

/// Vectors of four columns that are summed at once.
const VECTORS: usize = 4;

#[target_feature(enable = "neon,dotprod")]
#[inline]
fn dot(mut sum: int32x4_t, weights: uint8x16_t, four: int32x4_t) -> int32x4_t {
    // SAFETY: `sdot` reads and writes the three registers named and nothing else; the function's target feature says
    // that the processor has it.
    unsafe {
        asm!("sdot {0:v}.4s, {1:v}.16b, {2:v}.16b", inout(vreg) sum, in(vreg) weights, in(vreg) four,
             options(pure, nomem, nostack, preserves_flags));
    }
    sum
}

#[target_feature(enable = "neon")]
#[inline]
fn bytes(from: &[u8; 16]) -> uint8x16_t {
    // SAFETY: a reference to 16 bytes may be read as 16 bytes; the load asks for no alignment.
    unsafe { vld1q_u8(from.as_ptr()) }
}

#[target_feature(enable = "neon")]
#[inline]
fn add(out: &mut [f32; 4], sums: int32x4_t, scales: &[f32; 4], scale: f32) {
    // SAFETY: a reference to 4 numbers may be read as 4 numbers.
    let scales = unsafe { vld1q_f32(scales.as_ptr()) };
    // SAFETY: as above.
    let before = unsafe { vld1q_f32(out.as_ptr()) };
    let after = vfmaq_f32(before, vcvtq_f32_s32(sums), vmulq_n_f32(scales, scale));
    // SAFETY: an exclusive reference to 4 numbers may be written as 4 numbers.
    unsafe { vst1q_f32(out.as_mut_ptr(), after) }
}

/// See [`crate::isa::Kernels::tile`].
#[target_feature(enable = "neon,dotprod")]
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

#[target_feature(enable = "neon,dotprod")]
fn rows_of<const M: usize>(left: Rows<'_>, panel: Panel<'_>, out: &mut Tile) {
    for (b, (columns, scales)) in panel.blocks.iter().zip(panel.scales).enumerate() {
        let row = left.block::<M>(b);
        let scales = scales.as_chunks::<4>().0;
        for first in (0..COLS / 4).step_by(VECTORS) {
            let mut sums = [[vdupq_n_s32(0); VECTORS]; M];
            for (step, group) in columns.iter().enumerate() {
                let group = &group.as_chunks::<16>().0[first..];
                let weights =
                    [bytes(&group[0]), bytes(&group[1]), bytes(&group[2]), bytes(&group[3])];
                for m in 0..M {
                    let four = vdupq_n_s32(four(row.blocks[m][step]));
                    for v in 0..VECTORS {
                        sums[m][v] = dot(sums[m][v], weights[v], four);
                    }
                }
            }
            for m in 0..M {
                let out = out[m].as_chunks_mut::<4>().0;
                for v in 0..VECTORS {
                    add(&mut out[first + v], sums[m][v], &scales[first + v], row.scales[m]);
                }
            }
        }
    }
}
