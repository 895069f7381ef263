//! How asking the NRF can fail.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use tokio::time::Instant;

use crate::api_root::ApiRoot;
use crate::cause::Cause;
use crate::discovery::refused;
use crate::failure::Failure;
use crate::problem::Problem;

/// Why the NRF gave no answer that can be used. Copies share what they hold: one answer may be that of many requests.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NrfError {
    /// None is configured, and the client named none.
    #[error("no NRF is configured")]
    None,
    /// None of the set answered.
    #[error("no NRF answers: {why}")]
    Away {
        /// What each did instead.
        why: Arc<str>,
        /// When the first may be asked again, where all of them want to be let alone.
        until: Option<Instant>,
    },
    /// It refused.
    #[error("the NRF at {nrf} answers {status}")]
    Refused {
        /// Which.
        nrf: ApiRoot,
        /// Its status.
        status: StatusCode,
        /// What it said.
        content: Bytes,
    },
    /// It answered something else than what is defined.
    #[error("the NRF at {nrf} answers what cannot be read: {reason}")]
    Malformed {
        /// Which.
        nrf: ApiRoot,
        /// What is wrong.
        reason: Arc<str>,
    },
    /// Whoever asked it went away.
    #[error("the request to the NRF was given up")]
    GivenUp,
}

impl NrfError {
    /// Whether another time it may be otherwise, so that what is known from before still serves.
    #[must_use]
    pub fn is_away(&self) -> bool {
        match self {
            Self::None | Self::Refused { .. } => false,
            Self::Away { .. } | Self::Malformed { .. } | Self::GivenUp => true,
        }
    }

    /// Before when there is no use in trying again.
    pub(super) fn until(&self) -> Option<Instant> {
        match self {
            Self::Away { until, .. } => *until,
            Self::None | Self::Refused { .. } | Self::Malformed { .. } | Self::GivenUp => None,
        }
    }

    /// What a client is told whose request needed the answer; `untyped`: it did not say what type of NF it is.
    #[must_use]
    pub fn failure(&self, untyped: bool) -> Failure {
        if let Self::Refused { status: StatusCode::FORBIDDEN, .. } = self
            && untyped
        {
            // Another than this SCP may be let have it (TS 29.510 5.3.2.2.2).
            let header = "header 3gpp-Sbi-Discovery-requester-nf-type";
            let problem = Problem::new(Cause::MandatoryIeMissing).detail(self.to_string());
            return problem.about(header, "neither this header nor User-Agent says a type of NF").into();
        }
        if let Self::Refused { status, content, .. } = self
            && let Some(problem) = refused(*status, content)
        {
            return problem.into();
        }
        let cause = match self {
            Self::Refused { status, .. } if status.is_client_error() => Cause::NfDiscoveryFailure,
            _ => Cause::TargetNfNotReachable,
        };
        Problem::new(cause).detail(self.to_string()).into()
    }
}
