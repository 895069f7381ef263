//! Why UEs are at their AMFs, and where one would go.

use pinion_n2::{Barred, Candidate, Identity, Placement};
use pinion_protocols::ngap::{FiveGSTmsi, Guami};

use super::MOST;
use crate::control::{Control as _, EndpointView, Explained, Explanation, N2Explained, N2Ue, N2UeView};
use crate::daemon::state::Daemon;
use crate::daemon::{aware, front_ends};
use crate::n2::{find, given};
use crate::sessions::number;

/// An identifier of N2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// RAN UE NGAP ID, and the gNB.
    Ran(u32, String),
    /// AMF UE NGAP ID, the AMF's or the gNB's.
    Amf(u64),
    Tmsi(FiveGSTmsi),
    Guami(Guami),
}

impl Key {
    /// Reads `ue:NUMBER@GNB`, `amf-ue-ngap-id:NUMBER`, `tmsi:SET-POINTER-NUMBER` or `guami:PLMN-REGION-SET-POINTER`.
    pub(super) fn parse(key: &str) -> Option<Self> {
        let (kind, of) = key.split_once(':')?;
        match kind {
            "ue" => {
                let (ran, gnb) = of.split_once('@').filter(|(_, gnb)| !gnb.is_empty())?;
                Some(Self::Ran(number(ran)?, gnb.to_owned()))
            }
            "amf-ue-ngap-id" => number(of).map(Self::Amf),
            "tmsi" => of.parse().ok().map(Self::Tmsi),
            "guami" => of.parse().ok().map(Self::Guami),
            _ => None,
        }
    }

    fn is(&self, ue: &N2Ue) -> bool {
        match self {
            Self::Ran(ran, gnb) => ue.ran == Some(*ran) && ue.gnb == *gnb,
            Self::Amf(id) => ue.amf_id == Some(*id) || ue.gnb_id == Some(*id),
            Self::Tmsi(tmsi) => ue.tmsi == Some(*tmsi),
            Self::Guami(guami) => ue.guami == Some(*guami),
        }
    }

    /// Who a UE is that comes with it.
    fn identity(&self) -> Option<Identity> {
        match self {
            Self::Tmsi(tmsi) => Some(Identity::Tmsi(*tmsi)),
            Self::Guami(guami) => Some(Identity::Guami(*guami, None)),
            Self::Ran(..) | Self::Amf(_) => None,
        }
    }
}

/// Why UEs of an identifier are where they are; where there is none, and it says which AMF a UE had, where one would go.
pub(super) async fn explain(daemon: &Daemon, key: &Key) -> Vec<Explanation> {
    let hosts = front_ends::running_n2(daemon).await;
    let found = find(&aware::knowing(daemon).await, MOST, |ue| key.is(ue)).await;
    let endpoints = if found.is_empty() { Vec::new() } else { daemon.endpoints(None).await.unwrap_or_default() };
    let mut explanations = Vec::new();
    for N2UeView { service, ue } in found {
        let host = hosts.iter().find(|(name, _)| *name == service);
        let amfs = match host {
            Some((_, host)) => host.judged(ue.number).await,
            None => Vec::new(),
        };
        let steps = steps(&endpoints, &ue, &amfs);
        explanations.push(explained(service, Some(ue), amfs, steps));
    }
    if let (Some(identity), []) = (key.identity(), explanations.as_slice()) {
        for (service, host) in &hosts {
            let placements = host.placements(identity).await;
            if placements.is_empty() {
                let steps = vec!["no such UE is known, and no gNB is set up from which one could come".to_owned()];
                explanations.push(explained(service.clone(), None, Vec::new(), steps));
            }
            for placement in placements {
                let steps = would_go(&placement);
                explanations.push(explained(service.clone(), None, placement.candidates, steps));
            }
        }
        explanations.truncate(MOST);
    }
    explanations
}

fn explained(service: String, ue: Option<N2Ue>, amfs: Vec<Candidate>, steps: Vec<String>) -> Explanation {
    Explanation { session: Explained::N2(N2Explained { service, ue, amfs }), steps }
}

/// The steps that led a UE to its AMF, and what would lead it there anew.
fn steps(endpoints: &[EndpointView], ue: &N2Ue, amfs: &[Candidate]) -> Vec<String> {
    let known = |id: Option<u64>| {
        id.map_or_else(|| "no AMF UE NGAP ID yet".to_owned(), |id| format!("AMF UE NGAP ID {id}"))
    };
    let ran = ue.ran.map_or_else(|| "no RAN UE NGAP ID yet".to_owned(), |ran| format!("RAN UE NGAP ID {ran}"));
    let mut steps = vec![format!(
        "gNB {} knows it by {ran} and {}, {} by {}",
        ue.gnb,
        known(ue.gnb_id),
        ue.amf,
        known(ue.amf_id)
    )];
    let tmsi = ue.tmsi.map(|tmsi| format!("it came with 5G-S-TMSI {tmsi}"));
    let guami = ue.guami.map(|guami| format!("its GUAMI is {guami}"));
    let identity: Vec<_> = tmsi.into_iter().chain(guami).collect();
    steps.push(match identity.as_slice() {
        [] => "it came without an identity that says which AMF it had".to_owned(),
        some => some.join("; "),
    });
    steps.push(ue.why.clone());
    for (procedure, _) in &ue.procedures {
        steps.push(format!("{procedure} is not answered yet"));
    }
    steps.extend(amfs.iter().map(|amf| format!("if it came anew: {}", said(amf))));
    steps.push(super::now(&ue.amf, super::named(&ue.amf, endpoints)));
    steps
}

/// Where a UE would go, and why.
fn would_go(placement: &Placement) -> Vec<String> {
    let (node, count) = &placement.gnbs;
    let whose = match count {
        1 => format!("gNB {node}"),
        count => format!("one of {count} gNBs, {node} among them,"),
    };
    let all = placement.candidates.iter().map(said);
    std::iter::once(format!("no such UE is known; one that comes to {whose} would be judged so"))
        .chain(all)
        .collect()
}

/// What the rules say of an AMF.
fn said(of: &Candidate) -> String {
    let Candidate { amf, verdict, weight, share, overload } = of;
    let points = match verdict {
        Err(why) => return format!("{amf} gets no new UEs: {}", barred(*why)),
        Ok(points) => points,
    };
    let given = given(*points);
    let given = if given.is_empty() { given } else { format!(": {given}") };
    let gets = match share {
        0 => "gets none".to_owned(),
        share => format!("gets {share} % by weight {weight}"),
    };
    let asks = match overload {
        0 => String::new(),
        percent => format!("; it asks to be spared {percent} % of them"),
    };
    format!("{amf} {gets}, with {} points{given}{asks}", points.sum())
}

fn barred(why: Barred) -> &'static str {
    match why {
        Barred::NotSetUp => "the gNB is not set up with it",
        Barred::Removed => "it is configured no more",
        Barred::Drained => "it is drained",
        Barred::NoWeight => "its weight is 0",
        Barred::NoCapacity => "it says that its relative capacity is 0",
        Barred::NoGuami => "it has given up all of its GUAMIs",
        Barred::LetGo => "it let this one go",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pinion_n2::Rule;
    use pinion_protocols::ngap::Procedure;
    use pinion_protocols::ngap::value::{GlobalRanNodeId, Plmn};

    use super::*;
    use crate::control::N2Mode;

    fn candidates() -> Vec<Candidate> {
        let one = |amf: &str, verdict, share, overload| Candidate {
            amf: amf.into(),
            verdict,
            weight: 100,
            share,
            overload,
        };
        vec![
            one("amfs/a", Ok([Rule::Load, Rule::Owner, Rule::SameSet].into_iter().collect()), 100, 0),
            one("amfs/b", Ok([Rule::SameSet].into_iter().collect()), 0, 30),
            one("amfs/c", Err(Barred::Drained), 0, 0),
        ]
    }

    #[test]
    fn keys_are_read() {
        let guami = Guami { plmn: [0x00, 0xf1, 0x10], region: 2, set: 3, pointer: 4 };
        let tmsi = FiveGSTmsi { set: 3, pointer: 4, tmsi: [0, 0, 0, 7] };
        for (text, key) in [
            ("ue:0x10@001-01-gnb-000001/24", Some(Key::Ran(16, "001-01-gnb-000001/24".into()))),
            ("amf-ue-ngap-id:1099511627775", Some(Key::Amf((1 << 40) - 1))),
            ("tmsi:3-4-0x7", Some(Key::Tmsi(tmsi))),
            ("guami:001-01-2-3-4", Some(Key::Guami(guami))),
            ("ue:7", None),
            ("ue:7@", None),
            ("ue:4294967296@x", None),
            ("tmsi:7", None),
            ("guami:", None),
            ("teid:7", None),
        ] {
            assert_eq!(Key::parse(text), key, "{text}");
        }
    }

    #[test]
    fn a_ue_is_explained_by_what_led_it_there() {
        let ue = N2Ue {
            number: 1,
            mode: N2Mode::Ue,
            gnb: "001-01-gnb-000001/24".into(),
            amf: "amfs/a".into(),
            ran: Some(5),
            amf_id: Some(7),
            gnb_id: Some(8),
            tmsi: Some(FiveGSTmsi { set: 3, pointer: 4, tmsi: [0, 0, 0, 7] }),
            guami: None,
            since: Duration::ZERO,
            why: "amfs/a answered".into(),
            procedures: vec![(Procedure::InitialContextSetup, Duration::ZERO)],
        };
        assert_eq!(
            steps(&[], &ue, &candidates()),
            [
                "gNB 001-01-gnb-000001/24 knows it by RAN UE NGAP ID 5 and AMF UE NGAP ID 8, amfs/a by AMF UE NGAP ID 7",
                "it came with 5G-S-TMSI 3-4-0x00000007",
                "amfs/a answered",
                "Initial Context Setup is not answered yet",
                "if it came anew: amfs/a gets 100 % by weight 100, with 21 points: does not ask to be spared such UEs (16), gave it \
                 its identity (4), is of the set of the AMF that gave it its identity (1)",
                "if it came anew: amfs/b gets none, with 1 points: is of the set of the AMF that gave it its identity (1); it asks \
                 to be spared 30 % of them",
                "if it came anew: amfs/c gets no new UEs: it is drained",
                "amfs/a is configured no longer; its sessions stay until they end",
            ]
        );
        let unknown = N2Ue { tmsi: None, ran: None, amf_id: None, ..ue };
        let steps = steps(&[], &unknown, &[]);
        assert!(
            steps[0].contains("no RAN UE NGAP ID yet") && steps[0].ends_with("by no AMF UE NGAP ID yet"),
            "{steps:?}"
        );
        assert!(steps[1].starts_with("it came without an identity"), "{steps:?}");
    }

    #[test]
    fn where_one_would_go_is_said_for_gnbs_alike() {
        let node = GlobalRanNodeId::Gnb { plmn: Plmn([0x00, 0xf1, 0x10]), id: 1, bits: 24 };
        let steps = would_go(&Placement { gnbs: (node, 3), candidates: candidates() });
        assert!(steps[0].contains("comes to one of 3 gNBs, 001-01-gnb-000001/24 among them, would"), "{steps:?}");
        assert_eq!(steps[3], "amfs/c gets no new UEs: it is drained");
    }
}
