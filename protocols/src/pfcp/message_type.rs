//! Types of messages (TS 29.244 7.3).

use crate::numbered::numbered;

numbered! {
    /// Type of a message (TS 29.244 table 7.3-1).
    MessageType(u8) else "message type" {
        1 HeartbeatRequest "Heartbeat Request"
        2 HeartbeatResponse "Heartbeat Response"
        3 PfdManagementRequest "PFD Management Request"
        4 PfdManagementResponse "PFD Management Response"
        5 AssociationSetupRequest "Association Setup Request"
        6 AssociationSetupResponse "Association Setup Response"
        7 AssociationUpdateRequest "Association Update Request"
        8 AssociationUpdateResponse "Association Update Response"
        9 AssociationReleaseRequest "Association Release Request"
        10 AssociationReleaseResponse "Association Release Response"
        11 VersionNotSupportedResponse "Version Not Supported Response"
        12 NodeReportRequest "Node Report Request"
        13 NodeReportResponse "Node Report Response"
        14 SessionSetDeletionRequest "Session Set Deletion Request"
        15 SessionSetDeletionResponse "Session Set Deletion Response"
        16 SessionSetModificationRequest "Session Set Modification Request"
        17 SessionSetModificationResponse "Session Set Modification Response"
        50 SessionEstablishmentRequest "Session Establishment Request"
        51 SessionEstablishmentResponse "Session Establishment Response"
        52 SessionModificationRequest "Session Modification Request"
        53 SessionModificationResponse "Session Modification Response"
        54 SessionDeletionRequest "Session Deletion Request"
        55 SessionDeletionResponse "Session Deletion Response"
        56 SessionReportRequest "Session Report Request"
        57 SessionReportResponse "Session Report Response"
    }
}

impl MessageType {
    /// Whether the message asks for a response; none where its type is not known.
    pub fn is_request(self) -> Option<bool> {
        match self {
            Self::VersionNotSupportedResponse => Some(false),
            // Requests and responses take turns: node messages from 1 and, after the one without a request, from 12 on.
            Self::Other(_) => None,
            _ => match u8::from(self) {
                number @ 1..=10 => Some(number % 2 == 1),
                number => Some(number % 2 == 0),
            },
        }
    }

    /// The type of the response to a request; none where there is none.
    pub fn response(self) -> Option<Self> {
        let next = u8::from(self).checked_add(1)?;
        (self.is_request() == Some(true)).then(|| Self::from(next))
    }

    /// Whether the message is about a session, and its header has a SEID (TS 29.244 7.2.2.4.2).
    pub fn is_session(self) -> Option<bool> {
        match self {
            Self::Other(_) => None,
            _ => Some(u8::from(self) >= 50),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_responses() {
        for number in 0..=u8::MAX {
            let kind = MessageType::from(number);
            let text = std::format!("{kind}");
            assert_eq!(kind.is_request() == Some(true), text.ends_with("Request"), "{text}");
            if let Some(response) = kind.response() {
                assert_eq!(std::format!("{response}"), text.replace("Request", "Response"));
            }
        }
    }
}
