//! Layers, overrides and the report of all problems at once.

use std::path::Path;

use millrace_config::{ExposeSecret, Settings};

fn env(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>().into_iter()
}

#[test]
fn the_shipped_default_is_valid() {
    let settings = Settings::from_parts(Path::new("/h"), None, env(&[])).unwrap();
    assert_eq!(settings.embed.model_dir, Path::new("/h/models/all-MiniLM-L6-v2"));
    assert_eq!(settings.queue.lease_ms, 15_000);
}

#[test]
fn environment_outranks_file_outranks_default() {
    let dir = std::env::temp_dir().join(format!("millrace-config-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let file = dir.join("m.toml");
    std::fs::write(
        &file,
        "[http]\nlisten = \"0.0.0.0:1\"\nrequest_ms = 7000\n[classify]\nmargin_min = 0\n",
    )
    .unwrap();
    let vars =
        env(&[("MILLRACE__HTTP__LISTEN", "0.0.0.0:2"), ("DATABASE_URL", "postgres://u:pw@h/d")]);
    let settings = Settings::from_parts(Path::new("/h"), Some(&file), vars).unwrap();
    assert_eq!(settings.http.listen.port(), 2);
    assert_eq!(settings.http.request_ms, 7000);
    assert_eq!(settings.database.url.expose_secret(), "postgres://u:pw@h/d");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn all_problems_are_reported_at_once_and_no_secret_is_shown() {
    let vars = env(&[
        ("MILLRACE__HTTP__LISTN", "x"),
        ("MILLRACE__QUEUE__LEASE_MS", "soon"),
        ("MILLRACE__QUEUE__CRASHES_MAX", "0"),
        ("MILLRACE__CLASSIFY__PROJECT_ABOVE", "1.5"),
        ("DATABASE_URL", "mysql://user:hunter2@host/db"),
    ]);
    let error = Settings::from_parts(Path::new("/h"), None, vars).unwrap_err();
    let text = error.to_string();
    for part in [
        "did you mean http.listen?",
        "queue.lease_ms",
        "MILLRACE__QUEUE__CRASHES_MAX",
        "between 0 and 1",
        "postgres://",
    ] {
        assert!(text.contains(part), "{part} missing in: {text}");
    }
    assert_eq!(error.0.len(), 5);
    assert!(!text.contains("hunter2"));
}

#[test]
fn secrets_do_not_show_in_debug() {
    let vars = env(&[
        ("DATABASE_URL", "postgres://u:hunter2@h/d"),
        ("MILLRACE__SECRETS__KEYS", "k1:hunter3"),
    ]);
    let shown = format!("{:?}", Settings::from_parts(Path::new("/h"), None, vars).unwrap());
    assert!(!shown.contains("hunter"));
}

#[test]
fn connections_are_between_none_and_too_many() {
    let refused = |pairs: &[(&str, &str)]| {
        let done = Settings::from_parts(Path::new("/h"), None, env(pairs));
        done.map_or_else(|e| e.0.into_iter().map(|p| p.key).collect(), |_| Vec::new())
    };
    let all = refused(&[
        ("MILLRACE__DATABASE__INGEST_CONNECTIONS", "0"),
        ("MILLRACE__DATABASE__EDGE_CONNECTIONS", "0"),
        ("MILLRACE__DATABASE__API_CONNECTIONS", "100000"),
        ("MILLRACE__DATABASE__JOB_CONNECTIONS", "2"),
        ("MILLRACE__DATABASE__ACQUIRE_MS", "20000"),
        ("MILLRACE__DATABASE__STATEMENT_MS", "5"),
        ("MILLRACE__QUEUE__CRASHES_MAX", "0"),
    ]);
    assert_eq!(
        all,
        [
            "database.ingest_connections",
            "database.edge_connections",
            "database.api_connections",
            "database.job_connections",
            "database.acquire_ms",
            "database.statement_ms",
            "queue.crashes_max",
        ],
        "all at once, others too"
    );
    // Fewer than what a pool keeps open by default: it keeps fewer, then.
    assert!(
        refused(&[
            ("MILLRACE__DATABASE__INGEST_CONNECTIONS", "1"),
            ("MILLRACE__DATABASE__JOB_CONNECTIONS", "3"),
        ])
        .is_empty()
    );
}
