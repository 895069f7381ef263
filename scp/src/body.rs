//! Content of requests and responses, as it streams through.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;

use crate::pump::Pump;

/// The content of a request or response.
#[derive(Debug, Default)]
pub enum Body {
    /// None.
    #[default]
    Empty,
    /// All of it.
    Whole(Bytes),
    /// What comes on a stream of HTTP/2.
    Stream(Box<Stream>),
    /// What comes over HTTP/1.1.
    Http1(Box<Incoming>),
    /// What was kept of a stream for another attempt, and what is still to come of it.
    Kept(Box<crate::kept::Replay>),
}

/// Why content broke off.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The stream or its connection did.
    #[error(transparent)]
    Http2(#[from] h2::Error),
    /// The connection did.
    #[error(transparent)]
    Http1(#[from] hyper::Error),
    /// It is longer than is allowed.
    #[error("more than {0} octets")]
    TooLong(usize),
    /// Nothing of it came for too long.
    #[error("nothing came for {0:?}")]
    Stalled(std::time::Duration),
    /// Another attempt read it.
    #[error("another attempt has it")]
    Taken,
}

/// What comes on a stream of HTTP/2, its window being opened as it is read.
#[derive(Debug)]
pub struct Stream {
    receive: h2::RecvStream,
    data_ended: bool,
    /// Whether what was read last was the last.
    last: bool,
    /// What of the connection's window it has and is still to give back.
    owed: usize,
    ended: bool,
    /// What of the request is still to be sent while its response already comes.
    request: Option<Box<Pump>>,
    /// What counts the stream as one of its connection's until it ends.
    held: Option<crate::pools::Held>,
}

impl Body {
    /// What a stream brings; nothing where it has `ended` already.
    #[must_use]
    pub fn stream(receive: h2::RecvStream, ended: bool) -> Self {
        if ended { Self::Empty } else { Self::Stream(Box::new(Stream::new(receive, None, None))) }
    }

    /// What a response's stream brings, together with what is left of its request, and what it holds of its connection.
    pub(crate) fn response(
        receive: h2::RecvStream,
        request: Option<Box<Pump>>,
        held: Option<crate::pools::Held>,
    ) -> Self {
        // A response may end before its request has: nobody waits for the request's rest then (RFC 9113 8.1).
        if receive.is_end_stream() {
            return Self::Empty;
        }
        Self::Stream(Box::new(Stream::new(receive, request, held)))
    }

    /// Whether it is known that nothing more comes.
    #[must_use]
    pub fn is_end(&self) -> bool {
        http_body::Body::is_end_stream(self)
    }

    /// Gives back what it has of its connection's window, where what was read of it goes on later and others need the room.
    pub(crate) fn settle(&mut self) {
        if let Self::Stream(stream) = self {
            stream.settle();
        }
    }
}

impl Stream {
    const fn new(receive: h2::RecvStream, request: Option<Box<Pump>>, held: Option<crate::pools::Held>) -> Self {
        Self { receive, data_ended: false, last: false, owed: 0, ended: false, request, held }
    }

    fn end(&mut self) {
        self.ended = true;
        self.request = None;
        self.held = None;
    }

    fn settle(&mut self) {
        let owed = std::mem::take(&mut self.owed);
        if owed > 0 {
            let _ = self.receive.flow_control().release_capacity(owed);
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(request) = &mut self.request {
            // How the request's rest fares is no matter of the response.
            if Pin::new(&mut **request).poll(context).is_ready() {
                self.request = None;
            }
        }
        if self.ended {
            return Poll::Ready(None);
        }
        if !self.data_ended {
            match ready!(self.receive.poll_data(context)) {
                Some(Ok(data)) => {
                    (self.last, self.owed) = (self.receive.is_end_stream(), data.len());
                    // What the last of a response took of the connection's window is given back with the stream, as a rule at
                    // once. That of a request is there until it is answered.
                    if !self.last || self.held.is_none() {
                        self.settle();
                    }
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Some(Err(error)) => {
                    self.end();
                    // The other side needs no more of it (RFC 9113 8.1).
                    if error.reason() == Some(h2::Reason::NO_ERROR) {
                        return Poll::Ready(None);
                    }
                    return Poll::Ready(Some(Err(error.into())));
                }
                None => self.data_ended = true,
            }
        }
        let trailers: Option<Result<HeaderMap, _>> = ready!(self.receive.poll_trailers(context)).transpose();
        self.end();
        Poll::Ready(trailers.map(|it| it.map(Frame::trailers).map_err(Into::into)))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Whole(_) => {
                let Self::Whole(whole) = std::mem::take(&mut *self) else { return Poll::Ready(None) };
                Poll::Ready((!whole.is_empty()).then(|| Ok(Frame::data(whole))))
            }
            Self::Stream(stream) => stream.poll(context),
            Self::Http1(incoming) => Pin::new(&mut **incoming).poll_frame(context).map_err(Into::into),
            Self::Kept(replay) => replay.poll(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Whole(whole) => whole.is_empty(),
            Self::Stream(stream) => stream.ended || stream.last,
            Self::Http1(incoming) => incoming.is_end_stream(),
            Self::Kept(replay) => replay.is_end(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Whole(whole) => SizeHint::with_exact(whole.len() as u64),
            Self::Stream(_) | Self::Kept(_) => SizeHint::default(),
            Self::Http1(incoming) => incoming.size_hint(),
        }
    }
}

/// The whole of it.
///
/// # Errors
/// Where it breaks off, or is longer than `most` octets.
pub async fn collect(body: Body, most: usize) -> Result<Bytes, BodyError> {
    use http_body_util::BodyExt as _;
    let mut body = body;
    let mut first = Bytes::new();
    let mut rest = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if first.len().saturating_add(rest.len()).saturating_add(data.len()) > most {
            return Err(BodyError::TooLong(most));
        }
        if first.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { first } else { Bytes::from(rest) })
}
