//! Whom a scope of load or overload means (TS 29.500 6.3.3.4.4, 6.4.3.4.5), and by which of them an NF is known.

use std::borrow::Cow;

use http::Uri;
use pinion_protocols::sbi::{Scope, ScopeEntity};

use super::Role;
use crate::api_root::ApiRoot;
use crate::producer::{Hop, Producer};
use crate::tls;

/// Whose load it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::load) enum Whose {
    Instance(String, Role),
    Set(String, Role),
    ServiceInstance(String, Option<String>, Role),
    ServiceSet(String, Role),
    /// One service of somebody, by its name.
    Service(String, Box<Self>),
    /// Who said it, so that requests for whom it was known only by its address are spared it too.
    Place(ApiRoot, Role),
    /// Where notifications go, and whatever is below it.
    Callback(String),
    /// An SCP or a SEPP that requests go by.
    Between(ApiRoot),
}

/// Who says something.
#[derive(Clone, Copy, Debug)]
pub(in crate::load) struct From<'a> {
    /// As what: in a service request or the response to a notification a consumer, else a producer (6.4.3.4.1).
    pub(in crate::load) role: Role,
    /// Where it is: the producer, or the consumer that was notified, where it is known for certain.
    pub(in crate::load) place: Option<&'a ApiRoot>,
    /// The SCP or SEPP that a response came by.
    pub(in crate::load) between: Option<(Hop, &'a ApiRoot)>,
    /// The names of its certificate, where it speaks for those NF instances alone.
    pub(in crate::load) own: Option<&'a [String]>,
}

/// Segments of a callback's path above which an overload is looked for.
const SEGMENTS: usize = 16;

/// Octets of a name that is remembered: they are anybody's to make up, and no name of an NF or service is near that.
const LONGEST: usize = 512;

/// Whom a scope names, and who said it. What is of single slices or data networks says nothing of all requests; what is of others
/// than who said it is nobody's.
pub(super) fn whose(scope: &Scope<'_>, from: From<'_>) -> Vec<Whose> {
    if !scope.snssais.is_empty() || !scope.dnns.is_empty() {
        return Vec::new();
    }
    let all = named(scope, from);
    match from.own {
        Some(own) => all.into_iter().filter_map(|it| it.of(own)).collect(),
        None => all,
    }
}

fn named(scope: &Scope<'_>, from: From<'_>) -> Vec<Whose> {
    let instance = |it: Option<&str>| it.map(str::to_ascii_lowercase);
    let consumer = Role::Consumer;
    // Rel-16 writes consumers as if they were producers; a service is only named of a consumer.
    let either = if scope.service_name.is_some() { consumer } else { from.role };
    let (named, role) = match &scope.entity {
        ScopeEntity::NfInstance(id) => (Whose::Instance(id.to_ascii_lowercase(), either), either),
        ScopeEntity::ConsumerInstance(id) => (Whose::Instance(id.to_ascii_lowercase(), consumer), consumer),
        ScopeEntity::NfSet(set) => (Whose::Set(set.to_ascii_lowercase(), either), either),
        ScopeEntity::ConsumerSet(set) => (Whose::Set(set.to_ascii_lowercase(), consumer), consumer),
        ScopeEntity::ServiceInstance(id) => {
            (Whose::ServiceInstance((*id).to_owned(), instance(scope.nf_instance), either), either)
        }
        ScopeEntity::ConsumerServiceInstance(id) => {
            (Whose::ServiceInstance((*id).to_owned(), instance(scope.nf_instance), consumer), consumer)
        }
        ScopeEntity::ServiceSet(set) => (Whose::ServiceSet(set.to_ascii_lowercase(), either), either),
        ScopeEntity::ConsumerServiceSet(set) => (Whose::ServiceSet(set.to_ascii_lowercase(), consumer), consumer),
        ScopeEntity::CallbackUri(uris) => {
            return uris.iter().filter_map(|it| Uri::try_from(*it).ok()).filter_map(|it| callback(&it)).collect();
        }
        // Only of who is next on the way: what lies behind it is for it to spare.
        ScopeEntity::Scp(_) => return from.by(Hop::Scp).into_iter().collect(),
        ScopeEntity::Sepp(_) => return from.by(Hop::Sepp).into_iter().collect(),
    };
    if let Some(service) = scope.service_name {
        // Who is known only by its place has services of which others may be at the same.
        return vec![Whose::Service(service.to_ascii_lowercase(), Box::new(named))];
    }
    let place = from.place.map(|it| Whose::Place(it.clone(), role));
    [Some(named), place].into_iter().flatten().collect()
}

impl From<'_> {
    fn by(&self, hop: Hop) -> Option<Whose> {
        self.between.filter(|(it, _)| *it == hop).map(|(_, root)| Whose::Between(root.clone()))
    }
}

/// Where notifications to a URI go.
fn callback(uri: &Uri) -> Option<Whose> {
    ApiRoot::of(uri).map(|root| Whose::callback(&root, uri.path()))
}

impl Whose {
    /// Notifications to a path below an API root, whatever the letters of its host and whether its port is named or not.
    pub(in crate::load) fn callback(root: &ApiRoot, path: &str) -> Self {
        let (host, port, prefix) = (root.host().to_ascii_lowercase(), root.port(), root.prefix());
        let path = path.trim_end_matches('/');
        Self::Callback(format!("{} {host} {port} {prefix}{path}", root.transport.scheme()))
    }

    /// Whether it is no longer than what anybody is known by.
    pub(super) fn is_fair(&self) -> bool {
        let (name, more) = match self {
            Self::Instance(name, _) | Self::Set(name, _) | Self::ServiceSet(name, _) | Self::Callback(name) => {
                (name, 0)
            }
            Self::ServiceInstance(name, instance, _) => (name, instance.as_ref().map_or(0, String::len)),
            Self::Service(name, of) => return name.len() <= LONGEST && of.is_fair(),
            // It was asked.
            Self::Place(..) | Self::Between(_) => return true,
        };
        name.len().saturating_add(more) <= LONGEST
    }

    /// It as one of the NF instances of a certificate; none where it is another's. Which sets of NFs these are in a certificate does
    /// not say.
    fn of(self, names: &[String]) -> Option<Self> {
        let own = |id: &str| tls::instances(names).any(|it| it.eq_ignore_ascii_case(id));
        match self {
            Self::Instance(ref id, _) | Self::ServiceInstance(_, Some(ref id), _) => own(id).then_some(self),
            // All NF instances may have one of that name.
            Self::ServiceInstance(id, None, role) => {
                let instance = tls::instances(names).next()?.to_ascii_lowercase();
                Some(Self::ServiceInstance(id, Some(instance), role))
            }
            // It is of an NF instance (TS 23.003 28.13).
            Self::ServiceSet(ref set, _) => {
                set.split('.').find_map(|it| it.strip_prefix("nfi")).is_none_or(own).then_some(self)
            }
            Self::Service(name, of) => Some(Self::Service(name, Box::new(of.of(names)?))),
            Self::Set(..) | Self::Place(..) | Self::Callback(_) | Self::Between(_) => Some(self),
        }
    }

    /// It and what it is a part of, the narrowest first: a callback is of all that its path is below (6.4.3.4.5.3).
    pub(super) fn widening(&self) -> impl Iterator<Item = Cow<'_, Self>> {
        let above = match self {
            Self::Callback(text) => text.match_indices('/').take(SEGMENTS).map(|(at, _)| at).collect(),
            _ => Vec::new(),
        };
        let above = above.into_iter().rev().filter_map(move |at| match self {
            Self::Callback(text) => text.get(..at).map(|it| Cow::Owned(Self::Callback(it.to_owned()))),
            _ => None,
        });
        std::iter::once(Cow::Borrowed(self)).chain(above)
    }
}

/// By what an NF is known, the narrowest first.
pub(in crate::load) fn names_of(producer: &Producer, role: Role) -> Vec<Whose> {
    let id = producer.nf_instance.to_ascii_lowercase();
    let mut all = Vec::with_capacity(6);
    if let Some(service) = &producer.service_instance {
        all.push(Whose::ServiceInstance(service.clone(), Some(id.clone()), role));
        all.push(Whose::ServiceInstance(service.clone(), None, role));
    }
    all.extend(producer.service_sets.iter().map(|it| Whose::ServiceSet(it.to_ascii_lowercase(), role)));
    let instance = Whose::Instance(id, role);
    let sets = producer.nf_sets.iter().map(|it| Whose::Set(it.to_ascii_lowercase(), role));
    if role == Role::Consumer && !producer.service.is_empty() {
        let service = producer.service.to_ascii_lowercase();
        let of = |whose: Whose| Whose::Service(service.clone(), Box::new(whose));
        all.push(of(instance.clone()));
        all.extend(sets.clone().map(of));
    }
    all.push(instance);
    all.extend(sets);
    all
}
