//! What the kernel says of this host's interfaces.

use futures_util::TryStreamExt as _;
use pinion_steering::Link;
use rtnetlink::packet_route::link::{InfoData, InfoKind, InfoVlan, LinkAttribute, LinkInfo, LinkMessage};

/// An interface as the packet path needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its index.
    pub index: u32,
    /// The index of the device below a VLAN, otherwise its own.
    pub lower: u32,
    /// The tag of a VLAN; 0 for none.
    pub vlan: u16,
    /// Its link address.
    pub address: [u8; 6],
    /// Whether it is one end of a veth pair.
    pub veth: bool,
}

impl Interface {
    /// What the packet path is told of it.
    #[must_use]
    pub fn link(&self) -> Link {
        Link { lower: self.lower, vlan: self.vlan, address: self.address }
    }
}

/// All interfaces of the network namespace that this process is in.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// The interfaces.
    pub interfaces: Vec<Interface>,
}

impl Host {
    /// Asks the kernel.
    ///
    /// # Errors
    /// Where there is no netlink, or it does not answer.
    pub async fn read() -> Result<Self, rtnetlink::Error> {
        let (connection, handle, _) = rtnetlink::new_connection()
            .map_err(|error| rtnetlink::Error::NamespaceError(format!("no netlink socket: {error}")))?;
        let pump = tokio::spawn(connection);
        let links: Vec<LinkMessage> = handle.link().get().execute().try_collect().await?;
        pump.abort();
        Ok(Self { interfaces: links.into_iter().filter_map(describe).collect() })
    }

    /// The interface of this name.
    #[must_use]
    pub fn interface(&self, name: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.name == name)
    }
}

fn describe(message: LinkMessage) -> Option<Interface> {
    let index = message.header.index;
    let (mut name, mut address, mut lower, mut vlan, mut veth) = (None, [0; 6], None, 0, false);
    for attribute in message.attributes {
        match attribute {
            LinkAttribute::IfName(found) => name = Some(found),
            LinkAttribute::Address(bytes) => address = bytes.try_into().unwrap_or_default(),
            LinkAttribute::Link(found) => lower = Some(found),
            LinkAttribute::LinkInfo(infos) => {
                for info in infos {
                    match info {
                        LinkInfo::Kind(InfoKind::Veth) => veth = true,
                        LinkInfo::Data(InfoData::Vlan(parts)) => {
                            vlan = parts.iter().find_map(tag).unwrap_or_default();
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    // A veth's link is its other end, which is no device below it.
    let lower = lower.filter(|_| vlan != 0).unwrap_or(index);
    Some(Interface { name: name?, index, lower, vlan, address, veth })
}

fn tag(part: &InfoVlan) -> Option<u16> {
    match part {
        InfoVlan::Id(id) => Some(*id),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn loopback_is_there() {
        let host = Host::read().await.unwrap();
        let lo = host.interface("lo").unwrap();
        assert_eq!((lo.lower, lo.vlan, lo.veth), (lo.index, 0, false));
        assert!(host.interface("no such interface").is_none());
    }
}
