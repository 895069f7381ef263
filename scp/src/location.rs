//! `Location` of a response, made absolute for a client that knows only the SCP (TS 29.500 6.10.4, RFC 3986 5.2).

use crate::api_root::ApiRoot;

/// A reference resolved against the URI that a producer was asked by; none where it is absolute already.
#[must_use]
pub(crate) fn absolute(reference: &str, asked: &ApiRoot, path: &str) -> Option<String> {
    if has_scheme(reference) {
        return None;
    }
    let scheme = asked.transport.scheme();
    if let Some(rest) = reference.strip_prefix("//") {
        return Some(format!("{scheme}://{rest}"));
    }
    let authority = &asked.authority;
    let base = path.split(['?', '#']).next().unwrap_or_default();
    let (target, rest) = split_path(reference);
    if target.is_empty() {
        // The same document: its query stays, unless there is another.
        let query = if rest.starts_with('?') { "" } else { path.strip_prefix(base).unwrap_or_default() };
        return Some(format!("{scheme}://{authority}{base}{query}{rest}"));
    }
    let merged = if target.starts_with('/') {
        target.to_owned()
    } else {
        let folder = base.rfind('/').and_then(|at| base.get(..=at)).unwrap_or("/");
        format!("{folder}{target}")
    };
    Some(format!("{scheme}://{authority}{}{rest}", without_dots(&merged)))
}

fn split_path(reference: &str) -> (&str, &str) {
    reference.find(['?', '#']).map_or((reference, ""), |at| reference.split_at(at))
}

fn has_scheme(reference: &str) -> bool {
    let Some((scheme, _)) = reference.split_once(':') else { return false };
    scheme.starts_with(|it: char| it.is_ascii_alphabetic())
        && scheme.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '+' | '-' | '.'))
}

/// RFC 3986 5.2.4.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." if last => kept.push(""),
            "." => {}
            ".." => {
                kept.pop();
                if last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    let mut text = String::with_capacity(path.len());
    for segment in kept {
        text.push('/');
        text.push_str(segment);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3986 5.4, as far as its base can be an API's.
    #[test]
    fn references_are_resolved_as_the_rfc_lists_them() {
        let asked = ApiRoot::parse("http://a").unwrap();
        for (reference, wanted) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q#s"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g;x=1/../y", "http://a/b/c/y"),
        ] {
            assert_eq!(absolute(reference, &asked, "/b/c/d;p?q").as_deref(), Some(wanted), "{reference}");
        }
        assert_eq!(absolute("g:h", &asked, "/"), None);
        assert_eq!(absolute("http://x/y", &asked, "/"), None);
    }

    #[test]
    fn any_reference_is_resolved_without_panic() {
        bolero::check!().with_type::<(String, String)>().for_each(|(reference, path)| {
            let _ = absolute(reference, &ApiRoot::parse("http://a").unwrap(), path);
        });
    }
}
