//! Who answers that it has too much to do (TS 29.500 6.4.2): it says for how long, or what it takes is counted.

use std::hash::BuildHasher as _;
use std::time::Duration;

use foldhash::quality::FixedState;
use tokio::time::Instant;

use super::{MOST, Reported, Role, Whose, holding};
use crate::api_root::ApiRoot;
use crate::producer::Producer;

/// For how long at the most: who gets nothing new cannot say that it is well again, and one that is not says so anew.
const LONGEST: Duration = Duration::from_mins(5);

/// For how long answers are counted at least, before anything is found by it: some refuse what is over so many a second.
const WINDOW: Duration = Duration::from_secs(1);

/// For how long what was found holds after the last refusal.
const HOLDS: Duration = Duration::from_secs(10);

/// Answers below which nothing is found.
const FEW: u64 = 10;

/// Of a hundred requests, how many go elsewhere at the most, so that it is seen when more are taken.
const ELSEWHERE: u64 = 95;

/// Whose answers they are.
#[derive(Clone, Copy, Debug)]
pub(in crate::load) struct Server<'a> {
    pub(in crate::load) place: &'a ApiRoot,
    /// Its service; a callback is of none that is known.
    pub(in crate::load) service: &'a str,
    pub(in crate::load) producer: Option<&'a Producer>,
    pub(in crate::load) role: Role,
}

/// What somebody is to be spared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest {
    /// Of a hundred requests, how many.
    percent: u64,
    /// By which answers that was found; none where it said for how long.
    counted: Option<Counted>,
}

#[derive(Clone, Copy, Debug)]
struct Counted {
    since: Instant,
    /// How many there had been.
    answered: u64,
    refused: u64,
}

impl Reported {
    /// Somebody wants nothing new for a while.
    pub(in crate::load) fn rest(&self, server: Server<'_>, wait: Duration) {
        let Server { place, service, producer, role } = server;
        let now = Instant::now();
        let mut rests = self.shared.rests.write();
        let instance = producer.and_then(|it| instance(it, role));
        for whose in [Some(at(place, service, role)), instance].into_iter().flatten().filter(Whose::is_fair) {
            rests.put(whose, Rest { percent: 100, counted: None }, now + wait.min(LONGEST), now, MOST);
        }
    }

    /// Somebody refused one and did not say for how long; at its place `answered` were so many ever, this one among them.
    pub(in crate::load) fn refused(&self, server: Server<'_>, answered: u64) {
        let now = Instant::now();
        let mut rests = self.shared.rests.write();
        let whose = at(server.place, server.service, server.role);
        if !whose.is_fair() {
            return;
        }
        let begun = Counted { since: now, answered: answered.saturating_sub(1), refused: 0 };
        let known = rests.get(&whose, now).map(|(rest, _)| *rest);
        let Rest { mut percent, counted } = known.unwrap_or(Rest { percent: 0, counted: Some(begun) });
        let Some(mut counted) = counted else { return };
        if now.saturating_duration_since(counted.since) >= WINDOW {
            percent = counted.percent(percent, begun.answered);
            counted = begun;
        }
        counted.refused = counted.refused.saturating_add(1);
        rests.put(whose, Rest { percent, counted: Some(counted) }, now + HOLDS, now, MOST);
    }

    /// Whether a request of such a chance is to go past one where there is another: who serves a service at a place, or its
    /// service instance wherever else it is.
    #[must_use]
    pub fn rests(&self, of: &Producer, role: Role, chance: impl Fn() -> u64) -> bool {
        let Some((rests, now)) = holding(&self.shared.rests) else { return false };
        let place = at(&of.api_root, &of.service, role);
        let percent = |whose: &Whose| rests.get(whose, now).map_or(0, |(rest, _)| rest.percent);
        let most = percent(&place).max(instance(of, role).as_ref().map_or(0, percent));
        // Of two that take half each, not the same half.
        most >= 100 || most > 0 && FixedState::with_seed(chance()).hash_one(&place) % 100 < most
    }
}

impl Counted {
    /// What is to go elsewhere, so that no more is sent than half as much again as is taken (annex A, K being 1.5); so many did.
    fn percent(self, before: u64, answered: u64) -> u64 {
        let sent = answered.saturating_sub(self.answered).max(self.refused);
        if sent < FEW {
            return before;
        }
        let taken = sent - self.refused;
        let stays = (100 - before).saturating_mul(3 * taken) / (2 * sent);
        100_u64.saturating_sub(stays).min(ELSEWHERE)
    }
}

fn at(place: &ApiRoot, service: &str, role: Role) -> Whose {
    let place = Whose::Place(place.clone(), role);
    match role {
        Role::Producer => Whose::Service(service.to_ascii_lowercase(), Box::new(place)),
        Role::Consumer => place,
    }
}

fn instance(of: &Producer, role: Role) -> Option<Whose> {
    let service = of.service_instance.clone()?;
    Some(Whose::ServiceInstance(service, Some(of.nf_instance.to_ascii_lowercase()), role))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nrf::fixture::root;

    fn udm(at: &str) -> Producer {
        Producer {
            nf_instance: "54804518-4191-46b3-955c-ac631f953ed8".to_owned(),
            service: "nudm-sdm".to_owned(),
            service_instance: Some("sdm-1".to_owned()),
            ..Producer::at(root(at))
        }
    }

    fn server(of: &Producer) -> Server<'_> {
        Server { place: &of.api_root, service: "nudm-sdm", producer: Some(of), role: Role::Producer }
    }

    #[tokio::test(start_paused = true)]
    async fn f7_who_asks_for_time_has_it_and_no_longer() {
        for (asked, has) in [(1, 1), (60, 60), (301, 300), (u64::MAX, 300)] {
            let (reported, one) = (Reported::default(), udm("http://a"));
            reported.rest(server(&one), Duration::from_secs(asked));
            reported.refused(server(&one), 1);
            tokio::time::advance(Duration::from_millis(has * 1_000 - 1)).await;
            assert!(reported.rests(&one, Role::Producer, || 7), "{asked}");
            tokio::time::advance(Duration::from_millis(1)).await;
            assert!(!reported.rests(&one, Role::Producer, || 7), "{asked}");
            assert!(reported.shared.rests.some().is_none());
        }
    }

    /// A service is what a client's path begins with, however long that is.
    #[tokio::test(start_paused = true)]
    async fn f7_a_service_that_nobody_has_is_not_remembered() {
        let (reported, one) = (Reported::default(), udm("http://a"));
        for (length, known) in [(600, false), (64, true)] {
            let service = "n".repeat(length);
            let server = Server { service: &service, producer: None, ..server(&one) };
            reported.refused(server, 1);
            assert_eq!(holding(&reported.shared.rests).is_some(), known);
            reported.rest(server, Duration::from_secs(9));
            assert_eq!(reported.rests(&Producer { service, ..udm("http://a") }, Role::Producer, || 7), known);
        }
    }

    /// Overload by status is of a service, not of all that there are at a place (6.4.2.1).
    #[tokio::test(start_paused = true)]
    async fn f7_it_is_of_one_service_wherever_its_instance_is() {
        let (reported, one) = (Reported::default(), udm("http://a"));
        reported.rest(server(&one), Duration::from_secs(9));
        let rests = |of: &Producer| reported.rests(of, Role::Producer, || 7);
        let other = |instance: &str| Some(instance.to_owned());
        assert!(rests(&one) && rests(&udm("http://b")));
        assert!(rests(&Producer { service_instance: other("sdm-2"), ..udm("http://a") }));
        assert!(!rests(&Producer { service_instance: other("sdm-2"), ..udm("http://b") }));
        let service = "nudm-uecm".to_owned();
        assert!(!rests(&Producer { service, service_instance: other("uecm-1"), ..udm("http://a") }));
        assert!(!reported.rests(&one, Role::Consumer, || 7));
    }

    /// 6.4.2.2: what is taken comes to be all that is sent, and it is so again when all is taken.
    #[tokio::test(start_paused = true)]
    async fn f7_who_refuses_gets_as_much_as_it_takes() {
        let (reported, one) = (Reported::default(), udm("http://a"));
        let (mut answered, mut chance) = (0, 0_u64);
        // A hundred a second are to be had; what was sent and what was refused of ten seconds.
        let mut run = async |takes: u64| {
            let mut of_all = [0, 0];
            for _ in 0..10 {
                let mut taken = 0;
                for _ in 0..100 {
                    chance += 1;
                    if reported.rests(&one, Role::Producer, || chance) {
                        continue;
                    }
                    (answered, of_all[0]) = (answered + 1, of_all[0] + 1);
                    if taken < takes {
                        taken += 1;
                    } else {
                        of_all[1] += 1;
                        reported.refused(server(&one), answered);
                    }
                }
                tokio::time::advance(Duration::from_secs(1)).await;
            }
            of_all
        };
        assert_eq!(run(100).await, [1_000, 0]);
        run(20).await;
        let [sent, refused] = run(20).await;
        assert!((200..=400).contains(&sent) && refused < 200, "{sent}, {refused}");
        run(100).await;
        assert_eq!(run(100).await, [1_000, 0]);
        // A few that are refused are no overload.
        let [sent, _] = run(80).await;
        assert_eq!(sent, 1_000);
    }
}
