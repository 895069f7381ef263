use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata};
use tracing_subscriber::layer::{Context, Filter as LayerFilter};

/// Where the reports on held events come from; they are never held themselves.
pub(super) const TARGET: &str = "pinion::logging";

/// How long the events of a place are counted together.
const WINDOW: Duration = Duration::from_secs(1);

/// Holds warnings and errors back that come too often from one place in the code. There are as many entries as
/// places.
pub(super) struct Repeats {
    most: u32,
    now: fn() -> Instant,
    places: Mutex<HashMap<Identifier, Place>>,
}

#[derive(Debug)]
struct Place {
    since: Instant,
    passed: u32,
    held: u64,
    /// Where it is.
    name: String,
    /// The first that was held since the last report.
    message: String,
}

/// Events that were held back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// How many.
    pub(super) count: u64,
    /// File and line.
    pub(super) place: String,
    /// What the first of them said.
    pub(super) message: String,
}

impl Repeats {
    /// Lets `most` events of a place pass in a second of the clock `now`.
    pub(super) fn new(most: u32, now: fn() -> Instant) -> Self {
        Self { most, now, places: Mutex::default() }
    }

    /// What was held back since it was last asked.
    pub(super) fn take(&self) -> Vec<Held> {
        let mut places = self.places();
        let held = places.values_mut().filter(|place| place.held > 0);
        let mut held: Vec<_> = held
            .map(|place| Held {
                count: mem::take(&mut place.held),
                place: place.name.clone(),
                message: mem::take(&mut place.message),
            })
            .collect();
        held.sort_by(|one, other| one.place.cmp(&other.place));
        held
    }

    /// Whether an event passes.
    fn admit(&self, event: &Event<'_>) -> bool {
        let metadata = event.metadata();
        if *metadata.level() > Level::WARN || metadata.target() == TARGET {
            return true;
        }
        let now = (self.now)();
        let mut places = self.places();
        let place = places.entry(metadata.callsite()).or_insert_with(|| Place::new(metadata, now));
        if now.saturating_duration_since(place.since) >= WINDOW {
            (place.since, place.passed) = (now, 0);
        }
        if place.passed < self.most {
            place.passed = place.passed.saturating_add(1);
            return true;
        }
        if place.held == 0 {
            event.record(&mut Message(&mut place.message));
        }
        place.held = place.held.saturating_add(1);
        false
    }

    fn places(&self) -> MutexGuard<'_, HashMap<Identifier, Place>> {
        // A panic elsewhere cannot leave a count half written.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Repeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repeats").field("most", &self.most).finish_non_exhaustive()
    }
}

impl Place {
    fn new(metadata: &Metadata<'_>, since: Instant) -> Self {
        let name = match (metadata.file(), metadata.line()) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            _ => metadata.target().to_owned(),
        };
        Self { since, passed: 0, held: 0, name, message: String::new() }
    }
}

/// Keeps an event's message.
struct Message<'a>(&'a mut String);

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            *self.0 = format!("{value:?}");
        }
    }
}

/// [`Repeats`] as a filter of the layer that writes.
pub(super) struct Filter(pub(super) Arc<Repeats>);

impl<S> LayerFilter<S> for Filter {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        self.0.admit(event)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tracing::subscriber::with_default;
    use tracing_subscriber::Layer as _;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    thread_local! {
        static NOW: Cell<Instant> = Cell::new(Instant::now());
        static SEEN: Cell<u32> = const { Cell::new(0) };
    }

    struct Seen;

    impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Seen {
        fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
            SEEN.set(SEEN.get() + 1);
        }
    }

    fn pass(time: Duration) {
        NOW.set(NOW.get() + time);
    }

    /// How many events pass while `emit` runs.
    fn seen(repeats: &Arc<Repeats>, emit: impl FnOnce()) -> u32 {
        SEEN.set(0);
        let layer = Seen.with_filter(Filter(Arc::clone(repeats)));
        with_default(tracing_subscriber::registry().with(layer), emit);
        SEEN.get()
    }

    fn warn(number: u32) {
        tracing::warn!("packet {number}");
    }

    #[test]
    fn a_place_has_so_many_a_second() {
        let repeats = Arc::new(Repeats::new(3, || NOW.get()));
        assert_eq!(seen(&repeats, || (0..10).for_each(warn)), 3);
        pass(Duration::from_millis(999));
        assert_eq!(seen(&repeats, || (0..10).for_each(warn)), 0);
        pass(Duration::from_millis(1));
        assert_eq!(seen(&repeats, || (10..15).for_each(warn)), 3);
        let held = repeats.take();
        assert_eq!((held.len(), held[0].count, held[0].message.as_str()), (1, 19, "packet 3"));
        assert!(held[0].place.contains("repeats.rs:"), "{}", held[0].place);
        assert_eq!(repeats.take(), []);
    }

    #[test]
    fn places_do_not_share() {
        let repeats = Arc::new(Repeats::new(1, || NOW.get()));
        let both = || {
            for number in 0..5 {
                warn(number);
                tracing::error!(number, "another place");
            }
        };
        assert_eq!(seen(&repeats, both), 2);
        let held = repeats.take();
        assert_eq!(held.iter().map(|it| it.count).collect::<Vec<_>>(), [4, 4]);
    }

    #[test]
    fn what_is_no_warning_always_passes() {
        let repeats = Arc::new(Repeats::new(0, || NOW.get()));
        assert_eq!(seen(&repeats, || (0..9).for_each(|number| tracing::info!(number))), 9);
        assert_eq!(seen(&repeats, || tracing::warn!(target: TARGET, "a report")), 1);
        assert_eq!(seen(&repeats, || warn(1)), 0);
    }
}
