//! Clients that are told to ask another SCP: by policy, while this one is hot, or while it ends (TS 29.500 6.10.9.1, 6.4.2.4).

use http::uri::PathAndQuery;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::api_root::ApiRoot;
use crate::call::{Call, Reply};
use crate::cause::Cause;
use crate::failure::{Failure, Redirected};
use crate::names;
use crate::next_hop::{plmn, within};
use crate::nrf::PlmnId;
use crate::path::EVERYTHING;
use crate::problem::own;
use crate::settings::{Plmn, Redirection, Targets, When};
use crate::target::requested;

/// Sends a client to another SCP where it is to be asked for what this request is for; `path` is the path below API roots.
///
/// # Errors
/// [`Failure::Redirected`].
pub(crate) fn check(call: &Call, path: &PathAndQuery) -> Result<(), Failure> {
    let (arrival, origin) = (call.context.arrival, &call.context.origin);
    let settings = &origin.prepared.settings;
    let now = |when: When| match when {
        When::Always => true,
        When::Hot => origin.parts.gate.percent(&settings.limits) > usize::from(settings.overload.hot),
        When::Draining => arrival.draining,
    };
    let found = settings.redirections.iter().find(|it| now(it.when) && covers(&it.targets, call, path));
    let Some(Redirection { api_root, permanent, .. }) = found else { return Ok(()) };
    let redirected = Redirected { scp: api_root.clone(), permanent: *permanent, path: path.clone() };
    Err(Failure::Redirected(Box::new(redirected)))
}

/// The answer: where its client is to ask, and which SCP that is. Clients that know SCPs go by the latter.
pub(crate) fn reply(redirected: &Redirected, server: &HeaderValue) -> Reply {
    let Redirected { scp, permanent, path } = redirected;
    let scp = scp.to_string();
    let response = RedirectResponse { cause: Cause::ScpRedirection.name(), target_scp: &scp };
    let status = if *permanent { StatusCode::PERMANENT_REDIRECT } else { StatusCode::TEMPORARY_REDIRECT };
    let mut reply = own(status, "application/json", &response, server);
    reply.extensions_mut().insert(Cause::ScpRedirection);
    let path = if path.as_str() == EVERYTHING { "" } else { path.as_str() };
    let location = HeaderValue::try_from(format!("{scp}{path}")).ok();
    reply.headers_mut().extend(location.map(|it| (header::LOCATION, it)));
    reply
}

/// What it says, as TS 29.571 has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RedirectResponse<'a> {
    cause: &'a str,
    target_scp: &'a str,
}

/// Whether a request is for one of these.
fn covers(targets: &Targets, call: &Call, path: &PathAndQuery) -> bool {
    let host = call.context.target.as_ref().map(ApiRoot::host);
    match targets {
        Targets::All => true,
        Targets::Domain(domain) => host.is_some_and(|it| within(it, domain)),
        Targets::Services(services) => {
            // An API's name comes first (TS 29.501 4.4.1).
            let service = requested(call).or_else(|| path.path().split('/').nth(1));
            service.is_some_and(|it| services.iter().any(|name| name == it))
        }
        Targets::Plmns(plmns) => match host.and_then(plmn) {
            Some(plmn) => plmns.contains(&plmn),
            None => wanted(call).iter().any(|it| plmns.contains(it)),
        },
    }
}

/// The networks that discovery is to look in. What cannot be read says nothing here.
fn wanted(call: &Call) -> Vec<Plmn> {
    let list = PlmnId::named(call.headers(), &names::DISCOVERY_TARGET_PLMNS);
    let plmn = |PlmnId { mcc, mnc }| Plmn { mcc, mnc: format!("{mnc:0>3}") };
    list.unwrap_or_default().into_iter().map(plmn).collect()
}
