//! Products of matrices in 8-bit numbers with 32-bit sums: exact, hence the same on every machine.
//!
//! Numbers stand in blocks of 64: 8-bit numbers and one scale. A product of two blocks is summed in whole numbers (at
//! most 64 x 127 x 255, far inside 32 bits and exact as `f32`), scaled, and added to the sum of the blocks before. Longer
//! blocks are faster and less exact: of 128, 1.3 times as fast and a word alone at a cosine of .995 to 32-bit floats; of 64,
//! .997; of 32, .998 and 0.85 times as fast (all-MiniLM-L6-v2, AVX-512).

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avxvnni;
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
pub(crate) mod dotprod;
pub(crate) mod portable;

use crate::simd::{LANES, Simd, portable::Portable};

/// Numbers that share a scale.
pub const BLOCK: usize = 64;
/// Columns of a panel of [`Packed`]: as many as a tile of registers takes.
pub(crate) const COLS: usize = 64;
/// Columns of two tiles side by side: what dimensions are multiples of.
pub(crate) const WIDTH: usize = 2 * COLS;
/// Rows of a tile.
pub(crate) const ROWS: usize = 6;
/// Groups of four numbers in a block: what one instruction multiplies and sums.
pub(crate) const STEPS: usize = BLOCK / 4;

/// One block of a row, four numbers a group.
pub(crate) type Block = [[i8; 4]; STEPS];
/// One block of [`COLS`] columns: per group of four, the columns one after the other.
pub(crate) type PanelBlock = [[u8; COLS * 4]; STEPS];
/// Sums of a tile, a row of columns per row.
pub(crate) type Tile = [[f32; COLS]; ROWS];

/// Rows of blocks: the left factor of a product.
#[derive(Debug, Default)]
pub struct Quantized {
    per_row: usize,
    blocks: Vec<Block>,
    scales: Vec<f32>,
    /// -128 times the sum of each block: takes back what makes the columns unsigned.
    offsets: Vec<i32>,
}

impl Quantized {
    /// `rows` rows of `dims` numbers (a multiple of [`BLOCK`]), all zero. Keeps the memory it has.
    pub(crate) fn reset(&mut self, rows: usize, dims: usize) {
        self.per_row = dims / BLOCK;
        let n = rows * self.per_row;
        self.blocks.resize(n, [[0; 4]; STEPS]);
        self.scales.resize(n, 0.0);
        self.offsets.resize(n, 0);
    }

    /// The rows from `first` on.
    #[inline(always)]
    pub(crate) fn rows(&self, first: usize) -> Rows<'_> {
        let (blocks, scales, offsets) = (&self.blocks[..], &self.scales[..], &self.offsets[..]);
        Rows { per_row: self.per_row, blocks, scales, offsets }.from(first)
    }

    /// A row as the numbers that stand for it.
    pub(crate) fn read(&self, row: usize, out: &mut [f32]) {
        let at = row * self.per_row;
        for (b, out) in out.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
            for (x, q) in out.iter_mut().zip(self.blocks[at + b].as_flattened()) {
                *x = f32::from(*q) * self.scales[at + b];
            }
        }
    }

    /// Puts a block's numbers where block `block` of row `row` is.
    #[inline(always)]
    pub(crate) fn set<S: Simd>(&mut self, s: S, row: usize, block: usize, numbers: &[f32; BLOCK]) {
        let at = row * self.per_row + block;
        let (scale, sum) = quantize(s, numbers, &mut self.blocks[at]);
        self.scales[at] = scale;
        self.offsets[at] = -128 * sum;
    }
}

/// A view of some rows of [`Quantized`].
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    per_row: usize,
    blocks: &'a [Block],
    scales: &'a [f32],
    offsets: &'a [i32],
}

/// One block of each of the first `M` rows.
pub(crate) struct Column<'a, const M: usize> {
    pub blocks: [&'a Block; M],
    pub scales: [f32; M],
    pub offsets: [i32; M],
}

impl<'a> Rows<'a> {
    /// Without the first `rows`.
    #[inline(always)]
    pub(crate) fn from(self, rows: usize) -> Self {
        let at = rows * self.per_row;
        Self {
            blocks: &self.blocks[at..],
            scales: &self.scales[at..],
            offsets: &self.offsets[at..],
            ..self
        }
    }

    /// Block `b` of the first `M` rows.
    #[inline(always)]
    pub(crate) fn block<const M: usize>(self, b: usize) -> Column<'a, M> {
        let mut out = Column { blocks: [&self.blocks[b]; M], scales: [0.0; M], offsets: [0; M] };
        for m in 0..M {
            let at = m * self.per_row + b;
            out.blocks[m] = &self.blocks[at];
            out.scales[m] = self.scales[at];
            out.offsets[m] = self.offsets[at];
        }
        out
    }
}

/// Four numbers of a row as the one that an instruction spreads over a register.
#[inline(always)]
pub(crate) const fn four(x: [i8; 4]) -> i32 {
    i32::from_ne_bytes([
        x[0].cast_unsigned(),
        x[1].cast_unsigned(),
        x[2].cast_unsigned(),
        x[3].cast_unsigned(),
    ])
}

/// Rounds the numbers to whole multiples of a 127th of the largest; the multiple's size and the sum of the whole numbers.
#[inline(always)]
pub(crate) fn quantize<S: Simd>(s: S, numbers: &[f32; BLOCK], out: &mut Block) -> (f32, i32) {
    let vectors = numbers.as_chunks::<LANES>().0;
    let (mut highest, mut lowest) = (s.splat(0.0), s.splat(0.0));
    for v in vectors {
        highest = s.max(highest, s.load(v));
        lowest = s.min(lowest, s.load(v));
    }
    let largest = s.largest(s.max(highest, s.sub(s.splat(0.0), lowest)));
    let inverse = s.splat(if largest > 1e-30 { 127.0 / largest } else { 0.0 });
    let bytes = out.as_flattened_mut();
    for (v, bytes) in vectors.iter().zip(bytes.as_chunks_mut::<LANES>().0) {
        *bytes = s.bytes(s.mul(s.load(v), inverse));
    }
    (largest / 127.0, bytes.iter().map(|q| i32::from(*q)).sum())
}

/// Columns of blocks in the order in which a tile reads them: the right factor of a product.
#[derive(Debug)]
pub struct Packed {
    blocks: Vec<PanelBlock>,
    scales: Vec<[f32; COLS]>,
    per_column: usize,
    /// What bytes are XORed with, see [`crate::Isa`].
    flip: u8,
}

impl Packed {
    /// Packs columns of `dims` numbers (a multiple of [`BLOCK`]), one after the other. Those that fill up the last panel
    /// are zero.
    pub(crate) fn new<'a>(dims: usize, flip: u8, columns: impl Iterator<Item = &'a [f32]>) -> Self {
        let mut packed = Self::empty(dims, flip);
        for (c, column) in columns.enumerate() {
            packed.put(c, column);
        }
        packed
    }

    /// No columns yet.
    pub(crate) const fn empty(dims: usize, flip: u8) -> Self {
        Self { blocks: Vec::new(), scales: Vec::new(), per_column: dims / BLOCK, flip }
    }

    /// Puts a column where column `c` is or, for the next beyond the last, will be.
    pub(crate) fn put(&mut self, c: usize, column: &[f32]) {
        let (panel, within) = (c / COLS, c % COLS);
        if panel == self.panels() {
            let blocks = (panel + 1) * self.per_column;
            self.blocks.resize(blocks, [[self.flip; COLS * 4]; STEPS]);
            self.scales.resize(blocks, [0.0; COLS]);
        }
        let mut block = [[0_i8; 4]; STEPS];
        for (b, chunk) in column.as_chunks::<BLOCK>().0.iter().enumerate() {
            let at = panel * self.per_column + b;
            self.scales[at][within] = quantize(Portable, chunk, &mut block).0;
            for (step, four) in block.iter().enumerate() {
                let place = &mut self.blocks[at][step][within * 4..][..4];
                place.copy_from_slice(&four.map(|q| q.cast_unsigned() ^ self.flip));
            }
        }
    }

    /// A column as the numbers that stand for it.
    pub(crate) fn read(&self, c: usize, out: &mut [f32]) {
        let (panel, within) = (c / COLS, c % COLS);
        for (b, out) in out.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
            let at = panel * self.per_column + b;
            for (group, out) in self.blocks[at].iter().zip(out.as_chunks_mut::<4>().0) {
                for (x, q) in out.iter_mut().zip(&group[within * 4..]) {
                    *x = f32::from((q ^ self.flip).cast_signed()) * self.scales[at][within];
                }
            }
        }
    }

    /// The columns of a panel as rows `first` and on of a left factor.
    pub(crate) fn rows_of(&self, panel: usize, first: usize, out: &mut Quantized) {
        for b in 0..self.per_column {
            let from = panel * self.per_column + b;
            for within in 0..COLS {
                let to = (first + within) * self.per_column + b;
                let mut sum = 0;
                for (group, four) in self.blocks[from].iter().zip(&mut out.blocks[to]) {
                    for (x, q) in four.iter_mut().zip(&group[within * 4..]) {
                        *x = (q ^ self.flip).cast_signed();
                        sum += i32::from(*x);
                    }
                }
                out.scales[to] = self.scales[from][within];
                out.offsets[to] = -128 * sum;
            }
        }
    }

    /// Panels of [`COLS`] columns.
    pub(crate) fn panels(&self) -> usize {
        self.blocks.len() / self.per_column.max(1)
    }

    #[inline(always)]
    pub(crate) fn panel(&self, panel: usize) -> Panel<'_> {
        let range = panel * self.per_column..(panel + 1) * self.per_column;
        Panel { blocks: &self.blocks[range.clone()], scales: &self.scales[range] }
    }
}

/// One panel of [`Packed`].
#[derive(Clone, Copy)]
pub(crate) struct Panel<'a> {
    pub blocks: &'a [PanelBlock],
    pub scales: &'a [[f32; COLS]],
}
