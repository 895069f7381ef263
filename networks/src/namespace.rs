//! A network namespace as a value.
//!
//! Nothing but an open file holds it: no name in the filesystem, no thread,
//! no process. It ends when the value is dropped and the last process and
//! socket in it has ended, whatever becomes of the program that made it.

mod ethtool;
mod links;
mod netlink;
mod process;
mod routes;

use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::panic::resume_unwind;
use std::thread;
use std::time::{Duration, Instant};

use netlink_sys::protocols::{NETLINK_GENERIC, NETLINK_ROUTE};
use nix::sched::{CloneFlags, setns, unshare};

pub use links::{Interface, Mac, Veth};
pub use process::{Process, tied};

use crate::failure::Failure;
use netlink::Channel;

/// A network namespace with its own interfaces, routes and sysctls.
///
/// The loopback interface is up; forwarding is off; addresses of IPv6 come
/// without duplicate address detection; reverse path filtering is off.
#[derive(Debug)]
pub struct Namespace {
    file: File,
    route: Channel,
    generic: Channel,
}

impl Namespace {
    /// Makes an empty namespace.
    ///
    /// # Errors
    ///
    /// [`Failure::Namespace`] without CAP_SYS_ADMIN or where the kernel has no
    /// namespaces, else what the first change inside it met.
    pub fn new() -> Result<Self, Failure> {
        let namespace = on_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET).map_err(refused("unshare"))?;
            Ok(Self {
                file: File::open("/proc/thread-self/ns/net").map_err(refused("open ns/net"))?,
                route: Channel::open(NETLINK_ROUTE).map_err(refused("netlink route"))?,
                generic: Channel::open(NETLINK_GENERIC).map_err(refused("netlink generic"))?,
            })
        })?;
        namespace.sysctls(&[
            ("net/ipv4/conf/all/rp_filter", "0"),
            ("net/ipv4/conf/default/rp_filter", "0"),
            ("net/ipv4/conf/all/accept_redirects", "0"),
            ("net/ipv4/conf/default/accept_redirects", "0"),
            ("net/ipv4/conf/all/send_redirects", "0"),
            ("net/ipv4/conf/default/send_redirects", "0"),
            // An address answers ARP on its own interface alone, as on separate networks.
            ("net/ipv4/conf/all/arp_ignore", "1"),
            ("net/ipv4/conf/default/arp_ignore", "1"),
            ("net/ipv6/conf/default/accept_dad", "0"),
            ("net/ipv6/conf/default/dad_transmits", "0"),
            ("net/ipv6/conf/default/accept_ra", "0"),
            ("net/ipv6/conf/default/accept_redirects", "0"),
            // A path that was cut comes back with its addresses.
            ("net/ipv6/conf/all/keep_addr_on_down", "1"),
            ("net/ipv6/conf/default/keep_addr_on_down", "1"),
        ])?;
        namespace.set_up("lo", true)?;
        Ok(namespace)
    }

    /// Runs `task` inside the namespace, on a thread of its own, and returns
    /// what it returns. Sockets and BPF links made there stay valid outside.
    /// A panic of the task goes on in the caller.
    ///
    /// # Errors
    ///
    /// [`Failure::Namespace`] when the namespace cannot be entered.
    pub fn run<R: Send>(&self, task: impl FnOnce() -> R + Send) -> Result<R, Failure> {
        on_thread(|| {
            self.enter()?;
            Ok(task())
        })
    }

    /// Moves the calling thread into the namespace for the rest of its life:
    /// for a thread that hosts an async runtime.
    ///
    /// # Errors
    ///
    /// [`Failure::Namespace`] when the namespace cannot be entered.
    pub fn enter(&self) -> Result<(), Failure> {
        enter(&self.file)
    }

    /// Writes sysctls, each named with slashes and without `/proc/sys`.
    ///
    /// # Errors
    ///
    /// [`Failure::Sysctl`] for the first that cannot be written.
    pub fn sysctls(&self, settings: &[(&str, &str)]) -> Result<(), Failure> {
        self.run(|| {
            for (name, value) in settings {
                fs::write(format!("/proc/sys/{name}"), value).map_err(|source| Failure::Sysctl {
                    name: (*name).to_owned(),
                    value: (*value).to_owned(),
                    source,
                })?;
            }
            Ok(())
        })?
    }

    /// Lets the kernel forward both families between its interfaces.
    ///
    /// # Errors
    ///
    /// [`Failure::Sysctl`].
    pub fn forward(&self) -> Result<(), Failure> {
        self.sysctls(&[("net/ipv4/ip_forward", "1"), ("net/ipv6/conf/all/forwarding", "1")])
    }

    /// Gives the namespace's loopback interface an address of its own, as an
    /// endpoint behind direct server return has the service's.
    ///
    /// # Errors
    ///
    /// [`Failure::Netlink`]; [`Failure::Namespace`] where the kernel does not deliver to it after ten seconds.
    pub fn own(&self, address: IpAddr) -> Result<(), Failure> {
        match address {
            IpAddr::V4(_) => self.add_address("lo", address, 32),
            IpAddr::V6(own) => {
                self.add_address("lo", address, 128)?;
                self.run(|| delivers(own))?
            }
        }
    }
}

/// Of a route: what takes it is delivered here (`linux/ipv6_route.h`).
const RTF_LOCAL: u32 = 0x8000_0000;

/// Waits until what comes for an address of IPv6 is delivered: the kernel makes the route for that some time after the
/// address is there, and can be bound to.
fn delivers(own: Ipv6Addr) -> Result<(), Failure> {
    let line = format!("{:032x} 80 ", own.to_bits());
    let latest = Instant::now() + Duration::from_secs(10);
    loop {
        let routes = fs::read_to_string("/proc/thread-self/net/ipv6_route").map_err(refused("read routes"))?;
        // There is another one, of the address's network, which delivers nothing.
        let local = |route: &str| {
            let flags =
                route.split_ascii_whitespace().nth(8).and_then(|flags| u32::from_str_radix(flags, 16).ok());
            route.starts_with(&line) && flags.is_some_and(|flags| flags & RTF_LOCAL != 0)
        };
        if routes.lines().any(local) {
            return Ok(());
        }
        if Instant::now() > latest {
            return Err(refused("deliver to an own address")(io::ErrorKind::TimedOut));
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Runs `task` on a fresh thread, so that what it unshares or enters ends with it.
fn on_thread<R: Send>(task: impl FnOnce() -> Result<R, Failure> + Send) -> Result<R, Failure> {
    thread::scope(|scope| scope.spawn(task).join()).unwrap_or_else(|panic| resume_unwind(panic))
}

fn enter(file: &File) -> Result<(), Failure> {
    setns(file, CloneFlags::CLONE_NEWNET).map_err(refused("setns"))
}

fn refused<E: Into<io::Error>>(call: &'static str) -> impl Fn(E) -> Failure {
    move |source| Failure::Namespace { call, source: source.into() }
}
