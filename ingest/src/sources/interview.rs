//! Interviews: who, when, and the transcript as text (also with times, VTT or SRT).

use millrace_jobs::record::Origin;
use serde_json::Value;

use super::identity::{self, common_reply, common_wire};
use super::paste::{check, read, spread_spoken};
use crate::limits;
use crate::source::{
    Accepted, Delivery, Hold, Normalized, Receipt, Reject, Source, SourceConfig, Stored, Wire,
};

/// See the module.
#[derive(Debug)]
pub(super) struct Interview;

const WORDS: &[&str] = &["transcript", "verbatim", "text"];

impl Source for Interview {
    fn name(&self) -> &'static str {
        "interview"
    }

    fn about(&self) -> &'static str {
        "Interviews: JSON {transcript, interviewee, interviewDate, ...} or plain text"
    }

    fn default_scheme(&self) -> &'static str {
        "api-key"
    }

    fn wire(&self, _: &SourceConfig) -> Wire {
        common_wire(limits::WEBHOOK_BODY_BYTES_MAX)
    }

    fn accept(&self, delivery: &Delivery<'_>, config: &SourceConfig) -> Result<Accepted, Reject> {
        check(delivery, config, WORDS)?;
        Ok(identity::event(identity::key(delivery, None), Some("interview")))
    }

    fn reply(&self, receipt: &Receipt) -> Value {
        common_reply(receipt, "Interview received, processing async")
    }

    fn normalize(&self, stored: &Stored<'_>, config: &SourceConfig) -> Result<Normalized, Hold> {
        let record = read(stored, config, Origin::Interview, WORDS)?;
        Ok(record.map_or(Normalized::Ignored("empty"), |r| Normalized::Records(spread_spoken(r))))
    }
}
