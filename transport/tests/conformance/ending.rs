//! Associations that end.

use pinion_transport::{Event, Listen, Message, RequestError};

use super::Bed;
use super::suite::{PORT, associated, connect, in_time, message, next, payload, short};

/// What was sent before arrives.
pub(crate) async fn shutdown(bed: Bed) {
    let (client, server, _listener) = associated(&bed).await;
    for _ in 0..5 {
        client.send(Message::new(0, 60, payload(100_000))).await.unwrap();
    }
    client.shutdown();
    assert!(client.send(short(0, 1)).await.is_err());
    for _ in 0..5 {
        assert_eq!(message(&server).await.payload.len(), 100_000);
    }
    for end in [&client, &server] {
        next(end, |event| *event == Event::Closed).await;
        assert_eq!(in_time(end.receive()).await, None);
    }
}

pub(crate) async fn abort(bed: Bed) {
    let (client, server, _listener) = associated(&bed).await;
    server.abort(b"reason");
    next(&server, |event| matches!(event, Event::Aborted { by_peer: false, .. })).await;
    // 12: User-Initiated Abort (RFC 9260 3.3.10.12).
    next(&client, |event| *event == Event::Aborted { cause: 12, by_peer: true }).await;
    assert_eq!(in_time(client.receive()).await, None);
    assert!(client.paths().is_empty());
}

/// Who drops an association aborts it; after a shutdown it ends by itself.
pub(crate) async fn dropped(bed: Bed) {
    let (client, server, mut listener) = associated(&bed).await;
    drop(client);
    next(&server, |event| matches!(event, Event::Aborted { by_peer: true, .. })).await;
    drop(server);
    let client = bed.client().connect(connect()).unwrap();
    let server = in_time(listener.accept()).await.unwrap();
    next(&client, |event| matches!(event, Event::Established { .. })).await;
    client.send(short(0, 5)).await.unwrap();
    client.shutdown();
    drop(client);
    assert_eq!(message(&server).await.payload[..], 5_u32.to_be_bytes());
    next(&server, |event| *event == Event::Closed).await;
    // And the same ports are free again.
    let client = bed.client().connect(connect()).unwrap();
    next(&client, |event| matches!(event, Event::Established { .. })).await;
}

pub(crate) async fn refused(bed: Bed) {
    // Nobody listens.
    let client = bed.client().connect(connect()).unwrap();
    next(&client, |event| matches!(event, Event::Aborted { by_peer: true, .. })).await;
    let listener = bed.server.listen(Listen::on(PORT)).unwrap();
    let taken = bed.server.listen(Listen::on(PORT)).unwrap_err();
    assert!(matches!(taken, RequestError::Listening { port: PORT }), "{taken}");
    let stranger = Listen { addresses: vec![[192, 0, 2, 9].into()], ..Listen::on(PORT) };
    assert!(matches!(bed.server.listen(stranger), Err(RequestError::NotOwn { .. })));
    let first = bed.client().connect(connect()).unwrap();
    assert!(matches!(bed.client().connect(connect()), Err(RequestError::Taken)));
    next(&first, |event| matches!(event, Event::Established { .. })).await;
    // What nobody has accepted ends with the listener.
    drop(listener);
    next(&first, Event::is_last).await;
}
