//! Pages of a table in memory: its entries in the order of a number that their keys have.

use pinion_steering::{FlowKey, LongKey, PinKey, ShortKey, mix};

use crate::{Cursor, Paged};

/// A page of `entries`: those whose numbers begin at the cursor, at the most `most` but for those of one number.
///
/// The whole table is looked at for each page: tables in memory are small.
pub(super) fn page<'a, K: Copy + 'a, V: Copy + 'a>(
    entries: impl Iterator<Item = (&'a K, &'a V)>,
    from: Cursor,
    most: usize,
    number: fn(&K) -> u32,
) -> Paged<(K, V)> {
    let (_, from) = from.place();
    let from = from.unwrap_or(0);
    let mut found: Vec<(u32, K, V)> =
        entries.map(|(key, value)| (number(key), *key, *value)).filter(|(at, ..)| *at >= from).collect();
    found.sort_unstable_by_key(|(at, ..)| *at);
    // Whole runs of one number, and at least one.
    let next = found.get(most.max(1)).map(|(at, ..)| *at);
    let end = match next {
        Some(next) if found.first().is_some_and(|(first, ..)| *first < next) => {
            found.partition_point(|(at, ..)| *at < next)
        }
        Some(next) => found.partition_point(|(at, ..)| *at <= next),
        None => found.len(),
    };
    let next = found.get(end).map(|(at, ..)| Cursor::at(0, Some(*at)));
    found.truncate(end);
    Paged { entries: found.into_iter().map(|(_, key, value)| (key, value)).collect(), next }
}

/// The number of a flow's key.
pub(super) fn flow(key: &FlowKey) -> u32 {
    match key {
        FlowKey::Short(ShortKey(words)) => words.iter().fold(0, |number, word| mix(number, *word)),
        FlowKey::Long(LongKey { near, far, ports, protocol }) => {
            near.0.iter().chain(&far.0).chain([ports, protocol]).fold(0, |number, word| mix(number, *word))
        }
    }
}

/// The number of a pin's key.
pub(super) fn pin(key: &PinKey) -> u32 {
    key.address.0.iter().fold(key.teid, |number, word| mix(number, *word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn pages_hold_every_entry_once() {
        bolero::check!().with_type::<(Vec<u8>, u8)>().for_each(|(keys, most)| {
            let table: HashMap<u8, ()> = keys.iter().map(|key| (*key, ())).collect();
            let mut seen = Vec::new();
            let mut from = Some(Cursor::default());
            while let Some(cursor) = from {
                let page = page(table.iter(), cursor, usize::from(*most), |key| u32::from(key / 3));
                seen.extend(page.entries.into_iter().map(|(key, ())| key));
                from = page.next;
            }
            seen.sort_unstable();
            let mut all: Vec<u8> = table.into_keys().collect();
            all.sort_unstable();
            assert_eq!(seen, all);
        });
    }
}
