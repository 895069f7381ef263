//! Headers that are lists: read one after the other, and shown with what is between them.

use core::fmt;

/// Makes a header's value of the things that are listed in it.
macro_rules! listed {
    ($name:ident, $header:ident, $between:literal, $shown:literal, $read:expr) => {
        impl<'a> super::Value<'a> for $name<'a> {
            const HEADER: super::Header = super::Header::$header;

            fn parse(value: &'a [u8]) -> Result<Self, super::Error> {
                super::cursor::whole(Self::HEADER, value, |cursor| cursor.list($between, $read)).map(Self)
            }
        }

        impl core::fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                super::listed::separated(f, $shown, &self.0)
            }
        }
    };
}

pub(super) use listed;

/// Shows things with something between them.
pub(super) fn separated<T: fmt::Display>(f: &mut fmt::Formatter<'_>, between: &str, things: &[T]) -> fmt::Result {
    let mut before = "";
    for thing in things {
        write!(f, "{before}{thing}")?;
        before = between;
    }
    Ok(())
}

/// Shows names with values, as `name=value; name=value`.
pub(super) fn pairs<N: fmt::Display>(f: &mut fmt::Formatter<'_>, pairs: &[(N, &str)]) -> fmt::Result {
    let mut before = "";
    for (name, value) in pairs {
        write!(f, "{before}{name}={value}")?;
        before = "; ";
    }
    Ok(())
}
