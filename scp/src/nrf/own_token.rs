//! Access tokens of this SCP's own, for services of NRFs that want one (TS 29.510 5.4.2.2, TS 33.501 13.4.1.1).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode};
use tokio::time::Instant;

use super::set::Ask;
use crate::api_root::ApiRoot;
use crate::authorization::AccessTokenRsp;

/// Tokens that NRFs gave this SCP. Copies share them.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnTokens {
    kept: Arc<Mutex<HashMap<Use, Kept>>>,
}

/// What a token is for: a service of an NRF, as `nnrf-disc`.
pub(super) type Use = (ApiRoot, String);

#[derive(Debug)]
struct Kept {
    value: HeaderValue,
    until: Instant,
}

/// Tokens that are kept: NRFs, some named by clients, have three services each.
const MOST: usize = 256;

/// How long before its end a token is used no more, and how long one is that does not say when it ends.
const EARLY: Duration = Duration::from_secs(5);
const VALID: Duration = Duration::from_secs(60);

impl OwnTokens {
    pub(super) fn get(&self, of: &Use) -> Option<HeaderValue> {
        let now = Instant::now();
        self.lock().get(of).filter(|it| now < it.until).map(|it| it.value.clone())
    }

    /// Forgets one that was refused.
    pub(super) fn forget(&self, of: &Use) {
        self.lock().remove(of);
    }

    /// Keeps what an NRF answers to [`request`]; none where that is no token.
    pub(super) fn take(&self, of: Use, reply: &Response<Bytes>) -> Option<HeaderValue> {
        let answer: AccessTokenRsp = serde_json::from_slice(reply.body()).ok()?;
        let value = answer.bearer().ok().filter(|_| reply.status() == StatusCode::OK)?;
        let valid = answer.expires_in.map_or(VALID, Duration::from_secs).saturating_sub(EARLY);
        let mut kept = self.lock();
        if kept.len() >= MOST {
            kept.clear();
        }
        if let Some(until) = Instant::now().checked_add(valid) {
            kept.insert(of, Kept { value: value.clone(), until });
        }
        Some(value)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Use, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks for a token for a service, on this SCP's own behalf.
pub(super) fn request(instance: &str, service: &str) -> Ask {
    let form = format!(
        "grant_type=client_credentials&nfInstanceId={instance}&nfType=SCP&targetNfType=NRF&scope={service}"
    );
    Ask::with(Method::POST, "/oauth2/token".to_owned(), "application/x-www-form-urlencoded", form)
}
