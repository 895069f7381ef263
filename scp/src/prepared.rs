//! What an SCP goes by at one time: what it was told, and what follows from it.

use std::sync::Arc;

use http::HeaderValue;
use tokio_rustls::rustls::{ClientConfig, ServerConfig};

use crate::resolve::{Resolve, System};
use crate::settings::Settings;
use crate::tally::Tally;
use crate::trace::Tracer;
use crate::windows::Windows;

/// Settings, with certificates and what is made of them once.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What it was told.
    pub settings: Settings,
    /// `SCP-` and its FQDN.
    pub tag: HeaderValue,
    /// How it meets clients over TLS, where it does.
    pub server: Option<Arc<ServerConfig>>,
    /// How it meets producers over TLS, where it does.
    pub client: Option<Arc<ClientConfig>>,
    /// Who knows where hosts are.
    pub resolver: Arc<dyn Resolve>,
    /// What happens, counted: that of the SCP that goes by it.
    pub tally: Tally,
    /// What all connections together may buffer: those of the SCP that goes by it.
    pub windows: Windows,
    /// Who tells of spans elsewhere, where somebody does.
    pub tracer: Option<Arc<dyn Tracer>>,
    /// Whether each request is told ([`crate::account::Account::tell`]).
    pub told: bool,
}

impl Prepared {
    /// Prepares settings. TLS is of [`crate::tls`]; where hosts are is the system's to know.
    #[must_use]
    pub fn new(settings: Settings, server: Option<Arc<ServerConfig>>, client: Option<Arc<ClientConfig>>) -> Self {
        let tag = settings.identity.tag();
        Self {
            settings,
            tag,
            server,
            client,
            resolver: Arc::new(System),
            tally: Tally::default(),
            windows: Windows::default(),
            tracer: None,
            told: false,
        }
    }
}
