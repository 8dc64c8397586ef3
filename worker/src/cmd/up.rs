//! `millrace up`: everything in one process, on an embedded Postgres unless one is configured.

use std::{net::SocketAddr, path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use millrace_config::{Clock, ExposeSecret, Settings};
use millrace_ingest::secrets::{KeyRing, file};
use millrace_jobs::store::{migrate, projects};
use serde_json::json;
use sqlx::PgPool;

use crate::{
    app,
    cmd::run::ALL,
    db,
    demo::{self, Data, Report, Setup},
    embedded::Embedded,
    out::Out,
    telemetry,
};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Deliver the shipped demo data and show what became of it
    #[arg(long)]
    demo: bool,
    /// Stop when the demo is done (without --demo: when everything has started)
    #[arg(long)]
    exit: bool,
    /// Where to listen instead of http.listen
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

/// Start, and run until asked to stop.
///
/// # Errors
/// If a part cannot start; the message says what to do.
pub async fn run(settings: &Settings, args: Args, out: Out) -> Result<ExitCode> {
    let mut settings = settings.clone();
    let _traces = telemetry::init(&settings.telemetry)?;
    telemetry::quote_no_panics();
    if let Some(listen) = args.listen {
        settings.http.listen = listen;
    }
    let mut embedded = None;
    if settings.database.url.expose_secret().is_empty() {
        let started = Embedded::start(&settings.home).await?;
        if let Some(note) = &started.note {
            out.warn(note);
        }
        settings.database.url = started.url().to_owned().into();
        // No balancer watches it.
        settings.http.notice_ms = 0;
        embedded = Some(started);
    }
    let outcome = served(&Arc::new(settings), &args, embedded.as_mut(), out).await;
    if let Some(embedded) = embedded {
        embedded.stop().await?;
    }
    outcome
}

/// Everything between the start and the stop of the database.
async fn served(
    settings: &Arc<Settings>,
    args: &Args,
    embedded: Option<&mut Embedded>,
    out: Out,
) -> Result<ExitCode> {
    let pool = db::connect(settings).await?;
    migrate::run(&pool).await?;
    if settings.secrets.keys.expose_secret().is_empty() {
        std::fs::create_dir_all(&settings.home)?;
        file::init(&settings.secrets.key_file).context("key file")?;
    }
    let ring = KeyRing::load(&settings.secrets).context("key ring")?;
    let running = app::start(settings.clone(), ALL, telemetry::init_metrics()?).await?;
    let address = running.address.context("the receiver does not listen")?;
    let outcome = async {
        let url = settings.http.base_url(address);
        let setup = Setup::ensure(&settings.home, &pool, &ring, url).await?;
        attend(&pool, &setup, settings, args, embedded, out).await
    }
    .await;
    let stopped = running.stop().await;
    pool.close().await;
    let code = outcome?;
    stopped?;
    Ok(code)
}

/// What people see and do while everything runs.
async fn attend(
    pool: &PgPool,
    setup: &Setup,
    settings: &Settings,
    args: &Args,
    embedded: Option<&mut Embedded>,
    out: Out,
) -> Result<ExitCode> {
    if !args.demo {
        out.answer(&started(setup), || invite(setup, &settings.home, out))?;
    } else {
        if !out.json {
            invite(setup, &settings.home, out);
        }
        let clock = Clock::system();
        let report = tokio::select! {
            report = deliver(pool, setup, &clock) => report?,
            asked = app::asked_to_stop() => return asked.map(|()| ExitCode::FAILURE),
        };
        let mut answer = started(setup);
        if let (Some(all), serde_json::Value::Object(result)) =
            (answer.as_object_mut(), serde_json::to_value(&report)?)
        {
            all.extend(result);
        }
        out.answer(&answer, || report.show(out))?;
        if args.exit {
            return Ok(if report.accounted_for() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
    if args.exit {
        return Ok(ExitCode::SUCCESS);
    }
    match embedded {
        None => app::asked_to_stop().await?,
        Some(embedded) => tokio::select! {
            asked = app::asked_to_stop() => asked?,
            status = embedded.ended() => anyhow::bail!("the embedded Postgres ended with {}", status?),
        },
    }
    Ok(ExitCode::SUCCESS)
}

/// The demo's projects, then its deliveries.
async fn deliver(pool: &PgPool, setup: &Setup, clock: &Clock) -> Result<Report> {
    let mut connection = pool.acquire().await?;
    let there = projects::list(&mut connection, &setup.workspace).await?;
    for project in Data::shipped()?.project {
        if there.iter().all(|known| known.name != project.name) {
            let about = Some(project.description.as_str());
            projects::create(&mut connection, &setup.workspace, &project.name, about).await?;
        }
    }
    drop(connection);
    demo::feed(pool, setup, clock).await
}

fn started(setup: &Setup) -> serde_json::Value {
    let sources: Vec<_> =
        setup.sources.iter().map(|s| json!({ "source": s.name, "url": setup.hook(s) })).collect();
    json!({
        "listen": setup.url, "workspace": setup.workspace, "api_key": setup.api_key, "hooks": sources,
    })
}

fn invite(setup: &Setup, home: &Path, out: Out) {
    let program = std::env::args().next().unwrap_or_else(|| "millrace".into());
    out.say(format!("Millrace listens on {}", setup.url));
    out.say(format!("workspace  {}\nAPI key    {}\n", setup.workspace, setup.api_key));
    out.say("Deliver something:");
    if let Some(source) = setup.source("curl") {
        out.say(format!(
            "  curl -sS {} -H 'X-API-Key: {}' -H 'Content-Type: application/json' \
             -d '{{\"verbatim\": \"The job sheet does not open without a signal.\"}}'",
            setup.hook(source),
            source.secret
        ));
    }
    out.say(format!(
        "  {program} --home '{}' send --source slack --text 'Our van crosses the river four times a day.'\n",
        home.display()
    ));
}
