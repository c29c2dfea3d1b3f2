//! Payouts as the interface shows them. Amounts are minor units.

use mizan_money::{Money, Timestamp};
use mizan_providers::ProviderRef;
use serde::Serialize;
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::names;
use crate::payouts::desk::Desk;
use crate::payouts::error::PayoutError;
use crate::payouts::payout::Payout;
use crate::payouts::store;

/// An amount of money.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutAmount)]
struct AmountView {
    /// Minor units.
    amount: i64,
    /// ISO 4217.
    currency: &'static str,
}

impl From<Money> for AmountView {
    fn from(money: Money) -> Self {
        Self { amount: money.minor(), currency: money.currency().code() }
    }
}

/// One gate.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutGate)]
struct GateView {
    /// `kyc`, `bank_details`, `cooling_time`, `blocks`, `debt`, `funds`, `minimum`, `limit` or
    /// `approval`.
    gate: String,
    /// Whether it lets the payout through.
    passed: bool,
    /// Why, for the payee to read.
    reason: String,
    /// When it was looked at last.
    #[schema(value_type = String, format = DateTime)]
    checked_at: Timestamp,
}

/// What a payout pays, or what was taken off.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutItem)]
struct ItemView {
    /// The kind of the transaction; `carried_in` is what the payout before left, `carried_out`
    /// what this one leaves.
    kind: String,
    /// The thing it belongs to: a payment, a refund, a dispute.
    source: String,
    /// Minor units of the payout's currency; below zero what was taken off.
    amount: i64,
    /// `txn_…`
    transaction: Option<String>,
    /// When it was true.
    #[schema(value_type = Option<String>, format = DateTime)]
    effective_at: Option<Timestamp>,
}

/// One attempt to pay the same.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutAttempt)]
struct AttemptView {
    /// `po_…`
    payout: String,
    /// Where it stands.
    status: &'static str,
    /// Why it did not arrive.
    reason: Option<&'static str>,
    /// The rail's code for it.
    reason_code: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
}

/// One step of a payout.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutStep)]
struct StepView {
    /// Where it came to.
    status: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// By whom.
    by: String,
    /// What else was said.
    detail: Option<String>,
}

/// A payout.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payout)]
pub(in crate::payouts::http) struct PayoutView {
    /// `po_…`
    id: String,
    /// Always `payout`.
    object: &'static str,
    /// Whose money: this vendor's.
    vendor: Option<String>,
    /// Whose money: this affiliate's.
    affiliate: Option<String>,
    /// `draft`, `gated`, `approved`, `reserved`, `submitted`, `in_transit`, `paid`, `returned`,
    /// `failed` or `cancelled`.
    status: &'static str,
    /// What is taken from the balance, in minor units.
    amount: i64,
    /// The balance's currency.
    currency: &'static str,
    /// What the payee receives, in minor units.
    pay_amount: i64,
    /// In which currency.
    pay_currency: &'static str,
    /// Units of `currency` for one `pay_currency`.
    rate: Option<String>,
    /// Who says so.
    rate_source: Option<String>,
    /// From when it is.
    #[schema(value_type = Option<String>, format = DateTime)]
    rate_at: Option<Timestamp>,
    /// How it goes.
    rail: String,
    /// Which of our accounts it was paid from.
    bank: Option<String>,
    /// What left that account, where it is another amount.
    cost: Option<AmountView>,
    /// What the rail took for its work.
    fee: Option<AmountView>,
    /// The gateway's own name of it, where a gateway was asked.
    provider_ref: Option<String>,
    /// The version of the payee's bank details.
    bank_account_version: Option<i32>,
    /// What was checked before the money was reserved.
    gates: Vec<GateView>,
    /// What it pays; their sum is `amount`. In lists it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<ItemView>>,
    /// Every attempt to pay the same, oldest first, with this one. In lists it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<Vec<AttemptView>>,
    /// What became of it. In lists it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<StepView>>,
    /// Why it did not arrive: `invalid_details`, `closed_or_blocked`, `name_mismatch`,
    /// `insufficient_funds`, `duplicate`, `limit`, `compliance`, `technical` or `unknown`.
    reason: Option<&'static str>,
    /// The rail's code for it.
    reason_code: Option<String>,
    /// Whether a new attempt may work without new details.
    retryable: Option<bool>,
    /// Whether the payee has to do something first.
    needs_vendor_action: Option<bool>,
    /// The payout of which it is a new attempt.
    retry_of: Option<String>,
    /// The run that made it.
    payout_run: Option<String>,
    /// Who approved it.
    approved_by: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// By whom.
    created_by: String,
    /// When it left our account.
    #[schema(value_type = Option<String>, format = DateTime)]
    paid_at: Option<Timestamp>,
}

impl PayoutView {
    /// A payout with its gates.
    pub(in crate::payouts::http) async fn short(
        conn: &mut PgConnection,
        desk: &Desk<'_>,
        payout: Payout,
    ) -> Result<Self, PayoutError> {
        let gates = store::gates(conn, desk.tenant, payout.id).await?;
        let gate =
            |(gate, passed, reason, checked_at)| GateView { gate, passed, reason, checked_at };
        let (vendor, affiliate) = names(&payout.payee);
        let conversion = payout.conversion;
        let trouble = payout.trouble;
        Ok(Self {
            id: payout.id.to_string(),
            object: "payout",
            vendor,
            affiliate,
            status: payout.state.as_str(),
            amount: payout.amount.minor(),
            currency: payout.amount.currency().code(),
            pay_amount: payout.pays.minor(),
            pay_currency: payout.pays.currency().code(),
            rate: conversion.as_ref().map(|it| it.rate.to_string()),
            rate_source: conversion.as_ref().map(|it| it.source.clone()),
            rate_at: conversion.map(|it| it.at),
            rail: payout.rail,
            bank: payout.till,
            cost: payout.cost.map(AmountView::from),
            fee: payout.fee.map(AmountView::from),
            provider_ref: None,
            bank_account_version: payout.bank_version,
            gates: gates.into_iter().map(gate).collect(),
            items: None,
            attempts: None,
            steps: None,
            reason: trouble.as_ref().map(|it| it.reason.as_str()),
            reason_code: trouble.as_ref().and_then(|it| it.code.clone()),
            retryable: trouble.as_ref().map(|it| it.reason.retryable()),
            needs_vendor_action: trouble.map(|it| it.reason.needs_vendor_action()),
            retry_of: payout.retry_of.map(|it| it.to_string()),
            payout_run: payout.run.map(|it| it.0.to_string()),
            approved_by: payout.approval.map(|it| it.by),
            created: payout.created_at,
            created_by: payout.created_by,
            paid_at: payout.paid_at,
        })
    }

    /// A payout with everything that belongs to it.
    pub(in crate::payouts::http) async fn whole(
        conn: &mut PgConnection,
        desk: &Desk<'_>,
        payout: Payout,
    ) -> Result<Self, PayoutError> {
        let id = payout.id;
        let item = |it: store::Item| ItemView {
            kind: it.kind,
            source: it.source,
            amount: it.amount,
            transaction: it.transaction.map(|id| id.to_string()),
            effective_at: it.effective_at,
        };
        let attempt = |it: Payout| AttemptView {
            payout: it.id.to_string(),
            status: it.state.as_str(),
            reason: it.trouble.as_ref().map(|it| it.reason.as_str()),
            reason_code: it.trouble.and_then(|it| it.code),
            created: it.created_at,
        };
        let step = |it: store::Step| StepView {
            status: it.state,
            at: it.at,
            by: it.actor,
            detail: it.detail,
        };
        let items = store::items(conn, desk.tenant, id).await?;
        let attempts = store::attempts(conn, desk.tenant, id).await?;
        let steps = store::steps(conn, desk.tenant, id).await?;
        let call = store::call(conn, desk.tenant, id).await?;
        let mut view = Self::short(conn, desk, payout).await?;
        let name = call.and_then(|it| it.provider_ref);
        view.provider_ref = name.as_ref().map(ProviderRef::as_str).map(str::to_owned);
        view.items = Some(items.into_iter().map(item).collect());
        view.attempts = Some(attempts.into_iter().map(attempt).collect());
        view.steps = Some(steps.into_iter().map(step).collect());
        Ok(view)
    }
}
