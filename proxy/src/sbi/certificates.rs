//! From files to what an SCP goes by.

use std::sync::Arc;

use pinion_scp::Prepared;
use pinion_scp::tls::{self, Clients, Pair};

use super::StartError;
use super::names::resolver;
use crate::api::tls::{authorities, pair};
use crate::config::model::Sbi;

/// Reads the certificates, and puts them beside the settings, with who knows where hosts are. To be used within a tokio runtime.
///
/// # Errors
/// Where a file cannot be read, or does not do.
pub fn prepare(sbi: &Sbi, instance: &str) -> Result<Prepared, StartError> {
    let mut settings = sbi.settings.clone();
    settings.identity.instance.get_or_insert_with(|| instance.to_owned());
    if let Some(registration) = settings.nrf.as_mut().and_then(|nrf| nrf.registration.as_mut()) {
        instance.clone_into(&mut registration.instance);
    }
    let told = sbi.access_log.is_some();
    let prepared = |settings, server, client| Prepared {
        told,
        resolver: resolver(&sbi.dns_servers),
        #[cfg(feature = "otlp")]
        tracer: Some(super::traces::tracer()),
        ..Prepared::new(settings, server, client)
    };
    let Some(files) = &sbi.tls else { return Ok(prepared(settings, None, None)) };
    let own = || match &files.pair {
        None => Ok(None),
        Some((certificate, key)) => {
            pair(certificate, key).map(|(chain, key)| Some(Pair { chain, key })).map_err(StartError::from)
        }
    };
    let clients = match &files.clients {
        None => Clients::Any,
        Some(path) => Clients::Known(Arc::new(authorities(path)?)),
    };
    let server = own()?.map(|pair| tls::server(pair, clients)).transpose()?;
    let client = match &files.authorities {
        None => None,
        Some(path) => Some(tls::client(authorities(path)?, own()?)?),
    };
    Ok(prepared(settings, server, client))
}
