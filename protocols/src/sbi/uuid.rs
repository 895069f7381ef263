//! Identities of NF instances (TS 29.571 5.3.2).

/// Whether a text is a UUID (RFC 9562 4).
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    const LENGTHS: [usize; 5] = [8, 4, 4, 4, 12];
    let hexadecimal = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split('-').map(str::len).eq(LENGTHS) && text.split('-').all(hexadecimal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_are_uuids() {
        assert!(is_uuid("8D1f3c6e-2f9b-4b6c-9e0a-3c5d7e9f1a2b"));
        for wrong in ["", "8d1f3c6e2f9b4b6c9e0a3c5d7e9f1a2b", "8d1f3c6e-2f9b-4b6c-9e0a-3c5d7e9f1a2g", "a-b-c-d-e"]
        {
            assert!(!is_uuid(wrong), "{wrong}");
        }
    }
}
