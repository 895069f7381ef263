//! An SCP and its listeners. What it is told later is bound and read first, and nothing changes where that fails;
//! connections stay through it all, but for those of a listener that goes: these are drained.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use pinion_scp::binding::Pins;
use pinion_scp::tls::TlsError;
use pinion_scp::{Prepared, Scp, Speech};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::drains::{Drains, DrainsError};
use super::producers::producers;
use super::{InstanceError, instance, log, prepare};
use crate::api::tls::{Stamp, TlsError as FileError};
use crate::config::model::{Sbi, SbiListener, SbiTls};
use crate::control::SbiProducer;
use crate::health::Chance;
use crate::spoken::JournalError;

/// Connections that wait to be accepted.
const WAITING: i32 = 4096;

/// How long the NRF may take to let an SCP go before that takes no more connections of those who found it there.
const HEAD_START: Duration = Duration::from_millis(500);

/// Why an SCP does not begin, or is not told.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener.
    #[error("{socket}: cannot listen there for SBI: {source}{}", remedy(.socket, .source))]
    Listen {
        /// Where.
        socket: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A file of certificates.
    #[error(transparent)]
    File(#[from] FileError),
    /// The access log.
    #[error(
        "{path}: the access log cannot be written there: {source}; give a file in a folder that is the daemon's"
    )]
    Log {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Certificates that do not do.
    #[error("sbi: {0}; give certificates and keys that belong together")]
    Tls(#[from] TlsError),
    /// Its own NF instance.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// Who is drained.
    #[error(transparent)]
    Drains(#[from] DrainsError),
    /// What it keeps of resources.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

fn remedy(socket: &SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrNotAvailable => "; add the address to this host, or give one that it has".to_owned(),
        io::ErrorKind::AddrInUse => "; give another port, or end who has it (`ss -ltnp`)".to_owned(),
        io::ErrorKind::PermissionDenied => format!(
            "; ports below 1024 need CAP_NET_BIND_SERVICE: give another than {}, or \
             `sysctl net.ipv4.ip_unprivileged_port_start={}`",
            socket.port(),
            socket.port()
        ),
        _ => String::new(),
    }
}

/// An SCP that runs.
#[derive(Debug)]
pub struct Host {
    scp: Scp,
    sbi: Sbi,
    instance: String,
    /// The files of certificates, as they were when they were read.
    seen: Vec<Option<Stamp>>,
    listeners: BTreeMap<SocketAddr, Listening>,
    /// What keeps who is drained.
    drains: Drains,
    /// Who keeps it known to the NRF.
    keeper: (watch::Sender<bool>, JoinHandle<()>),
}

#[derive(Debug)]
struct Listening {
    speech: Speech,
    /// The same socket, for who serves it next.
    bound: std::net::TcpListener,
    drain: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// What an SCP is told next, bound and read.
#[derive(Debug)]
pub struct Next {
    sbi: Sbi,
    seen: Vec<Option<Stamp>>,
    prepared: Prepared,
    instance: String,
    listeners: Vec<(SbiListener, std::net::TcpListener)>,
    log: Option<std::fs::File>,
    drains: Drains,
    /// Who is drained to begin with.
    drained: BTreeSet<String>,
}

impl Next {
    /// Binds what `running` does not have yet, and reads certificates.
    ///
    /// # Errors
    /// What is missing; nothing has changed then.
    pub fn new(sbi: &Sbi, folder: &Path, running: Option<&Host>) -> Result<Self, StartError> {
        let instance = match (&sbi.settings.identity.instance, running) {
            (Some(given), _) => given.clone(),
            (None, _) => instance(folder, &mut Chance::from_system())?,
        };
        let bound = sbi.listeners.iter().map(|listener| {
            let socket = listener.socket;
            let has = running.and_then(|host| host.listeners.get(&socket));
            let bound = has.map_or_else(|| bind(socket), |listening| listening.bound.try_clone());
            Ok((*listener, bound.map_err(|source| StartError::Listen { socket, source })?))
        });
        let listeners = bound.collect::<Result<_, StartError>>()?;
        let log =
            |path: &PathBuf| log::open(path).map_err(|source| StartError::Log { path: path.clone(), source });
        let log = sbi.access_log.as_ref().map(log).transpose()?;
        let drains = Drains::of(folder);
        let drained = if running.is_some() { BTreeSet::new() } else { drains.read()? };
        // Before the files, so that a change in between is seen.
        let seen = stamps(sbi);
        let prepared = prepare(sbi, &instance)?;
        Ok(Self { sbi: sbi.clone(), seen, prepared, instance, listeners, log, drains, drained })
    }
}

impl Host {
    /// Starts one, which goes on with these pins.
    #[must_use]
    pub fn start(next: Next, pins: Pins) -> Self {
        let scp = Scp::new(next.prepared.clone(), SystemTime::now, secret).with(pins);
        let (sbi, instance, drains) = (next.sbi.clone(), next.instance.clone(), next.drains.clone());
        if !next.drained.is_empty() {
            tracing::info!(producers = ?next.drained, "these drain, as they did before");
        }
        for name in &next.drained {
            scp.parts().drained.insert(name.clone());
        }
        let (leave, told) = watch::channel(false);
        let kept = scp.clone();
        let keeper = (leave, tokio::spawn(async move { kept.tend(told).await }));
        let mut host = Self { scp, sbi, instance, seen: Vec::new(), listeners: BTreeMap::new(), drains, keeper };
        host.tell(next);
        host
    }

    /// Tells it what was made ready: requests that come from now on go by it.
    pub fn tell(&mut self, next: Next) {
        let Next { sbi, seen, prepared, instance, listeners, log, .. } = next;
        self.scp.apply(prepared);
        self.scp.parts().account.tell(log.map(log::begin));
        (self.sbi, self.seen, self.instance) = (sbi, seen, instance);
        let stays = |socket: &SocketAddr, speech: Speech| {
            listeners.iter().any(|(it, _)| it.socket == *socket && speech_of(*it) == speech)
        };
        for (socket, listening) in self.listeners.extract_if(.., |socket, it| !stays(socket, it.speech)) {
            tracing::info!(%socket, "SBI is not served so any more; what is under way is answered");
            listening.drain.send_replace(true);
        }
        for (listener, bound) in listeners {
            if !self.listeners.contains_key(&listener.socket)
                && let Err(error) = self.serve(listener, bound)
            {
                tracing::error!(socket = %listener.socket, %error, "SBI is not served");
            }
        }
    }

    fn serve(&mut self, listener: SbiListener, bound: std::net::TcpListener) -> io::Result<()> {
        let (speech, socket) = (speech_of(listener), listener.socket);
        let accepting = TcpListener::from_std(bound.try_clone()?)?;
        let (drain, told) = watch::channel(false);
        let scp = self.scp.clone();
        let task = tokio::spawn(async move { scp.serve(accepting, speech, told).await });
        tracing::info!(%socket, tls = listener.tls, "SBI is served");
        self.listeners.insert(socket, Listening { speech, bound, drain, task });
        Ok(())
    }

    /// Reads certificates again whose files changed: connections stay, new ones meet the new. Where these do not do, the
    /// old ones stay in force; that they do not is logged once a change.
    pub fn refresh(&mut self) {
        let seen = stamps(&self.sbi);
        if seen == self.seen {
            return;
        }
        self.seen = seen;
        match prepare(&self.sbi, &self.instance) {
            Ok(prepared) => {
                self.scp.apply(prepared);
                tracing::info!("the SCP's certificates changed; new connections meet the new ones");
            }
            Err(error) => tracing::warn!(%error, "the SCP's new certificates do not do; the old ones stay"),
        }
    }

    /// What runs.
    #[must_use]
    pub const fn scp(&self) -> &Scp {
        &self.scp
    }

    /// Whom it asks.
    #[must_use]
    pub fn producers(&self) -> Vec<SbiProducer> {
        producers(&self.scp, &self.sbi.settings, Instant::now())
    }

    /// Gives who has one of these names, NF instances or API roots, nothing new, or new requests again; and so after this
    /// daemon.
    ///
    /// # Errors
    /// Where it is so, but only as long as the daemon runs.
    pub fn drain<'a>(&self, names: impl IntoIterator<Item = &'a str>, drain: bool) -> Result<(), DrainsError> {
        let drained = &self.scp.parts().drained;
        for name in names {
            if drain {
                drained.insert(name.to_owned());
            } else {
                drained.remove(name);
            }
        }
        self.drains.keep(&drained.all())
    }

    /// Its FQDN.
    #[must_use]
    pub fn fqdn(&self) -> &str {
        &self.sbi.settings.identity.fqdn
    }

    /// Its NF instance.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// Begins to take leave of the NRF, so that nobody finds it who has not yet.
    pub fn leave(&self) {
        self.keeper.0.send_replace(true);
    }

    /// Takes leave of the NRF, takes no more connections, answers what is under way, and ends. Neither waits for an NRF that
    /// is away.
    pub async fn end(self) {
        self.leave();
        let (_leave, mut keeper) = self.keeper;
        let left = timeout(HEAD_START, &mut keeper).await;
        let told = self.listeners.into_iter().map(|(socket, Listening { drain, task, bound, .. })| {
            drain.send_replace(true);
            // Who connects from now on is told at once that nobody is there.
            drop(bound);
            (socket, task)
        });
        for (socket, task) in told.collect::<Vec<_>>() {
            if let Err(error) = task.await {
                tracing::error!(%socket, %error, "who served SBI there broke");
            }
        }
        let left = match left {
            Ok(left) => left,
            Err(_) => keeper.await,
        };
        if let Err(error) = left {
            tracing::error!(%error, "who kept the SCP known to the NRF broke");
        }
    }
}

fn stamps(sbi: &Sbi) -> Vec<Option<Stamp>> {
    let Some(SbiTls { pair, authorities, clients }) = &sbi.tls else { return Vec::new() };
    let pair = pair.iter().flat_map(|(certificate, key)| [certificate, key]);
    pair.chain(authorities).chain(clients).map(|path| Stamp::of(path)).collect()
}

/// What no client of an SCP guesses.
pub(crate) fn secret() -> u128 {
    let mut chance = Chance::from_system();
    u128::from(chance.draw()) << 64 | u128::from(chance.draw())
}

const fn speech_of(listener: SbiListener) -> Speech {
    if listener.tls { Speech::Tls } else { Speech::Clear }
}

fn bind(socket: SocketAddr) -> io::Result<std::net::TcpListener> {
    let raw = Socket::new(Domain::for_address(socket), Type::STREAM, Some(Protocol::TCP))?;
    raw.set_reuse_address(true)?;
    raw.set_nonblocking(true)?;
    raw.bind(&socket.into())?;
    raw.listen(WAITING)?;
    Ok(raw.into())
}
