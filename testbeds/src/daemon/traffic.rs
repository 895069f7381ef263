use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::failure::Failure;
use crate::peers::{Echoes, tcp, udp};
use crate::scenario::Service;
use crate::topology::Host;

/// How long an answer is waited for.
const WAIT: Duration = Duration::from_secs(2);
/// Messages of one exchange, and their length in bytes.
const MESSAGES: u64 = 5;
const LENGTH: usize = 64;
/// Time between two exchanges of a flow.
const PAUSE: Duration = Duration::from_millis(5);

/// Flows that exchange messages without end, each on a thread of its own.
#[derive(Debug, Default)]
pub struct Traffic {
    stop: Arc<AtomicBool>,
    threads: Vec<(String, JoinHandle<Result<Echoes, Failure>>)>,
}

/// What became of a flow.
#[derive(Debug)]
pub struct Flow {
    /// Who it is.
    pub name: String,
    /// What came back to it.
    pub echoes: Echoes,
}

impl Traffic {
    /// Adds `each` UDP flows of every client, from `port` on.
    ///
    /// # Errors
    ///
    /// [`Failure::Socket`].
    pub fn udp(&mut self, clients: &[Host], service: &Service, port: u16, each: u16) -> Result<(), Failure> {
        for host in clients {
            for port in port..port.saturating_add(each) {
                let address =
                    host.addresses(service.v6).first().copied().unwrap_or(std::net::Ipv4Addr::LOCALHOST.into());
                let mut client = udp::Client::bind(&host.namespace, SocketAddr::new(address, port))?;
                let to = service.socket();
                self.add(format!("{} udp {port}", host.name), move || client.exchange(to, MESSAGES, LENGTH, WAIT));
            }
        }
        Ok(())
    }

    /// Adds `each` TCP connections of every client.
    ///
    /// # Errors
    ///
    /// [`Failure::Socket`].
    pub fn tcp(&mut self, clients: &[Host], service: &Service, each: u16) -> Result<(), Failure> {
        for host in clients {
            for number in 0..each {
                let mut client = tcp::Client::connect(&host.namespace, service.socket(), WAIT)?;
                self.add(format!("{} tcp {number}", host.name), move || client.exchange(MESSAGES, LENGTH, WAIT));
            }
        }
        Ok(())
    }

    /// Adds a flow that calls `exchange` again and again.
    pub fn add(&mut self, name: String, mut exchange: impl FnMut() -> Result<Echoes, Failure> + Send + 'static) {
        let stop = Arc::clone(&self.stop);
        let thread = thread::spawn(move || {
            let mut all = Echoes::default();
            while !stop.load(Ordering::Acquire) {
                all.add(exchange()?);
                thread::sleep(PAUSE);
            }
            Ok(all)
        });
        self.threads.push((name, thread));
    }

    /// Ends all flows; what became of each.
    ///
    /// # Errors
    ///
    /// The first failure of a flow's own socket.
    pub fn finish(mut self) -> Result<Vec<Flow>, Failure> {
        self.stop.store(true, Ordering::Release);
        let mut flows = Vec::new();
        for (name, thread) in self.threads.drain(..) {
            let echoes = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            flows.push(Flow { name, echoes });
        }
        Ok(flows)
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}
