//! Who else may serve a request when the one it names does not, and which resources stay where (TS 29.500 6.12, TS 23.527 6.5).

mod pins;
mod steps;

use std::borrow::Cow;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context as Task, Poll, ready};

use http::{HeaderMap, Method, StatusCode, Uri, header};
use pinion_protocols::sbi::{Binding, BindingParameter, BindingScope, Bindings, RoutingBinding, Value as _};
use tower::{Layer, Service};

use crate::api_root::ApiRoot;
use crate::before::Way;
use crate::call::{Back, Call, Origin, Reply, Serve};
use crate::discovery::Api;
use crate::failure::Failure;
use crate::names;
use crate::problem::Problem;
use crate::producer::{Hop, Plan, Producer, Query, Step, Target};
use crate::tally::Event;

pub use pins::{Full, Keeper, Pin, Pinned, Pins, key};

/// Puts [`Bound`] around a service.
#[derive(Clone, Copy, Debug)]
pub struct BindingLayer;

/// Plans whom to ask beside the one that a request names, and remembers where resources are.
#[derive(Clone, Copy, Debug)]
pub struct Bound<S> {
    inner: S,
}

impl<S> Layer<S> for BindingLayer {
    type Service = Bound<S>;

    fn layer(&self, inner: S) -> Bound<S> {
        Bound { inner }
    }
}

impl<S> Service<Box<Call>> for Bound<S>
where
    S: Serve,
    S::Future: Unpin,
{
    type Response = Box<Call>;
    type Error = Infallible;
    type Future = Way<Binds<S::Future>>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut call: Box<Call>) -> Self::Future {
        match plan(&mut call) {
            Ok(asked) => Way::On(Binds { inner: self.inner.call(call), asked }),
            Err(failure) => Way::ended(call, failure),
        }
    }
}

/// A call whose answer may bind a resource.
#[derive(Debug)]
pub struct Binds<F> {
    inner: F,
    /// What is to be known of the call then.
    asked: Option<Box<Asked>>,
}

impl<F> Future for Binds<F>
where
    F: Future<Output = Back> + Unpin,
{
    type Output = Back;

    fn poll(mut self: std::pin::Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Back> {
        let Ok(call) = ready!(std::pin::Pin::new(&mut self.inner).poll(task));
        if let (Ok(reply), Some(answered)) = (&call.answer, &call.target) {
            remember(reply, answered, self.asked.as_deref(), &call.context.origin);
        }
        Poll::Ready(Ok(call))
    }
}

/// What is remembered of a call until its answer: of a resource that is pinned, or of a callback.
#[derive(Debug)]
pub struct Asked {
    method: Method,
    path: Uri,
    callback: bool,
    /// Where its client said it should go.
    place: Option<ApiRoot>,
    /// The resource that it is of.
    pinned: Option<(Arc<str>, Pin)>,
}

/// Adds to a plan whom else the request's binding, or its resource's, or its discovery factors allow.
fn plan(call: &mut Call) -> Result<Option<Box<Asked>>, Failure> {
    let context = &call.context;
    let first = place(call.steps());
    let find = |root: &ApiRoot| {
        let pins = &context.origin.parts.pins;
        pins.find(root.transport, &root.authority, &below(root, call.request.uri()))
    };
    let pinned = first.and_then(find);
    let looked_for = context.discovery && first.is_some();
    if pinned.is_none() && !(context.binding || context.callback || looked_for) {
        return Ok(None);
    }
    let (place, context) = (first.cloned(), Arc::clone(context));
    if let Some((_, pin)) = &pinned
        && place.as_ref().is_some_and(|it| !it.same(&pin.at))
    {
        // It moved when the one that its URI names was not reached, and stays where it is now.
        let moved = pin.producer(call.request.uri().path()).map(|it| Target::chosen(Arc::new(it)));
        let moved =
            moved.unwrap_or_else(|| Target { chosen: true, ..Target::given(pin.at.clone(), Hop::Producer) });
        call.plan_mut().steps.insert(0, Step::Place(Arc::new(moved)));
    }
    if context.binding
        && let Some(value) = call.headers().get(names::ROUTING_BINDING)
    {
        let RoutingBinding(binding) = RoutingBinding::parse(value.as_bytes())
            .map_err(|error| Problem::header(names::ROUTING_BINDING, error))?;
        let found = steps::of_binding(&binding, context.callback);
        extend(call.plan_mut(), found, place.is_none());
    } else {
        let known = pinned.as_ref().map(|(_, pin)| pin);
        if let Some(pin) = known {
            extend(call.plan_mut(), of_pin(pin, context.callback), false);
        }
        if let Some(root) = &place
            && context.discovery
            && !known.is_some_and(Pin::tells)
        {
            // Only what is being made may be made by anybody (6.12.1, last but two); within a set that is named, all have it. Of a
            // consumer it may not be known which of its addresses takes callbacks.
            let consumer = context.callback && call.headers().contains_key(names::DISCOVERY_INSTANCE);
            let anybody = creates(call) || context.named_set || consumer;
            let set_of = (!anybody).then(|| root.clone());
            call.plan_mut().steps.push(Step::Find(Arc::new(Query { set_of, ..Query::default() })));
        }
    }
    let callback = context.callback;
    Ok((callback || pinned.is_some()).then(|| {
        let (method, path) = (call.request.method().clone(), call.request.uri().clone());
        Box::new(Asked { method, path, callback, place, pinned })
    }))
}

/// The path of what is asked below an API root.
fn below<'a>(root: &ApiRoot, asked: &'a Uri) -> Cow<'a, str> {
    match root.prefix() {
        "" => asked.path().into(),
        prefix => format!("{prefix}{}", asked.path()).into(),
    }
}

/// The place that a plan begins with.
fn place(steps: &[Step]) -> Option<&ApiRoot> {
    match steps.first() {
        Some(Step::Place(target)) if target.hop == Hop::Producer => Some(&target.api_root),
        _ => None,
    }
}

/// Adds searches; where no URI is given they come before a search for anybody.
fn extend(plan: &mut Plan, found: Vec<Query>, replace: bool) {
    if replace && !found.is_empty() {
        plan.steps.retain(|it| matches!(it, Step::Place(_)));
    }
    plan.steps.extend(found.into_iter().map(|it| Step::Find(Arc::new(it))));
}

fn of_pin(pin: &Pin, callback: bool) -> Vec<Query> {
    match pin.binding.as_ref().and_then(|it| Bindings::parse(it.as_bytes()).ok()) {
        Some(Bindings(all)) => all.first().map(|it| steps::of_binding(it, callback)).unwrap_or_default(),
        None => steps::of_declared(pin),
    }
}

/// Who else takes notifications of a default subscription, by the binding that its profile has (6.12.4).
pub(crate) fn of_subscription(binding: &str) -> Vec<Query> {
    let bindings = Bindings::parse(binding.as_bytes()).map(|Bindings(all)| all).unwrap_or_default();
    let of_callback = bindings.iter().find(|it| it.applies_to(BindingScope::Callback));
    of_callback.map(|it| steps::of_binding(it, true)).unwrap_or_default()
}

/// Whether a request makes a resource in a collection: `POST {apiRoot}/nsmf-pdusession/v1/sm-contexts`.
fn creates(call: &Call) -> bool {
    call.request.method() == Method::POST
        && call.request.uri().path().trim_end_matches('/').split('/').count() == 4
}

/// Pins what was made, moves what moved, forgets what ended.
fn remember(reply: &Reply, answered: &Target, asked: Option<&Asked>, origin: &Origin) {
    let status = reply.status();
    let tally = &origin.prepared.tally;
    if status == StatusCode::CREATED
        && let Some((key, pin)) = made(reply.headers(), answered)
    {
        keep(origin, &key, pin);
        tally.one(Event::PinMade);
        return;
    }
    let Some(asked) = asked else { return };
    match &asked.pinned {
        Some((key, _)) if ended(asked, key, status) => {
            tally.one(Event::PinEnded);
            origin.parts.pins.remove(key);
        }
        // Where a redirection leads, another path is what counts, and the URI stays in force.
        _ if answered.led => {}
        Some((key, pin)) if status.is_success() => {
            let mut pin = pin.clone();
            pin.at = answered.root().clone();
            if let Some(producer) = &answered.producer {
                describe(&mut pin, producer);
            }
            pin.binding = binding(reply.headers(), asked.callback).or(pin.binding);
            keep(origin, key, pin);
        }
        // A notification that its endpoint did not take goes to who took it from now on (6.12.4).
        None if asked.callback && answered.chosen && status.is_success() => {
            if let Some(place) = &asked.place {
                let key = key(place.transport, &place.authority, &below(place, &asked.path));
                keep(origin, &key.into(), pin(answered, binding(reply.headers(), true)));
            }
        }
        _ => {}
    }
}

fn keep(origin: &Origin, key: &Arc<str>, pin: Pin) {
    let most = origin.prepared.settings.limits.pins;
    let given_up = origin.parts.pins.insert(key, pin, origin.now(), most);
    (0..given_up).for_each(|_| origin.prepared.tally.one(Event::PinGivenUp));
    if given_up > 0 {
        tracing::warn!(
            most,
            "all pins are taken, and those that are asked for least are given up: their resources stay where their URIs \
             say, and no longer than they are there; raise `limits.pins` of sbi, or let resources end"
        );
    }
}

/// The pin of a resource that a response says it made.
fn made(headers: &HeaderMap, target: &Target) -> Option<(Arc<str>, Pin)> {
    let location: Uri = headers.get(header::LOCATION)?.to_str().ok()?.parse().ok()?;
    let authority = location.authority().unwrap_or(&target.api_root.authority);
    let transport = ApiRoot::of(&location).map_or(target.api_root.transport, |it| it.transport);
    let mut pin = pin(target, binding(headers, false));
    // A producer may say that its resource is with another (6.10.4).
    match (root_of_api(&location), ApiRoot::of(&location)) {
        (Some(root), _) => pin.at = root,
        (None, Some(root)) if *authority != target.api_root.authority => pin.at = root,
        (None, _) => {}
    }
    Some((key(transport, authority, location.path()).into(), pin))
}

/// The API root of an absolute URI, with the prefix that comes before an API's name and version (TS 29.501 4.4.1).
fn root_of_api(uri: &Uri) -> Option<ApiRoot> {
    let path = uri.path();
    let (at, _) = path.match_indices('/').find(|(at, _)| path.get(*at..).and_then(Api::of).is_some())?;
    ApiRoot::parse(&format!("{}://{}{}", uri.scheme()?, uri.authority()?, path.get(..at)?)).ok()
}

fn pin(target: &Target, binding: Option<String>) -> Pin {
    let mut pin = Pin { binding, ..Pin::new(target.root().clone()) };
    if let Some(producer) = &target.producer {
        describe(&mut pin, producer);
    }
    pin
}

fn describe(pin: &mut Pin, producer: &Producer) {
    pin.nf_instance = Some(producer.nf_instance.clone()).filter(|it| !it.is_empty());
    pin.service_instance.clone_from(&producer.service_instance);
    pin.persistent = producer.persistent;
    pin.service_sets.clone_from(&producer.service_sets);
    pin.nf_sets.clone_from(&producer.nf_sets);
}

/// What a response says of who has its resource, or of who takes callbacks (6.12.1): one of several, for several scopes.
fn binding(headers: &HeaderMap, callback: bool) -> Option<String> {
    let all = headers.get_all(names::BINDING).iter().filter_map(|it| Bindings::parse(it.as_bytes()).ok());
    let meant = |it: &Binding<'_>| match callback {
        true => it.applies_to(BindingScope::Callback),
        // That of its own resource has no scope (6.12.2).
        false => it.get(BindingParameter::Scope).is_none(),
    };
    all.flat_map(|Bindings(all)| all).find(meant).map(|it| it.to_string())
}

/// Whether a resource is no more: deleted, released (TS 29.502 5.2.2.4), or unknown to its producer.
fn ended(asked: &Asked, key: &str, status: StatusCode) -> bool {
    let path = asked.path.path().trim_end_matches('/');
    let (of, verb) = match path.strip_suffix("/release") {
        Some(of) if asked.method == Method::POST => (of, true),
        _ => (path, asked.method == Method::DELETE),
    };
    let itself = key.ends_with(of);
    itself && (status == StatusCode::NOT_FOUND || (verb && status.is_success()))
}
