//! How long a search takes, and what it misses where an index over the vectors is used.

use std::{path::Path, sync::Arc};

use millrace_jobs::{
    codebase::{
        glob,
        run::Tools,
        search::{self, Question as Asked, Weights},
        tokens::Tokens,
    },
    embed::HashEmbedder,
    store::codebase::{connections::Connection, search::Filter},
};
use sqlx::PgConnection;
use tokio::time::Instant;

use super::{prepare, strip::Question, tools};
use crate::report::Report;

/// Results that people look at.
const LIMIT: usize = 10;

/// Each checkout, with vectors that cost nothing to make.
pub(crate) async fn run(report: &mut Report, paths: &[String]) {
    let (_pg, db, tools) =
        tools(|_| (Arc::new(HashEmbedder::new(384)), Tokens::estimated(256))).await;
    let exact_max = tools.limits.exact_scan_chunks_max;
    report.note(format!("Questions as of eval-search, one after the other, without the model's time; over {exact_max} texts with an index over the vectors."));
    for path in paths {
        let (of, questions) = prepare(&tools, Path::new(path)).await;
        sqlx::query("analyze").execute(&db.pool).await.unwrap();
        let chunks: i64 = db.count("select count(*) from factory.code_chunks").await;
        let what = format!("{} ({chunks} chunks)", of.project);
        let mut conn = db.pool.acquire().await.unwrap();
        let all = times(&tools, &mut conn, &of, &questions, Filter::default()).await;
        let some = Filter { path: Some(glob::regex("**/*a*/**")), ..Filter::default() };
        let filtered = times(&tools, &mut conn, &of, &questions, some).await;
        let recall = recall(&tools, &mut conn, &of, &questions).await;
        report.row(
            &format!("{what}: search p50, p99"),
            &all,
            &format!("{filtered} with a filter"),
            "",
        );
        report.row(
            &format!("{what}: nearest ten found"),
            &format!("{recall:.3}"),
            "1 by a scan of all",
            "",
        );
        sqlx::query("delete from factory.codebase_connections").execute(&db.pool).await.unwrap();
    }
}

fn asked(question: &Question, filter: &Filter, related: bool) -> Asked {
    let (text, filter) = (question.text.clone(), filter.clone());
    Asked { text, related, filter, limit: LIMIT, weights: Weights::DEFAULT }
}

async fn times(
    tools: &Tools,
    conn: &mut PgConnection,
    of: &Connection,
    questions: &[Question],
    filter: Filter,
) -> String {
    let mut all = Vec::new();
    for question in questions {
        let began = Instant::now();
        search::search(conn, &*tools.embedder, of, &asked(question, &filter, false)).await.unwrap();
        all.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    all.sort_by(f64::total_cmp);
    format!("{:.0} ms, {:.0} ms", all[all.len() / 2], all[all.len() * 99 / 100])
}

/// Part of the ten nearest that are found as the search finds them.
async fn recall(
    tools: &Tools,
    conn: &mut PgConnection,
    of: &Connection,
    questions: &[Question],
) -> f64 {
    let (mut found, mut wanted) = (0, 0);
    for question in questions.iter().take(100) {
        let asked = asked(question, &Filter::default(), true);
        let quick = search::rank(conn, &*tools.embedder, of, &asked).await.unwrap();
        sqlx::query("select set_config('enable_indexscan', 'off', false)")
            .execute(&mut *conn)
            .await
            .unwrap();
        let exact = search::rank(conn, &*tools.embedder, of, &asked).await.unwrap();
        sqlx::query("select set_config('enable_indexscan', 'on', false)")
            .execute(&mut *conn)
            .await
            .unwrap();
        let nearest: Vec<_> = exact.iter().take(LIMIT).map(|(id, ..)| *id).collect();
        wanted += nearest.len();
        found += quick.iter().take(LIMIT).filter(|(id, ..)| nearest.contains(id)).count();
    }
    f64::from(u32::try_from(found).unwrap()) / f64::from(u32::try_from(wanted.max(1)).unwrap())
}
