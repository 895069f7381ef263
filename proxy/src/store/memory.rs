use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use pinion_steering::PinKey;

use super::{Key, Memories, Page, Store, StoreError, Write};

/// A store in this process: what it holds ends with it. A clone is the same store.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    entries: Arc<Mutex<Entries>>,
}

/// In an order, so that there are pages.
type Entries = BTreeMap<Place, Vec<u8>>;

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// Address and TEID.
    Tunnel([u8; 16], u32),
    Resource(Arc<str>),
}

impl From<&Key> for Place {
    fn from(key: &Key) -> Self {
        match key {
            Key::Tunnel(PinKey { address, teid }) => Self::Tunnel(address.octets(), *teid),
            Key::Resource(resource) => Self::Resource(Arc::clone(resource)),
        }
    }
}

impl From<&Place> for Key {
    fn from(place: &Place) -> Self {
        match place {
            Place::Tunnel(address, teid) => {
                let address = std::net::Ipv6Addr::from(*address).to_canonical();
                Self::Tunnel(PinKey { address: address.into(), teid: *teid })
            }
            Place::Resource(resource) => Self::Resource(Arc::clone(resource)),
        }
    }
}

const PAGE: usize = 1_000;

#[tonic::async_trait]
impl Store for Memory {
    fn kind(&self) -> String {
        "memory".to_owned()
    }

    async fn connect(&mut self) -> Result<Memories, StoreError> {
        Ok(Memories::Whole)
    }

    async fn write(&mut self, changes: &[Write]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        for Write { key, value, .. } in changes {
            match value {
                Some((value, _)) => entries.insert(key.into(), value.clone()),
                None => entries.remove(&key.into()),
            };
        }
        Ok(vec![Ok(()); changes.len()])
    }

    async fn page(&mut self, cursor: Option<u64>) -> Result<Page, StoreError> {
        let begin = usize::try_from(cursor.unwrap_or(0)).unwrap_or(usize::MAX);
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let page = entries.iter().skip(begin).take(PAGE);
        let page: Vec<_> = page.map(|(place, value)| (place.into(), value.clone())).collect();
        let end = begin.saturating_add(page.len());
        Ok(Page { next: (end < entries.len()).then_some(end as u64), entries: page })
    }
}
