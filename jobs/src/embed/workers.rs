//! The model's own threads, fed by a bounded channel.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{mpsc, oneshot};

use super::EmbedError;

/// Calls waiting for a thread; a caller beyond that waits in `send`.
const WAITING_MAX: usize = 8;

type Reply = Result<Vec<Vec<f32>>, EmbedError>;

struct Call {
    texts: Vec<String>,
    reply: oneshot::Sender<Reply>,
}

/// What a thread owns: built on the thread, because a session is not shared.
pub(super) trait Session {
    /// One unit vector per text, in order.
    fn embed(&mut self, texts: &[String]) -> Reply;
}

/// Handle of the threads; they end when it is dropped.
#[derive(Debug)]
pub(super) struct Workers {
    calls: mpsc::Sender<Call>,
}

impl Workers {
    /// Starts `threads` threads and waits until each has built its session.
    pub(super) fn start<S: Session>(
        threads: usize,
        build: impl Fn() -> Result<S, EmbedError> + Send + Sync + 'static,
    ) -> Result<Self, EmbedError> {
        let (calls, queue) = mpsc::channel(WAITING_MAX);
        let queue = Arc::new(Mutex::new(queue));
        let build = Arc::new(build);
        let (ready, started) = std::sync::mpsc::sync_channel(threads.max(1));
        for n in 0..threads.max(1) {
            let (queue, build, ready) = (Arc::clone(&queue), Arc::clone(&build), ready.clone());
            std::thread::Builder::new()
                .name(format!("embed-{n}"))
                .spawn(move || match guarded(|| build(), EmbedError::Model) {
                    Err(e) => drop(ready.send(Err(e))),
                    Ok(session) => {
                        drop(ready.send(Ok(())));
                        serve(&queue, session);
                    }
                })
                .map_err(|e| EmbedError::Model(format!("no thread for the model: {e}")))?;
        }
        drop(ready);
        for _ in 0..threads.max(1) {
            started.recv().map_err(|_| EmbedError::Stopped)??;
        }
        Ok(Self { calls })
    }

    /// Hands the texts to the next free thread.
    pub(super) async fn embed(&self, texts: Vec<String>) -> Reply {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let (reply, answer) = oneshot::channel();
        self.calls.send(Call { texts, reply }).await.map_err(|_| EmbedError::Stopped)?;
        answer.await.map_err(|_| EmbedError::Stopped)?
    }
}

fn serve(queue: &Mutex<mpsc::Receiver<Call>>, mut session: impl Session) {
    loop {
        // The lock is held while waiting: the other threads then wait for the lock instead.
        let call = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(Call { texts, reply }) = call else { return };
        if !reply.is_closed() {
            let told = |_| EmbedError::Model("it panicked; the log says where".into());
            drop(reply.send(guarded(|| session.embed(&texts), told)));
        }
    }
}

/// A panic of the model's libraries becomes the error that `told` makes of its text. While the model is loaded the text says
/// what is missing; while it runs it may quote what it was given.
fn guarded<T>(
    work: impl FnOnce() -> Result<T, EmbedError>,
    told: impl FnOnce(String) -> EmbedError,
) -> Result<T, EmbedError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<String>().cloned();
        let text = text.or_else(|| cause.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        Err(told(text.unwrap_or_else(|| "it panicked".into())))
    })
}
