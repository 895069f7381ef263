//! Messages.

use std::collections::VecDeque;

use pinion_transport::{Connect, Listen, Message, SendError};

use super::Bed;
use super::beds::SERVER;
use super::suite::{PORT, associated, in_time, message, payload, short};

pub(crate) async fn every_size(bed: Bed) {
    let (client, server, _listener) = associated(&bed).await;
    for (from, to) in [(&client, &server), (&server, &client)] {
        for size in [1, 2, 3, 4, 1000, 1452, 1453, 4096, 65_535, 65_536, 200_000, 256 << 10] {
            from.send(Message::new(1, 60, payload(size))).await.unwrap();
            let received = message(to).await;
            assert_eq!((received.stream, received.protocol, received.unordered), (1, 60, false));
            assert!(received.payload == payload(size), "{size}");
        }
    }
    assert_eq!(client.send(Message::new(0, 60, payload(0))).await, Err(SendError::Empty));
    assert_eq!(client.send(Message::new(0, 60, payload((256 << 10) + 1))).await, Err(SendError::TooLarge));
    assert_eq!(client.send(short(100, 0)).await, Err(SendError::Stream { streams: 100 }));
}

pub(crate) async fn every_stream(bed: Bed) {
    let (client, server, _listener) = associated(&bed).await;
    for number in 0..1000_u32 {
        let stream = u16::try_from(number % 100).unwrap();
        client.send(Message { protocol: number, ..short(stream, number) }).await.unwrap();
    }
    let mut next = [0_u32; 100];
    for _ in 0..1000 {
        let received = message(&server).await;
        let place = &mut next[usize::from(received.stream)];
        // Each stream's messages come in order.
        assert_eq!(received.protocol, *place * 100 + u32::from(received.stream));
        assert_eq!(u32::from(received.sequence), *place);
        *place += 1;
    }
    assert_eq!(next, [10; 100]);
}

pub(crate) async fn without_order(bed: Bed) {
    let (client, server, _listener) = associated(&bed).await;
    client.send(Message { unordered: true, ..short(3, 7) }).await.unwrap();
    let received = message(&server).await;
    assert!(received.unordered);
    assert_eq!(received.payload[..], 7_u32.to_be_bytes());
}

/// A receiver that takes nothing stops the sender; once it takes, everything comes.
pub(crate) async fn against_pressure(bed: Bed) {
    let (client, server, _listener) = associated(&bed).await;
    const MESSAGES: u32 = 600;
    let sent = std::cell::Cell::new(0);
    let send = async {
        for number in 0..MESSAGES {
            let payload = [&number.to_be_bytes(), &payload(10_000)[..]].concat();
            client.send(Message::new(0, 60, payload.into())).await.unwrap();
            sent.set(number + 1);
        }
    };
    let receive = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let stopped = sent.get();
        assert!(stopped < MESSAGES / 2, "{stopped} of {MESSAGES} messages fitted");
        for number in 0..MESSAGES {
            assert_eq!(message(&server).await.payload[..4], number.to_be_bytes());
        }
    };
    in_time(async { tokio::join!(send, receive) }).await;
}

/// One that does not take what it is sent does not stop another.
pub(crate) async fn to_many(bed: Bed) {
    let mut listener = bed.server.listen(Listen::on(PORT)).unwrap();
    let mut ends = Vec::new();
    for _ in 0..3 {
        let client = bed.client().connect(Connect::to(SERVER.to_vec(), PORT)).unwrap();
        let server = in_time(listener.accept()).await.unwrap();
        assert_eq!(client.ends().local_port, server.ends().remote_port);
        ends.push((client, server));
    }
    let (deaf, rest) = ends.split_first().unwrap();
    let flood = async {
        let mut messages: VecDeque<_> = (0..1000).map(|_| Message::new(0, 60, payload(10_000))).collect();
        deaf.0.send_all(&mut messages).await
    };
    let talk = async {
        for number in 0..200 {
            for (client, server) in rest {
                client.send(short(0, number)).await.unwrap();
                assert_eq!(message(server).await.payload[..], number.to_be_bytes());
            }
        }
    };
    tokio::select! {
        sent = flood => panic!("nobody took what was sent: {sent:?}"),
        () = in_time(talk) => {}
    }
}
