//! What a question finds: three rankings, put together.

use std::collections::HashMap;

use anyhow::Context;
use pgvector::HalfVector;
use serde::Serialize;
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use super::words::words;
use crate::{
    embed::{Embedder, canonical},
    store::{
        codebase::{
            connections::Connection,
            search::{self as store, Filter, Found, Ranked},
        },
        embeddings,
    },
};

/// Of each ranking so many are looked at.
const DEPTH: i64 = 200;
/// Reciprocal rank fusion: score = sum of weight / (K + rank). 20 instead of the usual 60 (Cormack et al., SIGIR 2009):
/// measured in spec/codeindex.md, section 4.
const K: f64 = 20.0;
/// Lines of a result's excerpt.
const EXCERPT: usize = 12;

/// A part of a file that fits.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hit {
    /// From the root.
    pub file_path: String,
    /// First line, from 1.
    pub start_line: i32,
    /// Last line.
    pub end_line: i32,
    /// The code.
    pub content: String,
    /// Qualified name of what it defines.
    pub symbol_name: Option<String>,
    /// The seed's `chunk_type`.
    pub symbol_type: String,
    /// What it is written in.
    pub language: Option<String>,
    /// More is better; comparable within an answer.
    pub score: f64,
    /// Where the score is from.
    pub parts: Parts,
    /// The lines that fit best, with their first line's number.
    pub excerpt: String,
    /// First line of the excerpt.
    pub excerpt_line: i32,
    /// Other places with the same text.
    pub also: Vec<String>,
}

/// Rank in each ranking, from 1; none where it is not among the first 200.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub struct Parts {
    /// By meaning: the vectors.
    pub meaning: Option<u32>,
    /// By words of the code.
    pub words: Option<u32>,
    /// By words of path and symbols.
    pub names: Option<u32>,
    /// Cosine of question and chunk.
    pub cosine: Option<f32>,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// In words, or a piece of code.
    pub text: String,
    /// Look for what means the same, and not for the same words; what says exactly this is left out.
    pub related: bool,
    /// Where.
    pub filter: Filter,
    /// So many, at most.
    pub limit: usize,
    /// How much each ranking counts, where the same words count at all.
    pub weights: Weights,
}

/// How much each ranking counts; one of 0 is not asked.
#[derive(Debug, Clone, Copy)]
pub struct Weights {
    /// By meaning.
    pub meaning: f64,
    /// By words of the code.
    pub words: f64,
    /// By words of path and symbols.
    pub names: f64,
}

impl Weights {
    /// Chosen by `make eval-search` on a Rust and a Python codebase; BENCHMARKS.md has others, too.
    pub const DEFAULT: Self = Self { meaning: 1.0, words: 0.5, names: 1.0 };
    /// For code that means the same, whatever it is called.
    pub const MEANING: Self = Self { meaning: 1.0, words: 0.0, names: 0.0 };
}

/// The best parts for a question.
///
/// # Errors
/// Those of the model and of the database.
pub async fn search(
    conn: &mut PgConnection,
    embedder: &dyn Embedder,
    of: &Connection,
    question: &Question,
) -> anyhow::Result<Vec<Hit>> {
    let ranked = rank(conn, embedder, of, question).await?;
    show(conn, of, ranked, question).await
}

/// Which chunks they are, best first: nothing of them but their ids.
///
/// # Errors
/// Those of the model and of the database.
pub async fn rank(
    conn: &mut PgConnection,
    embedder: &dyn Embedder,
    of: &Connection,
    question: &Question,
) -> anyhow::Result<Vec<Fused>> {
    let filter = &question.filter;
    let model_id = embeddings::model_id(conn, embedder.model()).await.context("model")?;
    let vector = embedder.embed(vec![question.text.clone()]).await.context("embedding")?.pop();
    let vector = HalfVector::from_f32_slice(&vector.unwrap_or_default());
    let asked = words(&question.text);
    let weights = if question.related { Weights::MEANING } else { question.weights };
    let (mut nearest, mut by_words, mut by_names) = (Vec::new(), Vec::new(), Vec::new());
    if weights.meaning > 0.0 {
        let found = store::nearest(conn, of.id, model_id, &vector, filter, DEPTH).await;
        nearest = found.context("ranking by meaning")?;
    }
    if weights.words > 0.0 || weights.names > 0.0 {
        let found = store::by_text(conn, of.id, &asked, filter, DEPTH).await;
        [by_words, by_names] = found.context("ranking by words")?;
    }
    let mut fused = fuse(weights, &nearest, &by_words, &by_names);
    let unknown: Vec<Uuid> =
        fused.iter().filter(|(.., parts)| parts.cosine.is_none()).map(|(id, ..)| *id).collect();
    let cosines =
        store::cosines(conn, of.id, model_id, &vector, &unknown).await.context("cosines")?;
    let cosines: HashMap<Uuid, f32> = cosines.into_iter().map(|r| (r.id, r.score)).collect();
    for (id, _, parts) in &mut fused {
        parts.cosine = parts.cosine.or_else(|| cosines.get(id).copied());
    }
    let least = filter.cosine_min.unwrap_or(f32::MIN);
    fused.retain(|(.., parts)| parts.cosine.is_none_or(|cosine| cosine >= least));
    fused.truncate(question.limit * 3 + 1);
    Ok(fused)
}

/// What ranked chunks say.
///
/// # Errors
/// Those of the database.
pub async fn show(
    conn: &mut PgConnection,
    of: &Connection,
    ranked: Vec<Fused>,
    question: &Question,
) -> anyhow::Result<Vec<Hit>> {
    let ids: Vec<Uuid> = ranked.iter().map(|(id, ..)| *id).collect();
    let found = store::load(conn, of.id, &ids).await.context("loading chunks")?;
    let mut found: HashMap<Uuid, Found> = found.into_iter().map(|f| (f.id, f)).collect();
    let asked = canonical(&question.text);
    let same = |f: &Found| question.related && canonical(&f.content) == asked;
    let ranked = ranked
        .into_iter()
        .filter_map(|(id, score, parts)| Some((found.remove(&id)?, score, parts)));
    let mut hits = together(ranked.filter(|(f, ..)| !same(f)).collect(), &words(&question.text));
    hits.truncate(question.limit);
    Ok(hits)
}

/// A chunk, its score, and where that is from.
pub type Fused = (Uuid, f64, Parts);

/// By weighted reciprocal ranks.
fn fuse(
    weights: Weights,
    nearest: &[Ranked],
    by_words: &[Ranked],
    by_names: &[Ranked],
) -> Vec<Fused> {
    let mut all: HashMap<Uuid, (f64, Parts)> = HashMap::new();
    let mut add = |ranking: &[Ranked], weight: f64, set: fn(&mut Parts, u32, f32)| {
        if weight <= 0.0 {
            return;
        }
        for (rank, ranked) in (1_u32..).zip(ranking) {
            let (score, parts) = all.entry(ranked.id).or_default();
            *score += weight / (K + f64::from(rank));
            set(parts, rank, ranked.score);
        }
    };
    let by_meaning = |parts: &mut Parts, rank, cosine| {
        (parts.meaning, parts.cosine) = (Some(rank), Some(cosine))
    };
    add(nearest, weights.meaning, by_meaning);
    add(by_words, weights.words, |parts, rank, _| parts.words = Some(rank));
    add(by_names, weights.names, |parts, rank, _| parts.names = Some(rank));
    let mut fused: Vec<Fused> =
        all.into_iter().map(|(id, (score, parts))| (id, score, parts)).collect();
    fused.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    fused
}

/// A hit of one chunk or several that follow each other.
struct Joined {
    hit: Hit,
    /// Ordinals of its first and last chunk.
    chunks: (i32, i32),
    content_hash: Vec<u8>,
}

impl Joined {
    /// Of one definition: neighbours that are two would only be longer to read.
    fn continues(&self, before: &Self) -> bool {
        self.hit.file_path == before.hit.file_path
            && self.hit.symbol_name == before.hit.symbol_name
            && self.chunks.0 == before.chunks.1 + 1
    }

    /// Take what follows, or what is before; the rank stays.
    fn join(&mut self, other: Self) {
        if other.continues(self) {
            self.hit.content.push_str(&other.hit.content);
            (self.hit.end_line, self.chunks.1) = (other.hit.end_line, other.chunks.1);
        } else {
            self.hit.content.insert_str(0, &other.hit.content);
            (self.hit.start_line, self.chunks.0) = (other.hit.start_line, other.chunks.0);
        }
        self.hit.also.extend(other.hit.also);
    }
}

/// Equal texts are one hit, neighbouring parts of one definition, too.
fn together(ranked: Vec<(Found, f64, Parts)>, asked: &str) -> Vec<Hit> {
    let mut joined: Vec<Joined> = Vec::new();
    for (found, score, parts) in ranked {
        if let Some(same) = joined.iter_mut().find(|j| j.content_hash == found.content_hash) {
            same.hit.also.push(format!("{}:{}", found.file_path, found.start_line));
            continue;
        }
        let new = Joined {
            chunks: (found.ordinal, found.ordinal),
            content_hash: found.content_hash.clone(),
            hit: hit(found, score, parts, asked),
        };
        let beside = |j: &Joined| j.continues(&new) || new.continues(j);
        let sides: Vec<usize> =
            (0..joined.len()).filter(|at| joined.get(*at).is_some_and(beside)).collect();
        let Some(best) = sides.first().and_then(|at| joined.get_mut(*at)) else {
            joined.push(new);
            continue;
        };
        best.join(new);
        // It may have closed a gap.
        if let [best, other] = sides[..] {
            let other = joined.remove(other);
            if let Some(best) = joined.get_mut(best) {
                best.join(other);
            }
        }
    }
    joined.into_iter().map(|j| j.hit).collect()
}

fn hit(found: Found, score: f64, parts: Parts, asked: &str) -> Hit {
    let (at, excerpt) = excerpt(&found.content, asked);
    Hit {
        excerpt_line: found.start_line + at,
        excerpt,
        file_path: found.file_path,
        start_line: found.start_line,
        end_line: found.end_line,
        content: found.content,
        symbol_name: found.name,
        symbol_type: found.chunk_type,
        language: found.language,
        score,
        parts,
        also: Vec::new(),
    }
}

/// The lines around the one that says most of the asked words, and how many are before them.
fn excerpt(content: &str, asked: &str) -> (i32, String) {
    let asked: Vec<&str> = asked.split(' ').filter(|word| word.len() > 2).collect();
    let lines: Vec<&str> = content.lines().collect();
    let said = |line: &&str| {
        let line = words(line);
        asked.iter().filter(|word| line.split(' ').any(|w| w == **word)).count()
    };
    let first = lines.iter().position(|line| !line.trim().is_empty()).unwrap_or(0);
    let best =
        (first..lines.len()).rev().max_by_key(|at| lines.get(*at).map_or(0, said)).unwrap_or(first);
    let start =
        best.saturating_sub(2).max(first).min(lines.len().saturating_sub(EXCERPT).max(first));
    let text: Vec<&str> = lines.into_iter().skip(start).take(EXCERPT).collect();
    (i32::try_from(start).unwrap_or(0), text.join("\n"))
}
