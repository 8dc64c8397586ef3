//! Questions to an index: what is found, what is kept apart.

use millrace_jobs::{
    codebase::{
        glob,
        search::{self, Hit, Question, Weights},
    },
    store::codebase::{connections::Connection, search::Filter},
};
use millrace_tests::Checkout;

use super::Bench;

fn asked(text: &str) -> Question {
    Question {
        text: text.into(),
        related: false,
        filter: Filter::default(),
        limit: 10,
        weights: Weights::DEFAULT,
    }
}

async fn search(bench: &Bench, of: &Connection, question: &Question) -> Vec<Hit> {
    let mut conn = bench.db.pool.acquire().await.unwrap();
    search::search(&mut conn, &*bench.tools.embedder, of, question).await.unwrap()
}

/// So many functions about exports, one about queues.
fn exports(checkout: &Checkout, folder: &str, count: usize) {
    for n in 0..count {
        let text = format!(
            "/// Export the table number {n} as a file.\nfn export_table_{n}() {{\n    write_file(table({n}));\n}}\n"
        );
        checkout.write(&format!("{folder}/export{n}.rs"), text);
    }
}

#[tokio::test]
async fn a_filter_is_never_starved_by_what_it_leaves_out() {
    let (bench, checkout) = (Bench::new().await, Checkout::new());
    exports(&checkout, "src", 300);
    exports(&checkout, "tests/deep", 5);
    checkout.write("tests/deep/x.py", "def export_table_x():\n    pass\n");
    let of = checkout.connect(&bench.db.pool, "acme", "app").await;
    bench.index(&of, &checkout).await;
    let paths = async |filter: Filter| {
        let hits =
            search(&bench, &of, &Question { filter, ..asked("export the table as a file") }).await;
        hits.into_iter().map(|hit| hit.file_path).collect::<Vec<_>>()
    };
    let only = |path: &str| Filter { path: Some(glob::regex(path)), ..Filter::default() };
    assert_eq!(paths(Filter::default()).await.len(), 10);
    let below = paths(only("tests/**/*.rs")).await;
    assert_eq!(below.len(), 5, "{below:?}");
    assert!(below.iter().all(|path| path.starts_with("tests/deep/export")));
    let python = Filter { languages: Some(vec!["python".into()]), ..Filter::default() };
    assert_eq!(paths(python).await, ["tests/deep/x.py"]);
    let imports = Filter { kinds: Some(vec!["import".into()]), ..Filter::default() };
    assert!(paths(imports).await.is_empty());
}

#[tokio::test]
async fn names_words_and_meaning_each_find_it() {
    let (bench, checkout) = (Bench::new().await, Checkout::new());
    exports(&checkout, "src", 40);
    checkout.write("src/queue/retry.rs", "/// When a job that failed is tried again.\nfn nextAttemptAt(tries: u32) -> Time {\n    base * 2_u32.pow(tries)\n}\n");
    let of = checkout.connect(&bench.db.pool, "acme", "app").await;
    bench.index(&of, &checkout).await;
    for text in ["next attempt", "nextAttemptAt", "retry queue", "which jobs failed", "tries again"]
    {
        let hits = search(&bench, &of, &asked(text)).await;
        let best = hits.first().unwrap();
        assert_eq!(best.file_path, "src/queue/retry.rs", "{text}");
        assert_eq!(
            (best.symbol_name.as_deref(), best.symbol_type.as_str()),
            (Some("nextAttemptAt"), "function")
        );
        assert_eq!((best.start_line, best.end_line), (1, 4));
        assert_eq!(best.language.as_deref(), Some("rust"));
    }
    assert!(
        search(&bench, &of, &asked("'; drop table x; -- \\ \u{0}".trim_end_matches('\u{0}')))
            .await
            .len()
            <= 10
    );
    let none = Question {
        filter: Filter { cosine_min: Some(1.0), ..Filter::default() },
        ..asked("export")
    };
    assert!(search(&bench, &of, &none).await.is_empty());
}

#[tokio::test]
async fn equal_texts_are_one_hit_and_neighbours_are_one() {
    let (bench, checkout) = (Bench::new().await, Checkout::new());
    let text = "fn weigh(boat: Boat) -> Weight {\n    boat.hull + boat.mast\n}\n";
    checkout.write("a.rs", text);
    checkout.write("copy/b.rs", text);
    let long: String = (0..60)
        .map(|n| format!("    anchor(chain_{n}, rope_{n}, winch_{n}, deck_{n});\n"))
        .collect();
    checkout.write("long.rs", format!("fn moor() {{\n{long}}}\n"));
    let of = checkout.connect(&bench.db.pool, "acme", "app").await;
    bench.index(&of, &checkout).await;
    let hits = search(&bench, &of, &asked("weigh the boat")).await;
    assert_eq!(hits[0].also.len(), 1, "{hits:?}");
    let moor = search(&bench, &of, &asked("anchor chain rope winch")).await;
    let parts: Vec<&Hit> = moor.iter().filter(|hit| hit.file_path == "long.rs").collect();
    assert_eq!(parts.len(), 1, "{parts:?}");
    assert_eq!((parts[0].start_line, parts[0].end_line), (1, 62));
    let whole = std::fs::read_to_string(checkout.path().join("long.rs")).unwrap();
    assert_eq!(parts[0].content, whole);

    let related = search(&bench, &of, &Question { related: true, ..asked(text) }).await;
    assert!(related.iter().all(|hit| hit.content != text), "what says exactly this is left out");
}

#[tokio::test]
async fn an_index_over_the_vectors_finds_what_the_scan_finds() {
    let (mut bench, checkout) = (Bench::new().await, Checkout::new());
    exports(&checkout, "src", 400);
    checkout.write("notes.txt", "harbour\n");
    let of = checkout.connect(&bench.db.pool, "acme", "app").await;
    bench.index(&of, &checkout).await;
    let exact =
        search(&bench, &of, &Question { related: true, ..asked("fn export_table_7() {}") }).await;
    bench.tools.limits.exact_scan_chunks_max = 100;
    checkout.write("notes.txt", "lighthouse\n");
    bench.index(&of, &checkout).await;
    let indexes = async || {
        bench.db.count("select count(*) from pg_indexes where indexname like 'code_hnsw%'").await
    };
    assert_eq!(indexes().await, 1);
    let quick =
        search(&bench, &of, &Question { related: true, ..asked("fn export_table_7() {}") }).await;
    let names = |hits: &[Hit]| hits.iter().map(|hit| hit.file_path.clone()).collect::<Vec<_>>();
    assert_eq!(names(&exact).first(), names(&quick).first());
    bench.tools.limits.exact_scan_chunks_max = 1000;
    checkout.write("notes.txt", "jetty\n");
    bench.index(&of, &checkout).await;
    assert_eq!(indexes().await, 0);
}
