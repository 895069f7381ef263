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
    nrfs: Vec<String>,
    registers: bool,
    producers: usize,
}

impl SbiRow {
    pub(super) fn new(sbi: &Sbi) -> Self {
        let listener = |SbiListener { socket, tls }: &SbiListener| {
            format!("{}://{socket}", if *tls { "https" } else { "http" })
        };
        let (identity, nrf) = (&sbi.settings.identity, &sbi.settings.nrf);
        Self {
            fqdn: identity.fqdn.clone(),
            listeners: sbi.listeners.iter().map(listener).collect(),
            authorities: identity.authorities.iter().map(ToString::to_string).collect(),
            nrfs: nrf.iter().flat_map(|nrf| &nrf.roots).map(ToString::to_string).collect(),
            registers: nrf.as_ref().is_some_and(|nrf| nrf.registration.is_some()),
            producers: sbi.settings.discovery.producers.len(),
        }
    }
}

impl fmt::Display for SbiRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "SCP         {} at {}", self.fqdn, self.listeners.join(", "))?;
        match (&self.nrfs[..], self.registers) {
            ([], _) => writeln!(f, "NRF         none: whom to ask is what clients name, and the producers here")?,
            (nrfs, true) => writeln!(f, "NRF         {}, where it registers", nrfs.join(", "))?,
            (nrfs, false) => writeln!(f, "NRF         {}", nrfs.join(", "))?,
        }
        if self.producers > 0 {
            writeln!(f, "producers   {}, found whatever the NRF knows", self.producers)?;
        }
        Ok(())
    }
}
