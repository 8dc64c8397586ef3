//! Models of every kind against plain arithmetic, on every instruction set, in any batch; and files that are none.

use std::path::Path;

use crate::models::{Dice, Plan, SMALL, config, dot, plainly, tensors, texts, write};
use millrace_kernels::{Error, Isa, Model, Scratch};
use safetensors::Dtype;
use tempfile::TempDir;

fn cosine(made: &[f32], right: &[f64]) -> f64 {
    let made: Vec<f64> = made.iter().map(|x| f64::from(*x)).collect();
    dot(&made, right)
}

fn model(plan: Plan, dir: &Path, isa: Isa) -> Model {
    write(plan, &tensors(plan, &mut Dice(7)), dir);
    Model::open(dir, isa).unwrap()
}

#[test]
fn every_kind_of_file_and_shape_gives_the_vectors_of_plain_arithmetic() {
    let wide = Plan { dims: 256, heads: 4, layers: 3, inner: 384, ..SMALL };
    let plans = [
        SMALL,
        wide,
        Plan { mean: false, ..SMALL },
        Plan { dtype: Dtype::F16, ..SMALL },
        Plan { dtype: Dtype::BF16, prefix: "bert.", ..wide },
        Plan { old_names: true, ..SMALL },
    ];
    for plan in plans {
        let dir = TempDir::new().unwrap();
        let numbers = tensors(plan, &mut Dice(3));
        write(plan, &numbers, dir.path());
        let model = Model::open(dir.path(), Isa::best()).unwrap();
        let texts = texts(&mut Dice(5), 14);
        let made = model.embed(&texts, &mut Scratch::default()).unwrap();
        for (text, made) in texts.iter().zip(&made) {
            let cosine = cosine(made, &plainly(plan, &numbers, text));
            assert!(cosine > 0.999, "{plan:?}, {} tokens: {cosine}", text.len());
            let length: f32 = made.iter().map(|x| x * x).sum();
            assert!((length - 1.0).abs() < 1e-5, "{length}");
        }
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for plan in [SMALL, Plan { dims: 256, heads: 4, inner: 384, ..SMALL }] {
        let dir = TempDir::new().unwrap();
        let texts = texts(&mut Dice(11), 24);
        let right =
            model(plan, dir.path(), Isa::Portable).embed(&texts, &mut Scratch::default()).unwrap();
        let here = Isa::available();
        assert_eq!(here.last(), Some(&Isa::Portable));
        for isa in here {
            let made = Model::open(dir.path(), isa)
                .unwrap()
                .embed(&texts, &mut Scratch::default())
                .unwrap();
            assert_eq!(made, right, "{isa:?}");
        }
    }
}

#[test]
fn a_vector_depends_on_its_text_alone() {
    let dir = TempDir::new().unwrap();
    let model = model(SMALL, dir.path(), Isa::best());
    let texts = texts(&mut Dice(13), 200);
    let together = model.embed(&texts, &mut Scratch::default()).unwrap();
    std::thread::scope(|scope| {
        for seed in 1..5 {
            let (model, texts, together) = (&model, &texts, &together);
            scope.spawn(move || {
                let (mut dice, mut scratch) = (Dice(seed), Scratch::default());
                for _ in 0..40 {
                    let some: Vec<usize> =
                        (0..1 + dice.below(12)).map(|_| dice.below(texts.len())).collect();
                    let batch: Vec<&Vec<u32>> = some.iter().map(|i| &texts[*i]).collect();
                    let made = model.embed(&batch, &mut scratch).unwrap();
                    for (i, made) in some.iter().zip(&made) {
                        assert_eq!(made, &together[*i]);
                    }
                }
            });
        }
    });
}

#[test]
fn texts_that_no_model_reads_are_named() {
    let dir = TempDir::new().unwrap();
    let model = model(SMALL, dir.path(), Isa::best());
    let refused = |text: Vec<u32>| {
        let batch = [vec![1, 2, 3], text];
        match model.embed(&batch, &mut Scratch::default()) {
            Err(Error::Text { text: 1, reason }) => reason,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(vec![]), "0 tokens, 1 to 96 are possible");
    assert_eq!(refused(vec![0; 97]), "97 tokens, 1 to 96 are possible");
    assert_eq!(refused(vec![4, 500]), "token 500, the model knows 500");
    assert!(model.embed::<Vec<u32>>(&[], &mut Scratch::default()).unwrap().is_empty());
}

#[test]
fn a_file_that_is_missing_cut_or_altered_is_an_error_that_says_so() {
    let dir = TempDir::new().unwrap();
    let open = || Model::open(dir.path(), Isa::best()).map(|_| ());
    assert!(matches!(open(), Err(Error::File { .. })));
    drop(model(SMALL, dir.path(), Isa::best()));
    let file = dir.path().join("model.safetensors");
    let whole = std::fs::read(&file).unwrap();
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    for cut in [
        0,
        1,
        7,
        8,
        9,
        header / 2,
        header - 1,
        header,
        header + 1,
        whole.len() / 2,
        whole.len() - 1,
    ] {
        std::fs::write(&file, &whole[..cut]).unwrap();
        assert!(matches!(open(), Err(Error::Damaged { .. })), "cut at {cut}");
    }
    let altered = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        std::fs::write(&file, bytes).unwrap();
        open()
    };
    assert!(matches!(altered(&|b| b[..8].fill(0xff)), Err(Error::Damaged { .. })));
    assert!(matches!(altered(&|b| b[9] = b'!'), Err(Error::Damaged { .. })));
    assert!(matches!(altered(&|b| b.push(0)), Err(Error::Damaged { .. })));
    // Not a number in a matrix.
    let nan = altered(&|b| b[header..header + 4].copy_from_slice(&f32::NAN.to_le_bytes()));
    assert!(matches!(nan, Err(Error::Damaged { .. })), "{nan:?}");
    let renamed = altered(&|b| {
        let at = b.windows(10).position(|w| w == b"layer.1.in").unwrap();
        b[at + 6] = b'7';
    });
    assert!(matches!(renamed, Err(Error::Damaged { .. })), "{renamed:?}");
    // Bits that are still a model's: another hash, which the caller compares.
    std::fs::write(&file, &whole).unwrap();
    let before = Model::open(dir.path(), Isa::best()).unwrap().weights_sha256();
    altered(&|b| *b.last_mut().unwrap() ^= 1).unwrap();
    assert_ne!(before, Model::open(dir.path(), Isa::best()).unwrap().weights_sha256());
}

#[test]
fn another_architecture_is_refused_in_words() {
    let dir = TempDir::new().unwrap();
    drop(model(SMALL, dir.path(), Isa::best()));
    let with = |key: &str, value: serde_json::Value| {
        let mut config = config(SMALL);
        config[key] = value;
        std::fs::write(dir.path().join("config.json"), config.to_string()).unwrap();
        Model::open(dir.path(), Isa::best()).map(|_| ()).unwrap_err().to_string()
    };
    let says = "the native engine does not compute this model: ";
    assert_eq!(
        with("model_type", "roberta".into()),
        format!("{says}its type is roberta, not bert")
    );
    assert_eq!(
        with("hidden_act", "relu".into()),
        format!("{says}its activation is relu, not gelu")
    );
    assert_eq!(
        with("num_attention_heads", 16.into()),
        format!("{says}its heads are 8 wide, not 32 or 64")
    );
    assert_eq!(
        with("num_attention_heads", 0.into()),
        format!("{says}its heads are 0 wide, not 32 or 64")
    );
    assert_eq!(
        with("hidden_size", 100.into()),
        format!("{says}100 and 256 are not multiples of 128")
    );
    assert_eq!(
        with("position_embedding_type", "relative_key".into()),
        format!("{says}its positions are not absolute")
    );
    assert_eq!(
        with("num_hidden_layers", 0.into()),
        format!("{says}it has no layers, no positions or no vocabulary")
    );
    assert!(with("vocab_size", 501.into()).contains("is [500, 128], not [501, 128]"));
    assert!(with("hidden_size", "many".into()).contains("is not a whole model file"));
}
