//! What is tested in the clear, once more with mutual TLS on all connections.

use std::process::Command;

/// What tells a run to be one over TLS.
const TOLD: &str = "PINION_TEST_OVER_TLS";

/// Tests that are run once more: those of behaviour that should not differ.
const MODULES: [&str; 15] = [
    "advice::",
    "authorization::",
    "binding::",
    "discovery::",
    "failure::",
    "load::",
    "location::",
    "notices::",
    "redirect::",
    "registration::",
    "retry::",
    "routing::",
    "searches::",
    "silence::",
    "pools::f",
];

/// Tests of what is so in the clear only.
const CLEAR: [&str; 4] = [
    "r5_a_client_that_does_not_know_of_the_scp_is_routed_by_authority",
    "r5_a_request_without_an_authority_is_routed_by_its_host",
    "f4_who_does_not_know_of_scps_is_sent_nowhere",
    "f4_clients_are_sent_to_another_scp_while_this_one_ends",
];

/// Whether this run is one over TLS.
pub(crate) fn secure() -> bool {
    std::env::var_os(TOLD).is_some()
}

#[test]
fn a3_over_tls_all_is_as_in_the_clear() {
    if secure() {
        return;
    }
    let skipped = CLEAR.iter().flat_map(|test| ["--skip", test]);
    let again = Command::new(std::env::current_exe().unwrap()).args(MODULES).args(skipped).env(TOLD, "1").output();
    let again = again.unwrap();
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success(), "{said}{}", String::from_utf8_lossy(&again.stderr));
    for module in MODULES {
        let passed = said.lines().filter(|it| it.starts_with(&format!("test {module}")) && it.ends_with("ok"));
        assert!(passed.count() > 0, "{module} has no test");
    }
}
