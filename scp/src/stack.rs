//! The layers, from the outside in.

use std::convert::Infallible;

use tower::{Service, ServiceBuilder};

use crate::account::{Account, AccountLayer};
use crate::authorization::{AuthorizationLayer, Tokens};
use crate::before::before;
use crate::binding::{BindingLayer, Pins};
use crate::call::{Call, Reply};
use crate::discovery::Directory;
use crate::errors::ErrorsLayer;
use crate::forward::Forward;
use crate::load::{ReliefLayer, Reported, ToldLayer};
use crate::nrf::NoticeLayer;
use crate::overload::{Gate, OverloadLayer};
use crate::pools::Pools;
use crate::retry::{Budget, RetryLayer};
use crate::selection::{Dice, Drained, SelectionLayer};
use crate::{advice, deadline, hops, identity, next_hop, target};

/// What the layers share.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// Connections to next hops.
    pub pools: Pools,
    /// Who may work and who waits.
    pub gate: Gate,
    /// What producers said of their load.
    pub reported: Reported,
    /// Resources that stay where they are.
    pub pins: Pins,
    /// What retries there may be.
    pub budget: Budget,
    /// Whom searches found.
    pub directory: Directory,
    /// Access tokens that were got for clients.
    pub tokens: Tokens,
    /// Chance, for choices among equals.
    pub dice: Dice,
    /// Producers that are to get nothing new.
    pub drained: Drained,
    /// What was done for whom.
    pub account: Account,
}

/// The way of a call.
pub fn stack(
    parts: &Parts,
) -> impl Service<Call, Response = Reply, Error = Infallible, Future: Send + Unpin + 'static>
+ Clone
+ Send
+ 'static
+ use<> {
    ServiceBuilder::new()
        // What was done for whom.
        .layer(AccountLayer { account: parts.account.clone() })
        // How hot it is here.
        .layer(ToldLayer { gate: parts.gate.clone() })
        // Whatever fails is answered; an error of another is relayed as such.
        .layer(ErrorsLayer)
        // What comes round, and what its client does not wait for any more, goes no further.
        .layer(before(hops::check))
        .layer(before(deadline::check))
        // Nobody speaks for another.
        .layer(before(identity::check))
        // So many at a time, the most important first.
        .layer(OverloadLayer { gate: parts.gate.clone() })
        // What the NRF tells this SCP itself.
        .layer(NoticeLayer { directory: parts.directory.clone() })
        // Whom to ask.
        .layer(before({
            let gate = parts.gate.clone();
            move |call: &mut Call| target::plan(call, &gate)
        }))
        // Who else may serve it; where resources are.
        .layer(BindingLayer { pins: parts.pins.clone() })
        // Somebody else where one fails.
        .layer(RetryLayer { budget: parts.budget.clone() })
        // Unless the client wants no other.
        .layer(before(advice::heed))
        // Which of them.
        .layer(SelectionLayer {
            pools: parts.pools.clone(),
            directory: parts.directory.clone(),
            reported: parts.reported.clone(),
            dice: parts.dice.clone(),
            drained: parts.drained.clone(),
        })
        // By which way.
        .layer(before(next_hop::route))
        // Unless that one, or who is on the way, asked to be spared.
        .layer(ReliefLayer { reported: parts.reported.clone() })
        // With whose access token.
        .layer(AuthorizationLayer {
            pools: parts.pools.clone(),
            directory: parts.directory.clone(),
            tokens: parts.tokens.clone(),
        })
        .service(Forward { pools: parts.pools.clone() })
}
