//! For how long an answer holds: validityPeriod (TS 29.510 6.2.6.2.2) and Cache-Control (RFC 9111 4.2, 5.2.2).

use std::time::Duration;

use http::{HeaderMap, header};

/// How an answer may be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Freshness {
    /// For how long it holds.
    pub(super) holds: Duration,
    /// Whether it may be remembered at all.
    pub(super) store: bool,
    /// Whether it may serve when it holds no more, as long as it cannot be validated.
    pub(super) stale: bool,
}

/// A month: what holds for longer is asked for again anyway.
const LONGEST: u64 = 30 * 86_400;

/// What an answer says; `otherwise` where it says nothing. Where both say something, the shorter counts.
pub(super) fn freshness(headers: &HeaderMap, validity: Option<u64>, otherwise: Duration) -> Freshness {
    let mut store = true;
    let (mut shared, mut private, mut again, mut stale) = (None, None, false, true);
    let directives = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    for directive in directives.flat_map(|value| value.split(',')) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let seconds = || value.trim().trim_matches('"').parse::<u64>().ok();
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" => store = false,
            "no-cache" => (again, stale) = (true, false),
            "must-revalidate" | "proxy-revalidate" => stale = false,
            // A proxy's cache is a shared one, but an SCP asks on its own behalf.
            "s-maxage" => shared = seconds(),
            "max-age" => private = seconds(),
            _ => {}
        }
    }
    let age = headers.get(header::AGE).and_then(|age| age.to_str().ok()?.trim().parse::<u64>().ok()).unwrap_or(0);
    let by_header = shared.or(private).map(|seconds| seconds.saturating_sub(age));
    let seconds = match (by_header, validity) {
        (Some(by_header), Some(validity)) => Some(by_header.min(validity)),
        (one, other) => one.or(other),
    };
    let holds = seconds.map_or(otherwise, |seconds| Duration::from_secs(seconds.min(LONGEST)));
    Freshness { holds: if again || !store { Duration::ZERO } else { holds }, store, stale }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(&'static str, &'static str)], validity: Option<u64>) -> (u64, bool) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let Freshness { holds, store, .. } = freshness(&map, validity, Duration::from_secs(30));
        (holds.as_secs(), store)
    }

    #[test]
    fn d5_validity_period_and_cache_control() {
        assert_eq!(of(&[], None), (30, true));
        assert_eq!(of(&[], Some(90)), (90, true));
        assert_eq!(of(&[("cache-control", "max-age=20")], Some(90)), (20, true));
        assert_eq!(of(&[("cache-control", "max-age=20"), ("age", "5")], None), (15, true));
        assert_eq!(of(&[("cache-control", "private, Max-Age=\"20\", s-maxage=10")], None), (10, true));
        assert_eq!(of(&[("cache-control", "no-cache")], Some(90)), (0, true));
        assert_eq!(of(&[("cache-control", "x"), ("cache-control", "no-store, max-age=20")], Some(90)), (0, false));
        assert_eq!(of(&[("cache-control", "max-age=soon")], None), (30, true));
        assert_eq!(of(&[], Some(u64::MAX)), (LONGEST, true));
    }
}
