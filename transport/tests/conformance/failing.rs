//! Paths and peers that fail.

use std::time::Duration;

use pinion_transport::{Event, Reach, Reliability};

use super::Bed;
use super::beds::SERVER;
use super::suite::{associated, connect, in_time, message, next, short, until};

pub(crate) async fn path_cut_and_restored(bed: Bed) {
    let (client, server, _listener) = associated(&bed).await;
    until(|| client.paths().iter().all(|path| path.confirmed)).await;
    assert_eq!(client.paths().len(), 2);
    let primary = client.paths()[0];
    assert!(primary.primary && primary.remote == SERVER[0]);
    bed.cut(0);
    for number in 0..10 {
        client.send(short(0, number)).await.unwrap();
        assert_eq!(message(&server).await.payload[..], number.to_be_bytes());
    }
    next(&client, |event| *event == Event::PathDown(SERVER[0])).await;
    assert_eq!(client.paths()[0].reach, Reach::Inactive);
    bed.restore(0);
    next(&client, |event| *event == Event::PathUp(SERVER[0])).await;
    client.send(short(0, 10)).await.unwrap();
    assert_eq!(message(&server).await.payload[..], 10_u32.to_be_bytes());
}

pub(crate) async fn chosen_path(bed: Bed) {
    let (client, server, _listener) = associated(&bed).await;
    until(|| client.paths().iter().all(|path| path.confirmed)).await;
    assert!(!client.set_primary([192, 0, 2, 1].into()));
    assert!(client.set_primary(SERVER[1]));
    assert_eq!(client.paths().iter().find(|path| path.primary).map(|path| path.remote), Some(SERVER[1]));
    // What it does not use may be gone.
    bed.cut(0);
    client.send(short(0, 1)).await.unwrap();
    message(&server).await;
}

pub(crate) async fn peer_lost(bed: Bed) {
    let (client, server, _listener) = associated(&bed).await;
    bed.cut(0);
    bed.cut(1);
    client.send(short(0, 1)).await.unwrap();
    for end in [&client, &server] {
        next(end, |event| *event == Event::Lost).await;
        assert_eq!(end.receive().await, None);
        assert!(end.send(short(0, 2)).await.is_err());
    }
}

/// The client is gone without a word, and another comes with its addresses and port.
pub(crate) async fn restart(mut bed: Bed) {
    let (first, server, _listener) = associated(&bed).await;
    first.send(short(0, 1)).await.unwrap();
    message(&server).await;
    bed.replace_client(first).await;
    let second = bed.client().connect(connect()).unwrap();
    next(&second, |event| matches!(event, Event::Established { .. })).await;
    next(&server, |event| *event == Event::Restarted).await;
    server.send(short(0, 2)).await.unwrap();
    assert_eq!(message(&second).await.payload[..], 2_u32.to_be_bytes());
}

/// What nobody could take in time is given up, and its sender told.
pub(crate) async fn stale(bed: Bed) {
    let (client, server, _listener) = associated(&bed).await;
    bed.cut(0);
    bed.cut(1);
    let reliability = Reliability::Lifetime(Duration::from_millis(50));
    let mut given_up = short(0, 1);
    given_up.reliability = reliability;
    given_up.context = 7;
    client.send(given_up).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    bed.restore(0);
    bed.restore(1);
    if bed.tells_failures {
        let failed = next(&client, |event| matches!(event, Event::SendFailed { .. })).await;
        assert_eq!(failed, Event::SendFailed { context: 7, stream: 0, sent: true });
    }
    client.send(short(0, 2)).await.unwrap();
    assert_eq!(in_time(message(&server)).await.payload[..], 2_u32.to_be_bytes());
}
