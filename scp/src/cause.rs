//! Why an SCP answers for itself: the protocol and application errors of TS 29.500 table 5.2.7.4-1 and 6.10, each with its
//! status.

use http::StatusCode;

macro_rules! causes {
    ($($(#[$doc:meta])* $variant:ident $name:literal $status:ident,)*) => {
        /// A cause, as `cause` of ProblemDetails names it (TS 29.571 5.2.4.1).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Cause {
            $($(#[$doc])* $variant,)*
        }

        impl Cause {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As it is written.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The status that it goes with.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self {
                    $(Self::$variant => StatusCode::$status,)*
                }
            }
        }
    };
}

causes! {
    /// The API, or its version, is not one that anybody serves.
    InvalidApi "INVALID_API" BAD_REQUEST,
    /// The message is not formed as HTTP or its media type asks.
    InvalidMsgFormat "INVALID_MSG_FORMAT" BAD_REQUEST,
    /// A query parameter that the API does not know.
    InvalidQueryParam "INVALID_QUERY_PARAM" BAD_REQUEST,
    /// A query parameter that must be there is wrong.
    MandatoryQueryParamIncorrect "MANDATORY_QUERY_PARAM_INCORRECT" BAD_REQUEST,
    /// A query parameter that may be there is wrong.
    OptionalQueryParamIncorrect "OPTIONAL_QUERY_PARAM_INCORRECT" BAD_REQUEST,
    /// A query parameter that must be there is not.
    MandatoryQueryParamMissing "MANDATORY_QUERY_PARAM_MISSING" BAD_REQUEST,
    /// A header or member that must be there is wrong.
    MandatoryIeIncorrect "MANDATORY_IE_INCORRECT" BAD_REQUEST,
    /// A header or member that may be there is wrong.
    OptionalIeIncorrect "OPTIONAL_IE_INCORRECT" BAD_REQUEST,
    /// A header or member that must be there is not.
    MandatoryIeMissing "MANDATORY_IE_MISSING" BAD_REQUEST,
    /// Anything else that is wrong with a request.
    UnspecifiedMsgFailure "UNSPECIFIED_MSG_FAILURE" BAD_REQUEST,
    /// No producer was found that serves the request.
    NfDiscoveryFailure "NF_DISCOVERY_FAILURE" BAD_REQUEST,
    /// A discovery header that is wrong, or refused by policy.
    InvalidDiscoveryParam "INVALID_DISCOVERY_PARAM" BAD_REQUEST,
    /// What a token would be asked for with is missing (6.10.11.2.2).
    MissingAccessTokenInfo "MISSING_ACCESS_TOKEN_INFO" BAD_REQUEST,
    /// Nobody subscribed to what is told there (5.2.7.2).
    SubscriptionNotFound "SUBSCRIPTION_NOT_FOUND" NOT_FOUND,
    /// Another SCP is to be asked (6.10.9.1).
    ScpRedirection "SCP_REDIRECTION" TEMPORARY_REDIRECT,
    /// The request came back to who forwarded it.
    MsgLoopDetected "MSG_LOOP_DETECTED" BAD_REQUEST,
    /// The NRF refused a token (6.10.11.2.2).
    AccessTokenDenied "ACCESS_TOKEN_DENIED" FORBIDDEN,
    /// Client credentials that are not those of who shows them (TS 33.501 13.3.8).
    CcaVerificationFailure "CCA_VERIFICATION_FAILURE" FORBIDDEN,
    /// A client says that it is an NF instance, or is none, and its certificate says otherwise. TS 29.500 has no cause for it.
    NfInstanceMismatch "NF_INSTANCE_MISMATCH" FORBIDDEN,
    /// Content without a length that is wanted.
    IncorrectLength "INCORRECT_LENGTH" LENGTH_REQUIRED,
    /// Content or headers that are too large. TS 29.500 has no cause for it; the status says it.
    PayloadTooLarge "PAYLOAD_TOO_LARGE" PAYLOAD_TOO_LARGE,
    /// This consumer sends more than it should.
    NfCongestionRisk "NF_CONGESTION_RISK" TOO_MANY_REQUESTS,
    /// No room for what the request needs.
    InsufficientResources "INSUFFICIENT_RESOURCES" INTERNAL_SERVER_ERROR,
    /// Anything else that failed here.
    UnspecifiedNfFailure "UNSPECIFIED_NF_FAILURE" INTERNAL_SERVER_ERROR,
    /// A failure of the system.
    SystemFailure "SYSTEM_FAILURE" INTERNAL_SERVER_ERROR,
    /// The NF failed over.
    NfFailover "NF_FAILOVER" INTERNAL_SERVER_ERROR,
    /// The NF service failed over.
    NfServiceFailover "NF_SERVICE_FAILOVER" INTERNAL_SERVER_ERROR,
    /// The request passed as many SCPs as it may.
    MaxScpHopsReached "MAX_SCP_HOPS_REACHED" BAD_GATEWAY,
    /// Overload; with Retry-After.
    NfCongestion "NF_CONGESTION" SERVICE_UNAVAILABLE,
    /// The client does not wait for the answer any more (6.11.2.2).
    TimedOutRequest "TIMED_OUT_REQUEST" GATEWAY_TIMEOUT,
    /// Neither the target nor another that could serve instead is reached (6.10.8.2).
    TargetNfNotReachable "TARGET_NF_NOT_REACHABLE" GATEWAY_TIMEOUT,
}
