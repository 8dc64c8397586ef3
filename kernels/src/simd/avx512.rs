//! AVX-512: a vector is a register.

use std::arch::x86_64::*;

use super::{LANES, Simd};

/// Proof of AVX-512 F.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// # Safety
    /// The processor has AVX-512 F.
    #[inline(always)]
    pub(crate) const unsafe fn new() -> Self {
        Self(())
    }
}

impl Simd for Avx512 {
    type V = __m512;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        // SAFETY: `self` proves the instruction, here and below.
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::V {
        // SAFETY: 16 numbers behind a reference may be read; the load asks for no alignment.
        unsafe { _mm512_loadu_ps(from.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, v: Self::V, to: &mut [f32; LANES]) {
        // SAFETY: 16 numbers behind an exclusive reference may be written; the store asks for no alignment.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), v) }
    }

    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as in `splat`.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as in `splat`.
        unsafe { _mm512_sub_ps(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as in `splat`.
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as in `splat`.
        unsafe { _mm512_max_ps(a, b) }
    }

    #[inline(always)]
    fn min(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as in `splat`.
        unsafe { _mm512_min_ps(a, b) }
    }

    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // SAFETY: as in `splat`.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn scale(self, v: Self::V, n: Self::V) -> Self::V {
        #[target_feature(enable = "avx512f")]
        #[inline]
        fn scale(v: __m512, n: __m512) -> __m512 {
            let exponents = _mm512_slli_epi32::<23>(_mm512_castps_si512(n));
            _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(v), exponents))
        }
        // SAFETY: as in `splat`.
        unsafe { scale(v, n) }
    }

    #[inline(always)]
    fn bytes(self, v: Self::V) -> [i8; LANES] {
        #[target_feature(enable = "avx512f")]
        #[inline]
        fn bytes(v: __m512) -> [i8; LANES] {
            let mut out = [0; LANES];
            let bytes = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v));
            let to = out.as_mut_ptr().cast();
            // SAFETY: 16 bytes behind an exclusive reference may be written; the store asks for no alignment.
            unsafe { _mm_storeu_si128(to, bytes) }
            out
        }
        // SAFETY: as in `splat`.
        unsafe { bytes(v) }
    }
}
