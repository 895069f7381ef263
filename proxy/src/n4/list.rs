//! Pages of the sessions of all front ends.

use std::sync::Arc;

use pinion_n4::SessionView;

use super::host::Host;
use crate::control::{ControlError, N4Filter, N4Page, N4SessionView, PageAsk};
use crate::sessions::is_called;
use crate::spoken::{self, FrontEndSessions, Numbered, asked, page};

impl Numbered for SessionView {
    fn number(&self) -> u64 {
        self.seid
    }
}

impl FrontEndSessions for Arc<Host> {
    type View = SessionView;

    async fn sessions(&self, after: Option<u64>, most: usize) -> Vec<SessionView> {
        Host::sessions(self, after, most).await
    }

    async fn endpoints(&self) -> Vec<Arc<str>> {
        self.upfs().await.0.into_iter().map(|upf| upf.name).collect()
    }
}

/// A page of the sessions of front ends.
///
/// # Errors
/// [`ControlError::Cursor`], [`ControlError::NoFrontEnd`], [`ControlError::NoEndpoint`].
pub(crate) async fn list<S: FrontEndSessions<View = SessionView>>(
    front_ends: &[(String, S)],
    filter: &N4Filter,
    ask: &PageAsk,
) -> Result<N4Page, ControlError> {
    let (service, upf) = (filter.service.as_deref(), filter.upf.as_deref());
    let front_ends = asked(front_ends, service, upf, ControlError::NoFrontEnd).await?;
    let passes = |session: &SessionView| {
        filter.smf.is_none_or(|smf| smf == session.smf.0)
            && filter.upf.as_ref().is_none_or(|upf| is_called(&session.upf.0, upf))
    };
    let page = page(&front_ends, ask, passes).await?;
    Ok(N4Page { sessions: page.sessions.into_iter().map(view).collect(), next: page.next })
}

/// The sessions of front ends that are wanted, at the most so many.
pub(crate) async fn find<S: FrontEndSessions<View = SessionView>>(
    front_ends: &[(String, S)],
    most: usize,
    wanted: impl Fn(&SessionView) -> bool,
) -> Vec<N4SessionView> {
    spoken::find(front_ends, most, wanted).await.into_iter().map(view).collect()
}

fn view((service, session): (String, SessionView)) -> N4SessionView {
    let SessionView { seid, phase, smf: (smf, smf_seid), upf: (upf, upf_seid), tunnels } = session;
    N4SessionView { service, seid, phase, smf, smf_seid, upf: upf.to_string(), upf_seid, tunnels }
}

#[cfg(test)]
mod tests {
    use pinion_n4::Phase;

    use super::*;
    use crate::spoken::MOST_LOOKED_AT;

    /// Sessions in their order.
    struct Fake(Vec<SessionView>);

    impl FrontEndSessions for Fake {
        type View = SessionView;

        async fn sessions(&self, after: Option<u64>, most: usize) -> Vec<SessionView> {
            let behind = |session: &&SessionView| after.is_none_or(|after| session.seid > after);
            self.0.iter().filter(behind).take(most).cloned().collect()
        }

        async fn endpoints(&self) -> Vec<Arc<str>> {
            vec!["upfs/a".into(), "upfs/b".into()]
        }
    }

    fn session(seid: u64) -> SessionView {
        SessionView {
            seid,
            phase: Phase::Open,
            smf: ([192, 0, 2, if seid.is_multiple_of(3) { 1 } else { 2 }].into(), seid + 1_000_000),
            upf: (if seid.is_multiple_of(2) { "upfs/a" } else { "upfs/b" }.into(), seid + 2_000_000),
            tunnels: Vec::new(),
        }
    }

    fn front_ends(counts: &[u64]) -> Vec<(String, Fake)> {
        let front_end =
            |(number, count): (usize, &u64)| (format!("n4-{number}"), Fake((1..=*count).map(session).collect()));
        counts.iter().enumerate().map(front_end).collect()
    }

    /// All pages: what is on them, and how many there are.
    async fn pages(front_ends: &[(String, Fake)], filter: &N4Filter, limit: u32) -> (Vec<(String, u64)>, usize) {
        let (mut seen, mut pages, mut cursor) = (Vec::new(), 0, None);
        loop {
            let page = list(front_ends, filter, &PageAsk { limit, cursor }).await.unwrap();
            assert!(page.sessions.len() <= limit as usize);
            seen.extend(page.sessions.into_iter().map(|it| (it.service, it.seid)));
            pages += 1;
            cursor = page.next;
            if cursor.is_none() {
                return (seen, pages);
            }
        }
    }

    #[tokio::test]
    async fn each_session_is_on_one_page() {
        let front_ends = front_ends(&[600, 0, 5]);
        let all: Vec<_> =
            (1..=600).map(|it| ("n4-0".into(), it)).chain((1..=5).map(|it| ("n4-2".into(), it))).collect();
        for (limit, count) in [(1, 605), (5, 121), (100, 7), (600, 2), (605, 1), (10_000, 1)] {
            assert_eq!(pages(&front_ends, &N4Filter::default(), limit).await, (all.clone(), count), "{limit}");
        }
    }

    #[tokio::test]
    async fn what_the_filter_lets_through_is_listed() {
        let front_ends = front_ends(&[1200, 12]);
        let count = async |filter: N4Filter| pages(&front_ends, &filter, 100).await.0.len();
        let smf = Some([192, 0, 2, 1].into());
        assert_eq!(count(N4Filter { smf, ..N4Filter::default() }).await, 404);
        assert_eq!(count(N4Filter { upf: Some("b".into()), smf, ..N4Filter::default() }).await, 202);
        assert_eq!(count(N4Filter { upf: Some("upfs/b".into()), ..N4Filter::default() }).await, 606);
        assert_eq!(count(N4Filter { service: Some("n4-1".into()), ..N4Filter::default() }).await, 12);
    }

    #[tokio::test]
    async fn a_page_looks_at_so_many_and_no_more() {
        let front_ends = front_ends(&[MOST_LOOKED_AT as u64 + 10]);
        let filter = N4Filter { smf: Some([203, 0, 113, 1].into()), ..N4Filter::default() };
        assert_eq!(pages(&front_ends, &filter, 100).await, (Vec::new(), 2));
    }

    #[tokio::test]
    async fn what_there_is_not_is_refused() {
        let front_ends = front_ends(&[3]);
        let refused = async |filter: N4Filter, cursor: Option<&str>| {
            let ask = PageAsk { limit: 10, cursor: cursor.map(str::to_owned) };
            list(&front_ends, &filter, &ask).await.unwrap_err().to_string()
        };
        let words = refused(N4Filter { service: Some("n9".into()), ..N4Filter::default() }, None).await;
        assert!(words.starts_with("there is no PFCP service n9"), "{words}");
        let words = refused(N4Filter { upf: Some("upfs/c".into()), ..N4Filter::default() }, None).await;
        assert!(words.starts_with("there is no endpoint upfs/c"), "{words}");
        for cursor in
            ["", "1", "0000000000000001", "000000000000000Xn4", "+000000000000001n4", "00000000000000\u{e9}1n4"]
        {
            let words = refused(N4Filter::default(), Some(cursor)).await;
            assert!(words.contains("is no cursor"), "{words}");
        }
    }

    #[tokio::test]
    async fn sessions_are_found_by_the_seid_of_either_side() {
        let front_ends = front_ends(&[20, 20]);
        let found = find(&front_ends, 10, |it| it.smf.1 == 1_000_007 || it.upf.1 == 2_000_009).await;
        let found: Vec<_> = found.into_iter().map(|it| (it.service, it.seid)).collect();
        let expected: Vec<(String, u64)> =
            [("n4-0", 7), ("n4-0", 9), ("n4-1", 7), ("n4-1", 9)].map(|(name, it)| (name.into(), it)).into();
        assert_eq!(found, expected);
        assert_eq!(find(&front_ends, 3, |_| true).await.len(), 3);
    }
}
