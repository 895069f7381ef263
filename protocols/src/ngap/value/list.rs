//! Lists.

use alloc::vec::Vec;

use crate::ap::{Reader, Unfit, Value, Writer, Wrong};

/// From here on a list is counted as octets are, in portions of 16 K and more (X.691 11.9.4.2, 20.6).
const UNCOUNTED: usize = 65_536;

/// One to `MOST` items.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct List<T, const MOST: usize>(pub Vec<T>);

impl<T, const MOST: usize> From<Vec<T>> for List<T, MOST> {
    fn from(items: Vec<T>) -> Self {
        Self(items)
    }
}

impl<T: Value, const MOST: usize> Value for List<T, MOST> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        if MOST < UNCOUNTED {
            let count = reader.count(MOST)?;
            return (0..count).map(|_| T::read(reader)).collect::<Result<_, _>>().map(Self);
        }
        let (mut items, mut more) = (Vec::new(), true);
        let offset = reader.rest().0;
        while more {
            let count;
            (count, more) = reader.portion()?;
            if items.len().saturating_add(count) > MOST {
                return Err(Wrong::Range { offset });
            }
            for _ in 0..count {
                items.push(T::read(reader)?);
            }
        }
        if items.is_empty() { Err(Wrong::Range { offset }) } else { Ok(Self(items)) }
    }

    fn write(&self, writer: &mut Writer<'_>) {
        if MOST < UNCOUNTED {
            writer.count(self.0.len(), MOST);
            return self.0.iter().for_each(|item| item.write(writer));
        }
        if !(1..=MOST).contains(&self.0.len()) {
            writer.fail(Unfit::Count { count: self.0.len(), most: MOST });
        }
        let mut rest = self.0.as_slice();
        let mut more = true;
        while more {
            let count;
            (count, more) = writer.portion(rest.len());
            let (portion, behind) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            portion.iter().for_each(|item| item.write(writer));
            rest = behind;
        }
    }
}
