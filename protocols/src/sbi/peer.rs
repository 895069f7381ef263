//! 3gpp-Sbi-NF-Peer-Info (TS 29.500 5.2.3.2.19).

use alloc::vec::Vec;
use core::fmt;

use super::cursor::whole;
use super::listed::pairs;
use super::named::named;
use super::{Error, Header, Value};

named! {
    /// Whose identity it is.
    PeerKind {
        SourceInstance "srcinst"
        SourceServiceInstance "srcservinst"
        SourceScp "srcscp"
        SourceSepp "srcsepp"
        DestinationInstance "dstinst"
        DestinationServiceInstance "dstservinst"
        DestinationScp "dstscp"
        DestinationSepp "dstsepp"
    }
}

/// Who sent a message and who is to get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInfo<'a>(pub Vec<(PeerKind<'a>, &'a str)>);

impl<'a> PeerInfo<'a> {
    /// An identity.
    pub fn get(&self, kind: PeerKind<'_>) -> Option<&'a str> {
        self.0.iter().find(|(name, _)| *name == kind).map(|(_, value)| *value)
    }
}

impl<'a> Value<'a> for PeerInfo<'a> {
    const HEADER: Header = Header::NfPeerInfo;

    fn parse(value: &'a [u8]) -> Result<Self, Error> {
        whole(Self::HEADER, value, |cursor| {
            cursor.list(b';', |cursor| Ok((cursor.name()?.into(), cursor.token("identity of a peer")?)))
        })
        .map(Self)
    }
}

impl fmt::Display for PeerInfo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        pairs(f, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_and_destination() {
        let text = b"srcinst=54804518-4191-46b3-955c-ac631f953ed8;dstscp=SCP-scp1.example; new=1";
        let peers = PeerInfo::parse(text).unwrap();
        assert_eq!(peers.get(PeerKind::SourceInstance), Some("54804518-4191-46b3-955c-ac631f953ed8"));
        assert_eq!(peers.get(PeerKind::DestinationScp), Some("SCP-scp1.example"));
        assert_eq!(peers.0[2], (PeerKind::Other("new"), "1"));
        let header = Header::NfPeerInfo;
        let error = Error::Expected { header, what: "identity of a peer", offset: 8 };
        assert_eq!(PeerInfo::parse(b"srcinst=/"), Err(error));
    }
}
