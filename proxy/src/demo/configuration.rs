//! The configuration of the daemon in the demonstration.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use pinion_loader::Bounds;

use super::cast::{self, Member, Network, Role};
use super::sbi::cast::{NRF, SCP};

/// The pools: of AMFs to whole associations and to UEs, and of UPFs as N3 and as N4 see them.
const AMFS: &str = "amf";
const AMFS_OF_UES: &str = "amf-ue";
const UPFS: &str = "upf";
const UPFS_N4: &str = "upf-n4";

/// How often endpoints are asked. What is pinned stays where it is, and so a false alarm does no harm; but UEs do not stay on
/// an AMF that is taken to be gone.
const QUICK: &str = "interval: 300ms, timeout: 250ms, rise: 1, fall: 2";
const PATIENT: &str = "interval: 400ms, timeout: 400ms, rise: 1, fall: 4";

/// The service that the daemon itself speaks for.
pub(crate) const PFCP_SERVICE: &str = "n4";

/// And the one that it speaks NGAP for.
pub(crate) const UE_SERVICE: &str = "n2-ue";

/// How many entries the daemon's tables hold: plenty for the demonstration.
pub(crate) const BOUNDS: Bounds = Bounds {
    flows: 4096,
    flows6: 1024,
    pins: 4096,
    filters: 1024,
    fragments: 1024,
    services: 256,
    sources: 256,
    targets: 256,
    maglev: 65536,
};

/// The configuration as YAML: two services for N2, whole associations and UEs, one for N3, and one
/// for N4, from which the tunnels of N3 are learned, and the SCP.
/// `api`: where the daemon listens; `None`, in simulation: nowhere, and on no interface, and no SCP yet.
pub(crate) fn yaml(api: Option<&Path>) -> String {
    let mut yaml = String::new();
    if let Some(api) = api {
        let _ = writeln!(yaml, "api: {{ unix: '{}' }}", api.display());
        let interfaces: Vec<_> = cast::members()
            .flat_map(|member| member.networks().iter().map(move |network| interface(member, *network)))
            .collect();
        let _ = writeln!(yaml, "interfaces: [{}]", interfaces.join(", "));
    }
    let Bounds { flows, flows6, pins, filters, fragments, services, sources, targets, maglev } = BOUNDS;
    let _ = writeln!(
        yaml,
        "bounds: {{ flows: {flows}, flows6: {flows6}, pins: {pins}, filters: {filters}, fragments: {fragments}, services: {services}, sources: {sources}, \
         targets: {targets}, maglev: {maglev} }}"
    );
    yaml += "pools:\n";
    pool(&mut yaml, AMFS, Role::Amf, &Network::N2, Some(("sctp", QUICK)));
    pool(&mut yaml, AMFS_OF_UES, Role::Amf, &Network::N2, Some(("sctp", PATIENT)));
    pool(&mut yaml, UPFS, Role::Upf, &[Network::User], Some(("gtpu", QUICK)));
    // How these are the front end finds out itself.
    pool(&mut yaml, UPFS_N4, Role::Upf, &[Network::Control], None);
    let [first, second] = cast::amf_service();
    let _ = writeln!(
        yaml,
        "services:\n  - {{ name: n2, protocol: sctp, port: {}, addresses: [{first}, {second}], pool: {AMFS}, algorithm: round_robin }}",
        super::NGAP_PORT
    );
    let [first, second] = cast::ue_service();
    let gnb = Member { role: Role::Gnb, number: 1 };
    let homes = Network::N2.map(|network| interface(gnb, network));
    let _ = writeln!(
        yaml,
        "  - {{ name: {UE_SERVICE}, protocol: ngap, addresses: [{first}, {second}], pool: {AMFS_OF_UES}, \
         ngap: {{ transport: userspace, interfaces: [{}] }} }}",
        homes.join(", ")
    );
    let (user_plane, control) = (cast::upf_service(), cast::pfcp_service());
    let _ = writeln!(yaml, "  - {{ name: n3, protocol: gtpu, addresses: [{user_plane}], pool: {UPFS} }}");
    let _ = writeln!(
        yaml,
        "  - name: {PFCP_SERVICE}\n    protocol: pfcp\n    addresses: [{control}]\n    pool: {UPFS_N4}\n    \
         algorithm: least_sessions\n    pfcp: {{ mode: terminate, user_plane: [n3], ue_addresses: n6, restore: true, \
         heartbeat: 500ms, t1: 300ms, n1: 3, sessions: 256 }}"
    );
    if api.is_some() {
        yaml += &sbi(SCP, NRF.place());
    }
    yaml
}

/// The section of the SCP of those that an NRF knows.
pub(crate) fn sbi(at: SocketAddr, nrf: SocketAddr) -> String {
    let (address, port) = (at.ip(), at.port());
    format!(
        "sbi:\n  fqdn: scp.5gc.mnc001.mcc001.3gppnetwork.org\n  nf_instance_id: 5b1c0de0-0000-4000-8000-000000000000\n  \
         listeners: [{{ address: {address}, port: {port} }}]\n  nrf: {{ api_roots: ['http://{nrf}'] }}\n"
    )
}

/// The balancer's interface to a host on a network, as the topology calls it.
pub(crate) fn interface(member: Member, network: Network) -> String {
    let host = match member.endpoint() {
        None => format!("client{}", member.number),
        Some(number) => format!("endpoint{number}"),
    };
    format!("{host}-p{}", network.path())
}

/// A pool of everybody of a role, at their addresses on these networks. `probe`: what they are asked, and how
/// often, to see whether they are up.
fn pool(yaml: &mut String, name: &str, role: Role, networks: &[Network], probe: Option<(&str, &str)>) {
    let _ = writeln!(yaml, "  - name: {name}");
    if let Some((kind, how)) = probe {
        let _ = writeln!(yaml, "    health: {{ kind: {kind}, {how} }}");
    }
    yaml.push_str("    endpoints:\n");
    for member in cast::members().filter(|member| member.role == role) {
        let addresses: Vec<_> = networks.iter().map(|network| member.address(*network).to_string()).collect();
        let _ = writeln!(yaml, "      - {{ name: {member}, addresses: [{}] }}", addresses.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn the_daemon_makes_its_tables_as_small_as_is_said() {
        let yaml = yaml(None);
        let read = config::parse(yaml.as_bytes(), &config::Host::default()).unwrap();
        assert_eq!(read.config.bounds, BOUNDS);
    }
}
