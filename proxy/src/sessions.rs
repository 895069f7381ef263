//! The session table: which endpoint each pinned tunnel is on, in user space and in the kernel's `PINS`.
//!
//! Decoders, the configuration and the store pin keys by a batch of [`Change`]s that [`Table::commit`] puts into
//! force whole or not at all. It yields [`Installed`] once the kernel's maps have the batch; a front end that
//! takes that value as an argument of its `send` cannot say too early that an endpoint is reachable.
//!
//! The table is sharded by key. A shard is owned by one task at a time: a commit takes the shards that its batch
//! touches, in ascending order, and hands them back when table, maps and store's backlog agree. What happens in
//! between runs without a pause, so that a caller which gives up waiting leaves nothing half done.
//!
//! What XDP pins itself (`FLOWS`, `FLOWS6`) is never mirrored here: [`list()`] pages it from the kernel's maps.

mod batch;
mod change;
mod cursor;
mod key;
mod list;
mod names;
mod number;
mod owner;
mod record;
mod rule;
mod shard;
mod table;

pub use change::{Change, CommitError, Installed, Interrupted};
pub use list::{FlowPages, Ticks, list};
pub use names::Names;
pub(crate) use names::is_called;
pub(crate) use number::number;
pub use owner::Owner;
pub(crate) use record::leads_as;
pub use record::{Moment, NewPin, PinOrigin, Place, Record};
pub use rule::{Rule, RuleError, Side};
pub(crate) use table::Position;
pub use table::{Adopted, Full, Level, PinTable, Settings, Table};
