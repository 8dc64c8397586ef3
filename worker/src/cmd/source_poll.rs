//! What a source that polls is given on the command line.

use millrace_ingest::poll::access::Credentials;
use serde_json::{Map, Value};

use crate::cli::Usage;

/// Queries and credentials of sources of kind `x`, `reddit`, `threads`.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Polling (x, reddit, threads)")]
pub(super) struct Polling {
    /// Word or phrase to look for; queries are built of all of them
    #[arg(long = "term", value_name = "TERM")]
    terms: Vec<String>,
    /// Query in the platform's own language
    #[arg(long = "query", value_name = "QUERY")]
    queries: Vec<String>,
    /// Approved subreddit; without terms and queries it is read whole
    #[arg(long = "subreddit", value_name = "NAME")]
    subreddits: Vec<String>,
    /// bearer (x); client_id, client_secret, refresh_token (reddit); access_token (threads). @FILE reads the value there
    #[arg(long = "credential", value_name = "NAME=VALUE")]
    credentials: Vec<String>,
}

impl Polling {
    /// Options of the source, with what was given besides.
    pub(super) fn options(&self, given: Option<Value>) -> Option<Value> {
        let lists =
            [("terms", &self.terms), ("queries", &self.queries), ("subreddits", &self.subreddits)];
        let mut options = match given {
            Some(Value::Object(options)) => options,
            _ if lists.iter().all(|(_, list)| list.is_empty()) => return None,
            _ => Map::new(),
        };
        for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            options.insert(name.to_owned(), list.clone().into());
        }
        Some(Value::Object(options))
    }

    /// What a source of this kind polls with, if it was given.
    pub(super) fn credentials(&self, kind: &str) -> anyhow::Result<Option<Credentials>> {
        if self.credentials.is_empty() {
            return Ok(None);
        }
        let mut named = Map::new();
        for pair in &self.credentials {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| Usage("--credential is NAME=VALUE or NAME=@FILE".into()))?;
            let value = match value.strip_prefix('@') {
                Some(path) => std::fs::read_to_string(path)
                    .map_err(|e| Usage(format!("--credential {name}: {path}: {e}")))?,
                None => value.to_owned(),
            };
            named.insert(name.to_owned(), value.trim().into());
        }
        let given = Credentials::given(kind, &Value::Object(named).to_string());
        Ok(Some(given.map_err(Usage)?))
    }
}
