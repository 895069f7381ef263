//! Whom a request is for: 3gpp-Sbi-Target-apiRoot, its authority, or whoever discovery finds (TS 29.500 6.10.2, 6.10.2A).

use http::uri::{Authority, InvalidUri, PathAndQuery, Scheme};
use http::{Method, StatusCode, Uri};
use smallvec::smallvec;

use crate::api_root::{ApiRoot, Transport};
use crate::call::Call;
use crate::cause::Cause;
use crate::failure::Failure;
use crate::names;
use crate::path::inward;
use crate::problem::Problem;
use crate::producer::{Hop, Plan, Step, Target};
use crate::redirection;
use crate::settings::{Identity, NextHop, Targets};

/// Where requests of one kind lead to.
#[derive(Debug)]
pub(crate) struct Lead {
    /// Whether their client does not know of SCPs, and their authority is the target.
    stranger: bool,
    plan: Plan,
}

impl Lead {
    /// Whom to ask, in which order.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.plan.steps
    }
}

/// Finds out whom to ask, and leaves of the request's URI the path below an API root.
///
/// # Errors
/// Where the URI is none, the request is for this SCP itself or wants a tunnel, or its client is to ask another SCP.
pub fn plan(call: &mut Call) -> Result<(), Failure> {
    if call.request.method() == Method::CONNECT {
        let mut problem = Problem::new(Cause::UnspecifiedMsgFailure).detail("an SCP is no tunnel (6.10.2.2)");
        problem.status = Some(StatusCode::NOT_IMPLEMENTED);
        return Err(problem.into());
    }
    let lead = match call.context.lead.get() {
        Some(lead) => lead,
        None => {
            let found = lead(call)?;
            call.context.lead.get_or_init(|| found)
        }
    };
    let settings = &call.prepared().settings;
    let inward = |path| if lead.stranger { Ok(None) } else { inward(path, &settings.identity.prefix) };
    let path = match call.request.uri().path_and_query() {
        Some(path) => inward(path).map_err(|error| unusable(&error))?,
        None => Some(PathAndQuery::from_static("/")),
    };
    // Who does not know of SCPs cannot go to another.
    if !lead.stranger && !settings.redirections.is_empty() {
        let path = path.as_ref().or(call.request.uri().path_and_query()).cloned();
        redirection::check(call, &path.unwrap_or_else(|| PathAndQuery::from_static("/")))?;
    }
    if let Some(path) = path {
        *call.request.uri_mut() = Uri::from(path);
    }
    Ok(())
}

fn lead(call: &Call) -> Result<Lead, Failure> {
    let settings = &call.prepared().settings;
    let uri = call.request.uri();
    // TLS ends here only for who means this SCP (6.10.2A.1).
    let clear = uri.scheme() == Some(&Scheme::HTTP);
    let stranger = uri.authority().filter(|it| clear && !known(&settings.identity, Transport::Clear, it));
    let unknown = stranger.map(|_| ApiRoot::of(uri).ok_or_else(named)).transpose()?;
    let target = call.context.target.as_ref().or(unknown.as_ref());
    if target.is_some_and(|it| ourselves(&settings.identity, it)) {
        return Err(Problem::new(Cause::MsgLoopDetected).detail("the target is this SCP").into());
    }
    let plan = match target {
        Some(target) => Plan::place(Target::given(target.clone(), Hop::Producer)),
        None if call.context.discovery => match delegate(call, &settings.next_hops) {
            Some(next) => Plan::place(Target::given(next.api_root.clone(), Hop::Scp)),
            None => Plan { steps: smallvec![Step::Anybody] },
        },
        None => Plan::default(),
    };
    Ok(Lead { stranger: unknown.is_some(), plan })
}

/// Whether an authority is one of the SCP's.
pub(crate) fn known(identity: &Identity, transport: Transport, authority: &Authority) -> bool {
    identity.authorities.iter().any(|it| transport.leads_alike(it, authority))
}

/// Whether an API root is this SCP's own.
fn ourselves(identity: &Identity, target: &ApiRoot) -> bool {
    known(identity, target.transport, &target.authority) && target.prefix() == identity.prefix
}

fn unusable(error: &InvalidUri) -> Failure {
    Problem::new(Cause::InvalidMsgFormat).detail(error.to_string()).into()
}

/// A user before a host obscures who is asked (RFC 9110 4.2.4).
fn named() -> Failure {
    Problem::new(Cause::InvalidMsgFormat).detail("the authority names a user").into()
}

/// The SCP that discovers instead of this one (6.10.3.2).
fn delegate<'a>(call: &Call, next_hops: &'a [NextHop]) -> Option<&'a NextHop> {
    next_hops.iter().find(|it| {
        it.delegate
            && match &it.targets {
                Targets::All => true,
                Targets::Domain(_) | Targets::Plmns(_) => false,
                Targets::Services(services) => {
                    requested(call).is_some_and(|name| services.iter().any(|it| it == name))
                }
            }
    })
}

/// The service that a request is for: the first that is named (6.10.3.2).
pub(crate) fn requested(call: &Call) -> Option<&str> {
    let names = call.headers().get(names::DISCOVERY_SERVICE_NAMES)?.to_str().ok()?;
    let names = names.trim().trim_start_matches('[');
    names.split(',').next().map(|it| it.trim_matches([' ', '"', ']']))
}
