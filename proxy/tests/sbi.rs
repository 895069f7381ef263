//! The SCP as the daemon hosts it: connections and requests live through what it is told, and through its end.
#![cfg(test)]

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use pinion::config::{Host as Machine, parse};
use pinion::control::SbiState;
use pinion::sbi::{Dns, Host, Next, StartError, instance};
use pinion_scp::binding::Pins;
use pinion_scp::resolve::{Addresses, Resolve as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

#[path = "sbi/certificates.rs"]
mod certificates;
#[path = "shared/daemon.rs"]
mod daemon;
#[path = "shared/dns.rs"]
mod dns;
#[path = "shared/free.rs"]
mod free;
#[path = "sbi/nrf.rs"]
mod nrf;
#[path = "sbi/registration.rs"]
mod registration;
#[path = "shared/sbi.rs"]
mod shared;

use free::free;
use shared::{Client, section};

/// A producer that answers with the path it is asked for; `/slow` only once it may.
async fn producer(may: Arc<Semaphore>) -> SocketAddr {
    producer_at("127.0.0.1:0".parse().unwrap(), may).await
}

/// One that listens there, and says where that is when it is asked for `/where`.
async fn producer_at(at: SocketAddr, may: Arc<Semaphore>) -> SocketAddr {
    let listener = TcpListener::bind(at).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let may = Arc::clone(&may);
            let service = service_fn(move |request: Request<Incoming>| {
                let may = Arc::clone(&may);
                async move {
                    let mut path = request.uri().path().to_owned();
                    if path == "/where" {
                        path = address.ip().to_string();
                    }
                    if path == "/slow" {
                        let _ = may.acquire().await;
                    }
                    Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(path))))
                }
            });
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

fn start(folder: &Path, listeners: &[SocketAddr]) -> Host {
    Host::start(Next::new(&section(listeners), folder, None).unwrap(), Pins::default())
}

#[tokio::test]
async fn connections_and_requests_live_through_what_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let may = Arc::new(Semaphore::new(0));
    let producer = producer(Arc::clone(&may)).await;
    let (first, second) = (free().await, free().await);
    let mut host = start(folder.path(), &[first]);
    let mut client = Client::connect(first).await.unwrap();
    assert_eq!(client.ask(producer, "/one").await, "/one");

    // Another listener; the connection goes on.
    host.tell(Next::new(&section(&[first, second]), folder.path(), Some(&host)).unwrap());
    assert_eq!(client.ask(producer, "/two").await, "/two");
    assert_eq!(Client::connect(second).await.unwrap().ask(producer, "/three").await, "/three");

    // The first goes: what is under way is answered, and nobody is let in.
    let mut waiting = client;
    let under_way = tokio::spawn(async move { waiting.ask(producer, "/slow").await });
    while host.scp().parts().gate.load().0 == 0 {
        tokio::task::yield_now().await;
    }
    host.tell(Next::new(&section(&[second]), folder.path(), Some(&host)).unwrap());
    while TcpStream::connect(first).await.is_ok() {
        tokio::task::yield_now().await;
    }
    may.add_permits(1);
    assert_eq!(under_way.await.unwrap(), "/slow");
    assert_eq!(Client::connect(second).await.unwrap().ask(producer, "/four").await, "/four");
}

#[tokio::test]
async fn what_was_done_is_counted_and_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let producer = producer(Arc::new(Semaphore::new(0))).await;
    let listener = free().await;
    let mut sbi = section(&[listener]);
    sbi.access_log = Some(log.clone());
    let host = Host::start(Next::new(&sbi, folder.path(), None).unwrap(), Pins::default());
    let mut client = Client::connect(listener).await.unwrap();
    client.ask(producer, "/one?a=b").await;
    let nobody = Request::get(format!("http://{listener}/two")).body(Empty::new()).unwrap();
    let refused = client.requests.send_request(nobody).await.unwrap();
    let malformed = Request::get(format!("http://{listener}/three")).header("3gpp-sbi-message-priority", "99");
    let malformed = client.requests.send_request(malformed.body(Empty::new()).unwrap()).await.unwrap();
    let wrong = [refused.status().as_u16(), malformed.status().as_u16()];
    assert!(wrong.iter().all(|status| (400..600).contains(status)), "{wrong:?}");

    let counts = host.scp().parts().account.counts();
    assert_eq!(counts.statuses.iter().map(|(_, count)| count).sum::<u64>(), 3, "{counts:?}");
    assert!(counts.statuses.contains(&(200, 1)) && counts.cancelled == 0, "{counts:?}");
    assert_eq!(counts.causes.iter().map(|(_, count)| count).sum::<u64>(), 2, "{counts:?}");
    let lines = loop {
        let text = std::fs::read_to_string(&log).unwrap();
        if text.lines().count() == 3 {
            break text;
        }
        tokio::task::yield_now().await;
    };
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["path"], &lines[0]["status"]), (&"/one?a=b".into(), &200.into()));
    assert_eq!(lines[0]["target"], format!("http://{producer}"));
    assert_eq!((&lines[1]["path"], &lines[1]["status"]), (&"/two".into(), &wrong[0].into()));
    assert!(lines[2]["cause"].is_string() && lines[2]["target"].is_null(), "{lines:?}");
}

#[tokio::test]
async fn whom_it_asks_and_how_they_are_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let producer = producer(Arc::new(Semaphore::new(0))).await;
    let (listener, nobody) = (free().await, free().await);
    let udm = |number: u8, at: SocketAddr| {
        format!(
            "{{nf_instance_id: 8d1f3c6e-2f9b-4b6c-9e0a-3c5d7e9f1a2{number}, nf_type: UDM, nf_services: [{{service_name: nudm-sdm, versions: [v2], api_root: 'http://{at}'}}]}}"
        )
    };
    let text = format!(
        "sbi: {{fqdn: scp.example, listeners: [{{address: {}, port: {}}}], producers: [{}, {}]}}",
        listener.ip(),
        listener.port(),
        udm(1, producer),
        udm(2, nobody)
    );
    let sbi = parse(text.as_bytes(), &Machine::default()).unwrap().config.sbi.unwrap();
    let host = Host::start(Next::new(&sbi, folder.path(), None).unwrap(), Pins::default());
    let told = || {
        let all = host.producers().into_iter();
        all.map(|it| (it.api_root, it.nf_type, it.state, it.answered, it.failed > 0)).collect::<Vec<_>>()
    };
    let [one, two] = [producer, nobody].map(|at| format!("http://{at}"));
    let mut both = [(one.clone(), Some("UDM".to_owned())), (two.clone(), Some("UDM".to_owned()))];
    both.sort();
    let unknown = both.clone().map(|(at, kind)| (at, kind, SbiState::Unknown, 0, false));
    assert_eq!(told(), unknown);

    // Half of the requests are for who is not there, until it has failed too often; all are answered.
    let mut client = Client::connect(listener).await.unwrap();
    let mut asked = 0;
    while !told().iter().any(|it| it.2 == SbiState::Avoided) {
        let request = Request::get(format!("http://{listener}/nudm-sdm/v2/imsi-1/nssai"))
            .header("3gpp-sbi-discovery-target-nf-type", "UDM")
            .header("3gpp-sbi-discovery-service-names", "nudm-sdm");
        client.requests.ready().await.unwrap();
        let response = client.requests.send_request(request.body(Empty::new()).unwrap()).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(status, 200, "{body:?}");
        asked += 1;
        assert!(asked < 1_000, "{:?}", told());
    }
    let here = |(at, kind): (String, Option<String>)| match at == one {
        true => (at, kind, SbiState::Up, asked, false),
        false => (at, kind, SbiState::Avoided, 0, true),
    };
    assert_eq!(told(), both.map(here));
    // Each time that it did not answer the other was asked.
    let failed = host.producers().iter().map(|it| it.failed).sum::<u64>();
    assert_eq!((host.scp().parts().budget.attempts(), failed >= 5), (failed, true));
}

#[tokio::test]
async fn its_end_waits_for_what_is_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let may = Arc::new(Semaphore::new(0));
    let producer = producer(Arc::clone(&may)).await;
    let listener = free().await;
    let host = start(folder.path(), &[listener]);
    let mut client = Client::connect(listener).await.unwrap();
    let under_way = tokio::spawn(async move { client.ask(producer, "/slow").await });
    while host.scp().parts().gate.load().0 == 0 {
        tokio::task::yield_now().await;
    }
    let end = tokio::spawn(host.end());
    while TcpStream::connect(listener).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!end.is_finished());
    may.add_permits(1);
    assert_eq!(under_way.await.unwrap(), "/slow");
    end.await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_is_said_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let producer = producer(Arc::new(Semaphore::new(0))).await;
    let (mine, taken) = (free().await, TcpListener::bind("127.0.0.1:0").await.unwrap());
    let host = start(folder.path(), &[mine]);
    let taken = taken.local_addr().unwrap();
    let refused = Next::new(&section(&[mine, taken]), folder.path(), Some(&host)).unwrap_err();
    assert!(matches!(refused, StartError::Listen { socket, .. } if socket == taken), "{refused}");
    assert!(refused.to_string().contains("give another port"), "{refused}");
    let mut sbi = section(&[mine]);
    sbi.tls = Some(pinion::config::model::SbiTls {
        pair: None,
        authorities: Some(folder.path().join("none.pem")),
        clients: None,
    });
    let refused = Next::new(&sbi, folder.path(), Some(&host)).unwrap_err().to_string();
    assert!(refused.contains("none.pem: cannot read"), "{refused}");
    assert_eq!(Client::connect(mine).await.unwrap().ask(producer, "/still").await, "/still");
}

#[tokio::test]
async fn who_it_is_outlives_it() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (free().await, free().await);
    let one = start(folder.path(), &[first]).instance().to_owned();
    assert_eq!(start(folder.path(), &[second]).instance(), one);
    assert_eq!(instance(folder.path(), &mut pinion::health::Chance::from_system()).unwrap(), one);
}

/// A producer's name stands for another address when its answer has ended: new connections go there, the old one ends when
/// it is answered, and no request fails.
#[tokio::test]
async fn a_producer_that_moves_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let may = Arc::new(Semaphore::new(0));
    let old = producer_at("127.0.0.2:0".parse().unwrap(), Arc::clone(&may)).await;
    producer_at(SocketAddr::new("127.0.0.1".parse().unwrap(), old.port()), Arc::new(Semaphore::new(0))).await;
    let (server, zone) = dns::server(vec![dns::address("udm.example", 1, "127.0.0.2")]).await;
    let listener = free().await;
    let mut sbi = section(&[listener]);
    sbi.dns_servers = vec![server];
    let host = Host::start(Next::new(&sbi, folder.path(), None).unwrap(), Pins::default());
    let name = format!("udm.example:{}", old.port());
    let mut client = Client::connect(listener).await.unwrap();
    assert_eq!(client.ask(&name, "/where").await, "127.0.0.2");
    let (mut other, slow) = (Client::connect(listener).await.unwrap(), name.clone());
    let under_way = tokio::spawn(async move { other.ask(slow, "/slow").await });
    *zone.lock().unwrap() = vec![dns::address("udm.example", 1, "127.0.0.1")];
    tokio::time::timeout(Duration::from_secs(30), async {
        while client.ask(&name, "/where").await != "127.0.0.1" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("it is not followed");
    may.add_permits(1);
    assert_eq!(under_way.await.unwrap(), "/slow");
    while host.scp().parts().pools.connections() != 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn hosts_are_looked_up_in_the_hosts_file_and_then_in_dns() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = folder.path().join("hosts");
    std::fs::write(&hosts, "127.0.0.1 localhost\n192.0.2.1 udm.example\n").unwrap();
    let records = vec![
        dns::address("udm.example", 300, "192.0.2.9"),
        dns::address("ausf.example", 20, "192.0.2.2"),
        dns::address("ausf.example", 30, "2001:db8::2"),
    ];
    let (server, _) = dns::server(records).await;
    let names = Dns::new(&[server], hosts.clone()).unwrap();
    let found = async |host: &str| {
        let Addresses { all, valid } = names.look(host).await.unwrap();
        (all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "), valid.unwrap().as_secs())
    };
    assert_eq!(found("localhost").await.0, "127.0.0.1");
    assert_eq!(found("udm.example").await.0, "192.0.2.1");
    assert_eq!(found("ausf.example").await, ("192.0.2.2 2001:db8::2".to_owned(), 20));
    assert_eq!(names.look("nobody.example").await.unwrap_err().kind(), io::ErrorKind::NotFound);
    std::fs::write(&hosts, "").unwrap();
    assert_eq!(found("udm.example").await, ("192.0.2.9".to_owned(), 300), "the file changed");
}
