//! The project's own SCTP in a host's place.

use std::collections::VecDeque;
use std::io;

use pinion_transport::link::{self, Interface, Link, Mac};
use pinion_transport::userspace::Userspace;
use pinion_transport::{Association, Config, Event, Listener, Message};
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;

use crate::failure::Failure;
use crate::topology::{Host, Settlement};

/// Takes over a host's links and addresses, and answers for them by an endpoint that a runtime drives.
///
/// # Errors
///
/// [`Failure::Network`], [`Failure::Socket`].
pub fn take_over(host: &Host, runtime: &Handle, config: &Config) -> Result<Userspace, Failure> {
    host.unsettle()?;
    let opened = host.namespace.run(|| {
        let _inside = runtime.enter();
        let links = host.links.iter().map(|one| {
            let end = &one.host.interface;
            let interface = Interface::find(&end.name)?;
            let Settlement { addresses, routes } = Settlement::of(one);
            let mac = end.mac.map_or(interface.mac, |mac| Mac(mac.0));
            let gateways = routes.into_iter().map(|(_, _, gateway)| gateway).collect();
            let mtu = u16::try_from(end.mtu).unwrap_or(u16::MAX);
            Link::open(&interface, link::Config { gateways, mtu, ..link::Config::new(mac, addresses) })
        });
        Userspace::start(links.collect::<io::Result<_>>()?, config)
    })?;
    opened.map_err(|source| Failure::Socket { what: "links of an endpoint", source })
}

/// Accepts associations and sends every message back, a name and a bar in front, until the listener's
/// transport ends. Whatever else happens to associations is told.
pub async fn echo(mut listener: Listener, name: &'static str, told: UnboundedSender<Event>) {
    while let Some(association) = listener.accept().await {
        tokio::spawn(echo_one(association, name, told.clone()));
    }
}

async fn echo_one(association: Association, name: &'static str, told: UnboundedSender<Event>) {
    let mut events = Vec::new();
    let mut answers = VecDeque::new();
    while association.receive_many(&mut events, BATCH).await > 0 {
        for event in events.drain(..) {
            let Event::Message(message) = event else {
                // The test may have heard enough.
                let _ = told.send(event);
                continue;
            };
            let payload = [name.as_bytes(), b"|", &message.payload].concat().into();
            let answer = Message::new(message.stream, message.protocol, payload);
            answers.push_back(Message { unordered: message.unordered, ..answer });
        }
        // Whoever ended it is told by the next event.
        let _ = association.send_all(&mut answers).await;
    }
}

/// Events that are taken at a time.
const BATCH: usize = 64;
