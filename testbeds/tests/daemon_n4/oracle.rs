//! Others at N4: scapy as SMF and as UPF, and what tshark says of all of it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use pinion_protocols::pfcp::Cause;
use serde_json::{Value, json};
use testbeds::capture::Capture;
use testbeds::checksums::Judge;
use testbeds::n4::{Gnb, Smf, State, Wish};
use testbeds::need;
use testbeds::peers::gtpu::{self, Session};
use testbeds::peers::pfcp::Peer;
use testbeds::python::Python;
use testbeds::scenario::probe;

use super::bed::{Bed, N3, N4, Options, PATIENCE, SMFS, address, all_of, chosen, front_end, n3, plain};

/// Of each peer.
const SESSIONS: u64 = 20;

#[test]
fn scapy_is_an_smf() {
    need!(probe());
    let python = need!(Python::with_scapy());
    let options = Options { ue_addresses: "n6", ..Options::default() };
    let mut bed = Bed::new(&options);
    let _daemon = bed.start(&options);
    drop(bed.smfs.remove(0));
    let host = &bed.topology.clients[0];
    let mut smf = Peer::smf(&python, &host.namespace, address(host), N4).unwrap();
    assert_eq!(smf.order::<Value>(&json!({ "do": "associate" })).unwrap(), json!({ "cause": 1, "ftup": true }));
    let started: u64 = smf.order(&json!({ "do": "heartbeat" })).unwrap();
    assert_ne!(started, 0);
    let radio = address(&bed.topology.clients[SMFS]);
    let mut owners = BTreeMap::new();
    for seid in 1..=SESSIONS {
        let user = format!("10.99.0.{seid}");
        let made: Value = smf.order(&json!({ "do": "establish", "seid": seid, "user": user })).unwrap();
        assert_eq!((&made["cause"], &made["seid"], &made["rule"]), (&1.into(), &seid.into(), &1.into()), "{made}");
        assert_eq!((&made["at"], &made["tunnel"][1]), (&json!(N4), &json!(N3)));
        let uplink = made["tunnel"][0].as_u64().unwrap() as u32;
        let downlink = 0x9000_0000 | seid as u32;
        let activated: Value =
            smf.order(&json!({ "do": "activate", "seid": seid, "gnb": [downlink, radio] })).unwrap();
        assert_eq!(activated, json!({ "cause": 1, "seid": seid }));
        let beyond = IpAddr::from([192, 0, 2, 200]);
        let session = Session { uplink, downlink, terminal: user.parse().unwrap(), beyond, qfi: None };
        let echoes = bed.gnbs[0].send(n3(), &session, 2, 64, PATIENCE).unwrap();
        assert!(echoes.whole(), "{echoes:?}");
        *owners.entry(echoes.only_identity().unwrap().to_owned()).or_insert(0) += 1;
    }
    assert_eq!(bed.at_upfs().iter().sum::<usize>() as u64, SESSIONS);
    assert!(owners.len() > 1, "{owners:?}");
    for seid in 1..=SESSIONS {
        let deleted: Value = smf.order(&json!({ "do": "delete", "seid": seid })).unwrap();
        assert_eq!(deleted, json!({ "cause": 1, "seid": seid }));
    }
    let seen: Value = smf.order(&json!({ "do": "seen" })).unwrap();
    assert_eq!(seen["wrong"], json!([]));
    assert_eq!(bed.at_upfs(), [0; 4]);
    bed.flawless();
}

#[test]
fn scapy_is_a_upf() {
    const UPFS: usize = 2;
    need!(probe());
    let python = need!(Python::with_scapy());
    let options = Options { ue_addresses: "n6", upfs: UPFS, ..Options::default() };
    let mut bed = Bed::new(&options);
    bed.upfs.clear();
    let hosts = &bed.topology.endpoints[..UPFS];
    let mut upfs: Vec<Peer> =
        hosts.iter().map(|host| Peer::upf(&python, &host.namespace, address(host)).unwrap()).collect();
    let _daemon = bed.start(&options);
    // Scapy's UPF knows no traffic endpoints, and measures nothing.
    let wish = |smf: usize| move |number| Wish { endpoint: false, urr: false, ..chosen(smf)(number) };
    let seids = bed.establish_all(SESSIONS as usize, wish);
    let users: BTreeMap<String, Session> = all_of(&seids)
        .iter()
        .map(|(smf, seid)| bed.user(*smf, *seid))
        .map(|user| (user.terminal.to_string(), user))
        .collect();
    let mut found = 0;
    for (upf, host) in upfs.iter_mut().zip(&bed.topology.endpoints) {
        let sessions: BTreeMap<u32, Value> = upf.order(&json!({ "do": "sessions" })).unwrap();
        assert!(!sessions.is_empty());
        let mut downlinks = BTreeMap::new();
        for (uplink, session) in &sessions {
            assert_eq!((&session["uplink"], &session["smf"]), (&(*uplink).into(), &json!(N4)));
            let user = &users[session["user"].as_str().unwrap()];
            assert_eq!(session["downlink"][0], user.downlink);
            downlinks.insert(*uplink, user.downlink);
        }
        let local = [IpAddr::V4(address(host))];
        let mut plane = gtpu::Upf::start(&python, &host.namespace, &host.name, &local, 2152, &downlinks).unwrap();
        for session in sessions.values() {
            let user = &users[session["user"].as_str().unwrap()];
            let gnb = session["downlink"][1].as_str().unwrap();
            let gnbs = bed.topology.clients[SMFS..].iter().position(|host| address(host).to_string() == gnb);
            let echoes = scapy_answers(&mut bed.gnbs[gnbs.unwrap()], user);
            assert_eq!(echoes.as_deref(), Some(host.name.as_str()));
            found += 1;
        }
        let served = plane.served().unwrap();
        assert!(served.unknown.is_empty());
        assert!(served.packets.len() == sessions.len() && served.packets.values().all(|packets| *packets == 1));
        let seid = *sessions.keys().next().unwrap();
        let answered: Value = upf.order(&json!({ "do": "report", "seid": seid })).unwrap();
        assert_eq!(answered, json!({ "cause": 1, "seid": seid }));
    }
    assert_eq!(found, SMFS as u64 * SESSIONS);
    bed.all(&seids, Smf::delete);
    for smf in 0..SMFS {
        assert_eq!(bed.that_are(smf, State::Deleted) as u64, SESSIONS);
    }
    for upf in &mut upfs {
        assert_eq!(upf.order::<Value>(&json!({ "do": "sessions" })).unwrap(), json!({}));
        let seen: Value = upf.order(&json!({ "do": "seen" })).unwrap();
        assert_eq!(seen["wrong"], json!([]));
    }
    bed.flawless();
}

/// Who answered to a user's one packet.
fn scapy_answers(gnb: &mut Gnb, user: &Session) -> Option<String> {
    let echoes = gnb.send(n3(), user, 1, 64, PATIENCE).unwrap();
    echoes.only_identity().filter(|_| echoes.whole()).map(str::to_owned)
}

/// All that is said on N4 on the wires of one SMF and of one UPF.
#[test]
fn tshark_finds_nothing_malformed() {
    need!(probe());
    let judge = need!(Judge::find());
    let options = Options::default();
    let mut bed = Bed::new(&options);
    let captures: Vec<Capture> = [&bed.topology.clients[0], &bed.topology.endpoints[0]]
        .into_iter()
        .map(|host| {
            let file = bed.place.file(&format!("{}.pcap", host.name));
            Capture::start(&host.namespace, &host.links[0].host.interface.name, &file).unwrap()
        })
        .collect();
    let mut daemon = bed.start(&options);
    let seids = bed.establish_all(SESSIONS as usize, |_| plain);
    for (smf, seid) in all_of(&seids) {
        assert!(bed.send(smf, seid, 1).whole());
    }
    let bearers: Vec<u64> = bed.upfs[0].upf.with(|upf, _| upf.sessions().keys().copied().collect());
    bed.upfs[0].upf.with(|upf, now| bearers.iter().for_each(|seid| upf.report_usage(*seid, now)));
    daemon.kill().unwrap();
    daemon = bed.place.start(&bed.topology.balancer).unwrap();
    bed.smfs[0].with(|smf, now| smf.heartbeat(front_end(), now));
    for task in [Smf::confirm, Smf::query, Smf::deactivate, Smf::delete] {
        bed.all(&seids, task);
    }
    bed.smfs[0].with(|smf, _| {
        assert!(smf.sessions().values().all(|it| it.causes.iter().all(|(_, cause)| *cause == Cause::ACCEPTED)));
    });
    assert!(daemon.stop().unwrap());
    bed.flawless();
    for capture in captures {
        let file = capture.path().to_owned();
        assert!(capture.finish().unwrap() > 0);
        let messages = judge.count(&file, "pfcp").unwrap();
        println!("{}: {messages} messages", file.display());
        assert!(messages > 100);
        assert_eq!(judge.count(&file, "udp.port == 8805 && !pfcp && !icmp").unwrap(), 0);
        let bad =
            judge.frames(&file, "(pfcp || gtp) && (_ws.malformed || _ws.expert.severity >= 0x600000)").unwrap();
        assert_eq!(bad, [""; 0]);
        assert_eq!(judge.wrong_checksums(&file).unwrap(), []);
    }
}
