//! Why a daemon does not answer, or not as asked.

use std::io;

use tokio_rustls::rustls::{AlertDescription, CertificateError, Error as RustlsError};
use tonic::{Code, Status};

use super::decode::MeaningError;
use super::target::Target;
use super::tls::TlsError;

/// Why a daemon does not answer, or not as asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens there.
    #[error("no daemon listens at {target}; start one with `pinion run CONFIG`, or say with --api where one is")]
    Absent {
        /// Where.
        target: Target,
    },
    /// The socket's permissions keep this user out.
    #[error(
        "permission denied at {target}; ask as root or as a user of the socket's group, or widen `api.mode` \
         in the configuration"
    )]
    Permission {
        /// Where.
        target: Target,
    },
    /// Mutual TLS needs a certificate, a key and an authority.
    #[error("{target} is asked with mutual TLS; give --certificate, --key and --authority")]
    NoCredentials {
        /// Where.
        target: Target,
    },
    /// The certificate, the key or the authority do not do.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The host's name or address cannot be found or reached.
    #[error("cannot reach {target}: {source}; check --api and the network in between")]
    Unreachable {
        /// Where.
        target: Target,
        /// What the system said.
        source: io::Error,
    },
    /// It takes too long.
    #[error("{target} does not answer in time; try again, and see the daemon's log if it stays so")]
    Late {
        /// Where.
        target: Target,
    },
    /// This side does not trust the daemon.
    #[error("the certificate of {target} is refused: {why}; give the authority that signed it with --authority")]
    DaemonRefused {
        /// Where.
        target: Target,
        /// Why.
        why: String,
    },
    /// The daemon does not trust this side.
    #[error(
        "{target} refuses this client's certificate: {why}; give with --certificate one that is valid and of \
         an authority of `api.tls.clients`"
    )]
    ClientRefused {
        /// Where.
        target: Target,
        /// Why.
        why: String,
    },
    /// The handshake fails otherwise.
    #[error("no TLS with {target}: {why}; check that a Pinion daemon listens there")]
    Handshake {
        /// Where.
        target: Target,
        /// Why.
        why: String,
    },
    /// What listens there is something else.
    #[error("what listens at {target} is no Pinion daemon; check --api")]
    Stranger {
        /// Where.
        target: Target,
    },
    /// The daemon closed the connection without a word.
    #[error("{target} closed the connection; it ends, or has as many clients as it takes: try again")]
    Closed {
        /// Where.
        target: Target,
    },
    /// The daemon does not know this call.
    #[error(
        "the daemon at {target} does not know this request: it is of another version than this pinion \
         ({}); run the one that it was started with",
        env!("CARGO_PKG_VERSION")
    )]
    Version {
        /// Where.
        target: Target,
    },
    /// The daemon says what this version does not understand.
    #[error(
        "the daemon at {target} says what this pinion ({}) does not understand ({source}); run the one that it \
         was started with",
        env!("CARGO_PKG_VERSION")
    )]
    Meaning {
        /// Where.
        target: Target,
        /// What.
        source: MeaningError,
    },
    /// The daemon refuses, in its own words.
    #[error("{message}")]
    Refused {
        /// As gRPC classes it.
        code: Code,
        /// What it said.
        message: String,
    },
}

impl AskError {
    /// Whether it is the question that is wrong: the command line, or the configuration.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NoCredentials { .. }
                | Self::Refused { code: Code::InvalidArgument | Code::FailedPrecondition, .. }
        )
    }

    /// Whether another try may do better: the daemon is away.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Absent { .. } | Self::Unreachable { .. } | Self::Late { .. } | Self::Closed { .. })
    }

    /// Why nothing came of connecting.
    pub(super) fn dialing(target: &Target, source: io::Error) -> Self {
        let target = target.clone();
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Self::Absent { target },
            io::ErrorKind::PermissionDenied => Self::Permission { target },
            io::ErrorKind::WouldBlock => Self::Closed { target },
            _ => Self::Unreachable { target, source },
        }
    }

    /// Why the handshake, or what came of it first, failed.
    pub(super) fn beginning(target: &Target, error: &io::Error) -> Self {
        let target = target.clone();
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<RustlsError>());
        match inner {
            Some(RustlsError::AlertReceived(alert)) if is_of_certificate(*alert) => {
                Self::ClientRefused { target, why: alert_words(*alert) }
            }
            Some(RustlsError::InvalidCertificate(reason)) => {
                Self::DaemonRefused { target, why: certificate_words(reason) }
            }
            Some(error) => Self::Handshake { target, why: error.to_string() },
            None => Self::Closed { target },
        }
    }

    /// What a status of gRPC means.
    pub(super) fn answered(target: &Target, status: &Status) -> Self {
        let target = target.clone();
        // A status that the daemon did not send has a source: the transport's.
        let is_local = std::error::Error::source(status).is_some();
        match status.code() {
            Code::Unimplemented => Self::Version { target },
            Code::DeadlineExceeded | Code::Cancelled => Self::Late { target },
            Code::Unavailable | Code::Unknown if is_local => Self::Closed { target },
            code => Self::Refused { code, message: status.message().to_owned() },
        }
    }
}

fn is_of_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
            | AlertDescription::CertificateRequired
    )
}

fn alert_words(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => "it wants one".to_owned(),
        AlertDescription::CertificateExpired => "it has expired".to_owned(),
        AlertDescription::CertificateRevoked => "it was revoked".to_owned(),
        AlertDescription::UnknownCA | AlertDescription::DecryptError => {
            "it is of an authority that it does not know".to_owned()
        }
        other => format!("{other:?}"),
    }
}

fn certificate_words(reason: &CertificateError) -> String {
    match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet".to_owned()
        }
        CertificateError::UnknownIssuer => "it is of an unknown authority".to_owned(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name than that of --api".to_owned()
        }
        other => other.to_string(),
    }
}
