use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pinion_loader::setup::{ServiceSpec, Setup};
use pinion_steering::Pin;

use super::record::{PinOrigin, Place, Record};

/// What the numbers in the packet path's tables stand for: a picture of [`Setup`], taken after a configuration was
/// put in force.
#[derive(Debug, Default)]
pub struct Names {
    /// By index in `TARGETS`; `None` for a service's own addresses.
    targets: Vec<Option<Arc<Place>>>,
    services: HashMap<u16, Arc<str>>,
    spots: HashMap<PlaceKey, Spot>,
}

/// The names of a service and of an endpoint, `POOL/NAME`.
type PlaceKey = (Arc<str>, Arc<str>);

/// Where a pin to an endpoint goes.
#[derive(Clone, Debug)]
struct Spot {
    place: Arc<Place>,
    target: u32,
    service: u16,
    /// Whether users' packets leave their tunnels there.
    exit: bool,
}

/// All entries of `TARGETS` that an endpoint ever had for its path 0.
struct Bases {
    place: Arc<Place>,
    indices: Vec<u32>,
}

impl Names {
    /// Takes the picture. `pool` gives the name of a service's pool. Places of `before` go on, with their counts.
    ///
    /// An endpoint whose address changed keeps its name on the old entries of `TARGETS` too, for as long as pins
    /// name them; new pins go to where `setup` says that it is now.
    #[must_use]
    pub fn new<'a>(
        setup: &Setup,
        services: &[ServiceSpec],
        pool: impl Fn(&str) -> Option<&'a str>,
        before: Option<&Self>,
    ) -> Self {
        let mut names = Self::default();
        let mut bases: HashMap<PlaceKey, Bases> = HashMap::new();
        for (index, owner) in (0..).zip(setup.owners()) {
            let Some(owner) = owner else {
                names.targets.push(None);
                continue;
            };
            let place = owner.endpoint.as_ref().map(|endpoint| {
                let pool = pool(&owner.service).unwrap_or_default();
                let key = (Arc::from(owner.service.as_str()), Arc::from(whole(pool, endpoint)));
                let known = before.and_then(|before| before.spots.get(&key)).map(|spot| Arc::clone(&spot.place));
                let bases = bases.entry(key.clone()).or_insert_with(|| Bases {
                    place: known.unwrap_or_else(|| Arc::new(Place::new(&key.0, &key.1))),
                    indices: Vec::new(),
                });
                if owner.path == 0 {
                    bases.indices.push(index);
                }
                Arc::clone(&bases.place)
            });
            names.targets.push(place);
        }
        for spec in services {
            let Some(service) = setup.id(&spec.name) else { continue };
            names.services.insert(service, spec.name.as_str().into());
            let pool = pool(&spec.name).unwrap_or_default();
            for endpoint in spec.endpoints.iter().chain(&spec.exits) {
                let key = (Arc::from(spec.name.as_str()), Arc::from(whole(pool, &endpoint.name)));
                let Some(Bases { place, indices }) = bases.get(&key) else { continue };
                let target = match indices.as_slice() {
                    [only] => Some(*only),
                    _ => setup.base(&spec.name, &endpoint.name),
                };
                if let Some(target) = target {
                    names.spots.insert(
                        key,
                        Spot { place: Arc::clone(place), target, service, exit: endpoint.name.contains('/') },
                    );
                }
            }
        }
        names
    }

    /// What a tunnel of a service is pinned to, by the names of service and endpoint (`POOL/NAME`), the path that
    /// the tunnel's address is on, and the TEID as the endpoint knows it. `None`: there is no such endpoint.
    #[must_use]
    pub fn record(&self, service: &str, endpoint: &str, path: u8, teid: u32) -> Option<Record> {
        let spot = self.spots.get(&(Arc::from(service), Arc::from(endpoint)))?;
        let pin = Pin { target: spot.target, teid, service: spot.service, path, flags: 0 };
        Some(Record { place: Arc::clone(&spot.place), pin, origin: PinOrigin::Learned, ends: None })
    }

    /// Where a filter of a service's tunnel on a path sends packets, by the names of service and endpoint (`POOL/NAME`): the
    /// entry of `TARGETS`, and whether they leave their tunnel there. `None`: there is no such endpoint.
    #[must_use]
    pub fn branch(&self, service: &str, endpoint: &str, path: u8) -> Option<(u32, bool)> {
        let spot = self.spots.get(&(Arc::from(service), Arc::from(endpoint)))?;
        let path = if spot.exit { 0 } else { path };
        Some((spot.target.saturating_add(path.into()), spot.exit))
    }

    /// The endpoints that filters of a service's tunnels may name, `POOL/NAME`, in no order.
    pub fn branches<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a str> {
        self.spots.keys().filter(move |(of, _)| &**of == service).map(|(_, endpoint)| &**endpoint)
    }

    /// Who an entry of `TARGETS` belongs to; `None` for a service's own addresses and for what is not known.
    #[must_use]
    pub fn place(&self, target: u32) -> Option<&Arc<Place>> {
        self.targets.get(target as usize)?.as_ref()
    }

    /// The entries of `TARGETS` of these endpoints, given as `POOL/NAME`.
    pub fn targets<'a>(&'a self, endpoints: &'a HashSet<String>) -> impl Iterator<Item = u32> + 'a {
        let places = (0..).zip(&self.targets);
        let theirs =
            |place: &Option<Arc<Place>>| place.as_ref().is_some_and(|it| endpoints.contains(&*it.endpoint));
        places.filter(move |(_, place)| theirs(place)).map(|(index, _)| index)
    }

    /// The entries of `TARGETS` that pins of the table name.
    pub fn pinned(&self) -> impl Iterator<Item = u32> {
        let places = (0..).zip(&self.targets);
        places
            .filter(|(_, place)| place.as_ref().is_some_and(|place| place.sessions() > 0))
            .map(|(index, _)| index)
    }

    /// A service's name, by number.
    #[must_use]
    pub fn service(&self, id: u16) -> Option<&Arc<str>> {
        self.services.get(&id)
    }

    /// Whether there is a service of this name.
    #[must_use]
    pub fn has_service(&self, name: &str) -> bool {
        self.services.values().any(|known| &**known == name)
    }

    /// The endpoints, as `POOL/NAME`, that `NAME` or `POOL/NAME` stands for.
    #[must_use]
    pub fn endpoints(&self, name: &str) -> HashSet<Arc<str>> {
        let all = self.targets.iter().flatten().map(|place| &place.endpoint);
        all.filter(|endpoint| is_called(endpoint, name)).map(Arc::clone).collect()
    }
}

/// Whether `POOL/NAME` is meant by `NAME` or `POOL/NAME`.
pub(crate) fn is_called(endpoint: &str, name: &str) -> bool {
    endpoint == name || endpoint.split_once('/').is_some_and(|(_, bare)| bare == name)
}

/// An endpoint's name with its pool's; where packets leave their tunnels, it has one.
fn whole(pool: &str, endpoint: &str) -> String {
    if endpoint.contains('/') { endpoint.to_owned() } else { format!("{pool}/{endpoint}") }
}
