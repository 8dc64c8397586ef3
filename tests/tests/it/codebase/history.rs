//! Whatever became of a folder step by step, its index is the one that it would have if it were indexed now.

use millrace_jobs::{
    codebase::{report::Report, run::Order, tree::Tree},
    store::codebase::{connections::Connection, runs},
};
use millrace_tests::{Checkout, checkout};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::{Bench, rows};

const STEPS: usize = 30;
const NAMES: [&str; 8] =
    ["a.rs", "src/b.rs", "src/deep/c.py", "d.ts", "web/e.tsx", "f.go", "G.java", "docs/h.md"];
const IGNORES: [&str; 3] = ["", "src/\n", "*.py\nweb/*\n"];

/// A file of some functions; each is told from the others by its number.
fn source(random: &mut StdRng) -> String {
    let function = |random: &mut StdRng| {
        let n: u32 = random.random_range(0..40);
        let lines = "    let x = y + z;\n".repeat(random.random_range(1..12));
        format!("/// Does {n}.\nfn part_{n}(y: u32) {{\n{lines}}}\n\n")
    };
    (0..random.random_range(1..12)).map(|_| function(random)).collect()
}

/// Something that happens to files.
fn step(checkout: &Checkout, random: &mut StdRng) {
    let there: Vec<&str> =
        NAMES.into_iter().filter(|name| checkout.path().join(name).exists()).collect();
    let name = *NAMES.choose(random).unwrap();
    match (random.random_range(0..10), there.choose(random)) {
        (0, Some(there)) => checkout.remove(there),
        (1, Some(there)) => checkout.rename(there, name),
        (2, Some(there)) => checkout.write(there, ""),
        (3, Some(there)) => checkout.write(there, b"\0binary"),
        (4, _) => checkout.write(".millraceignore", IGNORES.choose(random).unwrap()),
        (5, Some(there)) => {
            // A line above everything: only what it touches is another text.
            let text = std::fs::read_to_string(checkout.path().join(there)).unwrap_or_default();
            checkout.write(there, format!("// {}\n{text}", random.random_range(0..9)));
        }
        (6, _) => checkout.write(name, "x".repeat(6_000)),
        _ => checkout.write(name, source(random)),
    }
}

/// The index of the folder by a connection that has never seen it before.
async fn clean(bench: &Bench, checkout: &Checkout) -> Connection {
    let fresh = checkout
        .connect(&bench.db.pool, "acme", &format!("clean-{:x}", rand::random::<u64>()))
        .await;
    bench.index(&fresh, checkout).await;
    fresh
}

#[tokio::test]
async fn an_index_shows_the_folder_however_it_came_about() {
    let seed = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let (bench, checkout) = (Bench::new().await, Checkout::new());
    let of = checkout.connect(&bench.db.pool, "acme", "app").await;
    for nth in 0..STEPS {
        for _ in 0..random.random_range(1..5) {
            step(&checkout, &mut random);
        }
        bench.index(&of, &checkout).await;
        let fresh = clean(&bench, &checkout).await;
        assert_eq!(
            rows(&bench.db.pool, &of).await,
            rows(&bench.db.pool, &fresh).await,
            "seed {seed}, step {nth}"
        );
        let again = bench.index(&of, &checkout).await;
        assert_eq!(
            (again.added, again.updated, again.chunks),
            (0, 0, 0),
            "seed {seed}, step {nth}: {again:?}"
        );
    }
}

fn counts(r: &Report) -> [usize; 5] {
    [r.added, r.updated, r.renamed, r.deleted, r.unchanged]
}

const TEN: &str = "fn one() {\n    let a = 1;\n    let b = 2;\n    let c = a + b;\n    print(a, b, c);\n    print(c, b, a);\n}\n\n";

#[tokio::test]
async fn only_new_texts_are_embedded() {
    let (bench, checkout) = (Bench::new().await, Checkout::new());
    let of = checkout.connect(&bench.db.pool, "acme", "app").await;
    let text: String = (0..20).map(|n| TEN.replace("one", &format!("f{n}")).repeat(4)).collect();
    checkout.write("src/a.rs", &text);
    checkout.write("src/b.rs", "fn b() {}\n");
    let first = bench.index(&of, &checkout).await;
    assert_eq!(counts(&first), [2, 0, 0, 0, 0]);
    let given = bench.given();
    assert_eq!(first.chunks_embedded, given);
    assert_eq!(given, bench.counting.known.lock().unwrap().len(), "no text twice");
    assert!(first.chunks > 20, "{first:?}");

    checkout.rename("src/a.rs", "lib/c.rs");
    assert_eq!(counts(&bench.index(&of, &checkout).await), [0, 0, 1, 0, 1]);
    assert_eq!(bench.given(), 0, "a rename");

    checkout.write("lib/c.rs", format!("use x::y;\n\n{text}"));
    let edit = bench.index(&of, &checkout).await;
    assert_eq!(counts(&edit), [0, 1, 0, 0, 1]);
    assert!(bench.given() <= 2, "{edit:?}");

    let fork = checkout.connect(&bench.db.pool, "acme", "fork").await;
    assert_eq!(counts(&bench.index(&fork, &checkout).await), [2, 0, 0, 0, 0]);
    assert_eq!(bench.given(), 0, "a fork");

    checkout.remove("src/b.rs");
    checkout.write("lib/c.rs", "");
    let less = bench.index(&of, &checkout).await;
    assert_eq!((less.deleted, less.skipped.get("empty")), (1, Some(&1)), "{less:?}");
    let left = rows(&bench.db.pool, &of).await;
    assert_eq!(left.len(), 1, "{left:?}");
}

#[tokio::test]
async fn an_edit_that_keeps_size_and_time_is_seen() {
    let (bench, checkout) = (Bench::new().await, Checkout::new());
    let of = checkout.connect(&bench.db.pool, "acme", "app").await;
    checkout.write("a.rs", "fn a() { 1 }\n");
    bench.index(&of, &checkout).await;
    let path = checkout.path().join("a.rs");
    let time = std::fs::metadata(&path).unwrap().modified().unwrap();
    checkout.write("a.rs", "fn a() { 2 }\n");
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    assert_eq!(bench.index(&of, &checkout).await.updated, 1);
}

#[tokio::test]
async fn what_was_changed_behind_our_back_is_found_and_mended() {
    let (bench, checkout) = (Bench::new().await, Checkout::new());
    let of = checkout.connect(&bench.db.pool, "acme", "app").await;
    for n in 0..12 {
        checkout.write(&format!("f{n}.rs"), TEN.replace("one", &format!("f{n}")).repeat(5));
    }
    bench.index(&of, &checkout).await;
    let good = rows(&bench.db.pool, &of).await;
    bench.given();
    let damage = [
        ("delete from factory.code_chunks where file_id in (select id from factory.codebase_files where file_path = 'f1.rs')", 1),
        ("delete from factory.code_chunks where ordinal = 0 and file_id in (select id from factory.codebase_files where file_path in ('f2.rs', 'f3.rs'))", 2),
        ("update factory.code_chunks set content = content || ' ' where ordinal = 0 and file_id in (select id from factory.codebase_files where file_path = 'f4.rs')", 1),
        ("update factory.code_chunks set names = '' where file_id in (select id from factory.codebase_files where file_path = 'f5.rs')", 1),
        ("update factory.code_chunks set start_line = 0 where ordinal = 1 and file_id in (select id from factory.codebase_files where file_path = 'f6.rs')", 1),
        ("update factory.codebase_files set file_hash = 'x' where file_path = 'f7.rs'", 1),
        ("delete from factory.codebase_files where file_path = 'f8.rs'", 1),
        ("insert into factory.codebase_files (connection_id, project_id, file_path, file_hash) select id, project_id, 'ghost.rs', 'x' from factory.codebase_connections", 0),
        ("delete from factory.code_vectors where content_hash in (select content_hash from factory.code_vectors limit 3)", 0),
        ("update factory.code_vectors set vector = l2_normalize(vector + vector * array_fill(0.5, array[384])::halfvec)
          where content_hash in (select content_hash from factory.code_vectors order by content_hash limit 2)", 0),
    ];
    for (sql, files) in damage {
        sqlx::raw_sql(sql).execute(&bench.db.pool).await.unwrap();
        assert_ne!(rows(&bench.db.pool, &of).await, good, "{sql}");
        let report = bench.verify(&of, &checkout).await;
        assert_eq!(report.added + report.updated, files, "{sql}: {report:?}");
        assert_eq!(rows(&bench.db.pool, &of).await, good, "{sql}");
    }
    bench.given();
    let report = bench.verify(&of, &checkout).await;
    assert_eq!(counts(&report), [0, 0, 0, 0, 12], "nothing was wrong");
    assert_eq!(bench.given(), 0);
}

#[tokio::test]
async fn a_run_that_was_taken_for_dead_writes_nothing_any_more() {
    let (bench, checkout) = (Bench::new().await, Checkout::new());
    let of = checkout.connect(&bench.db.pool, "acme", "app").await;
    checkout.write("a.rs", "fn old() {}\n");
    let stale = checkout::take(&bench.db.pool, &of).await;
    let mut tx = bench.db.pool.begin().await.unwrap();
    let busy = runs::begin(&mut tx, of.id, checkout::LEASE, "test").await.unwrap();
    assert_eq!(busy.unwrap_err(), runs::NotTaken::Running);
    drop(tx);
    sqlx::query(
        "update factory.codebase_connections set heartbeat_at = now() - interval '2 minutes'",
    )
    .execute(&bench.db.pool)
    .await
    .unwrap();
    checkout.write("a.rs", "fn new() {}\n");
    bench.index(&of, &checkout).await;
    let good = rows(&bench.db.pool, &of).await;
    checkout.write("a.rs", "fn old() {}\n");
    let tree = Tree::Folder(checkout.path().to_owned());
    let late =
        millrace_jobs::codebase::run::run(&bench.tools, &stale, tree, Order::default(), &|_| {})
            .await;
    assert!(late.unwrap_err().to_string().contains("another run"));
    assert_eq!(rows(&bench.db.pool, &of).await, good);
    let runs: Vec<(String, Option<String>)> =
        sqlx::query_as("select status, error from factory.job_runs order by created_at")
            .fetch_all(&bench.db.pool)
            .await
            .unwrap();
    assert_eq!(
        runs,
        [("failed".into(), Some("the process ended".into())), ("completed".into(), None)]
    );
}

#[tokio::test]
async fn limits_are_said_before_anything_is_read() {
    let (mut bench, checkout) = (Bench::new().await, Checkout::new());
    let of = checkout.connect(&bench.db.pool, "acme", "app").await;
    for n in 0..5 {
        checkout.write(&format!("f{n}.rs"), format!("fn f{n}() {{}}\n"));
    }
    let run = async |bench: &Bench| {
        let tree = Tree::Folder(checkout.path().to_owned());
        bench.run(&of, tree, Order::default()).await.unwrap_err().to_string()
    };
    bench.tools.limits.files_max = 4;
    assert_eq!(run(&bench).await, "5 files are more than codebase.files_max (4)");
    bench.tools.limits.files_max = 5;
    bench.tools.limits.bytes_max = 40;
    assert_eq!(run(&bench).await, "the files have more than codebase.bytes_max (40 bytes)");
    assert_eq!(bench.given(), 0);
}
