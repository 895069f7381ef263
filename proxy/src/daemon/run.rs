use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use pinion_loader::LoadError;
use pinion_loader::kernel::{Late, PinFolder};
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::discovery::Discovered;
use super::front_ends::{self, FrontEndError, HeardOf};
use super::hold::{InUse, hold};
use super::interfaces::Host;
use super::packet_path::PacketPath;
use super::restore::restore;
use super::state::{Daemon, State, names};
use super::tasks;
use crate::api::{BindError, Server};
use crate::config::model::{Config, Exit};
use crate::config::{self, ConfigError};
use crate::control::Control;
use crate::health::probe::Sockets;
use crate::health::{self, Chance, Checker};
use crate::logging::Logging;
use crate::metrics::{self, Page, Readiness};
use crate::notify::{Notifier, NotifyError, monotonic};
use crate::pool::Pools;
use crate::privileges::{Facts, FactsError, Missing, Needs, missing};
use crate::sbi;
use crate::sessions::{Full, Owner, Settings, Table};
use crate::spoken::JournalError;
use crate::store::{self, Behind, Memory, Redis, StoreError, Writer};
use crate::traffic::Ledger;

/// Where a daemon finds what it needs.
#[derive(Debug)]
pub struct Options {
    /// The configuration's file.
    pub config: PathBuf,
    /// The bpffs that the packet path is pinned in.
    pub pins: PathBuf,
    /// Where it keeps what outlives it; no other daemon may run there.
    pub state: PathBuf,
    /// Who is told how it goes.
    pub supervisor: Notifier,
    /// How often the supervisor wants a sign of life; `None` where it does not.
    pub watchdog: Option<Duration>,
    /// What is logged, and how much of it.
    pub logging: Logging,
    /// Where the metrics of components are registered.
    pub registry: Registry,
}

/// Why a daemon does not start, or ends before it is told to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// This process may not do what it is asked to.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Missing(Vec<Missing>),
    /// What this process may do cannot be read.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// The host's interfaces cannot be read.
    #[error("this host's interfaces cannot be read: {0}; is there netlink?")]
    Host(rtnetlink::Error),
    /// The host's addresses cannot be read.
    #[error("this host's addresses cannot be read: {0}")]
    Addresses(io::Error),
    /// The packet path.
    #[error(transparent)]
    Path(#[from] LoadError),
    /// Another daemon runs there.
    #[error(transparent)]
    State(#[from] InUse),
    /// The API cannot listen.
    #[error(transparent)]
    Api(#[from] BindError),
    /// The API ended by itself.
    #[error("the API ended{}", .0.as_ref().map(|error| format!(": {error}")).unwrap_or_default())]
    Ended(Option<tonic::transport::Error>),
    /// The metrics' port cannot be had.
    #[error(
        "{address}: cannot listen there for metrics: {source}; set `metrics` to a local address and a free port"
    )]
    Metrics {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The store's address.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A front end.
    #[error(transparent)]
    FrontEnd(#[from] FrontEndError),
    /// The SCP.
    #[error(transparent)]
    Sbi(#[from] sbi::StartError),
    /// What it keeps.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Signals cannot be waited for.
    #[error("signals cannot be waited for: {0}")]
    Signals(io::Error),
}

/// How long a commit waits for the store that is to.
const STORED: Duration = Duration::from_secs(2);

/// Runs a daemon until it is told to end by SIGTERM or SIGINT.
///
/// # Errors
/// [`RunError`]. What runs already is left as it was found unless the configuration could be put in force.
pub async fn run(options: Options) -> Result<(), RunError> {
    let began = Instant::now();
    let host = Host::read().await.map_err(RunError::Host)?;
    let here = config::Host::here().map_err(RunError::Addresses)?;
    let read = config::read(&options.config, &here)?;
    for warning in &read.warnings {
        tracing::warn!(file = %options.config.display(), "{warning}");
    }
    let config = Arc::new(read.config);
    privileges(&options, &config, &here)?;
    let server = Server::bind(&config.api).await?;
    let _held = hold(&options.state)?;
    let listener = listen(config.metrics).await?;
    let mut signals = Signals::new().map_err(RunError::Signals)?;

    let pools = Pools::default().configure(&config, Duration::ZERO);
    let path = open(&options, &config, &pools, &host)?;
    let names = Arc::new(names(&path, &config, None));
    let path = Owner::new(path);
    let node = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let (writer, behind) = store(&config, &node)?;
    let settings = Settings { bound: config.bounds.pins, full: Full::Refuse };
    let wait = config.store.wait.then_some(STORED);
    let table = Table::stored(&path, settings, behind.clone(), wait);
    let sockets = Sockets::new(SystemTime::now());
    let (checker, changes) =
        Checker::start(health::targets(&config), sockets, health::Limits::default(), Chance::from_system());
    let state = State {
        config: Arc::clone(&config),
        written: Arc::clone(&config),
        discovered: Discovered::default(),
        pools,
        names,
        ledger: Ledger::default(),
        leaving: HashMap::new(),
        heard: HeardOf::new(),
    };
    let daemon = Arc::new(Daemon::new(
        (options.config, options.state),
        began,
        path.clone(),
        table,
        (behind, node),
        checker,
        state,
    ));

    let (stop, stopping) = watch::channel(false);
    let mut tasks = tasks::start(&daemon, changes);
    let (readiness, ready) = watch::channel(Readiness::Not("pins are being restored".to_owned()));
    if let Some(listener) = listener {
        tasks.push(serve_metrics(&daemon, options.registry, listener, ready));
    }
    let control: Arc<dyn Control> = Arc::clone(&daemon) as _;
    let mut api = tokio::spawn(server.serve(control, told(stopping)));
    let status = status(&config);
    daemon.begin_resources(&config)?;
    let life = async {
        tokio::select! {
            writing = restore(&daemon, writer) => tasks.push(writing),
            ended = ended(&mut signals.ends, &mut api) => return ended,
        }
        front_ends::begin(&daemon).await?;
        daemon.begin_sbi().await?;
        if config.steers() {
            tasks.push(tasks::announce(&daemon));
        }
        tasks.push(tasks::discover(&daemon));
        readiness.send_replace(Readiness::Ready);
        tell(options.supervisor.ready(&status));
        tracing::info!("ready: {status}");
        attend(&daemon, &options.supervisor, signals, &mut api).await
    };
    let ended = tokio::select! {
        ended = life => ended,
        () = alive(&options.supervisor, options.watchdog) => Ok(()),
        () = options.logging.keep_reporting() => Ok(()),
    };
    tell(options.supervisor.stopping("ending"));
    daemon.leave_sbi().await;
    stop.send_replace(true);
    if ended.is_ok() {
        // What it says at its end changes nothing any more.
        let _ = api.await;
    }
    daemon.end_sbi().await;
    for task in tasks {
        task.abort();
    }
    front_ends::end(&daemon).await;
    let left = leave(&daemon, path).await;
    options.logging.end().await;
    left?;
    ended
}

/// Whether this process may do what the configuration asks for: said before anything is touched.
fn privileges(options: &Options, config: &Config, host: &config::Host) -> Result<(), RunError> {
    let facts = Facts::read(Path::new("/proc"))?;
    let missing = missing(&facts, &Needs::of(config, options.pins.clone(), host.sctp));
    if missing.is_empty() { Ok(()) } else { Err(RunError::Missing(missing)) }
}

/// The store that is configured.
fn store(config: &Config, node: &str) -> Result<(Writer, Behind), StoreError> {
    let settings = store::Settings {
        backlog: config.store.backlog as usize,
        node: node.to_owned(),
        seed: std::process::id(),
    };
    Ok(match &config.store.redis {
        None => Writer::new(Memory::default(), settings),
        Some(address) => Writer::new(Redis::new(address, &config.store.prefix)?, settings),
    })
}

/// Takes the packet path over, puts the configuration in force and attaches; where nothing is steered, there is none.
fn open(options: &Options, config: &Config, pools: &Pools, host: &Host) -> Result<PacketPath, LoadError> {
    if !config.steers() {
        if PinFolder::is_used(&options.pins) {
            let pins = options.pins.display();
            tracing::warn!(
                "{pins}: another daemon's packet path is there, and goes on steering; if nobody needs it any more, \
                 type `rm -r {pins}/*`"
            );
        }
        return Ok(PacketPath::in_memory(config.bounds));
    }
    let (mut path, inherited) = PacketPath::open(config, &options.pins, &options.state)?;
    for (table, entries) in inherited.copied {
        tracing::info!(table, entries, "a table of the daemon before is made anew, its entries are copied");
    }
    path.apply(pools.plan(config, Duration::ZERO).0)?;
    path.set_timeouts(config);
    // What the program before does until its links have this one is little then.
    let early = path.catch_up()?;
    for line in path.attach(&config.interfaces, host)? {
        tracing::info!("{line}");
    }
    let (gone, late) = path.settle(&config.interfaces)?;
    for interface in gone {
        tracing::info!("{interface}: detached, where the daemon before had it");
    }
    for Late { followed, lost } in [early, late] {
        if followed > 0 {
            tracing::info!(followed, "flows that began meanwhile were copied too");
        }
        if lost > 0 {
            tracing::warn!(lost, "flows that began meanwhile have no room: their next packets place them anew");
        }
    }
    Ok(path)
}

/// What runs, in words.
fn status(config: &Config) -> String {
    let services = config.services.len();
    let sbi =
        config.sbi.as_ref().map(|sbi| format!(", SBI at {} sockets", sbi.listeners.len())).unwrap_or_default();
    if config.steers() {
        format!("{services} services on {} interfaces{sbi}", config.interfaces.len())
    } else {
        format!("{services} services{sbi}, no packet path")
    }
}

async fn listen(address: Option<SocketAddr>) -> Result<Option<TcpListener>, RunError> {
    let Some(address) = address else { return Ok(None) };
    let listener = TcpListener::bind(address).await;
    listener.map(Some).map_err(|source| RunError::Metrics { address, source })
}

fn serve_metrics(
    daemon: &Arc<Daemon>,
    registry: Registry,
    listener: TcpListener,
    ready: watch::Receiver<Readiness>,
) -> JoinHandle<()> {
    let control: Arc<dyn Control> = Arc::clone(daemon) as _;
    let page = Arc::new(Page::new(control, registry, ready, metrics::Limits::default()));
    tokio::spawn(metrics::serve(listener, page))
}

async fn told(mut stopping: watch::Receiver<bool>) {
    // An error means that there is nobody left who could say it.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// What a supervisor does not hear is no reason to end.
fn tell(said: Result<(), NotifyError>) {
    if let Err(error) = said {
        tracing::warn!(%error, "the supervisor does not listen");
    }
}

/// Tells the supervisor that this thread still gets its turn; for ever.
async fn alive(supervisor: &Notifier, watchdog: Option<Duration>) {
    match watchdog {
        Some(limit) => supervisor.keep_alive(limit, || true).await,
        None => std::future::pending().await,
    }
}

/// The signals that a daemon is driven by.
struct Signals {
    ends: Ends,
    reload: Signal,
}

/// Those that say to end.
struct Ends {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            ends: Ends {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            },
            reload: signal(SignalKind::hangup())?,
        })
    }
}

/// What serves the API.
type Api = JoinHandle<Result<(), tonic::transport::Error>>;

/// Does what signals say until one says to end.
async fn attend(
    daemon: &Daemon,
    supervisor: &Notifier,
    mut signals: Signals,
    api: &mut Api,
) -> Result<(), RunError> {
    loop {
        tokio::select! {
            ended = ended(&mut signals.ends, api) => return ended,
            _ = signals.reload.recv() => reload(daemon, supervisor).await,
        }
    }
}

/// Waits until a signal says to end, or the API does.
async fn ended(ends: &mut Ends, api: &mut Api) -> Result<(), RunError> {
    tokio::select! {
        _ = ends.terminate.recv() => Ok(()),
        _ = ends.interrupt.recv() => Ok(()),
        ended = api => Err(RunError::Ended(ended.ok().and_then(Result::err))),
    }
}

async fn reload(daemon: &Daemon, supervisor: &Notifier) {
    tell(supervisor.reloading(monotonic()));
    let status = match daemon.reload_file().await {
        Ok(reloaded) => format!("{} services in force", reloaded.services),
        Err(error) => {
            for line in error.to_string().lines() {
                tracing::error!("{line}");
            }
            tracing::error!("the configuration is refused; the one before stays in force");
            "the new configuration is refused; the one before is in force".to_owned()
        }
    };
    tell(supervisor.ready(&status));
}

/// Leaves the packet path to itself, or takes it away, as configured.
async fn leave(daemon: &Daemon, path: Owner<PacketPath>) -> Result<(), RunError> {
    let exit = daemon.state().config.exit;
    if !path.quick(|path| path.steers()).await {
        tracing::info!("ended");
        return Ok(());
    }
    match exit {
        Exit::Keep => tracing::info!("ended; the packet path goes on steering"),
        Exit::Detach => {
            path.long(PacketPath::detach).await?;
            tracing::info!("ended; packets are steered no longer");
        }
    }
    Ok(())
}
