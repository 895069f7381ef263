//! What an SCP keeps to: times, tries, limits.

use std::ops::RangeInclusive;
use std::time::Duration;

use http::StatusCode;
use pinion_scp::settings::{Limits, Overload, Retries, Settings, Statuses, Timeouts};

use crate::config::check::span;
use crate::config::mistake::Wrong;
use crate::config::read::Field;
use crate::config::scalar::Span;
use crate::config::scalar::sbi::{Many, Octets, Status};
use crate::config::written::{self, Sbi};

pub(super) const TIMES: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(24 * 3600);

/// No more than one a minute on each path (TS 29.500 5.2.6).
const PINGS: RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(24 * 3600);

/// Puts them into the settings.
pub(super) fn into(sbi: &Sbi, settings: &mut Settings, wrong: &mut Wrong) {
    if let Some(given) = &sbi.statuses.value {
        statuses(given, &mut settings.statuses);
    }
    if let Some(given) = &sbi.timeouts.value {
        timeouts(given, &mut settings.timeouts, wrong);
    }
    if let Some(given) = &sbi.retries.value {
        retries(given, &mut settings.retries, wrong);
    }
    if let Some(given) = &sbi.limits.value {
        limits(given, &mut settings.limits, wrong);
    }
    if let Some(given) = &sbi.overload.value {
        overload(given, &mut settings.overload, wrong);
    }
}

fn statuses(given: &written::Statuses, statuses: &mut Statuses) {
    let set = |status: &mut StatusCode, field: &Field<Status>| {
        let given = field.value.as_ref().and_then(|given| StatusCode::from_u16(given.0).ok());
        *status = given.unwrap_or(*status);
    };
    set(&mut statuses.looped, &given.msg_loop_detected);
    set(&mut statuses.hops, &given.max_scp_hops_reached);
}

fn timeouts(given: &written::SbiTimeouts, timeouts: &mut Timeouts, wrong: &mut Wrong) {
    let mut set = |name: &str, time: &mut Duration, field: &Field<Span>| {
        *time = span(name, field, *time, TIMES, wrong);
    };
    set("handshake", &mut timeouts.handshake, &given.handshake);
    set("connect", &mut timeouts.connect, &given.connect);
    set("response", &mut timeouts.response, &given.response);
    set("attempt", &mut timeouts.attempt, &given.attempt);
    set("stall", &mut timeouts.stall, &given.stall);
    set("client_idle", &mut timeouts.client_idle, &given.client_idle);
    set("producer_idle", &mut timeouts.producer_idle, &given.producer_idle);
    set("drain", &mut timeouts.drain, &given.drain);
    set("names", &mut timeouts.names, &given.names);
    timeouts.ping = span("ping", &given.ping, timeouts.ping, PINGS, wrong);
    if let Some((at, _)) = given.attempt.given()
        && timeouts.attempt > timeouts.response
    {
        let (attempt, response) = (timeouts.attempt, timeouts.response);
        let what = format!("`attempt` of {attempt:?} is more than `response` of {response:?}; give less");
        wrong.mistake(at, what);
    }
}

fn retries(given: &written::Retries, retries: &mut Retries, wrong: &mut Wrong) {
    set(&mut retries.attempts, &given.attempts);
    set32(&mut retries.spare, &given.spare);
    set32(&mut retries.failures, &given.failures);
    if let Some(percent) = &given.budget.value {
        retries.budget = percent.0.into();
    }
    if let Some(given) = &given.final_answers.value {
        retries.final_answers = given.0;
    }
    retries.probation = span("probation", &given.probation, retries.probation, TIMES, wrong);
}

fn limits(given: &written::Limits, limits: &mut Limits, wrong: &mut Wrong) {
    set(&mut limits.connections, &given.connections);
    set32(&mut limits.streams, &given.streams);
    octets(&mut limits.headers, &given.headers);
    octets(&mut limits.stream_window, &given.stream_window);
    octets(&mut limits.connection_window, &given.connection_window);
    set(&mut limits.resets, &given.resets);
    set(&mut limits.requests, &given.requests);
    set(&mut limits.waiting, &given.waiting);
    set(&mut limits.producer_connections, &given.producer_connections);
    set(&mut limits.pins, &given.pins);
    if let Some(buffered) = &given.buffered.value {
        limits.buffered = buffered.0 as usize;
    }
    if let Some(kept) = &given.kept.value {
        limits.kept = kept.0 as usize;
    }
    if let Some((at, _)) = given.stream_window.given()
        && limits.stream_window > limits.connection_window
    {
        let (stream, connection) = (limits.stream_window, limits.connection_window);
        let what =
            format!("`stream_window` of {stream} is more than `connection_window` of {connection}; give less");
        wrong.mistake(at, what);
    }
}

fn overload(given: &written::Overload, overload: &mut Overload, wrong: &mut Wrong) {
    if let Some((at, hot)) = given.hot.given() {
        if hot.0 == 0 {
            wrong.mistake(at, "from 0 percent on every client is told to send less; give 1 to 100");
        }
        overload.hot = hot.0;
    }
    if let Some(exempt) = &given.exempt.value {
        overload.exempt = exempt.0;
    }
}

pub(super) fn set(limit: &mut usize, field: &Field<Many>) {
    if let Some(given) = &field.value {
        *limit = given.0 as usize;
    }
}

fn set32(limit: &mut u32, field: &Field<Many>) {
    if let Some(given) = &field.value {
        *limit = given.0;
    }
}

fn octets(limit: &mut u32, field: &Field<Octets>) {
    if let Some(given) = &field.value {
        *limit = given.0;
    }
}
