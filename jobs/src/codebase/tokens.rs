//! How many tokens of the embedding model a text has.
//!
//! The model's pre-tokeniser splits at white space and around every mark, so the pieces of a word do not depend on its
//! neighbours: each word is given to the tokeniser once and remembered.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use anyhow::Context;
use millrace_config::Embed;
use tokenizers::Tokenizer;

/// Words that are remembered; code repeats itself.
const KNOWN_MAX: usize = 200_000;
/// What a model reads besides: a token before and one behind.
const SPECIAL: usize = 2;

/// Counts tokens.
#[derive(Debug)]
pub struct Tokens {
    window: usize,
    /// None: about four bytes a token, for embedders without a model.
    tokenizer: Option<Box<Tokenizer>>,
    known: Mutex<HashMap<Box<str>, usize>>,
}

/// [`Tokens`] that are opened when somebody wants them.
#[derive(Debug, Default)]
pub struct Once(OnceLock<Arc<Tokens>>);

impl Once {
    /// Those of the model of the settings.
    ///
    /// # Errors
    /// As those of [`Tokens::open`]; the next call tries again.
    pub fn get(&self, settings: &Embed) -> anyhow::Result<Arc<Tokens>> {
        if let Some(tokens) = self.0.get() {
            return Ok(tokens.clone());
        }
        let tokens = Arc::new(Tokens::open(settings)?);
        Ok(self.0.get_or_init(|| tokens).clone())
    }
}

/// What the models that are known here read at once: all-MiniLM-L6-v2 was trained with 256.
const WINDOW: usize = 256;

impl Tokens {
    /// Of the model of the settings.
    ///
    /// # Errors
    /// If its tokenizer cannot be read.
    pub fn open(settings: &Embed) -> anyhow::Result<Self> {
        if settings.engine == "hash" {
            return Ok(Self::estimated(WINDOW));
        }
        Self::of_model(&settings.model_dir, WINDOW)
    }

    /// Of the model in this folder (its `tokenizer.json`), which reads `window` tokens.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn of_model(folder: &Path, window: usize) -> anyhow::Result<Self> {
        let path = folder.join("tokenizer.json");
        let tokenizer = Tokenizer::from_file(&path).map_err(|e| anyhow::anyhow!("{e}"));
        let mut tokenizer = tokenizer.with_context(|| path.display().to_string())?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|e| anyhow::anyhow!("{e}"))?;
        Ok(Self { window, tokenizer: Some(Box::new(tokenizer)), known: Mutex::default() })
    }

    /// Without a model.
    #[must_use]
    pub fn estimated(window: usize) -> Self {
        Self { window, tokenizer: None, known: Mutex::default() }
    }

    /// Tokens of text that the model reads.
    #[must_use]
    pub const fn window(&self) -> usize {
        self.window - SPECIAL
    }

    /// Tokens of a text.
    #[must_use]
    pub fn count(&self, text: &str) -> usize {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tokens = 0;
        for part in text.split(char::is_whitespace) {
            for word in part.split_inclusive(|c: char| !c.is_alphanumeric()) {
                let mark = word.chars().next_back().filter(|c| !c.is_alphanumeric());
                let plain =
                    word.get(..word.len() - mark.map_or(0, char::len_utf8)).unwrap_or_default();
                tokens += usize::from(mark.is_some()) + self.word(&mut known, plain);
            }
        }
        tokens
    }

    fn word(&self, known: &mut HashMap<Box<str>, usize>, word: &str) -> usize {
        if word.is_empty() {
            return 0;
        }
        let Some(tokenizer) = &self.tokenizer else { return word.len().div_ceil(4) };
        if let Some(count) = known.get(word) {
            return *count;
        }
        let count =
            tokenizer.encode_fast(word, false).map_or(word.len(), |encoding| encoding.len());
        if known.len() < KNOWN_MAX {
            known.insert(word.into(), count);
        }
        count
    }
}
