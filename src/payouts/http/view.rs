//! Payees, payouts and runs as the interface shows them. Amounts are minor units.

use chrono::{NaiveDate, TimeDelta};
use mizan_ledger::postings::Payee;
use mizan_money::{Currency, Money, Timestamp};
use serde::Serialize;
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::app::App;
use crate::http::Problem;
use crate::payouts::bank_account::{BankAccount, Number};
use crate::payouts::desk::Desk;
use crate::payouts::error::PayoutError;
use crate::payouts::kyc::{Document, Kyc};
use crate::payouts::payout::Payout;
use crate::payouts::run::{LeftOut, Run};
use crate::payouts::store;
use crate::payouts::terms::Terms;

fn names(payee: &Payee) -> (Option<String>, Option<String>) {
    match payee {
        Payee::Vendor(id) => (Some(id.clone()), None),
        Payee::Affiliate(id) => (None, Some(id.clone())),
    }
}

/// A payee's bank details, masked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankAccount)]
pub(super) struct BankAccountView {
    /// Always `bank_account`.
    object: &'static str,
    /// Of this vendor.
    vendor: Option<String>,
    /// Of this affiliate.
    affiliate: Option<String>,
    /// Counts from 1; a change is a new version.
    version: i32,
    /// Whose account it is.
    holder: String,
    /// `iban`, `ifsc`, `aba` or `sort_code`.
    scheme: &'static str,
    /// The last four characters of the account.
    last4: String,
    /// ISO 3166.
    country: String,
    /// ISO 4217.
    currency: &'static str,
    /// When these details were given.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When somebody verified that they are the payee's.
    #[schema(value_type = Option<String>, format = DateTime)]
    verified_at: Option<Timestamp>,
    /// From when on something is paid to them.
    #[schema(value_type = Option<String>, format = DateTime)]
    payable_from: Option<Timestamp>,
    /// Why nothing is paid to them any more.
    blocked: Option<String>,
}

impl BankAccountView {
    pub(super) fn of(
        app: &App,
        payee: &Payee,
        account: Option<BankAccount>,
    ) -> Result<Self, Problem> {
        let account = account.ok_or_else(Problem::not_found)?;
        let (vendor, affiliate) = names(payee);
        let cooling = TimeDelta::hours(app.config.payouts.cooling_hours.into());
        let scheme = match &account.details.number {
            Number::Iban(_) => "iban",
            Number::Local { scheme, .. } => scheme.as_str(),
        };
        Ok(Self {
            object: "bank_account",
            vendor,
            affiliate,
            version: account.version,
            scheme,
            last4: account.details.number.last4().to_owned(),
            holder: account.details.holder,
            country: account.details.country,
            currency: account.details.currency.code(),
            created: account.created_at,
            verified_at: account.verified_at,
            payable_from: account.created_at.checked_add_signed(cooling),
            blocked: account.blocked,
        })
    }
}

/// Who a payee is, as far as it is known.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Kyc)]
pub(super) struct KycView {
    /// Always `kyc`.
    object: &'static str,
    /// Of this vendor.
    vendor: Option<String>,
    /// Of this affiliate.
    affiliate: Option<String>,
    /// What the newest news comes to today; `none` where there is no news.
    status: &'static str,
    /// When the newest news was true.
    #[schema(value_type = Option<String>, format = DateTime)]
    occurred_at: Option<Timestamp>,
    /// On which documents it stands.
    documents: Vec<Document>,
}

impl KycView {
    pub(super) fn of(payee: &Payee, kyc: Option<Kyc>, today: NaiveDate) -> Self {
        let (vendor, affiliate) = names(payee);
        Self {
            object: "kyc",
            vendor,
            affiliate,
            status: kyc.as_ref().map_or("none", |it| it.on(today).as_str()),
            occurred_at: kyc.as_ref().map(|it| it.occurred_at),
            documents: kyc.map(|it| it.documents).unwrap_or_default(),
        }
    }
}

/// On which terms a payee is paid.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutTerms)]
pub(super) struct TermsView {
    /// Always `payout_terms`.
    object: &'static str,
    /// Of this vendor.
    vendor: Option<String>,
    /// Of this affiliate.
    affiliate: Option<String>,
    /// `manual`, `daily`, `weekly` or `monthly`.
    schedule: &'static str,
    /// Monday is 1.
    weekday: Option<u8>,
    /// The day of the month.
    day: Option<u8>,
    /// From how much on, in minor units by currency.
    minimum: std::collections::BTreeMap<String, i64>,
    /// In which currency; null: the balance's own.
    currency: Option<&'static str>,
    /// How.
    rail: String,
}

impl TermsView {
    pub(super) fn of(payee: &Payee, terms: &Terms) -> Self {
        let (vendor, affiliate) = names(payee);
        Self {
            object: "payout_terms",
            vendor,
            affiliate,
            schedule: terms.schedule.word(),
            weekday: terms.schedule.weekday(),
            day: terms.schedule.month_day(),
            minimum: terms.minimum.clone(),
            currency: terms.pay_currency.map(Currency::code),
            rail: terms.rail.clone(),
        }
    }
}

/// Why nothing is paid to a payee for now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutBlocks)]
pub(super) struct BlocksView {
    /// Always `payout_blocks`.
    object: &'static str,
    /// Of this vendor.
    vendor: Option<String>,
    /// Of this affiliate.
    affiliate: Option<String>,
    /// The reasons that hold payouts back.
    open: Vec<String>,
}

impl BlocksView {
    pub(super) fn of(payee: &Payee, open: Vec<String>) -> Self {
        let (vendor, affiliate) = names(payee);
        Self { object: "payout_blocks", vendor, affiliate, open }
    }
}

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
pub(super) struct PayoutView {
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
    pub(super) async fn short(
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
    pub(super) async fn whole(
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
        let mut view = Self::short(conn, desk, payout).await?;
        view.items = Some(items.into_iter().map(item).collect());
        view.attempts = Some(attempts.into_iter().map(attempt).collect());
        view.steps = Some(steps.into_iter().map(step).collect());
        Ok(view)
    }
}

/// Somebody who was due and got no payout.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutLeftOut)]
struct LeftOutView {
    /// This vendor.
    vendor: Option<String>,
    /// This affiliate.
    affiliate: Option<String>,
    /// From which balance.
    currency: &'static str,
    /// Why.
    reason: String,
}

/// The payouts of one day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutRun)]
pub(super) struct RunView {
    /// `prun_…`
    id: String,
    /// Always `payout_run`.
    object: &'static str,
    /// The day, in the marketplace's time zone.
    #[schema(value_type = String, format = Date)]
    on: NaiveDate,
    /// The payouts, by payee and currency.
    payouts: Vec<PayoutView>,
    /// Who was due and got none, this time.
    left_out: Vec<LeftOutView>,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// By whom.
    created_by: String,
}

impl RunView {
    pub(super) async fn of(
        conn: &mut PgConnection,
        desk: &Desk<'_>,
        run: Run,
        (payouts, left_out): (Vec<Payout>, Vec<LeftOut>),
    ) -> Result<Self, PayoutError> {
        let mut shown = Vec::with_capacity(payouts.len());
        for payout in payouts {
            shown.push(PayoutView::short(conn, desk, payout).await?);
        }
        let left = |it: LeftOut| {
            let (vendor, affiliate) = names(&it.payee);
            LeftOutView { vendor, affiliate, currency: it.currency.code(), reason: it.why }
        };
        Ok(Self {
            id: run.id.to_string(),
            object: "payout_run",
            on: run.on,
            payouts: shown,
            left_out: left_out.into_iter().map(left).collect(),
            created: run.created_at,
            created_by: run.created_by,
        })
    }
}
