//! The embedding model: right vectors, whatever the batch, and no panic whatever is broken.

use std::path::Path;

use millrace_config::Settings;
use millrace_jobs::embed::{EmbedError, choose, cosine, open};
use millrace_kernels::Isa;
use millrace_tests::home;

fn settings(model_dir: &Path, runtime: &Path) -> Settings {
    let paths =
        [("MILLRACE__EMBED__MODEL_DIR", model_dir), ("MILLRACE__EMBED__RUNTIME_LIBRARY", runtime)];
    with("fastembed", paths.map(|(k, v)| (k, v.to_str().unwrap())))
}

fn with<const N: usize>(engine: &str, env: [(&str, &str); N]) -> Settings {
    let env = env.into_iter().chain([("MILLRACE__EMBED__ENGINE", engine)]);
    let env = env.map(|(k, v)| (k.to_owned(), v.to_owned()));
    Settings::from_parts(&home(), None, env).unwrap()
}

fn ready() -> Settings {
    with("fastembed", [])
}

#[tokio::test]
async fn a_vector_depends_on_its_text_alone() {
    for engine in ["native", "fastembed"] {
        depends_on_its_text_alone(engine).await;
    }
}

async fn depends_on_its_text_alone(engine: &str) {
    let embedder = open(&with(engine, [])).unwrap();
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
        assert!(engine == "fastembed" || alone[0] == *vector, "the native engine: to the last bit");
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

/// Texts of every length up to beyond the model's limit, in every script, with what no text should hold.
fn any_texts() -> Vec<String> {
    let words = [
        "deploy",
        "the",
        "queue",
        "is",
        "slow",
        "after",
        "update",
        "Grüße",
        "naïve",
        "данные",
        "сервер",
        "数据库",
        "すみません",
        "서버",
        "مرحبا",
        "שלום",
        "ไทย",
        "हिन्दी",
        "🦀",
        "👩‍👩‍👧",
        "x1",
        "--flag",
        "fn(a,b)->c;",
        "https://a.b/c?d=e",
        "\u{0}",
        "\u{200b}",
        "\u{202e}",
        "\t",
        "e\u{301}",
        "ﬁ",
        "𝔐",
        "supercalifragilisticexpialidocious",
        "9.99",
        "[MASK]",
        "[SEP]",
        "\u{fffd}",
        "!!!",
        "…",
    ];
    let mut seed = 1_u64;
    let mut next = move |n: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % n
    };
    let mut text = |count: usize| {
        let words: Vec<&str> = (0..count).map(|_| words[next(words.len())]).collect();
        words.join(" ")
    };
    let mut texts: Vec<String> =
        ["", " ", "a", "\u{0}", "\u{1f980}", "."].map(str::to_owned).to_vec();
    texts.extend((0..1_500).map(|i| text(1 + i % 24)));
    texts.extend((0..60).map(|i| text(20 + i * 4)));
    texts
}

#[tokio::test]
async fn the_native_engine_makes_the_vectors_of_fastembed() {
    let (native, fastembed) = (open(&with("native", [])).unwrap(), open(&ready()).unwrap());
    assert_eq!(native.model().name, fastembed.model().name);
    assert_eq!(native.model().weights_sha256, fastembed.model().weights_sha256);
    assert_ne!(native.model().engine, fastembed.model().engine);
    let texts = any_texts();
    let (made, right) = (native.embed(texts.clone()), fastembed.embed(texts.clone()));
    let (made, right) = (made.await.unwrap(), right.await.unwrap());
    let cosines = made.iter().zip(&right).map(|(a, b)| cosine(a, b)).zip(&texts);
    let (lowest, text) = cosines.clone().min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
    let mean = cosines.map(|(c, _)| f64::from(c)).sum::<f64>()
        / f64::from(u16::try_from(texts.len()).unwrap());
    println!("{} texts: cosine mean {mean:.5}, lowest {lowest:.5} of {text:?}", texts.len());
    assert!(mean > 0.999 && lowest > 0.995, "mean {mean}, lowest {lowest} of {text:?}");
}

#[test]
fn auto_says_which_engine_it_takes_and_why() {
    let choice = choose(&with("auto", [])).unwrap();
    let engine = choice.embedder.model().engine.clone();
    if Isa::best() == Isa::Portable {
        assert_eq!(
            (engine.as_str(), choice.why.as_str()),
            ("fastembed-fp32", "not the native engine: the processor has no 8-bit dot products")
        );
        return;
    }
    assert_eq!(engine, "native-i8-b64");
    assert_eq!(choice.why, format!("the processor has {}", Isa::best().name()));
    // A model that the native engine cannot compute falls to fastembed, which does not read this line.
    let dir = tempfile::tempdir().unwrap();
    let models = ready().embed.model_dir;
    for file in
        ["tokenizer.json", "special_tokens_map.json", "tokenizer_config.json", "model.safetensors"]
    {
        std::os::unix::fs::symlink(models.join(file), dir.path().join(file)).unwrap();
    }
    let config = std::fs::read_to_string(models.join("config.json")).unwrap();
    std::fs::write(dir.path().join("config.json"), config.replace("\"gelu\"", "\"relu\"")).unwrap();
    let other =
        choose(&with("auto", [("MILLRACE__EMBED__MODEL_DIR", dir.path().to_str().unwrap())]))
            .unwrap();
    assert_eq!(other.embedder.model().engine, "fastembed-fp32");
    assert!(other.why.contains("its activation is relu, not gelu"), "{}", other.why);
    let asked =
        choose(&with("native", [("MILLRACE__EMBED__MODEL_DIR", dir.path().to_str().unwrap())]))
            .unwrap_err();
    assert!(matches!(asked, EmbedError::Unknown(_)), "{asked}");
}

#[test]
fn a_broken_model_is_an_error_of_the_native_engine_too() {
    let dir = tempfile::tempdir().unwrap();
    let models = ready().embed.model_dir;
    let open = || {
        open(&with("native", [("MILLRACE__EMBED__MODEL_DIR", dir.path().to_str().unwrap())]))
            .unwrap_err()
    };
    assert!(matches!(open(), EmbedError::File { .. }));
    for file in ["tokenizer.json", "config.json"] {
        std::fs::copy(models.join(file), dir.path().join(file)).unwrap();
    }
    assert!(matches!(open(), EmbedError::File { .. }));
    let weights = dir.path().join("model.safetensors");
    let mut bytes = std::fs::read(models.join("model.safetensors")).unwrap();
    std::fs::write(&weights, &bytes[..bytes.len() / 2]).unwrap();
    assert!(matches!(open(), EmbedError::File { .. }));
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&weights, &bytes).unwrap();
    assert!(matches!(open(), EmbedError::Weights { .. }));
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&weights, &bytes).unwrap();
    std::fs::write(dir.path().join("tokenizer.json"), b"{}").unwrap();
    assert!(matches!(open(), EmbedError::File { .. }));
}
