//! Why a request gets no 2xx, and the status that its platform expects for it.

use crate::{
    registry::{LiveSource, Lookup},
    source::{Reject, RejectKind},
};

/// A request that gets no 2xx.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// The counted reason.
    pub(super) code: &'static str,
    /// The `code` of the answer.
    pub(super) wire_code: &'static str,
    pub(super) message: &'static str,
    pub(super) retry_after_s: Option<u32>,
    pub(super) header: Option<(&'static str, &'static str)>,
}

impl Refusal {
    pub(super) const fn new(status: u16, code: &'static str, message: &'static str) -> Self {
        Self { status, code, wire_code: code, message, retry_after_s: None, header: None }
    }

    /// The status that makes this platform send again.
    pub(super) fn retry(source: &LiveSource, code: &'static str, message: &'static str) -> Self {
        let wire = source.wire();
        Self {
            retry_after_s: wire.retry_after.then_some(2),
            ..Self::new(wire.retry, code, message)
        }
    }

    /// Why a verifier or a source does not take it.
    pub(super) fn reject(source: &LiveSource, reject: &Reject) -> Self {
        let wire = source.wire();
        let refusal = match reject.kind() {
            RejectKind::Auth => Self::new(401, reject.code, reject.message),
            RejectKind::Forbidden => Self::new(403, reject.code, reject.message),
            // Our configuration is not ready: fail closed, and let the sender come again.
            RejectKind::Unready => Self::retry(source, reject.code, reject.message),
            RejectKind::Payload => Self::new(wire.refuse, reject.code, reject.message),
        };
        Self { wire_code: reject.wire_code(), header: wire.no_retry, ..refusal }
    }
}

/// Nobody is behind the address or the key.
pub(super) fn unknown(lookup: &Lookup) -> Refusal {
    match lookup {
        Lookup::Path(_) => Refusal::new(404, "unknown_source", "no such source"),
        Lookup::Key(_) => Refusal::new(401, "invalid_api_key", "Invalid API key"),
        Lookup::External(..) => {
            Refusal::new(401, "unknown_account", "Unknown or inactive integration")
        }
        Lookup::Workspace(..) => {
            Refusal::new(401, "unknown_workspace", "Invalid workspace or inactive key")
        }
    }
}
