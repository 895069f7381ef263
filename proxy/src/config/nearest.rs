//! What a misspelt word was meant to be.

/// The known word that is nearest, where one is near enough to be meant: at the most a third of it differs.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // No word of ours is that long.
    if word.len() > 128 {
        return None;
    }
    let near = |candidate: &&str| {
        let length = candidate.chars().count().max(word.chars().count());
        let distance = distance(word, candidate);
        (distance <= length.div_ceil(3)).then_some(distance)
    };
    known
        .into_iter()
        .filter_map(|candidate| near(&candidate).map(|distance| (distance, candidate)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be put in, taken out, changed, or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut last_a = None;
    for (i, letter) in a.chars().flat_map(char::to_lowercase).enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(i + 1);
        let mut last_b = None;
        for (j, other) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let changed = at(&row, j) + usize::from(letter != *other);
            let mut least = changed.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            if j > 0 && last_a == Some(*other) && last_b == Some(letter) {
                least = least.min(at(&before, j - 1) + 1);
            }
            next.push(least);
            last_b = Some(*other);
        }
        before = std::mem::replace(&mut row, next);
        last_a = Some(letter);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_differ() {
        for (a, b, expected) in
            [("", "abc", 3), ("port", "prot", 1), ("kitten", "sitting", 3), ("UDP", "udp", 0), ("abc", "", 3)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn what_is_near_is_meant() {
        let known = ["name", "addresses", "port", "weight"];
        assert_eq!(nearest("prot", known), Some("port"));
        assert_eq!(nearest("address", known), Some("addresses"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest(&"port".repeat(100), known), None);
    }
}
