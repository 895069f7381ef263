//! Who answered that it wants to be asked for nothing new for a while (TS 29.500 6.4.2).

use std::time::Duration;

use tokio::time::Instant;

use super::{MOST, Reported, Role, Whose, holding};
use crate::api_root::ApiRoot;
use crate::producer::Producer;

/// For how long at the most: who gets nothing new cannot say that it is well again, and one that is not says so anew.
const LONGEST: Duration = Duration::from_mins(5);

impl Reported {
    /// Somebody wants nothing new for a while: who serves a service at a place, and its service instance wherever else it is.
    /// A callback is of no service that is known.
    pub(in crate::load) fn rest(
        &self,
        place: &ApiRoot,
        service: &str,
        producer: Option<&Producer>,
        role: Role,
        wait: Duration,
    ) {
        let now = Instant::now();
        let mut rests = self.shared.rests.write();
        let instance = producer.and_then(|it| instance(it, role));
        for whose in [Some(at(place, service, role)), instance].into_iter().flatten() {
            rests.put(whose, (), now + wait.min(LONGEST), now, MOST);
        }
    }

    /// Whether one is to be asked for nothing new where there is another.
    #[must_use]
    pub fn rests(&self, of: &Producer, role: Role) -> bool {
        let Some((rests, now)) = holding(&self.shared.rests) else { return false };
        let is = |whose: Whose| rests.get(&whose, now).is_some();
        is(at(&of.api_root, &of.service, role)) || instance(of, role).is_some_and(is)
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

    #[tokio::test(start_paused = true)]
    async fn f7_who_asks_for_time_has_it_and_no_longer() {
        for (asked, has) in [(1, 1), (60, 60), (301, 300), (u64::MAX, 300)] {
            let (reported, one) = (Reported::default(), udm("http://a"));
            reported.rest(&one.api_root, "nudm-sdm", None, Role::Producer, Duration::from_secs(asked));
            tokio::time::advance(Duration::from_millis(has * 1_000 - 1)).await;
            assert!(reported.rests(&one, Role::Producer), "{asked}");
            tokio::time::advance(Duration::from_millis(1)).await;
            assert!(!reported.rests(&one, Role::Producer), "{asked}");
            assert!(reported.shared.rests.some().is_none());
        }
    }

    /// Overload by status is of a service, not of all that there are at a place (6.4.2.1).
    #[tokio::test(start_paused = true)]
    async fn f7_it_is_of_one_service_wherever_its_instance_is() {
        let (reported, one) = (Reported::default(), udm("http://a"));
        reported.rest(&one.api_root, "nudm-sdm", Some(&one), Role::Producer, Duration::from_secs(9));
        let rests = |of: &Producer| reported.rests(of, Role::Producer);
        let other = |instance: &str| Some(instance.to_owned());
        assert!(rests(&one) && rests(&udm("http://b")));
        assert!(rests(&Producer { service_instance: other("sdm-2"), ..udm("http://a") }));
        assert!(!rests(&Producer { service_instance: other("sdm-2"), ..udm("http://b") }));
        let service = "nudm-uecm".to_owned();
        assert!(!rests(&Producer { service, service_instance: other("uecm-1"), ..udm("http://a") }));
        assert!(!reported.rests(&one, Role::Consumer));
    }
}
