//! PayTabs' statements: CSV with a heading, one line per transaction.
//!
//! PayTabs has no interface for settlements; statements are had from its panel, and how their
//! columns are called is documented nowhere. So the heading is read by a map of names, [`COLUMNS`],
//! without case, blanks and signs: a statement that calls them otherwise is renamed first.
//!
//! Amounts are decimals with a point and without separators, signed as our balance moves: a refund
//! is negative. `net = gross - fee - tax` must hold, or the file is refused whole. A line that was
//! settled in another currency tells its fee in none that is certain: it comes out as unknown, with
//! what was settled.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use mizan_money::{Money, Timestamp};
use sha2::{Digest, Sha256};

use crate::error::TranslateError;
use crate::model::ProviderRef;
use crate::paytabs::amount::from_wire_amount;
use crate::reference;
use crate::settlement::{SettlementKind, SettlementLine};

/// What a line is about, by its type in lower case.
pub const KINDS: &[(&str, SettlementKind)] = &[
    ("sale", SettlementKind::Charge),
    ("capture", SettlementKind::Charge),
    ("refund", SettlementKind::Refund),
    ("refund reversal", SettlementKind::RefundFailure),
    ("chargeback", SettlementKind::Dispute),
    ("chargeback reversal", SettlementKind::DisputeReversal),
    ("fee", SettlementKind::Fee),
    ("payout", SettlementKind::Payout),
    ("payout reversal", SettlementKind::PayoutReversal),
    ("adjustment", SettlementKind::Adjustment),
    ("reserve", SettlementKind::Adjustment),
    ("reserve release", SettlementKind::Adjustment),
];

/// The names of each column, in lower case with blanks and signs left out; the first is the one
/// that this project writes. Those before `net`, and `net`, must be there.
pub const COLUMNS: &[(Column, &[&str])] = &[
    (Column::Type, &["trantype", "transactiontype", "type"]),
    (Column::Currency, &["currency", "trancurrency", "transactioncurrency"]),
    (Column::Gross, &["gross", "grossamount", "transactionamount", "amount"]),
    (Column::Fee, &["fee", "fees", "transactionfee", "commission"]),
    (Column::Tax, &["vat", "tax", "vatonfee", "feevat"]),
    (Column::Net, &["net", "netamount"]),
    (Column::Reference, &["tranref", "transactionreference", "transactionref"]),
    (Column::Previous, &["previoustranref", "previousreference", "previoustransactionreference"]),
    (Column::Cart, &["cartid", "orderid", "merchantreference"]),
    (Column::SettledCurrency, &["settlementcurrency"]),
    (Column::SettledAmount, &["settlementamount"]),
    (Column::OccurredAt, &["transactiondate", "transactiontime", "date"]),
    (Column::SettledAt, &["settlementdate", "payoutdate"]),
    (Column::Settlement, &["payoutid", "settlementid", "batchid"]),
    (Column::Bank, &["bankreference"]),
];

/// How many of the columns cannot be missing.
const NEEDED: usize = 6;
/// Most lines of a file.
const MAX_LINES: usize = 1_000_000;

/// What a column tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// The type of the transaction, or of the line.
    Type,
    /// The currency of the amounts.
    Currency,
    /// What moved before fees.
    Gross,
    /// The fee without its tax.
    Fee,
    /// The tax on the fee.
    Tax,
    /// What the balance changed by.
    Net,
    /// The transaction's reference.
    Reference,
    /// The reference of what it follows.
    Previous,
    /// Our reference.
    Cart,
    /// The currency that was settled in.
    SettledCurrency,
    /// What was settled, in that currency.
    SettledAmount,
    /// When the transaction was made.
    OccurredAt,
    /// When it was settled.
    SettledAt,
    /// The payout it is part of.
    Settlement,
    /// The bank's reference of the payout.
    Bank,
}

/// Reads a statement.
///
/// # Errors
/// [`TranslateError::Envelope`] with the line and what is wrong with it; nothing of a wrong file
/// is used.
pub fn read(bytes: &[u8]) -> Result<Vec<SettlementLine>, TranslateError> {
    let text = std::str::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8"))?;
    let mut rows = rows(text.strip_prefix('\u{feff}').unwrap_or(text))?.into_iter();
    let heading = rows.next().ok_or_else(|| wrong("it is empty"))?;
    let places = places(&heading)?;
    let mut seen = BTreeMap::new();
    let mut lines = Vec::new();
    for (n, cells) in rows.enumerate() {
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let row = Row { places: &places, cells: &cells };
        let mut line =
            line(&row).map_err(|problem| wrong(&format!("line {}: {problem}", n + 2)))?;
        // Lines alike are told apart by their order.
        let times: &mut usize = seen.entry(line.line_ref.clone()).or_default();
        *times += 1;
        if *times > 1 {
            line.line_ref = format!("{}#{times}", line.line_ref);
        }
        lines.push(line);
    }
    Ok(lines)
}

fn wrong(problem: &str) -> TranslateError {
    TranslateError::Envelope { problem: format!("no statement of PayTabs': {problem}") }
}

/// Where each column stands.
fn places(heading: &[String]) -> Result<BTreeMap<Column, usize>, TranslateError> {
    let plain = |name: &String| -> String {
        let letters = name.chars().filter(|c| c.is_ascii_alphanumeric());
        letters.map(|c| c.to_ascii_lowercase()).collect()
    };
    let heading: Vec<String> = heading.iter().map(plain).collect();
    let mut places = BTreeMap::new();
    for (n, (column, names)) in COLUMNS.iter().enumerate() {
        let place = names.iter().find_map(|name| heading.iter().position(|it| it == name));
        match place {
            Some(place) => drop(places.insert(*column, place)),
            None if n < NEEDED => return Err(wrong(&format!("no column says its {column:?}"))),
            None => {}
        }
    }
    Ok(places)
}

/// One line of the file.
struct Row<'a> {
    places: &'a BTreeMap<Column, usize>,
    cells: &'a [String],
}

impl Row<'_> {
    /// What a column says; nothing where it is missing or empty.
    fn get(&self, column: Column) -> Option<&str> {
        let cell = self.places.get(&column).and_then(|place| self.cells.get(*place))?;
        Some(cell.trim()).filter(|text| !text.is_empty())
    }

    fn money(&self, column: Column, code: &str) -> Result<Money, String> {
        from_wire_amount(self.get(column).unwrap_or("0"), code).map_err(|error| error.to_string())
    }

    fn id(&self, column: Column) -> Result<Option<ProviderRef>, String> {
        let id = self.get(column).map(ProviderRef::parse).transpose();
        id.map_err(|_| format!("its {column:?} is no reference"))
    }

    fn time(&self, column: Column) -> Result<Option<Timestamp>, String> {
        let Some(text) = self.get(column) else { return Ok(None) };
        read_time(text).map(Some).ok_or_else(|| format!("its {column:?} is no date"))
    }

    /// What names the line: the transaction and its type, or the digest of all it says.
    fn name(&self, word: &str) -> String {
        match self.get(Column::Reference) {
            Some(reference) => format!("{reference}:{word}"),
            None => {
                let mut hash = Sha256::new();
                for cell in self.cells {
                    hash.update((cell.len() as u64).to_be_bytes());
                    hash.update(cell.as_bytes());
                }
                format!("sha256:{}", hex::encode(hash.finalize()))
            }
        }
    }
}

fn line(row: &Row<'_>) -> Result<SettlementLine, String> {
    let code = row.get(Column::Currency).ok_or("it has no currency")?;
    let money = |column| row.money(column, code);
    let (gross, fee) = (money(Column::Gross)?, money(Column::Fee)?);
    let (tax, net) = (money(Column::Tax)?, money(Column::Net)?);
    let left = gross.checked_sub(fee).and_then(|left| left.checked_sub(tax));
    if left != Ok(net) {
        return Err(format!("{net} is not {gross} without {fee} and {tax}"));
    }
    let word = row.get(Column::Type).unwrap_or_default().to_ascii_lowercase();
    let kind = KINDS.iter().find(|(known, _)| *known == word);
    let kind = kind.map_or(SettlementKind::Unknown, |(_, kind)| *kind);
    if kind == SettlementKind::Refund && gross.is_positive() {
        return Err("a refund leaves the balance: its gross is negative".to_owned());
    }
    let (source, previous) = (row.id(Column::Reference)?, row.id(Column::Previous)?);
    let line = SettlementLine {
        line_ref: row.name(&word),
        kind,
        word,
        payment_ref: previous.or_else(|| source.clone()),
        source_ref: source,
        reference: row.get(Column::Cart).and_then(reference::payment),
        gross,
        fee,
        tax,
        net,
        original: None,
        settlement_ref: row.id(Column::Settlement)?,
        bank_reference: row.get(Column::Bank).map(ToOwned::to_owned),
        occurred_at: row.time(Column::OccurredAt)?,
        available_at: row.time(Column::SettledAt)?,
    };
    settled(row, line)
}

/// What was settled, where the line says it.
fn settled(row: &Row<'_>, line: SettlementLine) -> Result<SettlementLine, String> {
    let Some(code) = row.get(Column::SettledCurrency) else { return Ok(line) };
    if row.get(Column::SettledAmount).is_none() {
        return Ok(line);
    }
    let settled = row.money(Column::SettledAmount, code)?;
    if settled == line.net {
        return Ok(line);
    }
    if settled.currency() == line.net.currency() {
        return Err(format!("{settled} was settled, and {} is its net", line.net));
    }
    let none = Money::zero(settled.currency());
    Ok(SettlementLine {
        kind: SettlementKind::Unknown,
        original: Some(line.net),
        gross: settled,
        fee: none,
        tax: none,
        net: settled,
        ..line
    })
}

/// A date, or a date and time; without a zone it is UTC.
fn read_time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    if let Ok(time) = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S") {
        return Some(time.and_utc());
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(date.and_time(NaiveTime::MIN).and_utc())
}

/// The cells of each line (RFC 4180): commas between, quotes around what holds commas, quotes or
/// line ends, a quote inside doubled.
fn rows(text: &str) -> Result<Vec<Vec<String>>, TranslateError> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut chars) = (false, text.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted || cell.is_empty() => quoted = !quoted,
            c if quoted => cell.push(c),
            ',' => row.push(std::mem::take(&mut cell)),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
        if rows.len() > MAX_LINES {
            return Err(wrong("it has too many lines"));
        }
    }
    if quoted {
        return Err(wrong("a quote is not closed"));
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    Ok(rows)
}
