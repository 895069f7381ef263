use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::Context;

/// How many events there were.
#[derive(Debug)]
pub(super) struct Counts {
    /// From ERROR to TRACE.
    levels: [(Level, Counter); 5],
    suppressed: Counter,
}

impl Counts {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let events: Family<[(&'static str, &'static str); 1], Counter> = Family::default();
        registry.register("log_events", "Events that were logged or held back, by level", events.clone());
        let suppressed = Counter::default();
        registry.register(
            "log_events_suppressed",
            "Events that were held back, as too many came from the same place",
            suppressed.clone(),
        );
        let levels = [
            (Level::ERROR, "error"),
            (Level::WARN, "warn"),
            (Level::INFO, "info"),
            (Level::DEBUG, "debug"),
            (Level::TRACE, "trace"),
        ];
        let levels = levels.map(|(level, name)| (level, events.get_or_create_owned(&[("level", name)])));
        Self { levels, suppressed }
    }

    pub(super) fn suppressed(&self, count: u64) {
        self.suppressed.inc_by(count);
    }
}

/// Counts every event that the filter lets through.
pub(super) struct Layer(pub(super) Arc<Counts>);

impl<S: Subscriber> tracing_subscriber::Layer<S> for Layer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if let Some((_, counter)) = self.0.levels.iter().find(|(level, _)| level == event.metadata().level()) {
            counter.inc();
        }
    }
}
