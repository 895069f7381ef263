//! Tokens that were asked for in vain: who wants the same again at once costs neither the NRF nor the producer another try.

use std::time::Duration;

use tokio::time::Instant;

use super::request::TokenRequest;
use super::tokens::Denied;
use crate::aged::{Aged, holding};
use crate::api_root::ApiRoot;
use crate::seldom::Seldom;

/// What was in vain just now.
#[derive(Debug, Default)]
pub(super) struct Vain {
    /// The NRF granted none.
    denied: Seldom<Aged<TokenRequest, Denied>>,
    /// A producer did not take one that was new.
    rejected: Seldom<Aged<(TokenRequest, ApiRoot), ()>>,
}

/// For how long at the most: what was put right at an NRF or a producer is not told.
const LONGEST: Duration = Duration::from_secs(10);

/// Those that are remembered, and octets of one.
const MOST: usize = 1_024;
const LARGEST: usize = 8_192;

impl Vain {
    /// Remembers for so long what the NRF said, where it refused.
    pub(super) fn denied(&self, request: TokenRequest, denied: &Denied, holds: Duration) {
        let Denied::Refused { content, .. } = denied else { return };
        let now = Instant::now();
        if request.octets().saturating_add(content.len()) <= LARGEST {
            self.denied.write().put(request, denied.clone(), now + holds.min(LONGEST), now, MOST);
        }
    }

    /// How the NRF refused just now.
    pub(super) fn is_denied(&self, request: &TokenRequest) -> Option<Denied> {
        let (all, now) = holding(&self.denied)?;
        all.get(request, now).map(|(denied, _)| denied.clone())
    }

    /// Remembers for so long that a producer takes not even a new one.
    pub(super) fn rejected(&self, request: &TokenRequest, producer: &ApiRoot, holds: Duration) {
        let now = Instant::now();
        if request.octets() <= LARGEST {
            let key = (request.clone(), producer.clone());
            self.rejected.write().put(key, (), now + holds.min(LONGEST), now, MOST);
        }
    }

    /// Whether a producer took not even a new one just now.
    pub(super) fn is_rejected(&self, request: &TokenRequest, producer: &ApiRoot) -> bool {
        let all = holding(&self.rejected);
        all.is_some_and(|(all, now)| all.get(&(request.clone(), producer.clone()), now).is_some())
    }
}
