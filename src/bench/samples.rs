//! How long each of many calls took, and how many fitted into the time.

use std::time::Duration;

/// Latencies of a measurement, each kept, so that percentiles are exact.
#[derive(Debug, Default)]
pub struct Samples {
    /// Four bytes hold an hour of microseconds, and a million calls take four megabytes.
    micros: Vec<u32>,
}

/// The figures of a measurement.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Calls in a second.
    pub per_s: f64,
    /// Half of the calls took no longer, in milliseconds.
    pub p50_ms: f64,
    /// Ninety-nine of a hundred took no longer, in milliseconds.
    pub p99_ms: f64,
}

impl Samples {
    /// Adds one call.
    pub fn add(&mut self, took: Duration) {
        self.micros.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    /// How many calls there are.
    pub fn count(&self) -> usize {
        self.micros.len()
    }

    /// The figures, if there were any calls in `time`.
    pub fn pace(mut self, time: Duration) -> Option<Pace> {
        if self.micros.is_empty() || time.is_zero() {
            return None;
        }
        self.micros.sort_unstable();
        let per_s = self.micros.len() as f64 / time.as_secs_f64();
        Some(Pace { per_s, p50_ms: self.percentile(50), p99_ms: self.percentile(99) })
    }

    /// The smallest latency that `percent` of the calls did not exceed, in milliseconds.
    fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.micros.len() * percent).div_ceil(100).max(1);
        f64::from(self.micros[rank - 1]) / 1_000.0
    }
}

/// The middle of some figures; of an even number, the mean of the two in the middle.
pub fn median(figures: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = figures.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let (last, middle) = (sorted.len().checked_sub(1)?, sorted.len() / 2);
    Some(f64::midpoint(sorted[last - middle], sorted[middle]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_latencies_that_occurred() {
        let mut samples = Samples::default();
        for millis in (1..=200).rev() {
            samples.add(Duration::from_millis(millis));
        }
        let pace = samples.pace(Duration::from_secs(4)).unwrap();
        assert_eq!((pace.per_s, pace.p50_ms, pace.p99_ms), (50.0, 100.0, 198.0));
        assert!(Samples::default().pace(Duration::from_secs(1)).is_none());
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median([7.0]), Some(7.0));
        assert_eq!(median([]), None);
    }
}
