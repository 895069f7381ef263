//! What the headers of a request say to an SCP, read once when it arrives.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use pinion_protocols::sbi::{
    MaxForwardHops, MaxResponseTime, MessagePriority, NodeType, SenderTimestamp, Timestamp, Value,
};
use tokio::time::Instant;

use crate::call::{Arrival, Origin};
use crate::cause::Cause;
use crate::clock;
use crate::early::Early;
use crate::failure::Failure;
use crate::kind::{Kind, Known, Said};
use crate::problem::Problem;
use crate::slow::Slow;

/// The priority of a request without one (TS 29.500 6.8.4).
pub const DEFAULT_PRIORITY: u8 = 24;

/// Names of headers that a message may have. Some are added here, and a map that can take no more panics: with names that
/// collide, from 6,554 on.
pub(crate) const MOST_NAMES: usize = 4_096;

/// What the headers of a request say.
#[derive(Debug)]
pub struct Context {
    /// When it came, and how.
    pub arrival: Arrival,
    /// 3gpp-Sbi-Message-Priority: 0, the highest, to 31.
    pub priority: u8,
    /// What it has in common with others.
    pub kind: Arc<Kind>,
    /// 3gpp-Sbi-Max-Forward-Hops for SCPs: how many more it may pass.
    pub hops: Option<u8>,
    /// Whether `Via` names this SCP already.
    pub looped: bool,
    /// Whether its sender says how much it has to do: 3gpp-Sbi-Oci, 3gpp-Sbi-Lci.
    pub laden: bool,
    /// 3gpp-Sbi-NF-Peer-Info: who sent it and who is to get it.
    pub peers: Option<HeaderValue>,
    /// When its client waits no more: 3gpp-Sbi-Sender-Timestamp and Max-Rsp-Time (6.11.2).
    pub deadline: Deadline,
    /// Interim answers that are still to be sent on.
    pub(crate) early: Early,
    /// Who says nothing of those that were asked.
    pub(crate) slow: Slow,
    /// The chance that all of its attempts have, once one had it.
    pub(crate) chance: OnceLock<u64>,
}

/// Until when a client waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// Then.
    pub at: Instant,
    /// Whether the client said so.
    pub asked: bool,
    /// 3gpp-Sbi-Max-Rsp-Time and how late the request was: what is left of it is how the header is adjusted.
    pub left: Option<Duration>,
}

impl Deref for Context {
    type Target = Kind;

    fn deref(&self) -> &Kind {
        &self.kind
    }
}

impl Context {
    /// Reads them.
    ///
    /// # Errors
    /// A [`Problem`] that names the header that is not what it should be, or says that there are too many.
    pub fn read(parts: &Parts, arrival: Arrival, known: &mut Known) -> Result<Self, Failure> {
        if parts.headers.keys_len() > MOST_NAMES {
            return Err(Problem::new(Cause::PayloadTooLarge).detail("the request has too many headers").into());
        }
        let mut priority = DEFAULT_PRIORITY;
        let mut hops = None;
        let (mut looped, mut laden) = (false, false);
        let (mut sent, mut wait, mut peers) = (None, None, None);
        let mut said = Said::new();
        // As a rule a request says the same as the one before it, and what is the same need not be looked at.
        let latest = known.latest();
        let mut same = latest.map_or(&[][..], |it| it.said()).iter();
        let mut next = same.next();
        for (name, text) in &parts.headers {
            if next.is_some_and(|(known, value)| name == known && text == value) {
                said.push((name, text));
                next = same.next();
                continue;
            }
            let Some(rest) = name.as_str().strip_prefix("3gpp-sbi-") else {
                if name == header::USER_AGENT {
                    said.push((name, text));
                } else if name == header::VIA {
                    looped |= names_us(text, &known.origin().prepared.tag);
                }
                continue;
            };
            match rest {
                "message-priority" => priority = value::<MessagePriority>(name, text)?.get(),
                "max-forward-hops" => {
                    // That of another type of node does not concern an SCP.
                    let MaxForwardHops { hops: left, node_type } = value(name, text)?;
                    hops = hops.or((node_type == NodeType::Scp).then_some(left));
                }
                "oci" | "lci" => laden = true,
                "nf-peer-info" => peers = Some(text.clone()),
                "sender-timestamp" => sent = Some(value::<SenderTimestamp>(name, text)?.0),
                "max-rsp-time" => {
                    let most = value::<MaxResponseTime>(name, text)?;
                    wait = Some(Duration::from_millis(u64::from(most.milliseconds())));
                }
                rest if Kind::goes_by(rest) => said.push((name, text)),
                _ => {}
            }
        }
        let kind = match latest {
            Some(kind) if next.is_none() && said.len() == kind.said().len() && kind.is_at(parts) => {
                Arc::clone(kind)
            }
            _ => known.kind(parts, &said)?,
        };
        let deadline = Deadline::new(&kind.origin, arrival.at, sent, wait);
        let (early, slow) = (Early::default(), Slow::default());
        let chance = OnceLock::new();
        Ok(Self { arrival, kind, priority, hops, looped, laden, peers, deadline, early, slow, chance })
    }
}

impl Deadline {
    fn new(origin: &Origin, at: Instant, sent: Option<Timestamp>, wait: Option<Duration>) -> Self {
        let own = origin.prepared.settings.timeouts.response;
        let Some(wait) = wait else {
            return Self { at: later(at, own), asked: false, left: None };
        };
        // Without a timestamp the wait begins here; one of the future is a clock that is ahead.
        let begun = sent.and_then(clock::time);
        let late = begun.and_then(|begun| origin.now().duration_since(begun).ok()).unwrap_or_default();
        let left = wait.saturating_sub(late);
        Self { at: later(at, left), asked: true, left: Some(left) }
    }
}

/// Some time later; at most a day, as clocks have an end.
fn later(at: Instant, by: Duration) -> Instant {
    const DAY: Duration = Duration::from_hours(24);
    at.checked_add(by.min(DAY)).unwrap_or(at)
}

/// Whether `Via` has this SCP's name: with a protocol before it or not, with a port after it or not, and not in a comment
/// (RFC 9110 7.6.3, TS 29.500 5.2.2.2).
fn names_us(via: &HeaderValue, tag: &HeaderValue) -> bool {
    let mut comments = 0_usize;
    let mut names = via.as_bytes().split(|byte| {
        match byte {
            b'(' => comments = comments.saturating_add(1),
            b')' => comments = comments.saturating_sub(1),
            _ => {}
        }
        comments > 0 || matches!(byte, b',' | b' ' | b'\t' | b')')
    });
    names.any(|name| {
        let host = name.split(|byte| *byte == b':').next().unwrap_or_default();
        host.strip_suffix(b".").unwrap_or(host).eq_ignore_ascii_case(tag.as_bytes())
    })
}

/// A header's value.
fn value<'a, V: Value<'a>>(name: &HeaderName, value: &'a HeaderValue) -> Result<V, Failure> {
    V::parse(value.as_bytes()).map_err(|error| Problem::header(name, error).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn via_names_us_in_any_place() {
        let tag = HeaderValue::from_static("SCP-a.example");
        for (via, ours) in [
            ("SCP-a.example", true),
            ("2.0 x, 2.0 scp-A.example", true),
            ("SCP-aa.example", false),
            ("SCP-a.example.org", false),
            ("HTTP/2.0 SCP-a.example:7777 (pinion), 2 x", true),
            ("SEPP-x,\tSCP-a.example.", true),
            ("2.0 x (behind SCP-a.example (2)), SCP-b", false),
            ("a.example", false),
        ] {
            assert_eq!(names_us(&HeaderValue::from_static(via), &tag), ours, "{via}");
        }
    }
}
