//! AVX2 and FMA: a vector is two registers.

use std::arch::x86_64::*;

use super::{LANES, Simd};

/// Proof of AVX2 and FMA.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// # Safety
    /// The processor has AVX2 and FMA.
    #[inline(always)]
    pub(crate) const unsafe fn new() -> Self {
        Self(())
    }
}

impl Simd for Avx2 {
    type V = [__m256; 2];

    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        // SAFETY: `self` proves the instruction, here and below.
        [unsafe { _mm256_set1_ps(x) }; 2]
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::V {
        let [low, high] = [from[..8].as_ptr(), from[8..].as_ptr()];
        // SAFETY: each half is 8 numbers behind a reference; the load asks for no alignment.
        [unsafe { _mm256_loadu_ps(low) }, unsafe { _mm256_loadu_ps(high) }]
    }

    #[inline(always)]
    fn store(self, v: Self::V, to: &mut [f32; LANES]) {
        let (low, high) = to.split_at_mut(8);
        // SAFETY: 8 numbers behind an exclusive reference may be written; the store asks for no alignment.
        unsafe { _mm256_storeu_ps(low.as_mut_ptr(), v[0]) }
        // SAFETY: as above.
        unsafe { _mm256_storeu_ps(high.as_mut_ptr(), v[1]) }
    }

    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as in `splat`.
        [unsafe { _mm256_add_ps(a[0], b[0]) }, unsafe { _mm256_add_ps(a[1], b[1]) }]
    }

    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as in `splat`.
        [unsafe { _mm256_sub_ps(a[0], b[0]) }, unsafe { _mm256_sub_ps(a[1], b[1]) }]
    }

    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as in `splat`.
        [unsafe { _mm256_mul_ps(a[0], b[0]) }, unsafe { _mm256_mul_ps(a[1], b[1]) }]
    }

    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as in `splat`.
        [unsafe { _mm256_max_ps(a[0], b[0]) }, unsafe { _mm256_max_ps(a[1], b[1]) }]
    }

    #[inline(always)]
    fn min(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: as in `splat`.
        [unsafe { _mm256_min_ps(a[0], b[0]) }, unsafe { _mm256_min_ps(a[1], b[1]) }]
    }

    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // SAFETY: as in `splat`.
        [unsafe { _mm256_fmadd_ps(a[0], b[0], c[0]) }, unsafe { _mm256_fmadd_ps(a[1], b[1], c[1]) }]
    }

    #[inline(always)]
    fn scale(self, v: Self::V, n: Self::V) -> Self::V {
        #[target_feature(enable = "avx2")]
        #[inline]
        fn scale(v: __m256, n: __m256) -> __m256 {
            let exponents = _mm256_slli_epi32::<23>(_mm256_castps_si256(n));
            _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(v), exponents))
        }
        // SAFETY: as in `splat`.
        [unsafe { scale(v[0], n[0]) }, unsafe { scale(v[1], n[1]) }]
    }

    #[inline(always)]
    fn bytes(self, v: Self::V) -> [i8; LANES] {
        #[target_feature(enable = "avx2")]
        #[inline]
        fn bytes(v: [__m256; 2]) -> [i8; LANES] {
            // Packing works within 128-bit halves: the permutation puts the eights back in order.
            let words = _mm256_packs_epi32(_mm256_cvtps_epi32(v[0]), _mm256_cvtps_epi32(v[1]));
            let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(words);
            let bytes = _mm_packs_epi16(
                _mm256_castsi256_si128(words),
                _mm256_extracti128_si256::<1>(words),
            );
            let mut out = [0; LANES];
            let to = out.as_mut_ptr().cast();
            // SAFETY: 16 bytes behind an exclusive reference may be written; the store asks for no alignment.
            unsafe { _mm_storeu_si128(to, bytes) }
            out
        }
        // SAFETY: as in `splat`.
        unsafe { bytes(v) }
    }
}
