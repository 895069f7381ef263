//! Plays the sample endpoints: what a capture shows as sent by a service was, behind a balancer, sent by an endpoint of it.

use pinion_loader::{LoadError, Maps};
use pinion_steering::{Address, FlowKey, Kind, crc32c, gtpu, mix, protocol};

use super::addresses;
use super::book::{Book, Endpoint, Service};
use super::headers::{End, Headers, at};

/// Chunk types (RFC 9260 3.2).
const INIT: u8 = 1;
const INIT_ACK: u8 = 2;

/// Rewrites a frame from a service into the one that the endpoint of its session would have sent: steering is to turn it back into
/// what was captured. `headers` follow. A frame that belongs to no session is left as it is.
pub(super) fn stand_in(
    frame: &mut [u8],
    headers: &mut Headers,
    book: &Book,
    maps: &dyn Maps,
) -> Result<(), LoadError> {
    let tunnelled = headers.protocol == protocol::UDP && headers.destination_port == gtpu::PORT;
    let gtpu = End { port: gtpu::PORT, ..headers.from() };
    let sender = match book.at(&headers.from()) {
        None if tunnelled => book.at(&gtpu),
        found => found,
    };
    let Some((index, path)) = sender else {
        return Ok(());
    };
    let Some(service) = book.service(index) else {
        return Ok(());
    };
    let endpoint = match service.kind {
        Kind::Flow => of_flow(service, headers, maps)?,
        Kind::Sctp => of_association(service, headers, maps)?,
        Kind::Gtpu if tunnelled && book.at(&headers.to()).is_none() => of_tunnel(service, headers),
        Kind::Gtpu => None,
    };
    if let Some(endpoint) = endpoint {
        rewrite(frame, headers, service, endpoint, path);
    }
    Ok(())
}

fn of_flow<'a>(
    service: &'a Service,
    headers: &Headers,
    maps: &dyn Maps,
) -> Result<Option<&'a Endpoint>, LoadError> {
    let (near, far) = (headers.from(), headers.to());
    let key = FlowKey::tuple(near.address, near.port, far.address, far.port, near.protocol);
    let flow = maps.read_flow(&key)?.filter(|flow| flow.reply == 0 && flow.service == service.id);
    Ok(flow.and_then(|flow| service.owner(flow.target)))
}

fn of_association<'a>(
    service: &'a Service,
    headers: &Headers,
    maps: &dyn Maps,
) -> Result<Option<&'a Endpoint>, LoadError> {
    if headers.kind == INIT {
        return Ok(None);
    }
    let port = headers.destination_port;
    for endpoint in &service.endpoints {
        let key = FlowKey::association(headers.tag, port, endpoint.port);
        if maps.read_flow(&key)?.is_some_and(|flow| flow.reply != 0 && flow.from == endpoint.base) {
            return Ok(Some(endpoint));
        }
    }
    // An ABORT or SHUTDOWN COMPLETE may reflect the server's own tag (RFC 9260 8.5.1).
    let key = FlowKey::association(headers.tag, service.port, port);
    Ok(maps.read_flow(&key)?.and_then(|flow| service.owner(flow.target)))
}

/// Downlink tunnels tell nothing of the uplink: one endpoint for each client.
fn of_tunnel<'a>(service: &'a Service, headers: &Headers) -> Option<&'a Endpoint> {
    let hash = headers.destination.0.iter().fold(0, |hash, word| mix(hash, *word));
    let count = u32::try_from(service.endpoints.len()).ok()?;
    service.endpoints.get(usize::try_from(hash.checked_rem(count)?).ok()?)
}

fn rewrite(frame: &mut [u8], headers: &mut Headers, service: &Service, endpoint: &Endpoint, path: usize) {
    let Some(&address) = endpoint.addresses.get(path) else {
        return;
    };
    if headers.protocol == protocol::SCTP {
        if headers.kind == INIT_ACK {
            rename(frame, headers, service, endpoint);
        }
    } else {
        let place = if headers.protocol == protocol::TCP { 16 } else { 6 };
        checksum(frame, headers, place, address);
    }
    let new = address.octets();
    if address.is_v4() {
        let changed = (headers.source.low(), address.low());
        put(frame, headers.network.saturating_add(12), address.low());
        let place = headers.network.saturating_add(10);
        if let Some(check) = at(frame, place) {
            put(frame, place, adjusted(check, &changed.0, &changed.1));
        }
    } else {
        put(frame, headers.network.saturating_add(8), new);
    }
    headers.source = address;
    // Sample endpoints serve at the service's port, and a tunnel's sender chooses its own: ports stay.
}

/// The pseudo header's share of a UDP or TCP checksum, which is `place` bytes into the transport header.
fn checksum(frame: &mut [u8], headers: &Headers, place: usize, address: Address) {
    let place = headers.transport.saturating_add(place);
    let Some(check) = at(frame, place) else {
        return;
    };
    if headers.protocol == protocol::UDP && check == [0, 0] {
        return;
    }
    let (old, new) = (headers.source, address);
    let check = if new.is_v4() {
        adjusted(check, &old.low(), &new.low())
    } else {
        adjusted(check, &old.octets(), &new.octets())
    };
    let none = headers.protocol == protocol::UDP && check == [0, 0];
    put(frame, place, if none { [0xff, 0xff] } else { check });
}

/// An Internet checksum after `old` became `new` (RFC 1624).
fn adjusted(check: [u8; 2], old: &[u8], new: &[u8]) -> [u8; 2] {
    let word = |pair: &[u8]| at(pair, 0).map_or(0, u16::from_be_bytes);
    let mut sum = u64::from(!u16::from_be_bytes(check));
    for (old, new) in old.chunks_exact(2).zip(new.chunks_exact(2)) {
        sum = sum.saturating_add(u64::from(!word(old))).saturating_add(u64::from(word(new)));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff).saturating_add(sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}

/// Puts the endpoint's addresses where an INIT ACK names the service's.
fn rename(frame: &mut [u8], headers: &Headers, service: &Service, endpoint: &Endpoint) {
    let Some(packet) = frame.get_mut(headers.transport..headers.end) else {
        return;
    };
    for (place, address) in addresses::of_init_ack(packet) {
        let path = service.addresses.iter().position(|own| *own == address);
        let Some(new) = path.and_then(|path| endpoint.addresses.get(path)) else {
            continue;
        };
        let octets = new.octets();
        let octets = if new.is_v4() { octets.get(12..) } else { octets.get(..) };
        for (place, word) in (place..).step_by(4).zip(octets.unwrap_or_default().chunks_exact(4)) {
            if let Some(word) = at(word, 0) {
                put_corrected(packet, place, word);
            }
        }
    }
}

/// Writes a word of an SCTP packet, and corrects the CRC32c for it, so that a wrong one stays wrong. Zero means that the ends
/// agreed on none (RFC 9653).
fn put_corrected(packet: &mut [u8], place: usize, new: [u8; 4]) {
    const CHECKSUM: usize = 8;
    let behind = packet.len().saturating_sub(place);
    let power = crc32c::POWERS.get(behind / 4).filter(|_| behind.is_multiple_of(4));
    let (Some(old), Some(check), Some(power)) = (at(packet, place), at(packet, CHECKSUM), power) else {
        return;
    };
    put(packet, place, new);
    if check != [0; 4] {
        let change = u32::from_le_bytes(old) ^ u32::from_le_bytes(new);
        let check = u32::from_le_bytes(check) ^ crc32c::multiply(change, *power);
        put(packet, CHECKSUM, check.to_le_bytes());
    }
}

fn put<const N: usize>(bytes: &mut [u8], place: usize, new: [u8; N]) {
    if let Some(field) = bytes.get_mut(place..).and_then(<[u8]>::first_chunk_mut) {
        *field = new;
    }
}
