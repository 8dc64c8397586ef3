//! Which instructions this processor has, and the functions compiled for them.

use crate::{
    bert::{
        attention::{self, Attention, Heads},
        ops::{self, Place},
    },
    int8::{self, COLS, Panel, Quantized, Rows, Tile},
};

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
use crate::simd::neon::Neon;
use crate::simd::portable::Portable;
#[cfg(target_arch = "x86_64")]
use crate::simd::{avx2::Avx2, avx512::Avx512};

/// A set of instructions that there is a path for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// AVX-512 with VNNI: Intel since Ice Lake, AMD since Zen 4.
    Avx512Vnni,
    /// AVX-VNNI on 256 bits: Intel since Alder Lake.
    AvxVnni,
    /// AVX2 and FMA: x86-64 since 2013.
    Avx2,
    /// ARM with dot products.
    DotProd,
    /// Any processor.
    Portable,
}

impl Isa {
    /// Those that this processor has, fastest first; the last is always [`Isa::Portable`].
    #[must_use]
    pub fn available() -> Vec<Self> {
        let all = [Self::Avx512Vnni, Self::AvxVnni, Self::Avx2, Self::DotProd, Self::Portable];
        all.into_iter().filter(|isa| isa.here()).collect()
    }

    /// The fastest that this processor has.
    #[must_use]
    pub fn best() -> Self {
        Self::available().first().copied().unwrap_or(Self::Portable)
    }

    /// How it is called in settings, messages and stored rows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avx512Vnni => "avx512-vnni",
            Self::AvxVnni => "avx-vnni",
            Self::Avx2 => "avx2",
            Self::DotProd => "dotprod",
            Self::Portable => "portable",
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn here(self) -> bool {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        match self {
            Self::Avx512Vnni => {
                avx2 && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512vnni")
            }
            Self::AvxVnni => avx2 && is_x86_feature_detected!("avxvnni"),
            Self::Avx2 => avx2,
            Self::DotProd => false,
            Self::Portable => true,
        }
    }

    #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
    fn here(self) -> bool {
        match self {
            Self::DotProd => std::arch::is_aarch64_feature_detected!("dotprod"),
            Self::Portable => true,
            Self::Avx512Vnni | Self::AvxVnni | Self::Avx2 => false,
        }
    }

    #[cfg(not(any(
        target_arch = "x86_64",
        all(target_arch = "aarch64", target_endian = "little")
    )))]
    fn here(self) -> bool {
        self == Self::Portable
    }

    /// What is XORed to a packed weight: VNNI multiplies unsigned by signed bytes.
    pub(crate) const fn flip(self) -> u8 {
        match self {
            Self::Avx512Vnni | Self::AvxVnni => 0x80,
            Self::Avx2 | Self::DotProd | Self::Portable => 0,
        }
    }
}

/// The functions of one [`Isa`].
#[derive(Clone, Copy)]
struct Table {
    tile: unsafe fn(Rows<'_>, usize, Panel<'_>, &[f32; COLS], &mut Tile),
    quantize: unsafe fn(&[f32], usize, usize, &mut Quantized),
    write: unsafe fn(&[Tile; 2], Place, usize, &mut [f32]),
    add: unsafe fn(&[Tile; 2], Place, usize, &mut [f32]),
    gelu: unsafe fn(&[Tile; 2], Place, &mut Quantized),
    layer_norm: unsafe fn(&mut [f32], &[f32], &[f32], f32),
    attend: unsafe fn(Heads, &[f32], &mut Attention, &mut [f32]),
}

/// Makes the table of one [`Isa`]: what is plain Rust is compiled again with its instructions.
macro_rules! table {
    ($tile:path, $simd_type:ty, $simd:expr $(, $features:literal)?) => {{
        const SIMD: $simd_type = $simd;
        $(#[target_feature(enable = $features)])?
        fn quantize(x: &[f32], dims: usize, rows: usize, out: &mut Quantized) {
            ops::quantize(SIMD, x, dims, rows, out);
        }
        $(#[target_feature(enable = $features)])?
        fn write(tiles: &[Tile; 2], place: Place, width: usize, out: &mut [f32]) {
            ops::write(SIMD, tiles, place, width, out);
        }
        $(#[target_feature(enable = $features)])?
        fn add(tiles: &[Tile; 2], place: Place, width: usize, out: &mut [f32]) {
            ops::add(SIMD, tiles, place, width, out);
        }
        $(#[target_feature(enable = $features)])?
        fn gelu(tiles: &[Tile; 2], place: Place, out: &mut Quantized) {
            ops::gelu(SIMD, tiles, place, out);
        }
        $(#[target_feature(enable = $features)])?
        fn layer_norm(x: &mut [f32], gamma: &[f32], beta: &[f32], epsilon: f32) {
            ops::layer_norm(SIMD, x, gamma, beta, epsilon);
        }
        $(#[target_feature(enable = $features)])?
        fn attend(heads: Heads, qkv: &[f32], scratch: &mut Attention, out: &mut [f32]) {
            attention::attend(SIMD, heads, qkv, scratch, out);
        }
        Table { tile: $tile, quantize, write, add, gelu, layer_norm, attend }
    }};
}

/// The functions for this processor. The only way to one is [`Kernels::new`], which makes it only for an [`Isa`] that the
/// processor has: that is what makes every call below sound.
#[derive(Clone, Copy)]
pub(crate) struct Kernels {
    isa: Isa,
    table: Table,
}

impl std::fmt::Debug for Kernels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Kernels").field(&self.isa).finish()
    }
}

impl Kernels {
    /// `None` when this processor does not have the instructions.
    pub(crate) fn new(isa: Isa) -> Option<Self> {
        if !isa.here() {
            return None;
        }
        let table = match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni => {
                // SAFETY: `isa.here()`.
                const PROOF: Avx512 = unsafe { Avx512::new() };
                table!(
                    int8::avx512::tile,
                    Avx512,
                    PROOF,
                    "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma"
                )
            }
            #[cfg(target_arch = "x86_64")]
            Isa::AvxVnni => {
                // SAFETY: `isa.here()`.
                const PROOF: Avx2 = unsafe { Avx2::new() };
                table!(int8::avxvnni::tile, Avx2, PROOF, "avx2,fma,avxvnni")
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => {
                // SAFETY: `isa.here()`.
                const PROOF: Avx2 = unsafe { Avx2::new() };
                table!(int8::avx2::tile, Avx2, PROOF, "avx2,fma")
            }
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            Isa::DotProd => table!(int8::dotprod::tile, Neon, Neon, "neon,dotprod"),
            _ => table!(int8::portable::tile, Portable, Portable),
        };
        Some(Self { isa, table })
    }

    pub(crate) const fn isa(&self) -> Isa {
        self.isa
    }

    /// The products of the first `rows` rows with the panel's columns, added to `start`.
    #[inline]
    pub(crate) fn tile(
        &self,
        left: Rows<'_>,
        rows: usize,
        panel: Panel<'_>,
        start: &[f32; COLS],
        out: &mut Tile,
    ) {
        // SAFETY: the processor has the table's instructions (see the type).
        unsafe { (self.table.tile)(left, rows, panel, start, out) }
    }

    /// The first `rows` rows of `dims` numbers, as [`Quantized`].
    pub(crate) fn quantize(&self, x: &[f32], dims: usize, rows: usize, out: &mut Quantized) {
        // SAFETY: as in `tile`.
        unsafe { (self.table.quantize)(x, dims, rows, out) }
    }

    /// Writes two tiles to where they belong in rows of `width` numbers.
    pub(crate) fn write(&self, tiles: &[Tile; 2], place: Place, width: usize, out: &mut [f32]) {
        // SAFETY: as in `tile`.
        unsafe { (self.table.write)(tiles, place, width, out) }
    }

    /// Adds two tiles to what is there.
    pub(crate) fn add(&self, tiles: &[Tile; 2], place: Place, width: usize, out: &mut [f32]) {
        // SAFETY: as in `tile`.
        unsafe { (self.table.add)(tiles, place, width, out) }
    }

    /// GELU of two tiles, which are one block of their rows.
    pub(crate) fn gelu(&self, tiles: &[Tile; 2], place: Place, out: &mut Quantized) {
        // SAFETY: as in `tile`.
        unsafe { (self.table.gelu)(tiles, place, out) }
    }

    /// Layer normalisation (Ba, Kiros and Hinton 2016) of every row of `gamma.len()` numbers.
    pub(crate) fn layer_norm(&self, x: &mut [f32], gamma: &[f32], beta: &[f32], epsilon: f32) {
        // SAFETY: as in `tile`.
        unsafe { (self.table.layer_norm)(x, gamma, beta, epsilon) }
    }

    /// See [`attention::attend`].
    pub(crate) fn attend(
        &self,
        heads: Heads,
        qkv: &[f32],
        scratch: &mut Attention,
        out: &mut [f32],
    ) {
        // SAFETY: as in `tile`.
        unsafe { (self.table.attend)(heads, qkv, scratch, out) }
    }
}
