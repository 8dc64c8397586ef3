//! apalis' side of the queue: a buffer of claimed calls that a worker polls. The database is talked to elsewhere, so
//! polling never fails: apalis takes a poll error for the end of the stream.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral},
    task::Task,
    worker::context::WorkerContext,
};
use futures_util::task::AtomicWaker;
use tower::layer::util::Identity;

use super::{held::Call, wake::lock};

/// Claimed calls that have not started. Bounded by its only producer, the claimer.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    calls: Mutex<VecDeque<Call>>,
    waker: AtomicWaker,
}

impl Buffer {
    pub(crate) fn push(&self, calls: Vec<Call>) {
        lock(&self.calls).extend(calls);
        self.waker.wake();
    }

    /// Everything that has not started.
    pub(crate) fn empty(&self) -> Vec<Call> {
        lock(&self.calls).drain(..).collect()
    }
}

/// The calls of one kind, as an apalis backend.
#[derive(Debug)]
pub(crate) struct KindBackend(pub(crate) Arc<Buffer>);

impl Backend for KindBackend {
    type Task = Task<Call>;
    type Error = Infallible;

    fn poll_ready(
        &mut self,
        _: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Option<Result<Self::Task, Self::Error>>> {
        // Registered before looking, so that a push in between wakes.
        self.0.waker.register(cx.waker());
        match lock(&self.0.calls).pop_front() {
            Some(call) => Poll::Ready(Some(Ok(Task::new(call)))),
            None => Poll::Pending,
        }
    }

    fn poll_close(
        &mut self,
        _: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for KindBackend {
    type Args = Call;
    type Id = i64;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &Self::Config {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Self::Layer {
        Identity::new()
    }
}
