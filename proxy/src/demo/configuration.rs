//! The configuration of the daemon in the demonstration.

use std::fmt::Write as _;
use std::path::Path;

use pinion_loader::Bounds;

use super::cast::{self, Member, Network, Role, Tunnel};

/// How many entries the daemon's tables hold: plenty for the demonstration.
pub(crate) const BOUNDS: Bounds = Bounds {
    flows: 4096,
    flows6: 1024,
    pins: 4096,
    fragments: 1024,
    services: 256,
    sources: 256,
    targets: 256,
    maglev: 65536,
};

/// The configuration as YAML: a service for N2, one for N3 with these tunnels. `api`: where the daemon listens;
/// `None`, in simulation: nowhere, and on no interface.
pub(crate) fn yaml(api: Option<&Path>, tunnels: &[Tunnel]) -> String {
    let mut yaml = String::new();
    if let Some(api) = api {
        let _ = writeln!(yaml, "api: {{ unix: '{}' }}", api.display());
        let interfaces: Vec<_> = cast::members()
            .flat_map(|member| member.networks().iter().map(move |network| interface(member, *network)))
            .collect();
        let _ = writeln!(yaml, "interfaces: [{}]", interfaces.join(", "));
    }
    let Bounds { flows, flows6, pins, fragments, services, sources, targets, maglev } = BOUNDS;
    let _ = writeln!(
        yaml,
        "bounds: {{ flows: {flows}, flows6: {flows6}, pins: {pins}, fragments: {fragments}, services: {services}, sources: {sources}, \
         targets: {targets}, maglev: {maglev} }}"
    );
    yaml += "pools:\n";
    pool(&mut yaml, "amf", Role::Amf, "sctp");
    pool(&mut yaml, "upf", Role::Upf, "gtpu");
    let [first, second] = cast::amf_service();
    let _ = writeln!(
        yaml,
        "services:\n  - {{ name: n2, protocol: sctp, port: {}, addresses: [{first}, {second}], pool: amf, algorithm: round_robin }}",
        super::NGAP_PORT
    );
    let _ = writeln!(
        yaml,
        "  - name: n3\n    protocol: gtpu\n    addresses: [{}]\n    pool: upf\n    tunnels:",
        cast::upf_service()
    );
    for tunnel in tunnels {
        let _ = writeln!(
            yaml,
            "      - {{ teid: {:#x}, endpoint: upf-{}, endpoint_teid: {:#x} }}",
            tunnel.teid(),
            tunnel.upf,
            tunnel.upf_teid()
        );
    }
    yaml
}

/// The balancer's interface to a host on a network, as the topology calls it.
pub(crate) fn interface(member: Member, network: Network) -> String {
    let host = match member.role {
        Role::Gnb => format!("client{}", member.number),
        Role::Amf => format!("endpoint{}", member.number),
        Role::Upf => format!("endpoint{}", member.number.saturating_add(cast::AMFS)),
    };
    format!("{host}-p{}", network.path())
}

fn pool(yaml: &mut String, name: &str, role: Role, probe: &str) {
    let _ = writeln!(
        yaml,
        "  - name: {name}\n    health: {{ kind: {probe}, interval: 300ms, timeout: 250ms, rise: 1, fall: 2 }}\n    endpoints:"
    );
    for member in cast::members().filter(|member| member.role == role) {
        let addresses: Vec<_> =
            member.networks().iter().map(|network| member.address(*network).to_string()).collect();
        let _ = writeln!(yaml, "      - {{ name: {member}, addresses: [{}] }}", addresses.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn the_daemon_makes_its_tables_as_small_as_is_said() {
        let yaml = yaml(None, &cast::tunnels());
        let read = config::parse(yaml.as_bytes(), &config::Host::default()).unwrap();
        assert_eq!(read.config.bounds, BOUNDS);
    }
}
