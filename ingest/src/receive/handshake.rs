//! What is answered before anything is signed.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response, request::Parts};

use super::{Receiver, names, plain, refusal::Refusal};
use crate::{
    events::counts::Outcome,
    registry::{LiveSource, Lookup},
    source::{Accepted, Handshake},
};

impl Receiver {
    /// The answer to a platform that asks whose address this is. It may ask right after a new secret was given to it,
    /// and X takes no second answer: what is known is not good enough.
    pub(super) async fn handshake(
        &self,
        lookup: &Lookup,
        known: &Arc<LiveSource>,
        parts: &Parts,
    ) -> Result<Option<Response<Bytes>>, Refusal> {
        let Some(query) = parts.uri.query().filter(|_| parts.method == Method::GET) else {
            return Ok(None);
        };
        let renewed = self.registry.renew(lookup).await;
        let source = renewed.as_deref().and_then(<[_]>::first).unwrap_or(known);
        let asked = Handshake { query, secrets: &source.secrets };
        match source.kind.handshake(&asked) {
            Ok(Some(Accepted::Reply { content_type, body })) => {
                self.counts.add(names(source), Outcome::Replied, "");
                Ok(Some(plain(source.wire().ok, content_type, body.into())))
            }
            Ok(_) => Ok(None),
            Err(reject) => Err(Refusal::reject(source, &reject)),
        }
    }
}
