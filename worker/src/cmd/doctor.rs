//! `millrace doctor`

use std::process::ExitCode;

use millrace_config::Settings;
use serde_json::json;

use crate::{
    doctor::{self, Level},
    out::Out,
};

/// Examine, report; the exit code is 1 if anything fails.
///
/// # Errors
/// If the report cannot be printed.
pub async fn run(settings: &Settings, out: Out) -> anyhow::Result<ExitCode> {
    let findings = doctor::examine(settings).await;
    let worst = findings.iter().map(|f| f.level).max().unwrap_or(Level::Ok);
    out.answer(&json!({ "level": worst, "checks": findings }), || {
        for f in &findings {
            let mark = match f.level {
                Level::Ok => "ok  ",
                Level::Warn => "warn",
                Level::Fail => "FAIL",
            };
            out.say(format!("{mark}  {:<13} {}", f.check, f.found));
            if let Some(advice) = &f.advice {
                out.say(format!("      {:<13} -> {advice}", ""));
            }
        }
    })?;
    Ok(if worst == Level::Fail { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
