use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use pinion_gtpc::{Counts, EndpointView, FrontEnd, Kept, Output, SessionView, Settings, recovery_after};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::spoken::{Heard, Journal, JournalError, Keyed, LONGEST, answered, read, send};

/// What a front end begins with.
#[derive(Debug)]
pub struct Start {
    /// The service's name.
    pub service: String,
    /// Its GTPv2-C port.
    pub socket: UdpSocket,
    /// What is configured.
    pub settings: Settings,
    /// The folder that is its own, for what outlives the daemon.
    pub folder: PathBuf,
    /// A number that no other start had.
    pub seed: u64,
    /// The time.
    pub now: SystemTime,
}

/// What a front end is asked from outside.
#[derive(Debug)]
pub enum Asked {
    /// To take other settings over.
    Configure(Box<Settings>),
    /// For its sessions behind a number, at the most so many.
    Sessions(Option<u64>, usize, oneshot::Sender<Vec<SessionView>>),
    /// For its endpoints, and what it did so far.
    Endpoints(oneshot::Sender<(Vec<EndpointView>, Counts)>),
}

impl Keyed for Kept {
    const SESSIONS: &str = "GTPv2-C sessions";

    fn written(self) -> (u8, u64) {
        match self {
            Self::FrontEnd => (0, 0),
            Self::Peers => (1, 0),
            Self::Session(number) => (2, number),
        }
    }

    fn read(kind: u8, number: u64) -> Option<Self> {
        match kind {
            0 => Some(Self::FrontEnd),
            1 => Some(Self::Peers),
            2 => Some(Self::Session(number)),
            _ => None,
        }
    }

    fn session(self) -> Option<u64> {
        match self {
            Self::Session(number) => Some(number),
            Self::FrontEnd | Self::Peers => None,
        }
    }
}

/// A front end that runs. It ends with this value.
#[derive(Debug)]
pub struct Host {
    asks: mpsc::Sender<Asked>,
    task: JoinHandle<()>,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Host {
    /// Begins, where the one before ended. `heard` is told of endpoints.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn start(start: Start, heard: impl Fn(Heard) + Send + Sync + 'static) -> Result<Self, JournalError> {
        let Start { service, socket, settings, folder, seed, now } = start;
        let (journal, kept) = Journal::open(&folder)?;
        let front_end = begin(&service, settings, kept, now, seed);
        let (asks, asked) = mpsc::channel(64);
        let running = Running { service, socket, front_end, journal, began: Instant::now(), asked };
        Ok(Self { asks, task: tokio::spawn(running.run(heard)) })
    }

    /// Asks it something; false where it has ended.
    pub async fn ask(&self, what: Asked) -> bool {
        self.asks.send(what).await.is_ok()
    }

    /// Its sessions behind a number, at the most so many.
    pub async fn sessions(&self, after: Option<u64>, most: usize) -> Vec<SessionView> {
        answered(&self.asks, |tell| Asked::Sessions(after, most, tell)).await
    }

    /// Its endpoints, and what it did so far.
    pub async fn endpoints(&self) -> (Vec<EndpointView>, Counts) {
        answered(&self.asks, Asked::Endpoints).await
    }
}

/// The front end where the one before ended, or a new one.
fn begin(service: &str, settings: Settings, kept: BTreeMap<Kept, Bytes>, now: SystemTime, seed: u64) -> FrontEnd {
    // Peers are to see another counter than before. Where none is known, one that moves on with the time.
    let minutes = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs() / 60;
    let [.., by_time] = minutes.to_be_bytes();
    let recovery = kept.get(&Kept::FrontEnd).and_then(|value| recovery_after(value)).unwrap_or(by_time);
    if kept.is_empty() {
        return FrontEnd::new(settings, recovery, seed);
    }
    match FrontEnd::take_over(settings.clone(), kept, seed) {
        Ok(front_end) => {
            tracing::info!(
                service,
                sessions = front_end.session_count(),
                "GTPv2-C sessions go on where they were"
            );
            front_end
        }
        Err(error) => {
            tracing::error!(service, %error, "GTPv2-C sessions are lost: peers are told by another restart counter");
            FrontEnd::new(settings, recovery, seed)
        }
    }
}

struct Running {
    service: String,
    socket: UdpSocket,
    front_end: FrontEnd,
    journal: Journal<Kept>,
    began: Instant,
    asked: mpsc::Receiver<Asked>,
}

impl Running {
    async fn run(mut self, heard: impl Fn(Heard)) {
        let mut buffer = vec![0; LONGEST];
        loop {
            self.put_out(&heard).await;
            let wait = self.front_end.next().saturating_sub(self.now());
            tokio::select! {
                asked = self.asked.recv() => match asked {
                    Some(asked) => self.answer(asked),
                    None => return,
                },
                ready = self.socket.readable() => match ready {
                    Ok(()) => self.read(&mut buffer),
                    Err(error) => tracing::error!(service = self.service, %error, "the GTPv2-C port cannot be read"),
                },
                () = std::future::ready(()), if self.journal.is_walking() => {
                    let front_end = &self.front_end;
                    self.journal.walk(|after| front_end.kept(after));
                }
                () = tokio::time::sleep(wait) => self.front_end.tick(self.now()),
            }
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn read(&mut self, buffer: &mut [u8]) {
        let Self { socket, service, front_end, began, .. } = self;
        read(socket, service, buffer, |from, datagram| front_end.receive(began.elapsed(), from, datagram));
    }

    fn answer(&mut self, asked: Asked) {
        // Whoever asked may have gone meanwhile.
        match asked {
            Asked::Configure(settings) => self.front_end.configure(*settings),
            Asked::Sessions(after, most, tell) => {
                let _ = tell.send(self.front_end.sessions(after).take(most).collect());
            }
            Asked::Endpoints(tell) => {
                let _ = tell.send((self.front_end.endpoints().collect(), self.front_end.counts()));
            }
        }
    }

    /// Does what the front end says. All that is to be kept goes first: one write is enough for a turn, and what is done
    /// is never ahead of it.
    async fn put_out(&mut self, heard: &impl Fn(Heard)) {
        let mut outputs = Vec::new();
        while let Some(output) = self.front_end.output() {
            match output {
                Output::Keep { of, value } => self.journal.keep(of, value.as_deref()),
                other => outputs.push(other),
            }
        }
        self.journal.flush();
        for output in outputs {
            match output {
                // It is kept by now.
                Output::Keep { .. } => {}
                Output::Send { to, bytes } => send(&self.socket, &self.service, to, &bytes).await,
                Output::Endpoint { name, up, why } => heard(Heard { endpoint: name, up, why }),
            }
        }
    }
}
