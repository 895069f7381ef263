//! The SBI front end: a service communication proxy (TS 29.500 6.10, TS 23.501 annex E), models C and D, over HTTP/2.
//!
//! [`Scp`] serves listeners that its host opened, and goes by [`Prepared`] settings, which the host may replace at any time.
//! A request is a [`call::Call`] that passes tower services, each of one concern, composed in [`mod@stack`]:
//!
//! ```text
//! client ── server ── account ── errors ── hops ── deadline ── identity ── overload ── target ── binding ── retry ── selection ── next_hop ── load
//!        ── authorization ── forward ── pools ── producer
//! ```
//!
//! What was read of the headers on arrival is [`context::Context`], whom to ask is [`producer::Plan`], whom an attempt goes to
//! is [`producer::Target`]. What fails is a [`failure::Failure`], and becomes an answer in one place, [`errors`]. Content
//! streams both ways ([`body`], [`pump`]), never faster than the other side takes it; who goes away cancels what it asked for.
//! Who may be asked is found by [`discovery`], which asks the NRF ([`nrf`]) once for all who want to know the same;
//! [`authorization`] gets access tokens, each for one consumer.

#![forbid(unsafe_code)]

pub mod account;
pub mod advice;
mod aged;
pub mod api_root;
pub mod authorization;
pub mod before;
pub mod binding;
pub mod body;
pub mod call;
pub mod cause;
mod clock;
pub mod context;
pub mod deadline;
pub mod discovery;
mod early;
pub mod errors;
pub mod failure;
pub mod flight;
pub mod forward;
pub mod hops;
pub mod identity;
mod kept;
pub mod kind;
mod lent;
pub mod load;
mod location;
pub mod names;
pub mod next_hop;
pub mod nrf;
pub mod overload;
mod parts;
mod path;
mod peers;
pub mod pools;
mod prepared;
pub mod problem;
pub mod producer;
pub mod pump;
mod redirect;
mod redirection;
pub mod resolve;
pub mod retry;
mod retry_after;
mod seldom;
pub mod selection;
mod server;
pub mod settings;
mod slow;
pub mod stack;
pub mod tally;
pub mod target;
pub mod tls;
pub mod trace;
pub mod windows;

pub use parts::Parts;
pub use prepared::Prepared;
pub use server::{Scp, Speech};
