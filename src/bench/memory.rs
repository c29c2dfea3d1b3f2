//! How much memory a process held at most.

use std::fs;

/// What `clear_refs` takes as the wish to forget the peak so far.
const FORGET_THE_PEAK: &str = "5";

/// Makes the peak of this process start from what it holds now. Where the system has no such
/// wish, the peak of the whole life counts, which is never less.
pub fn forget_own_peak() {
    let _unsupported = fs::write("/proc/self/clear_refs", FORGET_THE_PEAK);
}

/// The most that a process held, in megabytes of a million bytes; `None` where the system does
/// not tell.
pub fn peak_mb(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    peak_in(&status)
}

fn peak_in(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u32 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(f64::from(kilobytes) * 1_024.0 / 1_000_000.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_in_megabytes() {
        let status = "Name:\tmizan\nVmPeak:\t  900000 kB\nVmHWM:\t  125000 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(peak_in(status), Some(128.0));
        assert_eq!(peak_in("Name:\tmizan\n"), None);
        forget_own_peak();
        assert!(peak_mb(std::process::id()).unwrap() > 1.0);
    }
}
