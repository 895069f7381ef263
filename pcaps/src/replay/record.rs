//! One packet of `pinion replay --format json`.

use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::{ReplayError, Step};
use crate::capture::Frame;
use pinion_steering::Verdict;

/// What became of one packet; serialized, one line of output. What a packet has not is `null`.
#[derive(Debug, Serialize)]
pub struct Record<'a> {
    /// The capture, where several are replayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<&'a str>,
    /// The frame's number in the capture, from 1.
    pub frame: u64,
    /// When it was captured: seconds since 1970, a number with nine decimals.
    pub time: Box<RawValue>,
    /// `pass`, `drop`, `transmit` or `redirect`.
    pub verdict: &'static str,
    /// Why.
    pub reason: &'static str,
    /// The service that it is for, or from.
    pub service: Option<&'a str>,
    /// The endpoint that it goes to, or comes from.
    pub endpoint: Option<&'a str>,
    /// The session that it was steered by.
    pub pin: Option<String>,
    /// Of the packet as it leaves, from its Ethernet header on, in hex; none where it is dropped.
    pub sha256: Option<String>,
}

impl<'a> Record<'a> {
    /// The record of a step.
    ///
    /// # Errors
    ///
    /// [`ReplayError::Engine`] where the kernel's tables cannot be read.
    pub fn new(file: Option<&'a str>, frame: &Frame<'_>, step: &'a Step<'_>) -> Result<Self, ReplayError> {
        let time = format!("{}.{:09}", frame.time.as_secs(), frame.time.subsec_nanos());
        Ok(Self {
            file,
            frame: frame.number,
            time: RawValue::from_string(time).unwrap_or_default(),
            verdict: step.verdict.name(),
            reason: step.reason.name(),
            service: step.service(),
            endpoint: step.endpoint(),
            pin: step.pin()?.map(|pin| pin.to_string()),
            sha256: (step.verdict != Verdict::Drop).then(|| sha256(step.bytes())),
        })
    }
}

fn sha256(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digest = Sha256::digest(bytes);
    let nibbles = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.filter_map(|nibble| DIGITS.get(usize::from(nibble)).map(|digit| char::from(*digit))).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_hash_is_written_as_everywhere() {
        // FIPS 180-4's example.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(super::sha256(b"abc"), expected);
    }
}
