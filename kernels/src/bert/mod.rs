//! Sentence embeddings with BERT (Devlin et al. 2019): tokens in, a vector of length 1 out.

pub(crate) mod attention;
mod config;
pub(crate) mod ops;
mod weights;

use std::path::Path;

pub use self::config::Shape;
use self::{
    attention::Attention,
    ops::Place,
    weights::{Linear, Weights},
};
use crate::{
    Error, Isa,
    int8::{COLS, Quantized, ROWS, Tile, WIDTH},
    isa::Kernels,
};

/// Tokens that go through the layers together: their numbers stay in the second-level cache.
const TOKENS: usize = 256;

/// A model, shared by all threads.
#[derive(Debug)]
pub struct Model {
    shape: Shape,
    weights: Weights,
    kernels: Kernels,
}

/// Memory of one thread.
#[derive(Debug, Default)]
pub struct Scratch {
    /// A row per token.
    x: Vec<f32>,
    qkv: Vec<f32>,
    attended: Vec<f32>,
    /// What the next product multiplies.
    left: Quantized,
    inner: Quantized,
    attention: Attention,
}

impl Model {
    /// Reads the model in `dir`, a folder as Sentence Transformers writes it: `config.json` and `model.safetensors`,
    /// and if there are any `1_Pooling/config.json`, `sentence_bert_config.json` and `modules.json`.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Damaged`], [`Error::Unsupported`], [`Error::Instructions`].
    pub fn open(dir: &Path, isa: Isa) -> Result<Self, Error> {
        let kernels = Kernels::new(isa).ok_or(Error::Instructions(isa.name()))?;
        let shape = Shape::read(dir)?;
        let weights = Weights::read(dir, &shape, isa.flip())?;
        Ok(Self { shape, weights, kernels })
    }

    /// The model's shape.
    #[must_use]
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The instructions that it runs on.
    #[must_use]
    pub const fn isa(&self) -> Isa {
        self.kernels.isa()
    }

    /// SHA-256 of its weights' file.
    #[must_use]
    pub const fn weights_sha256(&self) -> [u8; 32] {
        self.weights.sha256
    }

    /// One vector of `shape().dims` numbers and length 1 per text, a text being its tokens with those that begin and end
    /// it. A vector depends on its text alone: the same bits in any batch, any order, any thread.
    ///
    /// # Errors
    /// [`Error::Text`] when a text has no token, more than there are positions, or one beyond the vocabulary.
    pub fn embed<T: AsRef<[u32]>>(
        &self,
        texts: &[T],
        scratch: &mut Scratch,
    ) -> Result<Vec<Vec<f32>>, Error> {
        for (text, tokens) in texts.iter().enumerate() {
            self.check(tokens.as_ref()).map_err(|reason| Error::Text { text, reason })?;
        }
        let mut vectors = Vec::with_capacity(texts.len());
        let mut rest = texts;
        while !rest.is_empty() {
            let mut tokens = 0;
            let fits = |text: &&T| {
                tokens += text.as_ref().len();
                tokens <= TOKENS
            };
            let (block, later) = rest.split_at(rest.iter().take_while(fits).count().max(1));
            self.block(block, scratch, &mut vectors);
            rest = later;
        }
        Ok(vectors)
    }

    fn check(&self, tokens: &[u32]) -> Result<(), String> {
        if tokens.is_empty() || tokens.len() > self.shape.positions {
            return Err(format!(
                "{} tokens, 1 to {} are possible",
                tokens.len(),
                self.shape.positions
            ));
        }
        match tokens.iter().find(|t| **t as usize >= self.shape.vocabulary) {
            Some(token) => Err(format!("token {token}, the model knows {}", self.shape.vocabulary)),
            None => Ok(()),
        }
    }

    fn block<T: AsRef<[u32]>>(&self, texts: &[T], s: &mut Scratch, vectors: &mut Vec<Vec<f32>>) {
        let (d, lengths) = (self.shape.dims, texts.iter().map(|t| t.as_ref().len()));
        self.words(texts, &mut s.x);
        let rows = s.x.len() / d;
        for layer in &self.weights.layers {
            self.kernels.quantize(&s.x, d, rows, &mut s.left);
            s.qkv.resize(rows * 3 * d, 0.0);
            self.product(&s.left, rows, &layer.qkv, |place, tiles| {
                self.kernels.write(tiles, place, 3 * d, &mut s.qkv)
            });
            s.attended.resize(rows * d, 0.0);
            let mut first = 0;
            for tokens in lengths.clone() {
                let (qkv, out) = (
                    &s.qkv[first * 3 * d..][..tokens * 3 * d],
                    &mut s.attended[first * d..][..tokens * d],
                );
                self.kernels.attend(self.shape.heads, qkv, &mut s.attention, out);
                first += tokens;
            }
            self.kernels.quantize(&s.attended, d, rows, &mut s.left);
            self.product(&s.left, rows, &layer.attended, |place, tiles| {
                self.kernels.add(tiles, place, d, &mut s.x)
            });
            self.kernels.layer_norm(
                &mut s.x,
                &layer.attended_norm.gamma,
                &layer.attended_norm.beta,
                self.shape.epsilon,
            );
            self.kernels.quantize(&s.x, d, rows, &mut s.left);
            s.inner.reset(rows, self.shape.inner);
            self.product(&s.left, rows, &layer.up, |place, tiles| {
                self.kernels.gelu(tiles, place, &mut s.inner)
            });
            self.product(&s.inner, rows, &layer.down, |place, tiles| {
                self.kernels.add(tiles, place, d, &mut s.x)
            });
            self.kernels.layer_norm(
                &mut s.x,
                &layer.norm.gamma,
                &layer.norm.beta,
                self.shape.epsilon,
            );
        }
        let mut rest = s.x.as_slice();
        for tokens in lengths {
            let (rows, later) = rest.split_at(tokens * d);
            let mut vector = vec![0.0; d];
            ops::pool(rows, self.shape.mean, &mut vector);
            vectors.push(vector);
            rest = later;
        }
    }

    /// Embeddings of the texts' tokens, one text after the other.
    fn words<T: AsRef<[u32]>>(&self, texts: &[T], x: &mut Vec<f32>) {
        let d = self.shape.dims;
        x.resize(texts.iter().map(|t| t.as_ref().len()).sum::<usize>() * d, 0.0);
        let places = texts
            .iter()
            .flat_map(|t| t.as_ref().iter().zip(self.weights.positions.chunks_exact(d)));
        for (row, (token, position)) in x.chunks_exact_mut(d).zip(places) {
            self.weights.words.read(*token as usize, row);
            row.iter_mut().zip(position).for_each(|(x, p)| *x += p);
        }
        self.kernels.layer_norm(
            x,
            &self.weights.norm.gamma,
            &self.weights.norm.beta,
            self.shape.epsilon,
        );
    }

    /// `left W + b`, two tiles at a time: `done` gets them with their place.
    fn product(
        &self,
        left: &Quantized,
        rows: usize,
        linear: &Linear,
        mut done: impl FnMut(Place, &[Tile; 2]),
    ) {
        let mut tiles = [[[0.0; COLS]; ROWS]; 2];
        for (group, biases) in linear.bias.as_chunks::<WIDTH>().0.iter().enumerate() {
            for first in (0..rows).step_by(ROWS) {
                let place = Place { first, rows: ROWS.min(rows - first), group };
                for (half, (tile, biases)) in
                    tiles.iter_mut().zip(biases.as_chunks::<COLS>().0).enumerate()
                {
                    let panel = linear.columns.panel(2 * group + half);
                    self.kernels.tile(left.rows(first), place.rows, panel, biases, tile);
                }
                done(place, &tiles);
            }
        }
    }
}
