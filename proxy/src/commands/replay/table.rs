//! The table for people.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;

use pinion_pcaps::replay::{ServiceSummary, Summary};
use pinion_steering::{Reason, Verdict};

/// One packet.
pub(super) struct Row<'a> {
    pub(super) frame: u64,
    /// Time since the capture's first packet.
    pub(super) since: Duration,
    pub(super) verdict: Verdict,
    pub(super) reason: &'static str,
    pub(super) service: Option<&'a str>,
    pub(super) endpoint: Option<&'a str>,
    pub(super) pin: Option<String>,
}

/// SGR sequences (ECMA-48 8.3.117).
const GREEN: &str = "32";
const YELLOW: &str = "33";
const RED: &str = "31";
const BOLD: &str = "1";

pub(super) fn row(out: &mut impl Write, row: &Row<'_>, coloured: bool) -> io::Result<()> {
    let (seconds, micros) = (row.since.as_secs(), row.since.subsec_micros());
    write!(out, "{:>6} {seconds:>5}.{micros:06}  ", row.frame)?;
    let name = format!("{:<8}", row.verdict.name());
    paint(out, coloured, colour(row.verdict), &name)?;
    let service = match (row.service, row.endpoint) {
        (Some(service), Some(endpoint)) => format!("{service} {endpoint}"),
        (Some(service), None) => service.to_owned(),
        (None, _) => return writeln!(out, "  {}", row.reason),
    };
    write!(out, "  {:<18}  {service}", row.reason)?;
    match &row.pin {
        Some(pin) => writeln!(out, "  {pin}"),
        None => writeln!(out),
    }
}

fn colour(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => YELLOW,
        Verdict::Drop => RED,
        Verdict::Transmit | Verdict::Redirect => GREEN,
    }
}

fn paint(out: &mut impl Write, coloured: bool, colour: &str, text: &impl Display) -> io::Result<()> {
    if coloured { write!(out, "\x1b[{colour}m{text}\x1b[0m") } else { write!(out, "{text}") }
}

/// How many services are listed, those with the most packets first.
const SERVICES: usize = 20;

pub(super) fn summary(out: &mut impl Write, summary: &Summary, coloured: bool) -> io::Result<()> {
    let captures =
        if summary.captures == 1 { String::new() } else { format!(" of {} captures", summary.captures) };
    paint(out, coloured, BOLD, &format!("{} packets{captures}", summary.packets))?;
    for (verdict, count) in &summary.verdicts {
        if *count > 0 {
            write!(out, ", {count} {verdict}")?;
        }
    }
    writeln!(out)?;

    heading(out, coloured, "  protocol          packets      steered       passed      dropped")?;
    for (name, fate) in &summary.protocols {
        let [packets, steered, passed, dropped] = [fate.packets, fate.steered, fate.passed, fate.dropped];
        writeln!(out, "  {name:<12} {packets:>12} {steered:>12} {passed:>12} {dropped:>12}")?;
    }

    heading(out, coloured, "  reason                  packets")?;
    for (name, count) in &summary.reasons {
        let meaning =
            Reason::ALL.iter().find(|reason| reason.name() == *name).map_or("", |reason| reason.meaning());
        writeln!(out, "  {name:<18} {count:>12} {meaning}")?;
    }

    services(out, summary, coloured)?;
    remarks(out, summary, coloured)
}

fn services(out: &mut impl Write, summary: &Summary, coloured: bool) -> io::Result<()> {
    if summary.services.is_empty() {
        return Ok(());
    }
    heading(out, coloured, "  service                                   packets  endpoints")?;
    let mut services: Vec<&ServiceSummary> = summary.services.iter().collect();
    services.sort_by_key(|service| std::cmp::Reverse(service.packets));
    for service in services.iter().take(SERVICES) {
        let endpoints = service.endpoints.iter();
        let endpoints: Vec<_> =
            endpoints.map(|endpoint| format!("{} {}", endpoint.name, endpoint.packets)).collect();
        writeln!(out, "  {:<36} {:>12}  {}", service.name, service.packets, endpoints.join(", "))?;
        if let [_, more @ ..] = service.addresses.as_slice()
            && !more.is_empty()
        {
            writeln!(out, "    also at {}", more.join(", "))?;
        }
    }
    match services.len().saturating_sub(SERVICES) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more; --format json lists every one"),
    }
}

fn remarks(out: &mut impl Write, summary: &Summary, coloured: bool) -> io::Result<()> {
    let counted = [
        (summary.restored, "sessions were under way when the capture began, and were restored"),
        (summary.left_out, "conversations found no room among the services"),
        (summary.events, "copies of packets went to user space"),
        (summary.padded, "frames were cut by the snap length, and steered with zeros for what is missing"),
        (summary.shortened, "frames were longer than any IP packet, and steered without their tail"),
        (summary.skipped, "frames carry no IP, and were passed"),
    ];
    let counted: Vec<_> = counted.iter().filter(|(count, _)| *count > 0).collect();
    if counted.is_empty() {
        return Ok(());
    }
    heading(out, coloured, "  besides")?;
    for (count, what) in counted {
        writeln!(out, "  {count} {what}")?;
    }
    Ok(())
}

fn heading(out: &mut impl Write, coloured: bool, text: &str) -> io::Result<()> {
    writeln!(out)?;
    paint(out, coloured, BOLD, &text)?;
    writeln!(out)
}
