//! Message types.

/// Type of a message (TS 29.281 6.1); those of GTPv1-C and GTP' (TS 29.060 7.1) are `Other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// 1: is the peer there?
    EchoRequest,
    /// 2: the answer.
    EchoResponse,
    /// 26: a G-PDU came for a tunnel that there is not.
    ErrorIndication,
    /// 31: the extension headers that the sender knows.
    SupportedExtensionHeaders,
    /// 253: the state of a tunnel has changed.
    TunnelStatus,
    /// 254: nothing follows on this tunnel from this sender.
    EndMarker,
    /// 255: a T-PDU, that is a user's packet.
    GPdu,
    /// Any other.
    Other(u8),
}

impl MessageType {
    /// Whether TS 29.281 6.1 or TS 29.060 7.1 give the number a meaning: what comes to a GTP port
    /// with another is not GTP.
    pub fn is_assigned(self) -> bool {
        matches!(
            u8::from(self),
            1..=7 | 16..=37 | 48..=62 | 70 | 96..=105 | 112..=121 | 128 | 129 | 240 | 241 | 253..
        )
    }
}

impl From<u8> for MessageType {
    fn from(kind: u8) -> Self {
        match kind {
            1 => Self::EchoRequest,
            2 => Self::EchoResponse,
            26 => Self::ErrorIndication,
            31 => Self::SupportedExtensionHeaders,
            253 => Self::TunnelStatus,
            254 => Self::EndMarker,
            255 => Self::GPdu,
            other => Self::Other(other),
        }
    }
}

impl From<MessageType> for u8 {
    fn from(kind: MessageType) -> Self {
        match kind {
            MessageType::EchoRequest => 1,
            MessageType::EchoResponse => 2,
            MessageType::ErrorIndication => 26,
            MessageType::SupportedExtensionHeaders => 31,
            MessageType::TunnelStatus => 253,
            MessageType::EndMarker => 254,
            MessageType::GPdu => 255,
            MessageType::Other(other) => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back() {
        for kind in 0..=u8::MAX {
            assert_eq!(u8::from(MessageType::from(kind)), kind);
        }
    }
}
