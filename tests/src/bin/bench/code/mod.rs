//! Code: how well functions are found by what their comments said, on any checkout.

pub(crate) mod fresh;
pub(crate) mod latency;
mod score;
mod strip;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ignore::WalkBuilder;
use millrace_config::Settings;
use millrace_jobs::{
    codebase::{
        run::{self, Order, Tools},
        search::{self, Question as Asked, Weights},
        tokens::Tokens,
        tree::Tree,
    },
    embed::{self, Embedder},
    store::codebase::{
        connections::{self, Connection, Repository},
        search::Filter,
    },
};
use millrace_tests::{Database, checkout, cluster::Private};
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use sqlx::PgPool;

use self::{
    score::{MEASURES, Score, score},
    strip::Question,
};
use crate::{report::Report, server};

/// Questions of one codebase.
const QUESTIONS: usize = 250;
/// Results that are looked at.
const LIMIT: usize = 50;

/// Ways to rank.
const WAYS: [(&str, Weights); 3] = [
    ("meaning", Weights::MEANING),
    ("words and names", Weights { meaning: 0.0, ..Weights::DEFAULT }),
    ("all three", Weights::DEFAULT),
];

/// Ask each checkout.
pub(crate) async fn run(report: &mut Report, paths: &[String]) {
    let model = |settings: &Settings| {
        (embed::open(settings).unwrap(), Tokens::open(&settings.embed).unwrap())
    };
    let (_pg, _db, tools) = tools(model).await;
    report.note("250 functions of each codebase, asked for by the first paragraph of their doc comments, which are taken out of the indexed code.");
    report.note("+- is half of a 95 % interval (bootstrap). A function is found if half of a result lies in it, or a result of at most 100 lines covers half of it.");
    let mut all: Vec<Vec<Score>> = vec![Vec::new(); WAYS.len()];
    for path in paths {
        let (of, questions) = prepare(&tools, Path::new(path)).await;
        for ((way, weights), all) in WAYS.iter().zip(&mut all) {
            let scores = ask(&tools, &of, &questions, *weights).await;
            show(report, &format!("{} ({}): {way}", of.project, questions.len()), &scores);
            all.extend(scores);
        }
    }
    for ((way, _), scores) in WAYS.iter().zip(&all) {
        show(report, &format!("all: {way}"), scores);
    }
}

fn show(report: &mut Report, what: &str, scores: &[Score]) {
    let text = |names: &[&str]| {
        let chosen = MEASURES.iter().filter(|m| names.contains(&m.name));
        let one = |m: &score::Measure| {
            let (mean, half) = m.mean(scores);
            format!("{} {mean:.3} +- {half:.3}", m.name)
        };
        chosen.map(one).collect::<Vec<_>>().join(", ")
    };
    let symbols = text(&["symbol MRR", "R@1", "R@5", "R@10"]);
    report.row(what, &symbols, &text(&["file MRR", "file R@10"]), &text(&["B100", "B300"]));
}

/// The checkout without comments, indexed; and the questions.
async fn prepare(tools: &Tools, path: &Path) -> (Connection, Vec<Question>) {
    let folder = tempfile::TempDir::new().unwrap();
    let mut questions = Vec::new();
    for file in
        WalkBuilder::new(path).require_git(false).build().flatten().filter(|f| f.path().is_file())
    {
        let inner = file.path().strip_prefix(path).unwrap();
        let Ok(source) = std::fs::read_to_string(file.path()) else { continue };
        let (text, asked) = strip::strip(inner.to_str().unwrap(), &source);
        let place: PathBuf = folder.path().join(inner);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, text).unwrap();
        questions.extend(asked);
    }
    // What is said of two functions asks for neither.
    questions.sort_by(|a, b| (&a.text, &a.path, a.lines).cmp(&(&b.text, &b.path, b.lines)));
    let twice = |q: &Question| questions.iter().filter(|other| other.text == q.text).count() > 1;
    let mut questions: Vec<Question> = questions.iter().filter(|q| !twice(q)).cloned().collect();
    questions.shuffle(&mut StdRng::seed_from_u64(7));
    questions.truncate(QUESTIONS);
    let name = path.file_name().unwrap().to_str().unwrap();
    let of = take(&tools.pool, folder.path(), name).await;
    run::run(tools, &of, Tree::Folder(folder.path().to_owned()), Order::default(), &|_| {})
        .await
        .unwrap();
    (of, questions)
}

/// Connected, and taken for a run.
pub(super) async fn take(pool: &PgPool, folder: &Path, name: &str) -> Connection {
    let mut conn = pool.acquire().await.unwrap();
    let project = connections::project(&mut conn, server::WORKSPACE, name).await.unwrap();
    let url = folder.to_str().unwrap();
    let repository = Repository { url, owner: "", name, branch: "HEAD", installation: 0 };
    let of = connections::connect(&mut conn, project, &repository).await.unwrap();
    checkout::take(pool, &of).await
}

/// A database, and what indexes with this model.
pub(super) async fn tools(
    model: impl FnOnce(&Settings) -> (Arc<dyn Embedder>, Tokens),
) -> (Private, Database, Tools) {
    let (pg, db) = server::postgres().await;
    let settings = Settings::load(&millrace_tests::home(), None).unwrap();
    let (embedder, tokens) = model(&settings);
    let (pool, tokens) = (db.pool.clone(), Arc::new(tokens));
    (pg, db, Tools { pool, embedder, tokens, limits: settings.codebase })
}

async fn ask(
    tools: &Tools,
    of: &Connection,
    questions: &[Question],
    weights: Weights,
) -> Vec<Score> {
    let mut conn = tools.pool.acquire().await.unwrap();
    let mut scores = Vec::with_capacity(questions.len());
    for question in questions {
        let asked = Asked {
            text: question.text.clone(),
            related: false,
            filter: Filter::default(),
            limit: LIMIT,
            weights,
        };
        let hits = search::search(&mut conn, &*tools.embedder, of, &asked).await.unwrap();
        scores.push(score(question, &hits));
    }
    scores
}
