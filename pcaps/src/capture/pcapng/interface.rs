//! Interface description blocks: the link type, snap length and clock of the packets that name them.

use std::time::Duration;

use super::super::CaptureError;
use super::super::fields::Fields;
use super::Block;
use crate::link::LinkType;

const END_OF_OPTIONS: u16 = 0;
const TIME_RESOLUTION: u16 = 9;
const TIME_OFFSET: u16 = 14;

const NANOSECONDS: u64 = 1_000_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interface {
    link: LinkType,
    /// 0 where there is no limit.
    snap_len: u32,
    resolution: Resolution,
    /// Seconds to add to each time.
    time_offset: i64,
}

impl Interface {
    pub(super) fn read(mut body: Fields<'_>, block: Block) -> Result<Self, CaptureError> {
        let mut fixed = || Some((body.u16()?, body.u16()?, body.u32()?));
        let (link, _reserved, snap_len) = fixed().ok_or_else(|| block.bad_length())?;
        let mut interface = Self {
            link: LinkType::from(u32::from(link)),
            snap_len,
            resolution: Resolution::default(),
            time_offset: 0,
        };
        while let (Some(code), Some(len)) = (body.u16(), body.u16()) {
            if code == END_OF_OPTIONS {
                break;
            }
            let bad = || CaptureError::OptionLength { offset: block.offset, code, len };
            let mut value = body.take(usize::from(len)).ok_or_else(bad)?;
            match (code, len) {
                (TIME_RESOLUTION, 1) => {
                    let [byte] = value.array().ok_or_else(bad)?;
                    interface.resolution = Resolution::from(byte);
                }
                (TIME_OFFSET, 8) => interface.time_offset = value.i64().ok_or_else(bad)?,
                (TIME_RESOLUTION | TIME_OFFSET, _) => return Err(bad()),
                _ => {}
            }
            // Padded to four bytes; the last option of a block may lack its padding.
            body.take(usize::from(len).wrapping_neg() % 4);
        }
        Ok(interface)
    }

    pub(super) fn link(&self) -> LinkType {
        self.link
    }

    /// How much of a packet is captured.
    pub(super) fn snap(&self, wire: u32) -> u32 {
        if self.snap_len == 0 { wire } else { wire.min(self.snap_len) }
    }

    /// Since 1970; zero for what lies before.
    pub(super) fn time(&self, ticks: u64) -> Duration {
        let time = self.resolution.time(ticks);
        let offset = Duration::from_secs(self.time_offset.unsigned_abs());
        if self.time_offset < 0 { time.saturating_sub(offset) } else { time.saturating_add(offset) }
    }
}

/// How long a tick is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resolution {
    /// A whole number of nanoseconds, and so many ticks a second.
    Nanoseconds { each: u64, per_second: u64 },
    /// So many ticks a second; finer than a nanosecond, or no whole number of them.
    Ticks { per_second: u128 },
}

impl Default for Resolution {
    fn default() -> Self {
        Self::Nanoseconds { each: 1000, per_second: 1_000_000 }
    }
}

/// As `if_tsresol` has it: the negative power of 10, or of 2 where the highest bit is set.
impl From<u8> for Resolution {
    fn from(byte: u8) -> Self {
        let exponent = u32::from(byte & 0x7f);
        let base: u128 = if byte & 0x80 == 0 { 10 } else { 2 };
        // No 64-bit count of ticks finer than that makes a nanosecond.
        let per_second = base.checked_pow(exponent).unwrap_or(u128::MAX);
        match u64::try_from(per_second) {
            Ok(per_second) if NANOSECONDS.checked_rem(per_second) == Some(0) => {
                Self::Nanoseconds { each: NANOSECONDS.checked_div(per_second).unwrap_or(1), per_second }
            }
            _ => Self::Ticks { per_second },
        }
    }
}

impl Resolution {
    fn time(self, ticks: u64) -> Duration {
        let (seconds, nanoseconds) = match self {
            Self::Nanoseconds { each, per_second } => {
                let seconds = ticks.checked_div(per_second).unwrap_or(0);
                (seconds, ticks.checked_rem(per_second).unwrap_or(0).saturating_mul(each))
            }
            Self::Ticks { per_second } => {
                let ticks = u128::from(ticks);
                let seconds = ticks.checked_div(per_second).unwrap_or(0);
                let rest = ticks.checked_rem(per_second).unwrap_or(0).saturating_mul(u128::from(NANOSECONDS));
                let nanoseconds = rest.checked_div(per_second).unwrap_or(0);
                (u64::try_from(seconds).unwrap_or(u64::MAX), u64::try_from(nanoseconds).unwrap_or(0))
            }
        };
        Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanoseconds))
    }
}
