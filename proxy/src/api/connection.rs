//! A client's connection, bounded in number and in how long it may take to begin.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Sleep, sleep};
use tonic::transport::server::Connected;

/// How long a client may take to say what HTTP/2 begins with (RFC 9113 3.4); afterwards pings find the dead.
pub(super) const BEGIN: Duration = Duration::from_secs(10);

/// The length of HTTP/2's preface and of the header of the SETTINGS frame that follows it.
const BEGINNING: usize = 24 + 9;

/// What carries bytes.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

pub(super) struct Connection {
    io: Box<dyn Io>,
    /// How much of the beginning is missing, and until when it may; `None` once it is there.
    missing: Option<(usize, Pin<Box<Sleep>>)>,
    _slot: OwnedSemaphorePermit,
}

impl Connection {
    pub(super) fn new(io: impl Io + 'static, slot: OwnedSemaphorePermit) -> Self {
        Self { io: Box::new(io), missing: Some((BEGINNING, Box::pin(sleep(BEGIN)))), _slot: slot }
    }
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if let Some((_, late)) = &mut self.missing
            && late.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        ready!(Pin::new(&mut self.io).poll_read(context, buffer))?;
        let read = buffer.filled().len().saturating_sub(before);
        if let Some((missing, _)) = &mut self.missing {
            *missing = missing.saturating_sub(read);
            if *missing == 0 {
                self.missing = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
