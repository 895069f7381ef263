//! What the same headers said before: a consumer's requests of one kind look for the same, and only their paths differ.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::quality::RandomState;
use http::HeaderMap;

use super::factors::{Api, Factors};
use crate::failure::Failure;

/// Factors by all that they were read of.
#[derive(Debug, Default)]
pub(super) struct Memo {
    known: RwLock<HashMap<Box<[u8]>, Arc<Factors>, RandomState>>,
}

/// What is remembered, before all of it is forgotten: who names a subscriber in each request is better read each time.
const MOST: usize = 4_096;

/// Octets of headers that are worth remembering.
const LONGEST: usize = 2_048;

impl Memo {
    /// As [`Factors::read`] does.
    pub(super) fn read(
        &self,
        headers: &HeaderMap,
        path: &str,
        more: &[(&'static str, String)],
        requester: &str,
        named: bool,
    ) -> Result<Arc<Factors>, Failure> {
        let read = || Factors::read(headers, path, more, requester, named).map(Arc::new);
        if !more.is_empty() {
            return read();
        }
        let said = said(headers, path, requester, named);
        if let Some(factors) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(said.as_slice()) {
            return Ok(Arc::clone(factors));
        }
        let factors = read()?;
        if said.len() <= LONGEST {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(said.into(), Arc::clone(&factors));
        }
        Ok(factors)
    }
}

/// All that factors are read of, each part with its end, which no header has in it.
fn said(headers: &HeaderMap, path: &str, requester: &str, named: bool) -> Vec<u8> {
    let mut said = Vec::with_capacity(512);
    let mut add = |part: &[u8]| {
        said.extend_from_slice(part);
        said.push(0);
    };
    for (name, value) in headers {
        if Factors::reads(name.as_str()) {
            add(name.as_str().as_bytes());
            add(value.as_bytes());
        }
    }
    if let Some(api) = Api::of(path) {
        add(api.name.as_bytes());
        add(api.version.as_bytes());
    }
    add(requester.as_bytes());
    add(&[u8::from(named)]);
    said
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn d5_the_same_headers_say_the_same_and_others_do_not() {
        let memo = Memo::default();
        let read = |path: &str, pairs: &[(&'static str, &'static str)]| {
            memo.read(&headers(pairs), path, &[], "SCP", true).unwrap()
        };
        let plain = [("3gpp-sbi-discovery-target-nf-type", "UDM"), ("content-length", "3")];
        let first = read("/nudm-sdm/v2/a", &plain);
        let other_content = [("3gpp-sbi-discovery-target-nf-type", "UDM"), ("content-length", "4")];
        assert!(Arc::ptr_eq(&first, &read("/nudm-sdm/v2/b", &other_content)));
        for (path, pairs) in [
            ("/nudm-sdm/v1/a", &plain[..]),
            ("/nudm-uecm/v2/a", &plain),
            ("/nudm-sdm/v2/a", &[plain[0], ("user-agent", "AMF-1")]),
            ("/nudm-sdm/v2/a", &[plain[0], ("3gpp-sbi-callback", "A")]),
            ("/nudm-sdm/v2/a", &[plain[0], ("3gpp-sbi-nrf-uri", "nnrf-disc: \"http://a\"")]),
            ("/nudm-sdm/v2/a", &[("3gpp-sbi-discovery-target-nf-type", "UDR")]),
        ] {
            let direct = Factors::read(&headers(pairs), path, &[], "SCP", true).unwrap();
            assert_eq!(*read(path, pairs), direct, "{path} {pairs:?}");
            assert_ne!(direct, *first, "{path} {pairs:?}");
        }
    }

    #[test]
    fn d5_it_is_bounded() {
        let memo = Memo::default();
        for number in 0..MOST * 2 + 10 {
            let mut headers = headers(&[("3gpp-sbi-discovery-target-nf-type", "UDM")]);
            headers.insert("3gpp-sbi-discovery-supi", HeaderValue::from(number));
            memo.read(&headers, "/", &[], "SCP", true).unwrap();
            assert!(memo.known.read().unwrap().len() <= MOST);
        }
        let long = HeaderValue::try_from("x".repeat(LONGEST)).unwrap();
        let before = memo.known.read().unwrap().len();
        let mut headers = headers(&[("3gpp-sbi-discovery-target-nf-type", "UDM")]);
        headers.insert("3gpp-sbi-discovery-supi", long);
        memo.read(&headers, "/", &[], "SCP", true).unwrap();
        assert_eq!(memo.known.read().unwrap().len(), before);
    }
}
