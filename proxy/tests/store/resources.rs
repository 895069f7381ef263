//! Resources that an SCP pins: they are where they were after the daemon was killed, and on another node of the same store.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::daemon::{Place as Daemon, until};
use crate::free::free;
use crate::server::Server;

const CONTEXTS: &str = "/nsmf-pdusession/v1/sm-contexts";
const SET: &str = "set1.smfset.5gc.mnc012.mcc345";

/// An SMF that makes contexts of the same path as any other.
struct Smf {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Smf {
    async fn start() -> Self {
        Self::at(free().await).await
    }

    async fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let count = Arc::clone(&count);
                let service = service_fn(move |request: Request<Incoming>| {
                    count.fetch_add(1, Ordering::Relaxed);
                    let mut answer = Response::builder();
                    if request.uri().path() == CONTEXTS {
                        answer = answer.status(StatusCode::CREATED).header("location", format!("{CONTEXTS}/1"));
                    }
                    async move { Ok::<_, Infallible>(answer.body(Empty::<Bytes>::new()).unwrap()) }
                });
                let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                connections.spawn(server.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, asked, task }
    }

    fn root(&self) -> String {
        format!("http://{}", self.address)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// Ends, with its connections, and begins anew.
    async fn restart(&mut self, meanwhile: impl AsyncFnOnce()) {
        self.task.abort();
        let _ = (&mut self.task).await;
        meanwhile().await;
        *self = Self::at(self.address).await;
    }
}

/// A daemon, and where its SCP is.
struct Place {
    daemon: Daemon,
    scp: SocketAddr,
}

impl Place {
    /// With the SMFs of a set, of which the first is chosen, and the store at an address.
    async fn new(smfs: [&Smf; 2], store: Option<&str>) -> Self {
        let scp = free().await;
        let producer = |(number, smf): (usize, &Smf)| {
            format!(
                "  - nf_instance_id: 54804518-4191-46b3-955c-ac631f95{number:04}
    nf_type: SMF
    nf_set_ids: [{SET}]
    priority: {number}
    nf_services: [{{service_name: nsmf-pdusession, api_root: 'http://{}'}}]
",
                smf.address
            )
        };
        let producers: String = (1..).zip(smfs).map(producer).collect();
        let store = store.map_or(String::new(), |address| format!("store: {{url: '{address}'}}\n"));
        let yaml = format!(
            "{store}sbi:
  fqdn: scp.example
  listeners: [{{address: {}, port: {}}}]
  producers:
{producers}",
            scp.ip(),
            scp.port()
        );
        Self { daemon: Daemon::start(&yaml).await, scp }
    }

    /// Asks the SCP by a connection of its own.
    async fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
        let stream = TcpStream::connect(self.scp).await.unwrap();
        let connected = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (mut requests, connection) = connected.unwrap();
        let connection = tokio::spawn(connection);
        let mut request = Request::post(format!("http://{}{path}", self.scp));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, body) =
            requests.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        connection.abort();
        Response::from_parts(head, body)
    }

    /// Has a context made by whoever is chosen; the API root that its Location names.
    async fn create(&self) -> String {
        let headers = [
            ("3gpp-sbi-discovery-target-nf-type", "SMF"),
            ("3gpp-sbi-discovery-service-names", "nsmf-pdusession"),
        ];
        let answer = self.ask(CONTEXTS, &headers).await;
        assert_eq!(answer.status(), StatusCode::CREATED, "{:?}", answer.body());
        let location = answer.headers()["location"].to_str().unwrap();
        location.strip_suffix(&format!("{CONTEXTS}/1")).unwrap().to_owned()
    }

    /// Asks for the context that an API root has.
    async fn modify(&self, root: &str) -> StatusCode {
        self.ask(&format!("{CONTEXTS}/1/modify"), &[("3gpp-sbi-target-apiroot", root)]).await.status()
    }
}

/// A context of the first SMF that moved to the second while the first was away; the first is back.
async fn moved(place: &Place, first: &mut Smf, second: &Smf) -> String {
    let root = place.create().await;
    assert_eq!((&root, first.asked(), second.asked()), (&first.root(), 1, 0));
    first
        .restart(async || {
            until(async || place.daemon.tell(&["stats"])["sbi"]["producer_connections"] == 0).await;
            assert_eq!(place.modify(&root).await, StatusCode::OK);
        })
        .await;
    assert_eq!(second.asked(), 1);
    root
}

/// What is shown of the only resource.
fn shown(place: &Place, root: &str) -> (Value, Value) {
    let all = place.daemon.tell(&["sessions", "sbi"]);
    let explained = place.daemon.tell(&["explain", &format!("{root}{CONTEXTS}/1")]);
    (all, explained)
}

#[tokio::test(flavor = "multi_thread")]
async fn b5_a_resource_stays_where_it_is_through_a_crash() {
    let (mut first, second) = (Smf::start().await, Smf::start().await);
    let mut place = Place::new([&first, &second], None).await;
    let root = moved(&place, &mut first, &second).await;
    let before = shown(&place, &root);
    println!("{before:?}");
    for count in 2..4 {
        place.daemon.kill();
        place.daemon.resume().await;
        assert_eq!(shown(&place, &root), before, "{}", place.daemon.log());
        assert_eq!(place.modify(&root).await, StatusCode::OK);
        // Its URI names the first, which is there.
        assert_eq!((first.asked(), second.asked()), (0, count), "{}", place.daemon.log());
    }
    // What ended does so for ever.
    let answer = place.ask(&format!("{CONTEXTS}/1/release"), &[("3gpp-sbi-target-apiroot", &root)]).await;
    assert_eq!(answer.status(), StatusCode::OK);
    place.daemon.stop();
    place.daemon.resume().await;
    assert_eq!(place.daemon.tell(&["stats"])["sbi"]["resources"], 0, "{}", place.daemon.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn b5_another_node_of_the_same_store_takes_resources_over() {
    let Some(mut redis) = Server::start(None).await else { return };
    let (mut first, second) = (Smf::start().await, Smf::start().await);
    let mut place = Place::new([&first, &second], Some(&redis.address())).await;
    let root = moved(&place, &mut first, &second).await;
    let before = shown(&place, &root);
    let stored = redis::Value::Array(vec![redis::Value::BulkString(
        format!("pinion:sbi:{}{CONTEXTS}/1", first.address).into_bytes(),
    )]);
    until(async || redis.ask(&["KEYS", "*"]).await == stored).await;
    // A store that begins anew is told all once more.
    redis.kill();
    redis.resume().await;
    until(async || redis.ask(&["KEYS", "*"]).await == stored).await;
    place.daemon.kill();

    let other = Place::new([&first, &second], Some(&redis.address())).await;
    assert_eq!(shown(&other, &root), before, "{}", other.daemon.log());
    assert_eq!(other.modify(&root).await, StatusCode::OK);
    assert_eq!((first.asked(), second.asked()), (0, 2), "{}", other.daemon.log());
    // It ends for all.
    let release = format!("{CONTEXTS}/1/release");
    assert_eq!(other.ask(&release, &[("3gpp-sbi-target-apiroot", &root)]).await.status(), StatusCode::OK);
    until(async || redis.ask(&["KEYS", "*"]).await == redis::Value::Array(Vec::new())).await;
    let third = Place::new([&first, &second], Some(&redis.address())).await;
    assert_eq!(third.daemon.tell(&["stats"])["sbi"]["resources"], 0, "{}", third.daemon.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn d6_a_producer_that_is_drained_is_so_after_a_restart_and_a_crash() {
    let (first, second) = (Smf::start().await, Smf::start().await);
    let mut place = Place::new([&first, &second], None).await;
    assert_eq!(place.create().await, first.root());
    let name = first.address.to_string();
    place.daemon.tell(&["drain", &name]);
    place.daemon.stop();
    place.daemon.resume().await;
    assert_eq!(place.create().await, second.root(), "{}", place.daemon.log());
    place.daemon.kill();
    place.daemon.resume().await;
    assert_eq!(place.create().await, second.root(), "{}", place.daemon.log());
    place.daemon.tell(&["drain", "--undo", &name]);
    place.daemon.kill();
    place.daemon.resume().await;
    assert_eq!(place.create().await, first.root(), "{}", place.daemon.log());
}

/// A client that goes to the other node finds its resource, both nodes running all the time.
#[tokio::test(flavor = "multi_thread")]
async fn b5_nodes_that_run_learn_of_each_others_resources() {
    let Some(mut redis) = Server::start(None).await else { return };
    let (mut first, second) = (Smf::start().await, Smf::start().await);
    let one = Place::new([&first, &second], Some(&redis.address())).await;
    let other = Place::new([&first, &second], Some(&redis.address())).await;
    let resources = |place: &Place| place.daemon.tell(&["stats"])["sbi"]["resources"].clone();
    let root = moved(&one, &mut first, &second).await;
    until(async || shown(&other, &root) == shown(&one, &root)).await;
    assert_eq!(other.modify(&root).await, StatusCode::OK);
    assert_eq!((first.asked(), second.asked()), (0, 2), "{}", other.daemon.log());
    // It ends for both.
    let release = async |place: &Place| {
        let release = format!("{CONTEXTS}/1/release");
        assert_eq!(place.ask(&release, &[("3gpp-sbi-target-apiroot", &root)]).await.status(), StatusCode::OK);
    };
    release(&other).await;
    until(async || resources(&one) == 0).await;
    // And so after the store was away, the other way round.
    redis.kill();
    assert_eq!(other.create().await, root);
    redis.resume().await;
    until(async || resources(&one) == 1).await;
    release(&one).await;
    until(async || resources(&other) == 0).await;
}

/// With the rights that are told, and no others.
#[tokio::test(flavor = "multi_thread")]
async fn b5_a_user_of_the_store_needs_no_more_than_is_told() {
    let Some(redis) = Server::start(None).await else { return };
    let rights = "~pinion:* &pinion:sbi +@read +@write +@connection +@pubsub +@scripting +info";
    let user: Vec<_> = "ACL SETUSER pinion on >secret".split(' ').chain(rights.split(' ')).collect();
    assert_eq!(redis.ask(&user).await, redis::Value::Okay);
    let address = format!("{}?user=pinion&pass=secret", redis.address());
    let (mut first, second) = (Smf::start().await, Smf::start().await);
    let one = Place::new([&first, &second], Some(&address)).await;
    let other = Place::new([&first, &second], Some(&address)).await;
    let root = moved(&one, &mut first, &second).await;
    until(async || shown(&other, &root) == shown(&one, &root)).await;
    let third = Place::new([&first, &second], Some(&address)).await;
    assert_eq!(shown(&third, &root), shown(&one, &root), "{}", third.daemon.log());
}
