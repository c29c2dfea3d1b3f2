//! The rows: their names, the bars that were set for them, and what is measured of each.

use clap::ValueEnum;
use serde::Serialize;

use super::samples::{Pace, median};

/// The most that one two-entry transfer may take on disk, in bytes.
pub const BYTES_MAX: f64 = 650.0;
/// The most memory that the service may take, in megabytes.
pub const MEMORY_MB_MAX: f64 = 200.0;
/// The most that half of the calls may take of the service's own time, in milliseconds.
pub const OWN_TIME_P50_MS_MAX: f64 = 3.0;
/// How many times the median the slowest hundredth may take where many callers wait.
pub const SPREAD_OF_LATENCY_MAX: f64 = 2.0;

/// One line of the result. The names are a contract with whoever reads the JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Row {
    /// pgbench's bank, one client
    #[value(name = "tpcb_1")]
    Tpcb1,
    /// pgbench's bank, 32 clients: what the others are compared with
    #[value(name = "tpcb_32")]
    Tpcb32,
    /// A commit for each transfer, 32 callers
    SingleCommit,
    /// Transfers through the lane, one caller
    #[value(name = "post_1")]
    Post1,
    /// Transfers through the lane, 8 callers
    #[value(name = "post_8")]
    Post8,
    /// Transfers through the lane, 64 callers, 10,000 accounts
    #[value(name = "post_64_spread")]
    Post64Spread,
    /// Transfers through the lane, 512 callers, 10,000 accounts
    #[value(name = "post_512_spread")]
    Post512Spread,
    /// The same with one account in every transfer
    #[value(name = "post_512_hot")]
    Post512Hot,
    /// Transfers through HTTP, 64 connections
    #[value(name = "http_64")]
    Http64,
    /// Payments that a webhook confirms, 64 connections
    #[value(name = "webhooks_64")]
    Webhooks64,
    /// The rate after two million transfers, against that of the first half million
    #[value(name = "decay_2m")]
    Decay2m,
    /// The service's own time in a mix of calls
    OwnTime,
}

impl Row {
    /// Every row, in the order in which they are measured and shown.
    pub fn all() -> &'static [Row] {
        Self::value_variants()
    }

    /// The name, as it is asked for and answered.
    pub fn name(self) -> String {
        let value = self.to_possible_value();
        value.map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// The ratio that was set as a bar.
    pub const fn ratio_min(self) -> Option<f64> {
        Some(match self {
            Self::Post1 => 0.7,
            Self::Post64Spread => 3.0,
            Self::Post512Spread => 5.0,
            Self::Post512Hot => 6.0,
            Self::Http64 => 1.0,
            Self::Webhooks64 => 0.35,
            Self::Decay2m => 0.8,
            _ => return None,
        })
    }

    /// The row whose rate is the whole of this one's ratio.
    const fn yardstick(self) -> Option<Row> {
        match self {
            Self::Post1 => Some(Self::Tpcb1),
            // Measured against its own beginning.
            Self::Decay2m => None,
            // A mix of calls, one after the other: its rate says nothing.
            Self::OwnTime => None,
            _ => Some(Self::Tpcb32),
        }
    }

    /// Whether many callers wait at the same time for commits that they share.
    const fn is_crowded(self) -> bool {
        matches!(
            self,
            Self::Post64Spread
                | Self::Post512Spread
                | Self::Post512Hot
                | Self::Http64
                | Self::Webhooks64
        )
    }
}

/// What one round measured of one row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Rate and latencies.
    pub pace: Option<Pace>,
    /// A ratio to something of the row's own.
    pub ratio: Option<f64>,
    /// Bytes on disk for each transfer, the outbox apart.
    pub bytes_per_transfer: Option<f64>,
    /// The most memory that the service held, in megabytes.
    pub memory_mb: Option<f64>,
}

impl From<Pace> for Figures {
    fn from(pace: Pace) -> Self {
        Self { pace: Some(pace), ..Self::default() }
    }
}

/// A row of the result: medians over the rounds. The fields are the keys of the JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The row's name.
    pub name: String,
    /// Transfers, payments or calls in a second.
    pub per_s: Option<f64>,
    /// Against the yardstick of the same round.
    pub ratio: Option<f64>,
    /// Half took no longer.
    pub p50_ms: Option<f64>,
    /// Ninety-nine of a hundred took no longer.
    pub p99_ms: Option<f64>,
    /// On disk.
    pub bytes_per_transfer: Option<f64>,
    /// At most.
    pub memory_mb: Option<f64>,
}

/// What every round measured.
#[derive(Debug, Default)]
pub struct Rounds {
    rounds: Vec<Vec<(Row, Figures)>>,
}

impl Rounds {
    /// Begins the next round.
    pub fn begin(&mut self) {
        self.rounds.push(Vec::new());
    }

    /// Keeps what the round measured of a row.
    pub fn keep(&mut self, row: Row, figures: Figures) {
        if self.rounds.is_empty() {
            self.begin();
        }
        if let Some(round) = self.rounds.last_mut() {
            round.push((row, figures));
        }
    }

    /// The result, in the order of the rows.
    pub fn lines(&self) -> Vec<(Row, Line)> {
        let measured = |row: &&Row| self.figures(**row).next().is_some();
        Row::all().iter().filter(measured).map(|row| (*row, self.line(*row))).collect()
    }

    fn figures(&self, row: Row) -> impl Iterator<Item = &Figures> {
        let of_row = move |(measured, _): &&(Row, Figures)| *measured == row;
        self.rounds.iter().flatten().filter(of_row).map(|(_, figures)| figures)
    }

    fn line(&self, row: Row) -> Line {
        let pace = |part: fn(&Pace) -> f64| {
            median(self.figures(row).filter_map(|figures| figures.pace.as_ref().map(part)))
        };
        let other = |part: fn(&Figures) -> Option<f64>| self.figures(row).filter_map(part);
        Line {
            name: row.name(),
            per_s: pace(|pace| pace.per_s).map(|figure| rounded(figure, 1)),
            ratio: self.ratio(row).map(|figure| rounded(figure, 3)),
            p50_ms: pace(|pace| pace.p50_ms).map(|figure| rounded(figure, 3)),
            p99_ms: pace(|pace| pace.p99_ms).map(|figure| rounded(figure, 3)),
            bytes_per_transfer: median(other(|figures| figures.bytes_per_transfer))
                .map(|figure| rounded(figure, 1)),
            // The worst round counts.
            memory_mb: other(|figures| figures.memory_mb)
                .max_by(f64::total_cmp)
                .map(|figure| rounded(figure, 1)),
        }
    }

    /// The median of the rounds' ratios: within a round, row and yardstick met the same machine.
    fn ratio(&self, row: Row) -> Option<f64> {
        let Some(yardstick) = row.yardstick() else {
            return median(self.figures(row).filter_map(|figures| figures.ratio));
        };
        let rate = |round: &[(Row, Figures)], wanted: Row| {
            let found = round.iter().find(|(row, _)| *row == wanted);
            found.and_then(|(_, figures)| figures.pace).map(|pace| pace.per_s)
        };
        let of_round =
            |round: &Vec<(Row, Figures)>| Some(rate(round, row)? / rate(round, yardstick)?);
        median(self.rounds.iter().filter_map(of_round))
    }
}

impl Line {
    /// The bars that this row misses, in words.
    pub fn misses(&self, row: Row) -> Vec<String> {
        let mut misses = Vec::new();
        let mut expect = |figure: Option<f64>, good: fn(f64, f64) -> bool, bar, what: &str| {
            if figure.is_some_and(|figure| !good(figure, bar)) {
                misses.push(what.to_owned());
            }
        };
        let (at_least, at_most) = (|a: f64, b: f64| a >= b, |a: f64, b: f64| a <= b);
        if let Some(bar) = row.ratio_min() {
            expect(self.ratio, at_least, bar, "ratio");
        }
        if let (true, Some(p50)) = (row.is_crowded(), self.p50_ms) {
            expect(self.p99_ms, at_most, p50 * SPREAD_OF_LATENCY_MAX, "p99");
        }
        if row == Row::OwnTime {
            expect(self.p50_ms, at_most, OWN_TIME_P50_MS_MAX, "p50");
        }
        expect(self.bytes_per_transfer, at_most, BYTES_MAX, "bytes");
        expect(self.memory_mb, at_most, MEMORY_MB_MAX, "memory");
        misses
    }
}

fn rounded(figure: f64, places: i32) -> f64 {
    let unit = 10_f64.powi(places);
    (figure * unit).round() / unit
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(per_s: f64, p50_ms: f64, p99_ms: f64) -> Figures {
        Pace { per_s, p50_ms, p99_ms }.into()
    }

    #[test]
    fn names_are_the_ones_that_were_promised() {
        let names: Vec<String> = Row::all().iter().map(|row| row.name()).collect();
        assert_eq!(
            names.join(" "),
            "tpcb_1 tpcb_32 single_commit post_1 post_8 post_64_spread post_512_spread \
             post_512_hot http_64 webhooks_64 decay_2m own_time"
        );
    }

    #[test]
    fn a_ratio_compares_what_the_same_round_measured() {
        let mut rounds = Rounds::default();
        for (yardstick, rate) in [(100.0, 500.0), (200.0, 600.0), (50.0, 400.0)] {
            rounds.begin();
            rounds.keep(Row::Tpcb32, at(yardstick, 1.0, 2.0));
            rounds.keep(Row::Post512Spread, at(rate, 10.0, 21.0));
        }
        let lines = rounds.lines();
        let (row, line) = lines.last().unwrap();
        assert_eq!((line.per_s, line.ratio), (Some(500.0), Some(5.0)));
        assert_eq!(line.misses(*row), ["p99"]);
        assert_eq!(lines[0].1.ratio, Some(1.0));
    }

    #[test]
    fn a_row_without_its_yardstick_has_no_ratio() {
        let mut rounds = Rounds::default();
        rounds.keep(Row::Post1, at(900.0, 1.0, 2.0));
        rounds.keep(Row::Decay2m, Figures { ratio: Some(0.7), ..at(9.0, 1.0, 2.0) });
        let lines = rounds.lines();
        assert_eq!((lines[0].1.ratio, lines[1].1.ratio), (None, Some(0.7)));
        assert_eq!(lines[1].1.misses(Row::Decay2m), ["ratio"]);
    }
}
