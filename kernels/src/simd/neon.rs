//! NEON, which every 64-bit ARM has: a vector is four registers.

use std::arch::aarch64::*;

use super::{LANES, Simd};

/// NEON is part of the target.
#[derive(Clone, Copy)]
pub(crate) struct Neon;

#[inline(always)]
fn each<T: Copy>(f: impl Fn(usize) -> T) -> [T; 4] {
    [f(0), f(1), f(2), f(3)]
}

impl Simd for Neon {
    type V = [float32x4_t; 4];

    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        // SAFETY: every processor of the target has NEON, here and below.
        [unsafe { vdupq_n_f32(x) }; 4]
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::V {
        // SAFETY: each quarter is 4 numbers behind a reference.
        each(|i| unsafe { vld1q_f32(from[4 * i..][..4].as_ptr()) })
    }

    #[inline(always)]
    fn store(self, v: Self::V, to: &mut [f32; LANES]) {
        for (v, to) in v.into_iter().zip(to.as_chunks_mut::<4>().0) {
            // SAFETY: 4 numbers behind an exclusive reference may be written.
            unsafe { vst1q_f32(to.as_mut_ptr(), v) }
        }
    }

    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as in `splat`.
        each(|i| unsafe { vaddq_f32(a[i], b[i]) })
    }

    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as in `splat`.
        each(|i| unsafe { vsubq_f32(a[i], b[i]) })
    }

    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as in `splat`.
        each(|i| unsafe { vmulq_f32(a[i], b[i]) })
    }

    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as in `splat`.
        each(|i| unsafe { vmaxq_f32(a[i], b[i]) })
    }

    #[inline(always)]
    fn min(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as in `splat`.
        each(|i| unsafe { vminq_f32(a[i], b[i]) })
    }

    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // SAFETY: as in `splat`.
        each(|i| unsafe { vfmaq_f32(c[i], a[i], b[i]) })
    }

    #[inline(always)]
    fn scale(self, v: Self::V, n: Self::V) -> Self::V {
        #[target_feature(enable = "neon")]
        #[inline]
        fn scale(v: float32x4_t, n: float32x4_t) -> float32x4_t {
            let exponents = vshlq_n_u32::<23>(vreinterpretq_u32_f32(n));
            vreinterpretq_f32_u32(vaddq_u32(vreinterpretq_u32_f32(v), exponents))
        }
        // SAFETY: as in `splat`.
        each(|i| unsafe { scale(v[i], n[i]) })
    }

    #[inline(always)]
    fn bytes(self, v: Self::V) -> [i8; LANES] {
        #[target_feature(enable = "neon")]
        #[inline]
        fn words(a: float32x4_t, b: float32x4_t) -> int8x8_t {
            let (a, b) = (vmovn_s32(vcvtnq_s32_f32(a)), vmovn_s32(vcvtnq_s32_f32(b)));
            vmovn_s16(vcombine_s16(a, b))
        }
        let mut out = [0; LANES];
        for (half, out) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            // SAFETY: as in `splat`.
            let eight = unsafe { words(v[2 * half], v[2 * half + 1]) };
            // SAFETY: 8 bytes behind an exclusive reference may be written.
            unsafe { vst1_s8(out.as_mut_ptr(), eight) }
        }
        out
    }
}
