//! How long a client waits: what came too late is not forwarded (TS 29.500 6.11.2).

use tokio::time::Instant;

use crate::call::Call;
use crate::cause::Cause;
use crate::failure::Failure;
use crate::problem::Problem;

/// Refuses what its client does not wait for any more.
///
/// # Errors
/// `TIMED_OUT_REQUEST`.
pub fn check(call: &mut Call) -> Result<(), Failure> {
    let deadline = &call.context.deadline;
    if deadline.asked && deadline.at <= Instant::now() {
        return Err(late());
    }
    Ok(())
}

/// The refusal of what came too late, or took too long.
#[must_use]
pub fn late() -> Failure {
    Problem::new(Cause::TimedOutRequest).detail("the client does not wait for the answer any more").into()
}
