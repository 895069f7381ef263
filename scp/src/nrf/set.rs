//! Asking an NRF set: whoever answered last is asked first, and when it does not answer, the next.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::uri::{PathAndQuery, Uri};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};

use super::error::NrfError;
use super::held::Held;
use super::link::Link;
use super::own_token::{self, OwnTokens, Use};
use super::settings::NrfSettings;
use crate::api_root::ApiRoot;
use crate::authorization::refuses_token;
use crate::prepared::Prepared;

/// The NRF that answered last, and what NRFs want of this SCP. Copies share it.
#[derive(Clone, Debug, Default)]
pub struct Preferred {
    root: Arc<RwLock<Option<ApiRoot>>>,
    tokens: OwnTokens,
    held: Held,
}

/// The NRFs that one request may go to.
#[derive(Clone)]
pub struct NrfSet {
    /// How they are reached.
    pub link: Link,
    /// Any of them answers for all.
    pub roots: Vec<ApiRoot>,
    /// Which answered last.
    pub preferred: Preferred,
    /// How long one may take.
    pub timeout: Duration,
    /// `SCP-` and this SCP's name.
    pub agent: HeaderValue,
    /// This SCP's NF instance, where it has one: without it there are no access tokens for it.
    pub instance: Option<String>,
}

/// A request to an NRF, without the NRF.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Its method.
    pub method: Method,
    /// Path and query below the API root: `/nnrf-nfm/v1/...`.
    pub path: String,
    /// Headers beside those that all have.
    pub headers: HeaderMap,
    /// Content and its media type.
    pub content: Option<(&'static str, Bytes)>,
}

/// Redirects that are followed.
const REDIRECTS: usize = 3;

impl Preferred {
    /// The same, but for who answered last.
    fn with(&self, root: Arc<RwLock<Option<ApiRoot>>>) -> Self {
        Self { root, ..self.clone() }
    }

    /// The roots, the preferred one first.
    pub(crate) fn order<'a>(&self, roots: &'a [ApiRoot]) -> impl Iterator<Item = &'a ApiRoot> + use<'a> {
        let preferred = self.root.read().unwrap_or_else(PoisonError::into_inner).clone();
        let first = roots.iter().position(|it| Some(it) == preferred.as_ref()).unwrap_or(0);
        roots.iter().cycle().skip(first).take(roots.len())
    }

    fn set(&self, root: &ApiRoot) {
        let same = self.root.read().unwrap_or_else(PoisonError::into_inner).as_ref() == Some(root);
        if !same {
            *self.root.write().unwrap_or_else(PoisonError::into_inner) = Some(root.clone());
        }
    }
}

impl Ask {
    /// The service that it is for, as `nnrf-disc`.
    fn service(&self) -> &str {
        self.path.split('/').nth(1).unwrap_or_default()
    }

    fn of(&self, root: &ApiRoot) -> Use {
        (root.clone(), self.service().to_owned())
    }

    /// A request without content.
    #[must_use]
    pub fn new(method: Method, path: String) -> Self {
        Self { method, path, headers: HeaderMap::new(), content: None }
    }

    /// A request with content.
    #[must_use]
    pub fn with(method: Method, path: String, kind: &'static str, content: impl Into<Bytes>) -> Self {
        Self { content: Some((kind, content.into())), ..Self::new(method, path) }
    }
}

impl NrfSet {
    /// The NRF that a client names, or else those that are configured. One that is named is none of those that others ask, so
    /// that it is not asked first by them.
    pub(crate) fn of(named: Option<&ApiRoot>, prepared: &Prepared, preferred: &Preferred, link: Link) -> Self {
        let configured = prepared.settings.nrf.as_ref();
        let configured_roots = || configured.map(|it| it.roots.clone()).unwrap_or_default();
        let root = if named.is_some() { Arc::default() } else { Arc::clone(&preferred.root) };
        let registered = || Some(configured?.registration.as_ref()?.instance.clone());
        Self {
            link,
            roots: named.map_or_else(configured_roots, |it| vec![it.clone()]),
            preferred: preferred.with(root),
            timeout: configured.map_or(NrfSettings::TIMEOUT, |it| it.timeout),
            agent: prepared.tag.clone(),
            instance: prepared.settings.identity.instance.clone().or_else(registered),
        }
    }

    /// One NRF alone, which others do not ask first for that.
    pub(crate) fn at(&self, root: ApiRoot) -> Self {
        Self { roots: vec![root], preferred: self.preferred.with(Arc::default()), ..self.clone() }
    }

    /// Asks one after the other until one answers; what only says that it cannot just now is no answer while there is another.
    ///
    /// # Errors
    /// None of them answered.
    pub async fn ask(&self, ask: &Ask) -> Result<(ApiRoot, Response<Bytes>), NrfError> {
        let mut wrong = Vec::new();
        for root in self.preferred.order(&self.roots) {
            match self.one(root, ask).await {
                Ok(reply)
                    if reply.status().is_server_error() || reply.status() == StatusCode::TOO_MANY_REQUESTS =>
                {
                    wrong.push(format!("{root} answers {}", reply.status()));
                }
                Ok(reply) => {
                    self.preferred.set(root);
                    return Ok((root.clone(), reply));
                }
                Err(error) => wrong.push(error),
            }
        }
        if wrong.is_empty() {
            return Err(NrfError::None);
        }
        tracing::warn!(wrong = wrong.join("; "), "no NRF answers");
        let held: Option<Vec<_>> = self.roots.iter().map(|it| self.preferred.held.until(&ask.of(it))).collect();
        let until = held.and_then(|it| it.into_iter().min());
        Err(NrfError::Away { why: wrong.join("; ").into(), until })
    }

    /// Asks one, with an access token where it wants one.
    async fn one(&self, root: &ApiRoot, ask: &Ask) -> Result<Response<Bytes>, String> {
        // Whoever asks for a token needs none.
        let service = ask.service();
        let (Some(instance), true) = (&self.instance, service.starts_with("nnrf-")) else {
            return self.exchange(root, ask, None).await;
        };
        let (of, tokens) = (ask.of(root), &self.preferred.tokens);
        let reply = self.exchange(root, ask, tokens.get(&of)).await?;
        if !refuses_token(reply.status(), reply.headers()) {
            return Ok(reply);
        }
        tokens.forget(&of);
        let granted = self.exchange(root, &own_token::request(instance, service), None).await?;
        match tokens.take(of, &granted) {
            Some(token) => self.exchange(root, ask, Some(token)).await,
            None => Ok(reply),
        }
    }

    /// Asks one, unless it wants to be let alone, and whom it redirects to, which is not shown the token.
    async fn exchange(
        &self,
        root: &ApiRoot,
        ask: &Ask,
        token: Option<HeaderValue>,
    ) -> Result<Response<Bytes>, String> {
        let (of, held) = (ask.of(root), &self.preferred.held);
        // It is the last request where a resource ends, and one the less to come.
        if held.until(&of).is_some() && ask.method != Method::DELETE {
            return Err(format!("{root} asks to be let alone"));
        }
        let mut to = root.clone();
        let mut path: PathAndQuery =
            format!("{}{}", root.prefix(), ask.path).parse().map_err(|error| format!("{root}: {error}"))?;
        for _ in 0..=REDIRECTS {
            let mut request = self.request(&to, &path, ask)?;
            if let Some(token) = token.as_ref().filter(|_| to.same(root)) {
                request.headers_mut().insert(header::AUTHORIZATION, token.clone());
            }
            let reply = self.link.send(to.clone(), request, self.timeout).await?;
            held.heed(&of, &reply);
            let redirected =
                [StatusCode::TEMPORARY_REDIRECT, StatusCode::PERMANENT_REDIRECT].contains(&reply.status());
            let location = reply.headers().get(header::LOCATION).filter(|_| redirected);
            let Some(location) = location else { return Ok(reply) };
            let uri: Uri = location.as_bytes().try_into().map_err(|error| format!("{to} redirects: {error}"))?;
            if uri.authority().is_some() {
                to = ApiRoot::of(&uri).ok_or_else(|| format!("{to} redirects to {uri}"))?;
            }
            path = uri.path_and_query().cloned().unwrap_or(path);
        }
        Err(format!("{root} redirects for ever"))
    }

    fn request(&self, to: &ApiRoot, path: &PathAndQuery, ask: &Ask) -> Result<Request<Bytes>, String> {
        let uri = Uri::builder()
            .scheme(to.transport.uri_scheme())
            .authority(to.authority.clone())
            .path_and_query(path.clone())
            .build()
            .map_err(|error| format!("{to}: {error}"))?;
        let content = ask.content.as_ref().map(|(_, content)| content.clone()).unwrap_or_default();
        let mut request = Request::new(content);
        *request.method_mut() = ask.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = ask.headers.clone();
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, self.agent.clone());
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, application/problem+json"));
        if let Some((kind, _)) = &ask.content {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nrf::fixture::{Script, root};

    fn set(link: &Arc<Script>, roots: &[&str]) -> NrfSet {
        NrfSet {
            link: Arc::clone(link) as Link,
            roots: roots.iter().map(|it| root(it)).collect(),
            preferred: Preferred::default(),
            timeout: Duration::from_secs(1),
            agent: HeaderValue::from_static("SCP-scp.example"),
            instance: None,
        }
    }

    #[tokio::test]
    async fn n2_the_next_of_the_set_is_asked_and_then_stays_first() {
        let script = Script::new(|to, _| match to.host() {
            "a" => Err("connection refused".to_owned()),
            "b" => Ok(Response::builder().status(503).body(Bytes::new()).unwrap()),
            _ => Ok(Response::new(Bytes::from_static(b"{}"))),
        });
        let set = set(&script, &["http://a", "http://b", "http://c/x"]);
        let ask = Ask::new(Method::GET, "/nnrf-disc/v1/nf-instances?a=b".to_owned());
        for _ in 0..2 {
            assert_eq!(set.ask(&ask).await.unwrap().0, root("http://c/x"));
        }
        let uris: Vec<_> = script.sent().into_iter().map(|it| it.uri().to_string()).collect();
        let path = "/nnrf-disc/v1/nf-instances?a=b";
        let [a, b, c] = ["http://a", "http://b", "http://c/x"].map(|root| format!("{root}{path}"));
        assert_eq!(uris, [a, b, c.clone(), c]);
    }

    #[tokio::test]
    async fn n2_nobody_answers() {
        let script = Script::new(|to, _| Err(format!("{to} is down")));
        let error =
            set(&script, &["http://a", "http://b"]).ask(&Ask::new(Method::GET, "/".to_owned())).await.unwrap_err();
        assert!(
            matches!(&error, NrfError::Away { why, until: None } if &**why == "http://a is down; http://b is down"),
            "{error}"
        );
        let error = set(&script, &[]).ask(&Ask::new(Method::GET, "/".to_owned())).await.unwrap_err();
        assert!(matches!(error, NrfError::None));
    }

    #[tokio::test]
    async fn n2_redirects_are_followed_but_not_for_ever() {
        let script = Script::new(|to, request| match (to.host(), request.uri().path()) {
            ("a", "/x") => {
                Ok(Response::builder().status(307).header("location", "http://b/y").body(Bytes::new()).unwrap())
            }
            ("b", "/y") => Ok(Response::new(Bytes::from_static(b"found"))),
            _ => Ok(Response::builder().status(308).header("location", "/z").body(Bytes::new()).unwrap()),
        });
        let set = set(&script, &["http://a"]);
        assert_eq!(set.ask(&Ask::new(Method::GET, "/x".to_owned())).await.unwrap().1.body(), "found");
        let error = set.ask(&Ask::new(Method::GET, "/z".to_owned())).await.unwrap_err();
        assert_eq!(error.to_string(), "no NRF answers: http://a redirects for ever");
    }
}
