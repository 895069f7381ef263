//! What the packet path gives user space a copy of, read.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use pinion_pcaps::link::{LinkType, network};
use pinion_protocols::ip::{Ipv4, Ipv6, Tcp, protocol};
use pinion_protocols::sctp::{ChunkType, Packet};

use crate::config::model::{Config, Protocol};
use crate::health::{Seen, Signal};

/// A session that an endpoint refused, or that could not reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// The endpoint.
    pub endpoint: SocketAddr,
    /// The IP protocol of the session.
    pub protocol: u8,
    /// How it is known.
    pub signal: Signal,
}

/// Reads a frame that the packet path gave a copy of: a RST, an ABORT or an ICMP error. Others are none.
#[must_use]
pub fn refusal(frame: &[u8]) -> Option<Refusal> {
    let packet = frame.get(network(LinkType::Ethernet, frame)?.offset..)?;
    let Ip { from, protocol, payload, .. } = ip(packet)?;
    let refused = |port, signal| Refusal { endpoint: SocketAddr::new(from, port), protocol, signal };
    match protocol {
        protocol::TCP => {
            const RST: u8 = 4;
            let tcp = Tcp::parse(payload).ok()?;
            (tcp.flags & RST != 0).then(|| refused(tcp.source_port, Signal::Reset))
        }
        protocol::SCTP => {
            let sctp = Packet::parse(payload).ok()?;
            let first = sctp.chunks().next()?.ok()?;
            (first.kind() == ChunkType::Abort).then(|| refused(sctp.source_port(), Signal::Abort))
        }
        protocol::ICMP | protocol::ICMPV6 => {
            // An error quotes what was sent (RFC 792, RFC 4443 3.1).
            let Ip { to, protocol, payload, .. } = ip(payload.get(8..)?)?;
            let port = u16::from_be_bytes([*payload.get(2)?, *payload.get(3)?]);
            Some(Refusal { endpoint: SocketAddr::new(to, port), protocol, signal: Signal::Unreachable })
        }
        _ => None,
    }
}

impl Refusal {
    /// Whose it is: each endpoint of that address and port whose pool serves the protocol.
    pub fn of<'a>(&'a self, config: &'a Config) -> impl Iterator<Item = Seen> + 'a {
        let services = config.services.iter().filter(|service| number(service.protocol) == self.protocol);
        let endpoints = services.flat_map(|service| {
            let pool = config.pools.iter().filter(|pool| pool.name == service.pool);
            pool.flat_map(|pool| &pool.endpoints).map(move |endpoint| (service, endpoint))
        });
        endpoints
            .filter(|(service, endpoint)| {
                endpoint.port.unwrap_or(service.port) == self.endpoint.port()
                    && endpoint.addresses.contains(&self.endpoint.ip())
            })
            .map(|(service, endpoint)| Seen {
                pool: Arc::from(service.pool.as_str()),
                endpoint: Arc::from(endpoint.name.as_str()),
                address: self.endpoint.ip(),
                signal: self.signal,
            })
    }
}

const fn number(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::Udp | Protocol::Gtpu | Protocol::Pfcp | Protocol::Gtpc => protocol::UDP,
        Protocol::Tcp => protocol::TCP,
        Protocol::Sctp | Protocol::Ngap => protocol::SCTP,
    }
}

/// An IP packet of either family.
struct Ip<'a> {
    from: IpAddr,
    to: IpAddr,
    protocol: u8,
    payload: &'a [u8],
}

fn ip(packet: &[u8]) -> Option<Ip<'_>> {
    match packet.first()? >> 4 {
        4 => {
            let Ipv4 { source, destination, protocol, payload, .. } = Ipv4::parse(packet).ok()?;
            Some(Ip { from: source.into(), to: destination.into(), protocol, payload })
        }
        6 => {
            let Ipv6 { source, destination, protocol, payload, .. } = Ipv6::parse(packet).ok()?;
            Some(Ip { from: source.into(), to: destination.into(), protocol, payload })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    /// Written by scapy 2.7: `Ether()/IP(src='10.0.0.9', dst='192.0.2.1')/TCP(sport=8443, dport=40000, flags='RA', ack=1)`.
    const RST: &str = "\
        020000000002020000000001080045000028000100004006aec50a000009c000020120fb9c4000000000000000015014\
        2000068a0000";
    /// The same with `flags='SA'`.
    const SYN_ACK: &str = "\
        020000000002020000000001080045000028000100004006aec50a000009c000020120fb9c4000000000000000015012\
        2000068c0000";
    /// `Ether()/Dot1Q(vlan=7)/IP(...)/SCTP(sport=38412, dport=9487, tag=7)/SCTPChunkAbort()`.
    const ABORT: &str = "\
        02000000000202000000000181000007080045000024000100004084ae4b0a000009c0000201960c250f000000073514\
        581b06000004";
    /// `.../IP(src='10.9.9.9')/ICMP(type=3, code=1)/IP(src='192.0.2.1', dst='10.0.0.9')/UDP(sport=40000, dport=5060)/b'hello'`.
    const HOST: &str = "\
        02000000000202000000000108004500003d000100004001a5ac0a090909c00002010301c92700000000450000210001\
        00004011aec1c00002010a0000099c4013c4000d3ff368656c6c6f";
    /// `.../ICMPv6DestUnreach(code=4)/IPv6(src='2001:db8::1', dst='2001:db8::9')/UDP(sport=40000, dport=5060)/b'hello'`.
    const PORT6: &str = "\
        02000000000202000000000186dd60000000003d3a4020010db800000000000000000000000920010db8000000000000\
        000000000001010431d90000000060000000000d114020010db800000000000000000000000120010db8000000000000\
        0000000000099c4013c4000db08168656c6c6f";

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    fn read(hex: &str) -> Option<(String, u8, Signal)> {
        refusal(&bytes(hex)).map(|it| (it.endpoint.to_string(), it.protocol, it.signal))
    }

    #[test]
    fn each_signal_is_read() {
        assert_eq!(read(RST), Some(("10.0.0.9:8443".to_owned(), 6, Signal::Reset)));
        assert_eq!(read(SYN_ACK), None);
        assert_eq!(read(ABORT), Some(("10.0.0.9:38412".to_owned(), 132, Signal::Abort)));
        assert_eq!(read(HOST), Some(("10.0.0.9:5060".to_owned(), 17, Signal::Unreachable)));
        assert_eq!(read(PORT6), Some(("[2001:db8::9]:5060".to_owned(), 17, Signal::Unreachable)));
    }

    #[test]
    fn what_is_cut_is_none_and_harms_nothing() {
        for hex in [RST, ABORT, HOST, PORT6] {
            let whole = bytes(hex);
            for end in 0..whole.len() {
                let _ = refusal(&whole[..end]);
            }
            assert_eq!(refusal(&whole[..40]), None);
        }
        bolero::check!().for_each(|frame: &[u8]| {
            let _ = refusal(frame);
        });
    }

    #[test]
    fn an_endpoint_is_known_by_address_port_and_protocol() {
        let yaml = "\
pools:
  - name: web
    endpoints:
      - { name: one, addresses: [10.0.0.9], port: 8443 }
      - { name: two, addresses: [10.0.0.8], port: 8443 }
  - name: amf
    endpoints:
      - { name: one, addresses: [10.0.0.9] }
services:
  - { name: web, pool: web, protocol: tcp, port: 443, addresses: [192.0.2.100] }
  - { name: n2, pool: amf, protocol: sctp, port: 8443, addresses: [192.0.2.100] }
";
        let config = config::parse(yaml.as_bytes(), &config::Host::default()).unwrap().config;
        let of = |hex: &str| -> Vec<String> {
            let refusal = refusal(&bytes(hex)).unwrap();
            refusal.of(&config).map(|seen| format!("{}/{} {}", seen.pool, seen.endpoint, seen.address)).collect()
        };
        assert_eq!(of(RST), ["web/one 10.0.0.9"]);
        assert_eq!(of(HOST), [""; 0]);
    }
}
