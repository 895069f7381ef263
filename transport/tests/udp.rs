//! SCTP in UDP, on loopback and as anybody.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use pinion_transport::userspace::{Encapsulation, Userspace};
use pinion_transport::{Association, Config, Connect, Event, Listen, Message, Transport};

const PORT: u16 = 38412;
const PATIENCE: Duration = Duration::from_secs(10);

async fn next(end: &Association, wanted: impl Fn(&Event) -> bool) -> Event {
    let found = async {
        loop {
            let event = end.receive().await.unwrap();
            if wanted(&event) {
                return event;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap()
}

fn open(addresses: &[IpAddr], local_port: u16, remote_port: u16) -> Userspace {
    Userspace::over_udp(addresses, Encapsulation { local_port, remote_port }, &Config::default()).unwrap()
}

/// The server learns the client's UDP port, which is not the usual one.
#[tokio::test]
async fn both_families_go_in_udp() {
    let near: [IpAddr; 2] = [[127, 0, 0, 1].into(), "::1".parse().unwrap()];
    let far: [IpAddr; 2] = [[127, 0, 0, 2].into(), "::1".parse().unwrap()];
    let (server, client) = (open(&far, 19_899, 1), open(&near, 29_899, 19_899));
    let mut listener = server.listen(Listen::on(PORT)).unwrap();
    for remote in far {
        let connect = Connect { remote: vec![remote], ..Connect::to(Vec::new(), PORT) };
        let here = client.connect(connect).unwrap();
        let there = tokio::time::timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
        for (from, to) in [(&here, &there), (&there, &here)] {
            let payload = Bytes::from(vec![0x5a; 100_000]);
            from.send(Message::new(3, 60, payload.clone())).await.unwrap();
            let message = next(to, |event| matches!(event, Event::Message(_))).await;
            assert!(matches!(message, Event::Message(message) if message.payload == payload));
        }
        here.shutdown();
        next(&there, |event| *event == Event::Closed).await;
    }
}
