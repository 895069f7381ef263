//! Interfaces, by rtnetlink.

use std::fmt;
use std::io;
use std::os::fd::AsRawFd;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage};

use super::Namespace;
use crate::failure::Failure;

/// An Ethernet address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// An interface as the kernel describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name, in its namespace.
    pub name: String,
    /// Its index, in its namespace.
    pub index: u32,
    /// Its Ethernet address, if it has one.
    pub mac: Option<Mac>,
    /// The largest IP packet it carries, in bytes.
    pub mtu: u32,
    /// Whether it is up and its other end is too.
    pub running: bool,
}

/// What a pair of virtual Ethernet interfaces is made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Veth {
    /// Name here and name at the other end.
    pub names: [String; 2],
    /// Ethernet addresses here and there; the kernel chooses without.
    pub macs: Option<[Mac; 2]>,
    /// The largest IP packet, in bytes.
    pub mtu: u32,
}

impl Veth {
    /// A pair of these names, 1500 bytes wide.
    #[must_use]
    pub fn named(here: &str, there: &str) -> Self {
        Self { names: [here.to_owned(), there.to_owned()], macs: None, mtu: 1500 }
    }
}

impl Namespace {
    /// Makes a veth pair with one end here and one in `other`, both up.
    ///
    /// Checksums, segments and VLAN tags are finished in software, so that XDP and
    /// captures see what a wire would carry; frames are never merged.
    ///
    /// # Errors
    ///
    /// [`Failure::Netlink`].
    pub fn link_to(&self, other: &Namespace, veth: &Veth) -> Result<[Interface; 2], Failure> {
        let [here, there] = &veth.names;
        let mac = |end: usize| veth.macs.and_then(|macs| macs.get(end).copied());
        let mut peer = end_of_veth(there, mac(1), veth.mtu);
        peer.attributes.push(LinkAttribute::NetNsFd(other.file.as_raw_fd()));
        let mut link = end_of_veth(here, mac(0), veth.mtu);
        link.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
        ]));
        let request = RouteNetlinkMessage::NewLink(link);
        self.ask(NLM_F_CREATE | NLM_F_EXCL, request, || format!("veth {here} to {there}"))?;
        let ends = [(self, here), (other, there)];
        for (namespace, name) in ends {
            namespace.set_features(name, &PLAIN_WIRE)?;
            namespace.never_merge(name)?;
        }
        // Only now: an end tells XDP that it can be redirected to when it comes
        // up and its other end has GRO by then.
        for (namespace, name) in ends {
            namespace.set_up(name, true)?;
        }
        Ok([self.interface(here)?, other.interface(there)?])
    }

    /// Removes an interface, and a veth's other end with it.
    ///
    /// # Errors
    ///
    /// [`Failure::NoInterface`], [`Failure::Netlink`].
    pub fn remove(&self, interface: &str) -> Result<(), Failure> {
        let message = self.link(interface)?;
        self.ask(0, RouteNetlinkMessage::DelLink(message), || format!("remove {interface}")).map(drop)
    }

    /// Switches an interface on or off.
    ///
    /// # Errors
    ///
    /// [`Failure::NoInterface`], [`Failure::Netlink`].
    pub fn set_up(&self, interface: &str, up: bool) -> Result<(), Failure> {
        let mut message = self.link(interface)?;
        message.header.change_mask = LinkFlags::Up;
        message.header.flags = if up { LinkFlags::Up } else { LinkFlags::empty() };
        self.change(message, || format!("{interface} up: {up}"))
    }

    /// Sets the largest IP packet of an interface, in bytes.
    ///
    /// # Errors
    ///
    /// [`Failure::NoInterface`], [`Failure::Netlink`].
    pub fn set_mtu(&self, interface: &str, mtu: u32) -> Result<(), Failure> {
        let mut message = self.link(interface)?;
        message.attributes.push(LinkAttribute::Mtu(mtu));
        self.change(message, || format!("mtu {mtu} of {interface}"))
    }

    /// One interface by its name.
    ///
    /// # Errors
    ///
    /// [`Failure::NoInterface`], [`Failure::Netlink`].
    pub fn interface(&self, name: &str) -> Result<Interface, Failure> {
        let all = self.interfaces()?;
        all.into_iter()
            .find(|interface| interface.name == name)
            .ok_or_else(|| Failure::NoInterface { name: name.to_owned() })
    }

    /// All interfaces, loopback included.
    ///
    /// # Errors
    ///
    /// [`Failure::Netlink`].
    pub fn interfaces(&self) -> Result<Vec<Interface>, Failure> {
        let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
        let answers = self.ask(NLM_F_DUMP, request, || "list interfaces".to_owned())?;
        Ok(answers.into_iter().filter_map(describe).collect())
    }

    pub(super) fn index(&self, interface: &str) -> Result<u32, Failure> {
        self.interface(interface).map(|found| found.index)
    }

    fn link(&self, interface: &str) -> Result<LinkMessage, Failure> {
        let mut message = LinkMessage::default();
        message.header.index = self.index(interface)?;
        Ok(message)
    }

    fn change(&self, message: LinkMessage, what: impl Fn() -> String) -> Result<(), Failure> {
        self.ask(0, RouteNetlinkMessage::SetLink(message), what).map(drop)
    }

    /// Limits generic receive offload to one frame: the veth keeps the poll
    /// loop that XDP redirection needs, and captures see frames as sent.
    fn never_merge(&self, interface: &str) -> Result<(), Failure> {
        let mut message = self.link(interface)?;
        message.attributes.push(LinkAttribute::GroMaxSize(1));
        self.change(message, || format!("gro_max_size of {interface}"))
    }

    pub(super) fn ask(
        &self,
        flags: u16,
        request: RouteNetlinkMessage,
        what: impl Fn() -> String,
    ) -> Result<Vec<RouteNetlinkMessage>, Failure> {
        let answer: io::Result<_> = self.route.ask(flags, request);
        answer.map_err(|source| Failure::Netlink { what: what(), source })
    }
}

/// XDP delivers into a veth only while the receiving end polls, which GRO
/// switches on; the rest makes senders finish checksums, segments and tags.
const PLAIN_WIRE: [(&str, bool); 9] = [
    ("rx-gro", true),
    ("tx-checksum-ip-generic", false),
    ("tx-checksum-sctp", false),
    ("tx-tcp-segmentation", false),
    ("tx-tcp6-segmentation", false),
    ("tx-udp-segmentation", false),
    ("tx-sctp-segmentation", false),
    ("tx-vlan-hw-insert", false),
    ("tx-vlan-stag-hw-insert", false),
];

fn end_of_veth(name: &str, mac: Option<Mac>, mtu: u32) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(name.to_owned()));
    message.attributes.push(LinkAttribute::Mtu(mtu));
    message.attributes.extend(mac.map(|mac| LinkAttribute::Address(mac.0.to_vec())));
    message
}

fn describe(answer: RouteNetlinkMessage) -> Option<Interface> {
    let RouteNetlinkMessage::NewLink(message) = answer else {
        return None;
    };
    let mut interface = Interface {
        name: String::new(),
        index: message.header.index,
        mac: None,
        mtu: 0,
        running: message.header.flags.contains(LinkFlags::Up | LinkFlags::LowerUp),
    };
    for attribute in message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => interface.name = name,
            LinkAttribute::Mtu(mtu) => interface.mtu = mtu,
            LinkAttribute::Address(bytes) => interface.mac = bytes.try_into().ok().map(Mac),
            _ => {}
        }
    }
    Some(interface)
}
