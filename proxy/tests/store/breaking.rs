//! A store that breaks off when told to.

use std::sync::{Arc, Mutex};

use pinion::store::{Memories, Memory, Page, Store, StoreError, Write};

#[derive(Clone)]
pub(crate) struct Breaking {
    store: Memory,
    state: Arc<Mutex<State>>,
}

struct State {
    asked: Vec<Option<u64>>,
    /// After how many pages it breaks off, each time.
    pages: Vec<usize>,
    memories: Memories,
}

impl Breaking {
    /// Breaks off after so many pages, so many after that, and no more then. After that, it says of its `memories`
    /// that they are so.
    pub(crate) fn new(store: Memory, pages: &[usize], memories: Memories) -> Self {
        let pages = pages.iter().rev().copied().collect();
        Self { store, state: Arc::new(Mutex::new(State { asked: Vec::new(), pages, memories })) }
    }

    /// The pages that were asked for since the last call.
    pub(crate) fn asked(&self) -> Vec<Option<u64>> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }
}

#[tonic::async_trait]
impl Store for Breaking {
    fn kind(&self) -> String {
        "breaking".to_owned()
    }

    async fn connect(&mut self) -> Result<Memories, StoreError> {
        let state = self.state.lock().unwrap();
        Ok(if state.asked.is_empty() { Memories::Whole } else { state.memories })
    }

    async fn write(&mut self, changes: &[Write]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        self.store.write(changes).await
    }

    async fn page(&mut self, cursor: Option<u64>) -> Result<Page, StoreError> {
        {
            let mut state = self.state.lock().unwrap();
            state.asked.push(cursor);
            match state.pages.last_mut() {
                Some(0) => {
                    state.pages.pop();
                    return Err(StoreError::Down("it broke off".to_owned()));
                }
                Some(left) => *left -= 1,
                None => {}
            }
        }
        self.store.page(cursor).await
    }
}
