//! Retry-After (RFC 9110 10.2.3).

use std::time::Duration;

use http::{HeaderMap, HeaderName, header};
use pinion_protocols::sbi::{SenderTimestamp, Value as _};

/// For how long somebody asks to be let alone: in seconds, or to a date, which is counted from that of the answer, so that clocks
/// need not agree.
pub(crate) fn wait(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |name: HeaderName| SenderTimestamp::parse(headers.get(name)?.as_bytes()).ok().map(|it| it.0);
    let (until, now) = (date(header::RETRY_AFTER)?, date(header::DATE)?);
    Some(Duration::from_millis(until.milliseconds.saturating_sub(now.milliseconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n2_seconds_and_dates() {
        let of = |pairs: &[(HeaderName, &'static str)]| {
            let pairs = pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
            wait(&pairs.collect()).map(|it| it.as_secs())
        };
        let date = (header::DATE, "Fri, 27 Nov 2026 09:59:30 GMT");
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[(header::RETRY_AFTER, "120")]), Some(120));
        let then = (header::RETRY_AFTER, "Fri, 27 Nov 2026 10:00:00 GMT");
        assert_eq!(of(&[date.clone(), then.clone()]), Some(30));
        assert_eq!(of(&[then]), None);
        assert_eq!(of(&[date.clone(), (header::RETRY_AFTER, "Fri, 27 Nov 2026 09:00:00 GMT")]), Some(0));
        assert_eq!(of(&[date, (header::RETRY_AFTER, "-1")]), None);
    }
}
