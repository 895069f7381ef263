//! Kinds of requests: a consumer's ask the same of an SCP over and over, and only their paths and what is each one's own differ.
//! What follows from the rest is found out once for all of one kind that come on a connection.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::{Authority, Scheme};

use crate::account::Service;
use crate::api_root::ApiRoot;
use crate::call::Origin;
use crate::discovery::{Api, Factors};
use crate::failure::Failure;
use crate::names;
use crate::path::without;
use crate::problem::Problem;
use crate::producer::Step;
use crate::selection::Ready;
use crate::target::Lead;

/// What requests of one kind have in common.
pub struct Kind {
    /// Where they come from.
    pub origin: Arc<Origin>,
    /// 3gpp-Sbi-Target-apiRoot.
    pub target: Option<ApiRoot>,
    /// Whether it is a notification or callback: 3gpp-Sbi-Callback (TS 29.500 6.10.7).
    pub callback: bool,
    /// Whether there are 3gpp-Sbi-Discovery-*.
    pub discovery: bool,
    /// Whether one of them names a set: the client chose it, and left only the choice within it (6.10.5.1).
    pub named_set: bool,
    /// Whether there is 3gpp-Sbi-Selection-Info.
    pub selection: bool,
    /// Whether there is 3gpp-Sbi-Routing-Binding.
    pub binding: bool,
    /// Whether there is 3gpp-Sbi-Access-Scope.
    pub scope: bool,
    /// The headers that all this is read of, and that make a kind.
    said: Vec<(HeaderName, HeaderValue)>,
    place: (Option<Scheme>, Option<Authority>),
    paths: Paths,
    /// What it is counted by.
    pub(crate) service: OnceLock<Arc<Service>>,
    /// Where it leads to.
    pub(crate) lead: OnceLock<Lead>,
    /// What its headers say of whom it looks for.
    pub(crate) factors: OnceLock<Arc<Factors>>,
    /// Whom it chooses from.
    pub(crate) ready: Mutex<Option<Ready>>,
}

/// How the paths of a kind begin: with a prefix of this SCP's, and with an API's name and version; none: with no API.
#[derive(Debug, Default)]
struct Paths {
    api: Option<(Box<str>, usize)>,
}

/// The headers of a request that make its kind.
pub(crate) type Said<'a> = smallvec::SmallVec<[(&'a HeaderName, &'a HeaderValue); 16]>;

/// The kinds that a connection had lately.
#[derive(Debug)]
pub struct Known {
    origin: Arc<Origin>,
    kinds: Vec<Arc<Kind>>,
    turn: usize,
    /// That of the last request.
    latest: usize,
}

/// How many of them.
const KNOWN: usize = 8;

impl Known {
    /// None yet, of those that come from there.
    pub(crate) const fn new(origin: Arc<Origin>) -> Self {
        Self { origin, kinds: Vec::new(), turn: 0, latest: 0 }
    }

    /// Where they come from.
    pub(crate) fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }

    /// The kind of a request, of whose headers these make it.
    pub(crate) fn kind(&mut self, parts: &Parts, said: &Said<'_>) -> Result<Arc<Kind>, Failure> {
        if let Some((at, kind)) = self.kinds.iter().enumerate().find(|(_, it)| it.is_of(parts, said)) {
            self.latest = at;
            return Ok(Arc::clone(kind));
        }
        let kind = Arc::new(Kind::read(parts, said, &self.origin)?);
        self.turn = (self.turn + 1) % KNOWN;
        match self.kinds.get_mut(self.turn) {
            Some(oldest) => *oldest = Arc::clone(&kind),
            None => self.kinds.push(Arc::clone(&kind)),
        }
        self.latest = self.turn.min(self.kinds.len().saturating_sub(1));
        Ok(kind)
    }

    /// The kind of the last request.
    pub(crate) fn latest(&self) -> Option<&Arc<Kind>> {
        self.kinds.get(self.latest)
    }
}

impl Kind {
    /// Whether a header makes a kind, by what comes after `3gpp-sbi-` in its name. `User-Agent` does too.
    pub(crate) fn goes_by(rest: &str) -> bool {
        rest.starts_with("discovery-")
            || matches!(
                rest,
                "target-apiroot" | "callback" | "routing-binding" | "access-scope" | "selection-info" | "nrf-uri"
            )
    }

    fn read(parts: &Parts, said: &Said<'_>, origin: &Arc<Origin>) -> Result<Self, Failure> {
        let mut kind = Self {
            origin: Arc::clone(origin),
            target: None,
            callback: false,
            discovery: false,
            named_set: false,
            selection: false,
            binding: false,
            scope: false,
            place: (parts.uri.scheme().cloned(), parts.uri.authority().cloned()),
            paths: Paths::of(parts.uri.path(), &origin.prepared.settings.identity.prefix),
            said: said.iter().map(|(name, value)| (HeaderName::clone(name), HeaderValue::clone(value))).collect(),
            service: OnceLock::new(),
            lead: OnceLock::new(),
            factors: OnceLock::new(),
            ready: Mutex::default(),
        };
        for (name, text) in said {
            match name.as_str().strip_prefix("3gpp-sbi-").unwrap_or_default() {
                "target-apiroot" if kind.target.is_some() => {
                    let why = "there are several, and which is meant cannot be known";
                    return Err(Problem::header(name, why).into());
                }
                "target-apiroot" => {
                    let root = ApiRoot::read(text.as_bytes()).map_err(|error| Problem::header(name, error))?;
                    kind.target = Some(root);
                }
                "callback" => kind.callback = true,
                "routing-binding" => kind.binding = true,
                "access-scope" => kind.scope = true,
                "selection-info" => kind.selection = true,
                other => {
                    if let Some(factor) = other.strip_prefix("discovery-") {
                        kind.discovery = true;
                        kind.named_set |= names::SETS.contains(&factor);
                    }
                }
            }
        }
        Ok(kind)
    }

    fn is_of(&self, parts: &Parts, said: &Said<'_>) -> bool {
        self.said.len() == said.len()
            && self.said.iter().zip(said).all(|((name, value), (other, text))| name == *other && value == *text)
            && self.is_at(parts)
    }

    /// Whether a request that says the same is of it by where it came to.
    pub(crate) fn is_at(&self, parts: &Parts) -> bool {
        let (scheme, authority) = &self.place;
        self.paths.are_of(parts.uri.path(), &self.origin.prepared.settings.identity.prefix)
            && parts.uri.authority().map(Authority::as_str) == authority.as_ref().map(Authority::as_str)
            && parts.uri.scheme() == scheme.as_ref()
    }

    /// The headers that make it, in the order of its first request.
    pub(crate) fn said(&self) -> &[(HeaderName, HeaderValue)] {
        &self.said
    }

    /// Whom to ask of it, in which order; nobody as long as it is not known.
    pub(crate) fn steps(&self) -> &[Step] {
        self.lead.get().map_or(&[], Lead::steps)
    }

    /// The path of its API, as `/nudm-sdm/v2`; empty where it has none.
    pub(crate) fn api(&self) -> &str {
        self.paths.api.as_ref().and_then(|(base, at)| base.get(*at..)).unwrap_or_default()
    }

    /// Whether a path below an API root is of its API.
    pub(crate) fn has_api_of(&self, path: &str) -> bool {
        match self.api() {
            "" => Api::of(path).is_none(),
            api => begins(path, api),
        }
    }
}

impl Paths {
    fn of(path: &str, prefix: &str) -> Self {
        let below = without(path, prefix).unwrap_or(path);
        let at = path.len().saturating_sub(below.len());
        let end = Api::of(below).map(|api| at + api.name.len() + api.version.len() + 2);
        Self { api: end.and_then(|end| Some((path.get(..end)?.into(), at))) }
    }

    fn are_of(&self, path: &str, prefix: &str) -> bool {
        match &self.api {
            Some((base, _)) => begins(path, base),
            None => Api::of(without(path, prefix).unwrap_or(path)).is_none(),
        }
    }
}

/// Whether a path begins with segments.
fn begins(path: &str, base: &str) -> bool {
    path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind").field("said", &self.said).field("paths", &self.paths).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::call::fixture;

    /// The kind of a request, among those that are known.
    fn kind(known: &mut Known, uri: &str, pairs: &[(&'static str, &'static str)]) -> Arc<Kind> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in pairs {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        fixture::context(&parts, known).kind
    }

    const PLAIN: [(&str, &str); 2] = [("3gpp-sbi-discovery-target-nf-type", "UDM"), ("content-length", "3")];

    #[test]
    fn d5_what_differs_only_in_its_own_is_of_one_kind_and_the_rest_is_not() {
        let mut known = Known::new(fixture::origin(""));
        let first = kind(&mut known, "/nudm-sdm/v2/a", &PLAIN);
        let other_content = [PLAIN[0], ("content-length", "4"), ("3gpp-sbi-message-priority", "3")];
        for (uri, pairs) in [("/nudm-sdm/v2/b?c=d", &other_content[..]), ("/nudm-sdm/v2", &PLAIN)] {
            assert!(Arc::ptr_eq(&first, &kind(&mut known, uri, pairs)), "{uri}");
        }
        for (uri, pairs) in [
            ("/nudm-sdm/v1/a", &PLAIN[..]),
            ("/nudm-sdm/v22/a", &PLAIN),
            ("/nudm-uecm/v2/a", &PLAIN),
            ("/a", &PLAIN),
            ("http://a/nudm-sdm/v2/a", &PLAIN),
            ("https://a/nudm-sdm/v2/a", &PLAIN),
            ("http://b/nudm-sdm/v2/a", &PLAIN),
            ("/nudm-sdm/v2/a", &[PLAIN[0], ("user-agent", "AMF-1")]),
            ("/nudm-sdm/v2/a", &[PLAIN[0], ("3gpp-sbi-callback", "A")]),
            ("/nudm-sdm/v2/a", &[PLAIN[0], ("3gpp-sbi-nrf-uri", "nnrf-disc: \"http://a\"")]),
            ("/nudm-sdm/v2/a", &[("3gpp-sbi-discovery-target-nf-type", "UDR")]),
            ("/nudm-sdm/v2/a", &[("3gpp-sbi-target-apiroot", "http://a")]),
            ("/nudm-sdm/v2/a", &[]),
        ] {
            let another = kind(&mut known, uri, pairs);
            assert!(!Arc::ptr_eq(&first, &another), "{uri} {pairs:?}");
            assert!(Arc::ptr_eq(&another, &kind(&mut known, uri, pairs)), "{uri} {pairs:?}");
            assert!(known.kinds.len() <= KNOWN);
        }
    }

    #[test]
    fn the_api_of_a_kind_is_below_the_prefix() {
        let api = |uri: &str, prefix| kind(&mut Known::new(fixture::origin(prefix)), uri, &PLAIN).api().to_owned();
        assert_eq!(api("/nudm-sdm/v2/a", ""), "/nudm-sdm/v2");
        assert_eq!(api("/scp/nudm-sdm/v2/a?b", "/scp"), "/nudm-sdm/v2");
        assert_eq!(api("/scpx/nudm-sdm/v2/a", "/scp"), "");
        assert_eq!(api("/callbacks/a", ""), "");
        let sdm = kind(&mut Known::new(fixture::origin("")), "/nudm-sdm/v2/a", &PLAIN);
        assert!(sdm.has_api_of("/nudm-sdm/v2/b") && !sdm.has_api_of("/nudm-sdm/v21"));
    }
}
