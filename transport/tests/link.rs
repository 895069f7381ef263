//! A link against a kernel's network stack at the other end of a veth.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pinion_networks::missing::probe;
use pinion_networks::namespace::{Namespace, Veth};
use pinion_transport::Time;
use pinion_transport::link::{Config, Interface, Link, Mac, Packet};

const UDP: u8 = 17;
const PORT: u16 = 7;
const PATIENCE: Duration = Duration::from_secs(10);
const OWN: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2))];
const KERNEL: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))];
const LENGTHS: [u8; 2] = [24, 64];

/// Sends back what comes over UDP until `most` datagrams have come, and then as many of its own accord.
async fn echo(link: &mut Link, start: Instant, most: usize) -> io::Result<()> {
    let mut packets = Vec::new();
    let mut echoed = 0;
    let sleep = tokio::time::sleep(PATIENCE);
    tokio::pin!(sleep);
    poll_fn(|context| {
        let now = Time::from_micros(u64::try_from(start.elapsed().as_micros()).unwrap());
        while let Poll::Ready(received) = link.poll_receive(context, now, &mut packets) {
            received?;
            for packet in packets.drain(..).filter(|packet| packet.protocol == UDP) {
                echoed += 1;
                link.send(now, swapped(&packet));
            }
        }
        let flushed = link.poll_flush(context);
        if (echoed >= most && flushed.is_ready()) || sleep.as_mut().poll(context).is_ready() {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    })
    .await
}

/// The answer: ports and addresses change places, which leaves UDP's checksum as it is.
fn swapped(packet: &Packet) -> Packet {
    let ([a, b, c, d], rest) = packet.payload.split_first_chunk().unwrap();
    let payload = Bytes::from([&[*c, *d, *a, *b], rest].concat());
    Packet { source: packet.destination, destination: packet.source, payload, ..packet.clone() }
}

fn veth() -> (Namespace, Namespace) {
    let (kernel, ours) = (Namespace::new().unwrap(), Namespace::new().unwrap());
    kernel.link_to(&ours, &Veth::named("kernel", "ours")).unwrap();
    for (address, length) in KERNEL.into_iter().zip(LENGTHS) {
        kernel.add_address("kernel", address, length).unwrap();
    }
    (kernel, ours)
}

fn echoes_through(mac: Option<Mac>) {
    let (kernel, ours) = veth();
    let sockets =
        kernel.run(|| OWN.map(|own| UdpSocket::bind(SocketAddr::new(unspecified(own), 0)).unwrap())).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let mut link = ours
        .run(|| {
            let _inside = runtime.enter();
            let interface = Interface::find("ours").unwrap();
            let addresses = OWN.into_iter().zip(LENGTHS).collect();
            Link::open(&interface, Config::new(mac.unwrap_or(interface.mac), addresses)).unwrap()
        })
        .unwrap();
    let long = vec![0x5a; 1400];
    for (socket, own) in sockets.iter().zip(OWN) {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        for message in [b"one".as_slice(), &long] {
            socket.send_to(message, SocketAddr::new(own, PORT)).unwrap();
        }
    }
    runtime.block_on(echo(&mut link, Instant::now(), 4)).unwrap();
    for (socket, own) in sockets.iter().zip(OWN) {
        let mut room = [0; 2000];
        for message in [b"one".as_slice(), &long] {
            let (length, from) = socket.recv_from(&mut room).unwrap();
            assert_eq!((&room[..length], from.ip()), (message, own));
        }
    }
    assert_eq!(link.host().counters().malformed, 0);
}

/// Only what is to it, or about where addresses are, is copied to a link.
#[test]
fn the_kernel_keeps_what_is_for_others() {
    if let Err(missing) = probe() {
        println!("skipped: {missing}");
        return;
    }
    let (kernel, ours) = veth();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let guests = [IpAddr::from([203, 0, 113, 7]), "2001:db8:7::7".parse().unwrap()];
    let mut link = ours
        .run(|| {
            let _inside = runtime.enter();
            let interface = Interface::find("ours").unwrap();
            let addresses = OWN.into_iter().zip(LENGTHS).collect();
            let config = Config { guests: guests.to_vec(), ..Config::new(interface.mac, addresses) };
            Link::open(&interface, config).unwrap()
        })
        .unwrap();
    let others = [IpAddr::from([203, 0, 113, 8]), "2001:db8:7::8".parse().unwrap()];
    kernel
        .run(|| {
            let mac = ours.interface("ours").unwrap().mac.unwrap();
            for (own, (other, guest)) in OWN.into_iter().zip(others.into_iter().zip(guests)) {
                kernel.add_neighbour("kernel", own, mac).unwrap();
                let socket = UdpSocket::bind(SocketAddr::new(unspecified(own), 0)).unwrap();
                for to in [other, guest] {
                    kernel.add_route(to, if to.is_ipv4() { 32 } else { 128 }, "kernel", Some(own)).unwrap();
                }
                for to in [other, guest, own] {
                    socket.send_to(b"hello", SocketAddr::new(to, PORT)).unwrap();
                }
            }
        })
        .unwrap();
    runtime.block_on(echo(&mut link, Instant::now(), 4)).unwrap();
    assert_eq!(link.host().counters().others, 0);
}

fn unspecified(like: IpAddr) -> IpAddr {
    if like.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}

#[test]
fn a_kernel_finds_our_addresses_and_we_find_its() {
    if let Err(missing) = probe() {
        println!("skipped: {missing}");
        return;
    }
    echoes_through(None);
    // Frames to an address that is not the interface's come too.
    echoes_through(Some(Mac([2, 0, 0, 0, 9, 9])));
}
