//! Payments as a table: one line each, for banks that take neither an API nor ISO 20022.

use super::{Contents, Payment, end_to_end};
use crate::payouts::bank_account::Number;

const HEADINGS: &str = "payout,reference,payee,holder,iban,account_number,routing_scheme,routing,\
                        bic,country,currency,amount,execution_date";

/// The table. Lines end as RFC 4180 says; amounts are in major units with a point.
pub(super) fn write(contents: &Contents) -> String {
    let mut text = format!("{HEADINGS}\r\n");
    for payment in &contents.payments {
        let cells = cells(contents, payment);
        let quoted: Vec<String> = cells.iter().map(|cell| quote(cell)).collect();
        text.push_str(&quoted.join(","));
        text.push_str("\r\n");
    }
    text
}

fn cells(contents: &Contents, payment: &Payment) -> [String; 13] {
    let to = &payment.to;
    let (iban, account, scheme, routing) = match &to.number {
        Number::Iban(iban) => (iban.as_str(), "", "", ""),
        Number::Local { account, scheme, routing } => {
            ("", account.as_str(), scheme.as_str(), routing.as_str())
        }
        Number::Gateway { .. } => ("", "", "", ""),
    };
    [
        payment.payout.to_string(),
        end_to_end(payment.payout),
        payment.payee.clone(),
        to.holder.clone(),
        iban.to_owned(),
        account.to_owned(),
        scheme.to_owned(),
        routing.to_owned(),
        to.bic.clone().unwrap_or_default(),
        to.country.clone(),
        payment.amount.currency().code().to_owned(),
        payment.amount.major_string(),
        contents.execution.to_string(),
    ]
}

/// A cell in quotes where it needs them.
fn quote(cell: &str) -> String {
    match cell.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}
