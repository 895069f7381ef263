//! Whether a client in the clear speaks HTTP/2 or HTTP/1.1: the first bytes say (RFC 9113 3.4).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// How every connection of HTTP/2 begins, and no other does.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// A connection that is read from its beginning again.
#[derive(Debug)]
pub(super) struct Rewound<W> {
    head: [u8; PREFACE.len()],
    from: usize,
    to: usize,
    wire: W,
}

impl<W> Rewound<W> {
    pub(super) const fn new(wire: W) -> Self {
        Self { head: [0; PREFACE.len()], from: 0, to: 0, wire }
    }
}

/// Reads until it is clear which it is.
pub(super) async fn look<W: AsyncRead + Unpin>(wire: W) -> io::Result<(Rewound<W>, bool)> {
    let mut rewound = Rewound::new(wire);
    loop {
        let (read, rest) = rewound.head.split_at_mut(rewound.to);
        if !PREFACE.starts_with(read) {
            return Ok((rewound, false));
        }
        if rest.is_empty() {
            return Ok((rewound, true));
        }
        match rewound.wire.read(rest).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => rewound.to += more,
        }
    }
}

impl<W: AsyncRead + Unpin> AsyncRead for Rewound<W> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Some(head) = this.head.get(this.from..this.to)
            && !head.is_empty()
        {
            let length = head.len().min(into.remaining());
            into.put_slice(head.get(..length).unwrap_or_default());
            this.from += length;
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut this.wire).poll_read(context, into)
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Rewound<W> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write(context, from)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write_vectored(context, from)
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_looked_at_is_read_again() {
        for (sent, http2) in
            [("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", true), ("PRINT / HTTP/1.1\r\n", false), ("G", false)]
        {
            let (mut rewound, found) = look(sent.as_bytes()).await.unwrap();
            assert_eq!(found, http2, "{sent}");
            let mut read = String::new();
            rewound.read_to_string(&mut read).await.unwrap();
            assert_eq!(read, sent);
        }
    }
}
