//! Which endpoints answer, path by path.
//!
//! A [`Checker`] probes each [`Target`] from the balancer's own address, at intervals that chance spreads, and
//! says by [`Change`]s which paths come and go. A path is up or down by answers and failures *in a row*, so that
//! one that loses some probes does not flap; an endpoint is up while any of its paths is. Where the balancer itself
//! cannot probe (no permission, no file descriptor) nothing changes, and the reason is shown.
//!
//! What the packet path sees ([`Seen`]) counts as one failure and has the path probed at once, which has the last word.

mod chance;
mod checker;
mod judge;
mod outcome;
pub mod probe;
mod schedule;
mod target;

pub use chance::Chance;
pub use checker::{Change, Checker, Limits, Seen, Status};
pub use judge::{Judge, endpoint_up};
pub(crate) use outcome::asked;
pub use outcome::{Answer, Failure, IcmpError, Obstacle, Outcome, Signal};
pub use schedule::Pace;
pub use target::{Target, targets};
