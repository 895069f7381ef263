/// A number of a session as people give it: decimal, or hexadecimal after `0x`.
pub(crate) fn number<T: TryFrom<u64>>(text: &str) -> Option<T> {
    let number = text.strip_prefix("0x").map_or_else(|| text.parse(), |hex| u64::from_str_radix(hex, 16));
    number.ok()?.try_into().ok()
}
