//! The demonstration: a small core, steered by Pinion, in which things break.
//!
//! [`actor`]s are gNBs, AMFs, UPFs and an SMF without I/O; a [`stage`] carries their frames through Pinion, in network
//! namespaces and the kernel or simulated and in the user-space engine; the [`story`] is the same on both. What is
//! lost and what moves is counted by the gNBs. Those that speak HTTP/2 ([`sbi`]) do so over sockets on every stage.

mod actor;
pub(crate) mod audience;
pub(crate) mod cast;
mod configuration;
pub(crate) mod error;
mod ledger;
pub(crate) mod missing;
mod ngap;
mod node;
mod sbi;
pub(crate) mod stage;
pub(crate) mod story;
pub(crate) mod summary;
pub(crate) mod theatre;
mod ues;
mod user_plane;

/// The port of NGAP (TS 38.412 7), and its payload protocol identifier.
const NGAP_PORT: u16 = 38_412;
const NGAP: u32 = 60;

#[cfg(test)]
mod tests {
    use super::audience::lines::Lines;
    use super::stage::user::UserStage;
    use super::theatre::Theatre;

    #[tokio::test]
    async fn only_what_was_killed_is_lost_and_moves() {
        let mut theatre = Theatre::new(UserStage::new(false).unwrap(), Lines(std::io::sink()));
        let summary = super::story::play(&mut theatre).await.unwrap();
        assert!(summary.is_as_it_should_be(), "{summary:?}");
        let summary = serde_json::to_value(&summary).unwrap();
        let row = |kind: &str, key: &str| summary[kind][key].as_u64().unwrap();
        // And of UEs all that the AMF had.
        assert_eq!((row("ues", "sessions"), row("ues", "silent")), (120, 0));
        assert_eq!(
            (row("ues", "moved"), row("ues", "lost")),
            (row("ues", "had_to_move"), row("ues", "had_to_be_lost"))
        );
        assert!((30..=50).contains(&row("ues", "moved")), "{}", summary["ues"]);
        assert_eq!(row("ues", "sent"), row("ues", "answered") + row("ues", "lost"));
        for deed in ["idled", "paged", "switched", "handed_over"] {
            assert!(row("ues", deed) > 10, "{deed}: {}", summary["ues"]);
        }
        assert_eq!(summary["ues"]["faults"], serde_json::json!([]));
        // Two of six associations are on the AMF that is killed, eight of twenty-four tunnels on the UPF.
        assert_eq!((row("associations", "sessions"), row("tunnels", "sessions")), (6, 24));
        assert_eq!((row("associations", "moved"), row("tunnels", "moved")), (2, 8));
        for kind in ["associations", "tunnels"] {
            assert_eq!(row(kind, "sent"), row(kind, "answered") + row(kind, "lost"), "{kind}");
            assert_eq!(row(kind, "lost"), row(kind, "had_to_be_lost"), "{kind}");
            assert!(row(kind, "lost") > 0 && row(kind, "silent") == 0, "{kind}");
        }
        // Of what is made at UDMs and SMFs all that was on the UDM, and nothing is lost that could be saved.
        assert_eq!((row("sbi", "sessions"), row("sbi", "silent")), (120, 0));
        assert_eq!(summary["sbi"]["faults"], serde_json::json!([]));
        assert_eq!(row("sbi", "moved"), row("sbi", "had_to_move"));
        assert!((1..60).contains(&row("sbi", "moved")), "{}", summary["sbi"]);
        assert_eq!(row("sbi", "sent"), row("sbi", "answered") + row("sbi", "lost"));
        // For UDMs, for SMFs, and for what is left of the set, by a binding and by what the SCP itself remembers.
        assert!((2..=4).contains(&row("sbi", "searches")), "{}", summary["sbi"]);
        assert_eq!(summary["sessions"], 270);
        assert_eq!(summary["moved"], 10 + row("ues", "moved") + row("sbi", "moved"));
        assert_eq!(summary["messages"], row("associations", "sent") + row("ues", "sent"));
        // All that the UPF had is made again on the others, for an SMF that asked for nothing.
        assert_eq!((&summary["learned"], &summary["restored"]), (&24.into(), &8.into()));
        assert_eq!(summary["engine"], "user");
    }

    /// But for SBI, which takes the time that it takes.
    #[tokio::test]
    async fn it_is_the_same_every_time() {
        let steered = async || {
            let mut told = Vec::new();
            let mut theatre = Theatre::new(UserStage::new(false).unwrap(), Lines(&mut told));
            super::story::steered(&mut theatre).await.unwrap();
            let tallies = [theatre.associations(), theatre.tunnels(), theatre.ues.tally()];
            drop(theatre);
            (String::from_utf8(told).unwrap(), tallies)
        };
        assert_eq!(steered().await, steered().await);
    }
}
