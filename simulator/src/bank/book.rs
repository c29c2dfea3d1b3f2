//! The account's balance: its rows, and the check that every movement is in them.

use std::collections::BTreeMap;

use mizan_money::{Currency, Timestamp};
use serde::{Deserialize, Serialize};

use super::cash::{PayoutState, TransferState};
use super::record::RefundState;
use super::state::State;
use super::work::Work;

/// Which of the account's two balances a row belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Book {
    /// What buyers paid; it is settled to the shop's bank.
    Processing,
    /// What payouts are made from, where a gateway keeps that apart.
    Payouts,
}

/// Why the balance changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// A capture.
    Charge,
    /// A refund.
    Refund,
    /// A refund that failed.
    RefundReturned,
    /// A payment that was taken back.
    PaymentReversed,
    /// A transfer to a vendor.
    Transfer,
    /// A transfer that was taken back.
    TransferReversed,
    /// A dispute took money.
    Dispute,
    /// A won dispute gave it back.
    DisputeReturned,
    /// A payout left.
    Payout,
    /// A payout came back.
    PayoutReturned,
    /// The shop put money in.
    TopUp,
    /// Money went to the shop's bank.
    Settlement,
}

/// One line of the balance, signed as the account sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The id.
    pub id: String,
    /// When it was written.
    pub created: Timestamp,
    /// From when on it can be settled.
    pub available_on: Timestamp,
    /// Which balance.
    pub book: Book,
    /// Why.
    pub kind: RowKind,
    /// The currency.
    pub currency: Currency,
    /// Before fee and tax.
    pub gross: i64,
    /// The fee without tax; it makes the balance smaller.
    pub fee: i64,
    /// The tax on the fee; it makes the balance smaller.
    pub tax: i64,
    /// The capture, refund, payout and so on.
    pub source: String,
    /// The payment it belongs to.
    pub payment: Option<String>,
    /// The settlement that paid it out.
    pub settlement: Option<String>,
}

impl Row {
    /// What the balance changed by.
    pub fn net(&self) -> i64 {
        self.gross - self.fee - self.tax
    }
}

/// A row before it has an id and a time.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    pub book: Book,
    pub kind: RowKind,
    pub currency: Currency,
    pub gross: i64,
    pub fee: i64,
    pub tax: i64,
    pub source: &'a str,
    pub payment: Option<&'a str>,
}

impl<'a> Entry<'a> {
    /// A row of the processing balance without fee.
    pub fn new(kind: RowKind, currency: Currency, gross: i64, source: &'a str) -> Self {
        let (book, payment) = (Book::Processing, None);
        Self { book, kind, currency, gross, fee: 0, tax: 0, source, payment }
    }

    /// With a fee and the tax on it.
    pub fn fee(self, fee: i64, tax: i64) -> Self {
        Self { fee, tax, ..self }
    }

    /// Belonging to a payment.
    pub fn payment(self, payment: &'a str) -> Self {
        Self { payment: Some(payment), ..self }
    }

    /// In another balance.
    pub fn book(self, book: Book) -> Self {
        Self { book, ..self }
    }
}

/// Writes a row and returns its id.
pub fn post(work: &mut Work<'_>, entry: Entry<'_>) -> String {
    let later = match entry.kind {
        RowKind::Charge => work.settings.settle_after.unwrap_or_default(),
        _ => chrono::TimeDelta::zero(),
    };
    let row = Row {
        id: work.new_id("txn_", 14),
        created: work.now,
        available_on: work.now + later,
        book: entry.book,
        kind: entry.kind,
        currency: entry.currency,
        gross: entry.gross,
        fee: entry.fee,
        tax: entry.tax,
        source: entry.source.to_owned(),
        payment: entry.payment.map(str::to_owned),
        settlement: None,
    };
    let id = row.id.clone();
    work.put(row);
    id
}

/// The sum of a balance.
pub fn balance(state: &State, book: Book, currency: Currency) -> i64 {
    let rows = state.rows.oldest_first();
    rows.filter(|row| row.book == book && row.currency == currency).map(Row::net).sum()
}

/// Sums of one currency: what the records say, and what the balance says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Captured.
    pub charged: i64,
    /// Refunded; failed refunds do not count.
    pub refunded: i64,
    /// Payments taken back after they looked paid.
    pub reversed: i64,
    /// With buyers' banks because of disputes.
    pub disputed: i64,
    /// With vendors.
    pub transferred: i64,
    /// Fees and the tax on them.
    pub fees: i64,
    /// Payouts and settlements that are not back.
    pub paid_out: i64,
    /// Put in by the shop.
    pub topped_up: i64,
    /// The sum of the rows.
    pub balance: i64,
}

impl Totals {
    /// Whether every movement is in the balance, and nothing else is.
    pub fn hold(&self) -> bool {
        let out = self.refunded + self.reversed + self.disputed + self.transferred;
        let left = self.charged + self.topped_up - out - self.fees - self.paid_out;
        left == self.balance
    }
}

/// The sums of every currency.
pub fn totals(state: &State) -> BTreeMap<String, Totals> {
    let mut sums: BTreeMap<String, Totals> = BTreeMap::new();
    let mut of = |currency: Currency, add: &dyn Fn(&mut Totals)| {
        add(sums.entry(currency.code().to_owned()).or_default());
    };
    for capture in state.captures.oldest_first() {
        of(capture.base_currency, &|sums| sums.charged += capture.base_amount);
        let refunds = state.refunds_of(&capture.payment);
        let refunds = refunds.filter(|refund| refund.capture == capture.id);
        let standing = refunds.filter(|refund| refund.state != RefundState::Failed);
        let refunded: i64 = standing.map(|refund| refund.base_amount).sum();
        of(capture.base_currency, &|sums| sums.refunded += refunded);
    }
    for payment in state.payments.oldest_first().filter(|payment| payment.reversed_base > 0) {
        let base = state.base_currency(&payment.id).unwrap_or(payment.currency);
        of(base, &|sums| sums.reversed += payment.reversed_base);
    }
    for dispute in state.disputes.oldest_first().filter(|dispute| dispute.withdrawn) {
        let Some(base) = state.base_currency(&dispute.payment) else { continue };
        of(base, &|sums| sums.disputed += dispute.base_amount);
    }
    for transfer in state.transfers.oldest_first() {
        if transfer.state != TransferState::Failed {
            let left = transfer.amount - transfer.reversed;
            of(transfer.currency, &|sums| sums.transferred += left);
        }
    }
    for payout in state.payouts.oldest_first() {
        if matches!(payout.state, PayoutState::InTransit | PayoutState::Paid) {
            of(payout.currency, &|sums| sums.paid_out += payout.amount);
        }
    }
    for settlement in state.settlements.oldest_first() {
        of(settlement.currency, &|sums| sums.paid_out += settlement.net);
    }
    for row in state.rows.oldest_first() {
        let topped_up = if row.kind == RowKind::TopUp { row.gross } else { 0 };
        of(row.currency, &|sums| {
            sums.fees += row.fee + row.tax;
            sums.balance += row.net();
            sums.topped_up += topped_up;
        });
    }
    sums
}
