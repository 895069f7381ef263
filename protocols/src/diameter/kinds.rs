//! Commands and attribute-value pairs that are known by name.

use crate::numbered::numbered;

numbered! {
    /// Command code: a request and its answer have the same (RFC 6733 3.1; TS 29.230 7.1).
    Command(u32) else "command" {
        257 CapabilitiesExchange "Capabilities-Exchange"
        258 ReAuth "Re-Auth"
        265 Aa "AA"
        268 DiameterEap "Diameter-EAP"
        271 Accounting "Accounting"
        272 CreditControl "Credit-Control"
        274 AbortSession "Abort-Session"
        275 SessionTermination "Session-Termination"
        280 DeviceWatchdog "Device-Watchdog"
        282 DisconnectPeer "Disconnect-Peer"
        300 UserAuthorization "User-Authorization"
        301 ServerAssignment "Server-Assignment"
        302 LocationInfo "Location-Info"
        303 MultimediaAuth "Multimedia-Auth"
        304 RegistrationTermination "Registration-Termination"
        305 PushProfile "Push-Profile"
        306 UserData "User-Data"
        307 ProfileUpdate "Profile-Update"
        308 SubscribeNotifications "Subscribe-Notifications"
        309 PushNotification "Push-Notification"
        316 UpdateLocation "Update-Location"
        317 CancelLocation "Cancel-Location"
        318 AuthenticationInformation "Authentication-Information"
        319 InsertSubscriberData "Insert-Subscriber-Data"
        320 DeleteSubscriberData "Delete-Subscriber-Data"
        321 PurgeUe "Purge-UE"
        322 Reset "Reset"
        323 Notify "Notify"
        324 MeIdentityCheck "ME-Identity-Check"
    }
}

numbered! {
    /// Code of an attribute-value pair without a vendor (RFC 6733 4.5).
    AvpCode(u32) else "AVP" {
        1 UserName "User-Name"
        257 HostIpAddress "Host-IP-Address"
        258 AuthApplicationId "Auth-Application-Id"
        259 AcctApplicationId "Acct-Application-Id"
        260 VendorSpecificApplicationId "Vendor-Specific-Application-Id"
        263 SessionId "Session-Id"
        264 OriginHost "Origin-Host"
        268 ResultCode "Result-Code"
        277 AuthSessionState "Auth-Session-State"
        278 OriginStateId "Origin-State-Id"
        279 FailedAvp "Failed-AVP"
        282 RouteRecord "Route-Record"
        283 DestinationRealm "Destination-Realm"
        284 ProxyInfo "Proxy-Info"
        293 DestinationHost "Destination-Host"
        296 OriginRealm "Origin-Realm"
        297 ExperimentalResult "Experimental-Result"
        298 ExperimentalResultCode "Experimental-Result-Code"
        456 MultipleServicesCreditControl "Multiple-Services-Credit-Control"
    }
}

impl AvpCode {
    /// Whether the value is attribute-value pairs itself.
    pub fn is_group(self) -> bool {
        matches!(
            self,
            Self::VendorSpecificApplicationId
                | Self::FailedAvp
                | Self::ProxyInfo
                | Self::ExperimentalResult
                | Self::MultipleServicesCreditControl
        )
    }
}
