//! Content from one side to a stream of HTTP/2: no faster than the stream's window opens, trailers and all.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body::Body as _;
use tokio::time::{Instant, Sleep, sleep};

use crate::body::{Body, BodyError};

/// Moves content to a stream until it ends. Where it is dropped before, the stream is reset.
pub struct Pump {
    body: Body,
    to: SendStream<Bytes>,
    chunk: Bytes,
    last: bool,
    patience: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    moved: bool,
    /// Whether the stream is reset at once where the content breaks off.
    resets: bool,
}

/// The end of content that is not kept here until there is room for it: of each stream so many octets, once, wait with HTTP/2.
const LITTLE: usize = 1_024;

/// Why content did not get across.
#[derive(Debug, thiserror::Error)]
pub enum PumpError {
    /// It broke off where it comes from.
    #[error(transparent)]
    Source(BodyError),
    /// Nothing came for too long.
    #[error("nothing came for {0:?}")]
    SourceStalled(Duration),
    /// Nothing could be sent for too long.
    #[error("nothing could be sent for {0:?}")]
    SinkStalled(Duration),
    /// The other side wants no more of it.
    #[error("the stream was reset: {0}")]
    Reset(Reason),
    /// The stream or its connection broke.
    #[error(transparent)]
    Sink(h2::Error),
}

impl Pump {
    /// Gives up when nothing moves for as long as `patience`.
    #[must_use]
    pub const fn new(body: Body, to: SendStream<Bytes>, patience: Duration) -> Self {
        Self { body, to, chunk: Bytes::new(), last: false, patience, timer: None, moved: false, resets: true }
    }

    /// Whether the stream is reset at once where its content breaks off; otherwise when this is dropped.
    pub(crate) const fn reset_at_once(&mut self, resets: bool) {
        self.resets = resets;
    }

    /// As [`Future::poll`]. The stream is reset where this fails.
    pub fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), PumpError>> {
        let this = &mut *self;
        let outcome = match this.advance(context) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => {
                this.body.settle();
                match this.waited(context) {
                    true if this.chunk.is_empty() => Err(PumpError::SourceStalled(this.patience)),
                    true => Err(PumpError::SinkStalled(this.patience)),
                    false => return Poll::Pending,
                }
            }
        };
        if let Err(error) = &outcome
            && (this.resets || !matches!(error, PumpError::Source(_) | PumpError::SourceStalled(_)))
        {
            this.to.send_reset(error.reason());
        }
        Poll::Ready(outcome)
    }

    fn advance(&mut self, context: &mut Context<'_>) -> Poll<Result<(), PumpError>> {
        loop {
            if !self.chunk.is_empty() {
                ready!(self.send(context))?;
                if self.last && self.chunk.is_empty() {
                    return Poll::Ready(Ok(()));
                }
                continue;
            }
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.moved = true;
                    let frame = match frame.into_data() {
                        Ok(data) => {
                            self.last = self.body.is_end();
                            if data.is_empty() && self.last {
                                return Poll::Ready(self.finish());
                            }
                            self.chunk = data;
                            continue;
                        }
                        Err(frame) => frame,
                    };
                    if let Ok(trailers) = frame.into_trailers() {
                        return Poll::Ready(self.to.send_trailers(trailers).map_err(PumpError::Sink));
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(PumpError::Source(error))),
                Poll::Ready(None) => return Poll::Ready(self.finish()),
                Poll::Pending => {
                    return match self.to.poll_reset(context) {
                        Poll::Ready(Ok(reason)) => Poll::Ready(Err(PumpError::Reset(reason))),
                        Poll::Ready(Err(error)) => Poll::Ready(Err(PumpError::Sink(error))),
                        Poll::Pending => Poll::Pending,
                    };
                }
            }
        }
    }

    fn finish(&mut self) -> Result<(), PumpError> {
        self.to.send_data(Bytes::new(), true).map_err(PumpError::Sink)
    }

    /// Sends what of the chunk there is room for.
    fn send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), PumpError>> {
        if self.last && self.chunk.len() <= LITTLE {
            let rest = std::mem::take(&mut self.chunk);
            return Poll::Ready(self.to.send_data(rest, true).map_err(PumpError::Sink));
        }
        self.to.reserve_capacity(self.chunk.len());
        let mut room = self.to.capacity();
        if room == 0 {
            room = match ready!(self.to.poll_capacity(context)) {
                Some(Ok(room)) => room,
                Some(Err(error)) => return Poll::Ready(Err(PumpError::Sink(error))),
                None => return Poll::Ready(Err(PumpError::Reset(Reason::CANCEL))),
            };
        }
        self.moved = true;
        let part = self.chunk.split_to(room.min(self.chunk.len()));
        let end = self.last && self.chunk.is_empty();
        Poll::Ready(self.to.send_data(part, end).map_err(PumpError::Sink))
    }

    /// Whether nothing moved for too long.
    fn waited(&mut self, context: &mut Context<'_>) -> bool {
        let patience = self.patience;
        let moved = std::mem::take(&mut self.moved);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(patience)));
        if moved {
            // A time beyond what the clock has is never.
            if let Some(end) = Instant::now().checked_add(patience) {
                timer.as_mut().reset(end);
            }
        }
        timer.as_mut().poll(context).is_ready()
    }
}

impl Future for Pump {
    type Output = Result<(), PumpError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Self::poll(self, context)
    }
}

impl PumpError {
    /// What the stream is reset with (RFC 9113 7).
    fn reason(&self) -> Reason {
        match self {
            Self::Source(BodyError::TooLong(_)) => Reason::ENHANCE_YOUR_CALM,
            Self::Source(BodyError::Http2(error)) if matches!(error.reason(), Some(Reason::CANCEL)) => {
                Reason::CANCEL
            }
            Self::Source(_) | Self::SourceStalled(_) | Self::Sink(_) => Reason::INTERNAL_ERROR,
            Self::SinkStalled(_) | Self::Reset(_) => Reason::CANCEL,
        }
    }
}

impl fmt::Debug for Pump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pump").field("last", &self.last).finish_non_exhaustive()
    }
}
