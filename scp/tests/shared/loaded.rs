//! Many clients at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use http::Request;
use tokio::task::JoinSet;

use crate::running::{ask, comes};

/// Clients that ask, one request after the other, until they are told to stop.
pub(crate) struct Load {
    clients: JoinSet<Vec<String>>,
    answered: Arc<AtomicUsize>,
    ends: Arc<AtomicBool>,
}

impl Load {
    /// On each of these connections so many clients ask what they are told to, by turns.
    pub(crate) fn start(
        connections: &[SendRequest<Bytes>],
        each: usize,
        request: impl Fn(usize) -> Request<&'static str> + Clone + Send + 'static,
    ) -> Self {
        let (answered, ends) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let mut clients = JoinSet::new();
        for client in connections.iter().flat_map(|it| std::iter::repeat_n(it, each)) {
            let (client, request) = (client.clone(), request.clone());
            let (answered, ends) = (Arc::clone(&answered), Arc::clone(&ends));
            clients.spawn(async move {
                let mut wrong = Vec::new();
                while !ends.load(Ordering::Relaxed) {
                    let turn = answered.fetch_add(1, Ordering::Relaxed);
                    match ask(&client, request(turn)).await {
                        Ok(answer) if answer.status() == 200 => {}
                        Ok(answer) => {
                            wrong.push(format!("{}: {}", answer.status(), String::from_utf8_lossy(answer.body())));
                        }
                        Err(error) => wrong.push(error.to_string()),
                    }
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                wrong
            });
        }
        Self { clients, answered, ends }
    }

    /// Waits for so many more requests.
    pub(crate) async fn more(&self, requests: usize) {
        let wanted = self.answered.load(Ordering::Relaxed) + requests;
        let answered = comes(6_000, || self.answered.load(Ordering::Relaxed) >= wanted).await;
        assert!(answered, "the clients get no answers");
    }

    /// Ends it: no client was told of anything.
    pub(crate) async fn end(self) {
        self.ends.store(true, Ordering::Relaxed);
        let wrong: Vec<String> = self.clients.join_all().await.concat();
        let asked = self.answered.load(Ordering::Relaxed);
        assert!(wrong.is_empty(), "{} of {asked}: {:?}", wrong.len(), wrong.iter().take(5).collect::<Vec<_>>());
    }
}
