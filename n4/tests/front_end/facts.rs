//! What is to be true of N4, fact by fact, and the tests that show it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Facts, each with tests of this folder; what is in the packet path is tested there.
const FACTS: &[(&str, &[&str])] = &[
    // PFCP.
    ("each UPF has one association with the front end, each SMF one", &["clause_6_2_6_each_upf_is_asked_once"]),
    (
        "an association that is set up anew ends the sessions, unless they are retained",
        &["clause_6_2_6_2_2_without_retention_sessions_end", "clause_6_2_6_2_2_with_retention_sessions_stay"],
    ),
    ("a Node ID is the same as long as an association lasts", &["clause_6_2_6_1_the_node_id_stays"]),
    (
        "a SEID is of an address: those of two UPFs, and of two SMFs, may be the same",
        &["clause_8_2_37_two_upfs_may_use_one_seid", "clause_6_2_6_2_2_without_retention_sessions_end"],
    ),
    ("a session is where its F-SEID says", &["clause_8_2_37_a_session_is_where_its_f_seid_says"]),
    (
        "the SEID in a header is 0 in an establishment, and where a session is not found",
        &["clause_6_3_2_a_session_is_made", "clause_7_2_2_4_2_an_unknown_session_is_answered_with_seid_0"],
    ),
    (
        "responses are matched by address and number",
        &["clause_6_4_two_peers_may_use_one_number", "clause_6_4_an_answer_that_nobody_asked_for"],
    ),
    (
        "a retransmission has the same bytes, and a request one answer",
        &[
            "clause_6_4_a_retransmission_is_answered_alike",
            "clause_6_4_a_request_under_way_is_not_begun_again",
            "clause_6_4_requests_are_repeated",
        ],
    ),
    ("numbers towards the other side are our own", &["clause_7_2_2_4_seids_and_numbers_are_translated_both_ways"]),
    (
        "a bundle is taken apart, and what is passed on is alone",
        &[
            "clause_6_5_a_bundle_is_taken_apart",
            "clause_6_5_what_follows_without_the_flag_is_none",
            "clause_6_5_what_is_passed_on_is_alone",
        ],
    ),
    (
        "heartbeats are answered even to strangers, with one stamp that outlives a restart",
        &[
            "clause_6_2_2_a_stranger_is_answered",
            "clause_6_2_2_the_stamp_is_constant",
            "clause_19a_the_next_one_goes_on",
        ],
    ),
    (
        "a report may go to another SMF of the set, with SEID 0",
        &["clause_5_22_3_another_smf_takes_over", "clause_5_22_3_only_while_it_is_away"],
    ),
    (
        "TEIDs that a UPF chooses are learnt, and an SMF's restoration brings its own",
        &["clause_7_5_3_5_created_traffic_endpoints", "clause_5_5_1_an_smf_restores_a_session"],
    ),
    (
        "TEIDs of an SMF's choice are refused, or taken by an option",
        &["clause_5_5_1_teids_of_the_smf_are_refused", "clause_5_5_1_teids_of_the_smf_by_option"],
    ),
    ("priorities pass", &["clause_7_2_2_3_priorities_pass", "clause_6_3_2_an_establishment_passes_as_it_is"]),
    // Modes.
    (
        "terminate: identifiers of either side are translated",
        &["clause_6_3_2_a_session_is_made", "clause_7_2_2_4_seids_and_numbers_are_translated_both_ways"],
    ),
    (
        "terminate: sessions are placed by user, name, slice, network, load and pool",
        &[
            "the_users_address_says_which_upf",
            "what_a_upf_serves_says_so_too",
            "clause_6_2_4_an_overloaded_upf_is_spared",
            "clause_5_21_3_2_a_session_goes_where_its_pool_is",
        ],
    ),
    ("terminate: everything after goes to the owner", &["ten_thousand_sessions_each_on_its_upf"]),
    (
        "redirect: associations are with each UPF, under the SMF's Node ID, and answered once",
        &["clause_6_2_6_an_association_is_with_each_upf", "clause_6_4_a_setup_is_answered_once_and_alike"],
    ),
    ("redirect: the UPFs share one Node ID", &["clause_6_2_6_1_a_upf_of_another_node_id_is_left_out"]),
    (
        "redirect: an establishment is placed, F-SEIDs stay, and what follows goes direct",
        &["clause_6_3_2_an_establishment_passes_as_it_is", "clause_6_3_3_a_modification_goes_direct"],
    ),
    (
        "redirect: what comes here nevertheless is relayed, where it is known",
        &["clause_6_3_3_what_comes_here_is_relayed_by_its_seid", "the_oldest_pin_goes_where_there_is_no_room"],
    ),
    // Features.
    (
        "SMFs are told what all UPFs can, and of changes; FTUP is required",
        &[
            "clause_8_2_25_smfs_are_told_what_all_upfs_can",
            "clause_8_2_25_ftup_is_required",
            "clause_6_2_7_smfs_hear_of_changes",
        ],
    ),
    ("UPFs are told what all SMFs can, and of changes", &["clause_8_2_58_upfs_hear_of_changes"]),
    (
        "load, overload and pools are told of all together, with numbers of our own",
        &[
            "clause_6_2_3_load_is_told_of_all_together",
            "clause_6_2_4_3_overload_of_all_is_told",
            "clause_6_2_3_3_2_numbers_of_load_and_overload_go_on",
            "clause_7_4_4_2_smfs_are_told_of_all_pools",
            "clause_7_4_4_3_smfs_are_told_of_changes",
        ],
    ),
    ("names of SMF sets are consumed", &["clause_5_22_names_of_sets_are_not_passed_on"]),
    ("PFDs go to all UPFs, also to later ones", &["clause_6_2_5_pfds_go_to_all_upfs"]),
    (
        "a UPF sets up, drains and releases",
        &["clause_6_2_6_3_a_upf_sets_up", "clause_5_18_a_upf_asks_for_its_release", "clause_6_2_8_a_upf_releases"],
    ),
    ("a node report reaches every SMF concerned", &["clause_6_2_10_node_reports_reach_those_concerned"]),
    (
        "an SMF of a set redirects a report",
        &["clause_7_5_9_1_a_report_is_redirected", "clause_7_5_9_1_redirections_end"],
    ),
    // Users' addresses.
    ("an address that the UPF chose is passed on", &["clause_5_21_3_1_an_address_of_the_upfs_choice_passes"]),
    ("placement follows an address that the SMF chose", &["the_users_address_says_which_upf"]),
    // Restarts.
    (
        "an SMF's restart ends its own sessions alone",
        &[
            "clause_23_527_4_2_an_smf_that_restarts_by_heartbeat",
            "clause_6_2_6_2_2_without_retention_sessions_end",
        ],
    ),
    (
        "a lost UPF's sessions are made again elsewhere, and clients notice nothing",
        &[
            "clause_23_527_4_3_clients_notice_nothing",
            "clause_7_5_4_modifications_are_in_the_new_establishment",
            "clause_8_2_56_an_outer_header_follows_its_tunnel",
        ],
    ),
    (
        "or the next request is answered: not found; with EPFAR on both sides the SMF is told",
        &[
            "clause_23_527_4_3_sessions_of_a_upf_that_restarts_are_not_found",
            "clause_5_18_2_with_epfar_the_smf_is_told",
            "clause_5_18_2_without_epfar_of_all_upfs_nobody_is_told",
        ],
    ),
    (
        "retention is said only where all sessions are kept",
        &["clause_8_2_146_psrei_only_where_all_sessions_are_kept"],
    ),
    // Tunnels.
    (
        "F-TEIDs of the UPF are told as those of the service, and back",
        &[
            "clause_5_5_1_colliding_teids_are_translated",
            "clause_7_5_4_2_an_update_is_translated_back",
            "clause_7_5_3_5_created_traffic_endpoints",
            "clause_5_24_2_redundant_transmission",
        ],
    ),
    (
        "outer headers are the peer's, but where they name a tunnel of another UPF here",
        &["clause_8_2_56_outer_headers_are_the_peers", "clause_8_2_56_between_two_upfs_it_goes_direct"],
    ),
    ("no answer is sent before its tunnels are in force", &["an_answer_waits_for_its_tunnels"]),
    ("damaged messages stop nothing", &["damaged_messages_harm_nobody_else", "any_datagram_is_survived"]),
];

#[test]
fn every_fact_has_its_tests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/front_end");
    let mut known = BTreeSet::new();
    tests(&folder, &mut known);
    for (fact, shown) in FACTS {
        assert!(!shown.is_empty(), "nothing shows that {fact}");
        for test in *shown {
            assert!(known.contains(*test), "{test} is to show that {fact}");
        }
    }
}

/// The tests in a folder's files.
fn tests(folder: &Path, known: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests(&path, known);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let mut lines = text.lines().map(str::trim).skip_while(|line| *line != "#[test]");
        while let Some(line) = lines.by_ref().find_map(|line| line.strip_prefix("fn ")) {
            known.extend(line.split_once('(').map(|(name, _)| name.to_owned()));
            lines.by_ref().find(|line| *line == "#[test]");
        }
    }
}
