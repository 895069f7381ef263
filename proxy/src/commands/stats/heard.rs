//! The part of services that are listened to.

use super::super::ask::columns::printable;
use crate::control::{Heard, HeardService};

/// What is worth telling of what is heard; `None`: nobody listens, or nothing was heard.
pub(super) fn part(heard: &Heard) -> Option<String> {
    let Heard { copies, services } = heard;
    if services.is_empty() && copies.made == 0 && copies.lost == 0 {
        return None;
    }
    let first = (
        format!("{} copies of packets for who listens", copies.made),
        vec![(copies.lost, "lost for want of room")],
    );
    let mut text = super::counted([first]);
    services.iter().for_each(|service| text.push_str(&one(service)));
    Some(text)
}

fn one(view: &HeardService) -> String {
    let counts = &view.counts;
    super::counted([
        (
            format!(
                "N2 {}, listened to: {} associations, {} UEs",
                printable(&view.service),
                view.associations,
                view.ues
            ),
            vec![
                (counts.met, "met"),
                (counts.displaced, "forgotten for want of room"),
                (counts.silent, "forgotten as nothing was heard of them"),
            ],
        ),
        (
            format!("{} messages heard", counts.messages),
            vec![
                (counts.missing, "chunks missing"),
                (counts.repeated, "chunks repeated"),
                (counts.unjoined, "fragments of messages that lack others"),
                (counts.malformed, "malformed packets and messages"),
            ],
        ),
    ])
}
