use crate::Reason;

/// What becomes of the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// To the kernel's own stack.
    Pass,
    /// Nowhere.
    Drop,
    /// Out of the interface that it came in on.
    Transmit,
    /// Out of the interface that is named: another one, or by redirection the one that it came in on ([`crate::Link::AROUND`]).
    Redirect,
}

impl Verdict {
    /// Its name in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Drop => "drop",
            Self::Transmit => "transmit",
            Self::Redirect => "redirect",
        }
    }
}

/// A verdict and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What becomes of the packet.
    pub verdict: Verdict,
    /// Why; it is also the counter that is incremented.
    pub reason: Reason,
    /// The index of the interface to leave by, perhaps with [`crate::Link::AROUND`]; 0 where the verdict names none.
    ///
    /// Always there, not within the verdict: the compiler copies what an enum leaves undefined, and the
    /// verifier refuses that.
    pub out: u32,
}

impl Outcome {
    /// To the kernel's stack.
    #[inline(always)]
    #[must_use]
    pub const fn pass(reason: Reason) -> Self {
        Self { verdict: Verdict::Pass, reason, out: 0 }
    }

    /// Nowhere.
    #[inline(always)]
    #[must_use]
    pub const fn drop(reason: Reason) -> Self {
        Self { verdict: Verdict::Drop, reason, out: 0 }
    }

    /// Back to where it came from.
    #[inline(always)]
    #[must_use]
    pub const fn transmit(reason: Reason) -> Self {
        Self { verdict: Verdict::Transmit, reason, out: 0 }
    }
}

/// How far the common path got: to the end, or to the mouth of a rare path.
///
/// A struct and no enum: see [`Outcome::out`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What became of the packet, where no rare path is to finish it.
    pub outcome: Outcome,
    /// The rare path that is to finish it; the work is as that path wants it.
    pub rare: Rare,
}

impl Step {
    /// Done.
    #[inline(always)]
    #[must_use]
    pub const fn done(outcome: Outcome) -> Self {
        Self { outcome, rare: Rare::None }
    }

    /// To be finished elsewhere.
    #[inline(always)]
    #[must_use]
    pub const fn rare(rare: Rare) -> Self {
        Self { outcome: Outcome::drop(Reason::Inconsistent), rare }
    }

    /// Done: to the kernel's stack.
    #[inline(always)]
    #[must_use]
    pub const fn pass(reason: Reason) -> Self {
        Self::done(Outcome::pass(reason))
    }

    /// Done: dropped.
    #[inline(always)]
    #[must_use]
    pub const fn drop(reason: Reason) -> Self {
        Self::done(Outcome::drop(reason))
    }

    /// Planned, for [`crate::apply`]; or dropped.
    #[inline(always)]
    #[must_use]
    pub(crate) const fn planned(plan: Result<(), Reason>) -> Self {
        match plan {
            Ok(()) => Self::rare(Rare::Apply),
            Err(reason) => Self::drop(reason),
        }
    }

    /// Whether it is done, and dropped.
    #[inline(always)]
    pub(crate) const fn drops(self) -> bool {
        matches!(self.rare, Rare::None) && matches!(self.outcome.verdict, Verdict::Drop)
    }
}

/// The rare paths, each a function of its own in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Rare {
    /// None: the outcome stands.
    None,
    /// Not the common packet, or its next hop must be asked: [`crate::steer_general`].
    General,
    /// Planned: [`crate::apply`].
    Apply,
    /// First packet of a UDP or TCP flow.
    Place,
    /// First packet of a GTP-U tunnel that nobody taught us.
    Tunnel,
    /// GTP-U Echo Request to a service.
    Echo,
    /// SCTP INIT to a service.
    Init,
    /// SCTP INIT ACK from an endpoint.
    InitAck,
    /// The parameters of an INIT or INIT ACK that was pinned.
    Parameters,
    /// An SCTP chunk that moves the association's state.
    Control,
    /// An SCTP packet to a service, with no pin.
    OutOfBlue,
    /// An endpoint's RST, on a TCP connection that is not established.
    Reset,
    /// ICMP says that something cannot be delivered.
    Unreachable,
    /// A fragment that is not the first.
    Follow,
    /// A packet that cannot be steered: malformed, or a fragment of something else than UDP.
    Refused,
    /// ARP request.
    Arp,
    /// IPv6 neighbour solicitation.
    Solicitation,
    /// GTP-U user packet of an unknown tunnel, whose sender is told: where [`Rare::Tunnel`] may end.
    Indicate,
    /// GTP-U Error Indication.
    Indication,
    /// GTP-U to a tunnel that has filters.
    Classify,
    /// A user's packet that leaves its tunnel: where [`Rare::Classify`] may end.
    BreakOut,
    /// A new session that no endpoint takes, and the service rejects: where another rare path ends.
    Reject,
}
