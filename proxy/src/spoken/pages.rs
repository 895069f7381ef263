//! Pages of the sessions of all front ends of a kind.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::control::{ControlError, PageAsk};
use crate::sessions::is_called;

/// How many sessions a page looks at, whether or not the filter lets them through.
pub(crate) const MOST_LOOKED_AT: usize = 1 << 16;

/// How many sessions a front end is asked for at once: peers wait for no longer than that takes.
const STRIDE: usize = 512;

/// A session with a number that orders the sessions of its front end.
pub(crate) trait Numbered: Send {
    /// The number.
    fn number(&self) -> u64;
}

/// A front end, for who looks at its sessions.
pub(crate) trait FrontEndSessions: Sync {
    /// A session.
    type View: Numbered;

    /// Those behind a number, at the most so many.
    fn sessions(&self, after: Option<u64>, most: usize) -> impl Future<Output = Vec<Self::View>> + Send;

    /// What its endpoints are called, `POOL/NAME`.
    fn endpoints(&self) -> impl Future<Output = Vec<Arc<str>>> + Send;
}

/// A page of sessions, each with the name of its service.
#[derive(Debug)]
pub(crate) struct Page<V> {
    pub(crate) sessions: Vec<(String, V)>,
    /// Where the next page begins; `None`: this was the last.
    pub(crate) next: Option<String>,
}

/// A page of the sessions of front ends, which are in the order of their services' names.
///
/// What is made or ended while the pages are read may or may not be shown; all that stays is, once. A page looks at a
/// bounded number of sessions: with a filter that few pass it may hold fewer than asked for, even none. Only
/// `next: None` says that there are no more.
///
/// # Errors
/// [`ControlError::Cursor`].
pub(crate) async fn page<S: FrontEndSessions>(
    front_ends: &[&(String, S)],
    ask: &PageAsk,
    passes: impl Fn(&S::View) -> bool,
) -> Result<Page<S::View>, ControlError> {
    let begin: Option<Place> = match &ask.cursor {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| ControlError::Cursor(text.clone()))?),
    };
    let limit = ask.limit.clamp(1, 10_000) as usize;
    let (mut page, mut last, mut looked_at) = (Page { sessions: Vec::new(), next: None }, begin.clone(), 0);
    walk(front_ends, begin, |service, session| {
        let passes = passes(&session);
        // One more than fits is looked for, so that the last page is known to be the last.
        if (passes && page.sessions.len() >= limit) || looked_at >= MOST_LOOKED_AT {
            page.next = last.as_ref().map(Place::to_string);
            return false;
        }
        looked_at += 1;
        last = Some(Place { number: session.number(), service: service.to_owned() });
        if passes {
            page.sessions.push((service.to_owned(), session));
        }
        true
    })
    .await;
    Ok(page)
}

/// The sessions of front ends that are wanted, at the most so many, each with the name of its service.
pub(crate) async fn find<S: FrontEndSessions>(
    front_ends: &[(String, S)],
    most: usize,
    wanted: impl Fn(&S::View) -> bool,
) -> Vec<(String, S::View)> {
    let front_ends: Vec<_> = front_ends.iter().collect();
    let mut found = Vec::new();
    walk(&front_ends, None, |service, session| {
        if wanted(&session) {
            found.push((service.to_owned(), session));
        }
        found.len() < most
    })
    .await;
    found
}

/// The front ends that are asked for: all, or that of a service; of them, one has the endpoint, `NAME` or `POOL/NAME`.
///
/// # Errors
/// `no_service`; [`ControlError::NoEndpoint`].
pub(crate) async fn asked<'a, S: FrontEndSessions>(
    front_ends: &'a [(String, S)],
    service: Option<&str>,
    endpoint: Option<&str>,
    no_service: fn(String) -> ControlError,
) -> Result<Vec<&'a (String, S)>, ControlError> {
    let is_asked = |name: &str| service.is_none_or(|wanted| wanted == name);
    let front_ends: Vec<_> = front_ends.iter().filter(|(service, _)| is_asked(service)).collect();
    if let (Some(service), []) = (service, front_ends.as_slice()) {
        return Err(no_service(service.to_owned()));
    }
    match endpoint {
        Some(endpoint) if !knows(&front_ends, endpoint).await => {
            Err(ControlError::NoEndpoint(endpoint.to_owned()))
        }
        _ => Ok(front_ends),
    }
}

/// Whether one of the front ends has an endpoint that `NAME` or `POOL/NAME` stands for.
pub(crate) async fn knows<S: FrontEndSessions>(front_ends: &[&(String, S)], endpoint: &str) -> bool {
    for (_, front_end) in front_ends {
        if front_end.endpoints().await.iter().any(|it| is_called(it, endpoint)) {
            return true;
        }
    }
    false
}

/// Looks at sessions behind a place until `look` has seen enough.
async fn walk<S: FrontEndSessions>(
    front_ends: &[&(String, S)],
    begin: Option<Place>,
    mut look: impl FnMut(&str, S::View) -> bool,
) {
    for (service, front_end) in front_ends {
        let mut after = match &begin {
            Some(place) if *service < place.service => continue,
            Some(place) if *service == place.service => Some(place.number),
            _ => None,
        };
        loop {
            let sessions = front_end.sessions(after, STRIDE).await;
            let Some(last) = sessions.last() else { break };
            after = Some(last.number());
            for session in sessions {
                if !look(service, session) {
                    return;
                }
            }
        }
    }
}

/// Where a page ended: behind a session, which may be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    number: u64,
    service: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{}", self.number, self.service)
    }
}

/// A text that no page ended with.
#[derive(Debug, PartialEq, Eq)]
struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (number, service) = text.split_at_checked(16).ok_or(NoPlace)?;
        // No sign, and no capital, goes through as a digit.
        let plain = number.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let number =
            u64::from_str_radix(number, 16).ok().filter(|_| plain && !service.is_empty()).ok_or(NoPlace)?;
        Ok(Self { number, service: service.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_cursor_is_read_or_refused() {
        bolero::check!().with_type::<String>().for_each(|text: &String| {
            if let Ok(place) = text.parse::<Place>() {
                assert_eq!(&place.to_string(), text);
            }
        });
    }
}
