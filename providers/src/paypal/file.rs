//! The settlement report as a file (STL, comma-separated), as it lies on PayPal's server for
//! reports (developer.paypal.com/docs/reports/sftp-reports/settlement-report).
//!
//! The first column says what a row is; `CH` names the columns and `SB` is a movement. Amounts are
//! unsigned and without a point, and a column beside them says which way they went. What that
//! means for a currency without decimals the documents leave open, so such rows are refused: the
//! API tells the same movement with its point.

use mizan_money::{Currency, Money};

use crate::error::TranslateError;
use crate::paypal::report::{Movement, line};
use crate::settlement::SettlementLine;

/// Largest file that is read, in bytes.
const MAX_BYTES: usize = 256 * 1024 * 1024;
/// What a file can begin with, which says how its text is encoded.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Reads a file.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<SettlementLine>, TranslateError> {
    if bytes.len() > MAX_BYTES {
        return Err(broken(1, "it is larger than 256 MiB"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| broken(1, "it is not UTF-8"))?;
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let mut columns: Option<Columns> = None;
    let mut lines = Vec::new();
    let (mut known, mut ended) = (false, false);
    for (at, row) in records(text).into_iter().enumerate() {
        let row = row.map_err(|problem| broken(at + 1, problem))?;
        match row.first().map(String::as_str) {
            Some("CH") => columns = Some(Columns::named(&row)),
            Some("SB") => {
                let columns = columns.as_ref().ok_or_else(|| broken(at + 1, "no columns yet"))?;
                lines.push(columns.line(&row).map_err(|problem| broken(at + 1, problem))?);
            }
            Some("FF") => ended = true,
            Some("RH" | "FH" | "SH" | "SF" | "SC" | "RF" | "RC") => known = true,
            Some("") if row.len() == 1 => {}
            _ => return Err(broken(at + 1, "no row of a settlement report")),
        }
    }
    if !known || !ended {
        return Err(broken(1, "it has no header, or it is cut off before its end"));
    }
    Ok(lines)
}

fn broken(row: usize, problem: &str) -> TranslateError {
    TranslateError::Envelope { problem: format!("settlement report, row {row}: {problem}") }
}

/// Where the columns stand.
struct Columns(Vec<String>);

impl Columns {
    fn named(row: &[String]) -> Self {
        let plain = |name: &String| {
            let words: Vec<&str> = name.split_whitespace().collect();
            words.join(" ").to_ascii_lowercase().replace("transaction ", "")
        };
        Self(row.iter().map(plain).collect())
    }

    /// A field by the name of its column, without the word "transaction" that comes and goes.
    fn get<'a>(&self, row: &'a [String], name: &str) -> Option<&'a str> {
        let at = self.0.iter().position(|column| column == name)?;
        row.get(at).map(String::as_str).filter(|text| !text.is_empty())
    }

    fn line(&self, row: &[String]) -> Result<SettlementLine, &'static str> {
        let need = |name: &'static str| self.get(row, name).ok_or("a column is missing or empty");
        let gross = amount(
            need("gross amount")?,
            need("gross currency")?,
            self.get(row, "debit or credit"),
        )?;
        let fee = match self.get(row, "fee amount") {
            None => Money::zero(gross.currency()),
            Some(fee) if fee.bytes().all(|b| b == b'0') => Money::zero(gross.currency()),
            Some(fee) => {
                let code = self.get(row, "fee currency").unwrap_or(gross.currency().code());
                let signed = amount(fee, code, self.get(row, "fee debit or credit"))?;
                signed.checked_neg().map_err(|_| "an amount is too large")?
            }
        };
        line(&Movement {
            id: need("id")?,
            code: need("event code")?,
            status: "S",
            initiated: &time(need("initiation date")?),
            completed: self.get(row, "completion date").map(time).as_deref(),
            gross,
            fee,
            parent: self.get(row, "paypal reference id"),
            parent_kind: self.get(row, "paypal reference id type"),
            custom: self.get(row, "custom field"),
            invoice: self.get(row, "invoice id"),
        })
        .map_err(|_| "its fee is in another currency")
    }
}

/// `2011/01/21 09:51:59 -0800` as the API writes it.
fn time(text: &str) -> String {
    text.replace('/', "-").replacen(' ', "T", 1).replacen(' ', "", 1)
}

/// An unsigned amount in minor units with the column that says which way it went.
fn amount(digits: &str, code: &str, way: Option<&str>) -> Result<Money, &'static str> {
    let currency = Currency::parse(code).map_err(|_| "its currency is not known")?;
    if currency.exponent() != 2 || super::amount::exponent(currency) == Some(0) {
        return Err("an amount without decimals cannot be read for sure: use the API");
    }
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let minor: i64 =
        plain.then(|| digits.parse().ok()).flatten().ok_or("an amount is no whole number")?;
    match way {
        Some("CR") => Ok(Money::new(minor, currency)),
        Some("DR") => Money::new(minor, currency).checked_neg().map_err(|_| "it is too large"),
        _ => Err("it does not say whether it is a debit or a credit"),
    }
}

/// The records of comma-separated text (RFC 4180): quoted fields may hold commas, line ends and
/// doubled quotes.
fn records(text: &str) -> Vec<Result<Vec<String>, &'static str>> {
    let mut records = Vec::new();
    let (mut record, mut field) = (Vec::new(), String::new());
    let (mut quoted, mut chars) = (false, text.chars().peekable());
    while let Some(c) = chars.next() {
        match (c, quoted) {
            ('"', true) if chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            ('"', true) => quoted = false,
            ('"', false) if field.is_empty() => quoted = true,
            (',', false) => record.push(std::mem::take(&mut field)),
            ('\n', false) => {
                record.push(std::mem::take(&mut field));
                records.push(Ok(std::mem::take(&mut record)));
            }
            ('\r', false) => {}
            (c, _) => field.push(c),
        }
    }
    if quoted {
        records.push(Err("a quoted field has no end"));
    } else if !field.is_empty() || !record.is_empty() {
        record.push(field);
        records.push(Ok(record));
    }
    records
}
