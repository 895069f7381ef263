//! What `tsctp` does, by the project's transport: each end on a thread of its own.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pinion_networks::namespace::Namespace;
use pinion_transport::link::{self, Interface, Link};
use pinion_transport::userspace::Userspace;
use pinion_transport::{Config, Connect, Event, Listen, Message, RequestError, Transport};
use tokio::runtime::Runtime;

use super::{ENDS, FAR, LENGTH, NEAR, Wire, address};
use crate::bench::BenchError;

const PORT: u16 = 5001;
/// Messages that are handed over at a time, and events that are taken.
const BATCH: usize = 256;

pub(super) fn messages_a_second(wire: &Wire, size: usize, sending: Duration) -> Result<f64, BenchError> {
    let [near, far] = ENDS.map(address);
    let failed = |error: Problem| BenchError::Baseline(error.to_string());
    let (server_runtime, server) = open(&wire.far, FAR, far).map_err(failed)?;
    let (client_runtime, client) = open(&wire.near, NEAR, near).map_err(failed)?;
    let counted = thread::scope(|scope| {
        let counting = scope.spawn(|| server_runtime.block_on(count(&server)));
        let sent = client_runtime.block_on(send(&client, far, size, sending));
        let counted = counting.join().unwrap_or_else(|_| Err(Problem::System(io::Error::other("it panicked"))));
        sent.and(counted)
    });
    counted.map_err(failed)
}

/// What kept an end from doing its part.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("the transport: {0}")]
    System(#[from] io::Error),
    #[error("the transport: {0}")]
    Request(#[from] RequestError),
    #[error("the namespace: {0}")]
    Namespace(#[from] pinion_networks::Failure),
    #[error("sending: {0}")]
    Send(#[from] pinion_transport::SendError),
}

fn open(namespace: &Namespace, name: &str, own: IpAddr) -> Result<(Runtime, Userspace), Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let transport = namespace.run(|| {
        let _inside = runtime.enter();
        let interface = Interface::find(name)?;
        let link = Link::open(&interface, link::Config::new(interface.mac, vec![(own, LENGTH)]))?;
        Userspace::start(vec![link], &Config::default())
    })??;
    Ok((runtime, transport))
}

/// Messages a second between the first one and the end.
async fn count(server: &Userspace) -> Result<f64, Problem> {
    let mut listener = server.listen(Listen::on(PORT))?;
    let Some(association) = listener.accept().await else { return Ok(0.0) };
    let (mut events, mut messages, mut first) = (Vec::new(), 0_u64, None);
    while association.receive_many(&mut events, BATCH).await > 0 {
        first = first.or_else(|| {
            let any = events.iter().any(|event| matches!(event, Event::Message(_)));
            any.then(Instant::now)
        });
        messages += events.drain(..).filter(|event| matches!(event, Event::Message(_))).count() as u64;
    }
    Ok(first.map_or(0.0, |first: Instant| messages as f64 / first.elapsed().as_secs_f64()))
}

async fn send(client: &Userspace, to: IpAddr, size: usize, sending: Duration) -> Result<(), Problem> {
    let association = client.connect(Connect::to(vec![to], PORT))?;
    let message = Message::new(0, 0, Bytes::from(vec![0x5a; size]));
    let mut messages = VecDeque::with_capacity(BATCH);
    let end = Instant::now() + sending;
    while Instant::now() < end {
        messages.resize(BATCH, message.clone());
        association.send_all(&mut messages).await?;
    }
    association.shutdown();
    while association.receive().await.is_some() {}
    Ok(())
}
