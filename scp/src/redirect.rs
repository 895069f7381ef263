//! Where 307 and 308 of a producer lead, where that is followed for the client (TS 29.500 6.10.9.1).

use http::uri::PathAndQuery;
use http::{HeaderValue, StatusCode, Uri, header};
use pinion_protocols::sbi::{ProducerId, TargetNfId, Value as _};

use crate::api_root::ApiRoot;
use crate::call::Reply;
use crate::names;
use crate::producer::{Hop, Target};
use crate::settings::{Redirects, Settings};

/// Where a request is to be sent instead.
pub(crate) struct Elsewhere {
    /// Whom to ask.
    pub(crate) target: Target,
    /// For what.
    pub(crate) path: PathAndQuery,
    /// Who that is, as 3gpp-Sbi-Producer-Id has it, where 3gpp-Sbi-Target-Nf-Id says so.
    pub(crate) identity: Option<HeaderValue>,
}

/// Whether an answer of such a status is one that leads elsewhere, where that is followed.
pub(crate) fn leads_on(status: StatusCode, settings: &Settings) -> bool {
    matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT)
        && settings.redirects != Redirects::Relay
}

/// Where a producer's answer leads; none where the client is to have the answer itself: by configuration, because another
/// SCP or another network said it, or because it leads nowhere.
pub(crate) fn elsewhere(reply: &Reply, answered: &Target, settings: &Settings) -> Option<Elsewhere> {
    if !leads_on(reply.status(), settings) || answered.hop != Hop::Producer {
        return None;
    }
    let headers = reply.headers();
    let location = Uri::try_from(headers.get(header::LOCATION)?.as_bytes()).ok()?;
    let path = location.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    let identity = headers.get(names::TARGET_NF_ID).and_then(|id| {
        let TargetNfId { nf_instance, service_instance } = TargetNfId::parse(id.as_bytes()).ok()?;
        let id = ProducerId { nf_instance, service_instance, nf_set: None, service_set: None };
        HeaderValue::try_from(id.to_string()).ok()
    });
    let target = Target { chosen: true, ..Target::given(ApiRoot::of(&location)?, Hop::Producer) };
    Some(Elsewhere { target, path, identity })
}
