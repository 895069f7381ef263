//! What an answer has only a part of is made whole: a search with more matches, NF instances without their profiles
//! (TS 29.510 6.2.3.4, 6.2.6.2.2).

use http::{Method, StatusCode};
use tokio::task::JoinSet;

use super::canonical::encode;
use super::factors::{Key, nrf_root};
use super::parameter;
use crate::api_root::ApiRoot;
use crate::nrf::{Ask, NfInstanceInfo, NrfSet, SearchResult};

/// NF instances that are asked for one by one.
const MOST: usize = 64;

/// What came beside an answer.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Octets of it.
    pub(super) octets: usize,
    /// Whether anything was to come: the answer's validator says nothing of that.
    pub(super) any: bool,
    /// Whether some of it did not.
    pub(super) missing: bool,
}

/// Gets all that there is, unless the client wants less.
pub(super) async fn complete(answer: &mut SearchResult, key: &Key, nrf: &ApiRoot, set: &NrfSet) -> Parts {
    let mut parts = Parts::default();
    let limited = key.query.split('&').any(|pair| pair.starts_with("limit="));
    if let Some(path) = answer.more().filter(|_| !limited).map(more) {
        parts.any = true;
        match search(&set.at(nrf.clone()), path).await {
            Some((all, size)) => {
                (answer.nf_instances, answer.nf_instance_list) = (all.nf_instances, all.nf_instance_list);
                parts.octets += size;
            }
            None => parts.missing = true,
        }
    }
    let listed = std::mem::take(&mut answer.nf_instance_list).into_iter();
    let mut new = listed.filter(|(instance, _)| {
        !answer.nf_instances.iter().any(|it| it.nf_instance_id.eq_ignore_ascii_case(instance))
    });
    let mut asked = JoinSet::new();
    for (instance, info) in new.by_ref().take(MOST) {
        asked.spawn(one(instance, info, key.clone(), nrf.clone(), set.clone()));
    }
    let left = new.count();
    if left > 0 {
        tracing::warn!(%nrf, left, most = MOST, "the NRF names more NF instances than are asked for one by one");
    }
    while let Some(done) = asked.join_next().await {
        parts.any = true;
        let Ok(Some((one, size))) = done else {
            parts.missing = true;
            continue;
        };
        answer.nf_instances.extend(one.nf_instances);
        // None of it holds for longer than the shortest-lived of its parts.
        answer.validity_period = answer.validity_period.into_iter().chain(one.validity_period).min();
        parts.octets += size;
    }
    parts
}

fn more(search: &str) -> String {
    let mut path = "/nnrf-disc/v1/searches/".to_owned();
    encode(search, false, &mut path);
    path.push_str("/complete");
    path
}

/// An NF instance that was only named.
async fn one(
    instance: String,
    info: NfInstanceInfo,
    key: Key,
    nrf: ApiRoot,
    set: NrfSet,
) -> Option<(SearchResult, usize)> {
    let at = info.nrf_disc_api_uri.as_deref().map_or(Ok(nrf), nrf_root).ok()?;
    // Whoever says that it can do with names alone gets no profiles.
    let left_out =
        |pair: &str| [parameter::INSTANCE, FEATURES, "limit"].contains(&pair.split('=').next().unwrap_or(pair));
    let mut path = "/nnrf-disc/v1/nf-instances?".to_owned();
    for pair in key.query.split('&').filter(|pair| !left_out(pair)) {
        path.push_str(pair);
        path.push('&');
    }
    path.push_str(parameter::INSTANCE);
    path.push('=');
    encode(&instance, false, &mut path);
    let (mut found, octets) = search(&set.at(at), path).await?;
    found.nf_instances.retain(|it| it.nf_instance_id.eq_ignore_ascii_case(&instance));
    for profile in &mut found.nf_instances {
        info.nrf_altered_priorities.iter().for_each(|(pointer, priority)| profile.alter(pointer, *priority));
    }
    Some((found, octets))
}

/// What the client can do of discovery itself (TS 29.510 6.2.9).
const FEATURES: &str = "requester-features";

async fn search(set: &NrfSet, path: String) -> Option<(SearchResult, usize)> {
    let (_, reply) = set.ask(&Ask::new(Method::GET, path)).await.ok()?;
    let content = reply.body();
    let found = serde_json::from_slice(content).ok().filter(|_| reply.status() == StatusCode::OK)?;
    Some((found, content.len()))
}
