//! Listens to services whose gNBs' associations are carried whole, for who asks which UEs there are.

use std::sync::Arc;

use pinion_loader::{COPIES_MOST, LoadError};

use super::front_ends;
use super::packet_path::PacketPath;
use super::state::Daemon;
use crate::config::model::Config;
use crate::control::{Heard, N2Ue};
use crate::n2::{Associated, Host};
use crate::spoken::{FrontEndSessions, name};

/// Takes the copies that the packet path has made since.
pub(super) async fn listen(daemon: Arc<Daemon>) {
    let (config, names) = {
        let state = daemon.state();
        (Arc::clone(&state.config), Arc::clone(&state.names))
    };
    if !config.services.iter().any(|service| service.aware.is_some()) {
        return;
    }
    loop {
        let copies = match daemon.path.quick(|path| path.maps_mut().copies()).await {
            Ok(copies) => copies,
            Err(error) => {
                tracing::error!(%error, "copies of packets are not read");
                return;
            }
        };
        if !copies.is_empty() {
            daemon.aware().take(&copies, &names, daemon.now());
        }
        if copies.len() < COPIES_MOST {
            return;
        }
        // Others have their turn.
        tokio::task::yield_now().await;
    }
}

/// Forgets associations that have ended, and UEs that were silent for long.
pub(super) async fn settle(daemon: Arc<Daemon>) {
    let followed = daemon.aware().associations();
    if !followed.is_empty() {
        match daemon.path.quick(move |path| ended(path, followed)).await {
            Ok(gone) => daemon.aware().end(&gone),
            Err(error) => tracing::error!(%error, "it is not known which associations have ended"),
        }
    }
    let config = Arc::clone(&daemon.state().config);
    daemon.aware().age(|service| listens(&config, service), daemon.now());
}

/// Whether a service is listened to.
fn listens(config: &Config, service: &str) -> bool {
    config.services.iter().any(|it| it.name == service && it.aware.is_some())
}

/// Those of the associations whose pins are gone, or others'.
fn ended(path: &mut PacketPath, followed: Vec<Associated>) -> Result<Vec<Associated>, LoadError> {
    let mut gone = Vec::new();
    for association in followed {
        if !association.lives(path.maps().read_flow(&association.pin)?.as_ref()) {
            gone.push(association);
        }
    }
    Ok(gone)
}

/// Who knows UEs of a service.
pub(super) enum Known<'a> {
    /// The front end that has them.
    FrontEnd(Arc<Host>),
    /// Who listens to the service of this name.
    Listener(&'a Daemon, String),
}

/// Who knows UEs, by the names of services and in their order.
pub(super) async fn knowing(daemon: &Daemon) -> Vec<(String, Known<'_>)> {
    let hosts = front_ends::running_n2(daemon).await.into_iter();
    let mut all: Vec<_> = hosts.map(|(service, host)| (service, Known::FrontEnd(host))).collect();
    let config = Arc::clone(&daemon.state().config);
    let listened = config.services.iter().filter(|service| service.aware.is_some());
    all.extend(listened.map(|it| (it.name.clone(), Known::Listener(daemon, it.name.clone()))));
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    all
}

impl FrontEndSessions for Known<'_> {
    type View = N2Ue;

    async fn sessions(&self, after: Option<u64>, most: usize) -> Vec<N2Ue> {
        match self {
            Self::FrontEnd(host) => host.sessions(after, most).await,
            Self::Listener(daemon, service) => daemon.aware().ues(service, after, most, daemon.now()),
        }
    }

    async fn endpoints(&self) -> Vec<Arc<str>> {
        match self {
            Self::FrontEnd(host) => host.endpoints().await,
            Self::Listener(daemon, service) => {
                let state = daemon.state();
                let pools = state.config.services.iter().filter(|it| it.name == *service).map(|it| &it.pool);
                pools.flat_map(|pool| state.pools.of(pool).map(|it| name(pool, &it.config.name))).collect()
            }
        }
    }
}

impl Daemon {
    /// How it goes with listening.
    pub(super) async fn heard(&self) -> Result<Heard, LoadError> {
        let copies = self.path.quick(|path| path.maps().copies_counted()).await?;
        Ok(Heard { copies, services: self.aware().levels() })
    }
}
