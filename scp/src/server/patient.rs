//! How long a client of HTTP/1.1 may keep what it asked for waiting, and be kept waiting: hyper waits for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::body::{Body, BodyError};

/// A connection that breaks where nothing can be written to it for too long.
#[derive(Debug)]
pub(super) struct Wire<W> {
    wire: W,
    wait: Wait,
}

/// Content that breaks off where nothing of it comes for too long.
#[derive(Debug)]
pub(super) struct Content {
    body: Body,
    wait: Wait,
}

/// A wait that has an end, unless something moves.
#[derive(Debug)]
struct Wait {
    patience: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Wait {
    const fn new(patience: Duration) -> Self {
        Self { patience, timer: None }
    }

    /// What came, or what waiting too long for it comes to.
    fn judge<T>(&mut self, came: Poll<T>, context: &mut Context<'_>, over: impl FnOnce(Duration) -> T) -> Poll<T> {
        if came.is_ready() {
            self.timer = None;
            return came;
        }
        let patience = self.patience;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(patience)));
        timer.as_mut().poll(context).map(|()| over(patience))
    }
}

impl<W> Wire<W> {
    pub(super) const fn new(wire: W, patience: Duration) -> Self {
        Self { wire, wait: Wait::new(patience) }
    }
}

fn stuck<T>(patience: Duration) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::TimedOut, format!("nothing could be sent for {patience:?}")))
}

impl<W: AsyncRead + Unpin> AsyncRead for Wire<W> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_read(context, into)
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Wire<W> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let came = Pin::new(&mut self.wire).poll_write(context, data);
        self.wait.judge(came, context, stuck)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let came = Pin::new(&mut self.wire).poll_write_vectored(context, data);
        self.wait.judge(came, context, stuck)
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let came = Pin::new(&mut self.wire).poll_flush(context);
        self.wait.judge(came, context, stuck)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let came = Pin::new(&mut self.wire).poll_shutdown(context);
        self.wait.judge(came, context, stuck)
    }
}

impl Content {
    pub(super) const fn new(body: Body, patience: Duration) -> Self {
        Self { body, wait: Wait::new(patience) }
    }
}

impl http_body::Body for Content {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let came = Pin::new(&mut self.body).poll_frame(context);
        self.wait.judge(came, context, |patience| Some(Err(BodyError::Stalled(patience))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
