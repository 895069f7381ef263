//! Finding producers with the NRF, on behalf of clients (TS 29.500 6.10.3, 6.10.5), and remembering who was found.

mod cache;
mod candidates;
mod canonical;
mod directory;
mod endpoint;
mod factors;
mod failures;
mod features;
mod former;
mod freshness;
mod given;
mod ignored;
mod nf_type;
mod nobody;
pub(crate) mod parameter;
mod settings;
mod target_type;
mod whole;

pub use candidates::{Candidate, Found, Listener};
pub(crate) use canonical::encode;
pub use directory::{Asking, Directory};
pub use factors::{Api, Factors};
pub(crate) use former::Former;
pub(crate) use nf_type::is_known as is_known_type;
pub use nobody::{Nobody, refused};
pub use settings::DiscoverySettings;
pub(crate) use target_type::of_service as type_of_service;
