//! The SCP, as it would run.

use std::fmt;

use serde::Serialize;

use crate::config::model::{Sbi, SbiListener};

/// The SCP.
#[derive(Debug, Serialize)]
pub(super) struct SbiRow {
    fqdn: String,
    listeners: Vec<String>,
    authorities: Vec<String>,
}

impl SbiRow {
    pub(super) fn new(sbi: &Sbi) -> Self {
        let listener = |SbiListener { socket, tls }: &SbiListener| {
            format!("{}://{socket}", if *tls { "https" } else { "http" })
        };
        let identity = &sbi.settings.identity;
        Self {
            fqdn: identity.fqdn.clone(),
            listeners: sbi.listeners.iter().map(listener).collect(),
            authorities: identity.authorities.iter().map(ToString::to_string).collect(),
        }
    }
}

impl fmt::Display for SbiRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "SCP         {} at {}", self.fqdn, self.listeners.join(", "))
    }
}
