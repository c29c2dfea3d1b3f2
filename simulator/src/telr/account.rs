//! The accounts API: what was paid out to the shop's bank, and what is still to come.
//!
//! Telr does not publish the names in these answers. Those of a payout are the ones of its
//! message; those of a row are the columns that its reports are said to have.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mizan_money::{Currency, Money};
use serde_json::{Value, json};

use super::{order, transaction};
use crate::bank::book::{Book, Row, RowKind};
use crate::bank::cash::Settlement;
use crate::bank::request::Request;
use crate::bank::state::State;
use crate::config::TelrKeys;

const ROWS_MAX: usize = 5_000;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// 400: a date or a number that cannot be read.
    Parameter,
    /// 404: no such account, payout or address.
    Missing,
}

/// `GET /api/v1/accounts...`.
///
/// # Errors
/// There is no such thing.
pub fn get(state: &State, keys: &TelrKeys, request: &Request) -> Result<Value, Wrong> {
    let segments = request.segments();
    let ["api", "v1", "accounts", rest @ ..] = segments.as_slice() else {
        return Err(Wrong::Missing);
    };
    if request.verb() != "GET" {
        return Err(Wrong::Missing);
    }
    if let Some(account) = rest.first()
        && *account != keys.account
    {
        return Err(Wrong::Missing);
    }
    match rest {
        [] => Ok(json!([{ "account_id": keys.account, "store_id": keys.store }])),
        [_] => Ok(json!({ "account_id": keys.account, "store_id": keys.store })),
        [_, "payouts"] => payouts(state, keys, request),
        [_, "payouts", id] => {
            let payout = state.settlements.get(id).ok_or(Wrong::Missing)?;
            Ok(payout_view(keys, payout))
        }
        [_, "payouts", id, "transactions"] => {
            let payout = state.settlements.get(id).ok_or(Wrong::Missing)?;
            page(state, request, payout.rows.iter().filter_map(|id| state.rows.get(id)))
        }
        [_, "pendings"] => Ok(pendings(state, keys)),
        [_, "pendings", "transactions"] => page(state, request, pending(state)),
        _ => Err(Wrong::Missing),
    }
}

fn payouts(state: &State, keys: &TelrKeys, request: &Request) -> Result<Value, Wrong> {
    let date = |name: &str| {
        let text = request.query_value(name).filter(|text| !text.is_empty());
        let date = text.map(|text| text.parse::<NaiveDate>().map_err(|_| Wrong::Parameter));
        date.transpose()
    };
    let (from, to) = (date("from_date")?, date("to_date")?);
    let in_range = |payout: &&Settlement| {
        let day = order::day(payout.created);
        from.is_none_or(|from| from <= day) && to.is_none_or(|to| day <= to)
    };
    let payouts = state.settlements.oldest_first().filter(in_range);
    Ok(payouts.map(|payout| payout_view(keys, payout)).collect())
}

fn payout_view(keys: &TelrKeys, payout: &Settlement) -> Value {
    let text = |minor: i64| Money::new(minor, payout.currency).major_string();
    json!({
        "account_id": keys.account,
        "store_id": keys.store,
        "payout_id": payout.id,
        "amount": text(payout.net),
        "currency": payout.currency.code(),
        "date": order::day(payout.created).to_string(),
        "payout_interval": "daily",
        "payout_fee": text(0),
        "bank_reference": payout.bank_reference,
    })
}

/// What no settlement has paid out yet.
fn pending(state: &State) -> impl Iterator<Item = &Row> {
    state.rows.oldest_first().filter(|row| {
        row.book == Book::Processing
            && row.settlement.is_none()
            && !matches!(row.kind, RowKind::Settlement | RowKind::TopUp)
    })
}

fn pendings(state: &State, keys: &TelrKeys) -> Value {
    let mut sums: BTreeMap<Currency, (i64, usize)> = BTreeMap::new();
    for row in pending(state) {
        let sum = sums.entry(row.currency).or_default();
        *sum = (sum.0 + row.net(), sum.1 + 1);
    }
    let view = sums.into_iter().map(|(currency, (net, count))| {
        json!({
            "account_id": keys.account,
            "amount": Money::new(net, currency).major_string(),
            "currency": currency.code(),
            "transactions": count,
        })
    });
    view.collect()
}

fn page<'a>(
    state: &State,
    request: &Request,
    rows: impl Iterator<Item = &'a Row>,
) -> Result<Value, Wrong> {
    let number = |name: &str, default: usize| {
        let text = request.query_value(name);
        text.map_or(Ok(default), |text| text.parse().map_err(|_| Wrong::Parameter))
    };
    let (offset, limit) = (number("offset", 0)?, number("limit", ROWS_MAX)?);
    if limit > ROWS_MAX {
        return Err(Wrong::Parameter);
    }
    Ok(rows.skip(offset).take(limit).map(|row| line(state, row).view()).collect())
}

/// A row of the balance as reports show it. The fee includes its tax.
pub struct Line {
    reference: String,
    kind: &'static str,
    gross: String,
    fee: String,
    net: String,
    currency: &'static str,
    date: String,
    cart: String,
}

impl Line {
    /// The columns of [`Line::cells`].
    pub const COLUMNS: [&'static str; 8] =
        ["reference", "type", "gross", "fee", "net", "currency", "date", "cart_id"];

    /// The values, in the order of the columns.
    pub fn cells(&self) -> [&str; 8] {
        let Self { reference, kind, gross, fee, net, currency, date, cart } = self;
        [reference, kind, gross, fee, net, currency, date, cart]
    }

    fn view(&self) -> Value {
        let pairs = Self::COLUMNS.into_iter().zip(self.cells());
        pairs.map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
    }
}

/// The line of a row.
pub fn line(state: &State, row: &Row) -> Line {
    let payment = row.payment.as_deref().and_then(|id| state.payments.get(id));
    let order = payment.and_then(|payment| state.orders.get(&payment.order));
    let void = || {
        let documents = transaction::documents(state, row.payment.as_deref().unwrap_or_default());
        let of_kind =
            documents.filter(|it| matches!(it.kind.as_str(), "void" | "capture reversal"));
        of_kind.last().map(|document| document.id.clone())
    };
    let returned = || {
        let documents = transaction::documents(state, row.payment.as_deref().unwrap_or_default());
        let mut of_refund = documents.filter(|it| it.body["previous"] == row.source.as_str());
        of_refund.next().map(|document| document.id.clone())
    };
    let is_sale = payment.is_some_and(|payment| payment.id == row.source);
    let (kind, reference) = match row.kind {
        RowKind::Charge if is_sale => ("sale", None),
        RowKind::Charge => ("capture", None),
        RowKind::Refund => ("refund", None),
        RowKind::RefundReturned => ("refund reversal", returned()),
        RowKind::PaymentReversed => ("void", void()),
        RowKind::Dispute => ("chargeback", None),
        RowKind::DisputeReturned => ("chargeback reversal", None),
        _ => ("adjustment", None),
    };
    let text = |minor: i64| Money::new(minor, row.currency).major_string();
    Line {
        reference: reference.unwrap_or_else(|| row.source.clone()),
        kind,
        gross: text(row.gross),
        fee: text(row.fee + row.tax),
        net: text(row.net()),
        currency: row.currency.code(),
        date: order::day(row.created).to_string(),
        cart: order.map(|order| order.reference.clone()).unwrap_or_default(),
    }
}
