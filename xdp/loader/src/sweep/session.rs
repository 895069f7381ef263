use pinion_steering::{Flow, FlowKey, Parts};

use crate::{LoadError, Maps};

/// The pins of one session, as they are right now.
pub(super) struct Session {
    /// Forward pins first: where they are gone, nothing comes under the others.
    pins: Vec<(FlowKey, Flow)>,
    /// A UDP or TCP flow's forward and reply's pin.
    pair: Option<[(FlowKey, Flow); 2]>,
}

impl Session {
    /// Reads the session that a pin belongs to; `None` where the pin is gone.
    pub(super) fn read(maps: &dyn Maps, key: &FlowKey) -> Result<Option<Self>, LoadError> {
        let Some(flow) = maps.read_flow(key)? else {
            return Ok(None);
        };
        let pins = match key.parts() {
            Parts::Tunnel { .. } => vec![(*key, flow)],
            Parts::Tuple { near, far, protocol } => {
                let target = maps.read_target(flow.target)?;
                let end = (target.address, target.port);
                let (other, reply) = if flow.reply == 0 {
                    (FlowKey::tuple(far.0, far.1, end.0, end.1, protocol), 1)
                } else {
                    (FlowKey::tuple(end.0, end.1, near.0, near.1, protocol), 0)
                };
                let other = found(maps, other)?.filter(|(_, flow)| flow.reply == reply);
                let mut pins: Vec<_> = [Some((*key, flow)), other].into_iter().flatten().collect();
                pins.sort_by_key(|(_, flow)| flow.reply);
                let pair = <[_; 2]>::try_from(pins.clone()).ok();
                return Ok(Some(Self { pins, pair }));
            }
            Parts::Association { far, .. } if flow.reply == 0 => {
                let port = maps.read_target(flow.target)?.port;
                let reply = found(maps, FlowKey::association(flow.tag, far, port))?;
                association(maps, Some((*key, flow)), reply, far)?
            }
            Parts::Association { near, .. } => {
                let port = maps.read_target(flow.target)?.port;
                let forward = found(maps, FlowKey::association(flow.tag, port, near))?;
                association(maps, forward, Some((*key, flow)), near)?
            }
            Parts::Peer { port, .. } => {
                let endpoint = maps.read_target(flow.target)?.port;
                match found(maps, FlowKey::association(flow.tag, port, endpoint))? {
                    Some((reply, back)) if back.reply != 0 && back.peer == flow.peer => {
                        let own = maps.read_target(back.target)?.port;
                        let forward = found(maps, FlowKey::association(back.tag, own, port))?;
                        association(maps, forward, Some((reply, back)), port)?
                    }
                    // What it named is gone.
                    _ => vec![(*key, flow)],
                }
            }
        };
        Ok(Some(Self { pins, pair: None }))
    }

    pub(super) fn pins(&self) -> impl Iterator<Item = &(FlowKey, Flow)> {
        self.pins.iter()
    }

    /// A packet that came between the two deletions of a flow made its forward pin anew, and found the reply's pin,
    /// which is gone by now: it is put back.
    pub(super) fn heal(&self, maps: &mut dyn Maps) -> Result<(), LoadError> {
        let Some([(forward, before), (reply, back)]) = &self.pair else {
            return Ok(());
        };
        let again = maps.read_flow(forward)?;
        if again.is_some_and(|again| again.target == before.target) && maps.read_flow(reply)?.is_none() {
            maps.put_flow(reply, back)?;
        }
        Ok(())
    }
}

/// The pins of an association: by both tags, and its client's where that one names it.
fn association(
    maps: &dyn Maps,
    forward: Option<(FlowKey, Flow)>,
    reply: Option<(FlowKey, Flow)>,
    client: u16,
) -> Result<Vec<(FlowKey, Flow)>, LoadError> {
    // A tag may be another association's by now.
    let forward = forward.filter(|(_, flow)| flow.reply == 0);
    let reply = reply.filter(|(_, flow)| flow.reply != 0);
    let named = forward.or(reply);
    let peer = match named {
        Some((_, flow)) => found(maps, FlowKey::peer(flow.service, client, flow.peer))?,
        None => None,
    };
    let tag = match (&reply, &forward) {
        (Some((key, _)), _) => tag(key),
        (None, Some((_, flow))) => Some(flow.tag),
        (None, None) => None,
    };
    let peer = peer.filter(|(_, flow)| Some(flow.tag) == tag);
    Ok([forward, reply, peer].into_iter().flatten().collect())
}

fn tag(key: &FlowKey) -> Option<u32> {
    match key.parts() {
        Parts::Association { tag, .. } => Some(tag),
        Parts::Tuple { .. } | Parts::Peer { .. } | Parts::Tunnel { .. } => None,
    }
}

fn found(maps: &dyn Maps, key: FlowKey) -> Result<Option<(FlowKey, Flow)>, LoadError> {
    Ok(maps.read_flow(&key)?.map(|flow| (key, flow)))
}
