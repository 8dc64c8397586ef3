//! `millrace source`

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use millrace_config::{ExposeSecret, Settings};
use millrace_ingest::{
    registry::{
        admin::{self, Added, AdminError, Change, NewSource, SourceRow},
        credentials,
    },
    secrets::KeyRing,
    sources, verify,
};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{audit, source_poll::Polling};
use crate::{
    cli::{NotFound, Usage},
    db,
    out::Out,
};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a source; prints its URL and, once, its secret
    Add(AddArgs),
    /// List sources
    Ls {
        /// Only this workspace's
        #[arg(long)]
        workspace: Option<String>,
    },
    /// Show one source
    Show {
        /// Id, name or path id
        source: String,
    },
    /// Change its name, field map, options or limits; `events replay` then reads again what was held
    Set {
        /// Id, name or path id
        source: String,
        /// New name
        #[arg(long)]
        name: Option<String>,
        /// The whole field map, e.g. '{"verbatim":"/data/message"}'
        #[arg(long)]
        field_map: Option<String>,
        /// All options of the kind, as JSON
        #[arg(long)]
        options: Option<String>,
        /// Vendor account (Slack team, Pylon integration) it is bound to
        #[arg(long)]
        external_id: Option<String>,
        /// Largest body it takes
        #[arg(long)]
        body_bytes_max: Option<i64>,
        /// Deliveries per second it takes; more are told to come again
        #[arg(long)]
        rate_per_s: Option<i32>,
        #[command(flatten)]
        polling: Polling,
    },
    /// New secret; the old one stays valid for a while
    Rotate {
        /// Id, name or path id
        source: String,
        /// The vendor's new secret; one is made if absent
        #[arg(long)]
        secret: Option<String>,
        /// How long the old secret still verifies
        #[arg(long, default_value_t = 24)]
        grace_hours: i32,
    },
    /// Stop taking deliveries; senders are told to retry
    Pause {
        /// Id, name or path id
        source: String,
    },
    /// Take deliveries again
    Resume {
        /// Id, name or path id
        source: String,
    },
    /// End a source for good and erase its secrets; its events stay
    Rm {
        /// Id, name or path id
        source: String,
    },
    /// Kinds of sources
    Kinds,
    /// Signature schemes
    Schemes,
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    /// One of `millrace source kinds`
    kind: String,
    /// Workspace it delivers to
    #[arg(long)]
    workspace: String,
    /// Name, unique in the workspace; the kind if absent
    #[arg(long)]
    name: Option<String>,
    /// One of `millrace source schemes`, or custom
    #[arg(long)]
    scheme: Option<String>,
    /// JSON file with the record of a custom scheme
    #[arg(long)]
    scheme_file: Option<PathBuf>,
    /// The vendor's secret; one is made if absent
    #[arg(long)]
    secret: Option<String>,
    /// Vendor account (Slack team, Pylon integration) it is bound to
    #[arg(long)]
    external_id: Option<String>,
    /// Field map, e.g. '{"verbatim":"/data/message"}'
    #[arg(long)]
    field_map: Option<String>,
    /// Options of the kind, as JSON
    #[arg(long)]
    options: Option<String>,
    #[command(flatten)]
    polling: Polling,
}

/// Add, list, rotate, pause, resume, remove.
///
/// # Errors
/// If the database does not answer or what was asked for makes no sense.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<()> {
    if let Action::Kinds = args.action {
        return kinds(out);
    }
    if let Action::Schemes = args.action {
        return schemes(out);
    }
    let pool = db::connect(settings).await?;
    act(settings, &pool, args.action, out).await.map_err(|e| match e.downcast::<AdminError>() {
        Ok(e @ AdminError::NotFound(_)) => NotFound(e.to_string()).into(),
        Ok(e @ AdminError::Invalid(_)) => Usage(e.to_string()).into(),
        Ok(e) => e.into(),
        Err(e) => e,
    })
}

async fn act(settings: &Settings, pool: &PgPool, action: Action, out: Out) -> anyhow::Result<()> {
    let show = |row: &SourceRow| shown(settings, row);
    match action {
        Action::Add(args) => {
            let ring = KeyRing::load(&settings.secrets)?;
            let (secret, new) = (args.secret.clone(), new_source(args)?);
            let detail = json!({ "kind": new.kind });
            audit::note(pool, &new.workspace_id, "source.add", &new.name, detail).await?;
            let added = admin::add(pool, &ring, &new, secret.as_deref()).await?;
            secret_once(settings, &added, secret.as_deref(), out)
        }
        Action::Rotate { source, secret, grace_hours } => {
            let ring = KeyRing::load(&settings.secrets)?;
            let detail = json!({ "grace_hours": grace_hours });
            let row = noted(pool, &source, "source.rotate", detail).await?;
            let added = admin::rotate(pool, &ring, &row.id, secret.as_deref(), grace_hours).await?;
            secret_once(settings, &added, secret.as_deref(), out)
        }
        Action::Ls { workspace } => {
            let all = admin::list(pool, workspace.as_deref(), None).await?;
            let json: Vec<Value> = all.iter().map(show).collect();
            out.answer(&json, || table(&all, out))
        }
        Action::Show { source } => {
            let row = admin::get(pool, &source).await?;
            out.answer(&show(&row), || people(settings, &row, out))
        }
        Action::Set {
            source,
            name,
            field_map,
            options,
            external_id,
            body_bytes_max,
            rate_per_s,
            polling,
        } => {
            let (field_map, options) =
                (object(field_map, "--field-map")?, polling.options(object(options, "--options")?));
            let change =
                Change { name, field_map, options, external_id, body_bytes_max, rate_per_s };
            let row = noted(pool, &source, "source.set", json!({})).await?;
            if let Some(given) = polling.credentials(&row.kind)? {
                let ring = KeyRing::load(&settings.secrets)?;
                let of = (&*row.workspace_id, &*row.id);
                credentials::give(&mut *pool.acquire().await?, &ring, of, &given).await?;
            }
            state(settings, &admin::set(pool, &row.id, &change).await?, out)
        }
        Action::Pause { source } => {
            let row = noted(pool, &source, "source.pause", json!({})).await?;
            state(settings, &admin::set_paused(pool, &row.id, true).await?, out)
        }
        Action::Resume { source } => {
            let row = noted(pool, &source, "source.resume", json!({})).await?;
            state(settings, &admin::set_paused(pool, &row.id, false).await?, out)
        }
        Action::Rm { source } => {
            let row = noted(pool, &source, "source.remove", json!({})).await?;
            admin::uninstall(&mut *pool.acquire().await?, std::slice::from_ref(&row.id)).await?;
            state(settings, &admin::get(pool, &row.id).await?, out)
        }
        Action::Kinds | Action::Schemes => Ok(()),
    }
}

/// The source that something is about to be done to, with a line of it in the audit log.
async fn noted(
    pool: &PgPool,
    source: &str,
    action: &str,
    detail: Value,
) -> anyhow::Result<SourceRow> {
    let row = admin::get(pool, source).await?;
    audit::note(pool, &row.workspace_id, action, &row.id, detail).await?;
    Ok(row)
}

fn state(settings: &Settings, row: &SourceRow, out: Out) -> anyhow::Result<()> {
    out.answer(&shown(settings, row), || out.say(format!("{} is {}", row.name, row.state)))
}

fn object(text: Option<String>, what: &str) -> anyhow::Result<Option<Value>> {
    let Some(text) = text else { return Ok(None) };
    match serde_json::from_str(&text) {
        Ok(value @ Value::Object(_)) => Ok(Some(value)),
        Ok(_) => Err(Usage(format!("{what} must be a JSON object")).into()),
        Err(e) => Err(Usage(format!("{what} must be JSON: {e}")).into()),
    }
}

fn new_source(args: AddArgs) -> anyhow::Result<NewSource> {
    let spec = match &args.scheme_file {
        Some(path) => Some(
            std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?,
        ),
        None => None,
    };
    let credentials = args.polling.credentials(&args.kind)?;
    let custom = spec.is_some().then(|| "custom".to_owned());
    Ok(NewSource {
        workspace_id: args.workspace,
        name: args.name.unwrap_or_else(|| args.kind.clone()),
        kind: args.kind,
        scheme: args.scheme.or(custom),
        scheme_spec: object(spec, "the scheme file")?,
        field_map: object(args.field_map, "--field-map")?,
        external_id: args.external_id,
        options: args.polling.options(object(args.options, "--options")?),
        credentials,
    })
}

fn url(settings: &Settings, row: &SourceRow) -> String {
    format!("{}/hooks/{}", settings.http.base_url(settings.http.listen), row.path_id)
}

fn shown(settings: &Settings, row: &SourceRow) -> Value {
    let mut value = json!(row);
    if let Some(map) = value.as_object_mut() {
        map.insert("url".into(), url(settings, row).into());
    }
    value
}

fn secret_once(
    settings: &Settings,
    added: &Added,
    given: Option<&str>,
    out: Out,
) -> anyhow::Result<()> {
    let mut value = shown(settings, &added.source);
    let verify_token = verify_token(added, given);
    if let (Some(map), Some(token)) = (value.as_object_mut(), &verify_token) {
        map.insert("verify_token".into(), token.as_str().into());
    }
    if let (Some(map), Some(secret)) = (value.as_object_mut(), &added.secret) {
        map.insert("secret".into(), secret.expose_secret().into());
    }
    out.answer(&value, || {
        people(settings, &added.source, out);
        if let Some(secret) = &added.secret {
            out.say(format!("secret   {}   (not shown again)", secret.expose_secret()));
        }
        if let Some(token) = &verify_token {
            out.say(format!("verify   {token}   (the platform asks for it as verify token)"));
        }
    })
}

/// What Meta is to be told, which follows from the secret.
fn verify_token(added: &Added, given: Option<&str>) -> Option<String> {
    let secret = given.or(added.secret.as_ref().map(|made| made.expose_secret()))?;
    verify::verify_token(&verify::Secret::text(secret)).filter(|_| added.source.scheme == "meta")
}

fn people(settings: &Settings, row: &SourceRow, out: Out) {
    out.say(format!("source   {} {} ({}), {}", row.kind, row.name, row.id, row.state));
    out.say(format!("scheme   {}, {} secret(s) active", row.scheme, row.secrets));
    out.say(format!("deliver  POST {}", url(settings, row)));
}

fn table(all: &[SourceRow], out: Out) {
    let rows = all.iter().map(|s| {
        let used = s.last_used_at.map_or_else(|| "never".to_owned(), |at| at.to_rfc3339());
        [
            s.id.clone(),
            s.workspace_id.clone(),
            s.kind.clone(),
            s.name.clone(),
            s.scheme.clone(),
            s.state.clone(),
            s.secrets.to_string(),
            used,
        ]
    });
    out.table(
        ["source", "workspace", "kind", "name", "scheme", "state", "secrets", "last used"],
        rows,
    );
}

fn kinds(out: Out) -> anyhow::Result<()> {
    let json: Vec<Value> = sources::ALL
        .iter()
        .map(|s| json!({ "kind": s.name(), "about": s.about(), "scheme": s.default_scheme() }))
        .collect();
    out.answer(&json, || {
        let rows = sources::ALL
            .iter()
            .map(|s| [s.name(), s.default_scheme(), s.about()].map(str::to_owned));
        out.table(["kind", "default scheme", "about"], rows);
    })
}

fn schemes(out: Out) -> anyhow::Result<()> {
    out.answer(verify::schemes(), || {
        let rows = verify::schemes().iter().map(|(name, s)| [name.clone(), s.about.clone()]);
        out.table(["scheme", "about"], rows);
    })
}
