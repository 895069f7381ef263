//! Whether text is JSON (RFC 8259).

use serde::de::IgnoredAny;

/// Where text stops being JSON; none where all of it is. What is nested deeper than 128 levels is none.
pub(super) fn fault(text: &str) -> Option<usize> {
    let error = serde_json::from_str::<IgnoredAny>(text).err()?;
    // Headers have one line, so a column is an offset; it counts from 1.
    Some(error.column().saturating_sub(1).min(text.len()))
}
