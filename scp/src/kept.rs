//! The content of a request, kept up to a bound, so that another producer can be given it (TS 29.500 5.2.8).

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame};

use crate::body::{Body, BodyError};

/// The content of a request, which several attempts may read, one after the other, once it is kept.
#[derive(Debug)]
pub enum Content {
    /// It is read once; none: it was.
    Once(Option<Body>),
    /// All of it is there.
    Whole(Bytes),
    /// It comes.
    Kept(Kept),
}

/// Content that comes while attempts read it.
#[derive(Clone, Debug)]
pub struct Kept {
    shared: Arc<Mutex<Shared>>,
}

/// One attempt's reading of it.
pub struct Replay {
    kept: Kept,
    at: usize,
    ended: bool,
}

struct Shared {
    source: Body,
    data: Vec<Bytes>,
    trailers: Option<HeaderMap>,
    octets: usize,
    most: usize,
    lost: bool,
    ended: bool,
}

impl From<Body> for Content {
    fn from(body: Body) -> Self {
        match body {
            Body::Empty => Self::Whole(Bytes::new()),
            Body::Whole(whole) => Self::Whole(whole),
            streaming => Self::Once(Some(streaming)),
        }
    }
}

/// Another may read what is kept; what is not is not his.
impl Clone for Content {
    fn clone(&self) -> Self {
        match self {
            Self::Once(_) => Self::Once(None),
            Self::Whole(whole) => Self::Whole(whole.clone()),
            Self::Kept(kept) => Self::Kept(kept.clone()),
        }
    }
}

impl Content {
    /// From now on what is read is kept, up to so many octets.
    pub(crate) fn keep(&mut self, most: usize) {
        if let Self::Once(body) = self
            && let Some(body) = body.take()
        {
            *self = Self::Kept(Kept::new(body, most));
        }
    }

    /// Whether all of it is there, so that two attempts may read it at the same time.
    pub(crate) fn is_there(&self) -> bool {
        match self {
            Self::Once(_) => false,
            Self::Whole(_) => true,
            Self::Kept(kept) => {
                let shared = kept.shared.lock().unwrap_or_else(PoisonError::into_inner);
                !shared.lost && (shared.ended || shared.source.is_end())
            }
        }
    }

    /// Whether it can be read from the beginning.
    pub(crate) fn is_readable(&self) -> bool {
        match self {
            Self::Once(body) => body.is_some(),
            Self::Whole(_) => true,
            Self::Kept(kept) => !kept.shared.lock().unwrap_or_else(PoisonError::into_inner).lost,
        }
    }

    /// Reads from the beginning; none where the beginning is gone.
    pub(crate) fn read(&mut self) -> Option<Body> {
        match self {
            Self::Once(body) => body.take(),
            Self::Whole(whole) if whole.is_empty() => Some(Body::Empty),
            Self::Whole(whole) => Some(Body::Whole(whole.clone())),
            Self::Kept(kept) => kept.read(),
        }
    }
}

impl Kept {
    /// Keeps at most `most` octets; when more has passed, there is no second reading.
    #[must_use]
    pub(crate) fn new(source: Body, most: usize) -> Self {
        let shared =
            Shared { source, data: Vec::new(), trailers: None, octets: 0, most, lost: false, ended: false };
        Self { shared: Arc::new(Mutex::new(shared)) }
    }

    /// Reads from the beginning; none where the beginning is gone.
    #[must_use]
    pub(crate) fn read(&self) -> Option<Body> {
        let lost = self.shared.lock().unwrap_or_else(PoisonError::into_inner).lost;
        (!lost).then(|| Body::Kept(Box::new(Replay { kept: self.clone(), at: 0, ended: false })))
    }
}

impl Replay {
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let mut shared = self.kept.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if !shared.lost
            && let Some(data) = shared.data.get(self.at)
        {
            self.at += 1;
            return Poll::Ready(Some(Ok(Frame::data(data.clone()))));
        }
        if shared.lost && self.at == 0 {
            return Poll::Ready(Some(Err(BodyError::Taken)));
        }
        if shared.ended {
            self.ended = true;
            return Poll::Ready(shared.trailers.clone().map(|it| Ok(Frame::trailers(it))));
        }
        let frame = ready!(Pin::new(&mut shared.source).poll_frame(context));
        let frame = match frame {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                shared.lost = true;
                return Poll::Ready(Some(Err(error)));
            }
            None => {
                shared.ended = true;
                self.ended = true;
                return Poll::Ready(None);
            }
        };
        self.at += 1;
        match frame.into_data() {
            Ok(data) => {
                shared.octets = shared.octets.saturating_add(data.len());
                if shared.octets > shared.most {
                    shared.lost = true;
                    shared.data = Vec::new();
                } else {
                    shared.data.push(data.clone());
                }
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Err(frame) => {
                shared.ended = true;
                self.ended = true;
                let Ok(trailers) = frame.into_trailers() else { return Poll::Ready(None) };
                shared.trailers = Some(trailers.clone());
                Poll::Ready(Some(Ok(Frame::trailers(trailers))))
            }
        }
    }

    pub(crate) fn is_end(&self) -> bool {
        if self.ended {
            return true;
        }
        let shared = self.kept.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let read = shared.lost || self.at >= shared.data.len();
        read && shared.trailers.is_none() && (shared.ended || shared.source.is_end())
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("octets", &self.octets).field("lost", &self.lost).finish_non_exhaustive()
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").field("at", &self.at).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::collect;

    #[tokio::test]
    async fn what_is_within_the_bound_is_read_twice() {
        let kept = Kept::new(Body::Whole(Bytes::from_static(b"{}")), 2);
        for _ in 0..2 {
            assert_eq!(collect(kept.read().unwrap(), 10).await.unwrap(), "{}");
        }
    }

    #[tokio::test]
    async fn what_is_beyond_the_bound_is_read_once() {
        let kept = Kept::new(Body::Whole(Bytes::from_static(b"{ }")), 2);
        let [first, second] = [kept.read().unwrap(), kept.read().unwrap()];
        assert_eq!(collect(first, 10).await.unwrap(), "{ }");
        assert!(matches!(collect(second, 10).await, Err(BodyError::Taken)));
        assert!(kept.read().is_none());
    }
}
