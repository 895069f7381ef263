//! A machine with a socket in a namespace.

use std::net::UdpSocket;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Machine;
use crate::failure::Failure;
use crate::namespace::Namespace;
use crate::peers::{LONGEST, Service, State, TICK, udp};

/// A machine that runs on a thread of its own until it is dropped. Its times count from its start.
#[derive(Debug)]
pub struct Running<M> {
    pub(super) shared: Arc<Shared<M>>,
    _service: Service,
}

/// What the threads of a machine share.
#[derive(Debug)]
pub(super) struct Shared<M> {
    machine: Mutex<M>,
    changed: Condvar,
    socket: UdpSocket,
    started: Instant,
}

impl<M: Machine + Send + 'static> Running<M> {
    /// Binds the machine's socket in a namespace that owns its address.
    ///
    /// # Errors
    ///
    /// [`Failure::Socket`].
    pub fn start(namespace: &Namespace, machine: M) -> Result<Self, Failure> {
        let socket = udp::bind(namespace, machine.socket(), TICK)?;
        let (machine, changed) = (Mutex::new(machine), Condvar::new());
        let shared = Arc::new(Shared { machine, changed, socket, started: Instant::now() });
        let mut service = Service::default();
        let (state, of_thread) = (Arc::clone(&service.state), Arc::clone(&shared));
        service.threads.push(thread::spawn(move || of_thread.serve(&state)));
        Ok(Self { shared, _service: service })
    }

    /// Does something with the machine, and sends what it then has to send.
    pub fn with<R>(&self, task: impl FnOnce(&mut M, Duration) -> R) -> R {
        self.shared.with(task)
    }

    /// Waits until something is so; says whether it was within `wait`.
    pub fn until(&self, wait: Duration, mut so: impl FnMut(&M) -> bool) -> bool {
        let machine = self.shared.lock();
        let waited = self.shared.changed.wait_timeout_while(machine, wait, |machine| !so(machine));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

impl<M: Machine> Shared<M> {
    pub(super) fn with<R>(&self, task: impl FnOnce(&mut M, Duration) -> R) -> R {
        let mut machine = self.lock();
        let result = task(&mut machine, self.started.elapsed());
        for datagram in machine.take() {
            // Whether it arrives is what retransmission finds out.
            let _ = self.socket.send_to(&datagram.bytes, datagram.to);
        }
        drop(machine);
        self.changed.notify_all();
        result
    }

    fn serve(&self, state: &State) {
        let mut buffer = vec![0; LONGEST];
        while !state.stopped() {
            let came = self.socket.recv_from(&mut buffer);
            self.with(|machine, now| {
                if let Ok((length, from)) = came {
                    machine.receive(from, buffer.get(..length).unwrap_or_default(), now);
                }
                machine.tick(now);
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, M> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
