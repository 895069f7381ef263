//! Sets of features as hexadecimal digits, the last digit having features 1 to 4 (TS 29.571 5.2.2, TS 29.500 6.6.2).

/// Whether all that are required are supported; what is no hexadecimal digit is never.
pub(super) fn supports(supported: &str, required: &str) -> bool {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut supported = supported.bytes().rev();
    required.bytes().rev().all(|required| {
        let supported = supported.next().map_or(Some(0), digit);
        match (supported, digit(required)) {
            (Some(supported), Some(required)) => supported & required == required,
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d3_every_required_feature_must_be_there() {
        for (supported, required, all) in [
            ("", "", true),
            ("", "0", true),
            ("", "1", false),
            ("f", "5", true),
            ("a", "5", false),
            ("1f", "001F", true),
            ("0f", "10", false),
            ("80", "8", false),
            ("x", "1", false),
            ("f", "g", false),
        ] {
            assert_eq!(supports(supported, required), all, "{supported} {required}");
        }
    }
}
