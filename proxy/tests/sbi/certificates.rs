//! A3: a daemon's certificates change on disk; new connections meet the new ones, and none ends.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::daemon::{Place, until};
use super::free::free;
use super::producer;
use super::shared::Client;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Has the SCP's files be of an authority, which its clients are of, too.
fn write(folder: &Path, authority: &Authority) {
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["scp.example".to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    for (name, text) in
        [("own.pem", own.pem()), ("own.key", key.serialize_pem()), ("clients.pem", authority.pem())]
    {
        fs::write(folder.join(name), text).unwrap();
    }
}

/// A client of an authority, and of no other.
async fn connect(scp: SocketAddr, authority: &Authority) -> Option<Client> {
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["amf.example".to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots);
    let mut config = config.with_client_auth_cert(vec![own.der().clone()], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(scp).await.ok()?;
    let name = "scp.example".try_into().unwrap();
    Client::on(TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?, scp).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a3_certificates_that_change_on_disk_end_no_connection_of_a_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (authority("old"), authority("new"));
    write(folder.path(), &old);
    let may = Arc::new(Semaphore::new(0));
    let (listener, producer) = (free().await, producer(Arc::clone(&may)).await);
    let file = |name: &str| folder.path().join(name).display().to_string();
    let yaml = format!(
        "sbi:
  fqdn: scp.example
  listeners: [{{address: {}, port: {}, tls: true}}]
  tls: {{certificate: {}, key: {}, clients: {}}}
",
        listener.ip(),
        listener.port(),
        file("own.pem"),
        file("own.key"),
        file("clients.pem")
    );
    let mut place = Place::start(&yaml).await;
    let mut lives = connect(listener, &old).await.unwrap();
    let mut waits = connect(listener, &old).await.unwrap();
    assert_eq!(lives.ask(producer, "/one").await, "/one");
    let under_way = tokio::spawn(async move { waits.ask(producer, "/slow").await });
    until(async || place.tell(&["stats"])["sbi"]["working"] == 1).await;

    write(folder.path(), &new);
    place.signal("HUP");
    until(async || connect(listener, &new).await.is_some()).await;
    assert_eq!(connect(listener, &new).await.unwrap().ask(producer, "/two").await, "/two");
    assert!(connect(listener, &old).await.is_none());
    assert_eq!(lives.ask(producer, "/three").await, "/three");
    may.add_permits(1);
    assert_eq!(under_way.await.unwrap(), "/slow");
    place.stop();
}
