//! What producers say of their load (TS 29.500 6.3.3) and overload (6.4.3), until it is no longer so.

mod rests;
mod whose;

use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use pinion_protocols::sbi::{Lci, Oci, Timestamp, Value as _};
use tokio::time::Instant;

use crate::aged::{Aged, holding};
use crate::names;
use crate::producer::Producer;
use crate::seldom::Seldom;

use rests::Rest;
pub(super) use rests::Server;
use whose::whose;
pub(super) use whose::{From, Whose, names_of};

/// What was said. Copies share it.
#[derive(Clone, Debug, Default)]
pub struct Reported {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    overloads: Seldom<Aged<Whose, Overload>>,
    loads: Seldom<Aged<Whose, Load>>,
    /// Who is to get nothing new, by its answers.
    rests: Seldom<Aged<Whose, Rest>>,
}

/// As what an NF is overloaded: one that gets too many notifications may serve requests as before (6.4.3.4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Who is asked.
    Producer,
    /// Who is notified.
    Consumer,
}

impl Role {
    /// Of whom a request goes to, by whether it is a notification or callback.
    pub(crate) const fn of(callback: bool) -> Self {
        if callback { Self::Consumer } else { Self::Producer }
    }
}

#[derive(Debug)]
struct Overload {
    said: Timestamp,
    reduction: u8,
    /// Of a hundred, how many have been let through and are still to be made up for.
    due: u32,
}

#[derive(Debug)]
struct Load {
    said: Timestamp,
    percent: u8,
}

impl Reported {
    /// Hears what a message says. What is older than what was heard before, or no such header, is passed over.
    pub(super) fn hear<'a>(&self, headers: &HeaderMap, from: impl Fn() -> From<'a>) {
        let said = |name| names::has(headers, &name).then(|| headers.get_all(name)).into_iter().flatten();
        for value in said(names::OCI) {
            let Ok(Oci(elements)) = Oci::parse(value.as_bytes()) else { continue };
            for element in elements {
                for whose in whose(&element.scope, from()).into_iter().filter(Whose::is_fair) {
                    self.overloaded(whose, element.timestamp, element.validity, element.reduction);
                }
            }
        }
        for value in said(names::LCI) {
            let Ok(Lci(elements)) = Lci::parse(value.as_bytes()) else { continue };
            for element in elements {
                for whose in
                    whose(&element.scope, From { own: from().own, ..NOWHERE }).into_iter().filter(Whose::is_fair)
                {
                    self.loaded(whose, element.timestamp, element.load);
                }
            }
        }
    }

    /// Whether a request is one of those of a hundred that are not to be sent to an NF, by its own chance. What is not for
    /// one is for nobody of the same scope (6.4.3.5.1).
    #[must_use]
    pub fn spares(&self, of: &Producer, role: Role, chance: &dyn Fn() -> u64) -> bool {
        let Some((overloads, now)) = holding(&self.shared.overloads) else { return false };
        let names = names_of(of, role);
        // Of several scopes the finest counts (6.4.3.4.1).
        let mut said = names.iter().filter_map(|whose| Some((whose, overloads.get(whose, now)?.0)));
        said.next().is_some_and(|(whose, it)| {
            foldhash::quality::FixedState::with_seed(chance()).hash_one(whose) % 100 < u64::from(it.reduction)
        })
    }

    /// Percent of its capacity that a producer says is in use; that of the narrowest scope.
    #[must_use]
    pub fn load(&self, of: &Producer) -> Option<u8> {
        let (loads, now) = holding(&self.shared.loads)?;
        names_of(of, Role::Producer).iter().find_map(|it| loads.get(it, now)).map(|(it, _)| it.percent)
    }

    /// Whether nobody is overloaded, as far as is known.
    pub(super) fn is_quiet(&self) -> bool {
        holding(&self.shared.overloads).is_none()
    }

    /// Whether one more request to somebody is among those that are not to be sent: evenly, so many of every hundred. Then,
    /// for how many seconds that is so yet. Of several names, the finest first, the first that is known counts (6.4.3.4.1).
    pub(super) fn turned_away(&self, names: &[Whose]) -> Option<u32> {
        let mut overloads = self.shared.overloads.write();
        let now = Instant::now();
        let whose = names.iter().flat_map(Whose::widening).find(|it| overloads.get(it, now).is_some())?;
        let (overload, until) = overloads.get_mut(&whose, now)?;
        overload.due += u32::from(overload.reduction);
        overload.due = overload.due.checked_sub(100)?;
        Some(seconds(until, now))
    }

    /// For how long somebody of these names is overloaded yet, the first that is known.
    pub(super) fn seconds_left(&self, names: &[Whose]) -> u32 {
        let overloads = self.shared.overloads.read();
        let now = Instant::now();
        names.iter().find_map(|it| overloads.get(it, now)).map_or(0, |(_, until)| seconds(until, now))
    }

    fn overloaded(&self, whose: Whose, said: Timestamp, validity: u32, reduction: u8) {
        let mut overloads = self.shared.overloads.write();
        let now = Instant::now();
        let before = overloads.get(&whose, now).map(|(it, _)| (it.said, it.due));
        if before.is_some_and(|(before, _)| before >= said) {
            return;
        }
        let overload = Overload { said, reduction, due: before.map_or(0, |(_, due)| due) };
        let until = now + Duration::from_secs(validity.into()).min(LONGEST);
        overloads.put(whose, overload, until, now, MOST);
    }

    fn loaded(&self, whose: Whose, said: Timestamp, percent: u8) {
        let mut loads = self.shared.loads.write();
        let now = Instant::now();
        if loads.get(&whose, now).is_none_or(|(before, _)| before.said < said) {
            loads.put(whose, Load { said, percent }, now + LOAD, now, MOST);
        }
    }
}

fn seconds(until: Instant, now: Instant) -> u32 {
    u32::try_from(until.saturating_duration_since(now).as_secs()).unwrap_or(u32::MAX)
}

/// Scopes of which something is remembered.
const MOST: usize = 16_384;

/// How long an overload holds at the most, whatever was said: who is still overloaded then says so again.
const LONGEST: Duration = Duration::from_hours(1);

/// How long a load holds that was not told anew. Load has no validity of its own (6.3.3.4), and a producer that gets no requests
/// because it was full once has no response to say in that it is so no more.
const LOAD: Duration = Duration::from_mins(5);

/// Of load only the names count.
const NOWHERE: From<'static> = From { role: Role::Producer, place: None, between: None, own: None };

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use crate::nrf::fixture::root;

    use super::*;

    fn headers(name: &HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.clone(), HeaderValue::try_from(value).unwrap())])
    }

    /// Examples of TS 29.500 5.2.3.2.9.
    #[tokio::test(start_paused = true)]
    async fn f7_an_overload_holds_while_it_is_valid_and_is_replaced_by_what_is_newer() {
        let reported = Reported::default();
        let root = root("http://udm.example");
        let place = Whose::Place(root.clone(), Role::Producer);
        let oci = |second: u32, percent: u32| {
            let text = format!(
                "Timestamp: \"Tue, 04 Feb 2020 08:49:{second} GMT\"; Period-of-Validity: 75s; \
                 Overload-Reduction-Metric: {percent}%; NF-Instance: 54804518-4191-46b3-955c-ac631f953ed8"
            );
            reported.hear(&headers(&names::OCI, &text), || From { place: Some(&root), ..NOWHERE });
        };
        let away = || (0..100).filter(|_| reported.turned_away(std::slice::from_ref(&place)).is_some()).count();
        assert_eq!(away(), 0);
        oci(37, 50);
        assert_eq!(away(), 50);
        oci(36, 10);
        assert_eq!(away(), 50);
        oci(38, 10);
        assert_eq!(away(), 10);
        tokio::time::advance(Duration::from_secs(76)).await;
        assert_eq!(away(), 0);
    }

    /// RFC 9110 4.2.3: the port of a scheme may be left out, and letters of a host are of either case.
    #[tokio::test(start_paused = true)]
    async fn f7_a_callback_that_is_overloaded_is_known_however_its_host_is_written() {
        let reported = Reported::default();
        let oci = "Timestamp: \"Tue, 04 Feb 2020 08:49:37 GMT\"; Period-of-Validity: 75s; \
                   Overload-Reduction-Metric: 100%; Callback-Uri: \"http://SMF.example:80/a/b\"";
        reported.hear(&headers(&names::OCI, oci), || NOWHERE);
        let away = |at: &str, path| reported.turned_away(&[Whose::callback(&root(at), path)]).is_some();
        assert!(away("http://smf.example", "/a/b") && away("http://smf.example:80/a", "/b"));
        assert!(!away("http://smf.example", "/a/B") && !away("http://smf.example:443", "/a/b"));
        assert!(!away("https://smf.example:80", "/a/b"));
    }

    #[tokio::test(start_paused = true)]
    async fn f7_an_overload_holds_no_longer_than_an_hour_and_a_load_five_minutes() {
        let reported = Reported::default();
        let scope =
            "Timestamp: \"Tue, 04 Feb 2020 08:49:37 GMT\"; NF-Instance: 54804518-4191-46b3-955c-ac631f953ed8";
        let oci = format!("{scope}; Period-of-Validity: 4294967295s; Overload-Reduction-Metric: 100%");
        reported.hear(&headers(&names::OCI, &oci), || NOWHERE);
        reported.hear(&headers(&names::LCI, &format!("{scope}; Load-Metric: 90%")), || NOWHERE);
        let nf_instance = "54804518-4191-46b3-955C-ac631f953ed8".to_owned();
        let producer = Producer { nf_instance, ..Producer::at(root("http://a")) };
        let said = || (reported.load(&producer), reported.spares(&producer, Role::Producer, &|| 7));
        assert_eq!(said(), (Some(90), true));
        assert!(!reported.spares(&producer, Role::Consumer, &|| 7));
        tokio::time::advance(LOAD).await;
        assert_eq!(said(), (None, true));
        tokio::time::advance(LONGEST - LOAD).await;
        assert_eq!(said(), (None, false));
        assert!(reported.is_quiet());
    }

    fn heard(scopes: &[(&str, u8)]) -> Reported {
        let reported = Reported::default();
        for (scope, percent) in scopes {
            let oci = format!(
                "Timestamp: \"Tue, 04 Feb 2020 08:49:37 GMT\"; Period-of-Validity: 75s; \
                 Overload-Reduction-Metric: {percent}%; {scope}"
            );
            reported.hear(&headers(&names::OCI, &oci), || NOWHERE);
        }
        reported
    }

    fn smf() -> Producer {
        Producer {
            nf_instance: "54804518-4191-46b3-955c-ac631f953ed8".to_owned(),
            service: "npcf-callback".to_owned(),
            service_instance: Some("s1".to_owned()),
            service_sets: vec!["setx".to_owned()],
            nf_sets: vec!["set1".to_owned()],
            ..Producer::at(root("http://a"))
        }
    }

    /// Otherwise whoever says of many what they are would fill memory with their names.
    #[tokio::test(start_paused = true)]
    async fn f7_names_that_are_longer_than_any_are_not_remembered() {
        for scope in ["NF-Set: *", "NF-Service-Set: *", "NF-Service-Instance: *", "Callback-Uri: \"http://a/*\""] {
            let of = |length: usize| heard(&[(&scope.replace('*', &"a".repeat(length)), 100)]).is_quiet();
            assert_eq!([of(400), of(600)], [false, true], "{scope}");
        }
        let lci = |length: usize| {
            let (reported, name) = (Reported::default(), "a".repeat(length));
            let said = "Timestamp: \"Tue, 04 Feb 2020 08:49:37 GMT\"; Load-Metric: 9%";
            reported.hear(&headers(&names::LCI, &format!("{said}; NF-Set: {name}")), || NOWHERE);
            holding(&reported.shared.loads).is_some()
        };
        assert_eq!([lci(400), lci(600)], [true, false]);
    }

    /// TS 29.500 6.4.3.4.5.3 example 1.
    #[tokio::test(start_paused = true)]
    async fn f7_a_callback_uri_is_that_of_all_below_it() {
        for (said, [first, second, third]) in [
            ("https://pcf12.example.com", [true; 3]),
            ("https://pcf12.example.com/", [true; 3]),
            ("https://pcf12.example.com/serviceY", [false, true, true]),
            ("https://pcf12.example.com/serviceY/", [false, true, true]),
            ("https://pcf12.example.com/service", [false; 3]),
            ("https://pcf12.example.com/serviceY/abc", [false, true, false]),
        ] {
            let reported = heard(&[(&format!("Callback-Uri: \"{said}\""), 100)]);
            let at = root("https://pcf12.example.com");
            let away = |path| reported.turned_away(&[Whose::callback(&at, path)]).is_some();
            let seen = ["/serviceX/1234", "/serviceY/abc", "/serviceY/def"].map(away);
            assert_eq!(seen, [first, second, third], "{said}");
        }
    }

    /// TS 29.500 6.4.3.4.1: of several scopes the finest counts, be it more or less.
    #[tokio::test(start_paused = true)]
    async fn f7_the_finest_scope_counts() {
        const INSTANCE: &str = "NF-Instance: 54804518-4191-46b3-955c-ac631f953ed8";
        for (scopes, spared) in [
            (&[("NF-Set: set1", 100)][..], true),
            (&[("NF-Set: set1", 100), (INSTANCE, 0)], false),
            (&[(INSTANCE, 0), ("NF-Service-Set: setx", 100)], true),
            (&[(INSTANCE, 100), ("NF-Service-Set: setx", 0)], false),
            (&[("NF-Service-Set: setx", 100), ("NF-Service-Instance: s1", 0)], false),
        ] {
            assert_eq!(heard(scopes).spares(&smf(), Role::Producer, &|| 7), spared, "{scopes:?}");
        }
    }

    /// TS 29.500 6.4.3.4.5.3 example 2.
    #[tokio::test(start_paused = true)]
    async fn f7_an_overload_of_one_service_of_a_consumer_is_of_no_other() {
        let other = Producer { service: "other".to_owned(), ..smf() };
        const INSTANCE: &str = "Instance: 54804518-4191-46b3-955c-ac631f953ed8";
        for whole in ["NFC-Set: set1".to_owned(), format!("NFC-{INSTANCE}"), format!("NF-{INSTANCE}")] {
            let reported = heard(&[(&format!("{whole}; Service-Name: npcf-callback"), 100)]);
            let spared = [&smf(), &other].map(|it| reported.spares(it, Role::Consumer, &|| 7));
            assert_eq!(spared, [true, false], "{whole}");
            assert!(!reported.spares(&smf(), Role::Producer, &|| 7));
        }
    }
}
