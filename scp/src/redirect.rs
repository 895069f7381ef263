//! Where 307 and 308 of a producer lead, or of an SCP or SEPP on the way, where that is followed for the client
//! (TS 29.500 6.10.9.1).

use std::borrow::Cow;
use std::sync::Arc;

use http::uri::PathAndQuery;
use http::{StatusCode, Uri, header};
use pinion_protocols::sbi::{TargetNfId, Value as _, decode};
use serde::Deserialize;
use tokio::time::timeout_at;

use crate::api_root::ApiRoot;
use crate::body::collect;
use crate::call::{Call, Reply};
use crate::cause::Cause;
use crate::kept::Content;
use crate::names;
use crate::producer::{Hop, Producer, Target};
use crate::settings::{Redirects, Settings};
use crate::target::known;

/// Where a request is to be sent instead.
pub(crate) struct Elsewhere {
    /// Whom to ask, and who that is where 3gpp-Sbi-Target-Nf-Id says so.
    pub(crate) target: Target,
    /// For what; none: for the same, by another way.
    pub(crate) path: Option<PathAndQuery>,
}

/// The SCP or SEPP that is to be asked instead of the one that said so; beside an answer.
#[derive(Clone, Debug)]
struct Instead(ApiRoot);

/// What an SCP or SEPP says that sends to another of its kind, as TS 29.571 has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RedirectResponse {
    cause: String,
    target_scp: Option<String>,
    target_sepp: Option<String>,
}

/// Octets of a redirection's content that are looked at.
const MOST: usize = 16_384;
/// Octets of it that are kept to be relayed, if it is nothing to follow.
const KEPT: usize = 4 * MOST;

/// Whether an answer of such a status is one that leads elsewhere, where that is followed.
pub(crate) fn leads_on(status: StatusCode, settings: &Settings) -> bool {
    matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT)
        && settings.redirects != Redirects::Relay
}

/// Looks into the answer of an SCP or SEPP for whether it sends to another of its kind: only its content says so.
pub(crate) async fn read(call: &mut Call) {
    let Call { answer: Ok(reply), target: Some(target), context, .. } = call else { return };
    let settings = &context.origin.prepared.settings;
    if !leads_on(reply.status(), settings) || target.hop == Hop::Producer {
        return;
    }
    let mut content = Content::from(std::mem::take(reply.body_mut()));
    content.keep(KEPT);
    let looked = timeout_at(context.deadline.at, collect(content.read().unwrap_or_default(), MOST)).await;
    *reply.body_mut() = content.read().unwrap_or_default();
    if let Ok(Ok(looked)) = looked
        && let Some(next) = instead(&looked, target.hop)
        && !ours(&next, settings)
    {
        reply.extensions_mut().insert(Instead(next));
    }
}

fn instead(content: &[u8], hop: Hop) -> Option<ApiRoot> {
    let RedirectResponse { cause, target_scp, target_sepp } = serde_json::from_slice(content).ok()?;
    let (wanted, next) = match hop {
        Hop::Producer => return None,
        Hop::Scp => (Cause::ScpRedirection.name(), target_scp),
        Hop::Sepp => ("SEPP_REDIRECTION", target_sepp),
    };
    ApiRoot::parse(&next.filter(|_| cause == wanted)?).ok()
}

/// Whether this SCP is there: who comes back to it is its client.
fn ours(root: &ApiRoot, settings: &Settings) -> bool {
    known(&settings.identity, root.transport, &root.authority)
}

/// Where an answer leads; none where the client is to have the answer itself: by configuration, because another SCP or another
/// network sends it to another producer, or because it leads nowhere.
pub(crate) fn elsewhere(reply: &Reply, answered: &Target, settings: &Settings) -> Option<Elsewhere> {
    if !leads_on(reply.status(), settings) {
        return None;
    }
    if answered.hop != Hop::Producer {
        // What Location says is then of no account.
        let Instead(next) = reply.extensions().get()?;
        let target = Target { api_root: next.clone(), ..answered.clone() };
        return Some(Elsewhere { target, path: None });
    }
    let headers = reply.headers();
    let location = Uri::try_from(headers.get(header::LOCATION)?.as_bytes()).ok()?;
    let path = location.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    let root = ApiRoot::of(&location).filter(|it| !ours(it, settings))?;
    let producer = headers.get(names::TARGET_NF_ID).and_then(|id| {
        let TargetNfId { nf_instance, service_instance } = TargetNfId::parse(id.as_bytes()).ok()?;
        let service_instance = service_instance.and_then(decode).map(Cow::into_owned);
        let nf_instance = nf_instance.to_owned();
        Some(Arc::new(Producer { nf_instance, service_instance, ..Producer::at(root.clone()) }))
    });
    let target = Target { chosen: true, led: true, producer, ..Target::given(root, Hop::Producer) };
    Some(Elsewhere { target, path: Some(path) })
}
