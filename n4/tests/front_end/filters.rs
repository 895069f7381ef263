//! Filters of tunnels, learned from the SDF filters of uplink PDRs (TS 29.244 5.2.1A, 8.2.5).

use std::net::IpAddr;
use std::time::Duration;

use pinion_n4::{Breakout, FlowFilter, FrontEnd, Settings};
use pinion_protocols::pfcp::{
    Addresses, Cause, Element, ElementType, FTeid, MessageWriter, OuterHeaderCreation, SdfFilter, UeAddress,
};

use crate::smf::{Smf, header, remove_pdr};
use crate::stage::{HEARTBEAT, N1, Stage, T1, n3, n3_here, name, settings};
use crate::upf::Mood;

/// One F-TEID for all PDRs (CHID, TS 29.244 8.2.3).
const SHARED: FTeid = FTeid::Choose { v4: true, v6: false, id: Some(1) };
const EDGE: &str = "permit out 17 from 203.0.113.0/24 53,5000-5999 to assigned";
const USER: [u8; 4] = [10, 45, 0, 7];

/// FARs: to the UPF's own data network, to the edge, and to UPF 2.
const OWN: u32 = 1;
const BREAKS_OUT: u32 = 2;
const ON: u32 = 3;

fn breaks_out(upfs: u8) -> Settings {
    let breakout = |network_instance: &str, via: &str| Breakout {
        network_instance: network_instance.into(),
        via: via.into(),
    };
    Settings { breakouts: vec![breakout("mec", "mec/edge"), breakout("n9", "upfs/2")], ..settings(upfs) }
}

fn create_far(writer: &mut MessageWriter<'_>, number: u32, network: &[u8], to: Option<OuterHeaderCreation>) {
    writer.nested(ElementType::CreateFar, |writer| {
        writer.add(&Element::FarId(number));
        writer.element(ElementType::ApplyAction, |out| out.extend_from_slice(&[2]));
        writer.nested(ElementType::ForwardingParameters, |writer| {
            writer.add(&Element::DestinationInterface(1)).add(&Element::NetworkInstance(network));
            if let Some(to) = to {
                writer.add(&Element::OuterHeaderCreation(to));
            }
        });
    });
}

fn fars(writer: &mut MessageWriter<'_>) {
    create_far(writer, OWN, b"internet", None);
    // As labels of the DNS.
    create_far(writer, BREAKS_OUT, b"\x03mec", None);
    create_far(writer, ON, b"n9", Some(header(0x77, IpAddr::from(n3(2).0).into())));
}

fn user() -> Element<'static> {
    Element::UeIpAddress(UeAddress {
        addresses: Addresses { v4: Some(USER.into()), v6: None },
        destination: false,
        delegated: None,
        prefix: None,
        choose_v4: false,
        choose_v6: false,
    })
}

/// An uplink PDR of flows, and what else its PDI has.
fn pdr(
    writer: &mut MessageWriter<'_>,
    (number, precedence, far): (u16, u32, u32),
    flows: &[&str],
    more: impl FnOnce(&mut MessageWriter<'_>),
) {
    writer.nested(ElementType::CreatePdr, |writer| {
        writer.add(&Element::PdrId(number)).add(&Element::Precedence(precedence));
        writer.nested(ElementType::Pdi, |writer| {
            writer.add(&Element::SourceInterface(0)).add(&Element::FTeid(SHARED)).add(&user());
            for flow in flows {
                let flow = Some(flow.as_bytes());
                writer.add(&Element::SdfFilter(SdfFilter {
                    flow,
                    traffic_class: None,
                    security: None,
                    flow_label: None,
                    id: None,
                }));
            }
            more(writer);
        });
        writer.add(&Element::FarId(far));
    });
}

/// A session whose default rule is tried last; its SEID here.
fn made(stage: &mut Stage, smf: &mut Smf, rules: impl FnOnce(&mut MessageWriter<'_>)) -> u64 {
    smf.sequence += 1;
    let request = smf.establish(1, |writer| {
        fars(writer);
        rules(writer);
        pdr(writer, (100, 255, OWN), &[], |_| {});
    });
    let answer = stage.ask(smf, &request);
    // It is never refused for what is not learned.
    assert_eq!(answer.cause(), Some(Cause::ACCEPTED));
    answer.f_seid().unwrap().seid
}

fn modify(stage: &mut Stage, smf: &mut Smf, here: u64, rules: impl FnOnce(&mut MessageWriter<'_>)) {
    smf.sequence += 1;
    assert_eq!(stage.ask(smf, &smf.modify(here, rules)).cause(), Some(Cause::ACCEPTED));
}

/// The filters of the one tunnel, in words.
fn said(stage: &Stage) -> Vec<String> {
    let words = |it: &FlowFilter| {
        let side = |prefix: Option<(IpAddr, u8)>, [first, last]: [u16; 2]| {
            let prefix = prefix.map_or("any".to_owned(), |(address, length)| format!("{address}/{length}"));
            if (first, last) == (0, u16::MAX) { prefix } else { format!("{prefix} {first}-{last}") }
        };
        let (from, to) = (side(it.from.prefix, it.from.ports), side(it.to.prefix, it.to.ports));
        let teid = it.teid.map_or(String::new(), |teid| format!(" teid {teid:#x}"));
        format!("{} from {from} to {to} via {}{teid}", it.protocol, it.via)
    };
    assert!(stage.filters.len() <= 1, "{:?}", stage.filters);
    stage.filters.values().flatten().map(words).collect()
}

const EDGE_SAID: [&str; 2] = [
    "17 from 10.45.0.7/32 to 203.0.113.0/24 53-53 via mec/edge",
    "17 from 10.45.0.7/32 to 203.0.113.0/24 5000-5999 via mec/edge",
];
const REST_SAID: &str = "0 from 10.45.0.7/32 to 198.51.100.128/25 via mec/edge";
const REST: &str = "permit out ip from 198.51.100.128/25 to 10.45.0.0/16";

/// Rules of lower numbers are tried first (TS 29.244 8.2.11), whatever order they come in.
#[test]
fn rules_become_filters_in_their_order() {
    let (mut stage, mut smf) = Stage::set_up(breaks_out(2));
    made(&mut stage, &mut smf, |writer| {
        pdr(writer, (1, 20, BREAKS_OUT), &[REST], |_| {});
        pdr(writer, (2, 10, BREAKS_OUT), &[EDGE], |_| {});
        pdr(writer, (3, 30, ON), &["permit out 132 from any to any"], |_| {});
    });
    let on = "132 from 10.45.0.7/32 to any via upfs/2 teid 0x77";
    assert_eq!(said(&stage), [EDGE_SAID[0], EDGE_SAID[1], REST_SAID, on]);
    assert_eq!(stage.front_end.counts().unlearned, 0);
    let at = *stage.filters.keys().next().unwrap();
    assert_eq!((at.0, stage.pins[&at].0.clone()), (n3_here().0.into(), name(1)));
}

/// What its UPF would do with a packet before, it does.
#[test]
fn what_cannot_be_learned_ends_the_list() {
    let fits = |writer: &mut MessageWriter<'_>| pdr(writer, (1, 10, BREAKS_OUT), &[EDGE], |_| {});
    type Rules = fn(&mut MessageWriter<'_>);
    let cases: [(&str, Rules, u64); 7] = [
        ("a rule of the UPF", |writer| pdr(writer, (2, 20, OWN), &[REST], |_| {}), 1),
        ("no flow", |writer| pdr(writer, (2, 20, BREAKS_OUT), &["permit out udp from any to any"], |_| {}), 2),
        ("no filter", |writer| pdr(writer, (2, 20, BREAKS_OUT), &[], |_| {}), 2),
        (
            "a QFI (8.2.89)",
            |writer| {
                pdr(writer, (2, 20, BREAKS_OUT), &[REST], |writer| {
                    writer.add(&Element::Qfi(9));
                });
            },
            2,
        ),
        (
            "another user",
            |writer| pdr(writer, (2, 20, BREAKS_OUT), &["permit out ip from any to 10.46.0.1"], |_| {}),
            2,
        ),
        (
            "a UPF elsewhere",
            |writer| {
                create_far(writer, 4, b"n9", Some(header(0x77, IpAddr::from(n3(1).0).into())));
                pdr(writer, (2, 20, 4), &[REST], |_| {});
            },
            2,
        ),
        (
            "too many",
            |writer| {
                let ports: Vec<String> = (1..=15).map(|port| port.to_string()).collect();
                let flow = format!("permit out 6 from any {} to any", ports.join(","));
                pdr(writer, (2, 20, BREAKS_OUT), &[&flow], |_| {});
            },
            2,
        ),
    ];
    for (what, rules, unlearned) in cases {
        let (mut stage, mut smf) = Stage::set_up(breaks_out(2));
        made(&mut stage, &mut smf, |writer| {
            fits(writer);
            rules(writer);
            pdr(writer, (3, 30, BREAKS_OUT), &[REST], |_| {});
        });
        assert_eq!(said(&stage), EDGE_SAID, "{what}");
        assert_eq!(stage.front_end.counts().unlearned, unlearned, "{what}");
    }
}

#[test]
fn nothing_breaks_out_where_the_configuration_does_not_say_so() {
    let (mut stage, mut smf) = Stage::set_up(settings(2));
    made(&mut stage, &mut smf, |writer| pdr(writer, (1, 10, BREAKS_OUT), &[EDGE], |_| {}));
    assert_eq!((said(&stage), stage.front_end.counts().unlearned), (vec![], 0));
}

#[test]
fn filters_follow_what_a_session_becomes() {
    let (mut stage, mut smf) = Stage::set_up(breaks_out(1));
    let here = made(&mut stage, &mut smf, |writer| pdr(writer, (1, 10, BREAKS_OUT), &[EDGE], |_| {}));
    modify(&mut stage, &mut smf, here, |writer| pdr(writer, (2, 5, BREAKS_OUT), &[REST], |_| {}));
    // The new rule has an F-TEID of its own: the UPF chose another one for it.
    assert_eq!(stage.filters.len(), 2);
    modify(&mut stage, &mut smf, here, |writer| remove_pdr(writer, 2));
    assert_eq!(said(&stage), EDGE_SAID);
    // Update FAR (7.5.4.3): to the UPF's own network, and back.
    for (network, expected) in [(&b"internet"[..], &[][..]), (b"mec", &EDGE_SAID[..])] {
        modify(&mut stage, &mut smf, here, |writer| {
            writer.nested(ElementType::UpdateFar, |writer| {
                writer.add(&Element::FarId(BREAKS_OUT));
                writer.nested(ElementType::UpdateForwardingParameters, |writer| {
                    writer.add(&Element::NetworkInstance(network));
                });
            });
        });
        assert_eq!(said(&stage), expected);
    }
    // The next front end says them again, and other settings take them away.
    stage.filters.clear();
    stage.front_end = FrontEnd::take_over(breaks_out(1), stage.kept.clone(), 99).unwrap();
    stage.pass(Duration::ZERO);
    assert_eq!(said(&stage), EDGE_SAID);
    stage.front_end.configure(settings(1));
    stage.settle();
    assert_eq!(said(&stage), Vec::<String>::new());
    stage.front_end.configure(breaks_out(1));
    stage.settle();
    assert_eq!(said(&stage), EDGE_SAID);
    smf.sequence += 1;
    assert_eq!(stage.ask(&smf, &smf.delete(here)).cause(), Some(Cause::ACCEPTED));
    assert_eq!(said(&stage), Vec::<String>::new());
}

#[test]
fn filters_are_said_again_where_a_session_is_made_again() {
    let (mut stage, mut smf) = Stage::set_up(Settings { restore: true, ..breaks_out(2) });
    made(&mut stage, &mut smf, |writer| pdr(writer, (1, 10, BREAKS_OUT), &[EDGE], |_| {}));
    stage.upfs[0].mood = Mood::IsSilent;
    stage.live(HEARTBEAT + T1 * N1);
    assert_eq!(stage.front_end.counts().restored, 1);
    assert_eq!(said(&stage), EDGE_SAID);
    let at = *stage.filters.keys().next().unwrap();
    assert_eq!(stage.pins[&at].0, name(2));
}

/// What is followed for its filters alone is not made again.
#[test]
fn a_session_is_lost_where_none_is_to_be_restored() {
    let (mut stage, mut smf) = Stage::set_up(breaks_out(2));
    made(&mut stage, &mut smf, |writer| pdr(writer, (1, 10, BREAKS_OUT), &[EDGE], |_| {}));
    stage.upfs[0].mood = Mood::IsSilent;
    stage.live(HEARTBEAT + T1 * N1);
    assert_eq!((stage.front_end.counts().restored, stage.front_end.counts().lost), (0, 1));
    assert_eq!(said(&stage), Vec::<String>::new());
}
