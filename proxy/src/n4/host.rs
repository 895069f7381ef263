use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use pinion_n4::{Counts, FrontEnd, Kept, Output, SessionView, Settings, TakeError, UpfView};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::commit::{self, Done, Job};
use super::store::{Behind, N4Store};
use crate::sessions::{Installed, Names, Table};
use crate::spoken::{Heard, Journal, JournalError, Keyed, LONGEST, answered, read, send};

/// Seconds from 1900, where PFCP's time begins, to 1970 (RFC 5905 6).
const BEFORE_UNIX: u64 = 2_208_988_800;

/// What a front end begins with.
pub struct Start {
    /// The service's name.
    pub service: String,
    /// Its PFCP port.
    pub socket: UdpSocket,
    /// What is configured.
    pub settings: Settings,
    /// Where its tunnels are pinned.
    pub table: Table,
    /// The folder that is its own, for what outlives the daemon.
    pub folder: PathBuf,
    /// Where other nodes find it too, if anywhere.
    pub store: Option<N4Store>,
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
    /// For its sessions behind a SEID, at the most so many.
    Sessions(Option<u64>, usize, oneshot::Sender<Vec<SessionView>>),
    /// To leave its peers, and to say when it has: nothing is kept of it then.
    Leave(oneshot::Sender<()>),
    /// For its UPFs, and what it did so far.
    Upfs(oneshot::Sender<(Vec<UpfView>, Counts)>),
}

impl Keyed for Kept {
    const SESSIONS: &str = "N4 sessions";

    fn written(self) -> (u8, u64) {
        match self {
            Self::FrontEnd => (0, 0),
            Self::Smf(number) => (1, number.into()),
            Self::Upf(number) => (2, number.into()),
            Self::Session(seid) => (3, seid),
            Self::Pfds(number) => (4, number),
        }
    }

    fn read(kind: u8, number: u64) -> Option<Self> {
        match (kind, u16::try_from(number)) {
            (0, _) => Some(Self::FrontEnd),
            (1, Ok(number)) => Some(Self::Smf(number)),
            (2, Ok(number)) => Some(Self::Upf(number)),
            (3, _) => Some(Self::Session(number)),
            (4, _) => Some(Self::Pfds(number)),
            _ => None,
        }
    }

    fn session(self) -> Option<u64> {
        match self {
            Self::Session(seid) => Some(seid),
            _ => None,
        }
    }
}

/// A front end that runs. It ends with this value.
#[derive(Debug)]
pub struct Host {
    asks: mpsc::Sender<Asked>,
    tasks: Vec<JoinHandle<()>>,
    /// Where other nodes find it too.
    shared: Option<N4Store>,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Host {
    /// Begins, where the one before ended. `names` says what endpoints the packet path knows now, `heard` is told of UPFs.
    ///
    /// # Errors
    /// [`JournalError`].
    pub async fn start(
        start: Start,
        names: impl Fn() -> Arc<Names> + Send + 'static,
        heard: impl Fn(Heard) + Send + Sync + 'static,
    ) -> Result<Self, JournalError> {
        let Start { service, socket, settings, table, folder, store, seed, now } = start;
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        // The count begins anew in 2036, as that of NTP does.
        let stamp = (since.wrapping_add(BEFORE_UNIX) & u64::from(u32::MAX)) as u32;
        let (journal, kept) = Journal::open(&folder)?;
        let is_new = kept.is_empty();
        let kept = match &store {
            Some(store) if is_new => shared(&service, store).await,
            _ => kept,
        };
        let front_end = begin(&service, settings, kept, stamp, seed);
        let goes_on = is_new && front_end.session_count() > 0;
        let shared = store.clone();
        let (behind, writes) = store.map(|store| store.behind(goes_on)).unzip();
        let (asks, asked) = mpsc::channel(64);
        let (jobs, to_commit) = mpsc::unbounded_channel();
        let (done, committed) = mpsc::unbounded_channel();
        let began = Instant::now();
        let running =
            Running { service, socket, front_end, journal, behind, began, asked, jobs, committed, leaves: None };
        let commits = tokio::spawn(commit::run(table, names, to_commit, done));
        let mut tasks = vec![commits, tokio::spawn(running.run(heard))];
        tasks.extend(writes.map(tokio::spawn));
        Ok(Self { asks, tasks, shared })
    }

    /// Asks it something; false where it has ended.
    pub async fn ask(&self, what: Asked) -> bool {
        self.asks.send(what).await.is_ok()
    }

    fn stop(&self) {
        for task in &self.tasks {
            task.abort();
        }
    }

    /// Has it end for good: its sessions end on their UPFs, then its associations do, and nothing is kept of it.
    pub async fn leave(&self) {
        // One that has ended already left its peers when it was to.
        answered(&self.asks, Asked::Leave).await;
        self.stop();
        if let Some(shared) = &self.shared {
            shared.forget().await;
        }
    }

    /// Its sessions behind a SEID, at the most so many.
    pub async fn sessions(&self, after: Option<u64>, most: usize) -> Vec<SessionView> {
        answered(&self.asks, |tell| Asked::Sessions(after, most, tell)).await
    }

    /// Its UPFs, and what it did so far.
    pub async fn upfs(&self) -> (Vec<UpfView>, Counts) {
        answered(&self.asks, Asked::Upfs).await
    }
}

/// What the store has of a service, where another node ended.
async fn shared(service: &str, store: &N4Store) -> BTreeMap<Kept, Bytes> {
    store.read().await.unwrap_or_else(|error| {
        tracing::error!(service, %error, "N4 sessions that the store may have are not taken over");
        BTreeMap::new()
    })
}

/// The front end where the one before ended, or a new one.
fn begin(
    service: &str,
    settings: Settings,
    kept: BTreeMap<Kept, Bytes>,
    stamp: u32,
    seed: u64,
) -> FrontEnd<Arc<Installed>> {
    if kept.is_empty() {
        return FrontEnd::new(settings, stamp, seed);
    }
    match FrontEnd::take_over(settings.clone(), kept, seed) {
        Ok(front_end) => {
            tracing::info!(service, sessions = front_end.session_count(), "N4 sessions go on where they were");
            front_end
        }
        Err(error @ TakeError::Layout(_)) => {
            tracing::warn!(
                service, %error,
                "N4 sessions begin anew: peers are told by another recovery time stamp, and SMFs make them again; nothing else \
                 is to be done"
            );
            FrontEnd::new(settings, stamp, seed)
        }
        Err(error) => {
            tracing::error!(
                service, %error,
                "N4 sessions are lost: peers are told by another recovery time stamp; SMFs make them anew"
            );
            FrontEnd::new(settings, stamp, seed)
        }
    }
}

struct Running {
    service: String,
    socket: UdpSocket,
    front_end: FrontEnd<Arc<Installed>>,
    journal: Journal<Kept>,
    behind: Option<Arc<Behind>>,
    began: Instant,
    asked: mpsc::Receiver<Asked>,
    jobs: mpsc::UnboundedSender<Job>,
    committed: mpsc::UnboundedReceiver<Done>,
    /// Who waits for it to have left its peers.
    leaves: Option<oneshot::Sender<()>>,
}

impl Running {
    async fn run(mut self, heard: impl Fn(Heard)) {
        let mut buffer = vec![0; LONGEST];
        loop {
            self.put_out(&heard).await;
            if self.leaves.is_some() && self.front_end.is_over() {
                return self.end();
            }
            let wait = self.front_end.next().saturating_sub(self.now());
            tokio::select! {
                done = self.committed.recv() => match done {
                    Some(done) => self.done(done),
                    None => return,
                },
                asked = self.asked.recv() => match asked {
                    Some(asked) => self.answer(asked),
                    None => return,
                },
                ready = self.socket.readable() => match ready {
                    Ok(()) => self.read(&mut buffer),
                    Err(error) => tracing::error!(service = self.service, %error, "the PFCP port cannot be read"),
                },
                () = std::future::ready(()), if self.journal.is_walking() => self.walk(),
                () = std::future::ready(()), if self.behind.as_ref().is_some_and(|it| it.is_walking()) => self.share(),
                () = tokio::time::sleep(wait) => self.front_end.tick(self.now()),
            }
        }
    }

    /// Nothing is left of it.
    fn end(self) {
        tracing::info!(service = self.service, "an N4 front end has left its peers");
        self.journal.remove();
        // Whoever waits may need the port.
        drop(self.socket);
        if let Some(tell) = self.leaves {
            let _ = tell.send(());
        }
    }

    fn walk(&mut self) {
        let front_end = &self.front_end;
        self.journal.walk(|after| front_end.kept(after));
    }

    fn share(&self) {
        if let Some(behind) = &self.behind {
            behind.walk(|after| self.front_end.kept(after));
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn read(&mut self, buffer: &mut [u8]) {
        let Self { socket, service, front_end, began, .. } = self;
        read(socket, service, buffer, |from, datagram| front_end.receive(began.elapsed(), from, datagram));
    }

    fn done(&mut self, done: Done) {
        let mut next = Some(done);
        while let Some((batch, proof)) = next {
            match proof {
                Some(proof) => self.front_end.installed(self.now(), batch, proof),
                None => self.front_end.refused(self.now(), batch),
            }
            next = self.committed.try_recv().ok();
        }
    }

    fn answer(&mut self, asked: Asked) {
        // Whoever asked may have gone meanwhile.
        match asked {
            Asked::Configure(settings) => self.front_end.configure(*settings),
            Asked::Leave(tell) => {
                self.front_end.leave(self.now());
                self.leaves = Some(tell);
            }
            Asked::Sessions(after, most, tell) => {
                let _ = tell.send(self.front_end.sessions(after).take(most).collect());
            }
            Asked::Upfs(tell) => {
                let _ = tell.send((self.front_end.upfs().collect(), self.front_end.counts()));
            }
        }
    }

    /// Does what the front end says. All that is to be kept goes first: one write is enough for a turn, and what is done
    /// is never ahead of it.
    async fn put_out(&mut self, heard: &impl Fn(Heard)) {
        let mut outputs = Vec::new();
        while let Some(output) = self.front_end.output() {
            match output {
                Output::Keep { of, value } => {
                    self.journal.keep(of, value.as_deref());
                    if let Some(behind) = &self.behind {
                        behind.keep(of, value);
                    }
                }
                other => outputs.push(other),
            }
        }
        self.journal.flush();
        for output in outputs {
            match output {
                // It is kept by now.
                Output::Keep { .. } => {}
                Output::Send { to, bytes } => send(&self.socket, &self.service, to, &bytes).await,
                // The committer ends with the host alone.
                Output::Commit { batch, changes } => drop(self.jobs.send(Job::Batch(batch, changes))),
                Output::Lead(leads) => drop(self.jobs.send(Job::Lead(leads))),
                Output::Classify(filters) => drop(self.jobs.send(Job::Classify(filters))),
                Output::Upf { name, up, why } => heard(Heard { endpoint: name, up, why }),
            }
        }
    }
}
