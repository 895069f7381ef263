//! Durations, as people write and read them.

use std::time::Duration;

/// A duration in at the most two units, such as `3d 4h`, `5m 12s`, `1.2s`, `340ms`.
pub(crate) fn shown(time: Duration) -> String {
    let seconds = time.as_secs();
    let two = |large: u64, unit: &str, small: u64, next: &str| {
        if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit} {small}{next}") }
    };
    match seconds {
        0 if time.is_zero() => "0s".to_owned(),
        0 if time.as_micros() < 1000 => format!("{}µs", time.as_micros()),
        0 if time.as_millis() < 10 => format!("{}.{}ms", time.as_millis(), time.subsec_micros() / 100 % 10),
        0 => format!("{}ms", time.as_millis()),
        1..10 if time.subsec_millis() >= 100 => format!("{seconds}.{}s", time.subsec_millis() / 100),
        1..60 => format!("{seconds}s"),
        60..3600 => two(seconds / 60, "m", seconds % 60, "s"),
        3600..86_400 => two(seconds / 3600, "h", seconds / 60 % 60, "m"),
        _ => two(seconds / 86_400, "d", seconds / 3600 % 24, "h"),
    }
}

/// Why text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadError {
    /// It is not made of numbers with units.
    #[error("give numbers with units, such as 90s, 5m or 1h30m (ms, s, m, h, d)")]
    Shape,
    /// It is beyond what is taken.
    #[error("give at the most a year (365d)")]
    Long,
}

const YEAR: u64 = 365 * 24 * 60 * 60 * 1000;

/// Reads a duration such as `90s`, `5m` or `1h30m`.
pub(crate) fn read(text: &str) -> Result<Duration, ReadError> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(ReadError::Shape);
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = split(rest, |char| char.is_ascii_digit());
        let (unit, after) = split(after, |char| char.is_ascii_alphabetic());
        let unit: u64 = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(ReadError::Shape),
        };
        if number.is_empty() {
            return Err(ReadError::Shape);
        }
        // Only a number that is too large is left to go wrong.
        let number: u64 = number.parse().map_err(|_| ReadError::Long)?;
        let part = number.checked_mul(unit).ok_or(ReadError::Long)?;
        total = total.checked_add(part).filter(|total| *total <= YEAR).ok_or(ReadError::Long)?;
        rest = after.trim_start();
    }
    Ok(Duration::from_millis(total))
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|char| !belongs(char)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        let read = |text| read(text).map(|time| time.as_millis());
        for (text, expected) in [
            ("90s", Ok(90_000)),
            ("5m", Ok(300_000)),
            ("1h30m", Ok(5_400_000)),
            ("1d 2h", Ok(93_600_000)),
            ("250ms", Ok(250)),
            ("0s", Ok(0)),
            ("365d", Ok(31_536_000_000)),
            ("366d", Err(ReadError::Long)),
            ("99999999999999999999s", Err(ReadError::Long)),
            ("9999999999999999999d", Err(ReadError::Long)),
            ("", Err(ReadError::Shape)),
            ("5", Err(ReadError::Shape)),
            ("m", Err(ReadError::Shape)),
            ("-5m", Err(ReadError::Shape)),
            ("1.5h", Err(ReadError::Shape)),
            ("5 m", Err(ReadError::Shape)),
            ("5w", Err(ReadError::Shape)),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn durations_are_shown() {
        for (time, expected) in [
            (Duration::ZERO, "0s"),
            (Duration::from_micros(87), "87µs"),
            (Duration::from_micros(1240), "1.2ms"),
            (Duration::from_millis(340), "340ms"),
            (Duration::from_millis(1250), "1.2s"),
            (Duration::from_secs(5), "5s"),
            (Duration::from_secs(59), "59s"),
            (Duration::from_secs(60), "1m"),
            (Duration::from_secs(312), "5m 12s"),
            (Duration::from_secs(7260), "2h 1m"),
            (Duration::from_secs(273_600), "3d 4h"),
        ] {
            assert_eq!(shown(time), expected);
        }
    }

    #[test]
    fn what_is_read_is_at_the_most_a_year() {
        bolero::check!().with_type::<String>().for_each(|text| {
            if let Ok(time) = read(text) {
                assert!(time.as_millis() <= u128::from(YEAR));
            }
        });
    }
}
