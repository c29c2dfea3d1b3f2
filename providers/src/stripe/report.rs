//! The itemised report of payouts, a CSV file: `payout_reconciliation.itemized.*` and its relatives
//! with the same columns (docs.stripe.com/reports/report-types).
//!
//! Amounts are in major units there. Times are read from the columns in UTC only: the others are in
//! the time zone the report was made for.

use chrono::NaiveDateTime;
use mizan_money::{Currency, Money, Timestamp};

use crate::amount::from_decimal;
use crate::error::TranslateError;
use crate::model::ProviderRef;
use crate::settlement::SettlementLine;
use crate::stripe::request::PAYMENT_KEY;
use crate::stripe::settlement::kind;

/// Largest file that is read, in bytes.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Reads a file. The tax on fees is not in it: it is part of the fee.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<SettlementLine>, TranslateError> {
    if bytes.len() > MAX_BYTES {
        return Err(broken("larger than 64 MiB".to_owned()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| broken("no UTF-8 text".to_owned()))?;
    let mut records = records(text.trim_start_matches('\u{feff}'))?.into_iter();
    let header = records.next().ok_or_else(|| broken("empty".to_owned()))?;
    let numbered = (2_usize..).zip(records);
    let line = |(number, record): (usize, Vec<String>)| {
        let row = Row { header: &header, record: &record };
        row.line().map_err(|problem| broken(format!("record {number}: {problem}")))
    };
    numbered.map(line).collect()
}

fn broken(problem: String) -> TranslateError {
    TranslateError::Envelope { problem: format!("the report is not usable: {problem}") }
}

struct Row<'a> {
    header: &'a [String],
    record: &'a [String],
}

impl Row<'_> {
    /// A column's text; none where it is empty or not there.
    fn get(&self, name: &str) -> Option<&str> {
        let at = self.header.iter().position(|column| column == name)?;
        self.record.get(at).map(String::as_str).filter(|text| !text.is_empty())
    }

    fn need(&self, name: &str) -> Result<&str, String> {
        self.get(name).ok_or_else(|| format!("{name} is missing"))
    }

    fn money(&self, name: &str, currency: Currency) -> Result<Money, String> {
        from_decimal(self.need(name)?, currency).map_err(|error| format!("{name}: {error}"))
    }

    fn id(&self, name: &str) -> Result<Option<ProviderRef>, String> {
        let id = self.get(name).map(ProviderRef::parse).transpose();
        id.map_err(|_| format!("{name} is not an id"))
    }

    fn time(&self, name: &str) -> Option<Timestamp> {
        let time = NaiveDateTime::parse_from_str(self.get(name)?, "%Y-%m-%d %H:%M:%S").ok()?;
        Some(time.and_utc())
    }

    /// What the customer paid, where that is in another currency.
    fn original(&self, currency: Currency) -> Result<Option<Money>, String> {
        match self.get("customer_facing_currency") {
            Some(code) if !code.eq_ignore_ascii_case(currency.code()) => {
                self.money("customer_facing_amount", parse_currency(code)?).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn line(&self) -> Result<SettlementLine, String> {
        if self.record.len() != self.header.len() {
            return Err("it has another number of fields than the header".to_owned());
        }
        let currency = parse_currency(self.need("currency")?)?;
        let word = self.need("reporting_category")?;
        let part = |name| self.money(name, currency);
        let (gross, fee, net) = (part("gross")?, part("fee")?, part("net")?);
        if gross.checked_sub(fee) != Ok(net) {
            return Err("gross without fee is not net".to_owned());
        }
        let payment = self.get(&format!("payment_metadata[{PAYMENT_KEY}]"));
        Ok(SettlementLine {
            line_ref: self.need("balance_transaction_id")?.chars().take(255).collect(),
            kind: kind(word),
            word: word.chars().take(100).collect(),
            source_ref: self.id("source_id")?,
            payment_ref: self.id("payment_intent_id")?,
            reference: payment.and_then(|text| text.parse().ok()),
            gross,
            fee,
            tax: Money::zero(currency),
            net,
            original: self.original(currency)?,
            settlement_ref: self.id("automatic_payout_id")?,
            bank_reference: self.get("trace_id").map(|text| text.chars().take(100).collect()),
            occurred_at: self.time("created_utc"),
            available_at: self.time("available_on_utc"),
        })
    }
}

fn parse_currency(code: &str) -> Result<Currency, String> {
    Currency::parse(&code.to_ascii_uppercase()).map_err(|_| "its currency is not known".to_owned())
}

/// Records of fields, as RFC 4180 has them: quotes around a field that holds commas, quotes or line
/// ends; a quote inside is doubled. Empty lines are left out.
fn records(text: &str) -> Result<Vec<Vec<String>>, TranslateError> {
    let mut records = Vec::new();
    let mut record = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quoted, c) {
            (true, '"') if chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            (true, '"') => quoted = false,
            (true, _) => field.push(c),
            (false, '"') if field.is_empty() => quoted = true,
            (false, ',') => record.push(std::mem::take(&mut field)),
            (false, '\n') => end(&mut records, &mut record, &mut field),
            (false, '\r') if chars.peek() == Some(&'\n') => {}
            (false, _) => field.push(c),
        }
    }
    if quoted {
        return Err(broken("a quoted field has no end".to_owned()));
    }
    end(&mut records, &mut record, &mut field);
    Ok(records)
}

fn end(records: &mut Vec<Vec<String>>, record: &mut Vec<String>, field: &mut String) {
    if record.is_empty() && field.is_empty() {
        return;
    }
    record.push(std::mem::take(field));
    records.push(std::mem::take(record));
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADER: &str = "balance_transaction_id,reporting_category,currency,gross,fee,net";

    fn lines(rows: &str) -> Result<Vec<SettlementLine>, TranslateError> {
        read(format!("{HEADER}\n{rows}").as_bytes())
    }

    #[test]
    fn quotes_commas_and_both_line_ends_are_read() {
        let text = "a,\"b, \"\"c\"\"\n\"\r\n\nd,\n";
        let expected = [vec!["a", "b, \"c\"\n"], vec!["d", ""]];
        assert_eq!(records(text).unwrap(), expected);
        assert!(records("a,\"b").is_err());
    }

    #[test]
    fn what_does_not_add_up_or_is_finer_than_the_currency_is_refused() {
        assert_eq!(lines("txn_1,charge,kwd,1.500,0.050,1.450\n").unwrap()[0].net.minor(), 1_450);
        assert_eq!(lines("txn_1,charge,isk,500.00,0.00,500.00").unwrap()[0].gross.minor(), 500);
        for row in [
            "txn_1,charge,usd,1.00,0.10,1.00",
            "txn_1,charge,usd,1.001,0.00,1.001",
            "txn_1,charge,zzz,1,0,1",
            "txn_1,charge,usd,1,0",
            "txn_1,charge,usd,1,,1",
            ",charge,usd,1,0,1",
        ] {
            assert!(lines(row).is_err(), "{row}");
        }
        assert!(read(b"").is_err() && read(&[0xff]).is_err());
        assert_eq!(lines("txn_1,new_word,usd,1,0,1").unwrap()[0].kind.as_str(), "unknown");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "[a-z\",\r\n]{0,60}") {
            let _ = read(&bytes);
            let _ = read(text.as_bytes());
        }
    }
}
