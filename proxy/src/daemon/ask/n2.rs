//! What the front ends of N2 tell, among the rest.

use pinion_n2::AmfView;

use super::Counts;
use crate::control::{N2Amf, N2FrontEnd};
use crate::daemon::front_ends;
use crate::daemon::state::Daemon;

impl Daemon {
    /// How it goes with the front ends.
    pub(super) async fn n2_front_ends(&self) -> Vec<N2FrontEnd> {
        let mut views = Vec::new();
        for (service, host) in front_ends::running_n2(self).await {
            let shown = host.shown().await;
            views.push(N2FrontEnd {
                service,
                gnbs: shown.gnbs.iter().filter(|gnb| gnb.up).count() as u64,
                ues: shown.ues as u64,
                counts: shown.counts,
                amfs: shown.amfs.into_iter().filter_map(amf).collect(),
                messages: shown.messages,
                latencies: shown.latencies,
            });
        }
        views
    }
}

fn amf(view: AmfView) -> Option<N2Amf> {
    let AmfView { name, gnbs, ues, capacity, overload } = view;
    let (pool, name) = name.split_once('/')?;
    Some(N2Amf { pool: pool.to_owned(), name: name.to_owned(), gnbs, ues: ues.into(), capacity, overload })
}

impl Counts {
    /// These, and what front ends count.
    pub(super) fn with_n2(mut self, n2: Vec<N2FrontEnd>) -> Self {
        for front_end in &n2 {
            for amf in &front_end.amfs {
                self.add(&front_end.service, (&amf.pool, &amf.name), amf.ues);
            }
        }
        Self { n2, ..self }
    }

    /// Whether an endpoint is an AMF of a front end.
    pub(super) fn is_amf(&self, pool: &str, name: &str) -> bool {
        let mut amfs = self.n2.iter().flat_map(|front_end| &front_end.amfs);
        amfs.any(|amf| amf.pool == pool && amf.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::Sessions as _;

    #[test]
    fn ues_of_amfs_are_counted_with_the_rest() {
        let amf = |name: &str, ues| {
            let view = AmfView { name: format!("amfs/{name}").into(), gnbs: 1, ues, capacity: 100, overload: 0 };
            super::amf(view).unwrap()
        };
        let front_end = |service: &str, amfs: Vec<N2Amf>| N2FrontEnd {
            service: service.into(),
            gnbs: 1,
            ues: amfs.iter().map(|amf| amf.ues).sum(),
            counts: pinion_n2::Counts::default(),
            amfs,
            messages: Vec::new(),
            latencies: Vec::new(),
        };
        let counts = Counts::default().with_n2(vec![
            front_end("n2", vec![amf("a", 3), amf("b", 4)]),
            front_end("n2-edge", vec![amf("b", 5)]),
        ]);
        assert_eq!(["n2", "n2-edge", "none"].map(|name| counts.of_service(name)), [7, 5, 0]);
        assert_eq!(["a", "b", "c"].map(|name| counts.of("amfs", name)), [3, 9, 0]);
        assert_eq!(["a", "c"].map(|name| counts.is_amf("amfs", name)), [true, false]);
    }
}
