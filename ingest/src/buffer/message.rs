//! An event as a message of the stream: the length of a JSON head (4 bytes, big endian), the head, the body.

use std::borrow::Cow;

use bytes::{BufMut, Bytes, BytesMut};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{events::NewEvent, receive::delivery_key};

/// Lanes of the stream. The events of one source are in one of them and keep their order; more bridges than
/// lanes are of no use. It is part of the stored format: messages of a lane that is no more would not be read.
pub(super) const LANES: u16 = 8;

/// A message that this release cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a message of this release")]
pub(super) struct Unreadable;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head<'a> {
    id: Uuid,
    #[serde(borrow)]
    workspace_id: Cow<'a, str>,
    #[serde(borrow)]
    source_id: Cow<'a, str>,
    #[serde(borrow)]
    delivery_key: Cow<'a, str>,
    #[serde(borrow)]
    event_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    headers: Cow<'a, str>,
    #[serde(borrow)]
    secret_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    trace_id: Cow<'a, str>,
    received_at: DateTime<Utc>,
}

/// The id of the event that a delivery is or will be: whoever asks, however often, gets the same one, long
/// before there is a row. UUIDv8 over (workspace, source, delivery key); it does not tell the time, `received_at` does.
pub fn event_id(event: &NewEvent) -> Uuid {
    let parts = [
        event.workspace_id.as_bytes().to_vec(),
        event.source_id.as_bytes().to_vec(),
        event.delivery_key.to_vec(),
    ];
    let mut half = [0; 16];
    half.iter_mut().zip(delivery_key(&parts)).for_each(|(to, byte)| *to = byte);
    uuid::Builder::from_custom_bytes(half).into_uuid()
}

/// The lane of a source.
pub(super) fn lane(source_id: &str) -> u16 {
    let [first, second, ..] = delivery_key(&[source_id.as_bytes().to_vec()]);
    u16::from_be_bytes([first, second]) % LANES
}

/// `None` only if the head does not become JSON, which it always does.
pub(super) fn encode(event: &NewEvent, received_at: DateTime<Utc>) -> Option<Bytes> {
    let head = Head {
        id: event.id,
        workspace_id: Cow::Borrowed(&event.workspace_id),
        source_id: Cow::Borrowed(&event.source_id),
        delivery_key: hex::encode(event.delivery_key).into(),
        event_type: event.event_type.as_deref().map(Into::into),
        headers: event.headers.as_str().into(),
        secret_id: event.secret_id.as_deref().map(Into::into),
        trace_id: event.trace_id.as_str().into(),
        received_at,
    };
    let head = serde_json::to_vec(&head).ok()?;
    let mut message = BytesMut::with_capacity(4 + head.len() + event.body.len());
    message.put_u32(u32::try_from(head.len()).ok()?);
    message.put_slice(&head);
    message.put_slice(&event.body);
    Some(message.freeze())
}

/// The event of a message; its body is not copied.
pub(super) fn decode(message: &Bytes) -> Result<NewEvent, Unreadable> {
    let (length, rest) = message.split_first_chunk::<4>().ok_or(Unreadable)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| Unreadable)?;
    let (head, body) = rest.split_at_checked(length).ok_or(Unreadable)?;
    let head: Head<'_> = serde_json::from_slice(head).map_err(|_| Unreadable)?;
    let key = hex::decode(&*head.delivery_key).map_err(|_| Unreadable)?;
    Ok(NewEvent {
        id: head.id,
        workspace_id: head.workspace_id.as_ref().into(),
        source_id: head.source_id.as_ref().into(),
        delivery_key: key.try_into().map_err(|_| Unreadable)?,
        event_type: head.event_type.map(Into::into),
        headers: head.headers.into(),
        body: message.slice_ref(body),
        secret_id: head.secret_id.map(|id| id.as_ref().into()),
        trace_id: head.trace_id.into(),
        received_at: Some(head.received_at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> NewEvent {
        NewEvent {
            id: Uuid::now_v7(),
            workspace_id: "acme".into(),
            source_id: "s1".into(),
            delivery_key: [7; 32],
            event_type: Some("a \"quoted\"\ntype".into()),
            headers: "{\"x\": \"\\u00e9\"}".into(),
            body: vec![0, 255, 10, 13].into(),
            secret_id: None,
            trace_id: "f".repeat(32),
            received_at: None,
        }
    }

    #[test]
    fn what_goes_in_comes_out() {
        let (sent, at) = (event(), DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap());
        let read = decode(&encode(&sent, at).unwrap()).unwrap();
        assert_eq!(
            (read.id, read.delivery_key, read.received_at),
            (sent.id, sent.delivery_key, Some(at))
        );
        assert_eq!(
            (read.event_type, read.headers, read.body),
            (sent.event_type, sent.headers, sent.body)
        );
        assert_eq!((&*read.workspace_id, &*read.source_id, read.secret_id), ("acme", "s1", None));
    }

    #[test]
    fn no_cut_message_is_read_as_another() {
        let whole = encode(&event(), DateTime::UNIX_EPOCH).unwrap();
        let head = whole.len() - event().body.len();
        for cut in 0..head {
            assert_eq!(decode(&whole.slice(..cut)).map(|e| e.id), Err(Unreadable), "{cut} bytes");
        }
    }

    #[test]
    fn the_id_is_the_deliverys_own() {
        let first = event_id(&event());
        assert_eq!(first, event_id(&event()));
        assert_eq!(first.get_version_num(), 8);
        let mut others = [event(), event(), event()];
        others[0].workspace_id = "acm".into();
        others[1].source_id = "es1".into();
        others[2].delivery_key = [8; 32];
        for other in &others {
            assert_ne!(first, event_id(other));
        }
    }
}
