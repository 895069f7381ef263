//! Pins to have something to pin.

use std::sync::Arc;

use pinion::sessions::{NewPin, PinOrigin, Place, Record};
use pinion_steering::{Address, Pin, PinKey};

pub(crate) type Places = [Arc<Place>; 3];

pub(crate) fn places() -> Places {
    ["upf/a", "upf/b", "upf/c"].map(|endpoint| Arc::new(Place::new("n3", endpoint)))
}

pub(crate) fn key(teid: u32) -> PinKey {
    PinKey { address: Address::v4([192, 0, 2, 1]), teid }
}

pub(crate) fn pin(place: &Arc<Place>, teid: u32) -> NewPin {
    let target = u32::from(place.endpoint.as_bytes()[4] - b'a');
    let pin = Pin { target, teid: teid + 0x1000, service: 0, path: 0, flags: 0 };
    NewPin {
        key: key(teid),
        record: Record { place: Arc::clone(place), pin, origin: PinOrigin::Learned, ends: None },
    }
}
