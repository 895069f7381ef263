//! The NRF as this SCP uses it: registration, subscriptions, notifications, access tokens, and its sets (TS 29.510).

mod error;
#[cfg(test)]
pub(crate) mod fixture;
mod held;
mod keeper;
mod lenient;
mod link;
mod notice;
mod own;
mod own_token;
mod places;
mod profile;
mod registrar;
mod set;
mod settings;
mod subscriber;
mod subscriptions;

pub use error::NrfError;
pub use keeper::Keeper;
pub use link::{Answer, Exchange, Link, Wire};
pub(crate) use notice::shown;
pub use notice::{NOTIFY_PATH, Notice, NoticeLayer};
pub use own::profile as own_profile;
pub use places::Places;
pub use profile::{
    DefaultSubscription, IpEndPoint, NfInstanceInfo, NfProfile, NfService, PlmnOauth2, REGISTERED, SearchResult,
    ServiceVersion,
};
pub use set::{Ask, NrfSet, Preferred};
pub use settings::{NrfSettings, PlmnId, Registration};
pub use subscriptions::{Loaded, NotificationData, SubscriptionData, Wanted};
