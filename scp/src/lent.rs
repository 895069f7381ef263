//! Headers that the next hop was given, and not a copy: what is kept to have them again, where there is another attempt.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

use crate::kind::Kind;

/// What headers are made of again: those that make a kind are there already.
#[derive(Debug)]
pub(crate) struct Lent {
    others: Vec<(HeaderName, HeaderValue)>,
    /// Whether those of the kind were all there.
    whole: bool,
}

impl Lent {
    /// What to keep of headers of a request of this kind.
    pub(crate) fn of(headers: &HeaderMap, kind: &Kind) -> Self {
        // What makes a kind stays as it came; other headers are changed and added.
        if headers.len() == kind.said().len() {
            return Self { others: Vec::new(), whole: true };
        }
        let mut said = kind.said().iter().peekable();
        let mut of_kind = |it: &Pair<'_>| said.next_if(|(name, value)| name == it.0 && value == it.1).is_some();
        let others = headers.iter().filter(|it| !of_kind(it)).map(copy).collect();
        match said.peek() {
            None => Self { others, whole: true },
            Some(_) => Self { others: headers.iter().map(copy).collect(), whole: false },
        }
    }

    /// The headers. Those of one name are in the order that they were in.
    pub(crate) fn again(&self, kind: &Kind) -> HeaderMap {
        let said = if self.whole { kind.said() } else { &[] };
        said.iter().chain(&self.others).cloned().collect()
    }
}

type Pair<'a> = (&'a HeaderName, &'a HeaderValue);

fn copy((name, value): Pair<'_>) -> (HeaderName, HeaderValue) {
    (name.clone(), value.clone())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::Request;

    use super::*;
    use crate::call::fixture;
    use crate::kind::Known;

    const SENT: [(&str, &str); 6] = [
        ("accept", "a"),
        ("user-agent", "AMF-1"),
        ("accept", "b"),
        ("3gpp-sbi-discovery-target-nf-type", "UDM"),
        ("x-a", "1"),
        ("3gpp-sbi-discovery-supi", "imsi-1"),
    ];

    /// Headers, and the kind of a request with them.
    fn sent() -> (HeaderMap, Arc<Kind>) {
        let request = SENT.iter().fold(Request::builder().uri("/a"), |it, (name, value)| it.header(*name, *value));
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let kind = fixture::context(&parts, &mut Known::new(fixture::origin(""))).kind;
        (parts.headers, kind)
    }

    #[test]
    fn headers_that_were_lent_are_had_again() {
        let (headers, kind) = sent();
        let lent = Lent::of(&headers, &kind);
        assert_eq!(lent.others.len(), 3);
        assert_eq!(lent.again(&kind), headers);
    }

    #[test]
    fn of_headers_that_all_make_the_kind_nothing_is_kept() {
        let (mut headers, kind) = sent();
        headers.remove("accept");
        headers.remove("x-a");
        let lent = Lent::of(&headers, &kind);
        assert!(lent.others.is_empty());
        assert_eq!(lent.again(&kind), headers);
    }

    #[test]
    fn what_is_not_as_its_kind_has_it_is_kept_as_it_is() {
        let (headers, kind) = sent();
        let changed: [fn(&mut HeaderMap); 4] = [
            |it| drop(it.remove("user-agent")),
            |it| drop(it.insert("user-agent", HeaderValue::from_static("AMF-2"))),
            |it| drop(it.insert("accept", HeaderValue::from_static("c"))),
            |it| assert!(it.append("3gpp-sbi-discovery-supi", HeaderValue::from_static("imsi-2"))),
        ];
        for change in changed {
            let mut headers = headers.clone();
            change(&mut headers);
            assert_eq!(Lent::of(&headers, &kind).again(&kind), headers);
        }
    }
}
