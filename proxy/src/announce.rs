//! Telling the neighbours of service addresses where they are, so that they need not find out by silence: ARP
//! announcements (RFC 5227 3) and unsolicited neighbour advertisements (RFC 4861 7.2.6), a few of each, wherever an
//! interface comes or a service does.

mod due;
mod link;

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::Duration;

use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, sendto, socket};
use pinion_transport::link::{Mac, announcements};

pub use due::{Due, Place};
pub use link::Link;

/// Announces addresses.
#[derive(Debug)]
pub struct Announcer {
    socket: OwnedFd,
    due: Due,
}

impl Announcer {
    /// Opens a packet socket, which hears nothing.
    ///
    /// # Errors
    /// What the system says, for one without CAP_NET_RAW.
    pub fn open() -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        // Protocol 0 is none: the socket receives nothing.
        Ok(Self { socket: socket(AddressFamily::Packet, SockType::Raw, flags, None)?, due: Due::default() })
    }

    /// Announces what is due: `addresses` are those of services, `interfaces` those that clients reach them by. Gives
    /// the places that are announced for the first time, with what the system said where it did not send.
    ///
    /// # Errors
    /// Where the system does not list its interfaces.
    pub fn announce(
        &mut self,
        interfaces: &[&str],
        addresses: &[IpAddr],
        now: Duration,
    ) -> io::Result<Vec<(Place, io::Result<()>)>> {
        let links = link::links()?;
        let near = links.iter().filter(|link| link.up && interfaces.contains(&link.name.as_str()));
        let places = near.flat_map(|link| {
            let held = addresses.iter().filter(|address| link.holds(**address));
            held.map(|address| Place { interface: link.name.clone(), link: link.address, address: *address })
        });
        let places: Vec<Place> = places.collect();
        let mut told = Vec::new();
        for (place, first) in self.due.take(&places, now) {
            let Some(link) = links.iter().find(|link| link.name == place.interface) else { continue };
            let sent = self.send(link, place.address);
            if first || sent.is_err() {
                told.push((place, sent));
            }
        }
        Ok(told)
    }

    fn send(&self, link: &Link, address: IpAddr) -> io::Result<()> {
        for frame in announcements(Mac(link.address), address) {
            sendto(self.socket.as_raw_fd(), &frame.to_bytes(), &link.to, MsgFlags::empty())?;
        }
        Ok(())
    }
}
