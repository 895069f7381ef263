//! What is learned from copies of packets, of which any may be lost, come twice or late.

mod captures;
mod copies;

use std::time::Duration;

use bytes::Bytes;
use pinion_n2::observe::{Bounds, Counts, Observer, Side};
use pinion_protocols::ngap::UeIds;
use pinion_protocols::ngap::value::{AmfUeNgapId, Cause, List, RanUeNgapId, ResetType};
use pinion_protocols::ngap::{ElementType, Outcome, Procedure};

use crate::messages::{
    First, about, add, connections, down, error, guami, ids, initiating, ng_setup, node, registration,
    release_command, release_complete, reset, tmsi, up,
};

/// DATA of NGAP (RFC 9260 3.3.1) in a packet of its own; `flags`: 2 begins a message, 1 ends one.
fn data(tsn: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x96, 0x0c, 0x96, 0x0c, 0, 0, 0, 7, 0, 0, 0, 0, 0, flags];
    packet.extend(u16::try_from(payload.len() + 16).unwrap().to_be_bytes());
    packet.extend(tsn.to_be_bytes());
    packet.extend([0, 1, 0, 0, 0, 0, 0, 60]);
    packet.extend(payload);
    packet.resize(packet.len().next_multiple_of(4), 0);
    packet
}

/// An observer of associations that have numbers, and what was said on them so far.
struct Watch {
    observer: Observer<u8, ()>,
    tsn: u32,
    now: Duration,
}

impl Watch {
    fn new(bounds: Bounds) -> Self {
        // Numbers wrap soon.
        Self { observer: Observer::new(bounds), tsn: u32::MAX - 5, now: Duration::from_secs(100) }
    }

    fn say_on(&mut self, association: u8, from: Side, message: &Bytes) {
        self.tsn = self.tsn.wrapping_add(1);
        self.observer.packet(&association, (), from, &data(self.tsn, 3, message), self.now);
    }

    fn gnb(&mut self, message: &Bytes) -> &mut Self {
        self.say_on(1, Side::Gnb, message);
        self
    }

    fn amf(&mut self, message: &Bytes) -> &mut Self {
        self.say_on(1, Side::Amf, message);
        self
    }

    /// Association, RAN UE NGAP ID and AMF UE NGAP ID of each UE.
    fn ues(&self) -> Vec<(u8, u32, Option<u64>)> {
        let ues = self.observer.ues(None);
        let mut ues: Vec<_> = ues.map(|seen| (*seen.association, seen.ran, seen.ue.amf)).collect();
        ues.sort_unstable();
        ues
    }

    fn counts(&self) -> Counts {
        self.observer.counts()
    }
}

/// A gNB with UEs 1 to 3, whose AMF calls them 11 to 13.
fn three() -> Watch {
    let mut watch = Watch::new(Bounds::default());
    watch.gnb(&ng_setup(7));
    for ran in 1..=3 {
        watch.gnb(&First::new(ran).bytes()).amf(&down(10 + u64::from(ran), ran, b"who are you"));
    }
    assert_eq!(watch.ues(), [(1, 1, Some(11)), (1, 2, Some(12)), (1, 3, Some(13))]);
    watch
}

#[test]
fn a_ue_from_its_first_message_to_its_last() {
    let mut watch = Watch::new(Bounds::default());
    let mut first = First::with(5, tmsi(1, 2));
    watch.gnb(&ng_setup(7)).gnb(&first.bytes());
    let seen = watch.observer.ues(None).next().unwrap();
    assert_eq!((seen.node, seen.ran, seen.ue.amf), (Some(&node(7)), 5, None));
    assert_eq!((seen.ue.tmsi, seen.ue.guami), (Some(tmsi(1, 2)), None));

    watch.now += Duration::from_secs(9);
    watch.amf(&down(900, 5, b"")).gnb(&up(900, 5, b""));
    watch.amf(&initiating(Procedure::InitialContextSetup, |it| {
        add(it, ElementType::AmfUeNgapId, &AmfUeNgapId(900));
        add(it, ElementType::RanUeNgapId, &RanUeNgapId(5));
        add(it, ElementType::Guami, &guami(1, 2));
    }));
    let seen = watch.observer.ues(None).next().unwrap();
    assert_eq!((seen.ue.amf, seen.ue.guami, seen.ue.tmsi), (Some(900), Some(guami(1, 2)), Some(tmsi(1, 2))));
    assert_eq!((seen.ue.since, seen.ue.last), (Duration::from_secs(100), Duration::from_secs(109)));

    watch.amf(&release_command(900, Some(5)));
    assert_eq!(watch.ues(), [(1, 5, Some(900))]);
    watch.gnb(&release_complete(900, 5));
    assert!(watch.ues().is_empty());

    // What comes late of it does not bring it back; a new UE with its number is another.
    watch.gnb(&up(900, 5, b"late"));
    assert!(watch.ues().is_empty());
    first.tmsi = None;
    first.nas = registration(guami(1, 2));
    watch.gnb(&first.bytes());
    let seen = watch.observer.ues(None).next().unwrap();
    assert_eq!((seen.ue.tmsi, seen.ue.guami), (Some(tmsi(1, 2)), Some(guami(1, 2))));
    assert_eq!(watch.counts().met, 2);
}

#[test]
fn what_was_there_before_is_met_by_its_next_message() {
    let mut watch = Watch::new(Bounds::default());
    watch.gnb(&up(900, 5, b"")).amf(&release_command(901, None));
    let seen = watch.observer.ues(None).next().unwrap();
    assert_eq!((seen.node, seen.ran, seen.ue.amf, seen.ue.tmsi), (None, 5, Some(900), None));
    // Of the one that has its number now the first message was lost.
    watch.amf(&down(950, 5, b""));
    assert_eq!(watch.ues(), [(1, 5, Some(950))]);
}

#[test]
fn handed_over_it_is_at_both_until_the_first_lets_go() {
    let mut watch = three();
    let path_switch = initiating(Procedure::PathSwitchRequest, |it| {
        add(it, ElementType::RanUeNgapId, &RanUeNgapId(70));
        add(it, ElementType::SourceAmfUeNgapId, &AmfUeNgapId(11));
    });
    watch.say_on(2, Side::Gnb, &path_switch);
    assert_eq!(watch.ues().last(), Some(&(2, 70, None)));
    watch.say_on(2, Side::Amf, &about(Outcome::Successful, Procedure::PathSwitchRequest, ids(11, 70), b""));
    assert_eq!(watch.ues().last(), Some(&(2, 70, Some(11))));
    watch.amf(&release_command(11, Some(1))).gnb(&release_complete(11, 1));
    assert_eq!(watch.ues(), [(1, 2, Some(12)), (1, 3, Some(13)), (2, 70, Some(11))]);
}

#[test]
fn whatever_ends_ues_ends_those_and_no_others() {
    let left = |act: &dyn Fn(&mut Watch)| {
        let mut watch = three();
        act(&mut watch);
        watch.ues().into_iter().map(|(_, ran, _)| ran).collect::<Vec<_>>()
    };
    let part = |list: &[UeIds]| reset(&ResetType::Part(List(connections(list))));
    let (by_ran, by_amf) = (UeIds { amf: None, ran: Some(2) }, UeIds { amf: Some(13), ran: None });
    assert_eq!(
        left(&|it| {
            it.gnb(&ng_setup(7));
        }),
        [0; 0]
    );
    assert_eq!(
        left(&|it| {
            it.gnb(&reset(&ResetType::All));
        }),
        [0; 0]
    );
    assert_eq!(
        left(&|it| {
            it.amf(&reset(&ResetType::All));
        }),
        [0; 0]
    );
    assert_eq!(
        left(&|it| {
            it.amf(&part(&[by_ran, by_amf]));
        }),
        [1]
    );
    assert_eq!(
        left(&|it| {
            it.gnb(&part(&[ids(11, 1), ids(99, 2), UeIds::default()]));
        }),
        [2, 3]
    );
    assert_eq!(
        left(&|it| {
            it.gnb(&release_complete(11, 1));
        }),
        [2, 3]
    );
    assert_eq!(
        left(&|it| {
            it.amf(&error(ids(12, 2), &Cause::UNKNOWN_LOCAL_ID));
        }),
        [1, 3]
    );
    assert_eq!(
        left(&|it| {
            it.amf(&error(ids(12, 2), &Cause::UNSPECIFIED));
        }),
        [1, 2, 3]
    );
    let failed = about(Outcome::Unsuccessful, Procedure::PathSwitchRequest, ids(12, 2), b"");
    assert_eq!(
        left(&|it| {
            it.amf(&failed);
        }),
        [1, 3]
    );
    let elsewhere = initiating(Procedure::RerouteNasRequest, |it| {
        add(it, ElementType::RanUeNgapId, &RanUeNgapId(3));
    });
    assert_eq!(
        left(&|it| {
            it.amf(&elsewhere);
        }),
        [1, 2]
    );
    // Of the other side these mean nothing.
    assert_eq!(
        left(&|it| {
            it.amf(&ng_setup(7));
        }),
        [1, 2, 3]
    );
    assert_eq!(
        left(&|it| {
            it.amf(&release_complete(11, 1));
        }),
        [1, 2, 3]
    );
    assert_eq!(left(&|it| it.observer.end(&2)), [1, 2, 3]);
    assert_eq!(left(&|it| it.observer.end(&1)), [0; 0]);
}

#[test]
fn silence_and_full_tables_make_room() {
    let mut watch = Watch::new(Bounds { ues: 2, associations: 2, ..Bounds::default() });
    for ran in 1..=2 {
        watch.now += Duration::from_secs(2);
        watch.gnb(&First::new(ran).bytes());
    }
    watch.now += Duration::from_secs(2);
    watch.amf(&down(11, 1, b"")).gnb(&First::new(3).bytes());
    assert_eq!(watch.ues(), [(1, 1, Some(11)), (1, 3, None)]);
    assert_eq!((watch.counts().displaced, watch.counts().met), (1, 3));

    watch.now += Duration::from_secs(3599);
    watch.amf(&down(11, 1, b""));
    watch.now += Duration::from_secs(2);
    watch.observer.age(watch.now);
    assert_eq!((watch.ues(), watch.counts().silent), (vec![(1, 1, Some(11))], 1));

    watch.say_on(2, Side::Gnb, &First::new(7).bytes());
    watch.now += Duration::from_secs(1);
    watch.gnb(&up(11, 1, b""));
    watch.say_on(3, Side::Gnb, &First::new(8).bytes());
    assert_eq!(watch.ues(), [(1, 1, Some(11)), (3, 8, None)]);
    assert_eq!(watch.observer.associations().count(), 2);
}

#[test]
fn pages_go_on_where_the_last_ended() {
    let watch = three();
    let second = watch.observer.ues(None).nth(1).unwrap().number;
    assert_eq!(watch.observer.ues(Some(second)).map(|seen| seen.ran).collect::<Vec<_>>(), [3]);
    assert_eq!(watch.observer.ue_count(), 3);
}
