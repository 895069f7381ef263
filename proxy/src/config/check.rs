//! From a configuration as it is written to one that can be run.
//!
//! Whatever is wrong with one value is said, and the others are looked at all the same. Where a value is wrong a
//! stand-in takes its place, which nobody sees: with a mistake, nothing is given back.

mod addresses;
mod breakout;
mod fits;
mod gtpc;
mod health;
mod ngap;
mod pfcp;
mod pools;
mod sbi;
mod services;
mod spoken;
mod surroundings;
mod tunnels;

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Host;
use super::mistake::Wrong;
use super::model::Config;
use super::read::Field;
use super::scalar::{Span, written};
use super::written::File;

/// What a configuration means; to be used only where nothing is wrong with it.
pub(super) fn config(file: &File, host: &Host, wrong: &mut Wrong) -> Config {
    let pools = pools::gather(file, wrong);
    let members = services::members(file, &pools, wrong);
    let names = addresses::services(file, wrong);
    let exits = breakout::check(file, &pools, wrong);
    for (pool, users) in pools.iter().zip(&members) {
        pools::check(pool, users, (&names, &exits), host, wrong);
        services::meet(pool, users, wrong);
        tunnels::meet(pool, users, wrong);
        if let Some(health) = &pool.health.value {
            health::check(health, users, wrong);
        }
    }
    pools::tunnels(&pools, &members, wrong);
    let services = services::model(file, host, wrong);
    let bounds = surroundings::bounds(file);
    pfcp::meet(file, &pools, &members, bounds, wrong);
    fits::check(file, &pools, &members, bounds, wrong);
    Config {
        interfaces: surroundings::interfaces(file, host, wrong),
        api: surroundings::api(file, host, wrong),
        metrics: surroundings::metrics(file, wrong),
        store: surroundings::store(file),
        bounds,
        exit: file.on_exit.or(super::model::Exit::default()),
        pools: pools.iter().map(|pool| pools::model(pool, wrong)).collect(),
        services,
        sbi: sbi::model(file, host, wrong),
    }
}

/// A time that is given, which must be in a range, or else a default.
fn span(
    name: &str,
    field: &Field<Span>,
    default: Duration,
    range: RangeInclusive<Duration>,
    wrong: &mut Wrong,
) -> Duration {
    let Some((at, span)) = field.given() else {
        return default;
    };
    if !range.contains(&span.0) {
        let (given, least, most) = (written(span.0), written(*range.start()), written(*range.end()));
        wrong.mistake(at, format!("`{name}` of {given} is out of range; give {least} to {most}"));
    }
    span.0
}

/// "1 address", "2 addresses".
fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}
