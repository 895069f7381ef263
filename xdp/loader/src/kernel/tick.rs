use std::time::Duration;

/// How many jiffies a tick is, as a power of two: the one nearest above 0.8 s.
///
/// The kernel's tick rate is the resolution of its coarse clocks (clock_getres(2)).
pub(super) fn shift() -> u32 {
    shift_for(jiffy())
}

/// How long a tick is.
pub(super) fn length() -> Duration {
    jiffy() * (1 << shift())
}

fn jiffy() -> Duration {
    let resolution = rustix::time::clock_getres(rustix::time::ClockId::MonotonicCoarse);
    Duration::new(resolution.tv_sec.unsigned_abs(), resolution.tv_nsec.unsigned_abs() as u32)
}

fn shift_for(jiffy: Duration) -> u32 {
    (0..32).find(|shift| jiffy.saturating_mul(1 << shift) >= Duration::from_millis(800)).unwrap_or(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_about_a_second() {
        for (hertz, ticks) in [(100, 7), (250, 8), (300, 8), (1000, 10)] {
            assert_eq!(shift_for(Duration::from_secs(1) / hertz), ticks, "{hertz} Hz");
        }
    }
}
