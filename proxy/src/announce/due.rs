use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// How often each is announced, and how far apart (RFC 5227 1.1, ANNOUNCE_INTERVAL; RFC 4861 10,
/// MAX_NEIGHBOR_ADVERTISEMENT).
const TIMES: u8 = 3;
const APART: Duration = Duration::from_secs(2);

/// An address at an interface, with the link address that it has there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The interface's name.
    pub interface: String,
    /// Its link address.
    pub link: [u8; 6],
    /// The address.
    pub address: IpAddr,
}

/// What was announced how often.
#[derive(Clone, Debug, Default)]
pub struct Due {
    known: HashMap<Place, (u8, Duration)>,
}

impl Due {
    /// Which of these places are to be announced now, and which of them for the first time. What is not among them is
    /// forgotten, and announced anew when it comes back.
    pub fn take(&mut self, places: &[Place], now: Duration) -> Vec<(Place, bool)> {
        self.known.retain(|place, _| places.contains(place));
        let mut due = Vec::new();
        for place in places {
            let (times, last) = self.known.entry(place.clone()).or_insert((0, now));
            if *times == 0 || (*times < TIMES && now.saturating_sub(*last) >= APART) {
                due.push((place.clone(), *times == 0));
                *times = times.saturating_add(1);
                *last = now;
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(host: u8) -> Place {
        Place { interface: "eth0".to_owned(), link: [2, 0, 0, 0, 0, 1], address: [192, 0, 2, host].into() }
    }

    #[test]
    fn each_is_announced_three_times_and_anew_when_it_comes_back() {
        let mut due = Due::default();
        let mut at = |second, places: &[Place]| due.take(places, Duration::from_secs(second));
        assert_eq!(at(0, &[place(1)]), [(place(1), true)]);
        assert_eq!(at(1, &[place(1)]), []);
        assert_eq!(at(2, &[place(1), place(2)]), [(place(1), false), (place(2), true)]);
        assert_eq!(at(4, &[place(1), place(2)]), [(place(1), false), (place(2), false)]);
        assert_eq!(at(60, &[place(1)]), []);
        assert_eq!(at(61, &[]), []);
        assert_eq!(at(62, &[place(1)]), [(place(1), true)]);
        let moved = Place { link: [2, 0, 0, 0, 0, 9], ..place(1) };
        assert_eq!(at(63, std::slice::from_ref(&moved)), [(moved, true)]);
    }
}
