//! How loaded UPFs say they are (TS 29.244 6.2.3, 6.2.4).

use std::time::Duration;

use pinion_protocols::pfcp::{Element, ElementType, Error, Message, MessageType, MessageWriter};

use crate::features;
use crate::front::FrontEnd;

/// What a UPF last said of its load, and whether it is overloaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    /// Its number, and percent in use.
    load: Option<(u32, u8)>,
    /// Its number, percent less that it asks for, and until when.
    overload: Option<(u32, u8, Duration)>,
}

impl Load {
    /// Takes down what a message says, and whether it says anything; older news are left.
    pub(crate) fn hear(&mut self, message: &Message<'_>, now: Duration) -> Result<bool, Error> {
        let mut heard = false;
        for element in message.elements() {
            let element = element?;
            let overload = match element.kind() {
                ElementType::LoadControlInformation => false,
                ElementType::OverloadControlInformation => true,
                _ => continue,
            };
            heard = true;
            let (mut number, mut metric, mut valid) = (None, None, Duration::ZERO);
            for child in element.group()?.into_iter().flatten() {
                match child?.parse()? {
                    Element::SequenceNumber(it) => number = Some(it),
                    Element::Metric(it) => metric = Some(it.min(100)),
                    Element::Timer(it) => valid = span(it),
                    _ => {}
                }
            }
            let Some((number, metric)) = number.zip(metric) else { continue };
            if overload {
                if self.overload.is_none_or(|(before, ..)| newer(number, before)) {
                    self.overload = Some((number, metric, now.saturating_add(valid)));
                }
            } else if self.load.is_none_or(|(before, _)| newer(number, before)) {
                self.load = Some((number, metric));
            }
        }
        Ok(heard)
    }

    /// Percent of its capacity in use; what an overloaded UPF asks for counts too.
    pub(crate) fn percent(&self, now: Duration) -> u8 {
        let load = self.load.map_or(0, |(_, load)| load);
        load.max(self.reduction(now))
    }

    /// Percent less that it asks for, and until when; none where it is not overloaded.
    fn overload(&self, now: Duration) -> Option<(u8, Duration)> {
        let (_, metric, until) = self.overload?;
        (now < until && metric > 0).then_some((metric, until))
    }

    /// Percent of new sessions that it asks to be spared.
    pub(crate) fn reduction(&self, now: Duration) -> u8 {
        self.overload.filter(|(.., until)| now < *until).map_or(0, |(_, metric, _)| metric)
    }
}

impl<Proof> FrontEnd<Proof> {
    /// Takes down what a UPF's message says of its load, and what SMFs are to be told of all UPFs together.
    pub(crate) fn hear_load(&mut self, upf: u16, message: &Message<'_>) -> Result<(), Error> {
        let now = self.now;
        let Some(upf) = self.upfs.get_mut(usize::from(upf)) else { return Ok(()) };
        if !upf.load.hear(message, now)? {
            return Ok(());
        }
        let numbers = |it: &Self| (it.load, it.overload.map(|(number, ..)| number));
        let before = numbers(self);
        self.sum_up();
        if before != numbers(self) {
            // Before SMFs are told: numbers never go back.
            self.keep_front_end();
        }
        Ok(())
    }

    /// What SMFs are to be told of all UPFs together.
    fn sum_up(&mut self) {
        let now = self.now;
        let up = || self.upfs.iter().filter(|upf| upf.takes_sessions());
        let sum: u32 = up().map(|upf| u32::from(upf.load.percent(now))).sum();
        let mean = u32::try_from(up().count()).ok().and_then(|count| sum.checked_div(count));
        let mean = mean.and_then(|mean| u8::try_from(mean).ok()).unwrap_or(100);
        if self.load.is_none_or(|(_, before)| before != mean) {
            let number = self.load.map_or(0, |(number, _)| number.wrapping_add(1));
            self.load = Some((number, mean));
        }
        // While one takes what comes there is no overload.
        let all: Option<Vec<(u8, Duration)>> = up().map(|upf| upf.load.overload(now)).collect();
        let least = all.unwrap_or_default().into_iter().reduce(|a, b| (a.0.min(b.0), a.1.min(b.1)));
        let before = self.overload.map(|(_, metric, until)| (metric, until));
        if least.is_some() && least != before {
            let number = self.overload.map_or(0, |(number, ..)| number.wrapping_add(1));
            self.overload = least.map(|(metric, until)| (number, metric, until));
        } else if let (None, Some((_, _, until))) = (least, &mut self.overload) {
            *until = now;
        }
    }

    /// Says how loaded the UPFs are together, and whether all are overloaded, to an SMF that understands it (TS 29.244
    /// 6.2.3.3, 6.2.4.3).
    pub(crate) fn add_load(&self, writer: &mut MessageWriter<'_>, kind: MessageType, smf: Option<u16>) {
        let says = matches!(
            kind,
            MessageType::SessionEstablishmentResponse
                | MessageType::SessionModificationResponse
                | MessageType::SessionDeletionResponse
        );
        let Some(smf) = smf.and_then(|smf| self.smfs.get(usize::from(smf))).filter(|_| says) else { return };
        if let Some((number, metric)) = self.load.filter(|_| features::wants_load(&smf.features)) {
            writer.nested(ElementType::LoadControlInformation, |writer| {
                writer.add(&Element::SequenceNumber(number)).add(&Element::Metric(metric));
            });
        }
        let overload = self.overload.filter(|_| features::wants_overload(&smf.features));
        if let Some((number, metric, until)) = overload.filter(|(.., until)| self.now < *until) {
            writer.nested(ElementType::OverloadControlInformation, |writer| {
                writer.add(&Element::SequenceNumber(number)).add(&Element::Metric(metric));
                writer.add(&Element::Timer(timer(until.saturating_sub(self.now))));
            });
        }
    }
}

/// Numbers count on over their end.
fn newer(number: u32, before: u32) -> bool {
    number.wrapping_sub(before).cast_signed() > 0
}

/// A timer's value: a unit in the upper three bits, a count in the lower five (TS 29.244 8.2.35).
fn span(octet: u8) -> Duration {
    let seconds = match octet >> 5 {
        0 => 2,
        1 => 60,
        2 => 600,
        3 => 3_600,
        4 => 36_000,
        7 => return Duration::from_secs(u64::from(u32::MAX)),
        _ => 60,
    };
    Duration::from_secs(seconds * u64::from(octet & 0x1f))
}

/// The timer's value that is nearest above a span.
fn timer(span: Duration) -> u8 {
    let seconds = span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0));
    let units = [(0, 2), (1, 60), (2, 600), (3, 3_600), (4, 36_000)];
    let fits = units.into_iter().find_map(|(unit, length): (u8, u64)| {
        let count = u8::try_from(seconds.div_ceil(length)).ok()?;
        (count < 32).then_some(unit << 5 | count)
    });
    fits.unwrap_or(0xe0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;

    fn hear(load: &mut Load, kind: ElementType, number: u32, metric: u8, now: u64) {
        let mut out = BytesMut::new();
        let mut writer = MessageWriter::new(&mut out, MessageType::SessionDeletionResponse, Some(1), 1);
        writer.nested(kind, |writer| {
            writer.add(&Element::SequenceNumber(number)).add(&Element::Metric(metric));
            if kind == ElementType::OverloadControlInformation {
                // Five times two seconds.
                writer.add(&Element::Timer(5));
            }
        });
        writer.finish().unwrap();
        load.hear(&Message::parse(&out).unwrap(), Duration::from_secs(now)).unwrap();
    }

    /// TS 29.244 6.2.3.3.2: of two the one with the higher number holds.
    #[test]
    fn the_newer_word_holds() {
        let mut load = Load::default();
        let kind = ElementType::LoadControlInformation;
        hear(&mut load, kind, u32::MAX, 50, 0);
        hear(&mut load, kind, u32::MAX - 1, 10, 0);
        assert_eq!(load.percent(Duration::ZERO), 50);
        hear(&mut load, kind, 3, 20, 0);
        assert_eq!(load.percent(Duration::ZERO), 20);
    }

    /// TS 29.244 8.2.35: units of 2 seconds, a minute, 10 minutes, an hour, 10 hours; all bits of the unit: for ever.
    #[test]
    fn spans_are_rounded_up() {
        let timers = [0, 1, 10, 62, 63, 1_860, 1_861, 1_200_000].map(|it| timer(Duration::from_secs(it)));
        assert_eq!(timers, [0, 1, 5, 31, 0x22, 0x3f, 0x44, 0xe0]);
        assert_eq!(timer(Duration::from_millis(2_001)), 2);
    }

    /// TS 29.244 6.2.4.3: overload is over when its period is.
    #[test]
    fn overload_ends_by_itself() {
        let mut load = Load::default();
        hear(&mut load, ElementType::OverloadControlInformation, 1, 80, 100);
        assert_eq!(load.reduction(Duration::from_secs(109)), 80);
        assert_eq!(load.percent(Duration::from_secs(109)), 80);
        assert_eq!(load.reduction(Duration::from_secs(110)), 0);
    }
}
