//! Messages of gNBs and AMFs, and associations that they go over.

use std::time::Duration;

use bytes::Bytes;
use pinion_protocols::ngap::{Message, UeIds};
use pinion_simulators::n2::messages::{First, Says, guami, ng_setup, tmsi};
use pinion_transport::{Association, Event, Listener, Message as Sent};
use tokio::time::timeout;

/// Nobody waits longer than that for what comes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The set that AMFs are of.
const SET: u16 = 1;

pub(crate) fn initial(ran: u32, amf: u8) -> Bytes {
    First::with(ran, tmsi(SET, amf)).bytes()
}

pub(crate) fn ids(bytes: &Bytes) -> UeIds {
    Message::parse(bytes).unwrap().ids().unwrap()
}

pub(crate) async fn send(association: &Association, stream: u16, bytes: Bytes) {
    association.send(Sent::new(stream, 60, bytes)).await.unwrap();
}

/// The next message, with its stream.
pub(crate) async fn next(association: &Association) -> (u16, Bytes) {
    let message = async {
        loop {
            match association.receive().await {
                Some(Event::Message(message)) => break message,
                event => assert!(event.as_ref().is_some_and(|event| !event.is_last()), "{event:?}"),
            }
        }
    };
    let message = timeout(PATIENCE, message).await.unwrap();
    assert_eq!(message.protocol, 60);
    (message.stream, message.payload)
}

/// An AMF answers NG Setup.
pub(crate) async fn set_up(listener: &mut Listener, amf: u8) -> Association {
    let association = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    assert_eq!(next(&association).await, (0, ng_setup(1)));
    let guamis = vec![(guami(SET, amf), None)];
    let says = Says { name: format!("amf-{amf}"), guamis, capacity: 100, slices: vec![1] };
    send(&association, 0, says.setup_response()).await;
    association
}
