//! Pools of users' addresses: to SMFs those of all UPFs (TS 29.244 7.4.4.1.1, 5.21.3).

use std::time::Duration;

use pinion_protocols::pfcp::{Addresses, Cause, Element, ElementType, MessageType, MessageWriter, UeAddress};

use crate::smf::{Smf, user_pdr};
use crate::stage::{HEARTBEAT, N1, Said, Stage, T1, settings, upf_address};
use crate::upf::Mood;

/// UE IP Address Pool Information of IPv4 (TS 29.244 8.2.176), for a network instance.
fn pool(writer: &mut MessageWriter<'_>, network: &[u8], names: &[&[u8]]) {
    writer.nested(ElementType::UeIpAddressPoolInformation, |writer| {
        for name in names {
            writer.element(ElementType::UeIpAddressPoolIdentity, |out| {
                out.extend_from_slice(&[0, name.len() as u8]);
                out.extend_from_slice(name);
            });
        }
        writer.add(&Element::NetworkInstance(network));
        writer.element(ElementType::IpVersion, |out| out.extend_from_slice(&[1]));
    });
}

fn first(writer: &mut MessageWriter<'_>) {
    pool(writer, b"internet", &[b"a", b"b"]);
}

fn second(writer: &mut MessageWriter<'_>) {
    pool(writer, b"ims", &[b"d"]);
    pool(writer, b"internet", &[b"c", b"b"]);
}

/// What is told: network instances, each with the names of its pools.
fn told(said: &Said) -> Vec<(Vec<u8>, Vec<Vec<u8>>)> {
    let groups = said.message().elements().map(|element| element.unwrap());
    let groups = groups.filter(|element| element.kind() == ElementType::UeIpAddressPoolInformation);
    let all = groups.map(|group| {
        let children = || group.group().unwrap().unwrap().map(|child| child.unwrap());
        let of = |kind| children().filter(move |child| child.kind() == kind).map(|child| child.value().to_vec());
        assert_eq!(of(ElementType::IpVersion).collect::<Vec<_>>(), [[1]]);
        let network = of(ElementType::NetworkInstance).next().unwrap();
        (network, of(ElementType::UeIpAddressPoolIdentity).map(|name| name[2..].to_vec()).collect())
    });
    all.collect()
}

fn stage() -> (Stage, Smf) {
    let mut stage = Stage::new(settings(2));
    stage.upfs[0].says = Some(first);
    stage.upfs[1].says = Some(second);
    stage.pass(Duration::ZERO);
    (stage, Smf::new(1))
}

fn names(names: &[&[u8]]) -> Vec<Vec<u8>> {
    names.iter().map(|name| name.to_vec()).collect()
}

/// TS 29.244 7.4.4.2: what any UPF has, once for the same users.
#[test]
fn clause_7_4_4_2_smfs_are_told_of_all_pools() {
    let (mut stage, smf) = stage();
    let answer = stage.ask(&smf, &smf.setup(7));
    let expected = [(b"ims".to_vec(), names(&[b"d"])), (b"internet".to_vec(), names(&[b"a", b"b", b"c"]))];
    assert_eq!(told(&answer), expected);
}

/// TS 29.244 7.4.4.3: a change is told: a UPF that is lost, one that has other pools by now.
#[test]
fn clause_7_4_4_3_smfs_are_told_of_changes() {
    let (mut stage, smf) = stage();
    stage.ask(&smf, &smf.setup(7));
    stage.upfs[0].mood = Mood::IsSilent;
    stage.live(HEARTBEAT + N1 * T1);
    let updates = stage.requests(smf.address, MessageType::AssociationUpdateRequest);
    assert_eq!(updates.len(), 1);
    assert_eq!(told(&updates[0])[1], (b"internet".to_vec(), names(&[b"b", b"c"])));
    let node = stage.upfs[1].node();
    let update = stage.upfs[1].request(MessageType::AssociationUpdateRequest, None, |writer| {
        writer.add(&node);
        pool(writer, b"internet", &[b"e"]);
    });
    stage.receive(upf_address(2), &update);
    let updates = stage.requests(smf.address, MessageType::AssociationUpdateRequest);
    assert_eq!((updates.len(), told(&updates[0])), (1, vec![(b"internet".to_vec(), names(&[b"e"]))]));
}

/// TS 29.244 5.21.3.2: a session whose user gets an address of a pool goes to the UPF that has the pool.
#[test]
fn clause_5_21_3_2_a_session_goes_where_its_pool_is() {
    let (mut stage, mut smf) = stage();
    stage.ask(&smf, &smf.setup(7));
    let mut place = |name: &'static [u8]| {
        smf.sequence += 1;
        let request = smf.establish(smf.sequence.into(), |writer| {
            writer.nested(ElementType::CreatePdr, |writer| {
                writer.add(&Element::PdrId(1));
                writer.element(ElementType::UeIpAddressPoolIdentity, |out| {
                    out.extend_from_slice(&[0, name.len() as u8]);
                    out.extend_from_slice(name);
                });
            });
        });
        assert_eq!(stage.ask(&smf, &request).cause(), Some(Cause::ACCEPTED));
        stage.upfs.iter().map(|upf| upf.sessions.len()).collect::<Vec<_>>()
    };
    let shares = [place(b"c"), place(b"c"), place(b"a"), place(b"a"), place(b"d")];
    assert_eq!(shares, [[0, 1], [0, 2], [1, 2], [2, 2], [2, 3]]);
    // Of what nobody has told, any may have it.
    place(b"x");
    assert_eq!(place(b"x").iter().sum::<usize>(), 7);
}

/// TS 29.244 5.21.3.1: an address that the UPF chose is in its Created PDR, and passes as it is.
#[test]
fn clause_5_21_3_1_an_address_of_the_upfs_choice_passes() {
    fn address() -> Element<'static> {
        Element::UeIpAddress(UeAddress {
            addresses: Addresses { v4: Some([10, 45, 0, 9].into()), v6: None },
            destination: true,
            delegated: None,
            prefix: None,
            choose_v4: false,
            choose_v6: false,
        })
    }
    let (mut stage, mut smf) = Stage::set_up(settings(1));
    stage.upfs[0].adds = Some(|writer| {
        writer.nested(ElementType::CreatedPdr, |writer| {
            writer.add(&Element::PdrId(3)).add(&address());
        });
    });
    smf.sequence += 1;
    let answer = stage.ask(&smf, &smf.establish(1, |writer| user_pdr(writer, 3, None)));
    let asked = stage.upfs[0].heard(MessageType::SessionEstablishmentRequest)[0];
    let choice = asked.message().elements().find(ElementType::CreatePdr).unwrap().unwrap();
    let choice = choice.group().unwrap().unwrap().find(ElementType::Pdi).unwrap().unwrap();
    let choice = choice.group().unwrap().unwrap().find(ElementType::UeIpAddress).unwrap().unwrap();
    assert!(matches!(choice.parse().unwrap(), Element::UeIpAddress(UeAddress { choose_v4: true, .. })));
    let created = answer.message().elements().find(ElementType::CreatedPdr).unwrap().unwrap();
    let told = created.group().unwrap().unwrap().find(ElementType::UeIpAddress).unwrap().unwrap();
    assert_eq!(told.parse().unwrap(), address());
}
