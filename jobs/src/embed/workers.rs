//! The model's own threads: they fill their batches from all the calls that wait, in turns.

use std::{
    collections::VecDeque,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Semaphore, oneshot};

use super::EmbedError;

/// Calls that wait for a thread; a caller beyond that waits before its texts are taken.
const WAITING_MAX: usize = 16;
/// Texts that a call gives before it is the next call's turn: a folder of code does not keep a message waiting.
const TURN: usize = 8;
/// Bytes of text that fill a batch: several hundred tokens, from which on more make no model faster.
const BATCH_BYTES: usize = 4_096;

type Reply = Result<Vec<Vec<f32>>, EmbedError>;

/// What a thread owns: built on the thread.
pub(super) trait Session {
    /// One unit vector per text, in order.
    fn embed(&mut self, texts: &[String]) -> Reply;
}

/// Handle of the threads; they end when it is dropped.
#[derive(Debug)]
pub(super) struct Workers {
    room: Semaphore,
    desk: Arc<Desk>,
}

/// Where calls and threads meet.
#[derive(Debug, Default)]
struct Desk {
    calls: Mutex<Calls>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Calls {
    /// Calls that have texts left to take; the next turn is the first one's.
    waiting: VecDeque<Arc<Call>>,
    closed: bool,
}

#[derive(Debug)]
struct Call {
    texts: Vec<String>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    taken: usize,
    vectors: Vec<Vec<f32>>,
    missing: usize,
    /// None once it was answered.
    reply: Option<oneshot::Sender<Reply>>,
}

/// Texts of a call, by their places.
type Turn = (Arc<Call>, Range<usize>);

impl Workers {
    /// Starts `threads` threads and waits until each has built its session.
    pub(super) fn start<S: Session>(
        threads: usize,
        build: impl Fn() -> Result<S, EmbedError> + Send + Sync + 'static,
    ) -> Result<Self, EmbedError> {
        let workers = Self { room: Semaphore::new(WAITING_MAX), desk: Arc::default() };
        let build = Arc::new(build);
        let (ready, started) = std::sync::mpsc::sync_channel(threads.max(1));
        for n in 0..threads.max(1) {
            let (desk, build, ready) = (workers.desk.clone(), Arc::clone(&build), ready.clone());
            std::thread::Builder::new()
                .name(format!("embed-{n}"))
                .spawn(move || match guarded(|| build(), EmbedError::Model) {
                    Err(e) => drop(ready.send(Err(e))),
                    Ok(session) => {
                        drop(ready.send(Ok(())));
                        serve(&desk, session);
                    }
                })
                .map_err(|e| EmbedError::Model(format!("no thread for the model: {e}")))?;
        }
        drop(ready);
        for _ in 0..threads.max(1) {
            started.recv().map_err(|_| EmbedError::Stopped)??;
        }
        Ok(workers)
    }

    /// Has the texts embedded, in batches with those of other callers. Dropping the future takes back what no thread
    /// has begun.
    pub(super) async fn embed(&self, texts: Vec<String>) -> Reply {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let _room = self.room.acquire().await.map_err(|_| EmbedError::Stopped)?;
        let (reply, answer) = oneshot::channel();
        let missing = texts.len();
        let state =
            State { taken: 0, vectors: vec![Vec::new(); missing], missing, reply: Some(reply) };
        let call = Arc::new(Call { texts, state: Mutex::new(state) });
        locked(&self.desk.calls).waiting.push_back(call);
        self.desk.changed.notify_one();
        answer.await.map_err(|_| EmbedError::Stopped)?
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        locked(&self.desk.calls).closed = true;
        self.desk.changed.notify_all();
    }
}

fn serve(desk: &Desk, mut session: impl Session) {
    while let Some(turns) = desk.next_batch() {
        let texts: Vec<String> =
            turns.iter().flat_map(|(call, part)| call.part(part)).cloned().collect();
        match guarded(|| session.embed(&texts), broken) {
            Ok(vectors) => {
                let mut vectors = vectors.into_iter();
                for (call, part) in &turns {
                    call.answer(part, Ok(vectors.by_ref().take(part.len()).collect()));
                }
            }
            // One call's text must not fail the others: each is tried for itself.
            Err(_) if turns.len() > 1 => {
                for (call, part) in &turns {
                    let texts: Vec<String> = call.part(part).cloned().collect();
                    call.answer(part, guarded(|| session.embed(&texts), broken));
                }
            }
            Err(e) => {
                if let Some((call, part)) = turns.first() {
                    call.answer(part, Err(e));
                }
            }
        }
    }
}

impl Desk {
    /// The next texts to embed, waiting for some; none when the handle is gone.
    fn next_batch(&self) -> Option<Vec<Turn>> {
        let mut calls = locked(&self.calls);
        loop {
            let (mut turns, mut bytes) = (Vec::new(), 0);
            while bytes < BATCH_BYTES
                && let Some(call) = calls.waiting.pop_front()
            {
                let Some((part, more)) = call.take(BATCH_BYTES - bytes) else { continue };
                bytes += call.part(&part).map(String::len).sum::<usize>();
                if more {
                    calls.waiting.push_back(call.clone());
                }
                turns.push((call, part));
            }
            if !calls.waiting.is_empty() {
                self.changed.notify_one();
            }
            if !turns.is_empty() {
                return Some(turns);
            }
            if calls.closed {
                return None;
            }
            calls = self.changed.wait(calls).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Call {
    fn part(&self, part: &Range<usize>) -> impl Iterator<Item = &String> {
        self.texts.iter().skip(part.start).take(part.len())
    }

    /// One turn's texts, at least one and then up to `bytes`, and whether there are more. None if nobody waits any more.
    fn take(&self, bytes: usize) -> Option<(Range<usize>, bool)> {
        let mut state = locked(&self.state);
        state.reply.as_ref().filter(|reply| !reply.is_closed())?;
        let (from, mut sum) = (state.taken, 0);
        let fits = |text: &&String| {
            sum += text.len();
            sum <= bytes
        };
        let some = self.texts.iter().skip(from).take(TURN).take_while(fits).count().max(1);
        state.taken = from + some;
        Some((from..state.taken, state.taken < self.texts.len()))
    }

    /// Puts the vectors in their places; answers the caller when none is missing, or at the first error.
    fn answer(&self, part: &Range<usize>, made: Reply) {
        let mut state = locked(&self.state);
        let made = match made {
            Ok(made) if made.len() == part.len() => made,
            Ok(_) => return state.say(Err(EmbedError::Model("fewer vectors than texts".into()))),
            Err(e) => return state.say(Err(e)),
        };
        state.missing -= made.len();
        for (place, vector) in state.vectors.iter_mut().skip(part.start).zip(made) {
            *place = vector;
        }
        if state.missing == 0 {
            let vectors = std::mem::take(&mut state.vectors);
            state.say(Ok(vectors));
        }
    }
}

impl State {
    fn say(&mut self, reply: Reply) {
        if let Some(waiting) = self.reply.take() {
            drop(waiting.send(reply));
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn broken(_: String) -> EmbedError {
    EmbedError::Model("it panicked; the log says where".into())
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

#[cfg(test)]
mod tests {
    use std::{
        sync::{Mutex, mpsc},
        task::Poll,
    };

    use futures_util::{FutureExt, future::join_all, poll};

    use super::*;

    /// Says what it was given, once it may; a text "bad" fails, a text "worse" panics. The vector is the text's length.
    struct Fake {
        given: mpsc::SyncSender<Vec<String>>,
        may: mpsc::Receiver<()>,
    }

    impl Session for Fake {
        fn embed(&mut self, texts: &[String]) -> Reply {
            drop(self.given.send(texts.to_vec()));
            self.may.recv().unwrap();
            assert!(!texts.iter().any(|t| t == "worse"), "as asked");
            if texts.iter().any(|t| t == "bad") {
                return Err(EmbedError::Model("bad".into()));
            }
            Ok(texts.iter().map(|t| length(t)).collect())
        }
    }

    fn workers() -> (Workers, mpsc::Receiver<Vec<String>>, mpsc::SyncSender<()>) {
        let ((given, seen), (go, may)) = (mpsc::sync_channel(64), mpsc::sync_channel(64));
        let fake = Mutex::new(Some(Fake { given, may }));
        let build = move || locked(&fake).take().ok_or(EmbedError::Stopped);
        (Workers::start(1, build).unwrap(), seen, go)
    }

    fn length(text: &str) -> Vec<f32> {
        vec![f32::from(u16::try_from(text.len()).unwrap())]
    }

    fn texts(name: &str, count: usize) -> Vec<String> {
        (0..count).map(|i| format!("{name}{i}")).collect()
    }

    #[tokio::test]
    async fn calls_take_turns_and_each_gets_its_own_vectors() {
        let (workers, seen, go) = workers();
        let mut first = Box::pin(workers.embed(vec!["x".into()]));
        assert!(poll!(&mut first).is_pending());
        assert_eq!(seen.recv().unwrap(), ["x"]);
        // While the thread is busy a long call and then a short one come.
        let long: Vec<String> =
            texts("long", 30).into_iter().map(|t| t + &"-".repeat(200)).collect();
        let (mut long_call, mut short_call) =
            (Box::pin(workers.embed(long.clone())), Box::pin(workers.embed(texts("s", 2))));
        assert!(poll!(&mut long_call).is_pending() && poll!(&mut short_call).is_pending());
        (0..9).for_each(|_| go.send(()).unwrap());
        let (first, made, short) = tokio::join!(first, long_call, short_call);
        assert_eq!(first.unwrap(), [[1.0]]);
        let next = seen.recv().unwrap();
        assert_eq!(next[..8], long[..8], "the long call's turn");
        assert_eq!(next[8..10], texts("s", 2), "then the short one's");
        assert_eq!(short.unwrap(), [[2.0], [2.0]]);
        let lengths: Vec<Vec<f32>> = long.iter().map(|t| length(t)).collect();
        assert_eq!(made.unwrap(), lengths);
    }

    #[tokio::test]
    async fn a_text_that_fails_fails_its_own_call_alone() {
        let (workers, _seen, go) = workers();
        (0..20).for_each(|_| go.send(()).unwrap());
        let calls =
            [texts("a", 3), vec!["bad".into()], texts("b", 2), vec!["ok".into(), "worse".into()]];
        let replies = join_all(calls.map(|call| workers.embed(call))).await;
        assert!(replies[0].is_ok() && replies[2].is_ok());
        assert!(matches!(&replies[1], Err(EmbedError::Model(e)) if e == "bad"), "{:?}", replies[1]);
        assert!(replies[3].is_err());
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_not_begun() {
        let (workers, seen, go) = workers();
        let mut busy = Box::pin(workers.embed(vec!["busy".into()]));
        assert!(poll!(&mut busy).is_pending());
        assert_eq!(seen.recv().unwrap(), ["busy"]);
        let mut gone = workers.embed(vec!["gone".into()]).boxed();
        assert!(matches!(poll!(&mut gone), Poll::Pending));
        drop(gone);
        go.send(()).unwrap();
        busy.await.unwrap();
        go.send(()).unwrap();
        workers.embed(vec!["next".into()]).await.unwrap();
        assert_eq!(seen.try_iter().collect::<Vec<_>>(), [["next"]]);
        drop(workers);
        assert!(seen.recv().is_err(), "the thread ended");
    }
}
