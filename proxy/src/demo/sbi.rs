//! The service-based side of the core: an NRF, UDMs and SMFs as HTTP/2 servers, AMFs as clients, and Pinion as the SCP between
//! them. All of it is real, on every stage: sockets of the system's, and time that passes for everybody.

mod amf;
mod book;
pub(crate) mod cast;
pub(crate) mod ground;
mod nrf;
mod producer;
mod server;
mod user;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use hyper::header::HeaderName;
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::error::DemoError;
use super::ledger::Tally;
use amf::Amf;
use book::Book;
use cast::{Function, Kind};
use ground::Ground;
use nrf::Nrf;
use producer::{Producer, Store};
use user::{Mood, User};

/// Users of each AMF.
const USERS: usize = 30;

/// The number of a request, and who answered it: of the demonstration's own.
const NUMBER: HeaderName = HeaderName::from_static("x-request-number");
const BY: HeaderName = HeaderName::from_static("x-answered-by");
const BINDING: HeaderName = HeaderName::from_static("3gpp-sbi-binding");
const TARGET: HeaderName = HeaderName::from_static("3gpp-sbi-target-apiroot");

/// The network functions, but for the SCP.
#[derive(Debug)]
pub(crate) struct Core {
    ground: Ground,
    nrf: Nrf,
    producers: Vec<Producer>,
    stores: BTreeMap<Kind, Store>,
    book: Book,
    mood: watch::Sender<Mood>,
    users: JoinSet<()>,
}

/// How everybody is, to be shown.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// UDMs, then SMFs.
    pub(crate) producers: Vec<ProducerView>,
    /// How often the NRF was asked.
    pub(crate) searches: u64,
    /// What the resources come to.
    pub(crate) tally: Tally,
}

/// A producer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProducerView {
    /// Which.
    pub(crate) function: Function,
    /// Whether it lives.
    pub(crate) alive: bool,
    /// Resources that it answered for last.
    pub(crate) resources: u64,
    /// Requests that it answered.
    pub(crate) answered: u64,
}

/// What the service-based side came to.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SbiSummary {
    /// `sessions` are the resources; `sent` and `answered` are requests of AMFs.
    #[serde(flatten)]
    pub(crate) tally: Tally,
    /// How often the SCP asked the NRF.
    pub(crate) searches: u64,
    /// Requests that were lost and need not have been, were done twice or reached who has nothing to do with them; empty.
    pub(crate) faults: Vec<String>,
}

impl SbiSummary {
    /// Whether nothing was lost that could be saved, and the NRF was not asked for each.
    pub(crate) fn is_as_it_should_be(&self) -> bool {
        let Self { tally, searches, faults } = self;
        tally.is_as_it_should_be()
            && tally.sent == tally.answered.saturating_add(tally.lost)
            && tally.moved > 0
            && faults.is_empty()
            && (1..tally.sessions).contains(searches)
    }
}

impl Core {
    /// Those that are asked, ready to be; nobody asks yet.
    ///
    /// # Errors
    /// What the system refuses.
    pub(crate) fn open(ground: Ground) -> Result<Self, DemoError> {
        let wrong = DemoError::system("a network function");
        let book = Book::new();
        let stores: BTreeMap<_, _> = [Kind::Udm, Kind::Smf].map(|kind| (kind, Store::default())).into();
        let mut producers = Vec::new();
        for function in cast::producers() {
            let listener = ground.listen(function).map_err(&wrong)?;
            let store = stores.get(&function.kind).cloned().unwrap_or_default();
            producers.push(Producer::start(function, listener, &store, &book).map_err(&wrong)?);
        }
        let profiles = producers.iter().map(|it| it.function.profile(it.server.at)).collect();
        let nrf = ground.listen(cast::NRF).and_then(|listener| Nrf::start(listener, profiles)).map_err(&wrong)?;
        let (mood, _) = watch::channel(Mood::Begin);
        Ok(Self { ground, nrf, producers, stores, book, mood, users: JoinSet::new() })
    }

    /// Where the NRF listens.
    pub(crate) fn nrf(&self) -> SocketAddr {
        self.nrf.server.at
    }

    /// AMFs connect to the SCP, and make what they need for their users.
    ///
    /// # Errors
    /// Where they cannot.
    pub(crate) async fn begin(&mut self, scp: SocketAddr) -> Result<(), DemoError> {
        for (function, first) in cast::AMFS.into_iter().zip((1..).step_by(USERS)) {
            let amf = Amf::connect(&self.ground, function, scp).await.map_err(DemoError::system("SCP"))?;
            for number in (first..).take(USERS) {
                let pages = [Kind::Udm, Kind::Smf].map(|kind| self.book.resource(kind));
                let user = User { number, amf: amf.clone(), book: self.book.clone(), pages };
                self.users.spawn(user.live(self.mood.subscribe()));
            }
        }
        Ok(())
    }

    /// They ask and change from now on.
    pub(crate) fn busy(&self) {
        self.mood.send_replace(Mood::Busy);
    }

    /// They end what they made.
    pub(crate) fn end(&self) {
        self.mood.send_replace(Mood::End);
    }

    /// Whether they have.
    pub(crate) fn ended(&mut self) -> bool {
        while self.users.try_join_next().is_some() {}
        self.users.is_empty()
    }

    /// Kills a producer; how many requests for its resources were under way.
    pub(crate) fn kill(&mut self, function: Function) -> usize {
        self.producers.iter_mut().filter(|it| it.function == function).for_each(Producer::kill);
        self.book.kill(function)
    }

    /// How many resources of a kind each function answered for last.
    pub(crate) fn owners(&self, kind: Kind) -> BTreeMap<u8, u64> {
        self.book.owners(kind)
    }

    /// How many resources producers have.
    pub(crate) fn left(&self) -> usize {
        self.stores.values().map(Store::count).sum()
    }

    /// What the resources come to.
    pub(crate) fn tally(&self) -> Tally {
        self.book.tally()
    }

    /// What all came to.
    pub(crate) fn summary(&self) -> SbiSummary {
        SbiSummary { tally: self.tally(), searches: self.nrf.searches(), faults: self.book.faults() }
    }

    /// How everybody is.
    pub(crate) fn view(&self) -> View {
        let owners: BTreeMap<_, _> = [Kind::Udm, Kind::Smf].map(|kind| (kind, self.owners(kind))).into();
        let producer = |it: &Producer| {
            let Function { kind, number } = it.function;
            let resources = owners.get(&kind).and_then(|it| it.get(&number)).copied().unwrap_or_default();
            ProducerView { function: it.function, alive: it.alive, resources, answered: it.answered() }
        };
        View {
            producers: self.producers.iter().map(producer).collect(),
            searches: self.nrf.searches(),
            tally: self.tally(),
        }
    }
}
