//! TLS 1.3 and 1.2 with HTTP/2 chosen by ALPN (TS 33.210 6.2, TS 29.500 5.2.1, RFC 9113 3.2).

use std::fmt::Write as _;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, ServerConfig};

/// A certificate chain, its own certificate first, with its key.
#[derive(Debug)]
pub struct Pair {
    /// The chain.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key.
    pub key: PrivateKeyDer<'static>,
}

/// What clients must show.
#[derive(Clone, Debug)]
pub enum Clients {
    /// Nothing.
    Any,
    /// A certificate of one of these authorities.
    Known(Arc<RootCertStore>),
}

/// Why there can be no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Certificate and key do not do, alone or together.
    #[error("certificate and key: {0}")]
    Pair(rustls::Error),
    /// Nobody's certificate can be checked by these authorities.
    #[error("authorities: {0}")]
    Authorities(#[from] VerifierBuilderError),
}

/// How clients are met.
///
/// # Errors
/// Where the certificates do not do.
pub fn server(pair: Pair, clients: Clients) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(TlsError::Pair)?;
    let builder = match clients {
        Clients::Any => builder.with_no_client_auth(),
        Clients::Known(authorities) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(authorities, provider).build()?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(pair.chain, pair.key).map_err(TlsError::Pair)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // A ticket would let a client in after its authority was taken away.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    Ok(Arc::new(config))
}

/// How producers are met: their certificates checked by `authorities`, `pair` shown to those that ask for one.
///
/// # Errors
/// Where the certificates do not do.
pub fn client(authorities: RootCertStore, pair: Option<Pair>) -> Result<Arc<ClientConfig>, TlsError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(TlsError::Pair)?
        .with_root_certificates(authorities);
    let mut config = match pair {
        Some(pair) => builder.with_client_auth_cert(pair.chain, pair.key).map_err(TlsError::Pair)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

/// The names in a certificate: DNS names, and URIs such as `urn:uuid:` and an NF instance (TS 33.310 6.1.3c).
#[must_use]
pub fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok(certificate) = webpki::EndEntityCert::try_from(certificate) else { return Vec::new() };
    certificate.valid_dns_names().chain(certificate.valid_uri_names()).map(str::to_owned).collect()
}

/// The NF instances among names (TS 33.310 6.1.3c).
pub fn instances(names: &[String]) -> impl Iterator<Item = &str> {
    const URN: &str = "urn:uuid:";
    let urn = |name: &'_ String| name.get(..URN.len()).is_some_and(|it| it.eq_ignore_ascii_case(URN));
    names.iter().filter(move |name| urn(name)).filter_map(|name| name.get(URN.len()..))
}

/// What holders of certificates are told apart by: the names that an authority vouches for, so that a new certificate is still
/// the same holder's; where there are none, the public key.
#[must_use]
pub fn holder(certificate: &CertificateDer<'_>) -> String {
    let names = names(certificate);
    if !names.is_empty() {
        return names.join(" ");
    }
    let key = webpki::EndEntityCert::try_from(certificate).map(|it| it.subject_public_key_info());
    let octets = key.as_deref().unwrap_or(certificate);
    octets.iter().fold("key ".to_owned(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}
