//! Access tokens that were got for consumers, each for what it was got for and nobody else (TS 29.510 5.4.2.2).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use pinion_protocols::sbi::{Credentials, Jwt, Value as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::held::Held;
use super::request::{Missing, TokenRequest};
use super::settings::AuthorizationSettings;
use super::vain::Vain;
use crate::api_root::ApiRoot;
use crate::cause::Cause;
use crate::failure::Failure;
use crate::flight::{Flights, Joined};
use crate::names;
use crate::nrf::{Ask, NrfError, NrfSet};
use crate::problem::Problem;
use crate::tally::{Event, Tally};

/// Tokens, by what they were got for. Copies share them.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    kept: Arc<Mutex<Held>>,
    vain: Arc<Vain>,
    flights: Flights<TokenRequest, Granted>,
}

/// A token.
#[derive(Clone, Debug)]
pub struct Token {
    /// As Authorization has it, scheme and all; marked so that it is not shown.
    pub value: HeaderValue,
    /// When it came.
    pub(super) since: Instant,
    pub(super) until: Instant,
}

type Granted = Result<Token, Denied>;

/// Why there is no token.
#[derive(Clone, Debug)]
pub enum Denied {
    /// The NRF refused it.
    Refused {
        /// Which.
        nrf: ApiRoot,
        /// What it said: AccessTokenErr.
        content: Bytes,
    },
    /// There was no answer.
    Unanswered(NrfError),
}

/// What the NRF answers (TS 29.510 6.3.5.2.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenRsp {
    /// The token.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds until it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// Members that are not read.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

impl AccessTokenRsp {
    /// The token as Authorization has it; marked so that it is not shown.
    ///
    /// # Errors
    /// It is no bearer token.
    pub(crate) fn bearer(&self) -> Result<HeaderValue, String> {
        let text = format!("Bearer {}", self.access_token);
        let bearer = Credentials::parse(text.as_bytes()).is_ok_and(|it| it.bearer().is_some());
        if !self.token_type.eq_ignore_ascii_case("Bearer") || !bearer {
            return Err("it is no bearer token".to_owned());
        }
        let mut value = HeaderValue::try_from(text).map_err(|error| error.to_string())?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// Claims of a token that are read here (TS 29.510 6.3.5.2.4); whoever gets it checks all of it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Claims {
    pub(super) aud: Option<Value>,
    exp: Option<u64>,
}

impl Claims {
    /// Of a token that is a JSON Web Token.
    pub(super) fn of(token: &str) -> Option<Self> {
        serde_json::from_slice(&Jwt { text: token }.claims()?).ok()
    }
}

/// Octets of all that are kept, and of what they were asked for with: clients say how long that is.
const OCTETS: usize = 256 * 1024 * 1024;

impl Tokens {
    /// A token: kept, or got of the NRF once for all that want the same. `set` says which NRF, where one must be asked. One that
    /// denies it is not asked again for as long as `pause`.
    ///
    /// # Errors
    /// There is none.
    pub async fn get(
        &self,
        request: &TokenRequest,
        assertion: Option<&HeaderValue>,
        set: impl FnOnce() -> NrfSet,
        (settings, pause): (&AuthorizationSettings, Duration),
        clock: SystemTime,
        tally: &Tally,
    ) -> Granted {
        if let Some(token) = self.kept(request) {
            tally.one(Event::TokenRemembered);
            return Ok(token);
        }
        let set_out = || {
            let (tokens, request, settings) = (self.clone(), request.clone(), settings.clone());
            let (assertion, set, tally) = (assertion.cloned(), set(), tally.clone());
            async move {
                let granted = fetch(&request, assertion, &set, &settings, clock).await;
                tally.one(match &granted {
                    Ok(_) => Event::TokenGranted,
                    Err(Denied::Refused { .. }) => Event::TokenDenied,
                    Err(Denied::Unanswered(_)) => Event::TokenFailed,
                });
                match &granted {
                    Ok(token) => {
                        tokens.lock().put(request, token.clone(), Instant::now(), (settings.entries, OCTETS));
                    }
                    Err(denied) => tokens.vain.denied(request, denied, pause),
                }
                granted
            }
        };
        let look = || self.kept(request).map(Ok).or_else(|| self.vain.is_denied(request).map(Err));
        match self.flights.join(request.clone(), look, set_out) {
            Joined::There(granted) => granted,
            Joined::Flight(flight) => flight.land().await.unwrap_or(Err(Denied::Unanswered(NrfError::GivenUp))),
        }
    }

    /// Forgets a token that a producer did not take; another that came since stays.
    pub fn reject(&self, request: &TokenRequest, token: &Token) {
        let mut kept = self.lock();
        if kept.get(request, Instant::now()).is_some_and(|it| it.value == token.value) {
            kept.remove(request);
        }
    }

    /// What was asked for in vain just now.
    pub(super) fn vain(&self) -> &Vain {
        &self.vain
    }

    fn kept(&self, request: &TokenRequest) -> Option<Token> {
        self.lock().get(request, Instant::now()).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn fetch(
    request: &TokenRequest,
    assertion: Option<HeaderValue>,
    set: &NrfSet,
    settings: &AuthorizationSettings,
    clock: SystemTime,
) -> Granted {
    const FORM: &str = "application/x-www-form-urlencoded";
    let mut ask = Ask::with(Method::POST, "/oauth2/token".to_owned(), FORM, request.form());
    if let Some(assertion) = assertion {
        ask.headers.insert(names::CLIENT_CREDENTIALS, assertion);
    }
    let (nrf, reply) = set.ask(&ask).await.map_err(Denied::Unanswered)?;
    let (status, content) = (reply.status(), reply.into_body());
    if status.is_client_error() {
        return Err(Denied::Refused { nrf, content });
    }
    if status != StatusCode::OK {
        return Err(Denied::Unanswered(NrfError::Refused { nrf, status, content }));
    }
    let malformed =
        |reason: String| Denied::Unanswered(NrfError::Malformed { nrf: nrf.clone(), reason: reason.into() });
    let answer: AccessTokenRsp = serde_json::from_slice(&content).map_err(|error| malformed(error.to_string()))?;
    let value = answer.bearer().map_err(malformed)?;
    Ok(Token { value, since: Instant::now(), until: end(&answer, settings, clock) })
}

/// Until when a token is used.
fn end(answer: &AccessTokenRsp, settings: &AuthorizationSettings, clock: SystemTime) -> Instant {
    let claimed = || {
        let ends = UNIX_EPOCH.checked_add(Duration::from_secs(Claims::of(&answer.access_token)?.exp?))?;
        Some(ends.duration_since(clock).unwrap_or_default())
    };
    let left = answer.expires_in.map(Duration::from_secs).or_else(claimed).unwrap_or(settings.validity);
    let now = Instant::now();
    now.checked_add(left.saturating_sub(settings.early)).unwrap_or(now)
}

impl Denied {
    /// What the client is told (TS 29.500 6.10.11.2.2).
    #[must_use]
    pub fn failure(&self, request: &TokenRequest) -> Failure {
        match self {
            Self::Refused { nrf, content } => {
                let mut problem = match request.is_typed() {
                    true => Problem::new(Cause::AccessTokenDenied).detail("the NRF grants no access token"),
                    false => Missing::Kind.problem(),
                };
                if let Ok(error @ Value::Object(_)) = serde_json::from_slice(content) {
                    problem.more.insert("accessTokenError".to_owned(), error);
                }
                problem.more.insert("accessTokenRequest".to_owned(), request.json().into());
                problem.more.insert("nrfId".to_owned(), nrf.host().into());
                problem.into()
            }
            Self::Unanswered(error) => {
                Problem::new(Cause::TargetNfNotReachable).detail(format!("no access token: {error}")).into()
            }
        }
    }
}
