//! The layers, from the outside in.

use tower::ServiceBuilder;

use crate::account::AccountLayer;
use crate::authorization::AuthorizationLayer;
use crate::before::{after, before};
use crate::binding::BindingLayer;
use crate::call::{Of, Serve};
use crate::forward::Forward;
use crate::nrf::NoticeLayer;
use crate::overload::OverloadLayer;
use crate::retry::RetryLayer;
use crate::selection::SelectionLayer;
use crate::{advice, deadline, errors, hops, identity, load, next_hop, selection, target};

/// The way of a call, and of what came of it back through the same layers.
pub fn stack() -> impl Serve<Future: Of + Send + Unpin + 'static> + Clone + Send + 'static {
    ServiceBuilder::new()
        // What was done for whom.
        .layer(AccountLayer)
        // How hot it is here.
        .layer(after(load::tell))
        // Whatever fails is answered; an error of another is relayed as such.
        .layer(after(errors::answer))
        // What comes round, and what its client does not wait for any more, goes no further.
        .layer(before(hops::check))
        .layer(before(deadline::check))
        // Nobody speaks for another.
        .layer(before(identity::check))
        // So many at a time, the most important first.
        .layer(OverloadLayer)
        // What the NRF tells this SCP itself.
        .layer(NoticeLayer)
        // Whom to ask.
        .layer(before(target::plan))
        // Who else may serve it; where resources are.
        .layer(BindingLayer)
        // Somebody else where one fails.
        .layer(RetryLayer)
        // Unless the client wants no other.
        .layer(before(advice::heed))
        // Which of them; the client is told whom this SCP chose.
        .layer(after(selection::tell))
        .layer(SelectionLayer)
        // By which way.
        .layer(before(next_hop::route))
        // Unless that one, or who is on the way, asked to be spared; what it says of that is heard.
        .layer(before(load::spare))
        .layer(after(load::hear))
        // With whose access token.
        .layer(AuthorizationLayer)
        .service(Forward)
}
