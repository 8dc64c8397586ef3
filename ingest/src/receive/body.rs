//! Reading a request's body: under its cap, in time, with its memory accounted.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use millrace_config::Http;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::refusal::Refusal;
use crate::registry::LiveSource;

/// Accounting unit of body memory.
const PERMIT_BYTES: usize = 1024;
/// Room that is made for what is only announced, bytes.
const ANNOUNCED_MAX: usize = 64 << 10;
/// Read and thrown away after a refusal. A server that closes while its client still writes resets the
/// connection, and the client never sees the answer (RFC 9112, section 9.6).
const DRAIN_BYTES_MAX: usize = 16 << 20;
const DRAIN_TIME_MAX: Duration = Duration::from_secs(2);

/// What all bodies share.
#[derive(Debug)]
pub(super) struct Bodies {
    bytes: Arc<Semaphore>,
    read_max: Duration,
}

/// A body in memory; its share of the memory is held as long as this lives.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Bytes,
    _permits: Vec<OwnedSemaphorePermit>,
}

impl Bodies {
    pub(super) fn new(http: &Http) -> Self {
        Self {
            bytes: Arc::new(Semaphore::new(http.in_flight_bytes_max / PERMIT_BYTES)),
            read_max: Duration::from_millis(http.body_read_ms),
        }
    }

    /// At most `cap` bytes.
    pub(super) async fn read<B>(
        &self,
        source: &LiveSource,
        headers: &HeaderMap,
        body: &mut B,
        cap: usize,
    ) -> Result<Held, Refusal>
    where
        B: http_body::Body<Data = Bytes> + Unpin + Send,
    {
        if headers.get(header::CONTENT_ENCODING).is_some_and(|e| e.as_bytes() != b"identity") {
            return Err(Refusal::new(415, "content_encoding", "send the body uncompressed"));
        }
        if body.size_hint().lower() > u64::try_from(cap).unwrap_or(u64::MAX) {
            return Err(too_large());
        }
        match tokio::time::timeout(self.read_max, self.collect(source, body, cap)).await {
            Ok(read) => read,
            Err(_) => Err(Refusal::new(408, "body_timeout", "the body took too long")),
        }
    }

    async fn collect<B>(
        &self,
        source: &LiveSource,
        body: &mut B,
        cap: usize,
    ) -> Result<Held, Refusal>
    where
        B: http_body::Body<Data = Bytes> + Unpin + Send,
    {
        let (mut permits, mut paid) = (Vec::new(), 0);
        let exact = body.size_hint().exact().and_then(|n| usize::try_from(n).ok());
        let mut bytes = BytesMut::with_capacity(exact.unwrap_or(0).min(cap).min(ANNOUNCED_MAX));
        while let Some(frame) = body.frame().await {
            let frame =
                frame.map_err(|_| Refusal::new(400, "truncated", "the body ended early"))?;
            let Ok(chunk) = frame.into_data() else { continue };
            if bytes.len() + chunk.len() > cap {
                return Err(too_large());
            }
            let needed = (bytes.len() + chunk.len()).div_ceil(PERMIT_BYTES);
            if needed > paid {
                let units = u32::try_from(needed - paid).unwrap_or(u32::MAX);
                let permit = self.bytes.clone().try_acquire_many_owned(units);
                let busy = |_| Refusal::retry(source, "overloaded", "busy, send again");
                permits.push(permit.map_err(busy)?);
                paid = needed;
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Held { bytes: bytes.freeze(), _permits: permits })
    }
}

/// Let a refused sender finish writing, within bounds. One that waits for a `100 Continue` has written nothing.
pub(super) async fn drain<B>(headers: &HeaderMap, mut body: B)
where
    B: http_body::Body<Data = Bytes> + Unpin + Send,
{
    if headers.contains_key(header::EXPECT) {
        return;
    }
    let all = async {
        let mut drained = 0;
        while let Some(Ok(frame)) = body.frame().await {
            drained += frame.data_ref().map_or(0, Bytes::len);
            if drained > DRAIN_BYTES_MAX {
                return;
            }
        }
    };
    // Out of time: the sender gets its answer or a reset, as its own writing decides.
    tokio::time::timeout(DRAIN_TIME_MAX, all).await.ok();
}

const fn too_large() -> Refusal {
    Refusal::new(413, "too_large", "body is larger than this source takes")
}
