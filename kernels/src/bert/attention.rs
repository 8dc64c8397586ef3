//! Attention of one text: softmax(Q Kᵀ / √d) V, head by head (Vaswani et al. 2017), in 32-bit floats.
//!
//! The division by √d and the change to base 2 are in the weights of Q (`weights.rs`).

use crate::simd::{LANES, Simd, vectors, vectors_mut};

/// Keys that are multiplied with a vector of queries together: as many sums as registers hold.
const KEYS: usize = 8;
/// Queries whose answers are summed together, likewise.
const QUERIES: usize = 8;

/// How the numbers of a token are divided among heads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heads {
    /// Heads.
    pub count: usize,
    /// Numbers per head: 32 or 64.
    pub dims: usize,
}

/// Memory of one thread: rows of one head, per token.
#[derive(Debug, Default)]
pub(crate) struct Attention {
    keys: Vec<f32>,
    values: Vec<f32>,
    /// What sixteen queries give to the token.
    weights: Vec<[f32; LANES]>,
}

/// Attends within one text: `qkv` holds per token the queries of all heads, then their keys, then their values; `out`
/// gets per token the numbers of all heads.
#[inline(always)]
pub(crate) fn attend<S: Simd>(
    s: S,
    heads: Heads,
    qkv: &[f32],
    scratch: &mut Attention,
    out: &mut [f32],
) {
    match heads.dims {
        32 => of_width::<S, 32>(s, heads.count, qkv, scratch, out),
        _ => of_width::<S, 64>(s, heads.count, qkv, scratch, out),
    }
}

/// Sixteen queries are the lanes of a vector: every sum, maximum and power is taken lane by lane.
#[inline(always)]
fn of_width<S: Simd, const D: usize>(
    s: S,
    heads: usize,
    qkv: &[f32],
    scratch: &mut Attention,
    out: &mut [f32],
) {
    let hidden = heads * D;
    let tokens = qkv.len() / (3 * hidden);
    let Attention { keys, values, weights } = scratch;
    keys.resize(tokens * D, 0.0);
    values.resize(tokens * D, 0.0);
    weights.resize(tokens.next_multiple_of(KEYS), [0.0; LANES]);
    let (keys, values) = (keys.as_chunks_mut::<D>().0, values.as_chunks_mut::<D>().0);
    for head in 0..heads {
        let rows = qkv.chunks_exact(3 * hidden).zip(keys.iter_mut().zip(values.iter_mut()));
        for (token, (key, value)) in rows {
            key.copy_from_slice(&token[hidden + head * D..][..D]);
            value.copy_from_slice(&token[2 * hidden + head * D..][..D]);
        }
        for first in (0..tokens).step_by(LANES) {
            let queries =
                transposed::<D>(&qkv[first * 3 * hidden + head * D..], 3 * hidden, tokens - first);
            let total = s.numbers(weigh(s, &queries, keys, weights));
            for (part, total) in total.as_chunks::<QUERIES>().0.iter().enumerate() {
                let answers = answer(s, part, &weights[..tokens], values, total);
                let rows = out.chunks_exact_mut(hidden).skip(first + part * QUERIES);
                for (out, answer) in rows.zip(&answers) {
                    out[head * D..][..D].copy_from_slice(answer);
                }
            }
        }
    }
}

/// The queries that begin every `stride` numbers, at most sixteen of them, number by number. Lanes without a query are 0.
// Never inlined: where there are gathers and scatters they would be used, and are slower than moves.
#[inline(never)]
fn transposed<const D: usize>(queries: &[f32], stride: usize, count: usize) -> [[f32; LANES]; D] {
    let mut out = [[0.0; LANES]; D];
    for lane in 0..count.min(LANES) {
        for (out, x) in out.iter_mut().zip(&queries[lane * stride..][..D]) {
            out[lane] = *x;
        }
    }
    out
}

/// Powers of the products with every key, less the largest: the weights of softmax before their sum divides them. The sum.
#[inline(always)]
fn weigh<S: Simd, const D: usize>(
    s: S,
    queries: &[[f32; LANES]; D],
    keys: &[[f32; D]],
    weights: &mut [[f32; LANES]],
) -> S::V {
    let mut largest = s.splat(f32::MIN);
    for (first, weights) in (0..keys.len()).step_by(KEYS).zip(weights.as_chunks_mut::<KEYS>().0) {
        let mut rows = [&keys[keys.len() - 1]; KEYS];
        for (row, key) in rows.iter_mut().zip(&keys[first..]) {
            *row = key;
        }
        let mut sums = [s.splat(0.0); KEYS];
        for d in 0..D {
            let query = s.load(&queries[d]);
            for (sum, row) in sums.iter_mut().zip(rows) {
                *sum = s.fma(query, s.splat(row[d]), *sum);
            }
        }
        for (sum, weight) in sums.iter().zip(weights) {
            largest = s.max(largest, *sum);
            s.store(*sum, weight);
        }
    }
    let mut total = s.splat(0.0);
    for weight in &mut weights[..keys.len()] {
        let power = s.exp2(s.sub(s.load(weight), largest));
        total = s.add(total, power);
        s.store(power, weight);
    }
    total
}

/// The values by the weights of eight of the queries.
#[inline(always)]
fn answer<S: Simd, const D: usize>(
    s: S,
    part: usize,
    weights: &[[f32; LANES]],
    values: &[[f32; D]],
    total: &[f32; QUERIES],
) -> [[f32; D]; QUERIES] {
    let mut out = [[0.0; D]; QUERIES];
    for pair in 0..D / (2 * LANES) {
        let mut sums = [[s.splat(0.0); 2]; QUERIES];
        for (weight, value) in weights.iter().zip(values) {
            let weight = &weight.as_chunks::<QUERIES>().0[part];
            let value = &vectors(value)[2 * pair..];
            let value = [s.load(&value[0]), s.load(&value[1])];
            for q in 0..QUERIES {
                let weight = s.splat(weight[q]);
                for v in 0..2 {
                    sums[q][v] = s.fma(value[v], weight, sums[q][v]);
                }
            }
        }
        for q in 0..QUERIES {
            let share = s.splat(1.0 / total[q]);
            for v in 0..2 {
                s.store(s.mul(sums[q][v], share), &mut vectors_mut(&mut out[q])[2 * pair + v]);
            }
        }
    }
    out
}
