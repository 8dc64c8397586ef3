//! `millrace openapi`

use crate::{api, out::Out};

/// Print the OpenAPI document, as committed in `docs/openapi.json`.
///
/// # Errors
/// If it does not serialise.
pub fn run(out: Out) -> anyhow::Result<()> {
    let document = api::document();
    let pretty = serde_json::to_string_pretty(&document)?;
    out.answer(&document, || out.say(pretty))
}
