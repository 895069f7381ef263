//! When this SCP gets access tokens for clients.

use std::time::Duration;

/// When, and how many are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationSettings {
    /// When a request gets a token that came without one.
    pub tokens: Policy,
    /// Tokens that are kept; beyond, those that end soonest are forgotten.
    pub entries: usize,
    /// Whether clients get tokens that were got for them, in 3gpp-Sbi-Access-Token.
    pub returned: bool,
    /// How long before its end a token is used no more.
    pub early: Duration,
    /// How long a token is used that does not say when it ends.
    pub validity: Duration,
}

/// When a request gets a token that came without one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Never: what clients bring is passed on.
    Never,
    /// Where the client asks by 3gpp-Sbi-Access-Scope, or the producer's profile says that it needs one, or the producer says so.
    #[default]
    Needed,
    /// Always, but for callbacks.
    Always,
}

impl Default for AuthorizationSettings {
    fn default() -> Self {
        Self {
            tokens: Policy::default(),
            entries: 100_000,
            returned: true,
            early: Duration::from_secs(5),
            validity: Duration::from_secs(60),
        }
    }
}
