//! What can be wrong with a model or with what it is given.

use std::path::PathBuf;

/// Why there is no model, or no vector.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not what it should be: truncated, altered, or another format.
    #[error("{path} is not a whole model file: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The model is none that these kernels compute.
    #[error("the native engine does not compute this model: {0}")]
    Unsupported(String),
    /// The processor lacks the instructions asked for.
    #[error("this processor has no {0}")]
    Instructions(&'static str),
    /// A text has no token, too many, or one that the model does not know.
    #[error("text {text} of the batch cannot be embedded: {reason}")]
    Text {
        /// Its place in the batch.
        text: usize,
        /// What is wrong with it.
        reason: String,
    },
}
