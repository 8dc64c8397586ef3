//! The composition root: command line, HTTP server, runtime, scheduler, embedded Postgres.

pub mod api;
pub mod app;
pub mod cli;
pub mod cmd;
pub mod db;
pub mod demo;
pub mod doctor;
pub mod embedded;
pub mod http;
pub mod out;
mod private;
pub mod ready;
pub mod schedule;
pub mod telemetry;

use millrace_ingest::{
    normalize::Normalize,
    poll::{
        account::Accounts,
        jobs::{Page, Tick},
        look::Look,
        recheck::{Check, Recheck},
    },
};
use millrace_jobs::{
    codebase::jobs::{Index, Reconcile},
    jobs,
    learning::{experiments::watch::Watch, night::Learn},
    maintenance::Partitions,
    queue::Spec,
    signals::{enrich::Enrich, process::Process, profile::Profile},
    social::{
        judge::Decide,
        opinion::Ask,
        outcomes::jobs::{Backlash, Champions, Kpis, Sweep},
        oversight::overdue::Overdue,
        retention::Retain,
    },
};

/// Every kind of job. Adding one: its file and its line here.
pub const JOBS: &[Spec] = jobs![
    Normalize, Tick, Page, Recheck, Check, Look, Process, Profile, Enrich, Decide, Ask, Overdue,
    Index, Reconcile, Partitions, Sweep, Kpis, Backlash, Champions, Learn, Watch, Retain, Accounts,
];
