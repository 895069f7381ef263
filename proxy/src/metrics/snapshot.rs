use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::families::{Family, Value, families};
use crate::control::{Control, ControlError, EndpointView, ServiceView, Stats};

/// What [`Control`] tells at one moment, as metrics.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub(super) services: Vec<ServiceView>,
    pub(super) endpoints: Vec<EndpointView>,
    pub(super) stats: Stats,
    pub(super) left_out: usize,
}

impl Snapshot {
    /// Asks for everything. Endpoints beyond the first `most` are counted, not shown: each has a dozen series.
    ///
    /// # Errors
    /// [`ControlError::Maps`].
    pub async fn take(control: &dyn Control, most: usize) -> Result<Self, ControlError> {
        let mut stats = control.stats().await?;
        let services = control.services().await;
        let mut endpoints = control.endpoints(None).await?;
        let left_out = endpoints.len().saturating_sub(most);
        endpoints.truncate(most);
        let mut room = most;
        for front_end in &mut stats.front_ends {
            front_end.upfs.truncate(room);
            room = room.saturating_sub(front_end.upfs.len());
        }
        for front_end in &mut stats.n2 {
            front_end.amfs.truncate(room);
            room = room.saturating_sub(front_end.amfs.len());
        }
        for front_end in &mut stats.gtpc {
            front_end.endpoints.truncate(room);
            room = room.saturating_sub(front_end.endpoints.len());
        }
        Ok(Self { services, endpoints, stats, left_out })
    }
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for family in families() {
            let metric = encoder.encode_descriptor(family.name, family.help, family.unit.as_ref(), family.kind)?;
            samples(family, self, metric)?;
        }
        Ok(())
    }
}

fn samples(family: &Family, snapshot: &Snapshot, mut encoder: MetricEncoder<'_>) -> fmt::Result {
    let mut result = Ok(());
    (family.samples)(snapshot, &mut |values, value| {
        if result.is_ok() {
            result = sample(family, &mut encoder, values, value);
        }
    });
    result
}

fn sample(family: &Family, encoder: &mut MetricEncoder<'_>, values: &[&str], value: Value) -> fmt::Result {
    let labels: Vec<(&str, &str)> = family.labels.iter().copied().zip(values.iter().copied()).collect();
    match value {
        Value::Info => encoder.encode_info(&labels),
        _ if labels.is_empty() => number(family.kind, encoder, value),
        _ => number(family.kind, &mut encoder.encode_family(&labels)?, value),
    }
}

fn number(kind: MetricType, encoder: &mut MetricEncoder<'_>, value: Value) -> fmt::Result {
    match (kind, value) {
        (MetricType::Counter, Value::Whole(count)) => encoder.encode_counter::<NoLabelSet, _, u64>(&count, None),
        (MetricType::Counter, Value::Seconds(time)) => encoder.encode_counter::<NoLabelSet, _, u64>(&time, None),
        (_, Value::Whole(level)) => encoder.encode_gauge(&level),
        (_, Value::Seconds(time)) => encoder.encode_gauge(&time),
        (_, Value::Classes { sum, count, classes }) => {
            encoder.encode_histogram::<NoLabelSet>(sum, count, &classes, None)
        }
        (_, Value::Info) => Ok(()),
    }
}
