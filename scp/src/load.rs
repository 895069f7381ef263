//! Load and overload of others and of this SCP: what producers say is obeyed, what there is to say is said (TS 29.500 6.3, 6.4.3).

mod reports;
mod told;

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use pinion_protocols::sbi::{BindingParameter, RoutingBinding, Value as _, decode};

use crate::api_root::ApiRoot;
use crate::call::{Call, Reply};
use crate::failure::{Failure, Fault, Sent, Upstream};
use crate::identity;
use crate::names;
use crate::producer::{Hop, Producer, Target};
use crate::retry_after;
use crate::tally::Event;

use reports::{From, Server, Whose, names_of};
pub use reports::{Reported, Role};
pub use told::tell;

/// Spares who says that it is overloaded, and hears what the request's own sender says of that.
///
/// # Errors
/// [`Fault::Overloaded`]: the call is one of those that are not to be sent.
pub fn spare(call: &mut Call) -> Result<(), Failure> {
    if call.context.laden {
        let origin = &call.context.origin;
        // Nobody speaks for another (6.4.3.4.5).
        let own = identity::own_names(&origin.peer, &origin.prepared.settings.identities);
        let from = From { role: Role::of(!call.context.callback), place: None, between: None, own };
        call.parts().reported.hear(call.headers(), || from);
    }
    match spared(call) {
        Some(spared) => {
            call.prepared().tally.one(Event::OverloadSpared);
            Err(spared.into())
        }
        None => Ok(()),
    }
}

/// Hears what a response says of load and overload.
pub fn hear(call: &mut Call) {
    if let (Ok(reply), Some(target)) = (&call.answer, &call.target) {
        let headers = reply.headers();
        if call.told {
            call.parts().reported.hear(headers, || who(call, headers, target));
        }
        if matches!(reply.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            rest(call, reply, target);
        }
    }
}

/// What is bound to nobody goes past a producer that says that it has too much to do, for as long as it says (6.4.2.2, 6.4.2.3),
/// or so much of it as it does not take: to divert is better than to send less (6.4.2.1). Whatever is for it goes on, and its
/// client hears what it says.
fn rest(call: &Call, reply: &Reply, target: &Target) {
    let headers = reply.headers();
    let place = who(call, headers, target).place.filter(|_| is_of_server(headers, target.hop));
    let Some(place) = place else { return };
    let producer = target.producer.as_deref().filter(|it| it.api_root.same(place));
    let named = producer.map(|it| it.service.as_str()).filter(|it| !it.is_empty());
    // An API's name comes first (TS 29.501 4.4.1).
    let service = named.or_else(|| call.request.uri().path().split('/').nth(1)).unwrap_or_default();
    let server = Server { place, service, producer, role: Role::of(call.context.callback) };
    let (prepared, parts) = (call.prepared(), call.parts());
    match retry_after::wait(headers) {
        Some(wait) if !wait.is_zero() => {
            tracing::debug!(producer = %place, service, ?wait, "a producer asks for nothing new");
            prepared.tally.one(Event::OverloadRests);
            parts.reported.rest(server, wait);
        }
        None if reply.status() == StatusCode::SERVICE_UNAVAILABLE && target.hop == Hop::Producer => {
            let holder = target.holder(prepared.settings.identities.producers);
            let done = parts.pools.done(&target.api_root, &holder, call.begun);
            parts.reported.refused(server, done.answered);
        }
        Some(_) | None => {}
    }
}

/// Whether an error is the server's own, and not of an SCP or SEPP on the way to it (6.10.8.2, 6.10.8.3).
fn is_of_server(headers: &HeaderMap, next: Hop) -> bool {
    let between = |value: &HeaderValue| {
        let begins = |tag: &[u8]| value.as_bytes().get(..tag.len()).is_some_and(|it| it.eq_ignore_ascii_case(tag));
        begins(b"SCP-") || begins(b"SEPP-")
    };
    match headers.get(header::SERVER) {
        Some(server) => !between(server),
        // Who only relays it says so.
        None => next == Hop::Producer || headers.get_all(header::VIA).iter().any(between),
    }
}

/// Who says what is in a response.
fn who<'a>(call: &Call, headers: &HeaderMap, target: &'a Target) -> From<'a> {
    let next = &target.api_root;
    let between = target.hop != Hop::Producer;
    let place = if between { target.onward.as_ref() } else { Some(next) };
    // Who is between may have chosen another.
    let place = place.filter(|place| {
        let answered = headers.get(names::TARGET_API_ROOT).filter(|_| between);
        answered.is_none_or(|it| ApiRoot::read(it.as_bytes()).is_ok_and(|it| it.same(place)))
    });
    let between = between.then_some((target.hop, next));
    From { role: Role::of(call.context.callback), place, between, own: None }
}

/// Whether a request is one of those that are not to be sent.
fn spared(call: &Call) -> Option<Upstream> {
    let target = call.target.as_ref()?;
    let reported = &call.parts().reported;
    // The most important are the last to go without an answer (6.4.2.1).
    if call.context.priority <= call.prepared().settings.overload.exempt {
        return None;
    }
    let seconds = match target.overloaded {
        true => {
            let producer = target.producer.iter().flat_map(|it| names_of(it, Role::of(call.context.callback)));
            reported.seconds_left(&producer.chain([place(call, target)]).collect::<Vec<_>>())
        }
        false if reported.is_quiet() => return None,
        false => turned_away(reported, call, target)?,
    };
    let fault = Fault::Overloaded(seconds.max(1));
    let (api_root, producer) = (target.root().clone(), target.producer.clone());
    Some(Upstream { api_root, fault, sent: Sent::Nothing, producer })
}

/// For how long somebody who is on the way does not want it, nor some of those that follow.
fn turned_away(reported: &Reported, call: &Call, target: &Target) -> Option<u32> {
    let between = (target.hop != Hop::Producer).then(|| Whose::Between(target.api_root.clone()));
    let callback = target.path.as_ref().or(call.request.uri().path_and_query());
    let callback = callback.filter(|_| call.context.callback).map(|it| Whose::callback(target.root(), it.path()));
    let mut names: Vec<_> = callback.into_iter().collect();
    // Of several, selection has gone past those that are overloaded already.
    if !target.chosen {
        names.extend(bound(call, target));
        names.push(place(call, target));
    }
    between.and_then(|it| reported.turned_away(&[it])).or_else(|| reported.turned_away(&names))
}

/// By what the consumer is known that a notification is bound to (6.4.3.4.5.3).
fn bound(call: &Call, target: &Target) -> Vec<Whose> {
    let binding = call.headers().get(names::ROUTING_BINDING).filter(|_| call.context.callback);
    let binding = binding.and_then(|it| RoutingBinding::parse(it.as_bytes()).ok());
    let Some(RoutingBinding(binding)) = binding else { return Vec::new() };
    let get = |parameter| binding.get(parameter).and_then(decode).map(Cow::into_owned);
    let consumer = Producer {
        nf_instance: get(BindingParameter::NfInstance).unwrap_or_default(),
        service_instance: get(BindingParameter::ServiceInstance),
        service: get(BindingParameter::Service).unwrap_or_default(),
        nf_sets: get(BindingParameter::NfSet).into_iter().collect(),
        service_sets: get(BindingParameter::ServiceSet).into_iter().collect(),
        ..Producer::at(target.root().clone())
    };
    names_of(&consumer, Role::Consumer)
}

/// Who is overloaded where it is known only by its address.
fn place(call: &Call, target: &Target) -> Whose {
    Whose::Place(target.root().clone(), Role::of(call.context.callback))
}
