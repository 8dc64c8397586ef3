//! Settings, secrets and the clock: the only room that reads the environment.

mod clock;
mod layers;
pub mod point;
mod sections;
mod settings;

pub use clock::Clock;
pub use layers::{ConfigError, Problem};
pub use secrecy::{ExposeSecret, SecretString};
pub use sections::{
    Classify, Codebase, Database, Embed, Endpoint, Http, Ingest, Learning, Nats, Poll, Queue,
    Retention, Schedule, Secrets, Social, SocialRetention, Telemetry,
};
pub use settings::Settings;

/// The reference configuration, as shipped.
pub const DEFAULT_TOML: &str = include_str!("../default.toml");
