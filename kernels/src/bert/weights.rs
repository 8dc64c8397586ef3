//! Weights out of a safetensors file: products packed as 8-bit blocks, the table of words mapped, the rest copied.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use half::{bf16, f16};
use memmap2::{Mmap, MmapOptions};
use safetensors::{Dtype, tensor::Metadata};
use sha2::{Digest, Sha256};

use super::config::Shape;
use crate::{Error, int8::Packed};

/// A layer's products and norms.
#[derive(Debug)]
pub(crate) struct Layer {
    /// Queries (scaled for [`super::attention`]), keys and values of all heads.
    pub qkv: Linear,
    pub attended: Linear,
    pub attended_norm: Norm,
    pub up: Linear,
    pub down: Linear,
    pub norm: Norm,
}

/// `x W + b`.
#[derive(Debug)]
pub(crate) struct Linear {
    pub columns: Packed,
    pub bias: Vec<f32>,
}

/// Gain and shift of a layer normalisation.
#[derive(Debug)]
pub(crate) struct Norm {
    pub gamma: Vec<f32>,
    pub beta: Vec<f32>,
}

/// All of a model's numbers.
#[derive(Debug)]
pub(crate) struct Weights {
    pub words: Words,
    /// Embedding of every position, that of the first segment added.
    pub positions: Vec<f32>,
    pub norm: Norm,
    pub layers: Vec<Layer>,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
}

/// The table of words, mapped: pages that no text asks for are never read.
#[derive(Debug)]
pub(crate) struct Words {
    map: Mmap,
    dtype: Dtype,
    dims: usize,
}

impl Words {
    /// The embedding of a token below the vocabulary's size.
    pub(crate) fn read(&self, token: usize, out: &mut [f32]) {
        let width = self.dtype.bitsize() / 8 * self.dims;
        decode(self.dtype, &self.map[token * width..][..width], out);
    }
}

impl Weights {
    /// Reads, hashes and packs `model.safetensors` of `dir` for processors whose packed weights are XORed with `flip`.
    pub(crate) fn read(dir: &Path, shape: &Shape, flip: u8) -> Result<Self, Error> {
        let file = Tensors::open(dir.join("model.safetensors"))?;
        let d = shape.dims;
        let mut positions =
            file.read("embeddings.position_embeddings.weight", &[shape.positions, d])?;
        let types = file.first_row("embeddings.token_type_embeddings.weight", d)?;
        for row in positions.chunks_exact_mut(d) {
            row.iter_mut().zip(&types).for_each(|(x, t)| *x += t);
        }
        let layers = (0..shape.layers)
            .map(|i| Layer::read(&file, shape, i, flip))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            words: file.map("embeddings.word_embeddings.weight", &[shape.vocabulary, d])?,
            positions,
            norm: Norm::read(&file, "embeddings.LayerNorm", d)?,
            layers,
            sha256: file.sha256()?,
        })
    }
}

impl Layer {
    fn read(file: &Tensors, shape: &Shape, layer: usize, flip: u8) -> Result<Self, Error> {
        let (d, at) = (shape.dims, format!("encoder.layer.{layer}"));
        // Softmax of base e over q·k/√d is softmax of base 2 over q·k·log2(e)/√d.
        let scale = std::f32::consts::LOG2_E / (shape.heads.dims as f32).sqrt();
        let (mut rows, mut bias) = (Vec::new(), Vec::new());
        for (name, scale) in [("query", scale), ("key", 1.0), ("value", 1.0)] {
            let part = format!("{at}.attention.self.{name}");
            rows.extend(file.read(&format!("{part}.weight"), &[d, d])?.iter().map(|x| x * scale));
            bias.extend(file.read(&format!("{part}.bias"), &[d])?.iter().map(|x| x * scale));
        }
        let linear = |name: &str, from: usize, to: usize| -> Result<Linear, Error> {
            let rows = file.read(&format!("{at}.{name}.weight"), &[to, from])?;
            Ok(Linear::new(&rows, file.read(&format!("{at}.{name}.bias"), &[to])?, flip))
        };
        Ok(Self {
            qkv: Linear::new(&rows, bias, flip),
            attended: linear("attention.output.dense", d, d)?,
            attended_norm: Norm::read(file, &format!("{at}.attention.output.LayerNorm"), d)?,
            up: linear("intermediate.dense", d, shape.inner)?,
            down: linear("output.dense", shape.inner, d)?,
            norm: Norm::read(file, &format!("{at}.output.LayerNorm"), d)?,
        })
    }
}

impl Linear {
    /// `rows` holds the weights of one output after the other.
    fn new(rows: &[f32], bias: Vec<f32>, flip: u8) -> Self {
        let inputs = rows.len() / bias.len();
        let columns = Packed::new(inputs, flip, rows.chunks_exact(inputs));
        Self { columns, bias }
    }
}

impl Norm {
    fn read(file: &Tensors, name: &str, dims: usize) -> Result<Self, Error> {
        // Files converted from TensorFlow keep its names.
        let either = |new: &str, old: &str| match file.find(&format!("{name}.{new}")) {
            Some(_) => file.read(&format!("{name}.{new}"), &[dims]),
            None => file.read(&format!("{name}.{old}"), &[dims]),
        };
        Ok(Self { gamma: either("weight", "gamma")?, beta: either("bias", "beta")? })
    }
}

/// A safetensors file, read tensor by tensor.
struct Tensors {
    path: PathBuf,
    file: File,
    /// Where the numbers begin.
    start: u64,
    metadata: Metadata,
}

impl Tensors {
    fn open(path: PathBuf) -> Result<Self, Error> {
        let unread = |source| Error::File { path: path.clone(), source };
        let damaged = |reason: String| Error::Damaged { path: path.clone(), reason };
        let mut file = File::open(&path).map_err(unread)?;
        let size = file.metadata().map_err(unread)?.len();
        let mut length = [0; 8];
        file.read_exact(&mut length).map_err(|_| damaged("it ends before its header".into()))?;
        let header = u64::from_le_bytes(length);
        if header > size.saturating_sub(8) || header > 1 << 25 {
            return Err(damaged(format!("its header would be {header} bytes long")));
        }
        let mut head = vec![0; header as usize];
        file.read_exact(&mut head).map_err(unread)?;
        let metadata: Metadata =
            serde_json::from_slice(&head).map_err(|e| damaged(e.to_string()))?;
        let (start, end) = (8 + header, 8 + header + metadata.data_len() as u64);
        if end != size {
            return Err(damaged(format!("it has {size} bytes, its header says {end}")));
        }
        Ok(Self { path, file, start, metadata })
    }

    /// A tensor's true name: some files put the model's own before it.
    fn find(&self, name: &str) -> Option<String> {
        [name.to_owned(), format!("bert.{name}")]
            .into_iter()
            .find(|n| self.metadata.info(n).is_some())
    }

    fn damaged(&self, reason: String) -> Error {
        Error::Damaged { path: self.path.clone(), reason }
    }

    /// Where a tensor's bytes are, and what they are.
    fn place(&self, name: &str, shape: &[usize]) -> Result<(u64, usize, Dtype), Error> {
        let found =
            self.find(name).ok_or_else(|| self.damaged(format!("it has no tensor {name}")))?;
        let Some(info) = self.metadata.info(&found) else {
            return Err(self.damaged(format!("it has no tensor {name}")));
        };
        if info.shape != shape {
            return Err(self.damaged(format!("{name} is {:?}, not {shape:?}", info.shape)));
        }
        if ![Dtype::F32, Dtype::F16, Dtype::BF16].contains(&info.dtype) {
            return Err(Error::Unsupported(format!("{name} is of type {:?}", info.dtype)));
        }
        let (from, to) = info.data_offsets;
        Ok((self.start + from as u64, to - from, info.dtype))
    }

    fn read(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
        let (at, length, dtype) = self.place(name, shape)?;
        let mut bytes = vec![0; length];
        read_at(&self.file, &mut bytes, at)
            .map_err(|source| Error::File { path: self.path.clone(), source })?;
        let mut out = vec![0.0; shape.iter().product()];
        decode(dtype, &bytes, &mut out);
        if out.iter().any(|x| !x.is_finite()) {
            return Err(self.damaged(format!("{name} holds numbers that are none")));
        }
        Ok(out)
    }

    fn first_row(&self, name: &str, dims: usize) -> Result<Vec<f32>, Error> {
        let rows = self.find(name).and_then(|n| self.metadata.info(&n)?.shape.first().copied());
        let mut table = self.read(name, &[rows.unwrap_or(1), dims])?;
        table.truncate(dims);
        Ok(table)
    }

    fn map(&self, name: &str, shape: &[usize]) -> Result<Words, Error> {
        let (at, length, dtype) = self.place(name, shape)?;
        // SAFETY: the map is read only. That nobody shortens or rewrites the file in place while it is mapped is asked of
        // the operator (docs/deploy.md); setup replaces files by renaming, which leaves the mapped one whole.
        let map = unsafe { MmapOptions::new().offset(at).len(length).map(&self.file) };
        let map = map.map_err(|source| Error::File { path: self.path.clone(), source })?;
        Ok(Words { map, dtype, dims: shape[1] })
    }

    fn sha256(&self) -> Result<[u8; 32], Error> {
        let unread = |source| Error::File { path: self.path.clone(), source };
        let mut reader = BufReader::with_capacity(1 << 18, File::open(&self.path).map_err(unread)?);
        let mut hash = Sha256::new();
        loop {
            let bytes = reader.fill_buf().map_err(unread)?;
            if bytes.is_empty() {
                return Ok(hash.finalize().into());
            }
            hash.update(bytes);
            let read = bytes.len();
            reader.consume(read);
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

fn decode(dtype: Dtype, bytes: &[u8], out: &mut [f32]) {
    match dtype {
        Dtype::F16 => {
            let numbers = bytes.as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b).to_f32());
            out.iter_mut().zip(numbers).for_each(|(out, x)| *out = x);
        }
        Dtype::BF16 => {
            let numbers = bytes.as_chunks::<2>().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32());
            out.iter_mut().zip(numbers).for_each(|(out, x)| *out = x);
        }
        _ => {
            let numbers = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b));
            out.iter_mut().zip(numbers).for_each(|(out, x)| *out = x);
        }
    }
}
