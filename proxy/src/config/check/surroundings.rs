//! What is around the services: interfaces, API, metrics, store, tables.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use pinion_loader::Bounds;

use super::spoken;
use crate::config::Host;
use crate::config::mistake::{Place, Wrong};
use crate::config::model::{Api, Attach, Interface, Protocol, Store, Transport};
use crate::config::nearest::nearest;
use crate::config::read::{Either, Field, listed};
use crate::config::scalar::{self, Entries, Listen};
use crate::config::written::{File, Service, Tls};

/// Where the daemon is asked, where nothing else is said.
pub(crate) const SOCKET: &str = "/run/pinion/api.sock";
const MODE: u32 = 0o660;
const BACKLOG: u32 = 65_536;
const PREFIX: &str = "pinion:";

/// The interfaces, each once, and whether this host has them.
pub(super) fn interfaces(file: &File, host: &Host, wrong: &mut Wrong) -> Vec<Interface> {
    let Some(list) = &file.interfaces.value else {
        return Vec::new();
    };
    if let Some(at) = file.interfaces.at.filter(|_| !list.0.is_empty() && is_unused(file)) {
        wrong.warning(
            at,
            "XDP is attached nowhere, as Pinion itself speaks for every service; leave `interfaces` out",
        );
    }
    let mut names: HashMap<&str, Place> = HashMap::new();
    let mut interfaces = Vec::new();
    for (at, written) in list.given() {
        let (at, name, attach) = match written {
            Either::Short(name) => (at, name, Attach::default()),
            Either::Whole(whole) => match whole.name.given() {
                Some((at, name)) => (at, name, whole.attach.or(Attach::default())),
                None => continue,
            },
        };
        let name = name.0.as_str();
        if let Some(other) = names.get(name) {
            let what = format!("interface {name} is already at line {}; leave one of them out", other.line);
            wrong.mistake(at, what);
            continue;
        }
        names.insert(name, at);
        if !host.interfaces.is_empty() && !host.interfaces.iter().any(|known| known == name) {
            wrong.warning(at, missing(name, &host.interfaces));
        }
        interfaces.push(Interface { name: name.to_owned(), attach });
    }
    interfaces
}

/// Whether no service has a place in the packet path, nor SCTP of Pinion's own, which comes by the interfaces too.
fn is_unused(file: &File) -> bool {
    let own_sctp = |service: &Service| {
        let transport =
            service.ngap.value.as_ref().map_or(Transport::Auto, |ngap| ngap.transport.or(Transport::Auto));
        service.protocol.value == Some(Protocol::Ngap) && transport != Transport::Kernel
    };
    let unused = |service: &Service| spoken::is_spoken(service) && !own_sctp(service);
    file.services.count() > 0 && file.services.values().all(unused)
}

pub(super) fn missing(name: &str, known: &[String]) -> String {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let right = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("make it before the daemon starts, or name one of {}", listed(&known, "and")),
    };
    format!("this host has no interface {name}; {right}")
}

/// How the daemon is asked.
pub(super) fn api(file: &File, host: &Host, wrong: &mut Wrong) -> Api {
    let default = || Api::Unix { path: PathBuf::from(SOCKET), mode: MODE };
    let Some((at, api)) = file.api.given() else {
        return default();
    };
    match (&api.unix, &api.tls) {
        (unix, tls) if tls.is_given() => {
            if let Some(at) = unix.at {
                wrong.mistake(at, "`unix` beside `tls`; leave one of them out");
            }
            if let Some(at) = api.mode.at {
                wrong.mistake(at, "`mode` is for a unix socket; leave it out beside `tls`");
            }
            tls.value.as_ref().map_or_else(default, |tls| by_tls(tls, host, wrong))
        }
        (unix, _) => {
            if !unix.is_given() && !api.mode.is_given() {
                wrong.mistake(at, "neither `unix` nor `tls`; give one of them");
            }
            let path = unix.value.as_ref().map_or_else(|| PathBuf::from(SOCKET), |path| path.0.clone());
            Api::Unix { path, mode: api.mode.value.as_ref().map_or(MODE, |mode| mode.0) }
        }
    }
}

fn by_tls(tls: &Tls, host: &Host, wrong: &mut Wrong) -> Api {
    let mut file = |what: &str, field: &Field<scalar::Path>| pem(what, field, host, wrong);
    Api::Tls {
        listen: tls.listen.value.as_ref().map_or(SocketAddr::from(([127, 0, 0, 1], 0)), |listen| listen.0),
        certificate: file("certificate", &tls.certificate),
        key: file("key", &tls.key),
        clients: file("clients' authorities", &tls.clients),
    }
}

/// A PEM file, which must be there where this host is the one.
pub(super) fn pem(what: &str, field: &Field<scalar::Path>, host: &Host, wrong: &mut Wrong) -> PathBuf {
    let Some((at, path)) = field.given() else {
        return PathBuf::new();
    };
    if host.files
        && let Some(why) = unreadable(&path.0)
    {
        let path = path.0.display();
        wrong.mistake(at, format!("the {what} {path} {why}; give a PEM file that the daemon can read"));
    }
    path.0.clone()
}

/// Why a file cannot be had; one that only the daemon's user may read is taken to be right.
fn unreadable(path: &Path) -> Option<&'static str> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Some("is a directory"),
        Ok(metadata) if metadata.len() == 0 && metadata.is_file() => Some("is empty"),
        Ok(_) => None,
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => None,
        Err(_) => Some("is not there"),
    }
}

/// Where `/metrics` is served. On an address that others reach, only where that is said.
pub(super) fn metrics(file: &File, wrong: &mut Wrong) -> Option<SocketAddr> {
    let (at, metrics) = file.metrics.given()?;
    let (at, Listen(listen), public) = match metrics {
        Either::Short(listen) => (at, listen, false),
        Either::Whole(whole) => {
            let (at, listen) = whole.listen.given()?;
            (at, listen, whole.public.value.is_some_and(|public| public.0))
        }
    };
    if !listen.ip().is_loopback() && !public {
        let what = format!(
            "{listen} is no loopback address, and /metrics asks nobody who they are; give 127.0.0.1:{port}, or say \
             that it is meant by `metrics: {{listen: '{listen}', public: true}}`",
            port = listen.port()
        );
        wrong.mistake(at, what);
    }
    Some(*listen)
}

/// Where pins are written behind.
pub(super) fn store(file: &File) -> Store {
    let memory = Store { redis: None, wait: false, backlog: BACKLOG, prefix: PREFIX.to_owned() };
    match &file.store.value {
        None => memory,
        Some(Either::Short(word)) => Store { redis: word.0.clone(), ..memory },
        Some(Either::Whole(store)) => Store {
            redis: store.url.value.as_ref().map(|url| url.0.clone()),
            wait: store.wait.value.is_some_and(|wait| wait.0),
            backlog: store.backlog.value.as_ref().map_or(BACKLOG, |backlog| backlog.0),
            prefix: store.prefix.value.as_ref().map_or(memory.prefix, |prefix| prefix.0.clone()),
        },
    }
}

/// How many entries the tables hold.
pub(super) fn bounds(file: &File) -> Bounds {
    let default = Bounds::default();
    let Some(bounds) = &file.bounds.value else {
        return default;
    };
    let entries = |field: &Field<Entries>, default| field.value.as_ref().map_or(default, |entries| entries.0);
    Bounds {
        flows: entries(&bounds.flows, default.flows),
        flows6: entries(&bounds.flows6, default.flows6),
        pins: entries(&bounds.pins, default.pins),
        filters: entries(&bounds.filters, default.filters),
        fragments: entries(&bounds.fragments, default.fragments),
        services: entries(&bounds.services, default.services),
        sources: entries(&bounds.sources, default.sources),
        targets: entries(&bounds.targets, default.targets),
        maglev: entries(&bounds.maglev, default.maglev),
    }
}
