//! The user plane of an UPF in a namespace, and a data network that echoes.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread;

use pinion_protocols::ip::{Ipv4, Udp, protocol};

use super::running::Shared;
use super::{Datagram, Running, Upf, Uplink};
use crate::failure::Failure;
use crate::namespace::Namespace;
use crate::packets::gtpu::PORT;
use crate::packets::ip::Ip;
use crate::packets::transport::{self, Payload};
use crate::peers::{LONGEST, Service, State, TICK, reply, udp};

/// Forwards by an UPF's rules until it is dropped. Behind it, a data network answers each UDP packet of a user with
/// its name, `|`, and what was in the packet.
#[derive(Debug)]
pub struct Plane {
    _service: Service,
}

impl Plane {
    /// Binds port 2152 of the UPF's N3 address in a namespace that owns it.
    ///
    /// # Errors
    ///
    /// [`Failure::Socket`].
    pub fn start(namespace: &Namespace, upf: &Running<Upf>, name: &str) -> Result<Self, Failure> {
        let address = upf.with(|upf, _| upf.n3_address());
        let socket = udp::bind(namespace, SocketAddr::new(address.into(), PORT), TICK)?;
        let mut service = Service::default();
        let (state, shared, name) = (Arc::clone(&service.state), Arc::clone(&upf.shared), name.to_owned());
        service.threads.push(thread::spawn(move || serve(&socket, &shared, &name, &state)));
        Ok(Self { _service: service })
    }
}

fn serve(socket: &UdpSocket, upf: &Shared<Upf>, name: &str, state: &State) {
    let mut buffer = vec![0; LONGEST];
    while !state.stopped() {
        let Ok((length, from)) = socket.recv_from(&mut buffer) else {
            continue;
        };
        let datagram = buffer.get(..length).unwrap_or_default();
        let answer: Option<Datagram> = upf.with(|upf, now| match upf.uplink(from, datagram, now) {
            Uplink::Inner(packet) => upf.downlink(&echo(&packet, name)?, now),
            Uplink::Answer(answer) => Some(answer),
            Uplink::Nothing => None,
        });
        if let Some(answer) = answer {
            // Whether it arrives is what the gNB finds out.
            let _ = socket.send_to(&answer.bytes, answer.to);
        }
    }
}

/// What the data network answers to a packet.
fn echo(packet: &[u8], name: &str) -> Option<Vec<u8>> {
    let ip = Ipv4::parse(packet).ok().filter(|ip| ip.protocol == protocol::UDP)?;
    let udp = Udp::parse(ip.payload).ok()?;
    let ports = (udp.destination_port, udp.source_port);
    let back = transport::Udp { ports, data: reply(name, udp.payload), ..transport::Udp::default() };
    Some(Ip::new(IpAddr::V4(ip.destination), IpAddr::V4(ip.source), Payload::Udp(back)).bytes())
}
