use std::collections::HashSet;
use std::sync::Arc;

use pinion_loader::{Cursor, LoadError, Paged, sessions};
use pinion_steering::{Flow, FlowKey, FlowKind};

use super::packet_path::PacketPath;
use super::state::Daemon;
use crate::sessions::{FlowPages as _, Names};

/// How many flows are looked at while nobody else is at the tables.
const STRIDE: usize = 512;

/// Which sessions of an endpoint end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Those that another endpoint can take over, or refuse, with their next packet. An association stays: its
    /// client learns by itself that its server is gone, and its next INIT goes elsewhere.
    Movable,
    /// All.
    All,
}

impl Daemon {
    /// Ends sessions of endpoints, given as `POOL/NAME`; how many entries of the packet path went.
    ///
    /// # Errors
    /// Where the kernel refuses; some sessions may have ended.
    pub(super) async fn end(&self, endpoints: &HashSet<String>, which: Which) -> Result<usize, LoadError> {
        let names = Arc::clone(&self.state().names);
        let (mut ended, mut from) = (0, Cursor::default());
        let endpoints = Arc::new(endpoints.clone());
        loop {
            let (names, endpoints) = (Arc::clone(&names), Arc::clone(&endpoints));
            let step = move |path: &mut PacketPath| step(path, &names, &endpoints, which, from);
            let (gone, next) = self.path.quick(step).await?;
            ended += gone;
            let Some(next) = next else { return Ok(ended) };
            from = next;
            tokio::task::yield_now().await;
        }
    }
}

/// Looks at one page of flows, and ends those that are meant; how many went, and where the next page begins.
fn step(
    path: &mut PacketPath,
    names: &Names,
    endpoints: &HashSet<String>,
    which: Which,
    from: Cursor,
) -> Result<(usize, Option<Cursor>), LoadError> {
    let Paged { entries: flows, next } = path.flow_page(from, STRIDE)?;
    let meant = |(key, flow): &(FlowKey, Flow)| {
        let movable = matches!(key.kind(), FlowKind::Tuple | FlowKind::Tunnel);
        let theirs = || names.place(endpoint_of(flow)).is_some_and(|place| endpoints.contains(&*place.endpoint));
        (movable || which == Which::All) && theirs()
    };
    let mut gone = 0;
    for (key, flow) in flows.iter().filter(|it| meant(it)) {
        gone += usize::from(sessions::forget(&mut path.kernel, key, flow)?);
    }
    Ok((gone, next))
}

/// The index in `TARGETS` of a flow's endpoint: a reply's pin leads to the service, and says where it comes from.
fn endpoint_of(flow: &Flow) -> u32 {
    if flow.reply == 0 { flow.target } else { flow.from }
}
