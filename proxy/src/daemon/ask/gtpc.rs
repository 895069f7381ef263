//! What the front ends of GTPv2-C tell, among the rest.

use pinion_gtpc::EndpointView;

use super::Counts;
use crate::control::{GtpcEndpoint, GtpcFrontEnd};
use crate::daemon::front_ends;
use crate::daemon::state::Daemon;

impl Daemon {
    /// How it goes with the front ends.
    pub(super) async fn gtpc_front_ends(&self) -> Vec<GtpcFrontEnd> {
        let mut views = Vec::new();
        for (service, host) in front_ends::running_gtpc(self).await {
            let (endpoints, counts) = host.endpoints().await;
            let endpoints: Vec<_> = endpoints.iter().filter_map(endpoint).collect();
            let sessions = endpoints.iter().map(|endpoint| endpoint.sessions).sum();
            views.push(GtpcFrontEnd { service, sessions, counts, endpoints });
        }
        views
    }
}

fn endpoint(view: &EndpointView) -> Option<GtpcEndpoint> {
    let EndpointView { name, up, sessions } = view;
    let (pool, name) = name.split_once('/')?;
    Some(GtpcEndpoint { pool: pool.to_owned(), name: name.to_owned(), up: *up, sessions: u64::from(*sessions) })
}

impl Counts {
    /// These, and what front ends count.
    pub(super) fn with_gtpc(mut self, gtpc: Vec<GtpcFrontEnd>) -> Self {
        for front_end in &gtpc {
            for endpoint in &front_end.endpoints {
                self.add(&front_end.service, (&endpoint.pool, &endpoint.name), endpoint.sessions);
            }
        }
        Self { gtpc, ..self }
    }
}
