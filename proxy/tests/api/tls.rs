//! Mutual TLS: who shows the right certificate is answered, and nobody else.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use pinion::api::{AskError, BindError, Client, Credentials, Target, TlsError};
use pinion::config::model::Api;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use tempfile::TempDir;

use crate::daemon::{Daemon, code, err, runtime};
use crate::sample::Sample;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

struct Pki {
    folder: TempDir,
}

impl Pki {
    fn new() -> Self {
        let pki = Self { folder: tempfile::tempdir().unwrap() };
        let (servers, clients, others) = (authority("servers"), authority("clients"), authority("others"));
        fs::write(pki.path("servers.pem"), servers.pem()).unwrap();
        fs::write(pki.path("clients.pem"), clients.pem()).unwrap();
        fs::write(pki.path("others.pem"), others.pem()).unwrap();
        pki.issue("server", &servers, ExtendedKeyUsagePurpose::ServerAuth, 4000);
        pki.issue("renewed", &others, ExtendedKeyUsagePurpose::ServerAuth, 4000);
        pki.issue("client", &clients, ExtendedKeyUsagePurpose::ClientAuth, 4000);
        pki.issue("stranger", &others, ExtendedKeyUsagePurpose::ClientAuth, 4000);
        pki.issue("expired", &clients, ExtendedKeyUsagePurpose::ClientAuth, 2020);
        pki.issue("expired-server", &servers, ExtendedKeyUsagePurpose::ServerAuth, 2020);
        pki.issue("misused", &clients, ExtendedKeyUsagePurpose::ServerAuth, 4000);
        pki
    }

    fn issue(&self, name: &str, authority: &Authority, usage: ExtendedKeyUsagePurpose, until: i32) {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
        params.extended_key_usages = vec![usage];
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, authority).unwrap();
        fs::write(self.path(&format!("{name}.pem")), certificate.pem()).unwrap();
        fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn api(&self, server: &str) -> Api {
        Api::Tls {
            listen: "127.0.0.1:0".parse().unwrap(),
            certificate: self.path(&format!("{server}.pem")),
            key: self.path(&format!("{server}.key")),
            clients: self.path("clients.pem"),
        }
    }

    fn start(&self, server: &str) -> (Daemon, SocketAddr) {
        let daemon = Daemon::start(&self.api(server), Arc::new(Sample::default())).unwrap();
        let address = daemon.address.unwrap();
        (daemon, address)
    }

    fn credentials(&self, client: &str, authority: &str) -> Credentials {
        Credentials {
            certificate: self.path(&format!("{client}.pem")),
            key: self.path(&format!("{client}.key")),
            authority: self.path(&format!("{authority}.pem")),
        }
    }

    /// Asks for the services as a client.
    fn ask(&self, address: SocketAddr, client: &str, authority: &str) -> Result<usize, AskError> {
        let target = Target::Tls { host: address.ip().to_string(), port: address.port() };
        let credentials = self.credentials(client, authority);
        runtime().block_on(async {
            let mut client = Client::connect(&target, Some(&credentials)).await?;
            Ok(client.services().await?.len())
        })
    }
}

fn command(api: &str, credentials: Option<&Credentials>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pinion"));
    command.args(["services", "--api", api]);
    if let Some(Credentials { certificate, key, authority }) = credentials {
        command.arg("--certificate").arg(certificate).arg("--key").arg(key);
        command.arg("--authority").arg(authority);
    }
    command.output().unwrap()
}

#[test]
fn the_right_certificate_is_let_in() {
    let pki = Pki::new();
    let (_daemon, address) = pki.start("server");
    assert_eq!(pki.ask(address, "client", "servers").unwrap(), 2);
    for host in ["127.0.0.1", "localhost"] {
        let api = format!("https://{host}:{}", address.port());
        let output = command(&api, Some(&pki.credentials("client", "servers")));
        assert_eq!((code(&output), err(&output)), (0, String::new()));
    }
}

#[test]
fn other_clients_are_refused_and_told_why() {
    let pki = Pki::new();
    let (_daemon, address) = pki.start("server");
    for (client, words) in [
        ("stranger", "it is of an authority that it does not know"),
        ("expired", "it has expired"),
        ("misused", "refuses this client's certificate"),
    ] {
        let error = pki.ask(address, client, "servers").unwrap_err();
        assert!(matches!(error, AskError::ClientRefused { .. }), "{client}: {error}");
        assert!(error.to_string().contains(words), "{client}: {error}");
        let output = command(&format!("https://{address}"), Some(&pki.credentials(client, "servers")));
        assert_eq!((code(&output), err(&output)), (1, format!("pinion: {error}\n")));
    }
    // They were no harm.
    assert_eq!(pki.ask(address, "client", "servers").unwrap(), 2);
}

#[test]
fn no_certificate_is_refused() {
    use tokio_rustls::rustls::pki_types::pem::PemObject as _;
    use tokio_rustls::rustls::{self, pki_types};
    let pki = Pki::new();
    let (_daemon, address) = pki.start("server");
    // Its own program does not even try.
    let output = command(&format!("https://{address}"), None);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("give --certificate, --key and --authority"), "{}", err(&output));
    // Another does.
    let mut roots = rustls::RootCertStore::empty();
    roots.add(pki_types::CertificateDer::from_pem_file(pki.path("servers.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    runtime().block_on(async {
        use tokio::io::AsyncReadExt as _;
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let name = pki_types::ServerName::from(address.ip());
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let mut stream = connector.connect(name, stream).await.unwrap();
        let error = stream.read_u8().await.unwrap_err();
        assert!(error.to_string().contains("CertificateRequired"), "{error}");
    });
}

#[test]
fn nothing_is_answered_in_the_clear() {
    use std::io::{Read as _, Write as _};
    let pki = Pki::new();
    let (_daemon, address) = pki.start("server");
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    // An alert of TLS (RFC 8446 6), or nothing.
    assert!(answer.is_empty() || answer[0] == 21, "{answer:?}");
    assert_eq!(pki.ask(address, "client", "servers").unwrap(), 2);
}

#[test]
fn a_daemon_of_another_authority_is_not_asked() {
    let pki = Pki::new();
    let (_daemon, address) = pki.start("server");
    let error = pki.ask(address, "client", "others").unwrap_err();
    assert!(matches!(error, AskError::DaemonRefused { .. }), "{error}");
    assert!(error.to_string().contains("it is of an unknown authority; give the authority"), "{error}");
    let (_daemon, address) = pki.start("expired-server");
    let error = pki.ask(address, "client", "servers").unwrap_err();
    assert!(error.to_string().contains("it has expired"), "{error}");
}

#[test]
fn a_daemon_under_another_name_is_not_asked() {
    let pki = Pki::new();
    let api = with_listen(pki.api("server"), "127.0.0.2:0");
    let daemon = Daemon::start(&api, Arc::new(Sample::default())).unwrap();
    let error = pki.ask(daemon.address.unwrap(), "client", "servers").unwrap_err();
    assert!(error.to_string().contains("it is for another name than that of --api"), "{error}");
}

fn with_listen(api: Api, address: &str) -> Api {
    match api {
        Api::Tls { certificate, key, clients, .. } => {
            Api::Tls { listen: address.parse().unwrap(), certificate, key, clients }
        }
        unix @ Api::Unix { .. } => unix,
    }
}

fn replace(from: &Path, to: &Path) {
    let beside = to.with_extension("new");
    fs::copy(from, &beside).unwrap();
    fs::rename(beside, to).unwrap();
}

#[test]
fn renewed_certificates_are_taken_without_a_restart() {
    let pki = Pki::new();
    let (_daemon, address) = pki.start("server");
    assert_eq!(pki.ask(address, "client", "servers").unwrap(), 2);
    // The certificate first: with the old key it does not do, and the old pair stays.
    replace(&pki.path("renewed.pem"), &pki.path("server.pem"));
    assert_eq!(pki.ask(address, "client", "servers").unwrap(), 2);
    replace(&pki.path("renewed.key"), &pki.path("server.key"));
    assert_eq!(pki.ask(address, "client", "others").unwrap(), 2);
    // So are the authorities of clients.
    replace(&pki.path("others.pem"), &pki.path("clients.pem"));
    assert_eq!(pki.ask(address, "stranger", "others").unwrap(), 2);
    let error = pki.ask(address, "client", "others").unwrap_err();
    assert!(matches!(error, AskError::ClientRefused { .. }), "{error}");
}

#[test]
fn files_that_do_not_do_are_named() {
    let pki = Pki::new();
    fs::write(pki.path("empty.pem"), "").unwrap();
    fs::write(pki.path("broken.pem"), "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n").unwrap();
    let start = |certificate: &str, key: &str, clients: &str| {
        let listen = "127.0.0.1:0".parse().unwrap();
        let (certificate, key, clients) = (pki.path(certificate), pki.path(key), pki.path(clients));
        let api = Api::Tls { listen, certificate, key, clients };
        match Daemon::start(&api, Arc::new(Sample::default())) {
            Err(BindError::Tls(error)) => error,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it starts"),
        }
    };
    let named = |error: &TlsError, file: &str| {
        assert!(error.to_string().contains(&pki.path(file).display().to_string()), "{error}");
    };
    let error = start("absent.pem", "server.key", "clients.pem");
    assert!(matches!(error, TlsError::Read { .. }), "{error}");
    named(&error, "absent.pem");
    let error = start("empty.pem", "server.key", "clients.pem");
    assert!(matches!(error, TlsError::NoCertificate { .. }), "{error}");
    named(&error, "empty.pem");
    let error = start("broken.pem", "server.key", "clients.pem");
    assert!(matches!(error, TlsError::Pem { .. }), "{error}");
    named(&error, "broken.pem");
    let error = start("server.pem", "server.pem", "clients.pem");
    assert!(matches!(error, TlsError::NoKey { .. }), "{error}");
    let error = start("server.pem", "client.key", "clients.pem");
    assert!(matches!(error, TlsError::Pair { .. }), "{error}");
    let error = start("server.pem", "server.key", "empty.pem");
    assert!(matches!(error, TlsError::NoCertificate { .. }), "{error}");
    named(&error, "empty.pem");
}

#[test]
fn a_port_that_is_taken_is_said() {
    let pki = Pki::new();
    let (_daemon, address) = pki.start("server");
    let again = with_listen(pki.api("server"), &address.to_string());
    let error = Daemon::start(&again, Arc::new(Sample::default())).err().unwrap();
    assert!(matches!(error, BindError::Listen { .. }), "{error}");
    assert!(error.to_string().contains("set `api.tls.listen` to a local address and a free port"), "{error}");
}
