//! What was said a short while ago.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

/// A peer and a sequence number.
pub(super) type Key = (SocketAddr, u32);

/// Values that are forgotten after a time.
#[derive(Debug)]
pub(super) struct Memory<T> {
    values: HashMap<Key, (Duration, T)>,
    order: VecDeque<(Duration, Key)>,
    life: Duration,
}

impl<T> Memory<T> {
    pub(super) fn new(life: Duration) -> Self {
        Self { values: HashMap::new(), order: VecDeque::new(), life }
    }

    pub(super) fn get(&self, key: &Key) -> Option<&T> {
        self.values.get(key).map(|(_, value)| value)
    }

    pub(super) fn put(&mut self, key: Key, value: T, now: Duration) {
        while let Some((since, oldest)) = self.order.front().copied()
            && now.saturating_sub(since) > self.life
        {
            self.order.pop_front();
            // It may have been put again since.
            if self.values.get(&oldest).is_some_and(|(put, _)| *put == since) {
                self.values.remove(&oldest);
            }
        }
        self.values.insert(key, (now, value));
        self.order.push_back((now, key));
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_is_forgotten_unless_it_was_said_again() {
        let key = |sequence| ("192.0.2.1:8805".parse().unwrap(), sequence);
        let second = Duration::from_secs;
        let mut memory = Memory::new(second(5));
        memory.put(key(1), 'a', second(0));
        memory.put(key(2), 'b', second(0));
        memory.put(key(1), 'c', second(4));
        memory.put(key(3), 'd', second(6));
        assert_eq!(
            (memory.get(&key(1)), memory.get(&key(2)), memory.get(&key(3))),
            (Some(&'c'), None, Some(&'d'))
        );
    }
}
