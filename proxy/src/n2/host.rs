use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pinion_n2::{
    AmfView, Answerer, Candidate, Counts, FrontEnd, GnbView, Identity, Latency, Leg, Output, Placement, Settings,
    UeView,
};
use pinion_protocols::ngap::Procedure;
use pinion_transport::{Association, Connect, Listen, Listener, RequestError, Transport};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::PORT;
use super::association::{Ear, Line, News};
use super::carrier::Quiet;
use crate::spoken::{Heard, answered};

/// News that wait for the front end; then associations are read no further.
const NEWS: usize = 1_024;

/// How long peers have to agree to the end of their associations.
const LEAVING: Duration = Duration::from_secs(3);

/// What a front end begins with.
#[derive(Debug)]
pub struct Start {
    /// The service's name.
    pub service: String,
    /// Whose SCTP is used.
    pub transport: Box<dyn Transport>,
    /// What is configured.
    pub told: Told,
    /// A number that no other start had.
    pub seed: u64,
}

/// What a front end is told by its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Own addresses; all of the transport's where none is given.
    pub here: Vec<IpAddr>,
    /// Where AMFs are, by name; one that is nowhere is taken to be gone.
    pub addresses: HashMap<Arc<str>, Vec<IpAddr>>,
    /// What the front end itself is told.
    pub settings: Settings,
}

/// Why a front end does not begin.
#[derive(Debug, thiserror::Error)]
#[error("service {service}: SCTP port {PORT}: {error}")]
pub struct StartError {
    service: String,
    error: RequestError,
}

/// What a front end is asked from outside.
#[derive(Debug)]
pub enum Asked {
    /// To take other settings over.
    Configure(Box<Told>),
    /// For its UEs behind a number, at the most so many.
    Ues(Option<u64>, usize, oneshot::Sender<Vec<UeView>>),
    /// For what its rules say of each AMF for a UE, by number.
    Judged(u64, oneshot::Sender<Vec<Candidate>>),
    /// For where a UE of an identity would go.
    Placements(Identity, oneshot::Sender<Vec<Placement>>),
    /// For how it goes.
    Shown(oneshot::Sender<Shown>),
    /// To shut its associations down, and to end.
    Leave(oneshot::Sender<()>),
}

/// How a front end goes.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// Its gNBs.
    pub gnbs: Vec<GnbView>,
    /// Its AMFs.
    pub amfs: Vec<AmfView>,
    /// How many UEs it has.
    pub ues: usize,
    /// What it did so far.
    pub counts: Counts,
    /// Messages that came from gNBs and from AMFs, by procedure.
    pub messages: Vec<(Procedure, u64, u64)>,
    /// How long answers took, by procedure and by who gave them.
    pub latencies: Vec<(Procedure, Answerer, Latency)>,
}

/// A front end that runs. It ends with this value.
#[derive(Debug)]
pub struct Host {
    asks: mpsc::Sender<Asked>,
    task: JoinHandle<()>,
    quiet: Mutex<Option<Quiet>>,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Host {
    /// Begins; `heard` is told of AMFs. To be called within a tokio runtime.
    ///
    /// # Errors
    /// [`StartError`]: the port cannot be listened on.
    pub fn start(start: Start, heard: impl Fn(Heard) + Send + Sync + 'static) -> Result<Self, StartError> {
        let Start { service, transport, told, seed } = start;
        let listen = Listen { addresses: told.here.clone(), ..Listen::on(PORT) };
        let listener = match transport.listen(listen) {
            Ok(listener) => listener,
            Err(error) => return Err(StartError { service, error }),
        };
        let (asks, asked) = mpsc::channel(64);
        let (tell, news) = mpsc::channel(NEWS);
        let Told { here, addresses, settings } = told;
        let running = Running {
            service,
            transport,
            listener,
            front_end: FrontEnd::new(settings, seed),
            here,
            addresses,
            lines: HashMap::new(),
            accepted: 0,
            began: Instant::now(),
            ear: Ear::new(tell),
            heard: Box::new(heard),
        };
        Ok(Self { asks, task: tokio::spawn(running.run(asked, news)), quiet: Mutex::default() })
    }

    /// Has the kernel leave its addresses alone as long as it lives.
    #[must_use]
    pub fn quietly(mut self, quiet: Option<Quiet>) -> Self {
        self.quiet = Mutex::new(quiet);
        self
    }

    /// Shuts its associations down (RFC 9260 9.2) and ends: once peers have agreed, or were waited for long enough.
    pub async fn leave(&self) {
        answered(&self.asks, Asked::Leave).await;
        if let Some(quiet) = self.quiet.lock().await.take() {
            quiet.end().await;
        }
    }

    /// Asks it something; false where it has ended.
    pub async fn ask(&self, what: Asked) -> bool {
        self.asks.send(what).await.is_ok()
    }

    /// Its UEs behind a number, at the most so many.
    pub async fn ues(&self, after: Option<u64>, most: usize) -> Vec<UeView> {
        answered(&self.asks, |tell| Asked::Ues(after, most, tell)).await
    }

    /// What its rules say of each AMF for a UE, by number.
    pub async fn judged(&self, number: u64) -> Vec<Candidate> {
        answered(&self.asks, |tell| Asked::Judged(number, tell)).await
    }

    /// Where a UE of an identity would go.
    pub async fn placements(&self, identity: Identity) -> Vec<Placement> {
        answered(&self.asks, |tell| Asked::Placements(identity, tell)).await
    }

    /// How it goes.
    pub async fn shown(&self) -> Shown {
        answered(&self.asks, Asked::Shown).await
    }
}

struct Running {
    service: String,
    transport: Box<dyn Transport>,
    listener: Listener,
    front_end: FrontEnd,
    /// Own addresses.
    here: Vec<IpAddr>,
    /// Where AMFs are.
    addresses: HashMap<Arc<str>, Vec<IpAddr>>,
    lines: HashMap<Leg, Line>,
    /// Counts associations of gNBs.
    accepted: u64,
    began: Instant,
    ear: Ear,
    heard: Box<dyn Fn(Heard) + Send + Sync>,
}

impl Running {
    async fn run(mut self, mut asked: mpsc::Receiver<Asked>, mut news: mpsc::Receiver<News>) {
        loop {
            self.put_out();
            let wait = self.front_end.next().saturating_sub(self.now());
            tokio::select! {
                asked = asked.recv() => match asked {
                    Some(Asked::Leave(tell)) => {
                        self.leave(news).await;
                        // Whoever asked may have gone meanwhile.
                        let _ = tell.send(());
                        return;
                    }
                    Some(asked) => self.answer(asked),
                    None => return,
                },
                accepted = self.listener.accept() => match accepted {
                    Some(association) => self.accept(association),
                    None => {
                        tracing::error!(service = self.service, "the SCTP transport has ended");
                        return;
                    }
                },
                // There is a sender as long as this lives.
                Some(news) = news.recv() => self.take(news),
                () = tokio::time::sleep(wait) => self.front_end.tick(self.now()),
            }
        }
    }

    /// Has every association shut down, and waits until they are.
    async fn leave(mut self, mut news: mpsc::Receiver<News>) {
        drop(self.listener);
        let lines = &mut self.lines;
        lines.values_mut().for_each(Line::shutdown);
        let ended = async {
            while !lines.is_empty() {
                if let Some(News::Ended(leg)) = news.recv().await {
                    lines.remove(&leg);
                }
            }
        };
        if timeout(LEAVING, ended).await.is_err() {
            tracing::warn!(service = self.service, associations = lines.len(), "peers did not agree to the end");
            lines.values().for_each(|line| line.abort(b"it has waited long enough"));
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn accept(&mut self, association: Association) {
        self.accepted += 1;
        self.follow(Leg::Gnb(self.accepted), None, association);
    }

    fn follow(&mut self, leg: Leg, amf: Option<Arc<str>>, association: Association) {
        self.lines.insert(leg, Line::new(leg, amf, association, self.ear.clone()));
    }

    /// Ends associations to AMFs that are nowhere: SCTP alone would wait for them much longer.
    fn leave_gone(&mut self) {
        let Self { lines, addresses, .. } = self;
        let is_gone = |line: &Line| line.amf().and_then(|amf| addresses.get(amf)).is_some_and(Vec::is_empty);
        let mut gone: Vec<_> = lines.extract_if(|_, line| is_gone(line)).collect();
        gone.sort_unstable_by_key(|(leg, _)| *leg);
        for (leg, line) in gone {
            line.abort(b"no answer to probes");
            self.front_end.closed(self.now(), leg);
        }
    }

    fn take(&mut self, news: News) {
        let now = self.now();
        match news {
            // What is no longer wanted.
            News::Established(leg, _) | News::Message(leg, ..) if !self.lines.contains_key(&leg) => {}
            News::Established(leg @ Leg::Gnb(association), streams) => {
                let peer = self.lines.get(&leg).map(Line::peer).unwrap_or_default();
                if self.front_end.admits(&peer) {
                    self.front_end.accepted(now, association, streams);
                } else if let Some(line) = self.lines.remove(&leg) {
                    tracing::warn!(
                        service = self.service,
                        ?peer,
                        "an association is refused: not from these addresses"
                    );
                    line.abort(b"not from these addresses");
                }
            }
            News::Established(Leg::Amf(upstream), streams) => self.front_end.connected(now, upstream, streams),
            News::Message(leg, message, room) => {
                self.front_end.receive(now, leg, message.stream, message.protocol, &message.payload);
                drop(room);
            }
            News::Ended(leg) => {
                if self.lines.remove(&leg).is_some() {
                    self.front_end.closed(now, leg);
                }
            }
        }
    }

    fn answer(&mut self, asked: Asked) {
        // Whoever asked may have gone meanwhile.
        match asked {
            Asked::Configure(told) => {
                let Told { here, addresses, settings } = *told;
                (self.here, self.addresses) = (here, addresses);
                self.front_end.configure(self.now(), settings);
                self.leave_gone();
            }
            // What ends it is no question to it.
            Asked::Leave(_) => {}
            Asked::Ues(after, most, tell) => {
                let _ = tell.send(self.front_end.ues(after).take(most).collect());
            }
            Asked::Judged(number, tell) => {
                let _ = tell.send(self.front_end.judged(number));
            }
            Asked::Placements(identity, tell) => {
                let _ = tell.send(self.front_end.placements(identity));
            }
            Asked::Shown(tell) => {
                let _ = tell.send(Shown {
                    gnbs: self.front_end.gnbs().collect(),
                    amfs: self.front_end.amfs().collect(),
                    ues: self.front_end.ue_count(),
                    counts: self.front_end.counts(),
                    messages: self.front_end.messages().collect(),
                    latencies: self.front_end.latencies().map(|(it, by, latency)| (it, by, *latency)).collect(),
                });
            }
        }
    }

    fn put_out(&mut self) {
        while let Some(output) = self.front_end.output() {
            match output {
                Output::Send { leg, stream, bytes } => self.send(leg, stream, bytes),
                Output::Open { upstream, amf } => self.open(upstream, &amf),
                Output::Close { leg } => {
                    if let Some(mut line) = self.lines.remove(&leg) {
                        line.shutdown();
                    }
                }
                Output::Amf { name, up, why } => (self.heard)(Heard { endpoint: name, up, why }),
            }
        }
    }

    fn send(&mut self, leg: Leg, stream: u16, bytes: bytes::Bytes) {
        let taken = self.lines.get(&leg).map(|line| line.send(stream, bytes));
        if taken == Some(false) {
            tracing::warn!(service = self.service, ?leg, "an association takes no more messages, and is ended");
            if let Some(line) = self.lines.remove(&leg) {
                line.abort(b"too many messages wait");
            }
            self.front_end.closed(self.now(), leg);
        }
    }

    fn open(&mut self, upstream: u64, amf: &Arc<str>) {
        let remote = self.addresses.get(amf).cloned().unwrap_or_default();
        if remote.is_empty() {
            return self.front_end.closed(self.now(), Leg::Amf(upstream));
        }
        let connect = Connect { addresses: self.here.clone(), ..Connect::to(remote, PORT) };
        match self.transport.connect(connect) {
            Ok(association) => self.follow(Leg::Amf(upstream), Some(Arc::clone(amf)), association),
            Err(error) => {
                tracing::warn!(service = self.service, amf = &**amf, %error, "no association to an AMF");
                self.front_end.closed(self.now(), Leg::Amf(upstream));
            }
        }
    }
}
