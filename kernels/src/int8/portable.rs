//! Any processor. Slow: there so that every other path has something to be compared with.

use super::{COLS, Panel, ROWS, Rows, Tile};

/// See [`crate::isa::Kernels::tile`].
pub(crate) fn tile(
    left: Rows<'_>,
    rows: usize,
    panel: Panel<'_>,
    start: &[f32; COLS],
    out: &mut Tile,
) {
    out[..rows].fill(*start);
    for (row, sums) in out.iter_mut().enumerate().take(rows.min(ROWS)) {
        for (b, (columns, scales)) in panel.blocks.iter().zip(panel.scales).enumerate() {
            let row = left.from(row).block::<1>(b);
            let mut whole = [0_i32; COLS];
            for (four, group) in row.blocks[0].iter().zip(columns) {
                for (sum, weights) in whole.iter_mut().zip(group.as_chunks::<4>().0) {
                    for (x, w) in four.iter().zip(weights) {
                        *sum += i32::from(*x) * i32::from(w.cast_signed());
                    }
                }
            }
            for ((sum, whole), scale) in sums.iter_mut().zip(whole).zip(scales) {
                *sum = (whole as f32).mul_add(scale * row.scales[0], *sum);
            }
        }
    }
}
