//! Each message of S1AP, as pycrate encoded it: what it is, and whose.

use std::collections::BTreeSet;

use pinion_protocols::s1ap::{Message, Procedure, UeIds};

use super::vectors::vectors_of;

#[test]
fn each_message_says_what_it_is_and_whose() {
    let mut procedures = BTreeSet::new();
    for vector in vectors_of("s1ap-vectors.tsv") {
        let message = Message::parse(&vector.bytes).unwrap();
        procedures.insert(vector.procedure);
        vector.assert_is(&message);
        assert!(!matches!(message.procedure(), Procedure::Other(_)), "{}", vector.name);
        let mme = vector.ids.amf.map(|id| u32::try_from(id).unwrap());
        assert_eq!(message.ids(), Ok(UeIds { mme, enb: vector.ids.ran }), "{}", vector.name);
        for raw in message.elements().map(Result::unwrap) {
            let connections = raw.connections().unwrap();
            let ids = connections.into_iter().flatten().map(|connection| connection.unwrap().ids().unwrap());
            assert!(ids.count() <= 256, "{}", vector.name);
        }
    }
    // All but the private message, of which nothing is known.
    assert_eq!(procedures, (0..=66).filter(|&code| code != 39).collect());
}
