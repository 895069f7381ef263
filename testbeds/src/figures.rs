//! Figures that more than one bench asks for.

use std::fmt::Display;
use std::fs;
use std::time::Duration;

/// The one in the middle.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Bytes of a process that are in memory: by its number, or of `self`. None where it is not there.
pub(crate) fn resident(process: impl Display) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

/// Milliseconds.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_no_mean() {
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn memory_that_is_written_is_resident() {
        let before = resident("self").unwrap();
        let block = std::hint::black_box(vec![1_u8; 64 << 20]);
        let with = resident(std::process::id()).unwrap();
        assert!(with > before + (block.len() as u64) / 2, "{before} {with}");
        assert_eq!(resident(0), None);
    }
}
