//! Types of messages (TS 29.274 6.1) and of information elements (TS 29.274 8.1).

use crate::numbered::numbered;

numbered! {
    /// Type of a message (TS 29.274 table 6.1-1).
    MessageType(u8) else "message type" {
        1 EchoRequest "Echo Request"
        2 EchoResponse "Echo Response"
        3 VersionNotSupportedIndication "Version Not Supported Indication"
        4 DirectTransferRequest "Direct Transfer Request"
        5 DirectTransferResponse "Direct Transfer Response"
        6 NotificationRequest "Notification Request"
        7 NotificationResponse "Notification Response"
        17 RimInformationTransfer "RIM Information Transfer"
        25 SrvccPsToCsRequest "SRVCC PS to CS Request"
        26 SrvccPsToCsResponse "SRVCC PS to CS Response"
        27 SrvccPsToCsCompleteNotification "SRVCC PS to CS Complete Notification"
        28 SrvccPsToCsCompleteAcknowledge "SRVCC PS to CS Complete Acknowledge"
        29 SrvccPsToCsCancelNotification "SRVCC PS to CS Cancel Notification"
        30 SrvccPsToCsCancelAcknowledge "SRVCC PS to CS Cancel Acknowledge"
        31 SrvccCsToPsRequest "SRVCC CS to PS Request"
        32 CreateSessionRequest "Create Session Request"
        33 CreateSessionResponse "Create Session Response"
        34 ModifyBearerRequest "Modify Bearer Request"
        35 ModifyBearerResponse "Modify Bearer Response"
        36 DeleteSessionRequest "Delete Session Request"
        37 DeleteSessionResponse "Delete Session Response"
        38 ChangeNotificationRequest "Change Notification Request"
        39 ChangeNotificationResponse "Change Notification Response"
        40 RemoteUeReportNotification "Remote UE Report Notification"
        41 RemoteUeReportAcknowledge "Remote UE Report Acknowledge"
        64 ModifyBearerCommand "Modify Bearer Command"
        65 ModifyBearerFailureIndication "Modify Bearer Failure Indication"
        66 DeleteBearerCommand "Delete Bearer Command"
        67 DeleteBearerFailureIndication "Delete Bearer Failure Indication"
        68 BearerResourceCommand "Bearer Resource Command"
        69 BearerResourceFailureIndication "Bearer Resource Failure Indication"
        70 DownlinkDataNotificationFailureIndication "Downlink Data Notification Failure Indication"
        71 TraceSessionActivation "Trace Session Activation"
        72 TraceSessionDeactivation "Trace Session Deactivation"
        73 StopPagingIndication "Stop Paging Indication"
        95 CreateBearerRequest "Create Bearer Request"
        96 CreateBearerResponse "Create Bearer Response"
        97 UpdateBearerRequest "Update Bearer Request"
        98 UpdateBearerResponse "Update Bearer Response"
        99 DeleteBearerRequest "Delete Bearer Request"
        100 DeleteBearerResponse "Delete Bearer Response"
        101 DeletePdnConnectionSetRequest "Delete PDN Connection Set Request"
        102 DeletePdnConnectionSetResponse "Delete PDN Connection Set Response"
        103 PgwDownlinkTriggeringNotification "PGW Downlink Triggering Notification"
        104 PgwDownlinkTriggeringAcknowledge "PGW Downlink Triggering Acknowledge"
        128 IdentificationRequest "Identification Request"
        129 IdentificationResponse "Identification Response"
        130 ContextRequest "Context Request"
        131 ContextResponse "Context Response"
        132 ContextAcknowledge "Context Acknowledge"
        133 ForwardRelocationRequest "Forward Relocation Request"
        134 ForwardRelocationResponse "Forward Relocation Response"
        135 ForwardRelocationCompleteNotification "Forward Relocation Complete Notification"
        136 ForwardRelocationCompleteAcknowledge "Forward Relocation Complete Acknowledge"
        137 ForwardAccessContextNotification "Forward Access Context Notification"
        138 ForwardAccessContextAcknowledge "Forward Access Context Acknowledge"
        139 RelocationCancelRequest "Relocation Cancel Request"
        140 RelocationCancelResponse "Relocation Cancel Response"
        141 ConfigurationTransferTunnel "Configuration Transfer Tunnel"
        149 DetachNotification "Detach Notification"
        150 DetachAcknowledge "Detach Acknowledge"
        151 CsPagingIndication "CS Paging Indication"
        152 RanInformationRelay "RAN Information Relay"
        153 AlertMmeNotification "Alert MME Notification"
        154 AlertMmeAcknowledge "Alert MME Acknowledge"
        155 UeActivityNotification "UE Activity Notification"
        156 UeActivityAcknowledge "UE Activity Acknowledge"
        157 IsrStatusIndication "ISR Status Indication"
        158 UeRegistrationQueryRequest "UE Registration Query Request"
        159 UeRegistrationQueryResponse "UE Registration Query Response"
        160 CreateForwardingTunnelRequest "Create Forwarding Tunnel Request"
        161 CreateForwardingTunnelResponse "Create Forwarding Tunnel Response"
        162 SuspendNotification "Suspend Notification"
        163 SuspendAcknowledge "Suspend Acknowledge"
        164 ResumeNotification "Resume Notification"
        165 ResumeAcknowledge "Resume Acknowledge"
        166 CreateIndirectDataForwardingTunnelRequest "Create Indirect Data Forwarding Tunnel Request"
        167 CreateIndirectDataForwardingTunnelResponse "Create Indirect Data Forwarding Tunnel Response"
        168 DeleteIndirectDataForwardingTunnelRequest "Delete Indirect Data Forwarding Tunnel Request"
        169 DeleteIndirectDataForwardingTunnelResponse "Delete Indirect Data Forwarding Tunnel Response"
        170 ReleaseAccessBearersRequest "Release Access Bearers Request"
        171 ReleaseAccessBearersResponse "Release Access Bearers Response"
        176 DownlinkDataNotification "Downlink Data Notification"
        177 DownlinkDataNotificationAcknowledge "Downlink Data Notification Acknowledge"
        179 PgwRestartNotification "PGW Restart Notification"
        180 PgwRestartNotificationAcknowledge "PGW Restart Notification Acknowledge"
        200 UpdatePdnConnectionSetRequest "Update PDN Connection Set Request"
        201 UpdatePdnConnectionSetResponse "Update PDN Connection Set Response"
        211 ModifyAccessBearersRequest "Modify Access Bearers Request"
        212 ModifyAccessBearersResponse "Modify Access Bearers Response"
        231 MbmsSessionStartRequest "MBMS Session Start Request"
        232 MbmsSessionStartResponse "MBMS Session Start Response"
        233 MbmsSessionUpdateRequest "MBMS Session Update Request"
        234 MbmsSessionUpdateResponse "MBMS Session Update Response"
        235 MbmsSessionStopRequest "MBMS Session Stop Request"
        236 MbmsSessionStopResponse "MBMS Session Stop Response"
        240 SrvccCsToPsResponse "SRVCC CS to PS Response"
        241 SrvccCsToPsCompleteNotification "SRVCC CS to PS Complete Notification"
        242 SrvccCsToPsCompleteAcknowledge "SRVCC CS to PS Complete Acknowledge"
        243 SrvccCsToPsCancelNotification "SRVCC CS to PS Cancel Notification"
        244 SrvccCsToPsCancelAcknowledge "SRVCC CS to PS Cancel Acknowledge"
    }
}

impl MessageType {
    /// The type of the answer to a message; none where there is none, or where the type is not known (TS 29.274 7.6).
    pub fn response(self) -> Option<Self> {
        match self {
            Self::SrvccCsToPsRequest => Some(Self::SrvccCsToPsResponse),
            Self::Other(_) => None,
            _ => match u8::from(self) {
                number @ (1 | 4 | 6 | 25 | 27 | 29 | 32 | 34 | 36 | 38 | 40 | 64 | 66 | 68 | 95 | 97 | 99
                | 101 | 103 | 128 | 130 | 133 | 135 | 137 | 139 | 149 | 153 | 155 | 158 | 160 | 162
                | 164 | 166 | 168 | 170 | 176 | 179 | 200 | 211 | 231 | 233 | 235 | 241 | 243) => {
                    Some(Self::from(number.saturating_add(1)))
                }
                _ => None,
            },
        }
    }

    /// Whether the message answers another one.
    pub fn is_answer(self) -> bool {
        let before = u8::from(self).checked_sub(1).map(Self::from);
        matches!(self, Self::VersionNotSupportedIndication | Self::SrvccCsToPsResponse | Self::ContextAcknowledge)
            || before.and_then(Self::response) == Some(self)
    }
}

numbered! {
    /// Type of an information element (TS 29.274 table 8.1-1).
    ElementType(u8) else "type" {
        1 Imsi "IMSI"
        2 Cause "Cause"
        3 Recovery "Recovery"
        71 Apn "APN"
        72 Ambr "AMBR"
        73 EpsBearerId "EPS Bearer ID"
        74 IpAddress "IP Address"
        75 Mei "MEI"
        76 Msisdn "MSISDN"
        77 Indication "Indication"
        78 Pco "PCO"
        79 PdnAddress "PDN Address Allocation"
        80 BearerQos "Bearer QoS"
        82 RatType "RAT Type"
        83 ServingNetwork "Serving Network"
        86 UserLocation "User Location Information"
        87 FTeid "F-TEID"
        93 BearerContext "Bearer Context"
        94 ChargingId "Charging ID"
        95 ChargingCharacteristics "Charging Characteristics"
        99 PdnType "PDN Type"
        100 Pti "PTI"
        109 PdnConnection "PDN Connection"
        114 UeTimeZone "UE Time Zone"
        127 ApnRestriction "APN Restriction"
        128 SelectionMode "Selection Mode"
        132 FqCsid "FQ-CSID"
        136 Fqdn "FQDN"
        170 UliTimestamp "ULI Timestamp"
        180 OverloadControl "Overload Control Information"
        181 LoadControl "Load Control Information"
        182 Metric "Metric"
        183 SequenceNumber "Sequence Number"
        191 RemoteUeContext "Remote UE Context"
        195 ScefPdnConnection "SCEF PDN Connection"
        255 PrivateExtension "Private Extension"
    }
}

impl ElementType {
    /// Whether the value is elements itself.
    pub fn is_group(self) -> bool {
        matches!(
            self,
            Self::BearerContext
                | Self::PdnConnection
                | Self::OverloadControl
                | Self::LoadControl
                | Self::RemoteUeContext
                | Self::ScefPdnConnection
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What TS 29.274 table 6.1-1 calls them says which answers which.
    #[test]
    fn what_asks_has_an_answer() {
        let mut asks = 0;
        for kind in (0..=u8::MAX).map(MessageType::from) {
            let text = std::format!("{kind}");
            if let Some(answer) = kind.response() {
                let answer_text = std::format!("{answer}");
                let stem = |text: &str| {
                    let ends = [
                        " Request",
                        " Response",
                        " Command",
                        " Failure Indication",
                        " Acknowledge",
                        " Notification",
                    ];
                    let mut stem = std::string::String::from(text);
                    for end in ends {
                        stem = stem.replace(end, "");
                    }
                    stem
                };
                assert_eq!(stem(&text), stem(&answer_text));
                assert!(answer.is_answer() && !kind.is_answer(), "{text}");
                asks += 1;
            } else if text.ends_with("Request") || text.ends_with("Command") {
                panic!("{text} has no answer");
            }
            let answers = [" Response", " Failure Indication", " Acknowledge", "Version Not Supported Indication"];
            let one_way = kind == MessageType::DownlinkDataNotificationFailureIndication;
            assert_eq!(kind.is_answer(), !one_way && answers.iter().any(|end| text.ends_with(end)), "{text}");
        }
        assert_eq!(asks, 45);
    }
}
