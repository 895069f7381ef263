//! One request for many who want the same: the first sets out, the others wait for what it brings.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::quality::RandomState;
use tokio::sync::watch;
use tokio::time::Instant;

/// What is under way, by what it is for. Copies share it.
#[derive(Debug)]
pub struct Flights<K, V> {
    under_way: Arc<Mutex<HashMap<K, Flight<V>, RandomState>>>,
}

/// What is there already, or what is to be waited for.
#[derive(Debug)]
pub enum Joined<V> {
    /// It is there.
    There(V),
    /// It is under way.
    Flight(Flight<V>),
}

/// Something under way.
#[derive(Clone, Debug)]
pub struct Flight<V> {
    waiting: watch::Receiver<Option<V>>,
    since: Instant,
    led: Arc<AtomicBool>,
}

/// Whoever has it is the one who waits for a flight, of those who need not. Dropped, another may be.
#[derive(Debug)]
pub struct Lead {
    led: Arc<AtomicBool>,
}

impl<K, V> Clone for Flights<K, V> {
    fn clone(&self) -> Self {
        Self { under_way: Arc::clone(&self.under_way) }
    }
}

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self { under_way: Arc::default() }
    }
}

impl<K, V> Flights<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Joins what is under way for `key`. Where nothing is, `look` looks once more whether it is there by now, and then
    /// `set_out` is started, as a task of its own: whoever waits may go away.
    pub fn join<F>(&self, key: K, look: impl FnOnce() -> Option<V>, set_out: impl FnOnce() -> F) -> Joined<V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let mut under_way = self.lock();
        if let Some(flight) = under_way.get(&key) {
            return Joined::Flight(flight.clone());
        }
        if let Some(there) = look() {
            return Joined::There(there);
        }
        let (arrived, waiting) = watch::channel(None);
        let flight = Flight { waiting, since: Instant::now(), led: Arc::default() };
        under_way.insert(key.clone(), flight.clone());
        drop(under_way);
        let landing = Landing { flights: self.clone(), key };
        let flying = set_out();
        tokio::spawn(async move {
            let value = flying.await;
            // Who comes from now on looks again, and finds what the flight left.
            drop(landing);
            arrived.send_replace(Some(value));
        });
        Joined::Flight(flight)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Flight<V>, RandomState>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V: Clone> Flight<V> {
    /// When it set out.
    #[must_use]
    pub const fn since(&self) -> Instant {
        self.since
    }

    /// Is the one who waits for it; none where another is.
    #[must_use]
    pub fn lead(&self) -> Option<Lead> {
        (!self.led.swap(true, Ordering::AcqRel)).then(|| Lead { led: Arc::clone(&self.led) })
    }

    /// What it brings; none where it broke off.
    pub async fn land(mut self) -> Option<V> {
        self.waiting.wait_for(Option::is_some).await.ok().and_then(|value| value.clone())
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        self.led.store(false, Ordering::Release);
    }
}

/// Ends a flight, however it ends.
struct Landing<K: Clone + Eq + Hash + Send + 'static, V: Clone + Send + Sync + 'static> {
    flights: Flights<K, V>,
    key: K,
}

impl<K, V> Drop for Landing<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn drop(&mut self) {
        self.flights.lock().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    async fn landed(joined: Joined<u32>) -> Option<u32> {
        match joined {
            Joined::There(value) => Some(value),
            Joined::Flight(flight) => flight.land().await,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_wait_for_one_and_the_next_sets_out_again() {
        let flights = Flights::<&str, u32>::default();
        let started = Arc::new(AtomicUsize::new(0));
        let join = || {
            let started = Arc::clone(&started);
            flights.join(
                "a",
                || None,
                || async move {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    u32::try_from(started.fetch_add(1, Ordering::Relaxed)).unwrap()
                },
            )
        };
        let waiting: Vec<_> = (0..1_000).map(|_| tokio::spawn(landed(join()))).collect();
        for waiting in waiting {
            assert_eq!(waiting.await.unwrap(), Some(0));
        }
        assert_eq!(landed(join()).await, Some(1));
        assert_eq!(landed(flights.join("a", || Some(7), || async { 8 })).await, Some(7));
    }

    #[tokio::test(start_paused = true)]
    async fn one_leads_at_a_time() {
        let flights = Flights::<&str, u32>::default();
        let join = || match flights.join("a", || None, std::future::pending) {
            Joined::There(value) => panic!("there is no {value}"),
            Joined::Flight(flight) => flight,
        };
        let (begun, first) = (Instant::now(), join());
        tokio::time::advance(Duration::from_secs(1)).await;
        let second = join();
        let lead = first.lead();
        assert_eq!((lead.is_some(), second.lead().is_some(), second.since()), (true, false, begun));
        drop(lead);
        assert!(second.lead().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_started_it_may_go_away() {
        let flights = Flights::<&str, u32>::default();
        let set_out = || async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            5
        };
        drop(flights.join("a", || None, set_out));
        assert_eq!(landed(flights.join("a", || None, || async { 6 })).await, Some(5));
    }
}
