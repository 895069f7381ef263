//! The SCP as the daemon hosts it ([`pinion_scp`]): listeners, certificates, what outlives it, and its end without losing a
//! request.

mod certificates;
mod drains;
mod host;
mod instance;
mod log;
mod names;
mod producers;
mod resources;
#[cfg(feature = "otlp")]
mod traces;

pub use certificates::prepare;
pub use drains::DrainsError;
pub(crate) use host::secret;
pub use host::{Host, Next, StartError};
pub use instance::{InstanceError, instance};
pub use names::Dns;
pub use resources::Resources;
