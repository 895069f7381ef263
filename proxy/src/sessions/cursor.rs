use std::fmt;
use std::str::FromStr;

use pinion_loader::Cursor as Place;
use pinion_steering::{Address, FlowKey, LongKey, PinKey, ShortKey, mix};

use super::key::{Key, SHARDS};

/// Where a page of sessions ended: a letter for the table, then numbers in hexadecimal.
///
/// It names a place in a table, not an entry: the entry may be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cursor {
    /// In `FLOWS` and `FLOWS6`. The tables are read by whole buckets: where a page had no room for all that is at the
    /// place, it says which of them it has shown.
    Flows { from: Place, shown: Vec<u64> },
    /// In a shard of the session table.
    Pins { shard: usize, after: Option<Key> },
}

/// What a flow is called among those of one place.
pub(super) fn name(key: &FlowKey) -> u64 {
    let fold = |seed: u32| match key {
        FlowKey::Short(ShortKey(words)) => words.iter().fold(seed, |hash, word| mix(hash, *word)),
        FlowKey::Long(LongKey { near, far, ports, protocol }) => {
            near.0.iter().chain(&far.0).chain([ports, protocol]).fold(seed, |hash, word| mix(hash, *word))
        }
    };
    u64::from(fold(0)) << 32 | u64::from(fold(0x5eed))
}

impl Cursor {
    pub(super) const FIRST_PIN: Self = Self::Pins { shard: 0, after: None };

    pub(super) fn first() -> Self {
        Self::flows(Place::default())
    }

    pub(super) fn flows(from: Place) -> Self {
        Self::Flows { from, shown: Vec::new() }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flows { from, shown } => {
                write!(f, "f{:016x}", from.number())?;
                shown.iter().try_for_each(|name| write!(f, "{name:016x}"))
            }
            Self::Pins { shard, after } => {
                write!(f, "p{shard:02x}")?;
                let Some(PinKey { address: Address([a, b, c, d]), teid }) = after.map(PinKey::from) else {
                    return Ok(());
                };
                [a, b, c, d, teid].iter().try_for_each(|word| write!(f, "{word:08x}"))
            }
        }
    }
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
        match text.split_at_checked(1) {
            Some(("f", numbers)) => {
                let numbers = read::<16>(numbers)?;
                let (from, shown) = numbers.split_first().ok_or(NoCursor)?;
                Ok(Self::Flows { from: Place::new(*from), shown: shown.to_vec() })
            }
            Some(("p", rest)) => {
                let (shard, words) = rest.split_at_checked(2).ok_or(NoCursor)?;
                let shard = usize::from_str_radix(shard, 16).map_err(|_| NoCursor)?;
                let words: Vec<u32> = read::<8>(words)?.into_iter().map(|word| word as u32).collect();
                let after = match *words.as_slice() {
                    [] => None,
                    [a, b, c, d, teid] => Some(Key::from(PinKey { address: Address([a, b, c, d]), teid })),
                    _ => return Err(NoCursor),
                };
                if shard < SHARDS { Ok(Self::Pins { shard, after }) } else { Err(NoCursor) }
            }
            _ => Err(NoCursor),
        }
    }
}

/// Reads numbers of so many digits each.
fn read<const DIGITS: usize>(text: &str) -> Result<Vec<u64>, NoCursor> {
    let (numbers, rest) = text.as_bytes().as_chunks::<DIGITS>();
    if !rest.is_empty() {
        return Err(NoCursor);
    }
    let number = |digits: &[u8; DIGITS]| {
        let digits = std::str::from_utf8(digits).map_err(|_| NoCursor)?;
        u64::from_str_radix(digits, 16).map_err(|_| NoCursor)
    };
    numbers.iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_it_was_written() {
        let v6 = Address([1, 2, 3, u32::MAX]);
        let cursors = [
            Cursor::first(),
            Cursor::FIRST_PIN,
            Cursor::Flows { from: Place::new(u64::MAX), shown: vec![0, u64::MAX] },
            Cursor::Pins { shard: 15, after: Some(Key::from(PinKey { address: v6, teid: 0xdead_beef })) },
        ];
        for cursor in cursors {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in
            ["", "x", "f", "p", "p1", "p10", "fp", "f0", "f+000000000000000", "p00\u{e9}", "\u{e9}", "p000"]
        {
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
