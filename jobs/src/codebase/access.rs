//! Tokens for private repositories: of their host, from the settings, or of an installation of the GitHub App.

use std::{collections::HashMap, sync::LazyLock, time::Duration};

use anyhow::{Context, ensure};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use millrace_config::{Codebase, ExposeSecret, SecretString};
use ring::{rand::SystemRandom, rsa::KeyPair, signature};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use serde::Deserialize;
use serde_json::json;
use tokio::{sync::Mutex, time::Instant};
use url::Url;

const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// Tokens of installations live for an hour (GitHub, "Generating an installation access token").
const KEPT: Duration = Duration::from_secs(50 * 60);

/// The token for a repository, if there is one.
///
/// # Errors
/// If the GitHub App cannot get one.
pub async fn token(
    settings: &Codebase,
    url: &Url,
    installation: i64,
    now: DateTime<Utc>,
) -> anyhow::Result<Option<SecretString>> {
    if installation > 0 && !settings.app_id.is_empty() {
        let api = Url::parse(&settings.api_url).context("codebase.api_url")?;
        // The token of one host is nobody else's business.
        if api.host_str().is_some_and(|host| {
            host.trim_start_matches("api.") == url.host_str().unwrap_or_default()
        }) {
            return of_installation(settings, installation, now).await.map(Some);
        }
    }
    Ok(of_host(&settings.tokens, url))
}

fn of_host(tokens: &SecretString, url: &Url) -> Option<SecretString> {
    let host = url.host_str()?;
    let pairs = tokens.expose_secret().split(',').filter_map(|pair| pair.trim().split_once('='));
    pairs
        .filter(|(of, _)| of.trim().eq_ignore_ascii_case(host))
        .map(|(_, token)| token.trim().into())
        .next()
}

type Known = HashMap<(String, i64), (SecretString, Instant)>;

async fn of_installation(
    settings: &Codebase,
    installation: i64,
    now: DateTime<Utc>,
) -> anyhow::Result<SecretString> {
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    let key = (settings.app_id.clone(), installation);
    let mut known = KNOWN.lock().await;
    if let Some((token, since)) = known.get(&key)
        && since.elapsed() < KEPT
    {
        return Ok(token.clone());
    }
    let token = ask(settings, installation, now).await?;
    known.insert(key, (token.clone(), Instant::now()));
    Ok(token)
}

async fn ask(
    settings: &Codebase,
    installation: i64,
    now: DateTime<Utc>,
) -> anyhow::Result<SecretString> {
    #[derive(Deserialize)]
    struct Answer {
        token: SecretString,
    }
    let base = settings.api_url.trim_end_matches('/');
    let client = reqwest::Client::builder()
        .timeout(ANSWER_WITHIN)
        .redirect(reqwest::redirect::Policy::none());
    let answer = client
        .build()
        .context("HTTP client")?
        .post(format!("{base}/app/installations/{installation}/access_tokens"))
        .bearer_auth(assertion(settings, now.timestamp())?)
        .header("accept", "application/vnd.github+json")
        .header("x-github-api-version", "2022-11-28")
        .header("user-agent", "millrace")
        .send()
        .await
        .context("asking for a token of the installation")?;
    let status = answer.status();
    ensure!(
        status.is_success(),
        "a token of installation {installation} was refused with {status}"
    );
    Ok(answer.json::<Answer>().await.context("the answer to a token of the installation")?.token)
}

/// Who we are: a JWT of the App (RFC 7519), signed with RS256, good for nine minutes from a minute ago, for clocks differ.
fn assertion(settings: &Codebase, now: i64) -> anyhow::Result<String> {
    let head = json!({ "alg": "RS256", "typ": "JWT" }).to_string();
    let claims = json!({ "iat": now - 60, "exp": now + 540, "iss": settings.app_id }).to_string();
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims));
    let path = &settings.app_key_file;
    let pem =
        std::fs::read(path).with_context(|| format!("codebase.app_key_file {}", path.display()))?;
    let key = PrivateKeyDer::from_pem_slice(&pem)
        .context("codebase.app_key_file: no private key in PEM")?;
    let key = if let PrivateKeyDer::Pkcs1(key) = &key {
        KeyPair::from_der(key.secret_pkcs1_der())
    } else {
        KeyPair::from_pkcs8(key.secret_der())
    };
    let key = key.map_err(|e| anyhow::anyhow!("codebase.app_key_file: {e}"))?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .map_err(|_| anyhow::anyhow!("codebase.app_key_file: cannot sign with it"))?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_for_its_host_alone() {
        let tokens = SecretString::from("github.com=a, git.example.com = b ");
        let token = |url: &str| {
            of_host(&tokens, &Url::parse(url).unwrap()).map(|t| t.expose_secret().to_owned())
        };
        assert_eq!(token("https://github.com/o/r"), Some("a".into()));
        assert_eq!(token("https://GIT.example.com/o/r"), Some("b".into()));
        assert_eq!(token("https://github.com.evil.test/o/r"), None);
        assert_eq!(token("https://evil.test/github.com"), None);
    }
}
