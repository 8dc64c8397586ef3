//! A deterministic stand-in for tests in which the model's quality does not matter.

use futures_util::future::{BoxFuture, FutureExt};
use sha2::{Digest, Sha256};

use super::{EmbedError, Embedder, ModelInfo, canonical, normalize};

/// Sums a pseudo-random direction per lower-case word: texts that share words lie close.
#[derive(Debug)]
pub struct HashEmbedder {
    model: ModelInfo,
}

impl HashEmbedder {
    /// Vectors of `dims` numbers.
    #[must_use]
    pub fn new(dims: usize) -> Self {
        let model = ModelInfo {
            name: "hash".into(),
            engine: "hash".into(),
            dims,
            weights_sha256: "0".repeat(64),
        };
        Self { model }
    }

    fn vector(&self, text: &str) -> Vec<f32> {
        let mut sum = vec![0.0_f32; self.model.dims];
        for word in canonical(text).to_lowercase().split(' ') {
            let mut seed = Sha256::digest(word.as_bytes());
            for chunk in sum.chunks_mut(seed.len()) {
                for (x, byte) in chunk.iter_mut().zip(seed.iter()) {
                    *x += f32::from(*byte) / 127.5 - 1.0;
                }
                seed = Sha256::digest(seed);
            }
        }
        normalize(&mut sum);
        sum
    }
}

impl Embedder for HashEmbedder {
    fn model(&self) -> &ModelInfo {
        &self.model
    }

    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>> {
        async move { Ok(texts.iter().map(|t| self.vector(t)).collect()) }.boxed()
    }
}
