//! Two endpoints with two paths between them.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use pinion_networks::missing::probe;
use pinion_networks::namespace::{Namespace, Veth};
use pinion_transport::link::{self, Interface, Link};
use pinion_transport::memory::Network;
use pinion_transport::userspace::Userspace;
use pinion_transport::{Config, Transport};

/// Addresses of the client and of the server, one a path.
pub(crate) const CLIENT: [IpAddr; 2] = [v4([10, 1, 0, 1]), v4([10, 2, 0, 1])];
pub(crate) const SERVER: [IpAddr; 2] = [v4([10, 1, 0, 2]), v4([10, 2, 0, 2])];
const LENGTH: u8 = 24;

/// What a part of the suite runs on.
pub(crate) struct Bed {
    /// None while there is no client.
    pub(crate) client: Option<Box<dyn Transport>>,
    pub(crate) server: Box<dyn Transport>,
    join: Box<dyn Fn() -> Box<dyn Transport>>,
    switch: Box<dyn Fn(usize, bool)>,
}

impl Bed {
    pub(crate) fn client(&self) -> &dyn Transport {
        self.client.as_deref().unwrap()
    }

    /// Another client comes in place of the one that there was, which does not get to say anything.
    pub(crate) fn replace_client(&mut self) {
        for path in 0..2 {
            self.cut(path);
        }
        self.client = None;
        self.client = Some((self.join)());
        for path in 0..2 {
            self.restore(path);
        }
    }

    pub(crate) fn cut(&self, path: usize) {
        (self.switch)(path, false);
    }

    pub(crate) fn restore(&self, path: usize) {
        (self.switch)(path, true);
    }
}

/// Timers that notice a dead path within a second.
fn config() -> Config {
    Config {
        rto_initial: Duration::from_millis(100),
        rto_min: Duration::from_millis(50),
        rto_max: Duration::from_millis(200),
        heartbeat_interval: Some(Duration::from_millis(200)),
        path_max_retransmissions: 2,
        association_max_retransmissions: 6,
        max_init_retransmissions: 4,
        outbound_streams: 100,
        ..Config::default()
    }
}

type Part = fn(Bed) -> Pin<Box<dyn Future<Output = ()>>>;

/// In one process, with a clock that jumps to whatever comes next.
pub(crate) fn memory(part: Part) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let _inside = runtime.enter();
    let network = Network::default();
    let server = Box::new(network.join(&SERVER, config()));
    let joined = network.clone();
    let join = move || -> Box<dyn Transport> { Box::new(joined.join(&CLIENT, config())) };
    let switch = move |path: usize, on| if on { network.restore(SERVER[path]) } else { network.cut(SERVER[path]) };
    let bed = Bed { client: Some(join()), server, join: Box::new(join), switch: Box::new(switch) };
    runtime.block_on(part(bed));
}

/// Over packet sockets in two namespaces.
pub(crate) fn userspace(part: Part) {
    if let Err(missing) = probe() {
        println!("skipped: {missing}");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let [client, server] = [Namespace::new().unwrap(), Namespace::new().unwrap()];
    let names = ["path1", "path2"];
    for name in names {
        client.link_to(&server, &Veth::named(name, name)).unwrap();
    }
    let handle = runtime.handle().clone();
    let open = move |namespace: &Namespace, addresses: [IpAddr; 2]| -> Box<dyn Transport> {
        let opened = namespace.run(|| {
            let _inside = handle.enter();
            let links = names.into_iter().zip(addresses).map(|(name, address)| {
                let interface = Interface::find(name).unwrap();
                Link::open(&interface, link::Config::new(interface.mac, vec![(address, LENGTH)])).unwrap()
            });
            Userspace::start(links.collect(), &config()).unwrap()
        });
        Box::new(opened.unwrap())
    };
    let server_end = open(&server, SERVER);
    let first = open(&client, CLIENT);
    let client = std::rc::Rc::new(client);
    let joined = std::rc::Rc::clone(&client);
    let join = move || open(&joined, CLIENT);
    let switch = move |path: usize, on| client.set_up(names[path], on).unwrap();
    let bed = Bed { client: Some(first), server: server_end, join: Box::new(join), switch: Box::new(switch) };
    runtime.block_on(part(bed));
    drop(server);
}

const fn v4([a, b, c, d]: [u8; 4]) -> IpAddr {
    IpAddr::V4(std::net::Ipv4Addr::new(a, b, c, d))
}
