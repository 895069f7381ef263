//! One writing for what means the same, so that the same search is the same text.

use std::fmt::Write as _;

use serde_json::Value;

/// JSON without spaces, members in the order of their names; none where it is no JSON.
pub(super) fn json(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    let mut written = String::with_capacity(text.len());
    write(&value, &mut written);
    Some(written)
}

fn write(value: &Value, to: &mut String) {
    match value {
        Value::Array(items) => {
            to.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    to.push(',');
                }
                write(item, to);
            }
            to.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            to.push('{');
            for (index, (name, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    to.push(',');
                }
                let _ = write!(to, "{}:", Value::from(name.as_str()));
                write(member, to);
            }
            to.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let _ = write!(to, "{value}");
        }
    }
}

/// Adds text to a query: percent-encoded but for what never needs it, and for commas where they separate words.
pub(crate) fn encode(text: &str, commas: bool, to: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (commas && byte == b',') {
            to.push(char::from(byte));
        } else {
            let _ = write!(to, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d5_the_same_json_is_written_the_same() {
        let [a, b] = [r#"{"sst": 1, "sd" : "A08923"}"#, r#"{"sd":"A08923","sst":1}"#].map(json);
        assert_eq!(a.as_deref(), Some(r#"{"sd":"A08923","sst":1}"#));
        assert_eq!(a, b);
        assert_eq!(
            json(r#"[ "a\"b", {"x": [ ]}, null, true ]"#).as_deref(),
            Some(r#"["a\"b",{"x":[]},null,true]"#)
        );
        assert_eq!(json("[1"), None);
    }

    #[test]
    fn queries_are_percent_encoded() {
        let mut query = String::new();
        encode("[{\"sst\":1}]é", false, &mut query);
        encode("a,b c", true, &mut query);
        assert_eq!(query, "%5B%7B%22sst%22%3A1%7D%5D%C3%A9a,b%20c");
    }
}
