//! The local embedding model: texts in, unit vectors out, on threads of its own.
//!
//! A vector depends on the text alone, never on its batch, so that equal text (by [`content_hash`])
//! is embedded once and stored under the model that made it.

mod fastembed;
mod hash;
mod native;
mod selftest;
mod workers;

use std::{path::PathBuf, sync::Arc};

use futures_util::future::BoxFuture;
use millrace_config::Settings;
use millrace_kernels::Isa;
use sha2::{Digest, Sha256};

pub use self::{fastembed::FastEmbed, hash::HashEmbedder, native::Native};

/// The model that comes with the setup.
const MINILM: &str = "all-MiniLM-L6-v2";
const MINILM_SHA256: &str = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db";
/// More text than a model's tokens can hold; the rest would only be tokenised and cut.
const CHARS_MAX: usize = 8_192;

/// Names a model well enough that equal names mean equal vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// Model, e.g. `all-MiniLM-L6-v2`.
    pub name: String,
    /// Engine and precision, e.g. `fastembed-fp32`.
    pub engine: String,
    /// Length of a vector.
    pub dims: usize,
    /// SHA-256 of the weights, hex.
    pub weights_sha256: String,
}

/// Why no vector could be made. None of these is the fault of a text.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// ONNX Runtime is missing, too old or not a library.
    #[error("ONNX Runtime at {path} cannot be used: {reason}")]
    Runtime {
        /// Where it was looked for.
        path: PathBuf,
        /// What the loader said.
        reason: String,
    },
    /// A model file cannot be read.
    #[error("model file {path} cannot be read: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The weights are not the ones the graph was made for.
    #[error("model file {path} has SHA-256 {found}, but {expected} is needed")]
    Weights {
        /// The file.
        path: PathBuf,
        /// Its hash.
        found: String,
        /// The pinned hash.
        expected: String,
    },
    /// The runtime refused the model or a batch.
    #[error("the model failed: {0}")]
    Model(String),
    /// The vectors are not those of the reference.
    #[error("self-test: cosine {cosine:.4} to the reference vector, {minimum} is needed")]
    SelfTest {
        /// Lowest cosine found.
        cosine: f32,
        /// What is needed.
        minimum: f32,
    },
    /// The model's threads are gone (shutdown, or a crash at start).
    #[error("the embedding threads have stopped")]
    Stopped,
    /// The settings name an engine or model that this build does not have.
    #[error("no such embedding model: {0}")]
    Unknown(String),
}

/// Turns texts into unit vectors.
pub trait Embedder: Send + Sync + std::fmt::Debug {
    /// The model behind the vectors.
    fn model(&self) -> &ModelInfo;

    /// One vector of length 1 and `model().dims` numbers per text, in order. Waits for a free
    /// model thread; dropping the future does not stop a call that a thread has begun.
    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>>;
}

/// An embedder, and why it is this one.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The embedder, self-tested.
    pub embedder: Arc<dyn Embedder>,
    /// In words, for operators.
    pub why: String,
}

/// The embedder that the settings ask for. Blocks for up to half a second.
///
/// # Errors
/// As those of [`choose`].
pub fn open(settings: &Settings) -> Result<Arc<dyn Embedder>, EmbedError> {
    let Choice { embedder, why } = choose(settings)?;
    tracing::info!(
        engine = embedder.model().engine,
        model = embedder.model().name,
        why,
        "embedding"
    );
    Ok(embedder)
}

/// As [`open`], with the reason: `auto` takes the native engine where the processor has the instructions and the
/// vectors are right, and fastembed otherwise.
///
/// # Errors
/// Any [`EmbedError`]; never panics on a missing, old or corrupt runtime or model.
pub fn choose(settings: &Settings) -> Result<Choice, EmbedError> {
    let chosen = |embedder: Arc<dyn Embedder>, why: String| Ok(Choice { embedder, why });
    let isa = Isa::best();
    let asked = |name: &str| format!("embed.engine is {name}");
    let why_not = match settings.embed.engine.as_str() {
        "hash" => return chosen(Arc::new(HashEmbedder::new(384)), asked("hash")),
        "fastembed" => return chosen(Arc::new(FastEmbed::open(settings)?), asked("fastembed")),
        "native" => {
            let why = format!("{}, on {}", asked("native"), isa.name());
            return chosen(Arc::new(Native::open(settings, isa)?), why);
        }
        _ if isa == Isa::Portable => "the processor has no 8-bit dot products".into(),
        _ => match Native::open(settings, isa) {
            Ok(native) => {
                return chosen(Arc::new(native), format!("the processor has {}", isa.name()));
            }
            Err(e) => e.to_string(),
        },
    };
    // The native engine's error says more than that of a fall-back to what is not there either.
    match FastEmbed::open(settings) {
        Ok(fastembed) => chosen(Arc::new(fastembed), format!("not the native engine: {why_not}")),
        Err(e) => {
            tracing::warn!(native = why_not, fastembed = %e, "no engine for the embedding model");
            Err(e)
        }
    }
}

/// The text as the model sees it and as equality is judged: runs of whitespace are one space.
#[must_use]
pub fn canonical(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// SHA-256 of [`canonical`] text: the key of its vector and of exact duplicates.
#[must_use]
pub fn content_hash(text: &str) -> [u8; 32] {
    Sha256::digest(canonical(text).as_bytes()).into()
}

/// Cosine of two unit vectors.
#[must_use]
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0_f32; 8];
    for (x, y) in a8.iter().zip(b8) {
        for ((s, x), y) in sums.iter_mut().zip(x).zip(y) {
            *s += x * y;
        }
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum::<f32>()
}

/// Scales to length 1; a null vector stays null.
pub fn normalize(vector: &mut [f32]) {
    let length = cosine(vector, vector).sqrt();
    if length > 0.0 {
        for x in vector {
            *x /= length;
        }
    }
}
