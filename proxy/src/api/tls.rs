//! Mutual TLS, version 1.3 alone (RFC 8446): who shows no certificate of the right authority is refused.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, ServerConfig};

/// Why certificates and keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path}: cannot read: {source}; check the path, and who may read it")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is no PEM (RFC 7468).
    #[error("{path}: {source}; give a PEM file, such as `openssl` writes")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: pem::Error,
    },
    /// A file has no certificate in it.
    #[error("{path}: no certificate in it; give a PEM file with `BEGIN CERTIFICATE`")]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// A file has no private key in it.
    #[error("{path}: no private key in it; give a PEM file with `BEGIN PRIVATE KEY`")]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// A certificate of an authority is none.
    #[error("{path}: {source}; give the certificate of the authority that signs the other side's")]
    Authority {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
    /// No verifier can be made of the authorities.
    #[error("{path}: {source}; give the certificate of the authority that signs the other side's")]
    Verifier {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: VerifierBuilderError,
    },
    /// Certificate and key do not do, alone or together.
    #[error("{certificate}, {key}: {source}; give a certificate and the key that it was made for")]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
}

/// Where one side's certificate, its key and the other side's authorities are, PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The certificate chain, its own certificate first.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authorities that the other side's certificate is of.
    pub authority: PathBuf,
}

/// The daemon's side, read again when a file changes.
#[derive(Debug)]
pub(super) struct Certificates {
    credentials: Credentials,
    seen: [Option<Stamp>; 3],
    config: Arc<ServerConfig>,
}

/// What a file that changed differs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    modified: SystemTime,
    inode: u64,
    length: u64,
}

impl Stamp {
    /// That of a file; none where it is not there.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self { modified: metadata.modified().ok()?, inode: metadata.ino(), length: metadata.len() })
    }
}

impl Certificates {
    pub(super) fn read(credentials: Credentials) -> Result<Self, TlsError> {
        // Before the files, so that a change in between is seen.
        let seen = stamps(&credentials);
        let config = Arc::new(server(&credentials)?);
        Ok(Self { credentials, seen, config })
    }

    /// What the next connection is met with. New files that do not do leave the old ones in force; that they do
    /// not is logged once a change.
    pub(super) fn current(&mut self) -> Arc<ServerConfig> {
        let stamps = stamps(&self.credentials);
        if stamps != self.seen {
            self.seen = stamps;
            match server(&self.credentials) {
                Ok(config) => {
                    self.config = Arc::new(config);
                    tracing::info!("the API's certificates changed; new connections meet the new ones");
                }
                Err(error) => tracing::warn!(%error, "the API's new certificates do not do; the old ones stay"),
            }
        }
        Arc::clone(&self.config)
    }
}

fn stamps(credentials: &Credentials) -> [Option<Stamp>; 3] {
    [&credentials.certificate, &credentials.key, &credentials.authority].map(|path| Stamp::of(path))
}

fn server(credentials: &Credentials) -> Result<ServerConfig, TlsError> {
    let authorities = Arc::new(authorities(&credentials.authority)?);
    let verifier = WebPkiClientVerifier::builder_with_provider(authorities, provider())
        .build()
        .map_err(|source| TlsError::Verifier { path: credentials.authority.clone(), source })?;
    let (chain, key) = pair(&credentials.certificate, &credentials.key)?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(|source| refused(credentials, source))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(|source| refused(credentials, source))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    // A ticket would let a client in after its authority was taken away.
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// The asking side.
pub(super) fn client(credentials: &Credentials) -> Result<ClientConfig, TlsError> {
    let authorities = authorities(&credentials.authority)?;
    let (chain, key) = pair(&credentials.certificate, &credentials.key)?;
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(|source| refused(credentials, source))?
        .with_root_certificates(authorities)
        .with_client_auth_cert(chain, key)
        .map_err(|source| refused(credentials, source))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn refused(credentials: &Credentials, source: rustls::Error) -> TlsError {
    TlsError::Pair { certificate: credentials.certificate.clone(), key: credentials.key.clone(), source }
}

/// The certificates of authorities in a PEM file.
pub(crate) fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in chain(path)? {
        roots.add(certificate).map_err(|source| TlsError::Authority { path: path.to_owned(), source })?;
    }
    Ok(roots)
}

/// A certificate chain and its private key, each in a PEM file.
pub(crate) fn pair(
    certificate: &Path,
    key: &Path,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let chain = chain(certificate)?;
    let read = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|source| match source {
        pem::Error::NoItemsFound => TlsError::NoKey { path: key.to_owned() },
        source => TlsError::Pem { path: key.to_owned(), source },
    });
    Ok((chain, read?))
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = read(path)?;
    let chain = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| TlsError::Pem { path: path.to_owned(), source })?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate { path: path.to_owned() });
    }
    Ok(chain)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Read { path: path.to_owned(), source })
}
