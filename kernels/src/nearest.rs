//! Exact nearest neighbours by scanning 8-bit copies.
//!
//! The copy of a vector x differs from it by e with a length that is known, so the product of two copies differs from
//! that of the vectors by at most |x||f| + |e||y| + |e||f| (Cauchy-Schwarz). Only what this cannot rule out is asked of the
//! caller, who has the vectors: the answer is exact, and the scan reads a quarter of the bytes.

use crate::{
    Error, Isa,
    int8::{BLOCK, COLS, Packed, Quantized, ROWS, Tile},
    isa::Kernels,
};

/// Panels whose rows are compared with a panel before the next is fetched: they stay in the second-level cache.
const PANELS: usize = 4;
/// What rounding of sums can add to the difference.
const ROUNDING: f32 = 1e-5;

/// 8-bit copies of vectors, numbered from 0.
#[derive(Debug)]
pub struct Nearest {
    kernels: Kernels,
    dims: usize,
    copies: Packed,
    /// Per vector, how far its copy is off.
    off: Vec<f32>,
    /// Per panel, the most of them.
    panel_off: Vec<f32>,
    longest: f32,
    live: Vec<bool>,
}

/// A vector's number and its product with what was asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The vector.
    pub row: usize,
    /// Product: the cosine, if both have length 1.
    pub score: f32,
}

impl Nearest {
    /// None yet, of `dims` numbers each.
    ///
    /// # Errors
    /// [`Error::Instructions`] when this processor lacks them.
    pub fn new(dims: usize, isa: Isa) -> Result<Self, Error> {
        let kernels = Kernels::new(isa).ok_or(Error::Instructions(isa.name()))?;
        let copies = Packed::empty(dims.next_multiple_of(BLOCK), isa.flip());
        let (off, panel_off, live) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { kernels, dims, copies, off, panel_off, longest: 0.0, live })
    }

    /// Vectors, removed ones included.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.live.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// Adds a vector and gives its number. Numbers beyond the dimension are left out, missing ones are 0.
    pub fn push(&mut self, vector: &[f32]) -> usize {
        let row = self.live.len();
        let x = self.padded(vector);
        self.copies.put(row, &x);
        let mut copy = vec![0.0; x.len()];
        self.copies.read(row, &mut copy);
        let off = length(x.iter().zip(&copy).map(|(x, c)| x - c));
        self.longest = self.longest.max(length(x.iter().copied()));
        self.panel_off.resize(row / COLS + 1, 0.0);
        self.panel_off[row / COLS] = self.panel_off[row / COLS].max(off);
        self.off.push(off);
        self.live.push(true);
        row
    }

    /// Takes a vector out; its number is not given again.
    pub fn remove(&mut self, row: usize) {
        if let Some(live) = self.live.get_mut(row) {
            *live = false;
        }
    }

    /// The `k` vectors with the largest products with `query`, largest first, equal ones by number; fewer when there are
    /// fewer. `exact` gives the product of a vector with the query.
    pub fn top(&self, query: &[f32], k: usize, mut exact: impl FnMut(usize) -> f32) -> Vec<Hit> {
        let x = self.padded(query);
        let mut left = Quantized::default();
        self.kernels.quantize(&x, x.len(), 1, &mut left);
        let mut copy = vec![0.0; x.len()];
        left.read(0, &mut copy);
        let (long, off) =
            (length(x.iter().copied()), length(x.iter().zip(&copy).map(|(x, c)| x - c)));
        let mut floor = Floor::new(k);
        let mut maybe = Vec::new();
        let mut tile: Tile = [[0.0; COLS]; ROWS];
        for (panel, most) in self.panel_off.iter().enumerate() {
            self.kernels.tile(left.rows(0), 1, self.copies.panel(panel), &[0.0; COLS], &mut tile);
            let slack = self.slack(long, off, *most);
            if !reaches(&tile, 1, floor.value() - slack) {
                continue;
            }
            let rows = panel * COLS..((panel + 1) * COLS).min(self.live.len());
            for (row, score) in rows.zip(tile[0]) {
                let slack = self.slack(long, off, self.off[row]);
                if self.live[row] && score + slack >= floor.value() {
                    floor.add(score - slack);
                    maybe.push(Hit { row, score: score + slack });
                }
            }
        }
        maybe.retain(|hit| hit.score >= floor.value());
        for hit in &mut maybe {
            hit.score = exact(hit.row);
        }
        maybe.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.row.cmp(&b.row)));
        maybe.truncate(k);
        maybe
    }

    /// Every pair of vectors whose product is at least `above`, the smaller number first. `exact` gives the product of two
    /// vectors. Part `part` of `parts`, which together find each pair once: one part per thread.
    pub fn pairs(
        &self,
        above: f32,
        (part, parts): (usize, usize),
        exact: impl Fn(usize, usize) -> f32,
        mut found: impl FnMut(usize, usize, f32),
    ) {
        let mut left = Quantized::default();
        let panels = self.panel_off.len();
        for start in (0..panels).step_by(PANELS).skip(part).step_by(parts.max(1)) {
            let group = start..(start + PANELS).min(panels);
            left.reset(group.len() * COLS, self.dims.next_multiple_of(BLOCK));
            for (i, panel) in group.clone().enumerate() {
                self.copies.rows_of(panel, i * COLS, &mut left);
            }
            let off = self.panel_off[group.clone()].iter().copied().fold(0.0, f32::max);
            for panel in start..panels {
                let limit = above - self.slack(self.longest, off, self.panel_off[panel]);
                self.compare(&left, group.clone(), panel, limit, |a, b| {
                    let score = exact(a, b);
                    if score >= above {
                        found(a, b, score);
                    }
                });
            }
        }
    }

    /// Pairs of a vector of the group and a later one of the panel whose copies' product is at least `limit`.
    fn compare(
        &self,
        left: &Quantized,
        group: std::ops::Range<usize>,
        panel: usize,
        limit: f32,
        mut maybe: impl FnMut(usize, usize),
    ) {
        let mut tile: Tile = [[0.0; COLS]; ROWS];
        for first in (0..group.len() * COLS).step_by(ROWS) {
            let rows = ROWS.min(group.len() * COLS - first);
            self.kernels.tile(
                left.rows(first),
                rows,
                self.copies.panel(panel),
                &[0.0; COLS],
                &mut tile,
            );
            if !reaches(&tile, rows, limit) {
                continue;
            }
            for (i, scores) in tile.iter().enumerate().take(rows) {
                let a = group.start * COLS + first + i;
                for (c, score) in scores.iter().enumerate() {
                    let b = panel * COLS + c;
                    if *score >= limit
                        && a < b
                        && b < self.live.len()
                        && self.live[a]
                        && self.live[b]
                    {
                        maybe(a, b);
                    }
                }
            }
        }
    }

    fn padded(&self, vector: &[f32]) -> Vec<f32> {
        let mut x = vector.to_vec();
        x.truncate(self.dims);
        x.resize(self.dims.next_multiple_of(BLOCK), 0.0);
        x
    }

    /// How much the product of two copies can differ from that of their vectors, the first being this long; each copy
    /// is off by so much.
    fn slack(&self, length: f32, off: f32, other: f32) -> f32 {
        length * other + off * self.longest + off * other + ROUNDING * (1.0 + length * self.longest)
    }
}

fn length(x: impl Iterator<Item = f32>) -> f32 {
    x.map(|x| x * x).sum::<f32>().sqrt()
}

/// Whether any of the tile's rows has a number of at least `limit`.
fn reaches(tile: &Tile, rows: usize, limit: f32) -> bool {
    tile.iter().take(rows).any(|row| row.iter().fold(false, |any, x| any | (*x >= limit)))
}

/// The `k`-th largest of what was added: a floor under the `k`-th largest product.
struct Floor {
    k: usize,
    /// Smallest first.
    largest: Vec<f32>,
}

impl Floor {
    fn new(k: usize) -> Self {
        Self { k, largest: Vec::with_capacity(k + 1) }
    }

    fn value(&self) -> f32 {
        if self.largest.len() < self.k {
            f32::NEG_INFINITY
        } else {
            self.largest.first().copied().unwrap_or(f32::INFINITY)
        }
    }

    fn add(&mut self, x: f32) {
        let at = self.largest.partition_point(|y| *y < x);
        self.largest.insert(at, x);
        if self.largest.len() > self.k {
            self.largest.remove(0);
        }
    }
}
