//! A socket that associations come in at.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::time::{Sleep, sleep};

use super::carried::Carried;
use super::registered;
use crate::Association;
use crate::association::Ends;
use crate::listener::Source;

/// How long nothing is accepted after the system refused to, as it does when files run out: what comes in
/// stays in its queue, which would be ready over and over.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Accepting {
    socket: UdpSocket,
    port: u16,
    largest: u32,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Accepting {
    pub(super) fn new(socket: UdpSocket, port: u16, largest: u32) -> Self {
        Self { socket, port, largest, pause: None }
    }

    fn accept(&self) -> io::Result<Association> {
        let accepted = self.socket.try_io(Interest::READABLE, || SockRef::from(&self.socket).accept());
        let (socket, peer) = accepted?;
        let remote_port = peer.as_socket().map_or(0, |address| address.port());
        let ends = Ends { local_port: self.port, remote_port };
        socket.set_nonblocking(true)?;
        Ok(Association::new(Carried::new(registered(socket)?, ends, self.largest, true)))
    }
}

impl Source for Accepting {
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<Option<Association>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            if ready!(self.socket.poll_recv_ready(context)).is_err() {
                return Poll::Ready(None);
            }
            match self.accept() {
                Ok(association) => return Poll::Ready(Some(association)),
                Err(error) => match error.kind() {
                    // Nobody is there, or not any more.
                    ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::ConnectionAborted => {}
                    _ => self.pause = Some(Box::pin(sleep(PAUSE))),
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::mpsc;

    use tokio::time::timeout;

    use super::*;

    /// Polls of a listener in ten pauses, whose socket is readable and gives nothing (EOPNOTSUPP).
    fn polls() -> u32 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let socket = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
            socket.send_to(b"come in", socket.local_addr().unwrap()).await.unwrap();
            socket.readable().await.unwrap();
            let mut accepting = Accepting::new(socket, 1, 1);
            let mut polls = 0;
            let accepted = poll_fn(|context| {
                polls += 1;
                accepting.poll_accept(context)
            });
            assert!(timeout(PAUSE * 10, accepted).await.is_err());
            polls
        })
    }

    #[test]
    fn it_pauses_when_the_system_accepts_nothing() {
        // In a thread, as without a pause it would never return.
        let (done, polled) = mpsc::channel();
        std::thread::spawn(move || done.send(polls()));
        let polled = polled.recv_timeout(Duration::from_secs(60)).unwrap();
        assert!((9..=12).contains(&polled), "{polled}");
    }

    #[tokio::test]
    async fn it_takes_what_comes_in() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut accepting = Accepting::new(registered(listener.into()).unwrap(), 7, 1);
        let association = poll_fn(|context| accepting.poll_accept(context)).await.unwrap();
        let remote_port = peer.local_addr().unwrap().port();
        assert_eq!(association.ends(), Ends { local_port: 7, remote_port });
    }
}
