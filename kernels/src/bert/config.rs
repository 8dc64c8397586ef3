//! The shape of a model, from the files beside its weights.

use std::path::Path;

use serde::{Deserialize, de::DeserializeOwned};

use super::attention::Heads;
use crate::{Error, int8::WIDTH};

/// `config.json` of a BERT model: the names of the Transformers library.
#[derive(Debug, Deserialize)]
struct File {
    model_type: String,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
    hidden_act: String,
    layer_norm_eps: f32,
    #[serde(default)]
    position_embedding_type: Option<String>,
}

/// `1_Pooling/config.json` of Sentence Transformers.
#[derive(Debug, Deserialize)]
struct Pooling {
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
    #[serde(default)]
    pooling_mode_cls_token: bool,
}

/// `sentence_bert_config.json` of Sentence Transformers.
#[derive(Debug, Deserialize)]
struct Limits {
    max_seq_length: usize,
}

/// A line of `modules.json` of Sentence Transformers.
#[derive(Debug, Deserialize)]
struct Module {
    #[serde(rename = "type")]
    kind: String,
}

/// What the kernels need to know of a model.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Numbers per token, and of a vector.
    pub dims: usize,
    /// Layers.
    pub layers: usize,
    /// Numbers between the two products of a layer's second half.
    pub inner: usize,
    /// Tokens that the model knows.
    pub vocabulary: usize,
    /// Tokens that a text may have: what the model was trained on.
    pub tokens_max: usize,
    /// Positions that there are embeddings of.
    pub positions: usize,
    /// Whether the vector is the mean of the tokens' or that of the first.
    pub mean: bool,
    pub(crate) heads: Heads,
    pub(crate) epsilon: f32,
}

impl Shape {
    /// Reads the shape of the model in `dir`.
    ///
    /// # Errors
    /// [`Error::File`] and [`Error::Damaged`] for `config.json`, [`Error::Unsupported`] for another architecture.
    pub fn read(dir: &Path) -> Result<Self, Error> {
        let file: File = read(dir, "config.json")?;
        let pooling: Option<Pooling> = optional(dir, "1_Pooling/config.json")?;
        let limits: Option<Limits> = optional(dir, "sentence_bert_config.json")?;
        let modules: Option<Vec<Module>> = optional(dir, "modules.json")?;
        let mean = match &pooling {
            None => true,
            Some(p) if p.pooling_mode_mean_tokens != p.pooling_mode_cls_token => {
                p.pooling_mode_mean_tokens
            }
            Some(_) => return unsupported("it pools otherwise than by mean or first token"),
        };
        for module in modules.unwrap_or_default() {
            if !["Transformer", "Pooling", "Normalize"]
                .iter()
                .any(|known| module.kind.ends_with(known))
            {
                return unsupported(&format!("it has a module {}", module.kind));
            }
        }
        let tokens_max = limits.map_or(file.max_position_embeddings, |l| l.max_seq_length);
        let shape = Self {
            dims: file.hidden_size,
            layers: file.num_hidden_layers,
            inner: file.intermediate_size,
            vocabulary: file.vocab_size,
            tokens_max: tokens_max.min(file.max_position_embeddings),
            positions: file.max_position_embeddings,
            mean,
            heads: Heads {
                count: file.num_attention_heads,
                dims: file.hidden_size.checked_div(file.num_attention_heads).unwrap_or(0),
            },
            epsilon: file.layer_norm_eps,
        };
        shape.check(&file)?;
        Ok(shape)
    }

    fn check(&self, file: &File) -> Result<(), Error> {
        if file.model_type != "bert" {
            return unsupported(&format!("its type is {}, not bert", file.model_type));
        }
        if file.hidden_act != "gelu" {
            return unsupported(&format!("its activation is {}, not gelu", file.hidden_act));
        }
        if file.position_embedding_type.as_deref().is_some_and(|kind| kind != "absolute") {
            return unsupported("its positions are not absolute");
        }
        if self.dims == 0
            || !self.dims.is_multiple_of(WIDTH)
            || !self.inner.is_multiple_of(WIDTH)
            || self.inner == 0
        {
            return unsupported(&format!(
                "{} and {} are not multiples of {WIDTH}",
                self.dims, self.inner
            ));
        }
        if ![32, 64].contains(&self.heads.dims) || self.heads.dims * self.heads.count != self.dims {
            return unsupported(&format!("its heads are {} wide, not 32 or 64", self.heads.dims));
        }
        if self.layers == 0 || self.tokens_max < 2 || self.vocabulary == 0 {
            return unsupported("it has no layers, no positions or no vocabulary");
        }
        Ok(())
    }
}

fn unsupported<T>(why: &str) -> Result<T, Error> {
    Err(Error::Unsupported(why.into()))
}

fn read<T: DeserializeOwned>(dir: &Path, name: &str) -> Result<T, Error> {
    let path = dir.join(name);
    let bytes =
        std::fs::read(&path).map_err(|source| Error::File { path: path.clone(), source })?;
    serde_json::from_slice(&bytes).map_err(|e| Error::Damaged { path, reason: e.to_string() })
}

fn optional<T: DeserializeOwned>(dir: &Path, name: &str) -> Result<Option<T>, Error> {
    match read(dir, name) {
        Err(Error::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            Ok(None)
        }
        other => other.map(Some),
    }
}
