//! Proves at start that the engine makes the vectors it should.

use serde::Deserialize;

use super::{EmbedError, cosine, normalize};

/// Lowest accepted cosine to a reference vector: below it neighbours change. One of the texts is a single word, which has
/// the least to average over (.9974 with 8-bit blocks of 64).
const COSINE_MIN: f32 = 0.997;

const REFERENCE: &str = include_str!("../../models/minilm.reference.json");

#[derive(Debug, Deserialize)]
struct Reference {
    text: String,
    vector: Vec<f32>,
}

/// Embeds the fixed sentences and compares.
pub(super) fn run(
    embed: impl FnOnce(&[String]) -> Result<Vec<Vec<f32>>, EmbedError>,
) -> Result<(), EmbedError> {
    let reference: Vec<Reference> = serde_json::from_str(REFERENCE)
        .map_err(|e| EmbedError::Model(format!("reference vectors: {e}")))?;
    let texts: Vec<String> = reference.iter().map(|r| r.text.clone()).collect();
    let vectors = embed(&texts)?;
    let lowest = reference.into_iter().zip(&vectors).map(|(mut r, v)| {
        normalize(&mut r.vector);
        if r.vector.len() == v.len() { cosine(&r.vector, v) } else { -1.0 }
    });
    let cosine = lowest.fold(1.0, f32::min);
    if cosine >= COSINE_MIN {
        Ok(())
    } else {
        Err(EmbedError::SelfTest { cosine, minimum: COSINE_MIN })
    }
}
