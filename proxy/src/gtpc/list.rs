//! Pages of the sessions of all front ends.

use std::sync::Arc;

use pinion_gtpc::SessionView;

use super::host::Host;
use crate::control::{ControlError, GtpcFilter, GtpcPage, GtpcSessionView, PageAsk};
use crate::sessions::is_called;
use crate::spoken::{self, FrontEndSessions, Numbered, knows, page};

impl Numbered for SessionView {
    fn number(&self) -> u64 {
        self.number
    }
}

impl FrontEndSessions for Arc<Host> {
    type View = SessionView;

    async fn sessions(&self, after: Option<u64>, most: usize) -> Vec<SessionView> {
        Host::sessions(self, after, most).await
    }

    async fn endpoints(&self) -> Vec<Arc<str>> {
        Host::endpoints(self).await.0.into_iter().map(|endpoint| endpoint.name).collect()
    }
}

/// A page of the sessions of front ends.
///
/// # Errors
/// [`ControlError::Cursor`], [`ControlError::NoEndpoint`], [`ControlError::NoGtpc`].
pub(crate) async fn list<S: FrontEndSessions<View = SessionView>>(
    front_ends: &[(String, S)],
    filter: &GtpcFilter,
    ask: &PageAsk,
) -> Result<GtpcPage, ControlError> {
    let all: Vec<_> = front_ends.iter().collect();
    if let Some(endpoint) = &filter.endpoint
        && !knows(&all, endpoint).await
    {
        return Err(ControlError::NoEndpoint(endpoint.clone()));
    }
    let asked = |service: &str| filter.service.as_deref().is_none_or(|wanted| wanted == service);
    let front_ends: Vec<_> = all.into_iter().filter(|(service, _)| asked(service)).collect();
    if let (Some(service), []) = (&filter.service, front_ends.as_slice()) {
        return Err(ControlError::NoGtpc(service.clone()));
    }
    let passes = |session: &SessionView| {
        filter.client.is_none_or(|client| client == session.client.0)
            && filter.endpoint.as_ref().is_none_or(|endpoint| is_called(&session.endpoint, endpoint))
            && filter.subscriber.as_ref().is_none_or(|digits| session.subscriber.as_ref() == Some(digits))
    };
    let page = page(&front_ends, ask, passes).await?;
    Ok(GtpcPage { sessions: page.sessions.into_iter().map(GtpcSessionView::of).collect(), next: page.next })
}

/// The sessions of front ends that are wanted, at the most so many.
pub(crate) async fn find<S: FrontEndSessions<View = SessionView>>(
    front_ends: &[(String, S)],
    most: usize,
    wanted: impl Fn(&SessionView) -> bool,
) -> Vec<GtpcSessionView> {
    spoken::find(front_ends, most, wanted).await.into_iter().map(GtpcSessionView::of).collect()
}
