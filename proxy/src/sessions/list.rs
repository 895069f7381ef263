//! Pages of sessions, over `FLOWS`, `FLOWS6` and the session table together.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use pinion_loader::{Cursor as Place, LoadError, Maps, Paged};
use pinion_steering::{Flow, FlowKey, Parts, PinKey, State};

use super::cursor::{self, Cursor};
use super::key::{Key, SHARDS};
use super::names::Names;
use super::owner::Owner;
use super::record::Record;
use super::table::Table;
use crate::control::{
    ControlError, Origin, PageAsk, SessionFilter, SessionKey, SessionPage, SessionState, SessionView,
};

/// `FLOWS` and `FLOWS6`, in pages.
pub trait FlowPages: Send {
    /// The entries at a place, as [`Maps::flows_page`] reads them.
    ///
    /// # Errors
    /// [`LoadError::Map`] where the kernel refuses.
    fn flow_page(&self, from: Place, most: usize) -> Result<Paged<(FlowKey, Flow)>, LoadError>;
}

impl<M: Maps + Send> FlowPages for M {
    fn flow_page(&self, from: Place, most: usize) -> Result<Paged<(FlowKey, Flow)>, LoadError> {
        self.flows_page(from, most)
    }
}

/// The packet path's clock, see [`pinion_steering::Tables::now`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticks {
    /// The tick that it is at.
    pub now: u32,
    /// How long a tick is.
    pub length: Duration,
}

/// How many entries a page looks at, whether or not the filter lets them through: about 30 ms.
const MOST_LOOKED_AT: usize = 1 << 16;

/// How many entries are read while nobody else is at the tables.
const STRIDE: usize = 1024;

/// How many more than asked for the tables give at the most, but for rare buckets.
const BUCKET: usize = 16;

/// A page of sessions.
///
/// Each session is shown once: a flow by its key towards the service; an association by the key with the server's
/// tag, so from INIT ACK on; a tunnel by its pin. What is made or ended while the pages are read may or may not be
/// shown; all that stays is.
///
/// A page looks at a bounded number of entries: with a filter that few sessions pass it may hold fewer than asked
/// for, even none. Only `next: None` says that there are no more.
///
/// A filter by client shows UDP and TCP flows. Of an SCTP association the packet path keeps a digest of the client's
/// addresses, and a tunnel may be used by any sender (TS 29.281 4.3.0): neither passes it.
///
/// # Errors
/// [`ControlError::Cursor`], [`ControlError::NoService`], [`ControlError::NoEndpoint`], [`ControlError::Maps`].
pub async fn list<M: FlowPages + 'static>(
    maps: &Owner<M>,
    table: &Table,
    names: &Names,
    filter: &SessionFilter,
    ask: &PageAsk,
    ticks: Ticks,
) -> Result<SessionPage, ControlError> {
    let sieve = Sieve::new(names, filter)?;
    let begin = match &ask.cursor {
        None => Cursor::first(),
        Some(text) => text.parse().map_err(|_| ControlError::Cursor(text.clone()))?,
    };
    let limit = ask.limit.clamp(1, 10_000) as usize;
    let mut sessions = Vec::new();
    let mut looked_at = 0;
    let mut next = Some(begin);
    while let Some(at) = next.take() {
        let room = limit.saturating_sub(sessions.len());
        // Buckets are read whole: with little room left, the next ones are left to the next page.
        if room == 0 || looked_at >= MOST_LOOKED_AT || (room < BUCKET && !sessions.is_empty()) {
            next = Some(at);
            break;
        }
        next = match at {
            Cursor::Flows { from, shown } => {
                let most = STRIDE.min(room);
                let page = maps.quick(move |maps| maps.flow_page(from, most)).await;
                let page = page.map_err(|error| ControlError::Maps(error.to_string()))?;
                looked_at += page.entries.len().max(1);
                let new = page.entries.iter().filter(|(key, _)| !shown.contains(&cursor::name(key)));
                let mut new = new.filter_map(|(key, flow)| Some((key, sieve.flow(key, flow, ticks)?)));
                let mut names = Vec::new();
                for (key, session) in new.by_ref().take(room) {
                    names.push(cursor::name(key));
                    sessions.push(session);
                }
                if new.next().is_some() {
                    Some(Cursor::Flows { from, shown: shown.iter().copied().chain(names).collect() })
                } else {
                    Some(page.next.map_or(Cursor::FIRST_PIN, Cursor::flows))
                }
            }
            Cursor::Pins { .. } if sieve.flows_alone => None,
            Cursor::Pins { shard, after } => {
                let (mut last, mut seen) = (None, 0);
                table
                    .look(shard, after, |key, record| {
                        sessions.extend(sieve.pin(key, record));
                        last = Some(key);
                        seen += 1;
                        seen < STRIDE && sessions.len() < limit
                    })
                    .await;
                looked_at += seen;
                match last {
                    Some(last) => Some(Cursor::Pins { shard, after: Some(last) }),
                    None if shard + 1 < SHARDS => Some(Cursor::Pins { shard: shard + 1, after: None }),
                    None => None,
                }
            }
        };
        tokio::task::yield_now().await;
    }
    Ok(SessionPage { sessions, next: next.map(|next| next.to_string()) })
}

/// A filter, with its names looked up.
struct Sieve<'a> {
    names: &'a Names,
    service: Option<&'a str>,
    endpoints: Option<HashSet<Arc<str>>>,
    client: Option<IpAddr>,
    state: Option<SessionState>,
    /// No pin can pass it.
    flows_alone: bool,
}

impl<'a> Sieve<'a> {
    fn new(names: &'a Names, filter: &'a SessionFilter) -> Result<Self, ControlError> {
        let service = filter.service.as_deref();
        if let Some(service) = service
            && !names.has_service(service)
        {
            return Err(ControlError::NoService(service.to_owned()));
        }
        let endpoints = filter.endpoint.as_deref().map(|name| names.endpoints(name));
        if let (Some(name), Some(endpoints)) = (&filter.endpoint, &endpoints)
            && endpoints.is_empty()
        {
            return Err(ControlError::NoEndpoint(name.clone()));
        }
        let flows_alone =
            filter.client.is_some() || filter.state.is_some_and(|state| state != SessionState::Established);
        Ok(Self { names, service, endpoints, client: filter.client, state: filter.state, flows_alone })
    }

    fn flow(&self, key: &FlowKey, flow: &Flow, ticks: Ticks) -> Option<SessionView> {
        if flow.reply != 0 {
            return None;
        }
        let state = state(flow.state);
        if self.state.is_some_and(|wanted| wanted != state) {
            return None;
        }
        let key = session_key(key, flow)?;
        if let Some(wanted) = self.client
            && !matches!(key, SessionKey::Flow { client, .. } if client.ip() == wanted)
        {
            return None;
        }
        let place = self.names.place(flow.target)?;
        self.passes(&place.service, &place.endpoint).then(|| SessionView {
            service: place.service.to_string(),
            endpoint: place.endpoint.to_string(),
            key,
            state,
            origin: Origin::Placed,
            idle: Some(idle(flow.seen, ticks)),
        })
    }

    fn pin(&self, key: Key, record: &Record) -> Option<SessionView> {
        let place = &record.place;
        self.passes(&place.service, &place.endpoint).then(|| {
            let PinKey { address, teid } = key.into();
            SessionView {
                service: place.service.to_string(),
                endpoint: place.endpoint.to_string(),
                key: SessionKey::Tunnel { address: Some(address.into()), teid, endpoint_teid: record.pin.teid },
                state: SessionState::Established,
                origin: record.origin.into(),
                idle: None,
            }
        })
    }

    fn passes(&self, service: &str, endpoint: &str) -> bool {
        self.service.is_none_or(|wanted| wanted == service)
            && self.endpoints.as_ref().is_none_or(|wanted| wanted.contains(endpoint))
    }
}

/// What a flow that goes towards a service is shown as; `None` for a client's entry, which is no session.
fn session_key(key: &FlowKey, flow: &Flow) -> Option<SessionKey> {
    match key.parts() {
        Parts::Tuple { near: (near, near_port), far: (far, far_port), .. } => Some(SessionKey::Flow {
            client: SocketAddr::new(far.into(), far_port),
            service: SocketAddr::new(near.into(), near_port),
        }),
        Parts::Association { tag, near, far } => {
            Some(SessionKey::Association { client_port: far, service_port: near, tag, client_tag: flow.tag })
        }
        Parts::Tunnel { teid, .. } => Some(SessionKey::Tunnel { address: None, teid, endpoint_teid: teid }),
        Parts::Peer { .. } => None,
    }
}

fn state(state: u8) -> SessionState {
    const ESTABLISHED: u8 = State::Established as u8;
    const CLOSING: u8 = State::Closing as u8;
    match state {
        ESTABLISHED => SessionState::Established,
        CLOSING => SessionState::Closing,
        state if state > CLOSING => SessionState::Closed,
        _ => SessionState::Opening,
    }
}

/// How long ago a tick was; one that is yet to come is now: clock and tables are not read at once.
fn idle(seen: u32, ticks: Ticks) -> Duration {
    let ago = ticks.now.wrapping_sub(seen);
    let ago = if ago > u32::MAX / 2 { 0 } else { ago };
    Duration::from_secs(ticks.length.saturating_mul(ago).as_secs())
}
