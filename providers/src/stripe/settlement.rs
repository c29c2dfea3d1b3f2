//! The balance's rows as settlement lines: by time, or those of one automatic payout
//! (docs.stripe.com/api/balance_transactions).

use std::collections::HashMap;

use chrono::DateTime;
use mizan_money::{Money, Timestamp};
use serde::Deserialize;

use crate::error::BuildError;
use crate::http::HttpAnswer;
use crate::model::ProviderRef;
use crate::operation::Operation;
use crate::outcome::{Answer, Outcome, Subject, UnknownReason};
use crate::settlement::{ListSettlement, SettlementKind, SettlementLine, SettlementPage};
use crate::stripe::amount::from_wire_amount;
use crate::stripe::answer::{object, request_id, unreadable};
use crate::stripe::dispute::PAGE;
use crate::stripe::facts::{self, FactError};
use crate::stripe::transport::Call;
use crate::stripe::{status, wire};

/// A row's `reporting_category` (docs.stripe.com/reports/reporting-categories).
///
/// `charge` is the whole of an authorisation; what was not captured of it comes as
/// `partial_capture_reversal`, and both are the charge. A bank debit that bounced gives a payment
/// back. What is set aside, and what the platform earns or puts right, are adjustments.
pub const SETTLEMENT: &[(&str, SettlementKind)] = &[
    ("charge", SettlementKind::Charge),
    ("partial_capture_reversal", SettlementKind::Charge),
    ("charge_failure", SettlementKind::Refund),
    ("refund", SettlementKind::Refund),
    ("refund_failure", SettlementKind::RefundFailure),
    ("dispute", SettlementKind::Dispute),
    ("dispute_reversal", SettlementKind::DisputeReversal),
    ("fee", SettlementKind::Fee),
    ("network_cost", SettlementKind::Fee),
    ("tax", SettlementKind::Fee),
    ("transfer", SettlementKind::Transfer),
    ("transfer_reversal", SettlementKind::TransferReversal),
    ("payout", SettlementKind::Payout),
    ("payout_reversal", SettlementKind::PayoutReversal),
    ("topup", SettlementKind::TopUp),
    ("topup_reversal", SettlementKind::TopUp),
    ("connect_collection_transfer", SettlementKind::Adjustment),
    ("connect_reserved_funds", SettlementKind::Adjustment),
    ("risk_reserved_funds", SettlementKind::Adjustment),
    ("platform_earning", SettlementKind::Adjustment),
    ("platform_earning_refund", SettlementKind::Adjustment),
    ("other_adjustment", SettlementKind::Adjustment),
];

/// What a category is about.
pub(super) fn kind(category: &str) -> SettlementKind {
    status::look_up(SETTLEMENT, category).unwrap_or(SettlementKind::Unknown)
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Row {
    id: String,
    amount: i64,
    fee: i64,
    net: i64,
    currency: String,
    reporting_category: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    source: Option<wire::Ref<Source>>,
    created: Option<i64>,
    available_on: Option<i64>,
    #[serde(default, deserialize_with = "wire::null_is_default")]
    fee_details: Vec<wire::FeeDetail>,
}

/// What caused a row: a charge, refund, transfer, … of whichever shape.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Source {
    id: String,
    amount: Option<i64>,
    currency: Option<String>,
    payment_intent: Option<wire::Ref<wire::Named>>,
    #[serde(default, deserialize_with = "wire::null_is_default")]
    metadata: HashMap<String, String>,
}

impl wire::HasId for Source {
    fn id(&self) -> &str {
        &self.id
    }
}

impl wire::HasId for Row {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Builds the call for a page. Of a payout all rows are asked for, whenever they were made.
pub(super) fn build(it: &ListSettlement) -> Result<Call, BuildError> {
    if it.to <= it.from {
        let problem = "the end must come after the beginning";
        return Err(BuildError::Field { field: "to", problem });
    }
    let call = Call::get("/v1/balance_transactions".to_owned())
        .with("expand[0]", "data.source")
        .with("limit", PAGE);
    let call = match &it.settlement {
        Some(payout) => call.with("payout", payout),
        None => {
            call.with("created[gte]", it.from.timestamp()).with("created[lt]", it.to.timestamp())
        }
    };
    Ok(match &it.page {
        Some(last) => call.with("starting_after", last),
        None => call,
    })
}

/// Reads a page.
pub(super) fn read(op: &Operation, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    let Operation::ListSettlement(asked) = op else {
        return Err(unreadable(answer.status, "no settlement was asked for"));
    };
    let list: wire::List<Row> = object(answer, "list")?;
    let lines: Result<Vec<SettlementLine>, FactError> =
        list.data.iter().map(|row| line(row, asked.settlement.as_ref())).collect();
    let lines = lines.map_err(|error| unreadable(answer.status, error))?;
    let next = list.next().map_err(|problem| unreadable(answer.status, problem))?;
    let page = SettlementPage { lines, next, complete_until: None };
    let subject = Subject::Settlement(Box::new(page));
    Ok(Outcome::Done(Answer { subject, request_id: request_id(answer) }))
}

/// A row that does not add up makes the page unreadable: money is not guessed.
fn line(row: &Row, settlement: Option<&ProviderRef>) -> Result<SettlementLine, FactError> {
    let money = |amount: i64| from_wire_amount(amount, &row.currency);
    let word = row.reporting_category.as_deref().or(row.kind.as_deref()).unwrap_or_default();
    let charged = facts::Charged::of(&row.fee_details, row.fee)
        .filter(|_| row.amount.checked_sub(row.fee) == Some(row.net));
    let charged = charged.ok_or(FactError::Impossible { field: "net", value: row.net })?;
    let source = row.source.as_ref().and_then(wire::Ref::object);
    let payment = source.and_then(|source| source.payment_intent.as_ref());
    let source_ref = facts::optional_id("source", row.source.as_ref())?;
    let kind = kind(row.reporting_category.as_deref().unwrap_or_default());
    let own = source_ref.as_ref().filter(|_| kind == SettlementKind::Payout);
    Ok(SettlementLine {
        line_ref: facts::id("id", &row.id)?.to_string(),
        kind,
        word: word.chars().take(100).collect(),
        payment_ref: facts::optional_id("payment_intent", payment)?,
        reference: source.and_then(|source| facts::payment_reference(&source.metadata)),
        gross: money(row.amount)?,
        fee: money(charged.fee)?,
        tax: money(charged.tax)?,
        net: money(row.net)?,
        original: source.and_then(|source| original(source, row)),
        settlement_ref: settlement.or(own).cloned(),
        bank_reference: None,
        occurred_at: time(row.created),
        available_at: time(row.available_on),
        source_ref,
    })
}

/// What the customer's side of a row was, where that is in another currency.
fn original(source: &Source, row: &Row) -> Option<Money> {
    let code = source.currency.as_deref()?;
    if code.eq_ignore_ascii_case(&row.currency) {
        return None;
    }
    let amount = source.amount?;
    let signed = if row.amount < 0 { amount.checked_neg()? } else { amount };
    from_wire_amount(signed, code).ok()
}

fn time(seconds: Option<i64>) -> Option<Timestamp> {
    seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0))
}
