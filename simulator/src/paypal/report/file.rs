//! The settlement file of one day: CSV with amounts as unsigned integers and DR or CR.
//!
//! PayPal puts it on a server for file transfer; here it is at
//! `/_sim/settlement?date=2026-05-28`, the day by UTC. Without a date it is the clock's day.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mizan_money::Currency;

use super::{Line, lines};
use crate::bank::request::Request;
use crate::bank::wire::Answer;
use crate::bank::work::Work;
use crate::paypal::amount::minor_per_unit;
use crate::paypal::error::Error;
use crate::paypal::time::file;
use crate::paypal::view::{MERCHANT, PAYER};

const COLUMNS: [&str; 17] = [
    "Transaction ID",
    "Invoice ID",
    "PayPal Reference ID",
    "PayPal Reference ID Type",
    "Transaction Event Code",
    "Transaction Initiation Date",
    "Transaction Completion Date",
    "Transaction Debit or Credit",
    "Gross Transaction Amount",
    "Gross Transaction Currency",
    "Fee Debit or Credit",
    "Fee Amount",
    "Fee Currency",
    "Custom Field",
    "Consumer ID",
    "Payment Tracking ID",
    "Store ID",
];

/// What came in and went out in one currency.
#[derive(Default)]
struct Sums {
    gross_in: i64,
    gross_out: i64,
    fee_in: i64,
    fee_out: i64,
}

fn row(fields: &[String]) -> String {
    let quoted = fields.iter().map(|field| match field.is_empty() {
        true => String::new(),
        false => format!("\"{}\"", field.replace('"', "\"\"")),
    });
    quoted.collect::<Vec<_>>().join(",") + "\n"
}

fn text(value: &str) -> String {
    value.to_owned()
}

fn side(amount: i64) -> String {
    text(if amount < 0 { "DR" } else { "CR" })
}

fn body(line: &Line) -> String {
    let unit = minor_per_unit(line.currency);
    let amount = |minor: i64| (minor / unit).unsigned_abs().to_string();
    let has_fee = line.fee != 0;
    let with_fee = |value: String| if has_fee { value } else { String::new() };
    let (reference, kind) = line.reference.clone().unwrap_or_default();
    row(&[
        text("SB"),
        line.id.clone(),
        line.invoice.clone().unwrap_or_default(),
        reference,
        text(kind),
        text(line.code),
        file(line.at),
        file(line.at),
        side(line.gross),
        amount(line.gross),
        text(line.currency.code()),
        with_fee(side(line.fee)),
        with_fee(amount(line.fee)),
        with_fee(text(line.currency.code())),
        line.custom.clone().unwrap_or_default(),
        text(PAYER),
        String::new(),
        String::new(),
    ])
}

fn totals(kind: &str, currency: Currency, sums: &Sums) -> String {
    let unit = minor_per_unit(currency);
    let amount = |minor: i64| (minor / unit).to_string();
    row(&[
        text(kind),
        text(currency.code()),
        amount(sums.gross_in),
        amount(sums.gross_out),
        amount(sums.fee_in),
        amount(sums.fee_out),
    ])
}

/// The file.
pub fn download(work: &mut Work<'_>, request: &Request) -> Result<Answer, Error> {
    let day = match request.query_value("date") {
        None => work.now.date_naive(),
        Some(date) => NaiveDate::parse_from_str(&date, "%Y-%m-%d")
            .map_err(|_| Error::unknown_value("date"))?,
    };
    let lines: Vec<_> = lines(work.state).filter(|line| line.at.date_naive() == day).collect();
    let mut sums = BTreeMap::<Currency, Sums>::new();
    for line in &lines {
        let sums = sums.entry(line.currency).or_default();
        sums.gross_in += line.gross.max(0);
        sums.gross_out += (-line.gross).max(0);
        sums.fee_in += line.fee.max(0);
        sums.fee_out += (-line.fee).max(0);
    }
    let names = COLUMNS.into_iter().map(text);
    let (start, end) = (format!("{day} 00:00:00 +0000"), format!("{day} 23:59:59 +0000"));
    let (start, end) = (start.replace('-', "/"), end.replace('-', "/"));
    let mut out = row(&[text("RH"), file(work.now), text("A"), text(MERCHANT), text("011")]);
    out += &row(&[text("FH"), text("01")]);
    out += &row(&[text("SH"), start, end, text(MERCHANT), String::new()]);
    out += &row(&[text("CH")].into_iter().chain(names).collect::<Vec<_>>());
    out.extend(lines.iter().map(body));
    out.extend(sums.iter().map(|(currency, sums)| totals("SF", *currency, sums)));
    out += &row(&[text("SC"), lines.len().to_string()]);
    out.extend(sums.iter().map(|(currency, sums)| totals("RF", *currency, sums)));
    for kind in ["CF", "RC", "FF"] {
        out += &row(&[text(kind), lines.len().to_string()]);
    }
    Ok(Answer::new(200, "text/csv; charset=utf-8", out))
}
