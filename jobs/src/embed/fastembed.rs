//! fastembed on ONNX Runtime, fp32: the reference engine.
//!
//! What is worked around here: a missing library panics unless the runtime is opened by hand first;
//! fastembed keeps every raw output of a call and does not sort, so it gets one small batch of texts
//! of like length per call; ONNX Runtime is fastest with one thread per session.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use fastembed::{
    InitOptionsUserDefined, Pooling, TextEmbedding, TokenizerFiles, UserDefinedEmbeddingModel,
};
use futures_util::future::{BoxFuture, FutureExt};
use millrace_config::Settings;
use ort::environment::Environment;
use sha2::{Digest, Sha256};

use super::{
    CHARS_MAX, EmbedError, Embedder, MINILM, MINILM_SHA256, ModelInfo, canonical, normalize,
    selftest,
    workers::{Session, Workers},
};

const GRAPH: &[u8] = include_bytes!("../../models/minilm.onnx");
const WEIGHTS: &str = "model.safetensors";
const DIMS: usize = 384;
/// The model was trained on 256 tokens.
const TOKENS_MAX: usize = 256;

/// The default embedder.
#[derive(Debug)]
pub struct FastEmbed {
    model: ModelInfo,
    workers: Workers,
}

impl FastEmbed {
    /// Opens runtime and model, starts the threads and runs the self-test.
    ///
    /// # Errors
    /// Any [`EmbedError`].
    pub fn open(settings: &Settings) -> Result<Self, EmbedError> {
        let env = environment(&runtime_library(settings))?;
        let batch_tokens = settings.embed.batch_tokens_max;
        if settings.embed.model != MINILM {
            return Self::online(settings, env);
        }
        let dir = settings.embed.model_dir.clone();
        let model = ModelInfo {
            name: MINILM.into(),
            engine: "fastembed-fp32".into(),
            dims: DIMS,
            weights_sha256: MINILM_SHA256.into(),
        };
        let build = move || {
            let mut session = Batches::minilm(&dir, env.clone(), batch_tokens)?;
            selftest::run(|texts| session.embed(texts))?;
            Ok(session)
        };
        let workers = Workers::start(settings.embed.threads, build)?;
        Ok(Self { model, workers })
    }

    #[cfg(not(feature = "online"))]
    fn online(settings: &Settings, _env: Environment) -> Result<Self, EmbedError> {
        let name = &settings.embed.model;
        Err(EmbedError::Unknown(format!("{name} (build with --features online to fetch it)")))
    }

    #[cfg(feature = "online")]
    fn online(settings: &Settings, env: Environment) -> Result<Self, EmbedError> {
        let name = settings.embed.model.clone();
        let info = TextEmbedding::list_supported_models()
            .into_iter()
            .find(|m| m.model_code == name || m.model_code.ends_with(&format!("/{name}")))
            .ok_or_else(|| EmbedError::Unknown(name.clone()))?;
        let model = ModelInfo {
            name,
            engine: "fastembed-hub".into(),
            dims: info.dim,
            weights_sha256: hex::encode(Sha256::digest(info.model_file.as_bytes())),
        };
        let (dir, batch_tokens) =
            (settings.embed.model_dir.clone(), settings.embed.batch_tokens_max);
        let build = move || {
            let options = fastembed::TextInitOptions::new(info.model.clone())
                .with_environment(env.clone())
                .with_cache_dir(dir.clone())
                .with_max_length(TOKENS_MAX)
                .with_intra_threads(1);
            let model = TextEmbedding::try_new(options).map_err(failed)?;
            Ok(Batches { model, batch_tokens })
        };
        let workers = Workers::start(settings.embed.threads, build)?;
        Ok(Self { model, workers })
    }
}

impl Embedder for FastEmbed {
    fn model(&self) -> &ModelInfo {
        &self.model
    }

    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>> {
        self.workers.embed(texts).boxed()
    }
}

struct Batches {
    model: TextEmbedding,
    batch_tokens: usize,
}

impl Batches {
    fn minilm(dir: &Path, env: Environment, batch_tokens: usize) -> Result<Self, EmbedError> {
        let weights = read(dir, WEIGHTS)?;
        let found = hex::encode(Sha256::digest(&weights));
        if found != MINILM_SHA256 {
            let (path, expected) = (dir.join(WEIGHTS), MINILM_SHA256.into());
            return Err(EmbedError::Weights { path, found, expected });
        }
        let tokenizer = TokenizerFiles {
            tokenizer_file: read(dir, "tokenizer.json")?,
            config_file: read(dir, "config.json")?,
            special_tokens_map_file: read(dir, "special_tokens_map.json")?,
            tokenizer_config_file: read(dir, "tokenizer_config.json")?,
        };
        // The graph pools; naming the pooling guards against the default (first token) all the same.
        let model = UserDefinedEmbeddingModel::new(GRAPH.to_vec(), tokenizer)
            .with_pooling(Pooling::Mean)
            .with_external_initializer(WEIGHTS.into(), weights);
        let options = InitOptionsUserDefined::new()
            .with_environment(env)
            .with_max_length(TOKENS_MAX)
            .with_intra_threads(1);
        let model = TextEmbedding::try_new_from_user_defined(model, options).map_err(failed)?;
        Ok(Self { model, batch_tokens })
    }
}

impl Session for Batches {
    fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let mut sized = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            let text: String = canonical(text).chars().take(CHARS_MAX).collect();
            let encoding = self.model.tokenizer.encode_fast(text.as_str(), true);
            let encoding = encoding.map_err(|e| EmbedError::Model(e.to_string()))?;
            sized.push((
                encoding.get_attention_mask().iter().filter(|m| **m == 1).count(),
                index,
                text,
            ));
        }
        sized.sort_unstable_by_key(|(tokens, ..)| *tokens);
        let mut vectors = vec![Vec::new(); texts.len()];
        let mut rest = sized.as_slice();
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(fitting(rest, self.batch_tokens));
            let batch_texts: Vec<&str> = batch.iter().map(|(.., t)| t.as_str()).collect();
            let made = self.model.embed(&batch_texts, Some(batch.len())).map_err(failed)?;
            for ((_, index, _), mut vector) in batch.iter().zip(made) {
                normalize(&mut vector);
                if let Some(place) = vectors.get_mut(*index) {
                    *place = vector;
                }
            }
            rest = later;
        }
        Ok(vectors)
    }
}

/// How many of the texts (shortest first) make one batch of at most `budget` padded tokens.
fn fitting(sized: &[(usize, usize, String)], budget: usize) -> usize {
    let fits = |(n, (tokens, ..)): (usize, &(usize, usize, String))| (n + 1) * tokens <= budget;
    sized.iter().enumerate().take_while(|item| fits(*item)).count().max(1)
}

fn failed(e: fastembed::Error) -> EmbedError {
    EmbedError::Model(e.to_string())
}

fn read(dir: &Path, name: &str) -> Result<Vec<u8>, EmbedError> {
    let path = dir.join(name);
    std::fs::read(&path).map_err(|e| EmbedError::File { path, reason: e.to_string() })
}

fn runtime_library(settings: &Settings) -> PathBuf {
    let set = &settings.embed.runtime_library;
    if !set.as_os_str().is_empty() {
        return set.clone();
    }
    let name = if cfg!(target_os = "macos") { "libonnxruntime.dylib" } else { "libonnxruntime.so" };
    settings.home.join("runtime").join(name)
}

/// One environment per process: ONNX Runtime allows no second.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

fn environment(library: &Path) -> Result<Environment, EmbedError> {
    let mut known = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(env) = known.as_ref() {
        return Ok(env.clone());
    }
    let refused = |reason: String| EmbedError::Runtime { path: library.into(), reason };
    let builder = ort::init_from(library).map_err(|e| refused(e.to_string()))?;
    let env = builder.with_telemetry(false).build().map_err(|e| refused(e.to_string()))?;
    *known = Some(env.clone());
    Ok(env)
}
