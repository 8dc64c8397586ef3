//! A socket whose peer must take what is written to it.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep},
};

/// What is progress: one byte now and then is none.
const MOVED_BYTES_MIN: usize = 16 << 10;

/// Ends with an error when hardly anything of what is written is taken within a time: hyper bounds how long a head may take
/// to arrive, and `ingest` how long a body may, but a peer that asks and does not read would hold its connection for ever.
#[derive(Debug)]
pub(super) struct Stall {
    socket: TcpStream,
    patience: Duration,
    /// Counts from the first write that had to wait, or from the last progress.
    deadline: Pin<Box<Sleep>>,
    waiting: bool,
    /// Bytes taken since then.
    moved: usize,
}

impl Stall {
    pub(super) fn new(socket: TcpStream, patience: Duration) -> Self {
        let deadline = Box::pin(tokio::time::sleep(patience));
        Self { socket, patience, deadline, waiting: false, moved: 0 }
    }

    /// `written` of `asked` bytes were taken.
    fn judge(
        &mut self,
        cx: &mut Context<'_>,
        asked: usize,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let taken = if let Poll::Ready(Ok(taken)) = written { taken } else { 0 };
        if taken == asked {
            self.waiting = false;
            return written;
        }
        self.moved += taken;
        if !self.waiting || self.moved >= MOVED_BYTES_MIN {
            (self.waiting, self.moved) = (true, 0);
            self.deadline.as_mut().reset(Instant::now() + self.patience);
        }
        match self.deadline.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => written,
        }
    }
}

impl AsyncRead for Stall {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stall {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.judge(cx, buf.len(), written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, bufs);
        self.judge(cx, bufs.iter().map(|buf| buf.len()).sum(), written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::net::TcpListener;

    use super::*;

    /// Of many bytes so many were taken just before the time was over.
    async fn judged(taken: usize) -> Poll<io::Result<usize>> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut stall = Stall::new(socket, Duration::from_hours(1));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(stall.judge(&mut cx, 1 << 20, Poll::Pending).is_pending());
        stall.deadline.as_mut().reset(Instant::now());
        stall.deadline.as_mut().await;
        stall.judge(&mut cx, 1 << 20, Poll::Ready(Ok(taken)))
    }

    #[tokio::test]
    async fn who_reads_slowly_is_served_and_who_hardly_reads_is_not() {
        assert!(matches!(judged(MOVED_BYTES_MIN).await, Poll::Ready(Ok(MOVED_BYTES_MIN))));
        for hardly in [1, MOVED_BYTES_MIN - 1] {
            let judged = judged(hardly).await;
            assert!(matches!(&judged, Poll::Ready(Err(e)) if e.kind() == io::ErrorKind::TimedOut));
        }
    }
}
