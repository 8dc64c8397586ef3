//! The GitHub App: a signed assertion is exchanged for a token of an installation, which is kept for a while.

use std::{
    process::Command,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use millrace_config::{Clock, ExposeSecret};
use millrace_jobs::codebase::access;
use millrace_tests::{
    fake::{self, Reply},
    rig::settings,
};
use serde_json::Value;
use tempfile::TempDir;
use url::Url;

fn openssl(arguments: &[&str]) -> bool {
    Command::new("openssl").args(arguments).output().is_ok_and(|done| done.status.success())
}

/// Answers every request with a token; what was asked, in order.
async fn api() -> (String, Arc<Mutex<Vec<String>>>) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = asked.clone();
    let url = fake::start(move |request| {
        seen.lock().unwrap().push(request.head);
        let body = r#"{"token":"ghs_installed","expires_at":"2030-01-01T00:00:00Z"}"#;
        std::future::ready(Reply::new("201 Created", body))
    });
    (url.await, asked)
}

#[tokio::test]
async fn an_installation_gives_a_token_to_who_can_sign() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    if !openssl(&["genrsa", "-traditional", "-out", &path("key.pem"), "2048"]) {
        println!("SKIPPED: no openssl to make a key with");
        return;
    }
    assert!(openssl(&["rsa", "-in", &path("key.pem"), "-pubout", "-out", &path("public.pem")]));
    drop(rustls::crypto::ring::default_provider().install_default());
    let (url, asked) = api().await;
    let mut of = settings().codebase;
    (of.app_id, of.app_key_file, of.api_url) =
        ("12345".into(), path("key.pem").into(), url.clone());
    let repository = Url::parse(&url).unwrap().join("acme/app").unwrap();
    let now = Clock::system().now();
    for _ in 0..2 {
        let token = access::token(&of, &repository, 7, now).await.unwrap().unwrap();
        assert_eq!(token.expose_secret(), "ghs_installed");
    }
    let elsewhere = Url::parse("https://evil.test/acme/app").unwrap();
    assert!(access::token(&of, &elsewhere, 7, now).await.unwrap().is_none());
    let asked = asked.lock().unwrap();
    let [request] = asked.as_slice() else { panic!("asked {} times", asked.len()) };
    assert!(
        request.starts_with("POST /app/installations/7/access_tokens HTTP/1.1\r\n"),
        "{request}"
    );
    let line = request.lines().find_map(|l| l.strip_prefix("authorization: Bearer ")).unwrap();
    let (signed, signature) = line.rsplit_once('.').unwrap();
    let (_, claims) = signed.split_once('.').unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["iss"], "12345");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
    assert_eq!(claims["iat"].as_i64().unwrap(), now.timestamp() - 60);
    std::fs::write(path("signed"), signed).unwrap();
    std::fs::write(path("signature"), URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let good = [
        "dgst",
        "-sha256",
        "-verify",
        &path("public.pem"),
        "-signature",
        &path("signature"),
        &path("signed"),
    ];
    assert!(openssl(&good), "the signature is not the key's");
}
