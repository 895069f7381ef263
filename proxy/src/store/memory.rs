use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use pinion_steering::PinKey;

use super::{Memories, Page, Store, StoreError, Write};

/// A store in this process: what it holds ends with it. A clone is the same store.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    entries: Arc<Mutex<Entries>>,
}

/// By address and TEID.
type Entries = BTreeMap<([u8; 16], u32), Vec<u8>>;

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
        for Write { key, value } in changes {
            let key = (key.address.octets(), key.teid);
            match value {
                Some((value, _)) => entries.insert(key, value.clone()),
                None => entries.remove(&key),
            };
        }
        Ok(vec![Ok(()); changes.len()])
    }

    async fn page(&mut self, cursor: Option<u64>) -> Result<Page, StoreError> {
        let begin = usize::try_from(cursor.unwrap_or(0)).unwrap_or(usize::MAX);
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let page = entries.iter().skip(begin).take(PAGE);
        let page: Vec<_> = page
            .map(|((address, teid), value)| {
                let address = std::net::Ipv6Addr::from(*address).to_canonical();
                (PinKey { address: address.into(), teid: *teid }, value.clone())
            })
            .collect();
        let end = begin.saturating_add(page.len());
        Ok(Page { next: (end < entries.len()).then_some(end as u64), entries: page })
    }
}
