//! Addresses of next hops: an address is itself, a name is looked up and remembered for as long as that holds.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use foldhash::quality::RandomState;
use tokio::time::{Instant, sleep_until, timeout};

use crate::api_root::ApiRoot;
use crate::prepared::Prepared;
use crate::resolve::{Addresses, Resolve};
use crate::settings::Timeouts;

/// Names that were looked up.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: Mutex<HashMap<String, Known, RandomState>>,
    /// Who is asked now; none: whom those go by who ask.
    resolver: RwLock<Option<Arc<dyn Resolve>>>,
}

#[derive(Clone, Debug)]
struct Known {
    /// None where looking failed.
    addresses: Option<Vec<IpAddr>>,
    looked: Instant,
    until: Instant,
}

/// Names that are remembered.
const MOST: usize = 4096;

/// No name is looked up more often, whatever becomes of its addresses.
const AGAIN: Duration = Duration::from_secs(1);

/// Old addresses serve so much longer each time that nobody knows newer ones (RFC 8767 5).
const STALE: Duration = Duration::from_secs(30);

impl Names {
    /// The addresses of a next hop, families taking turns (RFC 8305 4). Those that held before serve where nobody knows of
    /// others in half the time that a connection may take.
    pub(super) async fn find(&self, to: &ApiRoot, prepared: &Prepared) -> io::Result<Vec<SocketAddr>> {
        self.find_by(to, &*prepared.resolver, &prepared.settings.timeouts).await
    }

    async fn find_by(
        &self,
        to: &ApiRoot,
        resolver: &dyn Resolve,
        timeouts: &Timeouts,
    ) -> io::Result<Vec<SocketAddr>> {
        let (host, port) = (to.host(), to.port());
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let at = |addresses: Vec<IpAddr>| addresses.into_iter().map(|it| SocketAddr::new(it, port)).collect();
        let known = self.lock().get(host).cloned();
        let old = match known {
            Some(Known { addresses, until, .. }) if Instant::now() < until => {
                return addresses.map(at).ok_or_else(|| {
                    io::Error::new(
                        io::ErrorKind::NotFound,
                        "the name was looked up a moment ago, and has no address",
                    )
                });
            }
            known => known.and_then(|it| it.addresses),
        };
        let look = resolver.look(host);
        let looked = match &old {
            None => look.await,
            Some(_) => {
                timeout(timeouts.connect / 2, look).await.unwrap_or_else(|late| Err(io::Error::other(late)))
            }
        };
        let found = looked.and_then(|Addresses { all, valid }| match all.is_empty() {
            true => Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address")),
            false => Ok((alternating(all), valid.unwrap_or(timeouts.names))),
        });
        match (found, old) {
            (Ok((addresses, valid)), _) => {
                self.remember(host, Some(addresses.clone()), valid);
                Ok(at(addresses))
            }
            (Err(error), Some(old)) if error.kind() != io::ErrorKind::NotFound => {
                tracing::debug!(host, %error, "a name cannot be looked up; it is taken to be where it was");
                self.remember(host, Some(old.clone()), STALE);
                Ok(at(old))
            }
            (Err(error), _) => {
                self.remember(host, None, AGAIN);
                Err(error)
            }
        }
    }

    /// What could not be connected to is looked up again, though not at once.
    pub(super) fn doubt(&self, host: &str) {
        if let Some(known) = self.lock().get_mut(host)
            && let Some(soon) = known.looked.checked_add(AGAIN)
        {
            known.until = known.until.min(soon);
        }
    }

    /// From now on this one is asked, also for connections that are older.
    pub(super) fn ask(&self, resolver: Arc<dyn Resolve>) {
        *self.resolver.write().unwrap_or_else(PoisonError::into_inner) = Some(resolver);
    }

    fn asked(&self) -> Option<Arc<dyn Resolve>> {
        self.resolver.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until a next hop is not at an address any more; for ever where that is all that is known of it.
    pub(super) async fn moved(&self, to: &ApiRoot, from: SocketAddr, prepared: &Prepared) {
        if to.host().parse::<IpAddr>().is_ok() {
            return std::future::pending().await;
        }
        loop {
            let holds = self.lock().get(to.host()).map(|it| it.until);
            let soon = Instant::now().checked_add(AGAIN).unwrap_or_else(Instant::now);
            sleep_until(holds.unwrap_or(soon).max(soon)).await;
            let resolver = self.asked().unwrap_or_else(|| Arc::clone(&prepared.resolver));
            let found = self.find_by(to, &*resolver, &prepared.settings.timeouts).await;
            if found.is_ok_and(|addresses| !addresses.contains(&from)) {
                return;
            }
        }
    }

    fn remember(&self, host: &str, addresses: Option<Vec<IpAddr>>, valid: Duration) {
        let looked = Instant::now();
        let mut all = self.lock();
        if all.len() >= MOST {
            all.retain(|_, known| known.until > looked);
        }
        if let (Some(until), true) = (looked.checked_add(valid), all.len() < MOST) {
            all.insert(host.to_owned(), Known { addresses, looked, until });
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known, RandomState>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn alternating(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let (six, four): (Vec<_>, Vec<_>) = addresses.into_iter().partition(IpAddr::is_ipv6);
    let mut all = Vec::with_capacity(six.len() + four.len());
    let [mut six, mut four] = [six.into_iter(), four.into_iter()];
    loop {
        let pair = [six.next(), four.next()];
        if pair == [None, None] {
            return all;
        }
        all.extend(pair.into_iter().flatten());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::Looked;
    use crate::settings::Settings;

    /// Answers with what it is told, and counts how often it is asked.
    #[derive(Debug, Default)]
    struct Told {
        answers: Mutex<Answers>,
    }

    #[derive(Debug, Default)]
    struct Answers {
        next: Option<Result<Addresses, io::ErrorKind>>,
        asked: usize,
    }

    impl Told {
        fn says(&self, addresses: &[&str], seconds: u64) {
            let all = addresses.iter().map(|it| it.parse().unwrap()).collect();
            self.answers.lock().unwrap().next =
                Some(Ok(Addresses { all, valid: Some(Duration::from_secs(seconds)) }));
        }

        fn fails(&self, why: io::ErrorKind) {
            self.answers.lock().unwrap().next = Some(Err(why));
        }

        /// None as long as nothing is said.
        fn silent(&self) {
            self.answers.lock().unwrap().next = None;
        }

        fn asked(&self) -> usize {
            self.answers.lock().unwrap().asked
        }
    }

    impl Resolve for Told {
        fn look<'a>(&'a self, _: &'a str) -> Looked<'a> {
            let next = {
                let mut answers = self.answers.lock().unwrap();
                answers.asked += 1;
                answers.next.clone()
            };
            Box::pin(async move {
                match next {
                    Some(answer) => answer.map_err(io::Error::from),
                    None => std::future::pending().await,
                }
            })
        }
    }

    fn made() -> (Names, Arc<Told>, Prepared, ApiRoot) {
        let told = Arc::new(Told::default());
        let prepared = Prepared::new(Settings::new("scp.example", Vec::new()), None, None);
        let prepared = Prepared { resolver: Arc::clone(&told) as Arc<dyn Resolve>, ..prepared };
        (Names::default(), told, prepared, ApiRoot::parse("http://udm.example:80").unwrap())
    }

    async fn found(names: &Names, to: &ApiRoot, prepared: &Prepared) -> String {
        match names.find(to, prepared).await {
            Ok(found) => found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Err(error) => format!("{:?}", error.kind()),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_holds_as_long_as_it_says() {
        let (names, told, prepared, to) = made();
        told.says(&["192.0.2.1", "192.0.2.2", "2001:db8::1"], 20);
        let first = "[2001:db8::1]:80 192.0.2.1:80 192.0.2.2:80";
        assert_eq!(found(&names, &to, &prepared).await, first, "families take turns");
        told.says(&["192.0.2.3"], 20);
        tokio::time::advance(Duration::from_secs(19)).await;
        assert_eq!(found(&names, &to, &prepared).await, first);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(found(&names, &to, &prepared).await, "192.0.2.3:80");
        assert_eq!(told.asked(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_knows_it_is_where_it_was() {
        let (names, told, prepared, to) = made();
        told.says(&["192.0.2.1"], 1);
        assert_eq!(found(&names, &to, &prepared).await, "192.0.2.1:80");
        for silent in [false, true] {
            tokio::time::advance(STALE).await;
            if silent {
                told.silent();
            } else {
                told.fails(io::ErrorKind::TimedOut);
            }
            assert_eq!(found(&names, &to, &prepared).await, "192.0.2.1:80", "{silent}");
        }
        tokio::time::advance(STALE).await;
        told.fails(io::ErrorKind::NotFound);
        assert_eq!(found(&names, &to, &prepared).await, "NotFound", "it is known that there is none");
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_is_not_asked_again_at_once() {
        let (names, told, prepared, to) = made();
        told.fails(io::ErrorKind::NotFound);
        for _ in 0..3 {
            assert_eq!(found(&names, &to, &prepared).await, "NotFound");
        }
        tokio::time::advance(AGAIN).await;
        told.says(&["192.0.2.1"], 20);
        for _ in 0..3 {
            assert_eq!(found(&names, &to, &prepared).await, "192.0.2.1:80");
            names.doubt("udm.example");
        }
        assert_eq!(told.asked(), 2);
        tokio::time::advance(AGAIN).await;
        told.says(&["192.0.2.2"], 20);
        assert_eq!(found(&names, &to, &prepared).await, "192.0.2.2:80");
    }

    #[tokio::test(start_paused = true)]
    async fn who_moves_is_noticed_when_the_answer_has_ended() {
        let (names, told, prepared, to) = made();
        told.says(&["192.0.2.1"], 20);
        let from = names.find(&to, &prepared).await.unwrap()[0];
        let begun = Instant::now();
        let moved = async {
            tokio::time::sleep(Duration::from_secs(50)).await;
            told.says(&["192.0.2.1", "192.0.2.2"], 20);
            tokio::time::sleep(Duration::from_secs(20)).await;
            told.says(&["192.0.2.2"], 20);
        };
        tokio::join!(names.moved(&to, from, &prepared), moved);
        assert_eq!(begun.elapsed().as_secs(), 80);
    }
}
