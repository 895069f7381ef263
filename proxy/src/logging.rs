//! What `pinion run` says about itself: events to standard error, spans to a collector.
//!
//! As text, or as JSON with one object a line, whose keys are
//!
//! | key | value |
//! | --- | --- |
//! | `timestamp` | RFC 3339, UTC, microseconds |
//! | `level` | `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE` |
//! | `target` | where it comes from, such as `pinion::health` |
//! | `fields` | an object: `message`, and what the event carries |
//! | `span`, `spans` | where it happened: the innermost span, and all of them, each with `name` and its fields; absent outside of spans |
//!
//! A warning or an error that comes from the same line of code more often than [`Options::repeats`] times a second is
//! held back, and how many were is said within a second: a storm of packets is no storm of log lines.

mod args;
mod counts;
#[cfg(feature = "otlp")]
mod otlp;
mod repeats;

use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus_client::registry::Registry;
use tokio::time::{MissedTickBehavior, interval};
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

pub use args::Args;
use counts::Counts;
use repeats::Repeats;

/// How events are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A line for people.
    #[default]
    Text,
    /// An object a line.
    Json,
}

/// What is logged, and how.
#[derive(Debug)]
pub struct Options {
    /// How events are written.
    pub format: Format,
    /// Which events are written; [`filter`] makes it.
    pub filter: EnvFilter,
    /// Whether text is coloured: on a terminal only.
    pub colour: bool,
    /// How many warnings of one line of code are written in a second.
    pub repeats: u32,
    /// The collector that spans go to, such as `http://127.0.0.1:4317`: the value of `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub collector: Option<String>,
}

impl Options {
    /// How many warnings of one line of code are written in a second by default.
    pub const REPEATS: u32 = 10;
}

/// Why nothing is logged.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// A filter that cannot be read.
    #[error(
        "{text} is no log level: {source}; give error, warn, info, debug or trace, or directives such as \
         info,pinion::health=debug"
    )]
    Filter {
        /// What was given.
        text: String,
        /// What is wrong.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Something else logs already.
    #[error("logging was started twice in this process")]
    Twice,
    /// The collector's address cannot be used, or there is no runtime.
    #[error("spans cannot go to {endpoint}: {reason}; give a URL such as http://127.0.0.1:4317")]
    Collector {
        /// The address.
        endpoint: String,
        /// What is wrong.
        reason: String,
    },
}

/// Which events are written: by `--log-level`, else by `PINION_LOG`, else from `info` on.
///
/// A level beyond `info` is for Pinion's own code; libraries stay at `info` unless a directive names them.
///
/// # Errors
/// [`LoggingError::Filter`].
pub fn filter(level: Option<&str>, environment: Option<&str>) -> Result<EnvFilter, LoggingError> {
    let text = level.or(environment.filter(|text| !text.is_empty())).unwrap_or("info");
    let directives = match text.parse::<LevelFilter>() {
        Ok(level) if level > LevelFilter::INFO => format!("info,pinion={level}"),
        Ok(level) => level.to_string(),
        Err(_) => text.to_owned(),
    };
    let wrong = |source| LoggingError::Filter { text: text.to_owned(), source };
    EnvFilter::builder().parse(directives).map_err(wrong)
}

/// A filter that lets the spans of procedures and requests through where they go to a collector. Elsewhere nobody looks at them.
fn with_spans(filter: EnvFilter, wanted: bool) -> EnvFilter {
    let targets =
        [pinion_n2::SPANS, pinion_scp::trace::SPANS].into_iter().filter(|_| wanted && cfg!(feature = "otlp"));
    let directives = targets.filter_map(|target| format!("{target}=debug").parse().ok());
    directives.fold(filter, EnvFilter::add_directive)
}

/// Logging under way.
#[derive(Debug)]
pub struct Logging {
    repeats: Arc<Repeats>,
    counts: Arc<Counts>,
    #[cfg(feature = "otlp")]
    spans: Option<otlp::Spans>,
}

impl Logging {
    /// Makes what writes to `writer`, and what it counts. With a collector it must be called in a runtime of tokio.
    ///
    /// # Errors
    /// [`LoggingError::Collector`].
    pub fn new<W>(
        options: Options,
        writer: W,
        registry: &mut Registry,
    ) -> Result<(Self, impl Subscriber + Send + Sync + use<W>), LoggingError>
    where
        W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
    {
        let repeats = Arc::new(Repeats::new(options.repeats, Instant::now));
        let counts = Arc::new(Counts::register(registry));
        let layer = fmt::layer().with_writer(writer).with_ansi(options.colour);
        let layer = match options.format {
            Format::Text => layer.boxed(),
            Format::Json => layer.json().boxed(),
        };
        let layer = layer.with_filter(repeats::Filter(Arc::clone(&repeats)));
        let subscriber = tracing_subscriber::registry()
            .with(with_spans(options.filter, options.collector.is_some()))
            .with(counts::Layer(Arc::clone(&counts)))
            .with(layer);
        #[cfg(feature = "otlp")]
        let (spans, subscriber) = {
            let spans = options.collector.as_deref().map(otlp::Spans::to).transpose()?;
            let layer = spans.as_ref().map(otlp::Spans::layer);
            (spans, subscriber.with(layer))
        };
        let logging = Self {
            repeats,
            counts,
            #[cfg(feature = "otlp")]
            spans,
        };
        Ok((logging, subscriber))
    }

    /// Logs everything of this process to standard error.
    ///
    /// # Errors
    /// [`LoggingError::Collector`], [`LoggingError::Twice`].
    pub fn start(options: Options, registry: &mut Registry) -> Result<Self, LoggingError> {
        let unheard = options.collector.clone().filter(|_| !cfg!(feature = "otlp"));
        let (logging, subscriber) = Self::new(options, std::io::stderr, registry)?;
        tracing::subscriber::set_global_default(subscriber).map_err(|_| LoggingError::Twice)?;
        if let Some(collector) = unheard {
            tracing::warn!(collector, "spans go nowhere: this program is built without the feature otlp");
        }
        Ok(logging)
    }

    /// Says how many events were held back since it was last asked.
    pub fn report(&self) {
        for held in self.repeats.take() {
            self.counts.suppressed(held.count);
            let (count, place, message) = (held.count, held.place, held.message);
            tracing::warn!(target: repeats::TARGET, suppressed = count, place, "{count} more suppressed: {message}");
        }
    }

    /// Says so each second, for as long as it is polled.
    pub async fn keep_reporting(&self) {
        let mut ticks = interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.report();
        }
    }

    /// Says what is left to say, and waits until the collector has the spans, 5 s at the most.
    pub async fn end(self) {
        self.report();
        #[cfg(feature = "otlp")]
        if let Some(spans) = self.spans {
            spans.end().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directives(level: Option<&str>, environment: Option<&str>) -> Vec<String> {
        let filter = filter(level, environment).unwrap().to_string();
        let mut directives: Vec<_> = filter.split(',').map(str::to_owned).collect();
        directives.sort();
        directives
    }

    #[test]
    fn the_command_line_goes_before_the_environment() {
        assert_eq!(directives(None, None), ["info"]);
        assert_eq!(directives(None, Some("")), ["info"]);
        assert_eq!(directives(None, Some("warn")), ["warn"]);
        assert_eq!(directives(Some("error"), Some("warn")), ["error"]);
        assert_eq!(directives(Some("off"), None), ["off"]);
    }

    #[test]
    fn more_is_of_our_own_code() {
        assert_eq!(directives(Some("DEBUG"), None), ["info", "pinion=debug"]);
        assert_eq!(directives(None, Some("warn,h2=trace")), ["h2=trace", "warn"]);
    }

    #[test]
    fn what_is_no_filter_is_refused_in_words() {
        for wrong in ["loud=very", "info,pinion=loud", "a[b"] {
            let message = filter(Some(wrong), None).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{wrong} is no log level: ")), "{message}");
        }
    }
}
