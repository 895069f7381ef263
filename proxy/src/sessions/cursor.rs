use std::fmt;
use std::str::FromStr;

use pinion_steering::{Address, FlowKey, LongKey, PinKey, ShortKey};

use super::key::{Key, SHARDS};

/// Where a page of sessions ended: a letter for the table, then the last key that was looked at, in hexadecimal.
///
/// It names a place in an order of all keys there can be, not an entry: the entry may be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cursor {
    /// In `FLOWS` and `FLOWS6`.
    Flows(Option<FlowKey>),
    /// In a shard of the session table.
    Pins { shard: usize, after: Option<Key> },
}

impl Cursor {
    pub(super) const FIRST: Self = Self::Flows(None);
    pub(super) const FIRST_PIN: Self = Self::Pins { shard: 0, after: None };
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flows(None) => write!(f, "f"),
            Self::Flows(Some(FlowKey::Short(key))) => {
                write!(f, "f")?;
                words(f, &key.0)
            }
            Self::Flows(Some(FlowKey::Long(key))) => {
                write!(f, "f")?;
                words(f, &key.near.0)?;
                words(f, &key.far.0)?;
                words(f, &[key.ports, key.protocol])
            }
            Self::Pins { shard, after } => {
                write!(f, "p{shard:02x}")?;
                let Some(key) = after.map(PinKey::from) else { return Ok(()) };
                words(f, &key.address.0)?;
                words(f, &[key.teid])
            }
        }
    }
}

fn words(f: &mut fmt::Formatter<'_>, words: &[u32]) -> fmt::Result {
    words.iter().try_for_each(|word| write!(f, "{word:08x}"))
}

/// A text that no page ended with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoCursor;

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        // So that bytes are characters, and no sign goes through as a digit.
        if !text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f' | b'p')) {
            return Err(NoCursor);
        }
        let cursor = match text.split_at_checked(1) {
            Some(("f", words)) => match *read(words)?.as_slice() {
                [] => Some(Self::Flows(None)),
                [a, b, c, d] => Some(Self::Flows(Some(FlowKey::Short(ShortKey([a, b, c, d]))))),
                [a, b, c, d, e, f, g, h, ports, protocol] => {
                    let (near, far) = (Address([a, b, c, d]), Address([e, f, g, h]));
                    Some(Self::Flows(Some(FlowKey::Long(LongKey { near, far, ports, protocol }))))
                }
                _ => None,
            },
            Some(("p", rest)) => {
                let (shard, words) = rest.split_at_checked(2).ok_or(NoCursor)?;
                let shard = usize::from_str_radix(shard, 16).map_err(|_| NoCursor)?;
                let after = match *read(words)?.as_slice() {
                    [] => None,
                    [a, b, c, d, teid] => Some(Key::from(PinKey { address: Address([a, b, c, d]), teid })),
                    _ => return Err(NoCursor),
                };
                (shard < SHARDS).then_some(Self::Pins { shard, after })
            }
            _ => None,
        };
        cursor.ok_or(NoCursor)
    }
}

fn read(text: &str) -> Result<Vec<u32>, NoCursor> {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    if !rest.is_empty() {
        return Err(NoCursor);
    }
    let word = |digits: &[u8; 8]| {
        let digits = std::str::from_utf8(digits).map_err(|_| NoCursor)?;
        u32::from_str_radix(digits, 16).map_err(|_| NoCursor)
    };
    words.iter().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_it_was_written() {
        let v6 = Address([1, 2, 3, u32::MAX]);
        let cursors = [
            Cursor::FIRST,
            Cursor::FIRST_PIN,
            Cursor::Flows(Some(FlowKey::tunnel(1, 2))),
            Cursor::Flows(Some(FlowKey::tuple(v6, 1, v6, 2, 6))),
            Cursor::Pins { shard: 15, after: Some(Key::from(PinKey { address: v6, teid: 0xdead_beef })) },
        ];
        for cursor in cursors {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "x", "p", "p1", "p10", "fp", "f0", "f00000000", "f+0000000", "p00é", "\u{e9}", "p000"] {
            assert_eq!(text.parse::<Cursor>(), Err(NoCursor), "{text}");
        }
    }

    #[test]
    fn any_text_is_read_or_refused() {
        bolero::check!().with_type::<String>().for_each(|text: &String| {
            if let Ok(cursor) = text.parse::<Cursor>() {
                assert_eq!(&cursor.to_string(), text);
            }
        });
    }
}
