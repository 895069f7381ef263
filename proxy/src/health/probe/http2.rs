//! HTTP/2 GET with prior knowledge (RFC 9113 3.3), over a connection of its own.

use std::error::Error as _;
use std::time::Duration;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http2;
use hyper::{Request, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::time::timeout;

use super::{Ends, Reply, stream};
use crate::health::outcome::{Failure, Obstacle};

/// How long the connection may take to end after its answer.
const GOODBYE: Duration = Duration::from_secs(1);

/// Whether a status counts as an answer.
pub fn read(status: u16) -> Result<(), Failure> {
    if (200..400).contains(&status) { Ok(()) } else { Err(Failure::Status(status)) }
}

/// Connects, asks, and waits for the status. Whatever becomes of it, the connection ends soon after `within`.
pub(super) async fn ask(ends: Ends, path: &str, authority: Option<&str>, within: Duration) -> Reply {
    let failed = |error: hyper::Error| Failure::Http(words(&error));
    let request = request(ends, path, authority)?;
    let stream = stream::connect(ends).await?;
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.map_err(failed)?;
    // Ends by itself, with a GOAWAY, when the sender is dropped; how it ends is known by the response.
    tokio::spawn(timeout(within.saturating_add(GOODBYE), connection));
    let response = sender.send_request(request).await.map_err(failed)?;
    Ok(read(response.status().as_u16())?)
}

fn request(ends: Ends, path: &str, authority: Option<&str>) -> Result<Request<Empty<Bytes>>, Obstacle> {
    let authority = authority.map_or_else(|| ends.to.to_string(), str::to_owned);
    let refused = |_| Obstacle::Request(format!("http://{authority}{path}"));
    let uri = Uri::builder().scheme("http").authority(authority.as_str()).path_and_query(path).build();
    Request::get(uri.map_err(refused)?).body(Empty::new()).map_err(refused)
}

/// The error and what it comes from.
fn words(error: &hyper::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words = format!("{words}: {error}");
        source = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 200 to 399 count, as the configuration says.
    #[test]
    fn success_and_redirection_count() {
        for status in [200, 204, 301, 399] {
            assert_eq!(read(status), Ok(()));
        }
        for status in [100, 199, 400, 404, 503, 599] {
            assert_eq!(read(status), Err(Failure::Status(status)));
        }
    }

    #[test]
    fn what_cannot_be_asked_for_is_said() {
        let ends = Ends { to: "[::1]:80".parse().unwrap(), from: None };
        let uri = |path, authority| request(ends, path, authority).map(|request| request.uri().to_string());
        assert_eq!(uri("/health?x=1", None).as_deref(), Ok("http://[::1]:80/health?x=1"));
        assert_eq!(uri("/", Some("nrf.5gc")).as_deref(), Ok("http://nrf.5gc/"));
        assert!(uri("/a b", None).is_err());
        assert!(uri("/", Some("a b")).is_err());
    }
}
