//! Writing for people and for programs: text, JSON, tables, warnings.

use std::io::{self, ErrorKind, IsTerminal, Write};

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use mizan_money::Money;
use serde::Serialize;

/// A line below the headline, and nothing else: it copies well.
const PLAIN: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Whether output is read by a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::Args)]
pub struct Format {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Prints text as it is. A reader that has gone away, as `head` does, is no error.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Prints JSON, indented.
pub fn print_json(value: &impl Serialize) -> io::Result<()> {
    print(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// Tells people something on standard error.
pub fn warn(text: &str) {
    // Nobody left to tell is no reason to stop.
    let _told = writeln!(io::stderr().lock(), "mizan: {text}");
}

/// Text in bold where it is read on a terminal.
pub fn bold(text: &str) -> String {
    if io::stdout().is_terminal() { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// A table with a headline; the columns named in `right` hold figures.
pub fn table(headline: &[&str], right: &[usize], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(PLAIN).set_header(headline.iter().copied());
    table.add_rows(rows);
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// An amount in major units with thousands apart: `1,102.50`.
pub fn grouped(amount: Money) -> String {
    let text = amount.major_string();
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), None), |(w, r)| (w, Some(r)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut grouped = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    rest.map_or(grouped.clone(), |rest| format!("{grouped}.{rest}"))
}

#[cfg(test)]
mod tests {
    use mizan_money::Currency;

    use super::*;

    #[test]
    fn amounts_are_grouped_by_thousands() {
        let show = |minor| grouped(Money::new(minor, Currency::AED));
        assert_eq!(show(5), "0.05");
        assert_eq!(show(99_999), "999.99");
        assert_eq!(show(100_000), "1,000.00");
        assert_eq!(show(-123_456_789), "-1,234,567.89");
        assert_eq!(grouped(Money::new(1_234_567, Currency::JPY)), "1,234,567");
    }
}
