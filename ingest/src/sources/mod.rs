//! The sources. Adding one: its file, its two lines here, its folder in `tests/fixtures/`.

mod chunks;
mod email_parse;
mod email_text;
mod fields;
mod identity;
mod pdf;
mod pdf_guard;
mod slack_text;
mod social;
mod table;
mod transcript;
mod upload_file;

mod cloudevents;
mod email;
mod github;
mod inbox;
mod interview;
mod outcomes;
mod paste;
mod pylon;
mod reddit;
mod slack;
mod standard;
mod threads;
mod upload;
mod video;
mod webhook;
mod x;
mod x_account;
mod x_gone;

use crate::source::Source;

/// Every kind of source.
pub const ALL: &[&dyn Source] = &[
    &cloudevents::CloudEvents,
    &email::Email,
    &github::GitHub,
    &inbox::Inbox,
    &interview::Interview,
    &outcomes::Outcomes,
    &paste::Paste,
    &pylon::Pylon,
    &reddit::Reddit,
    &slack::Slack,
    &standard::Standard,
    &threads::Threads,
    &upload::Upload,
    &video::Video,
    &webhook::Webhook,
    &x::X,
];

/// A kind of source by its name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Source> {
    ALL.iter().copied().find(|source| source.name() == name)
}
