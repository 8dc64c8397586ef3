//! The embedding model: right vectors, whatever the batch, and no panic whatever is broken.

use std::path::Path;

use millrace_config::Settings;
use millrace_jobs::embed::{EmbedError, cosine, open};
use millrace_tests::home;

fn settings(model_dir: &Path, runtime: &Path) -> Settings {
    let env =
        [("MILLRACE__EMBED__MODEL_DIR", model_dir), ("MILLRACE__EMBED__RUNTIME_LIBRARY", runtime)];
    let env = env.map(|(k, v)| (k.to_owned(), v.to_str().unwrap().to_owned()));
    Settings::from_parts(&home(), None, env.into_iter()).unwrap()
}

fn ready() -> Settings {
    Settings::from_parts(&home(), None, std::iter::empty()).unwrap()
}

#[tokio::test]
async fn a_vector_depends_on_its_text_alone() {
    let embedder = open(&ready()).unwrap();
    let long = "word ".repeat(3_000);
    let texts =
        ["short", "a text of a few more words than that", &long, "", "\u{1F980} Grüße 你好"];
    let together = embedder.embed(texts.map(str::to_owned).to_vec()).await.unwrap();
    assert_eq!(together.len(), texts.len());
    for (text, vector) in texts.iter().zip(&together) {
        assert_eq!(vector.len(), 384);
        assert!((cosine(vector, vector) - 1.0).abs() < 1e-4, "{text:.20}");
        let alone = embedder.embed(vec![(*text).to_owned()]).await.unwrap();
        assert!(cosine(&alone[0], vector) > 0.999_99, "{text:.20}");
    }
    let like = embedder.embed(vec![
        "I cannot log in".into(),
        "Signing in fails".into(),
        "Grow tomatoes".into(),
    ]);
    let like = like.await.unwrap();
    assert!(cosine(&like[0], &like[1]) > cosine(&like[0], &like[2]) + 0.3);
    assert!(embedder.embed(Vec::new()).await.unwrap().is_empty());
}

#[test]
fn a_broken_runtime_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let models = ready().embed.model_dir;
    let missing = open(&settings(&models, &dir.path().join("none.so"))).unwrap_err();
    assert!(matches!(missing, EmbedError::Runtime { .. }), "{missing}");
    let garbage = dir.path().join("garbage.so");
    std::fs::write(&garbage, b"not a library").unwrap();
    let broken = open(&settings(&models, &garbage)).unwrap_err();
    assert!(matches!(broken, EmbedError::Runtime { .. }), "{broken}");
    // A failed attempt spoils nothing.
    open(&ready()).unwrap();
}

#[test]
fn a_broken_model_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let models = ready().embed.model_dir;
    let runtime = home().join("runtime").join("libonnxruntime.so");
    let missing = open(&settings(dir.path(), &runtime)).unwrap_err();
    assert!(matches!(missing, EmbedError::File { .. }), "{missing}");
    for file in
        ["tokenizer.json", "config.json", "special_tokens_map.json", "tokenizer_config.json"]
    {
        std::fs::copy(models.join(file), dir.path().join(file)).unwrap();
    }
    std::fs::write(dir.path().join("model.safetensors"), b"other weights").unwrap();
    let other = open(&settings(dir.path(), &runtime)).unwrap_err();
    assert!(matches!(other, EmbedError::Weights { .. }), "{other}");
    std::fs::copy(models.join("model.safetensors"), dir.path().join("model.safetensors")).unwrap();
    std::fs::write(dir.path().join("tokenizer.json"), b"{}").unwrap();
    let tokenizer = open(&settings(dir.path(), &runtime)).unwrap_err();
    assert!(matches!(tokenizer, EmbedError::Model(_)), "{tokenizer}");
}
