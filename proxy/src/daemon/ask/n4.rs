//! What the front ends tell, among the rest.

use pinion_n4::UpfView;

use super::Counts;
use crate::control::{N4FrontEnd, N4Upf};
use crate::daemon::front_ends;
use crate::daemon::state::Daemon;

impl Daemon {
    /// How it goes with the front ends.
    pub(super) async fn n4_front_ends(&self) -> Vec<N4FrontEnd> {
        let mut views = Vec::new();
        for (service, host) in front_ends::running(self).await {
            let (upfs, counts) = host.upfs().await;
            let upfs: Vec<_> = upfs.iter().filter_map(upf).collect();
            let sessions = upfs.iter().map(|upf| upf.sessions).sum();
            views.push(N4FrontEnd { service, sessions, counts, upfs });
        }
        views
    }
}

fn upf(view: &UpfView) -> Option<N4Upf> {
    let UpfView { name, up, sessions, load } = view;
    let (pool, name) = name.split_once('/')?;
    let (pool, name) = (pool.to_owned(), name.to_owned());
    Some(N4Upf { pool, name, up: *up, sessions: u64::from(*sessions), load: *load })
}

impl Counts {
    /// These, and what front ends count.
    pub(super) fn with(mut self, front_ends: Vec<N4FrontEnd>) -> Self {
        for front_end in &front_ends {
            for upf in &front_end.upfs {
                self.add(&front_end.service, (&upf.pool, &upf.name), upf.sessions);
            }
        }
        Self { front_ends, ..self }
    }

    /// Percent of its capacity that a UPF says is in use; `None` where it says none, or is not there to say it.
    pub(super) fn load(&self, pool: &str, name: &str) -> Option<u8> {
        let said = self.upfs(pool, name).filter(|upf| upf.up).map(|upf| upf.load);
        said.max().filter(|load| *load > 0)
    }

    /// A UPF, as each of its front ends sees it.
    pub(super) fn upfs(&self, pool: &str, name: &str) -> impl Iterator<Item = &N4Upf> {
        let upfs = self.front_ends.iter().flat_map(|front_end| &front_end.upfs);
        upfs.filter(move |upf| upf.pool == pool && upf.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::Sessions as _;

    #[test]
    fn sessions_and_load_of_upfs_are_counted_with_the_rest() {
        let upf = |name: &str, sessions, load| N4Upf {
            pool: "upfs".into(),
            name: name.into(),
            up: true,
            sessions,
            load,
        };
        let front_end = |service: &str, upfs: Vec<N4Upf>| {
            let sessions = upfs.iter().map(|upf| upf.sessions).sum();
            N4FrontEnd { service: service.into(), sessions, counts: pinion_n4::Counts::default(), upfs }
        };
        let before = Counts { flows: 7, by_service: [("n3".into(), 7)].into(), ..Counts::default() };
        let counts = before.with(vec![
            front_end("n4", vec![upf("a", 3, 0), upf("b", 4, 40)]),
            front_end("n4-edge", vec![upf("b", 5, 60), N4Upf { up: false, ..upf("c", 0, 80) }]),
        ]);
        assert_eq!(["n3", "n4", "n4-edge", "none"].map(|name| counts.of_service(name)), [7, 7, 5, 0]);
        assert_eq!(["a", "b", "c"].map(|name| counts.of("upfs", name)), [3, 9, 0]);
        assert_eq!(["a", "b", "c"].map(|name| counts.load("upfs", name)), [None, Some(60), None]);
        assert_eq!(counts.flows, 7, "only what the packet path placed");
    }
}
