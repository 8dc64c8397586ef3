//! Models of random numbers on disk, and what BERT is in the plainest arithmetic.

use std::{collections::BTreeMap, path::Path};

use half::{bf16, f16};
use safetensors::{Dtype, tensor::TensorView};

/// Numbers that look random and are the same everywhere (xorshift64*, Vigna 2016).
#[derive(Debug, Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// From -1 to 1.
    pub(crate) fn number(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(crate) fn unit(&mut self, dims: usize) -> Vec<f32> {
        let x: Vec<f32> = (0..dims).map(|_| self.number()).collect();
        let length = x.iter().map(|x| x * x).sum::<f32>().sqrt();
        x.iter().map(|x| x / length).collect()
    }
}

/// A model's shape and the way its file is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) dims: usize,
    pub(crate) heads: usize,
    pub(crate) layers: usize,
    pub(crate) inner: usize,
    pub(crate) mean: bool,
    pub(crate) dtype: Dtype,
    pub(crate) prefix: &'static str,
    pub(crate) old_names: bool,
}

pub(crate) const VOCABULARY: usize = 500;
pub(crate) const POSITIONS: usize = 96;

pub(crate) const SMALL: Plan = Plan {
    dims: 128,
    heads: 4,
    layers: 2,
    inner: 256,
    mean: true,
    dtype: Dtype::F32,
    prefix: "",
    old_names: false,
};

/// A model's tensors by name.
pub(crate) type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

pub(crate) fn tensors(plan: Plan, dice: &mut Dice) -> Tensors {
    let mut out = Tensors::new();
    let mut put = |name: String, shape: &[usize], around: f32, by: f32| {
        let n = shape.iter().product();
        let round = |x: f32| match plan.dtype {
            Dtype::F16 => f16::from_f32(x).to_f32(),
            Dtype::BF16 => bf16::from_f32(x).to_f32(),
            _ => x,
        };
        let numbers = (0..n).map(|_| round(around + by * dice.number())).collect();
        out.insert(name, (shape.to_vec(), numbers));
    };
    let (d, i) = (plan.dims, plan.inner);
    put("embeddings.word_embeddings.weight".into(), &[VOCABULARY, d], 0.0, 0.1);
    put("embeddings.position_embeddings.weight".into(), &[POSITIONS, d], 0.0, 0.05);
    put("embeddings.token_type_embeddings.weight".into(), &[2, d], 0.0, 0.05);
    put("embeddings.LayerNorm.weight".into(), &[d], 1.0, 0.3);
    put("embeddings.LayerNorm.bias".into(), &[d], 0.0, 0.2);
    for l in 0..plan.layers {
        let at = format!("encoder.layer.{l}");
        let linears = [
            ("attention.self.query", d, d),
            ("attention.self.key", d, d),
            ("attention.self.value", d, d),
            ("attention.output.dense", d, d),
            ("intermediate.dense", i, d),
            ("output.dense", d, i),
        ];
        for (name, to, from) in linears {
            put(format!("{at}.{name}.weight"), &[to, from], 0.0, 0.12);
            put(format!("{at}.{name}.bias"), &[to], 0.0, 0.1);
        }
        for name in ["attention.output.LayerNorm", "output.LayerNorm"] {
            put(format!("{at}.{name}.weight"), &[d], 1.0, 0.3);
            put(format!("{at}.{name}.bias"), &[d], 0.0, 0.2);
        }
    }
    out
}

pub(crate) fn write(plan: Plan, tensors: &Tensors, dir: &Path) {
    let bytes: BTreeMap<String, (Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, (shape, numbers))| {
            let mut name = format!("{}{name}", plan.prefix);
            if plan.old_names && name.contains("LayerNorm") {
                name = name.replace(".weight", ".gamma").replace(".bias", ".beta");
            }
            let bytes = match plan.dtype {
                Dtype::F16 => {
                    numbers.iter().flat_map(|x| f16::from_f32(*x).to_le_bytes()).collect()
                }
                Dtype::BF16 => {
                    numbers.iter().flat_map(|x| bf16::from_f32(*x).to_le_bytes()).collect()
                }
                _ => numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
            };
            (name, (shape.clone(), bytes))
        })
        .collect();
    let views = bytes.iter().map(|(name, (shape, bytes))| {
        (name.clone(), TensorView::new(plan.dtype, shape.clone(), bytes).unwrap())
    });
    std::fs::create_dir_all(dir.join("1_Pooling")).unwrap();
    safetensors::serialize_to_file(views, None, &dir.join("model.safetensors")).unwrap();
    std::fs::write(dir.join("config.json"), config(plan).to_string()).unwrap();
    let pooling = serde_json::json!({ "pooling_mode_mean_tokens": plan.mean, "pooling_mode_cls_token": !plan.mean });
    std::fs::write(dir.join("1_Pooling/config.json"), pooling.to_string()).unwrap();
}

pub(crate) fn config(plan: Plan) -> serde_json::Value {
    serde_json::json!({
        "model_type": "bert", "hidden_size": plan.dims, "num_hidden_layers": plan.layers,
        "num_attention_heads": plan.heads, "intermediate_size": plan.inner, "vocab_size": VOCABULARY,
        "max_position_embeddings": POSITIONS, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
    })
}

/// The vector of a text in 64-bit arithmetic, as Devlin et al. 2019 and its published code have it.
pub(crate) fn plainly(plan: Plan, tensors: &Tensors, tokens: &[u32]) -> Vec<f64> {
    let t = |name: &str| &tensors[name].1;
    let d = plan.dims;
    let mut x: Vec<Vec<f64>> = tokens
        .iter()
        .enumerate()
        .map(|(p, token)| {
            let (word, place) = (*token as usize * d, p * d);
            let sum = |i: usize| {
                f64::from(t("embeddings.word_embeddings.weight")[word + i])
                    + f64::from(t("embeddings.position_embeddings.weight")[place + i])
                    + f64::from(t("embeddings.token_type_embeddings.weight")[i])
            };
            norm(&(0..d).map(sum).collect::<Vec<_>>(), tensors, "embeddings.LayerNorm")
        })
        .collect();
    for l in 0..plan.layers {
        let at = format!("encoder.layer.{l}");
        let q: Vec<_> =
            x.iter().map(|x| linear(x, tensors, &format!("{at}.attention.self.query"))).collect();
        let k: Vec<_> =
            x.iter().map(|x| linear(x, tensors, &format!("{at}.attention.self.key"))).collect();
        let v: Vec<_> =
            x.iter().map(|x| linear(x, tensors, &format!("{at}.attention.self.value"))).collect();
        let w = d / plan.heads;
        for (i, x) in x.iter_mut().enumerate() {
            let mut attended = vec![0.0; d];
            for h in 0..plan.heads {
                let range = h * w..(h + 1) * w;
                let scores: Vec<f64> = k
                    .iter()
                    .map(|k| dot(&q[i][range.clone()], &k[range.clone()]) / (w as f64).sqrt())
                    .collect();
                let most = scores.iter().copied().fold(f64::MIN, f64::max);
                let powers: Vec<f64> = scores.iter().map(|s| (s - most).exp()).collect();
                let total: f64 = powers.iter().sum();
                for (p, v) in powers.iter().zip(&v) {
                    for c in range.clone() {
                        attended[c] += p / total * v[c];
                    }
                }
            }
            let out = linear(&attended, tensors, &format!("{at}.attention.output.dense"));
            *x = norm(&sum(x, &out), tensors, &format!("{at}.attention.output.LayerNorm"));
        }
        for x in &mut x {
            let up = linear(x, tensors, &format!("{at}.intermediate.dense"));
            let gelu: Vec<f64> =
                up.iter().map(|x| x * 0.5 * (1.0 + libm::erf(x / 2.0_f64.sqrt()))).collect();
            let out = linear(&gelu, tensors, &format!("{at}.output.dense"));
            *x = norm(&sum(x, &out), tensors, &format!("{at}.output.LayerNorm"));
        }
    }
    let rows = if plan.mean { x.len() } else { 1 };
    let pooled: Vec<f64> = (0..d).map(|i| x.iter().take(rows).map(|x| x[i]).sum()).collect();
    let length = dot(&pooled, &pooled).sqrt();
    pooled.iter().map(|x| x / length).collect()
}

fn linear(x: &[f64], tensors: &Tensors, name: &str) -> Vec<f64> {
    let (weights, bias) =
        (&tensors[&format!("{name}.weight")].1, &tensors[&format!("{name}.bias")].1);
    let row = |(w, b): (&[f32], &f32)| {
        f64::from(*b) + w.iter().zip(x).map(|(w, x)| f64::from(*w) * x).sum::<f64>()
    };
    weights.chunks_exact(x.len()).zip(bias).map(row).collect()
}

fn norm(x: &[f64], tensors: &Tensors, name: &str) -> Vec<f64> {
    let (gamma, beta) =
        (&tensors[&format!("{name}.weight")].1, &tensors[&format!("{name}.bias")].1);
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    let scaled = x.iter().map(|x| (x - mean) / (variance + 1e-12).sqrt());
    scaled.zip(gamma).zip(beta).map(|((x, g), b)| x * f64::from(*g) + f64::from(*b)).collect()
}

fn sum(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Texts of 1 to 96 tokens.
pub(crate) fn texts(dice: &mut Dice, count: usize) -> Vec<Vec<u32>> {
    let text = |dice: &mut Dice, n: usize| (0..n).map(|_| dice.below(VOCABULARY) as u32).collect();
    let mut out: Vec<Vec<u32>> =
        [1, 2, 15, 16, 17, 31, 32, 33, 95, 96].map(|n| text(dice, n)).to_vec();
    while out.len() < count {
        let n = 1 + dice.below(POSITIONS);
        out.push(text(dice, n));
    }
    out
}
