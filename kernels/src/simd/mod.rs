//! Sixteen 32-bit floats at a time, whatever the width of the registers.
//!
//! Every operation rounds once per number and in an order in which the width has no part, so that every instruction set
//! gives the same bits. A value of a type that is [`Simd`] is the proof that the processor has its instructions: making one
//! is `unsafe`, using it is not. Everything is inlined into functions compiled for those instructions (`isa.rs`).

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
pub(crate) mod neon;
pub(crate) mod portable;

/// Numbers in one vector.
pub(crate) const LANES: usize = 16;

/// Instructions on vectors of sixteen.
pub(crate) trait Simd: Copy {
    /// Sixteen numbers.
    type V: Copy;

    fn splat(self, x: f32) -> Self::V;
    fn load(self, from: &[f32; LANES]) -> Self::V;
    fn store(self, v: Self::V, to: &mut [f32; LANES]);
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b + c`, rounded once.
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `v` times 2 to the power of the whole number in the low bits of `n`.
    fn scale(self, v: Self::V, n: Self::V) -> Self::V;
    /// The nearest whole numbers, ties to even, of numbers from -127 to 127.
    fn bytes(self, v: Self::V) -> [i8; LANES];

    /// The sixteen one by one.
    #[inline(always)]
    fn numbers(self, v: Self::V) -> [f32; LANES] {
        let mut out = [0.0; LANES];
        self.store(v, &mut out);
        out
    }

    /// The sum, by halving.
    #[inline(always)]
    fn sum(self, v: Self::V) -> f32 {
        let mut x = self.numbers(v);
        for width in [8, 4, 2, 1] {
            for i in 0..width {
                x[i] += x[i + width];
            }
        }
        x[0]
    }

    /// The largest.
    #[inline(always)]
    fn largest(self, v: Self::V) -> f32 {
        self.numbers(v).into_iter().fold(f32::MIN, |a, b| if a > b { a } else { b })
    }

    /// 2 to the power of each, for -126 up to 127; what is below counts as -126.
    /// Polynomial of degree 5 on ±½ through the Chebyshev nodes: relative error below 3e-7.
    #[inline(always)]
    fn exp2(self, v: Self::V) -> Self::V {
        // Adding 1.5 x 2^23 rounds to the nearest whole number, which is then in the low bits.
        const ROUND: f32 = 12_582_912.0;
        const POWERS: [f32; 6] = [
            1.000_000_1,
            std::f32::consts::LN_2,
            0.240_221_07,
            0.055_503_57,
            0.009_676_032,
            0.001_339_086_3,
        ];
        let x = self.max(v, self.splat(-126.0));
        let rounded = self.add(x, self.splat(ROUND));
        let rest = self.sub(x, self.sub(rounded, self.splat(ROUND)));
        self.scale(self.polynomial(&POWERS, rest), rounded)
    }

    /// `x Φ(x)`: the exact GELU (Hendrycks and Gimpel 2016), with Φ(x) - ½ as x times a polynomial of degree 10 in x²
    /// through the Chebyshev nodes up to |x| = 4.5. Error below 2e-5 up to |x| = 8, and 3e-6 of x beyond.
    #[inline(always)]
    fn gelu(self, x: Self::V) -> Self::V {
        const END: f32 = 4.5;
        const PHI: [f32; 11] = [
            0.156_905,
            -0.077_193_76,
            0.054_697_857,
            -0.040_110_583,
            0.028_310_776,
            -0.019_015_978,
            0.011_363_709,
            -0.005_258_188_6,
            0.002_802_886_2,
            -0.002_337_056_7,
            0.000_945_954_26,
        ];
        let c = self.max(self.min(x, self.splat(END)), self.splat(-END));
        let u = self.fma(self.mul(c, c), self.splat(2.0 / (END * END)), self.splat(-1.0));
        self.mul(x, self.fma(c, self.polynomial(&PHI, u), self.splat(0.5)))
    }

    /// Horner's rule, the constant first.
    #[inline(always)]
    fn polynomial<const N: usize>(self, coefficients: &[f32; N], x: Self::V) -> Self::V {
        let mut sum = self.splat(coefficients[N - 1]);
        for c in coefficients[..N - 1].iter().rev() {
            sum = self.fma(sum, x, self.splat(*c));
        }
        sum
    }
}

/// The vectors of a slice; what does not fill a vector is left out (every dimension here is a multiple of 16).
#[inline(always)]
pub(crate) fn vectors(xs: &[f32]) -> &[[f32; LANES]] {
    xs.as_chunks::<LANES>().0
}

/// As [`vectors`].
#[inline(always)]
pub(crate) fn vectors_mut(xs: &mut [f32]) -> &mut [[f32; LANES]] {
    xs.as_chunks_mut::<LANES>().0
}

#[cfg(test)]
mod tests {
    use super::{LANES, Simd, portable::Portable};

    fn each(from: f32, to: f32, check: impl Fn(f32)) {
        (0..=100_000).for_each(|i| check(from + (to - from) * i as f32 / 100_000.0));
    }

    #[test]
    fn powers_and_gelu_are_as_exact_as_said() {
        each(-126.0, 127.0, |x| {
            let right = f64::from(x).exp2();
            let made = f64::from(Portable.exp2([x; LANES])[0]);
            assert!(((made - right) / right).abs() < 3e-7, "2^{x}: {made} for {right}");
        });
        each(-8.0, 8.0, |x| {
            let right = f64::from(x) * 0.5 * (1.0 + libm::erf(f64::from(x) / 2.0_f64.sqrt()));
            let made = f64::from(Portable.gelu([x; LANES])[0]);
            assert!((made - right).abs() < 2e-5, "gelu {x}: {made} for {right}");
        });
        assert!(Portable.exp2([f32::MIN; LANES])[0] < 1.3e-38);
    }
}
