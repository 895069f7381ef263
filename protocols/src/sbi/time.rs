//! Dates with times (RFC 5322 3.3, RFC 9110 5.6.7), and those of JSON (RFC 3339).

use core::fmt;

use super::cursor::{Cursor, whole};
use super::{Error, Header, Value};

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp {
    /// Milliseconds since 1970-01-01 00:00 UTC.
    pub milliseconds: u64,
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

/// 9999-12-31 23:59:59.999, the last that four digits of a year can say.
const LAST: u64 = 253_402_300_799_999;

impl Timestamp {
    /// Takes a date with a time, zone and all; the day of the week is not compared with the date.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Error> {
        const NAME: &str = "date and time";
        let start = cursor.offset();
        if cursor.peek().is_some_and(|byte| byte.is_ascii_alphabetic()) {
            let day = cursor.some("day of the week", |byte| byte.is_ascii_alphabetic())?;
            if !DAYS.iter().any(|name| name.eq_ignore_ascii_case(day)) {
                return Err(cursor.parameter("day of the week", start));
            }
            cursor.literal(",")?;
            cursor.spaces();
        }
        let day = cursor.number("day", 2, 31)?;
        cursor.spaces();
        let offset = cursor.offset();
        let word = cursor.some("month", |byte| byte.is_ascii_alphabetic())?;
        let month = MONTHS
            .iter()
            .position(|name| name.eq_ignore_ascii_case(word))
            .and_then(|month| i64::try_from(month).ok())
            .ok_or_else(|| cursor.parameter("month", offset))?;
        cursor.spaces();
        let year = cursor.number("year", 4, 9999)?;
        cursor.spaces();
        let hour = cursor.number("hour", 2, 23)?;
        cursor.literal(":")?;
        let minute = cursor.number("minute", 2, 59)?;
        // 60 is a leap second (RFC 5322 3.3); what follows it counts the same.
        let second = if cursor.eat(b':') { cursor.number("second", 2, 60)? } else { 0 };
        let millisecond = if cursor.eat(b'.') { cursor.number("millisecond", 3, 999)? } else { 0 };
        cursor.spaces();
        let zone = zone(cursor)?;
        let days =
            days_before(i64::from(year), month, i64::from(day)).ok_or_else(|| cursor.parameter("day", start))?;
        let of_day = i64::from(hour) * 60 * MINUTE + i64::from(minute) * MINUTE + i64::from(second);
        let seconds = days * DAY + of_day - zone * MINUTE;
        u64::try_from(seconds)
            .ok()
            .map(|seconds| Self { milliseconds: seconds * 1_000 + u64::from(millisecond) })
            .filter(|time| time.milliseconds <= LAST)
            .ok_or_else(|| cursor.parameter(NAME, start))
    }

    /// Reads a time as JSON has it (RFC 3339 5.6, DateTime of TS 29.571 5.2.2); none where it is no such time.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let number = |at: usize, digits: usize| {
            let text = text.get(at..at + digits)?;
            text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i64>().ok())?
        };
        let is = |at: usize, among: &[u8]| text.as_bytes().get(at).is_some_and(|byte| among.contains(byte));
        let separated = [(4, &b"-"[..]), (7, b"-"), (10, b"Tt "), (13, b":"), (16, b":")];
        if !separated.iter().all(|(at, among)| is(*at, among)) {
            return None;
        }
        let days = days_before(number(0, 4)?, number(5, 2)? - 1, number(8, 2)?)?;
        let [hour, minute, second] = [number(11, 2)?, number(14, 2)?, number(17, 2)?];
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let rest = text.get(19..)?;
        let (fraction, zone) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count()),
            None => ("0", rest),
        };
        let places = [100, 10, 1];
        let milliseconds: i64 =
            fraction.bytes().zip(places).map(|(digit, place)| i64::from(digit - b'0') * place).sum();
        let zone = match zone.as_bytes() {
            b"Z" | b"z" => 0,
            [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
                let at = text.len() - 5;
                let (hours, minutes) = (number(at, 2)?, number(at + 3, 2)?);
                let minutes = (hours <= 23 && minutes <= 59).then_some(hours * 60 + minutes)?;
                if *sign == b'-' { -minutes } else { minutes }
            }
            _ => return None,
        };
        let seconds = days * DAY + hour * 60 * MINUTE + minute * MINUTE + second - zone * MINUTE;
        let milliseconds = u64::try_from(seconds * 1_000 + milliseconds).ok().filter(|_| !fraction.is_empty())?;
        (milliseconds <= LAST).then_some(Self { milliseconds })
    }

    /// It as JSON has it (RFC 3339 5.6), to the millisecond.
    pub fn rfc3339(self) -> impl fmt::Display {
        fmt::from_fn(move |f| {
            let milliseconds = self.milliseconds.min(LAST);
            let (seconds, rest) = (milliseconds / 1_000, milliseconds % 1_000);
            let (year, month, day) = date(seconds / 86_400);
            let month = month + 1;
            let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
            write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{rest:03}Z")
        })
    }

    /// It without what is less than a second.
    pub(super) fn to_second(self) -> Self {
        Self { milliseconds: self.milliseconds - self.milliseconds % 1_000 }
    }

    fn write(self, f: &mut fmt::Formatter<'_>, exact: bool) -> fmt::Result {
        let milliseconds = self.milliseconds.min(LAST);
        let (seconds, rest) = (milliseconds / 1_000, milliseconds % 1_000);
        let (days, of_day) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = date(days);
        let month = MONTHS.get(month).unwrap_or(&"Jan");
        let weekday = usize::try_from(days % 7).ok().and_then(|day| DAYS.get(day)).unwrap_or(&"Thu");
        let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        write!(f, "{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02}")?;
        if exact {
            write!(f, ".{rest:03}")?;
        }
        f.write_str(" GMT")
    }
}

/// `Tue, 04 Feb 2020 08:49:37 GMT`: to the second.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, false)
    }
}

/// 3gpp-Sbi-Sender-Timestamp (TS 29.500 5.2.3.3.2): when a message was originated, to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SenderTimestamp(pub Timestamp);

impl<'a> Value<'a> for SenderTimestamp {
    const HEADER: Header = Header::SenderTimestamp;

    fn parse(value: &'a [u8]) -> Result<Self, Error> {
        whole(Self::HEADER, value, Timestamp::read).map(Self)
    }
}

impl fmt::Display for SenderTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, true)
    }
}

/// Minutes that a zone is before UTC.
fn zone(cursor: &mut Cursor<'_>) -> Result<i64, Error> {
    let offset = cursor.offset();
    let sign = match cursor.peek() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => {
            let word = cursor.some("zone", |byte| byte.is_ascii_alphabetic())?;
            let hours = [("GMT", 0), ("UT", 0), ("UTC", 0), ("Z", 0), ("EST", -5), ("EDT", -4), ("CST", -6)]
                .into_iter()
                .chain([("CDT", -5), ("MST", -7), ("MDT", -6), ("PST", -8), ("PDT", -7)])
                .find(|(name, _)| word.eq_ignore_ascii_case(name));
            return hours.map(|(_, hours)| hours * 60).ok_or_else(|| cursor.parameter("zone", offset));
        }
    };
    cursor.run(|byte| matches!(byte, b'+' | b'-'));
    let digits = i64::from(cursor.number("zone", 4, 9959)?);
    if cursor.offset() - offset != 5 || digits % 100 > 59 {
        return Err(cursor.parameter("zone", offset));
    }
    Ok(sign * (digits / 100 * 60 + digits % 100))
}

/// Days from 1970-01-01 to a day of the Gregorian calendar, months from 0; none where the month has no such day.
fn days_before(year: i64, month: i64, day: i64) -> Option<i64> {
    let before = |year: i64| year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = lengths(leap);
    let month = usize::try_from(month).ok()?;
    if day < 1 || day > *lengths.get(month)? {
        return None;
    }
    let months: i64 = lengths.iter().take(month).sum();
    // `before` counts leap days up to the end of a year, so it is asked for the year before.
    Some(before(year - 1) - before(1969) + months + day - 1)
}

fn lengths(leap: bool) -> [i64; 12] {
    [31, 28 + i64::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

/// Year, month from 0, and day of a day since 1970-01-01.
fn date(days: u64) -> (u64, usize, i64) {
    // Counted from 0000-03-01, so that a leap day is the last of its year; 400 years are 146,097 days.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let mut day = i64::try_from(of_era - (year_of_era * 365 + year_of_era / 4 - year_of_era / 100)).unwrap_or(0);
    let from_march = lengths(true).into_iter().enumerate().cycle().skip(2).take(12);
    let year = era * 400 + year_of_era;
    for (month, length) in from_march {
        if day < length {
            return (year + u64::from(month < 2), month, day + 1);
        }
        day -= length;
    }
    (year, 1, 29)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    fn parse(text: &str) -> Result<u64, Error> {
        SenderTimestamp::parse(text.as_bytes()).map(|time| time.0.milliseconds)
    }

    /// Seconds as GNU date gives them.
    #[test]
    fn dates_as_others_count_them() {
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Tue, 04 Feb 2020 08:49:37 GMT", 1_580_806_177),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        ] {
            assert_eq!(parse(text), Ok(seconds * 1_000), "{text}");
            assert_eq!(Timestamp { milliseconds: seconds * 1_000 }.to_string(), text);
        }
        for same in ["4 Feb 2020 08:49:37 GMT", "Tue, 4 Feb 2020 09:49:37 +0100", "Tue, 04 Feb 2020 03:49:37 EST"]
        {
            assert_eq!(parse(same), Ok(1_580_806_177_000), "{same}");
        }
    }

    /// The example of TS 29.500 5.2.3.3.2.
    #[test]
    fn sender_timestamp_of_the_specification() {
        let text = "Sun, 04 Aug 2019 08:49:37.845 GMT";
        let time = SenderTimestamp::parse(text.as_bytes()).unwrap();
        assert_eq!((time.0.milliseconds, time.to_string().as_str()), (1_564_908_577_845, text));
    }

    #[test]
    fn no_text_is_too_strange_for_a_time_of_json() {
        bolero::check!().with_type::<std::string::String>().for_each(|text| {
            let _ = Timestamp::from_rfc3339(text);
        });
    }

    #[test]
    fn what_is_no_date_says_where() {
        let header = Header::SenderTimestamp;
        for (text, error) in [
            ("Foo, 04 Feb 2020 08:49:37 GMT", Error::Parameter { header, name: "day of the week", offset: 0 }),
            ("Tue, 04 Foo 2020 08:49:37 GMT", Error::Parameter { header, name: "month", offset: 8 }),
            ("Tue, 30 Feb 2020 08:49:37 GMT", Error::Parameter { header, name: "day", offset: 0 }),
            ("Tue, 04 Feb 2020 24:49:37 GMT", Error::Parameter { header, name: "hour", offset: 17 }),
            ("Tue, 04 Feb 2020 08:49:37", Error::Expected { header, what: "zone", offset: 25 }),
            ("Tue, 04 Feb 1969 08:49:37 GMT", Error::Parameter { header, name: "date and time", offset: 0 }),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }

    /// Milliseconds as GNU date gives them.
    #[test]
    fn times_of_json() {
        let read = |text| Timestamp::from_rfc3339(text).map(|time| time.milliseconds);
        for (text, milliseconds) in [
            ("2020-02-04T08:49:37Z", 1_580_806_177_000),
            ("2020-02-04t09:49:37.25+01:00", 1_580_806_177_250),
            ("2020-02-04 03:19:37.123456-05:30", 1_580_806_177_123),
            ("1970-01-01T00:00:00Z", 0),
        ] {
            assert_eq!(read(text), Some(milliseconds), "{text}");
        }
        assert_eq!(
            Timestamp { milliseconds: 1_580_806_177_250 }.rfc3339().to_string(),
            "2020-02-04T08:49:37.250Z"
        );
        for wrong in [
            "",
            "2020-02-30T08:49:37Z",
            "2020-02-04T24:49:37Z",
            "2020-02-04T08:49:37",
            "2020-02-04T08:49:37.Z",
            "2020-02-04T08:49:37+1:00",
            "2020-13-04T08:49:37Z",
            "2020-02-04T08:49:3é",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_time_comes_back() {
        bolero::check!().with_type::<u64>().for_each(|number| {
            let time = SenderTimestamp(Timestamp { milliseconds: number % (LAST + 1) });
            assert_eq!(SenderTimestamp::parse(time.to_string().as_bytes()), Ok(time));
            assert_eq!(Timestamp::from_rfc3339(&time.0.rfc3339().to_string()), Some(time.0));
        });
    }
}
