use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::Page;

/// Answers requests for as long as it is polled; dropping it ends every connection.
pub async fn serve(listener: TcpListener, page: Arc<Page>) {
    let mut connections = JoinSet::new();
    let mut oldest: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    oldest.retain(|connection| !connection.is_finished());
                    while oldest.len() >= page.limits.connections.max(1) {
                        if let Some(connection) = oldest.pop_front() {
                            connection.abort();
                            page.cut.inc();
                        }
                    }
                    oldest.push_back(connections.spawn(connection(stream, Arc::clone(&page))));
                }
                Err(error) => refused(&error).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Answers one request on a connection, within its deadline.
pub async fn connection<S>(stream: S, page: Arc<Page>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let deadline = page.limits.deadline;
    let answers = service_fn(|request| page.answer(request));
    // A request a connection: one that waits for the next would count as slow.
    let served = http1::Builder::new()
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(deadline)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), answers);
    match timeout(deadline, served).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a scraper's connection failed"),
        Err(_) => {
            page.cut.inc();
            tracing::debug!("a scraper's connection was ended at its deadline");
        }
    }
}

/// Out of file descriptors, say: trying again at once would spin.
async fn refused(error: &io::Error) {
    tracing::warn!(%error, "a scraper's connection could not be accepted");
    sleep(Duration::from_millis(100)).await;
}
