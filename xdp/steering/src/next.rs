use crate::cached::{self, GENERAL};
use crate::{Face, Facts, Packet, Plan, Rare, Reason, Step, Tables, flow};

/// How it goes on where a packet is decided on: a parameter of what decides, so that each way to a decision has its
/// own end of the way. On the common path the compiler then keeps apart what only one of them needs.
pub(crate) trait Next {
    /// Whether what is seldom is left to the general path: all that ends here then is what is sent.
    const COMMON: bool;

    /// To a session's endpoint.
    fn request<P: Packet, T: Tables>(
        packet: &mut P,
        tables: &T,
        facts: &mut Facts,
        plan: &mut Plan,
        to: Request,
    ) -> Step;

    /// To a client: the plan is made.
    fn reply<P: Packet, T: Tables>(packet: &mut P, tables: &T, facts: &mut Facts, plan: &mut Plan) -> Step;

    /// No pin is for it: the protocol's room says what becomes of it.
    fn no_pin<T: Tables>(tables: &T, facts: &Facts, unpinned: fn(&T, &Facts) -> Step) -> Step;

    /// It goes a rare path.
    fn rare(rare: Rare) -> Step;

    /// It is dropped.
    fn drop(reason: Reason) -> Step;

    /// A packet to GTP-U's port belongs to no tunnel, but perhaps to a flow.
    fn no_tunnel<P: Packet, T: Tables>(packet: &mut P, tables: &T, facts: &mut Facts, plan: &mut Plan) -> Step;
}

/// Where a request goes.
#[derive(Clone, Copy)]
pub(crate) struct Request {
    /// Index in `TARGETS`.
    pub(crate) index: u32,
    /// The TEID to rewrite to, where it differs; else 0.
    pub(crate) teid: u32,
    /// The clock tick at which it was decided.
    pub(crate) now: u32,
}

/// At once, by the cached next hop. What is seldom is left to the general path.
pub(crate) struct Cached;

impl Next for Cached {
    const COMMON: bool = true;

    #[inline(always)]
    fn request<P: Packet, T: Tables>(
        packet: &mut P,
        tables: &T,
        facts: &mut Facts,
        _: &mut Plan,
        to: Request,
    ) -> Step {
        cached::to_target(packet, tables, facts, to)
    }

    #[inline(always)]
    fn reply<P: Packet, T: Tables>(packet: &mut P, tables: &T, facts: &mut Facts, plan: &mut Plan) -> Step {
        cached::reply(packet, tables, facts, plan)
    }

    #[inline(always)]
    fn no_pin<T: Tables>(_: &T, _: &Facts, _: fn(&T, &Facts) -> Step) -> Step {
        GENERAL
    }

    #[inline(always)]
    fn rare(_: Rare) -> Step {
        GENERAL
    }

    #[inline(always)]
    fn drop(_: Reason) -> Step {
        GENERAL
    }

    #[inline(always)]
    fn no_tunnel<P: Packet, T: Tables>(_: &mut P, _: &T, _: &mut Facts, _: &mut Plan) -> Step {
        GENERAL
    }
}

/// By [`crate::apply`], which the host calls.
pub(crate) struct Planned;

impl Next for Planned {
    const COMMON: bool = false;

    #[inline(always)]
    fn request<P: Packet, T: Tables>(_: &mut P, tables: &T, _: &mut Facts, plan: &mut Plan, to: Request) -> Step {
        let Some(target) = tables.target(to.index) else {
            return Step::drop(Reason::Inconsistent);
        };
        plan.set((to.index, target), Face::Destination, Reason::Pinned, to.now);
        plan.teid = to.teid;
        Step::rare(Rare::Apply)
    }

    #[inline(always)]
    fn reply<P: Packet, T: Tables>(_: &mut P, _: &T, _: &mut Facts, _: &mut Plan) -> Step {
        Step::rare(Rare::Apply)
    }

    #[inline(always)]
    fn no_pin<T: Tables>(tables: &T, facts: &Facts, unpinned: fn(&T, &Facts) -> Step) -> Step {
        unpinned(tables, facts)
    }

    #[inline(always)]
    fn rare(rare: Rare) -> Step {
        Step::rare(rare)
    }

    #[inline(always)]
    fn drop(reason: Reason) -> Step {
        Step::drop(reason)
    }

    #[inline(always)]
    fn no_tunnel<P: Packet, T: Tables>(packet: &mut P, tables: &T, facts: &mut Facts, plan: &mut Plan) -> Step {
        flow::decide::<P, T, Self>(packet, tables, facts, plan)
    }
}
