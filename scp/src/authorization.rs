//! Access tokens on the way to producers: the client's own, or one that is got for it (TS 29.500 6.10.11, TS 33.501 13.4.1.3).

mod challenge;
mod request;
mod settings;
mod tokens;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, ready};

use http::header;
use pinion_protocols::sbi::{Credentials, Factor, Value as _};
use serde_json::Value;
use tokio::time::timeout_at;
use tower::{Layer, Service};

use crate::before::{Answering, Way};
use crate::body::Body;
use crate::call::{Call, Reply};
use crate::deadline;
use crate::discovery::Directory;
use crate::failure::Failure;
use crate::kept::Content;
use crate::names;
use crate::nrf::{NrfError, NrfSet, PlmnId, Wire};
use crate::pools::Pools;
use crate::producer::{Hop, Target};
use crate::tally::Event;

pub(crate) use challenge::refuses_token;
pub use request::{Missing, TokenRequest};
pub use settings::{AuthorizationSettings, Policy};
pub use tokens::{AccessTokenRsp, Denied, Token, Tokens};

/// Puts [`Authorization`] around a service.
#[derive(Clone, Debug)]
pub struct AuthorizationLayer {
    /// How an NRF is reached.
    pub pools: Pools,
    /// Which NRF answered last.
    pub directory: Directory,
    /// Tokens that there are.
    pub tokens: Tokens,
}

/// Sees to it that a call has the token that it needs.
#[derive(Clone, Debug)]
pub struct Authorization<S> {
    inner: S,
    /// All there is again, for what is done where a token is needed: what is never used should cost little.
    granting: Arc<Granting<S>>,
}

#[derive(Debug)]
struct Granting<S> {
    layer: AuthorizationLayer,
    inner: S,
}

impl<S: Clone> Layer<S> for AuthorizationLayer {
    type Service = Authorization<S>;

    fn layer(&self, inner: S) -> Authorization<S> {
        let granting = Granting { layer: self.clone(), inner: inner.clone() };
        Authorization { inner, granting: Arc::new(granting) }
    }
}

impl<S> Service<Call> for Authorization<S>
where
    S: Service<Call, Response = Reply, Error = Failure> + Clone + Send + Sync + 'static,
    S::Future: Send + Unpin + 'static,
{
    type Response = Reply;
    type Error = Failure;
    type Future = Way<Trying<S>>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut call: Call) -> Self::Future {
        drop_others_token(&mut call);
        if !may_fetch(&call) || call.headers().contains_key(header::AUTHORIZATION) {
            // What a producer says of the client's own token is the client's matter.
            return Way::On(Trying::First { inner: self.inner.call(call), refused: None });
        }
        if needs(&call) {
            return Way::Round(Box::pin(Arc::clone(&self.granting).granted(call)));
        }
        // Without a token the request may come back with the wish for one.
        let content = kept(&mut call);
        let inner = self.inner.call(call.again(content.read().unwrap_or_default()));
        let refused = Refused { granting: Arc::clone(&self.granting), call, content };
        Way::On(Trying::First { inner, refused: Some(Box::new(refused)) })
    }
}

/// A call that goes as it is.
pub enum Trying<S: Service<Call>> {
    /// It is on its way.
    First {
        /// Its answer.
        inner: S::Future,
        /// What is needed where it comes back for want of a token, and this SCP may get one.
        refused: Option<Box<Refused<S>>>,
    },
    /// It came back, and goes with a token.
    Again(Answering),
}

/// What is needed for a call that comes back for want of a token.
pub struct Refused<S> {
    granting: Arc<Granting<S>>,
    call: Call,
    content: Content,
}

impl<S> Future for Trying<S>
where
    S: Service<Call, Response = Reply, Error = Failure> + Clone + Send + Sync + 'static,
    S::Future: Send + Unpin + 'static,
{
    type Output = Result<Reply, Failure>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        if let Self::First { inner, refused } = &mut *self {
            let reply = ready!(Pin::new(inner).poll(task))?;
            let Some(refused) = refused.take_if(|_| refuses_token(reply.status(), reply.headers())) else {
                return Poll::Ready(Ok(reply));
            };
            let Refused { granting, call, content } = *refused;
            *self = Self::Again(Box::pin(granting.again(call, content, None, reply)));
        }
        match &mut *self {
            Self::First { .. } => Poll::Pending,
            Self::Again(again) => again.as_mut().poll(task),
        }
    }
}

impl<S> Granting<S>
where
    S: Service<Call, Response = Reply, Error = Failure> + Clone,
{
    /// Sends a call with a token.
    async fn granted(self: Arc<Self>, mut call: Call) -> Result<Reply, Failure> {
        let request = self.layer.request(&call)?.map_err(Missing::problem)?;
        let got = self.layer.token(&request, &call).await?;
        let token = got.map_err(|(request, denied)| denied.failure(&request))?;
        let content = kept(&mut call);
        let first = with(&call, content.read().unwrap_or_default(), &token);
        let reply = self.inner.clone().call(first).await?;
        if refuses_token(reply.status(), reply.headers()) {
            return self.again(call, content, Some((request, token)), reply).await;
        }
        Ok(told(reply, &call, token))
    }

    /// Sends a call once more that came back without a token, or with one of ours: with another.
    async fn again(
        self: Arc<Self>,
        call: Call,
        content: Content,
        rejected: Option<(TokenRequest, Token)>,
        reply: Reply,
    ) -> Result<Reply, Failure> {
        let tokens = &self.layer.tokens;
        let reject = |request: &TokenRequest, token: &Token| {
            call.context.arrival.prepared.tally.one(Event::TokenRejected);
            tokens.reject(request, token);
        };
        let request = match &rejected {
            Some((request, token)) => {
                reject(request, token);
                request.clone()
            }
            None => match self.layer.request(&call) {
                Ok(Ok(request)) => request,
                // What cannot be asked for is not: the client sees what the producer says.
                Ok(Err(_)) | Err(_) => return Ok(reply),
            },
        };
        let Some(content) = content.read() else { return Ok(reply) };
        let another = match self.layer.token(&request, &call).await {
            Ok(Ok(another)) if rejected.as_ref().is_none_or(|(_, first)| first.value != another.value) => another,
            Ok(_) | Err(_) => return Ok(reply),
        };
        drop(reply);
        let reply = self.inner.clone().call(with(&call, content, &another)).await?;
        if refuses_token(reply.status(), reply.headers()) {
            reject(&request, &another);
            return Ok(reply);
        }
        Ok(told(reply, &call, another))
    }
}

impl AuthorizationLayer {
    fn request(&self, call: &Call) -> Result<Result<TokenRequest, Missing>, Failure> {
        let settings = &call.context.arrival.prepared.settings;
        let named = settings.nrf.as_ref().is_none_or(|nrf| nrf.named);
        let factors = self.directory.factors(call, &[])?;
        Ok(TokenRequest::read(call.headers(), &factors, &call.context.arrival.peer, named))
    }

    /// A token; the outer failure is that the client does not wait for it any more.
    async fn token(
        &self,
        request: &TokenRequest,
        call: &Call,
    ) -> Result<Result<Token, (TokenRequest, Denied)>, Failure> {
        let prepared = &call.context.arrival.prepared;
        let settings = &prepared.settings;
        let configured = settings.nrf.as_ref();
        let set = || {
            let link = Wire::link(&self.pools, prepared);
            let named = request.nrf.as_ref();
            NrfSet {
                timeout: configured.map_or(settings.timeouts.response, |it| it.timeout),
                ..NrfSet::of(named, prepared, self.directory.preferred(), link)
            }
        };
        let assertion = call.headers().get(names::CLIENT_CREDENTIALS);
        let got = self.tokens.get(
            request,
            assertion,
            set,
            &settings.authorization,
            call.context.arrival.clock,
            &prepared.tally,
        );
        match timeout_at(call.context.deadline.at, got).await {
            Ok(got) => Ok(got.map_err(|denied| (request.clone(), denied))),
            Err(_) if call.context.deadline.asked => Err(deadline::late()),
            Err(_) => Ok(Err((request.clone(), Denied::Unanswered(NrfError::GivenUp)))),
        }
    }
}

/// Whether this SCP may get a token for the call: not for callbacks (6.10.7), not where another SCP does, and not without
/// delegated discovery, where it is the client's token or none (6.10.11.3).
fn may_fetch(call: &Call) -> bool {
    let settings = &call.context.arrival.prepared.settings;
    let to_producer =
        call.target.as_ref().is_some_and(|target| target.hop == Hop::Producer || target.onward.is_some());
    let delegated = || call.context.discovery && call.context.target.is_none() && !call.context.named_set;
    settings.authorization.tokens != Policy::Never
        && to_producer
        && !call.context.callback
        && (call.context.scope || delegated())
}

/// Whether the call is not to be sent without a token.
fn needs(call: &Call) -> bool {
    let producer = call.target.as_ref().and_then(|it| it.producer.as_ref());
    let required = producer.and_then(|it| it.wants_token(|| networks(call)));
    match call.context.arrival.prepared.settings.authorization.tokens {
        Policy::Never => false,
        Policy::Needed => required.unwrap_or(call.context.scope),
        Policy::Always => true,
    }
}

/// The networks that a client is of: those that it says, or else those that this SCP is in.
fn networks(call: &Call) -> Vec<PlmnId> {
    let told = call.headers().get(names::DISCOVERY_REQUESTER_PLMNS).and_then(|value| {
        let factor = Factor::parse("requester-plmn-list", value.as_bytes()).ok()?;
        serde_json::from_str(&factor.json()?).ok()
    });
    told.unwrap_or_else(|| {
        let settings = &call.context.arrival.prepared.settings;
        let registration = settings.nrf.as_ref().and_then(|nrf| nrf.registration.as_ref());
        registration.map(|it| it.plmns.clone()).unwrap_or_default()
    })
}

/// Takes away a token of the client that is for another NF instance than the one that was chosen (6.10.11.2.1).
fn drop_others_token(call: &mut Call) {
    let Some(Target { producer: Some(producer), chosen: true, .. }) = &call.target else { return };
    let others = call.headers().get(header::AUTHORIZATION).is_some_and(|value| {
        let token = Credentials::parse(value.as_bytes()).ok().and_then(|it| it.bearer());
        let audience = token.and_then(tokens::Claims::of).and_then(|claims| claims.aud);
        match audience {
            Some(Value::Array(instances)) => !instances
                .iter()
                .any(|it| it.as_str().is_some_and(|it| it.eq_ignore_ascii_case(&producer.nf_instance))),
            // A type of NF, or no JSON Web Token: the producer knows.
            _ => false,
        }
    });
    if others {
        call.request.headers_mut().remove(header::AUTHORIZATION);
    }
}

/// Takes a call's content, to be sent more than once.
fn kept(call: &mut Call) -> Content {
    let most = call.context.arrival.prepared.settings.limits.kept;
    Content::new(std::mem::take(call.request.content_mut()), most)
}

/// The call once more, with a token.
fn with(call: &Call, content: Body, token: &Token) -> Call {
    let mut copy = call.again(content);
    copy.request.headers_mut().insert(header::AUTHORIZATION, token.value.clone());
    copy
}

/// Gives the client the token that was got for it, where it is to have it.
fn told(mut reply: Reply, call: &Call, token: Token) -> Reply {
    let returned = call.context.arrival.prepared.settings.authorization.returned;
    if returned && !reply.headers().contains_key(names::ACCESS_TOKEN) {
        reply.headers_mut().insert(names::ACCESS_TOKEN, token.value);
    }
    reply
}
