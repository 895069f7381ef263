//! What every transport does, and every pair of its endpoints with two paths between them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

mod beds;
mod ending;
mod failing;
mod sending;
mod suite;
mod uml;

use beds::Bed;

/// One test of each transport for each part of the suite.
macro_rules! conformance {
    ($($part:path => $memory:ident, $userspace:ident, $kernel:ident;)*) => {$(
        #[test]
        fn $memory() {
            beds::memory(|bed| Box::pin($part(bed)));
        }

        #[test]
        fn $userspace() {
            beds::userspace(|bed| Box::pin($part(bed)));
        }

        #[test]
        fn $kernel() {
            beds::kernel(|bed| Box::pin($part(bed)));
        }
    )*};
}

conformance! {
    sending::every_size => memory_every_size, userspace_every_size, kernel_every_size;
    sending::every_stream => memory_every_stream, userspace_every_stream, kernel_every_stream;
    sending::without_order => memory_without_order, userspace_without_order, kernel_without_order;
    sending::against_pressure => memory_against_pressure, userspace_against_pressure, kernel_against_pressure;
    sending::to_many => memory_to_many, userspace_to_many, kernel_to_many;
    failing::path_cut_and_restored => memory_path_cut_and_restored, userspace_path_cut_and_restored, kernel_path_cut_and_restored;
    failing::chosen_path => memory_chosen_path, userspace_chosen_path, kernel_chosen_path;
    failing::peer_lost => memory_peer_lost, userspace_peer_lost, kernel_peer_lost;
    failing::restart => memory_restart, userspace_restart, kernel_restart;
    failing::stale => memory_stale, userspace_stale, kernel_stale;
    ending::shutdown => memory_shutdown, userspace_shutdown, kernel_shutdown;
    ending::abort => memory_abort, userspace_abort, kernel_abort;
    ending::dropped => memory_dropped, userspace_dropped, kernel_dropped;
    ending::refused => memory_refused, userspace_refused, kernel_refused;
}
