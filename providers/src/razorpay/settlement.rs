//! Settlement lines: what was settled on a day, by the combined report
//! (razorpay.com/docs/api/settlements/fetch-recon).
//!
//! The report knows days of India's time zone, so a span is asked for day by day, and what was
//! settled outside of it is left out. A page is called `2019-09-11:1000`: a day, and how many of
//! its lines were seen.

use chrono::{DateTime, Days, FixedOffset, NaiveDate, TimeDelta};
use mizan_money::{Money, Timestamp};
use serde::Deserialize;

use crate::error::BuildError;
use crate::http::{HttpAnswer, HttpRequest};
use crate::operation::Operation;
use crate::outcome::{Answer, Outcome, Subject, UnknownReason};
use crate::razorpay::adapter::Access;
use crate::razorpay::amount::from_wire_amount;
use crate::razorpay::answer::{entity, unreadable};
use crate::razorpay::facts::{self, FactError};
use crate::razorpay::request::{encoded, get};
use crate::razorpay::{status, wire};
use crate::settlement::{ListSettlement, SettlementKind, SettlementLine, SettlementPage};

/// A line's `type`. What gives a refund or a transfer back stands on the other side of the account;
/// an adjustment that names a dispute is that dispute's.
pub const SETTLEMENT: &[(&str, SettlementKind)] = &[
    ("payment", SettlementKind::Charge),
    ("refund", SettlementKind::Refund),
    ("transfer", SettlementKind::Transfer),
    ("adjustment", SettlementKind::Adjustment),
];

/// What a settlement is always paid in: neither a line nor the entity says otherwise
/// (razorpay.com/docs/payments/settlements).
pub(super) const CURRENCY: &str = "INR";
/// Most lines of one page.
const PAGE: usize = 1000;
/// How far India's time is ahead of UTC, in seconds.
const INDIA: i32 = 19_800;

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Row {
    entity_id: String,
    #[serde(rename = "type")]
    kind: String,
    debit: Option<i64>,
    credit: Option<i64>,
    amount: i64,
    currency: String,
    fee: Option<i64>,
    tax: Option<i64>,
    created_at: Option<i64>,
    settled_at: Option<i64>,
    settlement_id: Option<String>,
    settlement_utr: Option<String>,
    payment_id: Option<String>,
    order_id: Option<String>,
    order_receipt: Option<String>,
    dispute_id: Option<String>,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    day: NaiveDate,
    skip: usize,
}

impl Place {
    fn of(it: &ListSettlement) -> Option<Self> {
        match &it.page {
            Some(text) => {
                let (day, skip) = text.split_once(':')?;
                Some(Self { day: day.parse().ok()?, skip: skip.parse().ok()? })
            }
            None => Some(Self { day: day(it.from)?, skip: 0 }),
        }
    }

    /// The page after this one, of so many lines; none when the span is over.
    fn next(self, lines: usize, it: &ListSettlement) -> Option<String> {
        let place = if lines >= PAGE {
            Self { skip: self.skip.checked_add(PAGE)?, ..self }
        } else {
            Self { day: self.day.checked_add_days(Days::new(1))?, skip: 0 }
        };
        let last = day(it.to.checked_sub_signed(TimeDelta::seconds(1))?)?;
        (place.day <= last).then(|| format!("{}:{}", place.day, place.skip))
    }
}

/// The day it is in India.
fn day(time: Timestamp) -> Option<NaiveDate> {
    Some(time.with_timezone(&FixedOffset::east_opt(INDIA)?).date_naive())
}

/// Builds the request for a page.
pub(super) fn build(access: &Access, it: &ListSettlement) -> Result<HttpRequest, BuildError> {
    let refuse = |field, problem| BuildError::Field { field, problem };
    if it.to <= it.from {
        return Err(refuse("to", "the end must come after the beginning"));
    }
    let place = Place::of(it).ok_or(refuse("page", "not where a page of Razorpay's ended"))?;
    let part = |format: &str| place.day.format(format).to_string();
    let query = encoded(&[
        ("year", &part("%Y")),
        ("month", &part("%m")),
        ("day", &part("%d")),
        ("count", &PAGE.to_string()),
        ("skip", &place.skip.to_string()),
    ])?;
    Ok(get(access, "/v1/settlements/recon/combined".to_owned(), Some(query)))
}

/// Reads a page.
pub(super) fn read(op: &Operation, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    let not_asked = || unreadable(answer.status, "no such page was asked for");
    let Operation::ListSettlement(asked) = op else { return Err(not_asked()) };
    let place = Place::of(asked).ok_or_else(not_asked)?;
    let list: wire::Collection<Row> = entity(answer, "collection")?;
    let wanted = list.items.iter().filter(|row| is_wanted(row, asked));
    let lines: Result<Vec<_>, FactError> = wanted.map(line).collect();
    let page = SettlementPage {
        lines: lines.map_err(|error| unreadable(answer.status, error))?,
        next: place.next(list.items.len(), asked),
        complete_until: None,
    };
    let subject = Subject::Settlement(Box::new(page));
    Ok(Outcome::Done(Answer { subject, request_id: None }))
}

fn is_wanted(row: &Row, asked: &ListSettlement) -> bool {
    let settled = time(row.settled_at).is_none_or(|at| (asked.from..asked.to).contains(&at));
    let settlement = row.settlement_id.as_deref();
    settled && asked.settlement.as_ref().is_none_or(|of| settlement == Some(of.as_str()))
}

/// A line: what it put on the balance or took from it, its fee taken apart. `fee` holds the tax.
fn line(row: &Row) -> Result<SettlementLine, FactError> {
    let (debit, credit) = (row.debit.unwrap_or_default(), row.credit.unwrap_or_default());
    let (total, tax) = (row.fee.unwrap_or_default(), row.tax.unwrap_or_default());
    let too_large = FactError::Impossible { field: "amount", value: row.amount };
    let sums = || -> Option<(i64, i64, i64)> {
        let net = credit.checked_sub(debit)?;
        Some((net.checked_add(total)?, total.checked_sub(tax)?, net))
    };
    let (gross, fee, net) = sums().ok_or(too_large)?;
    let money = |amount: i64| from_wire_amount(amount, CURRENCY);
    let foreign = !row.currency.eq_ignore_ascii_case(CURRENCY);
    let sound = total.signum() * tax.signum() >= 0 && tax.unsigned_abs() <= total.unsigned_abs();
    let adds_up = sound && (foreign || gross.unsigned_abs() == row.amount.unsigned_abs());
    let optional = |field, text: Option<&str>| text.map(|id| facts::id(field, id)).transpose();
    let entity = facts::id("entity_id", &row.entity_id)?;
    let own = (row.kind == "payment").then_some(row.entity_id.as_str());
    let payment = row.order_id.as_deref().or(row.payment_id.as_deref()).or(own);
    let source = optional("dispute_id", row.dispute_id.as_deref())?;
    Ok(SettlementLine {
        line_ref: entity.to_string(),
        kind: if adds_up { kind(row, net) } else { SettlementKind::Unknown },
        word: row.kind.chars().take(100).collect(),
        source_ref: Some(source.unwrap_or(entity)),
        payment_ref: optional("payment_id", payment)?,
        reference: row.order_receipt.as_deref().and_then(|text| text.parse().ok()),
        gross: money(gross)?,
        fee: money(fee)?,
        tax: money(tax)?,
        net: money(net)?,
        original: original(row, net).filter(|_| foreign),
        settlement_ref: optional("settlement_id", row.settlement_id.as_deref())?,
        bank_reference: wire::word(row.settlement_utr.as_deref())
            .map(|text| text.chars().take(100).collect()),
        occurred_at: time(row.created_at),
        available_at: time(row.settled_at),
    })
}

fn kind(row: &Row, net: i64) -> SettlementKind {
    use SettlementKind as K;
    let told = status::look_up(SETTLEMENT, &row.kind).unwrap_or(K::Unknown);
    match (told, net > 0) {
        (K::Adjustment, true) if row.dispute_id.is_some() => K::DisputeReversal,
        (K::Adjustment, false) if row.dispute_id.is_some() => K::Dispute,
        (K::Refund, true) => K::RefundFailure,
        (K::Transfer, true) => K::TransferReversal,
        (told, _) => told,
    }
}

/// The amount in the currency of the payment, where that is not the settlement's.
fn original(row: &Row, net: i64) -> Option<Money> {
    let signed = if net < 0 { row.amount.checked_neg()? } else { row.amount };
    from_wire_amount(signed, &row.currency).ok()
}

fn time(seconds: Option<i64>) -> Option<Timestamp> {
    seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0))
}
