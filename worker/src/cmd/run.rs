//! `serve`, `work`, `schedule`, `all`: the long-running roles.

use std::sync::Arc;

use millrace_config::Settings;

use crate::{
    app::{self, Roles},
    telemetry,
};

/// `millrace serve`
pub const SERVE: Roles = Roles { serve: true, work: false, schedule: false };
/// `millrace work`
pub const WORK: Roles = Roles { serve: false, work: true, schedule: false };
/// `millrace schedule`
pub const SCHEDULE: Roles = Roles { serve: false, work: false, schedule: true };
/// `millrace all`
pub const ALL: Roles = Roles { serve: true, work: true, schedule: true };

/// Run until asked to stop.
///
/// # Errors
/// If a role cannot start or the server failed.
pub async fn run(settings: Arc<Settings>, roles: Roles) -> anyhow::Result<()> {
    let _traces = telemetry::init(&settings.telemetry)?;
    telemetry::quote_no_panics();
    let metrics = telemetry::init_metrics()?;
    let asked = app::asked_to_stop();
    tokio::pin!(asked);
    let running = tokio::select! {
        started = app::start(settings, roles, metrics) => started?,
        // Nothing has begun.
        asked = &mut asked => return asked,
    };
    asked.await?;
    running.stop().await
}
