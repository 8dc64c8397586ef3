//! The index of codebases: that it shows what is there, whatever happened on the way, and that it finds it.

mod access;
mod git;
mod history;
mod searching;
mod webhook;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::{FutureExt, future::BoxFuture};
use millrace_jobs::{
    codebase::{
        report::Report,
        run::{self, Order, Tools},
        tokens::Tokens,
        tree::Tree,
    },
    embed::{EmbedError, Embedder, HashEmbedder, ModelInfo},
    store::codebase::{connections::Connection, runs},
};
use millrace_tests::{Checkout, Database, checkout, rig};
use sqlx::PgPool;

/// Counts what it is given, and which texts were new to it.
#[derive(Debug)]
struct Counting {
    inner: HashEmbedder,
    given: AtomicUsize,
    known: Mutex<HashSet<String>>,
}

impl Embedder for Counting {
    fn model(&self) -> &ModelInfo {
        self.inner.model()
    }

    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>> {
        self.given.fetch_add(texts.len(), Ordering::SeqCst);
        self.known.lock().unwrap().extend(texts.iter().cloned());
        self.inner.embed(texts).boxed()
    }
}

/// What indexes, on a database of its own.
struct Bench {
    db: Database,
    tools: Tools,
    counting: Arc<Counting>,
}

impl Bench {
    async fn new() -> Self {
        let db = millrace_tests::Pg::database().await;
        sqlx::query(
            "insert into signals.workspaces (id, name) values ('acme', 'acme'), ('other', 'other')",
        )
        .execute(&db.pool)
        .await
        .unwrap();
        let counting = Arc::new(Counting {
            inner: HashEmbedder::new(384),
            given: AtomicUsize::new(0),
            known: Mutex::default(),
        });
        let limits = rig::settings().codebase;
        let tokens = Arc::new(Tokens::estimated(256));
        let tools = Tools { pool: db.pool.clone(), embedder: counting.clone(), tokens, limits };
        Self { db, tools, counting }
    }

    /// One run over the folder as it is.
    async fn index(&self, of: &Connection, checkout: &Checkout) -> Report {
        self.run(of, Tree::Folder(checkout.path().to_owned()), Order::default()).await.unwrap()
    }

    async fn verify(&self, of: &Connection, checkout: &Checkout) -> Report {
        let order = Order { all: true, ..Order::default() };
        self.run(of, Tree::Folder(checkout.path().to_owned()), order).await.unwrap()
    }

    async fn run(&self, of: &Connection, tree: Tree, order: Order<'_>) -> anyhow::Result<Report> {
        let of = checkout::take(&self.db.pool, of).await;
        let done = run::run(&self.tools, &of, tree, order, &|_| {}).await;
        if let Err(error) = &done {
            runs::fail(&mut self.db.pool.acquire().await.unwrap(), &of, &error.to_string())
                .await
                .unwrap();
        }
        done
    }

    /// Texts that the model has been given since the last question.
    fn given(&self) -> usize {
        self.counting.given.swap(0, Ordering::SeqCst)
    }
}

/// All rows of an index, without ids and times: two indexes of the same tree are to have the same.
async fn rows(pool: &PgPool, of: &Connection) -> Vec<String> {
    sqlx::query_scalar(
        "select format('%s: %s %s %s', file_path, file_hash, language, size_bytes) as line
         from factory.codebase_files where connection_id = $1
         union all
         select format('%s skipped: %s %s', file_path, file_hash, reason)
         from factory.codebase_skips where connection_id = $1
         union all
         select format('%s %s: %s %s %s-%s at %s %L %s %s %s %s %s', f.file_path, c.ordinal, c.chunk_type, c.name, c.start_line,
                       c.end_line, c.start_byte, c.content, c.symbols, c.content_hash, c.symbol_words, c.words, c.names)
         from factory.code_chunks c join factory.codebase_files f on f.id = c.file_id where c.connection_id = $1
         union all
         select format('vector %s: %s', content_hash, md5(vector::text)) from factory.code_vectors where connection_id = $1
         order by line",
    )
    .bind(of.id)
    .fetch_all(pool)
    .await
    .unwrap()
}
