//! Reporting: the transactions behind the balance, three hours late, and the balances.
//!
//! Every row of the bank's balance is a transaction. What the account had before anything
//! happened is in the balances only.

mod file;

pub use file::download;

use mizan_money::{Currency, Timestamp};
use serde_json::{Value, json};

use crate::bank::book::{Row, RowKind};
use crate::bank::request::Request;
use crate::bank::state::State;
use crate::bank::wire::Answer;
use crate::bank::work::Work;
use crate::paypal::amount::money;
use crate::paypal::error::Error;
use crate::paypal::extra::{self, OrderExtra};
use crate::paypal::time::{days, hours, iso, read, report};
use crate::paypal::view::{MERCHANT, PAYER, View, compact};

const SPAN_DAYS: i64 = 31;
const YEARS_DAYS: i64 = 3 * 366;
const LATE_HOURS: i64 = 3;
const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 500;
const ROWS_MAX: usize = 10_000;
/// The source of what the account had before anything happened.
const FLOAT: &str = "float";

/// One movement of the balance in PayPal's words.
pub struct Line {
    pub id: String,
    /// What it belongs to, and of which type that is: an order or another transaction.
    pub reference: Option<(String, &'static str)>,
    pub code: &'static str,
    pub at: Timestamp,
    pub gross: i64,
    /// Below zero when the shop pays it.
    pub fee: i64,
    pub currency: Currency,
    pub invoice: Option<String>,
    pub custom: Option<String>,
}

/// An id of PayPal's kind for a row that has no object of its own.
pub fn row_id(row: &Row) -> String {
    format!("{}TXN", row.id.trim_start_matches("txn_").to_ascii_uppercase())
}

fn line(state: &State, row: &Row) -> Line {
    let payment = row.payment.as_deref().and_then(|id| state.payments.get(id));
    let order = payment.and_then(|payment| state.orders.get(&payment.order));
    let known = order.map(OrderExtra::of).unwrap_or_default();
    let first = payment.and_then(|payment| state.captures_of(&payment.id).next());
    let of_capture = |id: Option<&str>| id.map(|id| (id.to_owned(), "TXN"));
    let refund = state.refunds.get(&row.source);
    let payout = state.payouts.get(&row.source);
    let sent = payout.and_then(|it| it.wire["transaction_id"].as_str()).map(str::to_owned);
    let by_row = || row_id(row);
    let first = first.map(|capture| capture.id.as_str());
    let refunded = refund.map(|refund| refund.capture.as_str());
    // Codes as far as they are published; the group of the others is right.
    let (code, id, reference) = match row.kind {
        RowKind::Charge => {
            let order = payment.map(|payment| (payment.order.clone(), "ODR"));
            ("T0006", row.source.clone(), order)
        }
        RowKind::Refund => ("T1107", row.source.clone(), of_capture(refunded)),
        RowKind::RefundReturned => ("T1100", by_row(), of_capture(Some(&row.source))),
        RowKind::PaymentReversed => ("T1106", by_row(), of_capture(first)),
        RowKind::Dispute => ("T1201", by_row(), of_capture(first)),
        RowKind::DisputeReturned => ("T1202", by_row(), of_capture(first)),
        RowKind::Payout => ("T0001", sent.unwrap_or_else(by_row), None),
        RowKind::PayoutReturned => ("T1114", by_row(), sent.map(|id| (id, "TXN"))),
        RowKind::Transfer => ("T0000", by_row(), None),
        RowKind::TransferReversed => ("T1100", by_row(), None),
        RowKind::TopUp => ("T0300", by_row(), None),
        RowKind::Settlement => ("T0400", by_row(), None),
    };
    let capture = state.captures.get(&row.source);
    let own = payment.zip(capture).and_then(|(it, capture)| extra::invoice(state, it, capture));
    let refunds_own = refund.map(|it| it.reference.clone()).filter(|text| !text.is_empty());
    let item = payout.map(|payout| payout.reference.clone()).filter(|text| !text.is_empty());
    Line {
        id,
        reference,
        code,
        at: row.created,
        gross: row.gross,
        fee: -(row.fee + row.tax),
        currency: row.currency,
        invoice: refunds_own.or(own).or(known.invoice_id),
        custom: item.or(known.custom_id),
    }
}

/// All movements, oldest first.
pub fn lines(state: &State) -> impl Iterator<Item = Line> {
    let rows = state.rows.oldest_first();
    let own = rows.filter(|row| row.kind != RowKind::TopUp || row.source != FLOAT);
    own.map(|row| line(state, row))
}

fn shown(line: &Line) -> Value {
    let info = compact(json!({
        "paypal_account_id": PAYER,
        "transaction_id": line.id,
        "paypal_reference_id": line.reference.as_ref().map(|(id, _)| id),
        "paypal_reference_id_type": line.reference.as_ref().map(|(_, kind)| kind),
        "transaction_event_code": line.code,
        "transaction_initiation_date": report(line.at),
        "transaction_updated_date": report(line.at),
        "transaction_amount": money(line.gross, line.currency),
        "fee_amount": (line.fee != 0).then(|| money(line.fee, line.currency)),
        "transaction_status": "S",
        "invoice_id": line.invoice,
        "custom_field": line.custom,
        "protection_eligibility": "01",
    }));
    json!({ "transaction_info": info })
}

fn time(request: &Request, name: &str) -> Result<Timestamp, Error> {
    let text = request.query_value(name).ok_or_else(|| Error::missing_field(name))?;
    read(&text).ok_or_else(|| Error::unknown_value(name))
}

fn number(request: &Request, name: &str, default: usize, most: usize) -> Result<usize, Error> {
    let Some(text) = request.query_value(name) else { return Ok(default) };
    let number = text.parse::<usize>().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| Error::unknown_value(name))
}

/// The window that is asked for: at most 31 days, up to three years back.
fn window(work: &Work<'_>, request: &Request) -> Result<(Timestamp, Timestamp), Error> {
    let (start, end) = (time(request, "start_date")?, time(request, "end_date")?);
    let wrong = |text: &str| Err(Error::invalid("INVALID_DATE_RANGE", "end_date", text));
    if end < start {
        return wrong("The start date must be before the end date.");
    }
    if end - start > days(SPAN_DAYS) {
        return wrong("Date range is greater than 31 days");
    }
    if start < work.now - days(YEARS_DAYS) {
        return wrong("Data for the given start date is not available.");
    }
    Ok((start, end))
}

/// `GET /v1/reporting/transactions`.
pub fn transactions(work: &mut Work<'_>, request: &Request) -> Result<Answer, Error> {
    let (start, end) = window(work, request)?;
    let size = number(request, "page_size", PAGE_DEFAULT, PAGE_MAX)?;
    let page = number(request, "page", 1, usize::MAX)?;
    let known_until: Timestamp = work.now - hours(LATE_HOURS);
    let asked = ["transaction_id", "transaction_currency", "transaction_type"];
    let [id, currency, kind] = asked.map(|name| request.query_value(name));
    let fits = |line: &Line| {
        line.at <= known_until
            && (start..=end).contains(&line.at)
            && id.as_ref().is_none_or(|id| line.id == *id)
            && currency.as_ref().is_none_or(|code| line.currency.code() == code)
            && kind.as_ref().is_none_or(|kind| line.code == kind)
    };
    let found: Vec<Line> = lines(work.state).filter(fits).collect();
    if found.len() > ROWS_MAX {
        let text = "Result set size is greater than the maximum limit. Change the filter \
                    criteria and try again.";
        return Err(Error::named("RESULTSET_TOO_LARGE", text));
    }
    let skip = (page - 1).saturating_mul(size);
    let rows: Vec<_> = found.iter().skip(skip).take(size).map(shown).collect();
    let query = request.uri.query().unwrap_or_default();
    let path = format!("/v1/reporting/transactions?{query}");
    let body = json!({
        "transaction_details": rows,
        "account_number": MERCHANT,
        "start_date": report(start),
        "end_date": report(end),
        "last_refreshed_datetime": report(known_until),
        "page": page,
        "total_items": found.len(),
        "total_pages": found.len().div_ceil(size),
        "links": [View::of(work).link("self", "GET", &path)],
    });
    Ok(Answer::json(200, &body))
}

/// What disputes hold back of a balance.
fn withheld(state: &State, currency: Currency) -> i64 {
    let open = state.disputes.oldest_first().filter(|it| !it.state.is_closed() && !it.withdrawn);
    let own = open.filter(|it| state.base_currency(&it.payment) == Some(currency));
    own.map(|dispute| dispute.base_amount).sum()
}

/// `GET /v1/reporting/balances?as_of_time=&currency_code=`.
pub fn balances(work: &mut Work<'_>, request: &Request) -> Result<Answer, Error> {
    let at = match request.query_value("as_of_time") {
        None => work.now,
        Some(text) => read(&text).ok_or_else(|| Error::unknown_value("as_of_time"))?,
    };
    let only = request.query_value("currency_code").filter(|code| code != "ALL");
    if let Some(currency) = only.as_deref().and_then(|code| Currency::parse(code).ok()) {
        work.payout_balance(currency);
    }
    let mut sums = std::collections::BTreeMap::<Currency, i64>::new();
    let rows = work.state.rows.oldest_first();
    for row in rows.filter(|row| row.created <= at) {
        *sums.entry(row.currency).or_default() += row.net();
    }
    let wanted = sums
        .into_iter()
        .filter(|(currency, _)| only.as_ref().is_none_or(|code| currency.code() == code));
    let balances = wanted.map(|(currency, total)| {
        let held = withheld(work.state, currency);
        json!({
            "currency": currency.code(),
            "primary": currency == Currency::USD,
            "total_balance": money(total, currency),
            "available_balance": money(total - held, currency),
            "withheld_balance": money(held, currency),
        })
    });
    let body = json!({
        "balances": balances.collect::<Vec<_>>(),
        "account_id": MERCHANT,
        "as_of_time": iso(at),
        "last_refresh_time": iso(work.now),
    });
    Ok(Answer::json(200, &body))
}
