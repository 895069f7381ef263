//! Access tokens on the way to producers: the client's own, or one that is got for it (TS 29.500 6.10.11, TS 33.501 13.4.1.3).

mod challenge;
mod held;
mod request;
mod settings;
mod tokens;
mod vain;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use http::header;
use pinion_protocols::sbi::{Credentials, Value as _};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use tower::{Layer, Service};

use crate::api_root::ApiRoot;
use crate::before::{Answering, Way};
use crate::call::{Back, Call, Credential, Serve};
use crate::deadline;
use crate::discovery::Factors;
use crate::failure::Failure;
use crate::names;
use crate::nrf::{NrfError, NrfSet, PlmnId, Wire};
use crate::producer::{Hop, Target};
use crate::retry::pays;
use crate::tally::Event;

pub(crate) use challenge::refuses_token;
pub use request::{Missing, TokenRequest};
pub use settings::{AuthorizationSettings, Policy};
pub use tokens::{AccessTokenRsp, Denied, Token, Tokens};

/// Puts [`Authorization`] around a service.
#[derive(Clone, Copy, Debug)]
pub struct AuthorizationLayer;

/// Sees to it that a call has the token that it needs.
#[derive(Clone, Copy, Debug)]
pub struct Authorization<S> {
    inner: S,
}

impl<S> Layer<S> for AuthorizationLayer {
    type Service = Authorization<S>;

    fn layer(&self, inner: S) -> Authorization<S> {
        Authorization { inner }
    }
}

impl<S> Service<Box<Call>> for Authorization<S>
where
    S: Serve + Clone + Unpin + Send + 'static,
    S::Future: Send + Unpin,
{
    type Response = Box<Call>;
    type Error = Infallible;
    type Future = Way<Trying<S>>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut call: Box<Call>) -> Self::Future {
        withhold_others_token(&mut call);
        if !may_fetch(&call) || has_own(&call) {
            // What a producer says of the client's own token is the client's matter.
            return Way::On(Trying::First { inner: self.inner.call(call), again: None });
        }
        if needs(&call) {
            return Way::Round(Box::pin(granted(self.inner.clone(), call)));
        }
        // Without a token the request may come back with the wish for one.
        keep(&mut call);
        Way::On(Trying::First { inner: self.inner.call(call), again: Some(self.inner.clone()) })
    }
}

/// A call that goes as it is.
pub enum Trying<S: Service<Box<Call>>> {
    /// It is on its way.
    First {
        /// The call that comes back.
        inner: S::Future,
        /// What is needed where it comes back for want of a token, and this SCP may get one.
        again: Option<S>,
    },
    /// It came back, and goes with a token.
    Again(Answering),
}

impl<S> Future for Trying<S>
where
    S: Serve + Unpin + Send + 'static,
    S::Future: Send + Unpin,
{
    type Output = Back;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Back> {
        if let Self::First { inner, again } = &mut *self {
            let Ok(call) = ready!(Pin::new(inner).poll(task));
            let Some(service) = again.take().filter(|_| wants_token(&call)) else {
                return Poll::Ready(Ok(call));
            };
            *self = Self::Again(Box::pin(another(service, call, None)));
        }
        match &mut *self {
            Self::First { .. } => Poll::Pending,
            Self::Again(again) => again.as_mut().poll(task),
        }
    }
}

/// Whether a producer answered that it wants a token, or another one.
fn wants_token(call: &Call) -> bool {
    call.answer.as_ref().is_ok_and(|reply| refuses_token(reply.status(), reply.headers()))
}

/// Sends a call with a token.
async fn granted<S: Serve>(mut service: S, mut call: Box<Call>) -> Back {
    let token = async {
        let request = request(&call)?.map_err(Missing::problem)?;
        if is_in_vain(&call, &request) {
            return Ok(None);
        }
        let got = token(&request, &call).await?;
        got.map(|token| Some((request, token))).map_err(|(request, denied)| denied.failure(&request))
    };
    let (request, token) = match token.await {
        Ok(Some(got)) => got,
        // The client sees what the producer says.
        Ok(None) => return service.call(call).await,
        Err(failure) => return Ok(call.with(Err(failure))),
    };
    keep(&mut call);
    entitle(&mut call, &token);
    let Ok(call) = service.call(call).await;
    if wants_token(&call) {
        return another(service, call, Some((request, token))).await;
    }
    Ok(told(call, token))
}

/// Sends a call once more that came back without a token, or with one of ours: with another.
async fn another<S: Serve>(mut service: S, mut call: Box<Call>, rejected: Option<(TokenRequest, Token)>) -> Back {
    if let Some((request, token)) = &rejected {
        reject(&call, request, token);
        if !call.request.body().is_readable() || !pays(&call) {
            if token.since >= call.context.arrival.at {
                in_vain(&call, request);
            }
            return Ok(call);
        }
    }
    let asked = match &rejected {
        Some((request, _)) => request.clone(),
        None => match request(&call) {
            Ok(Ok(request)) => request,
            // What cannot be asked for is not: the client sees what the producer says.
            Ok(Err(_)) | Err(_) => return Ok(call),
        },
    };
    if !call.request.body().is_readable() || is_in_vain(&call, &asked) {
        return Ok(call);
    }
    let Ok(Ok(another)) = token(&asked, &call).await else { return Ok(call) };
    if rejected.is_none_or(|(_, first)| first.value != another.value) {
        call.answer = Err(Failure::Exhausted);
        entitle(&mut call, &another);
        let Ok(back) = service.call(call).await;
        if !wants_token(&back) {
            return Ok(told(back, another));
        }
        call = back;
    }
    reject(&call, &asked, &another);
    in_vain(&call, &asked);
    Ok(call)
}

/// A producer did not take a token: nobody else is to try it.
fn reject(call: &Call, request: &TokenRequest, token: &Token) {
    call.prepared().tally.one(Event::TokenRejected);
    call.parts().tokens.reject(request, token);
}

/// The producer took not even a token that was new: there is no use in getting more for it just now.
fn in_vain(call: &Call, request: &TokenRequest) {
    if let Some(producer) = producer(call) {
        call.parts().tokens.vain().rejected(request, producer, call.prepared().settings.discovery.pause);
    }
}

/// Whether that is so.
fn is_in_vain(call: &Call, request: &TokenRequest) -> bool {
    producer(call).is_some_and(|producer| call.parts().tokens.vain().is_rejected(request, producer))
}

fn producer(call: &Call) -> Option<&ApiRoot> {
    call.target.as_ref().map(|it| it.onward.as_ref().unwrap_or(&it.api_root))
}

/// What a token is to be asked for with; the outer failure is that the call's headers cannot be read.
fn request(call: &Call) -> Result<Result<TokenRequest, Missing>, Failure> {
    let settings = &call.prepared().settings;
    let named = settings.nrf.as_ref().is_none_or(|nrf| nrf.named);
    let factors = Factors::of(call, &[])?;
    Ok(TokenRequest::read(call.headers(), &factors, &call.context.origin.peer, named))
}

/// A token; the outer failure is that the client does not wait for it any more.
async fn token(request: &TokenRequest, call: &Call) -> Result<Result<Token, (TokenRequest, Denied)>, Failure> {
    let (prepared, parts) = (call.prepared(), call.parts());
    let settings = &prepared.settings;
    let configured = settings.nrf.as_ref();
    let set = || {
        let link = Wire::link(&parts.pools, prepared);
        let named = request.nrf.as_ref();
        NrfSet {
            timeout: configured.map_or(settings.timeouts.response, |it| it.timeout),
            ..NrfSet::of(named, prepared, parts.directory.preferred(), link)
        }
    };
    let assertion = call.headers().get(names::CLIENT_CREDENTIALS);
    let got = parts.tokens.get(
        request,
        assertion,
        set,
        (&settings.authorization, settings.discovery.pause),
        call.context.origin.now(),
        &prepared.tally,
    );
    match timeout_at(call.context.deadline.at, got).await {
        Ok(got) => Ok(got.map_err(|denied| (request.clone(), denied))),
        Err(_) if call.context.deadline.asked => Err(deadline::late()),
        Err(_) => Ok(Err((request.clone(), Denied::Unanswered(NrfError::GivenUp)))),
    }
}

/// Whether this SCP may get a token for the call: not for callbacks (6.10.7), not where another SCP does, and not without
/// delegated discovery, where it is the client's token or none (6.10.11.3).
fn may_fetch(call: &Call) -> bool {
    let settings = &call.context.origin.prepared.settings;
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
    match call.context.origin.prepared.settings.authorization.tokens {
        Policy::Never => false,
        Policy::Needed => required.unwrap_or(call.context.scope),
        Policy::Always => true,
    }
}

/// The networks that a client is of: those that it says, or else those that this SCP is in.
fn networks(call: &Call) -> Vec<PlmnId> {
    PlmnId::named(call.headers(), &names::DISCOVERY_REQUESTER_PLMNS).unwrap_or_else(|| {
        let settings = &call.prepared().settings;
        let registration = settings.nrf.as_ref().and_then(|nrf| nrf.registration.as_ref());
        registration.map(|it| it.plmns.clone()).unwrap_or_default()
    })
}

/// Withholds a token of the client that is for another NF instance than the one that was chosen (6.10.11.2.1).
fn withhold_others_token(call: &mut Call) {
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
        call.credential = Credential::Withheld;
    }
}

/// Has a call go with a token. Its producer's time begins now: what the token took is none of it.
fn entitle(call: &mut Call, token: &Token) {
    call.credential = Credential::Got(token.value.clone());
    call.begun = Instant::now();
}

/// Keeps a call's content, to be sent more than once.
fn keep(call: &mut Call) {
    let most = call.prepared().settings.limits.kept;
    call.request.body_mut().keep(most);
}

/// Whether a call has a token of its client's that is not withheld.
fn has_own(call: &Call) -> bool {
    matches!(call.credential, Credential::Own) && names::has(call.headers(), &header::AUTHORIZATION)
}

/// Gives the client the token that was got for it, where it is to have it.
fn told(mut call: Box<Call>, token: Token) -> Box<Call> {
    if call.prepared().settings.authorization.returned
        && let Ok(reply) = &mut call.answer
        && !reply.headers().contains_key(names::ACCESS_TOKEN)
    {
        reply.headers_mut().insert(names::ACCESS_TOKEN, token.value);
    }
    call
}
