//! The content of a request, kept up to a bound, so that another producer can be given it (TS 29.500 5.2.8).

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
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
    /// Octets that it had.
    at: usize,
    ended: bool,
}

struct Shared {
    source: Body,
    /// Pieces, each with where it ends.
    data: Vec<(usize, Bytes)>,
    /// What came in little pieces since: each of them would hold on to the room of many octets.
    little: BytesMut,
    trailers: Option<HeaderMap>,
    /// All that came.
    octets: usize,
    most: usize,
    lost: bool,
    ended: bool,
}

/// From so many octets on a piece is kept as it came; so is the first, which as a rule is all.
const LARGE: usize = 4_096;

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
        let shared = Shared {
            source,
            data: Vec::new(),
            little: BytesMut::new(),
            trailers: None,
            octets: 0,
            most,
            lost: false,
            ended: false,
        };
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
            && let Some(data) = shared.get(self.at)
        {
            self.at = self.at.saturating_add(data.len());
            return Poll::Ready(Some(Ok(Frame::data(data))));
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
        match frame.into_data() {
            Ok(data) => {
                shared.put(&data);
                self.at = shared.octets;
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
        let read = shared.lost || self.at >= shared.octets;
        read && shared.trailers.is_none() && (shared.ended || shared.source.is_end())
    }
}

impl Shared {
    /// Keeps another piece, unless that is too much.
    fn put(&mut self, data: &Bytes) {
        if data.is_empty() {
            return;
        }
        self.octets = self.octets.saturating_add(data.len());
        if self.octets > self.most {
            self.lost = true;
            (self.data, self.little) = (Vec::new(), BytesMut::new());
        } else if data.len() >= LARGE || self.octets == data.len() {
            self.close(self.octets.saturating_sub(data.len()));
            self.data.push((self.octets, data.clone()));
        } else {
            self.little.extend_from_slice(data);
        }
    }

    /// What is kept from there on, or a part of it.
    fn get(&mut self, from: usize) -> Option<Bytes> {
        if from >= self.octets {
            return None;
        }
        self.close(self.octets);
        let next = self.data.partition_point(|(end, _)| *end <= from);
        let (end, data) = self.data.get(next)?;
        Some(data.slice(data.len().saturating_sub(end.saturating_sub(from))..))
    }

    /// Makes one piece, which ends there, of what came in little ones.
    fn close(&mut self, end: usize) {
        if !self.little.is_empty() {
            self.data.push((end, self.little.split().freeze()));
        }
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

    /// However it comes in pieces, and however much of it another attempt had before.
    #[tokio::test]
    async fn every_reading_is_of_all_that_comes_in_its_order() {
        use http_body_util::BodyExt as _;
        let sizes = [0, 3, 1, 1, LARGE, 1, LARGE - 1, LARGE, LARGE + 1, 2];
        let pieces: Vec<Vec<u8>> = sizes.iter().zip(b'a'..).map(|(size, octet)| vec![octet; *size]).collect();
        for had in 0..=pieces.len() {
            let (client, server) = tokio::io::duplex(1 << 20);
            let send = async {
                let (mut sender, connection) = h2::client::handshake(client).await.unwrap();
                tokio::spawn(connection);
                let (response, mut stream) = sender.send_request(http::Request::default(), false).unwrap();
                pieces.iter().for_each(|it| stream.send_data(it.clone().into(), false).unwrap());
                stream.send_data(Bytes::new(), true).unwrap();
                (sender, response)
            };
            let (mut connection, _client) =
                tokio::join!(async { h2::server::handshake(server).await.unwrap() }, send);
            let (request, _respond) = connection.accept().await.unwrap().unwrap();
            tokio::spawn(async move { while connection.accept().await.is_some() {} });
            let kept = Kept::new(Body::stream(request.into_body(), false), 1 << 20);
            let mut first = kept.read().unwrap();
            for _ in 0..had {
                first.frame().await.unwrap().unwrap();
            }
            let [second, third] = [(); 2].map(|()| kept.read().unwrap());
            for reading in [second, third] {
                assert!(collect(reading, 1 << 20).await.unwrap() == pieces.concat(), "{had}");
            }
        }
    }
}
