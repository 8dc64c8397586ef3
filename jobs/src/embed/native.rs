//! The native engine: our own kernels on 8-bit blocks (`millrace-kernels`), straight from the safetensors file.

use std::{path::Path, sync::Arc};

use futures_util::future::{BoxFuture, FutureExt};
use millrace_config::Settings;
use millrace_kernels::{Error, Isa, Model, Scratch};
use tokenizers::{Tokenizer, TruncationParams};

use super::{
    CHARS_MAX, EmbedError, Embedder, MINILM, MINILM_SHA256, ModelInfo, canonical, selftest,
    workers::{Session, Workers},
};

/// The engine by the name that is stored with vectors: 8-bit numbers in blocks of 64.
const ENGINE: &str = "native-i8-b64";

/// Our own kernels. All threads share one copy of the weights.
#[derive(Debug)]
pub struct Native {
    model: ModelInfo,
    workers: Workers,
}

impl Native {
    /// Opens the model of the settings, runs the self-test and starts the threads.
    ///
    /// # Errors
    /// Any [`EmbedError`].
    pub fn open(settings: &Settings, isa: Isa) -> Result<Self, EmbedError> {
        let dir = &settings.embed.model_dir;
        let model = Arc::new(Model::open(dir, isa)?);
        let tokenizer = Arc::new(tokenizer(dir, model.shape().tokens_max)?);
        let found = hex::encode(model.weights_sha256());
        let known = settings.embed.model == MINILM;
        if known && found != MINILM_SHA256 {
            let (path, expected) = (dir.join("model.safetensors"), MINILM_SHA256.into());
            return Err(EmbedError::Weights { path, found, expected });
        }
        let info = ModelInfo {
            name: settings.embed.model.clone(),
            engine: ENGINE.into(),
            dims: model.shape().dims,
            weights_sha256: found,
        };
        let session = move || Tokens {
            model: model.clone(),
            tokenizer: tokenizer.clone(),
            scratch: Scratch::default(),
        };
        if known {
            selftest::run(|texts| session().embed(texts))?;
        }
        let workers = Workers::start(settings.embed.threads, move || Ok(session()))?;
        Ok(Self { model: info, workers })
    }
}

impl Embedder for Native {
    fn model(&self) -> &ModelInfo {
        &self.model
    }

    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>> {
        self.workers.embed(texts).boxed()
    }
}

/// What one thread embeds with.
struct Tokens {
    model: Arc<Model>,
    tokenizer: Arc<Tokenizer>,
    scratch: Scratch,
}

impl Session for Tokens {
    fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let tokens = texts.iter().map(|text| {
            let text: String = canonical(text).chars().take(CHARS_MAX).collect();
            let encoding = self.tokenizer.encode_fast(text, true);
            encoding.map(|e| e.get_ids().to_vec()).map_err(|e| EmbedError::Model(e.to_string()))
        });
        let tokens = tokens.collect::<Result<Vec<_>, _>>()?;
        Ok(self.model.embed(&tokens, &mut self.scratch)?)
    }
}

fn tokenizer(dir: &Path, tokens_max: usize) -> Result<Tokenizer, EmbedError> {
    let path = dir.join("tokenizer.json");
    let unread = |reason: String| EmbedError::File { path: path.clone(), reason };
    let bytes = std::fs::read(&path).map_err(|e| unread(e.to_string()))?;
    let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|e| unread(e.to_string()))?;
    // The file's own settings would make every text as long as the longest that they allow.
    tokenizer.with_padding(None);
    let cut = TruncationParams { max_length: tokens_max, ..TruncationParams::default() };
    tokenizer.with_truncation(Some(cut)).map_err(|e| unread(e.to_string()))?;
    Ok(tokenizer)
}

impl From<Error> for EmbedError {
    fn from(error: Error) -> Self {
        match error {
            Error::File { path, source } => Self::File { path, reason: source.to_string() },
            Error::Damaged { path, reason } => Self::File { path, reason },
            e @ Error::Unsupported(_) => Self::Unknown(e.to_string()),
            e @ (Error::Instructions(_) | Error::Text { .. }) => Self::Model(e.to_string()),
        }
    }
}
