//! usrsctp's `tsctp`: a client that sends as fast as it can, and a server that counts.

use std::time::Duration;

use super::{ENDS, FAR, LENGTH, NEAR, Wire, address};
use crate::bench::BenchError;
use crate::sctp::usrsctp::{Counted, Usrsctp};

/// How much longer than the sending the server may take to say what it counted.
const GRACE: Duration = Duration::from_secs(10);

pub(super) fn messages_a_second(
    usrsctp: &Usrsctp,
    wire: &Wire,
    size: usize,
    sending: Duration,
) -> Result<f64, BenchError> {
    let [near, far] = ENDS;
    wire.near.add_address(NEAR, address(near), LENGTH)?;
    wire.far.add_address(FAR, address(far), LENGTH)?;
    let mut server = usrsctp.start(&wire.far, "tsctp", [""; 0])?;
    // It says nothing when it listens, and a client that comes too early comes again after a second.
    std::thread::sleep(Duration::from_millis(300));
    let (seconds, size, to) = (sending.as_secs().to_string(), size.to_string(), address(far).to_string());
    let _client = usrsctp.start(&wire.near, "tsctp", ["-n", "0", "-T", &seconds, "-l", &size, &to])?;
    let counted = server.heard(sending.saturating_add(GRACE), Counted::read)?;
    Ok(counted.messages as f64 / counted.seconds)
}
