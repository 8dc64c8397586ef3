//! A TCP proxy before Postgres that can fail in the ways networks do.
//!
//! It knows as much of the protocol as it takes to lose an answer after its transaction has ended: every message of
//! the server after the start is a type byte and a length (PostgreSQL documentation, "Message Formats").

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sqlx::postgres::PgConnectOptions;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// What the network does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It works.
    None,
    /// Open connections are reset, new ones too.
    Reset,
    /// Nothing passes, nothing ends.
    BlackHole,
    /// Nothing passes on connections that are open now, nor ever will; new ones work.
    HalfOpen,
    /// Everything is late by this much.
    Delay(Duration),
    /// One in so many answers that end a transaction is lost with its connection, after the server has committed; in no
    /// rhythm, or a sender that repeats its steps would lose the same answer for ever.
    LoseAnswers(u64),
}

/// A running proxy; ends with its last handle.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// For the processes under test.
    pub url: String,
    fault: Arc<watch::Sender<Fault>>,
    target: Arc<watch::Sender<SocketAddr>>,
    answers: Arc<Answers>,
}

/// Of all connections together.
#[derive(Debug, Default)]
struct Answers {
    ended: AtomicU64,
    lost: AtomicU64,
}

impl Answers {
    /// Whether this answer, which ends a transaction, is one of the lost ones.
    fn loses(&self, one_in: Option<u64>) -> bool {
        let nth = self.ended.fetch_add(1, Ordering::Relaxed);
        // Fibonacci hashing (Knuth, TAOCP 3, 6.4): even over the numbers, without a period that a sender could have.
        let mixed = nth.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let lost = one_in.is_some_and(|one_in| mixed.is_multiple_of(one_in));
        self.lost.fetch_add(u64::from(lost), Ordering::Relaxed);
        lost
    }
}

impl Proxy {
    /// Before the database behind `url`.
    pub async fn before(url: &str) -> Self {
        let options: PgConnectOptions = url.parse().unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (fault, fault_seen) = watch::channel(Fault::None);
        let (target, target_seen) = watch::channel(local(options.get_port()));
        let answers = Arc::new(Answers::default());
        tokio::spawn(accept(listener, target_seen, fault_seen, answers.clone()));
        let (credentials, rest) = url.rsplit_once('@').unwrap();
        let database = rest.split_once('/').unwrap().1.split('?').next().unwrap();
        let url = format!("{credentials}@127.0.0.1:{port}/{database}?sslmode=disable");
        Self { url, fault: fault.into(), target: target.into(), answers }
    }

    /// From now on.
    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// New connections go to a server that was started again on another port.
    pub fn retarget(&self, url: &str) {
        let options: PgConnectOptions = url.parse().unwrap();
        self.target.send_replace(local(options.get_port()));
    }

    /// How many answers were lost on purpose.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.answers.lost.load(Ordering::Relaxed)
    }
}

fn local(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

async fn accept(
    listener: TcpListener,
    target: watch::Receiver<SocketAddr>,
    mut fault: watch::Receiver<Fault>,
    answers: Arc<Answers>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            changed = fault.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
        };
        let Ok((client, _)) = accepted else { continue };
        let (fault, to, answers) = (fault.clone(), *target.borrow(), answers.clone());
        tokio::spawn(async move {
            if *fault.borrow() == Fault::Reset {
                return reset(client);
            }
            if let Ok(server) = TcpStream::connect(to).await {
                carry(client, server, fault, answers).await;
            }
        });
    }
}

/// Closes so that the peer sees a reset, not an end.
fn reset(socket: TcpStream) {
    socket.set_zero_linger().ok();
}

/// Until one side ends, or the fault says so; then both are reset.
async fn carry(
    client: TcpStream,
    server: TcpStream,
    mut fault: watch::Receiver<Fault>,
    answers: Arc<Answers>,
) {
    for socket in [&client, &server] {
        socket.set_nodelay(true).ok();
        socket.set_zero_linger().ok();
    }
    let ((from_client, to_client), (from_server, to_server)) =
        (client.into_split(), server.into_split());
    let up = pump(from_client, to_server, fault.clone(), None);
    let down = pump(from_server, to_client, fault.clone(), Some(Frames::new(answers)));
    tokio::select! {
        () = up => {}
        () = down => {}
        _ = fault.wait_for(|f| *f == Fault::Reset) => {}
    }
}

/// When it comes to that.
async fn half_open(fault: &mut watch::Receiver<Fault>) {
    drop(fault.wait_for(|f| *f == Fault::HalfOpen).await);
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut fault: watch::Receiver<Fault>,
    mut frames: Option<Frames>,
) {
    let mut buffer = vec![0; 64 << 10];
    let young = *fault.borrow() == Fault::HalfOpen;
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            () = half_open(&mut fault), if !young => std::future::pending().await,
        };
        let Ok(read @ 1..) = read else { return };
        let chunk = &buffer[..read];
        // A closed channel is the end of the test.
        if fault.wait_for(|f| *f != Fault::BlackHole).await.is_err() {
            return;
        }
        let now = *fault.borrow();
        // From the moment it is set nothing more passes, even if the reset itself comes a little later.
        if now == Fault::Reset {
            return;
        }
        if let Fault::Delay(late) = now {
            tokio::time::sleep(late).await;
        }
        let one_in = if let Fault::LoseAnswers(one_in) = now { Some(one_in) } else { None };
        if frames.as_mut().is_some_and(|f| f.loses(chunk, one_in)) {
            return;
        }
        if to.write_all(chunk).await.is_err() {
            return;
        }
    }
}

/// Follows the server's messages through chunks of any size.
struct Frames {
    /// Of the message that is under way: its header so far, then how many bytes are left.
    header: Vec<u8>,
    left: usize,
    answers: Arc<Answers>,
}

impl Frames {
    fn new(answers: Arc<Answers>) -> Self {
        Self { header: Vec::new(), left: 0, answers }
    }

    /// Whether this chunk ends a transaction (`ReadyForQuery`, idle) whose turn it is to be lost.
    fn loses(&mut self, chunk: &[u8], one_in: Option<u64>) -> bool {
        let mut rest = chunk;
        while let Some((&byte, more)) = rest.split_first() {
            if self.header.len() < 5 {
                self.header.push(byte);
                rest = more;
                if let [_, a, b, c, d] = self.header[..] {
                    let length = u32::from_be_bytes([a, b, c, d]);
                    self.left = usize::try_from(length).unwrap() - 4;
                }
            } else {
                let idle = self.header[0] == b'Z' && byte == b'I';
                let take = self.left.min(rest.len());
                (self.left, rest) = (self.left - take, &rest[take..]);
                if idle && self.answers.loses(one_in) {
                    return true;
                }
            }
            if self.header.len() == 5 && self.left == 0 {
                self.header.clear();
            }
        }
        false
    }
}
