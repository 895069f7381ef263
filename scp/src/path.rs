//! Paths of requests: an SCP's prefix comes off, the cache key is taken out, a target's prefix goes on (TS 29.500 6.10.2.4).

use http::uri::{InvalidUri, PathAndQuery};

/// The path by which a notification goes to whoever subscribed by default (6.10.3.3).
pub(crate) const DEFAULT_NOTIFICATION: &str = "/scp-default-sub-notify-uri";

/// What `OPTIONS` asks about that is for no resource.
pub(crate) const EVERYTHING: &str = "*";

/// Takes a prefix off, and the query parameter `ck` out. None where the path has neither.
///
/// # Errors
/// Where nothing that is a path would be left.
pub(crate) fn inward(path: &PathAndQuery, prefix: &str) -> Result<Option<PathAndQuery>, InvalidUri> {
    let rest = without(path.path(), prefix);
    let query = path.query().filter(|it| it.split('&').any(is_cache_key));
    if rest.is_none() && query.is_none() {
        return Ok(None);
    }
    let mut text = String::with_capacity(path.as_str().len());
    match rest.unwrap_or(path.path()) {
        "" => text.push('/'),
        rest => text.push_str(rest),
    }
    let mut sign = '?';
    for pair in path.query().into_iter().flat_map(|it| it.split('&')).filter(|it| !is_cache_key(it)) {
        text.push(sign);
        text.push_str(pair);
        sign = '&';
    }
    PathAndQuery::try_from(text).map(Some)
}

/// Puts a prefix before a path. `*` is a server itself, and no path (RFC 9110 7.1).
///
/// # Errors
/// Where the prefix cannot be one.
pub(crate) fn outward(path: &PathAndQuery, prefix: &str) -> Result<PathAndQuery, InvalidUri> {
    if prefix.is_empty() || path.as_str() == EVERYTHING {
        return Ok(path.clone());
    }
    let mut text = String::with_capacity(prefix.len() + path.as_str().len());
    text.push_str(prefix);
    text.push_str(path.as_str());
    PathAndQuery::try_from(text)
}

fn is_cache_key(pair: &str) -> bool {
    pair == "ck" || pair.starts_with("ck=")
}

/// A path without a prefix; none where it has it not.
pub(crate) fn without<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    if prefix.is_empty() {
        return None;
    }
    path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_end_at_segments_and_only_the_cache_key_is_taken_out() {
        for (path, prefix, wanted) in [
            ("/1/2/3/nudm-sdm/v1", "/1/2/3", "/nudm-sdm/v1"),
            ("/1/2/34/nudm-sdm/v1", "/1/2/3", "/1/2/34/nudm-sdm/v1"),
            ("/1/2/3", "/1/2/3", "/"),
            ("/a?ck=7", "", "/a"),
            ("/a?x=1&ck=7&y=2", "", "/a?x=1&y=2"),
            ("/a?ckx=1&xck=2", "", "/a?ckx=1&xck=2"),
            ("/p/a?ck", "/p", "/a"),
        ] {
            let path: PathAndQuery = path.parse().unwrap();
            let found = inward(&path, prefix).unwrap().unwrap_or(path);
            assert_eq!(found.as_str(), wanted);
        }
    }
}
