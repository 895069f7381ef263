use crate::cached::apply_cached;
use crate::{Facts, Packet, Plan, Rare, Step, Tables, flow};

/// How it goes on where a packet is decided on: a parameter of what decides, so that each way to a decision has its
/// own end of the way. On the common path the compiler then keeps apart what only one of them needs.
pub(crate) trait Next {
    /// Whether packets that move an association's state were told apart before.
    const STEADY: bool;

    /// The plan is made.
    fn go_on<P: Packet, T: Tables>(packet: &mut P, tables: &T, facts: &mut Facts, plan: &mut Plan) -> Step;

    /// No pin is for it: the protocol's room says what becomes of it.
    fn no_pin<T: Tables>(tables: &T, facts: &Facts, unpinned: fn(&T, &Facts) -> Step) -> Step;

    /// An endpoint's RST, on a connection that is not established.
    fn reset() -> Step;

    /// A packet to GTP-U's port belongs to no tunnel, but perhaps to a flow.
    fn no_tunnel<P: Packet, T: Tables>(packet: &mut P, tables: &T, facts: &mut Facts, plan: &mut Plan) -> Step;
}

/// At once, by the cached next hop.
pub(crate) struct Cached;

impl Next for Cached {
    const STEADY: bool = true;

    #[inline(always)]
    fn go_on<P: Packet, T: Tables>(packet: &mut P, tables: &T, facts: &mut Facts, plan: &mut Plan) -> Step {
        apply_cached(packet, tables, facts, plan)
    }

    #[inline(always)]
    fn no_pin<T: Tables>(_: &T, _: &Facts, _: fn(&T, &Facts) -> Step) -> Step {
        Step::rare(Rare::General)
    }

    #[inline(always)]
    fn reset() -> Step {
        Step::rare(Rare::General)
    }

    #[inline(always)]
    fn no_tunnel<P: Packet, T: Tables>(_: &mut P, _: &T, _: &mut Facts, _: &mut Plan) -> Step {
        Step::rare(Rare::General)
    }
}

/// By [`crate::apply`], which the host calls.
pub(crate) struct Planned;

impl Next for Planned {
    const STEADY: bool = false;

    #[inline(always)]
    fn go_on<P: Packet, T: Tables>(_: &mut P, _: &T, _: &mut Facts, _: &mut Plan) -> Step {
        Step::rare(Rare::Apply)
    }

    #[inline(always)]
    fn no_pin<T: Tables>(tables: &T, facts: &Facts, unpinned: fn(&T, &Facts) -> Step) -> Step {
        unpinned(tables, facts)
    }

    #[inline(always)]
    fn reset() -> Step {
        Step::rare(Rare::Reset)
    }

    #[inline(always)]
    fn no_tunnel<P: Packet, T: Tables>(packet: &mut P, tables: &T, facts: &mut Facts, plan: &mut Plan) -> Step {
        flow::decide::<P, T, Self>(packet, tables, facts, plan)
    }
}
