//! Pages of the UEs of all front ends.

use std::sync::Arc;

use pinion_n2::{Points, Reason, Rule, UeView};

use super::Host;
use crate::control::{ControlError, N2Filter, N2Mode, N2Page, N2Ue, N2UeView, PageAsk};
use crate::sessions::is_called;
use crate::spoken::{self, FrontEndSessions, Numbered, asked, page};

impl Numbered for N2Ue {
    fn number(&self) -> u64 {
        self.number
    }
}

impl FrontEndSessions for Arc<Host> {
    type View = N2Ue;

    async fn sessions(&self, after: Option<u64>, most: usize) -> Vec<N2Ue> {
        self.ues(after, most).await.into_iter().map(ue).collect()
    }

    async fn endpoints(&self) -> Vec<Arc<str>> {
        self.shown().await.amfs.into_iter().map(|amf| amf.name).collect()
    }
}

/// A page of the UEs of front ends.
///
/// # Errors
/// [`ControlError::Cursor`], [`ControlError::NoNgap`], [`ControlError::NoEndpoint`].
pub(crate) async fn list<S: FrontEndSessions<View = N2Ue>>(
    front_ends: &[(String, S)],
    filter: &N2Filter,
    ask: &PageAsk,
) -> Result<N2Page, ControlError> {
    let N2Filter { service, endpoint, gnb, mode } = filter;
    let front_ends = asked(front_ends, service.as_deref(), endpoint.as_deref(), ControlError::NoNgap).await?;
    let passes = |ue: &N2Ue| {
        endpoint.as_ref().is_none_or(|endpoint| is_called(&ue.amf, endpoint))
            && gnb.as_ref().is_none_or(|gnb| *gnb == ue.gnb)
            && mode.is_none_or(|mode| mode == ue.mode)
    };
    let page = page(&front_ends, ask, passes).await?;
    Ok(N2Page { ues: page.sessions.into_iter().map(N2UeView::of).collect(), next: page.next })
}

/// The UEs of front ends that are wanted, at the most so many.
pub(crate) async fn find<S: FrontEndSessions<View = N2Ue>>(
    front_ends: &[(String, S)],
    most: usize,
    wanted: impl Fn(&N2Ue) -> bool,
) -> Vec<N2UeView> {
    spoken::find(front_ends, most, wanted).await.into_iter().map(N2UeView::of).collect()
}

fn ue(view: UeView) -> N2Ue {
    N2Ue {
        number: view.number,
        mode: N2Mode::Ue,
        gnb: view.node.to_string(),
        why: why(view.reason, &view.amf),
        amf: view.amf.to_string(),
        ran: view.ran,
        amf_id: view.ids.map(|ids| ids.0),
        gnb_id: view.ids.map(|ids| ids.1),
        tmsi: view.tmsi,
        guami: view.guami,
        since: view.since,
        procedures: view.procedures,
    }
}

/// Why a UE is at its AMF.
fn why(reason: Reason, amf: &str) -> String {
    match reason {
        Reason::Chosen(points) => {
            format!("{amf} had the most points when it came: {}", or_none(points))
        }
        Reason::Rerouted(points) => {
            let given = or_none(points);
            format!("another AMF sent its first message on, and {amf} had the most points: {given}")
        }
        Reason::Answered => format!("{amf} answered for another AMF of its set, which was asked"),
        Reason::HandedOver => format!("{amf} handed it over to this gNB"),
        Reason::PathSwitched => format!("{amf} had it at another gNB, from which it came by a path switch"),
        Reason::Rebound => format!("the AMF of the same set that had it let it go, and {amf} took it over"),
    }
}

fn or_none(points: Points) -> String {
    let given = given(points);
    if given.is_empty() { "none, as all others".to_owned() } else { given }
}

/// The rules that points are for, with what each gave; empty where none gave any.
pub(crate) fn given(points: Points) -> String {
    let rules: Vec<_> = points.rules().map(|rule| format!("{} ({})", words(rule), rule.points())).collect();
    rules.join(", ")
}

/// What a rule asks, of an AMF.
fn words(rule: Rule) -> &'static str {
    match rule {
        Rule::Plmn => "serves its PLMN",
        Rule::Load => "does not ask to be spared such UEs",
        Rule::NamedSet => "is of the set that it was rerouted to",
        Rule::Owner => "gave it its identity",
        Rule::Backup => "stands in for the AMF that gave it its identity",
        Rule::SameSet => "is of the set of the AMF that gave it its identity",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// UEs in their order, on AMFs `amfs/a` and `amfs/b`.
    struct Fake(Vec<N2Ue>);

    impl FrontEndSessions for Fake {
        type View = N2Ue;

        async fn sessions(&self, after: Option<u64>, most: usize) -> Vec<N2Ue> {
            let behind = self.0.iter().filter(|ue| after.is_none_or(|after| ue.number > after));
            behind.take(most).cloned().collect()
        }

        async fn endpoints(&self) -> Vec<Arc<str>> {
            vec!["amfs/a".into(), "amfs/b".into()]
        }
    }

    fn some(number: u64) -> N2Ue {
        N2Ue {
            number,
            mode: if number.is_multiple_of(3) { N2Mode::Association } else { N2Mode::Ue },
            gnb: format!("001-01-gnb-00000{}/24", number % 2),
            amf: format!("amfs/{}", if number.is_multiple_of(4) { "a" } else { "b" }),
            ran: None,
            amf_id: None,
            gnb_id: None,
            tmsi: None,
            guami: None,
            since: std::time::Duration::ZERO,
            why: String::new(),
            procedures: Vec::new(),
        }
    }

    async fn numbers(filter: &N2Filter) -> Result<Vec<(String, u64)>, ControlError> {
        let front_ends =
            [("n2".to_owned(), Fake((0..12).map(some).collect())), ("n2-b".to_owned(), Fake(Vec::new()))];
        let page = list(&front_ends, filter, &PageAsk { limit: 100, cursor: None }).await?;
        assert_eq!(page.next, None);
        Ok(page.ues.into_iter().map(|it| (it.service, it.ue.number)).collect())
    }

    #[tokio::test]
    async fn a_filter_lets_its_own_through() {
        let all = |numbers: &[u64]| numbers.iter().map(|number| ("n2".to_owned(), *number)).collect::<Vec<_>>();
        let of = |change: fn(&mut N2Filter)| {
            let mut filter = N2Filter::default();
            change(&mut filter);
            filter
        };
        for (filter, expected) in [
            (of(|it| it.endpoint = Some("a".into())), &[0, 4, 8][..]),
            (of(|it| it.endpoint = Some("amfs/a".into())), &[0, 4, 8]),
            (of(|it| it.gnb = Some("001-01-gnb-000001/24".into())), &[1, 3, 5, 7, 9, 11]),
            (of(|it| it.mode = Some(N2Mode::Association)), &[0, 3, 6, 9]),
            (of(|it| it.service = Some("n2-b".into())), &[]),
        ] {
            assert_eq!(numbers(&filter).await.unwrap(), all(expected), "{filter:?}");
        }
        let none = numbers(&of(|it| it.service = Some("n3".into()))).await;
        assert!(matches!(none, Err(ControlError::NoNgap(name)) if name == "n3"));
        let none = numbers(&of(|it| it.endpoint = Some("c".into()))).await;
        assert!(matches!(none, Err(ControlError::NoEndpoint(name)) if name == "c"));
    }

    #[test]
    fn points_are_said_in_words() {
        let points = [Rule::Load, Rule::Owner].into_iter().collect();
        assert_eq!(
            why(Reason::Chosen(points), "amfs/a"),
            "amfs/a had the most points when it came: does not ask to be spared such UEs (16), gave it its identity (4)"
        );
        assert!(why(Reason::Rerouted([].into_iter().collect()), "amfs/a").ends_with(": none, as all others"));
    }
}
