//! What happens to rows between two products.

use crate::{
    int8::{BLOCK, COLS, Quantized, Tile, WIDTH},
    simd::{LANES, Simd, portable::Portable, vectors, vectors_mut},
};

/// See [`crate::isa::Kernels::quantize`].
#[inline(always)]
pub(crate) fn quantize<S: Simd>(s: S, x: &[f32], dims: usize, rows: usize, out: &mut Quantized) {
    out.reset(rows, dims);
    for (row, numbers) in x.chunks_exact(dims).take(rows).enumerate() {
        for (block, numbers) in numbers.as_chunks::<BLOCK>().0.iter().enumerate() {
            out.set(s, row, block, numbers);
        }
    }
}

/// See [`crate::isa::Kernels::gelu`].
#[inline(always)]
pub(crate) fn gelu<S: Simd>(s: S, tiles: &[Tile; 2], place: Place, out: &mut Quantized) {
    for row in 0..place.rows {
        let mut numbers = [0.0; WIDTH];
        for (tile, numbers) in tiles.iter().zip(numbers.as_chunks_mut::<COLS>().0) {
            for (v, numbers) in vectors(&tile[row]).iter().zip(vectors_mut(numbers)) {
                s.store(s.gelu(s.load(v)), numbers);
            }
        }
        for (b, numbers) in numbers.as_chunks::<BLOCK>().0.iter().enumerate() {
            out.set(s, place.first + row, place.group * (WIDTH / BLOCK) + b, numbers);
        }
    }
}

/// See [`crate::isa::Kernels::layer_norm`].
#[inline(always)]
pub(crate) fn layer_norm<S: Simd>(s: S, x: &mut [f32], gamma: &[f32], beta: &[f32], epsilon: f32) {
    let dims = gamma.len();
    let share = 1.0 / dims as f32;
    for row in x.chunks_exact_mut(dims) {
        // Four sums at once: one would wait for itself.
        let mut sums = [s.splat(0.0); 4];
        for four in vectors(row).as_chunks::<4>().0 {
            for (sum, v) in sums.iter_mut().zip(four) {
                *sum = s.add(*sum, s.load(v));
            }
        }
        let mean = s.splat(together(s, sums) * share);
        let mut squares = [s.splat(0.0); 4];
        for four in vectors(row).as_chunks::<4>().0 {
            for (sum, v) in squares.iter_mut().zip(four) {
                let away = s.sub(s.load(v), mean);
                *sum = s.fma(away, away, *sum);
            }
        }
        let variance = together(s, squares) * share;
        let scale = s.splat(1.0 / (variance + epsilon).sqrt());
        for ((v, g), b) in vectors_mut(row).iter_mut().zip(vectors(gamma)).zip(vectors(beta)) {
            let away = s.mul(s.sub(s.load(v), mean), scale);
            s.store(s.fma(away, s.load(g), s.load(b)), v);
        }
    }
}

#[inline(always)]
fn together<S: Simd>(s: S, sums: [S::V; 4]) -> f32 {
    s.sum(s.add(s.add(sums[0], sums[1]), s.add(sums[2], sums[3])))
}

/// Mean of the rows, or the first alone, scaled to length 1.
pub(crate) fn pool(x: &[f32], mean: bool, out: &mut [f32]) {
    let (dims, s) = (out.len(), Portable);
    out.copy_from_slice(&x[..dims]);
    if mean {
        for row in x.chunks_exact(dims).skip(1) {
            for (sum, x) in out.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }
    let squares = vectors(out).iter().fold(s.splat(0.0), |sum, v| s.add(sum, s.mul(*v, *v)));
    let length = s.sum(squares).sqrt();
    let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
    out.iter_mut().for_each(|x| *x *= scale);
}

/// See [`crate::isa::Kernels::write`].
#[inline(always)]
pub(crate) fn write<S: Simd>(s: S, tiles: &[Tile; 2], place: Place, width: usize, out: &mut [f32]) {
    place.each(tiles, width, out, |tile, out| s.store(s.load(tile), out));
}

/// See [`crate::isa::Kernels::add`].
#[inline(always)]
pub(crate) fn add<S: Simd>(s: S, tiles: &[Tile; 2], place: Place, width: usize, out: &mut [f32]) {
    place.each(tiles, width, out, |tile, out| s.store(s.add(s.load(out), s.load(tile)), out));
}

/// Where two tiles side by side belong: `rows` rows from `first` on, columns `group` times 128 and on.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub first: usize,
    pub rows: usize,
    pub group: usize,
}

impl Place {
    /// Each vector of the tiles with the one of `out`, in rows of `width`, that it belongs to.
    #[inline(always)]
    fn each(
        self,
        tiles: &[Tile; 2],
        width: usize,
        out: &mut [f32],
        f: impl Fn(&[f32; LANES], &mut [f32; LANES]),
    ) {
        for row in 0..self.rows {
            let out = &mut out[(self.first + row) * width + self.group * WIDTH..][..WIDTH];
            for (tile, out) in tiles.iter().zip(out.as_chunks_mut::<COLS>().0) {
                for (tile, out) in vectors(&tile[row]).iter().zip(vectors_mut(out)) {
                    f(tile, out);
                }
            }
        }
    }
}

const _: () = assert!(WIDTH.is_multiple_of(BLOCK) && BLOCK.is_multiple_of(LANES));
