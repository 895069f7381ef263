//! Two endpoints with two paths between them.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use pinion_networks::missing::probe;
use pinion_networks::namespace::{Namespace, Veth};
use pinion_transport::kernel::{Kernel, is_available};
use pinion_transport::link::{self, Interface, Link};
use pinion_transport::memory::Network;
use pinion_transport::userspace::Userspace;
use pinion_transport::{Association, Config, Connect, Listen, Listener, RequestError, Transport};
use tokio::runtime::Handle;

/// Addresses of the client and of the server, one a path.
pub(crate) const CLIENT: [IpAddr; 2] = [v4([10, 1, 0, 1]), v4([10, 2, 0, 1])];
pub(crate) const SERVER: [IpAddr; 2] = [v4([10, 1, 0, 2]), v4([10, 2, 0, 2])];
const LENGTH: u8 = 24;

/// What a part of the suite runs on.
pub(crate) struct Bed {
    /// None while there is no client.
    pub(crate) client: Option<Box<dyn Transport>>,
    pub(crate) server: Box<dyn Transport>,
    /// Whether a message that was given up is told of: Linux does not.
    pub(crate) tells_failures: bool,
    join: Box<dyn Fn() -> Box<dyn Transport>>,
    switch: Box<dyn Fn(usize, bool)>,
}

impl Bed {
    pub(crate) fn client(&self) -> &dyn Transport {
        self.client.as_deref().unwrap()
    }

    /// Another client comes in place of the one that there was, with its associations, of which nothing is
    /// heard any more.
    pub(crate) async fn replace_client(&mut self, old: Association) {
        for path in 0..2 {
            self.cut(path);
        }
        drop(old);
        self.client = None;
        tokio::time::sleep(Duration::from_millis(100)).await;
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
    let bed =
        Bed { client: Some(join()), server, tells_failures: true, join: Box::new(join), switch: Box::new(switch) };
    runtime.block_on(part(bed));
}

/// Over packet sockets in two namespaces.
pub(crate) fn userspace(part: Part) {
    in_namespaces(part, true, |namespace, handle, addresses| {
        let opened = namespace.run(|| {
            let _inside = handle.enter();
            let links = NAMES.into_iter().zip(addresses).map(|(name, address)| {
                let interface = Interface::find(name).unwrap();
                Link::open(&interface, link::Config::new(interface.mac, vec![(address, LENGTH)])).unwrap()
            });
            Userspace::start(links.collect(), &config()).unwrap()
        });
        Box::new(opened.unwrap())
    });
}

/// By the kernel of two namespaces, where it has SCTP.
pub(crate) fn kernel(part: Part) {
    if !is_available() {
        println!("skipped: the kernel has no SCTP (a User-Mode Linux may: see `the_kernel_conforms`)");
        return;
    }
    in_namespaces(part, false, |namespace, handle, addresses| {
        for (name, address) in NAMES.into_iter().zip(addresses) {
            // The second client in a test finds them there.
            let _ = namespace.add_address(name, address, LENGTH);
        }
        Box::new(Inside {
            namespace: Arc::clone(namespace),
            handle: handle.clone(),
            addresses,
            kernel: Kernel::new(config()),
        })
    });
}

/// The kernel's SCTP as a namespace has it: sockets belong to the thread that makes them.
#[derive(Debug)]
struct Inside {
    namespace: Arc<Namespace>,
    handle: Handle,
    addresses: [IpAddr; 2],
    kernel: Kernel,
}

impl Inside {
    /// All of the namespace's, and no loopback, where none is asked for.
    fn addresses(&self, asked: Vec<IpAddr>) -> Vec<IpAddr> {
        if asked.is_empty() { self.addresses.to_vec() } else { asked }
    }
}

impl Transport for Inside {
    fn listen(&self, listen: Listen) -> Result<Listener, RequestError> {
        let listen = Listen { addresses: self.addresses(listen.addresses), ..listen };
        let listening = self.namespace.run(|| {
            let _inside = self.handle.enter();
            self.kernel.listen(listen)
        });
        listening.unwrap()
    }

    fn connect(&self, connect: Connect) -> Result<Association, RequestError> {
        let connect = Connect { addresses: self.addresses(connect.addresses), ..connect };
        let connecting = self.namespace.run(|| {
            let _inside = self.handle.enter();
            self.kernel.connect(connect)
        });
        connecting.unwrap()
    }
}

/// Names of the veths' ends, one a path.
const NAMES: [&str; 2] = ["path1", "path2"];

fn in_namespaces(
    part: Part,
    tells_failures: bool,
    open: impl Fn(&Arc<Namespace>, &Handle, [IpAddr; 2]) -> Box<dyn Transport> + 'static,
) {
    if let Err(missing) = probe() {
        println!("skipped: {missing}");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let [client, server] = [(); 2].map(|()| Arc::new(Namespace::new().unwrap()));
    for name in NAMES {
        client.link_to(&server, &Veth::named(name, name)).unwrap();
    }
    let handle = runtime.handle().clone();
    let server_end = open(&server, &handle, SERVER);
    let first = open(&client, &handle, CLIENT);
    let joined = Arc::clone(&client);
    let join = move || open(&joined, &handle, CLIENT);
    let switch = move |path: usize, on| client.set_up(NAMES[path], on).unwrap();
    let bed = Bed {
        client: Some(first),
        server: server_end,
        tells_failures,
        join: Box::new(join),
        switch: Box::new(switch),
    };
    runtime.block_on(part(bed));
}

const fn v4([a, b, c, d]: [u8; 4]) -> IpAddr {
    IpAddr::V4(std::net::Ipv4Addr::new(a, b, c, d))
}
