//! What the parts of the suite have in common.

use std::time::Duration;

use bytes::Bytes;
use pinion_transport::{Association, Connect, Event, Listen, Listener, Message, Received};

use super::Bed;
use super::beds::SERVER;

pub(crate) const PORT: u16 = 38412;
pub(crate) const CLIENT_PORT: u16 = 9487;
/// Long beyond anything that should happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// The client's end, the server's, and what accepts more.
pub(crate) async fn associated(bed: &Bed) -> (Association, Association, Listener) {
    let mut listener = bed.server.listen(Listen::on(PORT)).unwrap();
    let client = bed.client().connect(connect()).unwrap();
    let server = in_time(listener.accept()).await.unwrap();
    for end in [&client, &server] {
        let accepted = std::ptr::eq(end, &raw const server);
        let established = next(end, |event| matches!(event, Event::Established { .. })).await;
        let Event::Established { accepted: was, outbound_streams, .. } = established else { panic!() };
        assert_eq!((was, outbound_streams), (accepted, 100));
    }
    (client, server, listener)
}

pub(crate) fn connect() -> Connect {
    Connect { port: CLIENT_PORT, ..Connect::to(SERVER.to_vec(), PORT) }
}

/// The next event of that kind; others are passed over, but not the last.
pub(crate) async fn next(end: &Association, wanted: impl Fn(&Event) -> bool) -> Event {
    loop {
        let event = in_time(end.receive()).await.expect("it has not ended");
        if wanted(&event) {
            return event;
        }
        assert!(!event.is_last(), "{event:?}");
    }
}

pub(crate) async fn message(end: &Association) -> Received {
    match next(end, |event| matches!(event, Event::Message(_))).await {
        Event::Message(message) => message,
        event => panic!("{event:?}"),
    }
}

/// Bytes that differ from place to place.
pub(crate) fn payload(length: usize) -> Bytes {
    (0..length).map(|at| u8::try_from((at * 31 + at / 251) % 256).unwrap()).collect()
}

pub(crate) fn short(stream: u16, number: u32) -> Message {
    Message::new(stream, 60, Bytes::copy_from_slice(&number.to_be_bytes()))
}

pub(crate) async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it did not happen in time")
}

pub(crate) async fn until(mut done: impl FnMut() -> bool) {
    in_time(async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}
