//! The result for people: one line per row, and beside it the bar it has to clear.

use super::row::{
    BYTES_MAX, Line, MEMORY_MB_MAX, OWN_TIME_P50_MS_MAX, Rounds, Row, SPREAD_OF_LATENCY_MAX,
};
use crate::cli::output;

const HEADLINE: [&str; 9] =
    ["row", "per second", "ratio", "bar", "p50 ms", "p99 ms", "bytes", "memory MB", ""];

/// The table with its legend.
pub fn table(rounds: &Rounds) -> String {
    let lines = rounds.lines();
    let rows = lines.iter().map(|(row, line)| cells(*row, line)).collect();
    let table = output::table(&HEADLINE, &[1, 2, 3, 4, 5, 6, 7], rows);
    format!(
        "{table}\n\n\
         ratio   to tpcb_32 of the same round; post_1 to tpcb_1; decay_2m to its own beginning\n\
         bars    p99 at most {SPREAD_OF_LATENCY_MAX} x p50 where many callers wait; own_time p50 \
         at most {OWN_TIME_P50_MS_MAX} ms;\n        \
         bytes of a transfer on disk at most {BYTES_MAX}; memory at most {MEMORY_MB_MAX} MB\n"
    )
}

fn cells(row: Row, line: &Line) -> Vec<String> {
    let misses = line.misses(row);
    vec![
        line.name.clone(),
        figure(line.per_s, 0),
        figure(line.ratio, 2),
        row.ratio_min().map(|bar| format!("{bar}")).unwrap_or_default(),
        figure(line.p50_ms, 2),
        figure(line.p99_ms, 2),
        figure(line.bytes_per_transfer, 0),
        figure(line.memory_mb, 0),
        match misses.is_empty() {
            true => String::new(),
            false => format!("MISSED: {}", misses.join(", ")),
        },
    ]
}

fn figure(figure: Option<f64>, places: usize) -> String {
    figure.map(|figure| format!("{figure:.places$}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::row::Figures;
    use super::super::samples::Pace;
    use super::*;

    #[test]
    fn a_missed_bar_is_named() {
        let mut rounds = Rounds::default();
        rounds.keep(Row::Tpcb32, Pace { per_s: 5_000.0, p50_ms: 6.0, p99_ms: 20.0 }.into());
        let slow = Pace { per_s: 9_000.0, p50_ms: 7.0, p99_ms: 9.0 };
        rounds.keep(Row::Post64Spread, Figures { memory_mb: Some(300.0), ..slow.into() });
        let text = table(&rounds);
        let line = text.lines().find(|line| line.contains("post_64_spread"));
        let line = line.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        let expected = "post_64_spread 9000 1.80 3 7.00 9.00 300 MISSED: ratio, memory";
        assert_eq!(line.as_deref(), Some(expected));
    }
}
