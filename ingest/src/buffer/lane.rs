//! One lane of the stream, read in order.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use async_nats::jetstream::{
    self,
    consumer::{AckPolicy, pull},
    stream::{ConsumerErrorKind, Stream},
};
use futures_util::Stream as _;

use super::{Buffer, BufferError, server};

/// A message whose bridge is silent this long is handed out again. The next holder of the lane does not wait
/// for it; this is for an acknowledgement that was lost on the way.
const ACK_WAIT: Duration = Duration::from_secs(60);
const MESSAGES_MAX: usize = 256;
const UNSETTLED_MAX: i64 = 4096;
/// A pull waits this long for messages; its heart beats meanwhile.
const PULL: Duration = Duration::from_secs(15);
const HEARTBEAT: Duration = Duration::from_secs(5);

/// A lane that this bridge holds.
pub(super) struct Lane {
    pub(super) number: u16,
    messages: pull::Stream,
    next: u64,
}

impl Lane {
    /// Read from the first message that nobody has settled. The consumer is made anew, for what the last
    /// holder was given and did not settle would else come after what follows it.
    pub(super) async fn open(
        buffer: &Buffer,
        stream: &Stream,
        number: u16,
    ) -> Result<Self, BufferError> {
        let name = format!("lane-{number}");
        match stream.delete_consumer(&name).await {
            Err(e) if !missing(&e) => return Err(server(e)),
            _ => {}
        }
        let config = pull::Config {
            durable_name: Some(name),
            filter_subject: buffer.subject(number),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: UNSETTLED_MAX,
            ..pull::Config::default()
        };
        let consumer = stream.create_consumer(config).await.map_err(server)?;
        // Any one message fits; all lanes together hold no more than a few of the largest.
        let bytes_max = 2 * buffer.client.max_payload();
        let messages = consumer
            .stream()
            .max_messages_per_batch(MESSAGES_MAX)
            .max_bytes_per_batch(bytes_max)
            .expires(PULL)
            .heartbeat(HEARTBEAT)
            .messages()
            .await
            .map_err(server)?;
        Ok(Self { number, messages, next: 1 })
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<jetstream::Message, BufferError>> {
        let failed = |what: &str| Err(BufferError::Server(format!("lane {}: {what}", self.number)));
        let message = match ready!(Pin::new(&mut self.messages).poll_next(cx)) {
            Some(Ok(message)) => message,
            Some(Err(e)) => return Poll::Ready(failed(&e.to_string())),
            None => return Poll::Ready(failed("it ended")),
        };
        let Ok(info) = message.info() else { return Poll::Ready(failed("no message of a stream")) };
        let (sequence, delivered) = (info.consumer_sequence, info.delivered);
        if sequence != self.next {
            return Poll::Ready(failed("a message was lost on the way; reading again"));
        }
        self.next += 1;
        if delivered > 1 {
            metrics::counter!("millrace_bridge_redeliveries_total").increment(1);
        }
        Poll::Ready(Ok(message))
    }
}

fn missing(e: &async_nats::jetstream::stream::ConsumerError) -> bool {
    matches!(e.kind(), ConsumerErrorKind::JetStream(e) if e.error_code() == jetstream::ErrorCode::CONSUMER_NOT_FOUND)
}

/// The next message of any of the lanes, each in its turn; waits for ever if there are none.
pub(super) async fn next(
    lanes: &mut [Lane],
    turn: &mut usize,
) -> Result<jetstream::Message, BufferError> {
    std::future::poll_fn(|cx| {
        let from = *turn;
        for step in 1..=lanes.len() {
            let at = (from + step) % lanes.len();
            if let Some(lane) = lanes.get_mut(at)
                && let Poll::Ready(message) = lane.poll(cx)
            {
                *turn = at;
                return Poll::Ready(message);
            }
        }
        Poll::Pending
    })
    .await
}
