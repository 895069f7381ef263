//! What the engines made of one frame where they differ.

use std::fmt;

use pinion_loader::Ran;

/// The first frame of which the engines made different things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its number in the capture, from 1.
    pub frame: u64,
    /// What the user-space engine made of it.
    pub user: Ran,
    /// What the BPF object in the kernel made of it.
    pub kernel: Ran,
}

/// How many differing bytes are named.
const NAMED: usize = 16;

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the engines differ at frame {}", self.frame)?;
        for (name, ran) in [("user", &self.user), ("kernel", &self.kernel)] {
            let (verdict, reason) = (ran.verdict.name(), ran.reason.name());
            writeln!(f, "  {name:<6}  {verdict} ({reason}), {} bytes", ran.bytes.len())?;
        }
        let mut differing = differing(&self.user.bytes, &self.kernel.bytes);
        for (offset, user, kernel) in differing.by_ref().take(NAMED) {
            writeln!(f, "  byte {offset}: {} and {}", hex(user), hex(kernel))?;
        }
        match differing.count() {
            0 => Ok(()),
            more => writeln!(f, "  and {more} bytes more"),
        }
    }
}

fn differing(user: &[u8], kernel: &[u8]) -> impl Iterator<Item = (usize, Option<u8>, Option<u8>)> {
    let pair = |offset: usize| (offset, user.get(offset).copied(), kernel.get(offset).copied());
    (0..user.len().max(kernel.len())).map(pair).filter(|(_, user, kernel)| user != kernel)
}

fn hex(byte: Option<u8>) -> String {
    byte.map_or_else(|| "none".to_owned(), |byte| format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinion_steering::{Reason, Verdict};

    #[test]
    fn names_outcomes_and_bytes() {
        let ran = |verdict, reason, bytes: &[u8]| Ran { verdict, reason, bytes: bytes.to_vec() };
        let difference = Difference {
            frame: 7,
            user: ran(Verdict::Transmit, Reason::Pinned, &[1, 2, 3]),
            kernel: ran(Verdict::Pass, Reason::NotOurs, &[1, 0xff]),
        };
        assert_eq!(
            difference.to_string(),
            "the engines differ at frame 7\n  \
             user    transmit (pinned), 3 bytes\n  \
             kernel  pass (not_ours), 2 bytes\n  \
             byte 1: 02 and ff\n  \
             byte 2: 03 and none\n"
        );
    }
}
