//! A payout, its states, and which step is possible in which.

use chrono::NaiveDate;
use mizan_ledger::postings::{Payee, Till};
use mizan_money::id::{PayoutFileId, PayoutId, PayoutRunId};
use mizan_money::{Currency, Money, Timestamp};
use mizan_providers::ProviderName;

use super::convert::FxRate;
use super::error::PayoutError;
use super::gates::Approval;
use super::reason::Reason;

/// Where a payout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is being made.
    Draft,
    /// A gate is closed.
    Gated,
    /// Every gate is open; the money is about to be reserved.
    Approved,
    /// The money is taken from what is available.
    Reserved,
    /// It was handed to the rail.
    Submitted,
    /// The rail has taken it on.
    InTransit,
    /// It left our account.
    Paid,
    /// It came back.
    Returned,
    /// It never left.
    Failed,
    /// It was called off.
    Cancelled,
}

const STATES: [State; 10] = [
    State::Draft,
    State::Gated,
    State::Approved,
    State::Reserved,
    State::Submitted,
    State::InTransit,
    State::Paid,
    State::Returned,
    State::Failed,
    State::Cancelled,
];

impl State {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Gated => "gated",
            Self::Approved => "approved",
            Self::Reserved => "reserved",
            Self::Submitted => "submitted",
            Self::InTransit => "in_transit",
            Self::Paid => "paid",
            Self::Returned => "returned",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of its word.
    pub fn parse(word: &str) -> Option<Self> {
        STATES.into_iter().find(|state| state.as_str() == word)
    }

    /// Nothing is reserved yet.
    pub const fn is_before_reserve(self) -> bool {
        matches!(self, Self::Draft | Self::Gated | Self::Approved)
    }

    /// The money is taken from what is available and has not left.
    pub const fn is_on_its_way(self) -> bool {
        matches!(self, Self::Reserved | Self::Submitted | Self::InTransit)
    }
}

/// By which rate an amount became another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    /// Units of the balance's currency for one of what the payee receives.
    pub rate: FxRate,
    /// Who says so.
    pub source: String,
    /// From when it is.
    pub at: Timestamp,
}

/// Why it did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Our word.
    pub reason: Reason,
    /// The rail's.
    pub code: Option<String>,
}

/// A payout.
#[derive(Debug, Clone)]
pub struct Payout {
    /// `po_…`
    pub id: PayoutId,
    /// Whose money.
    pub payee: Payee,
    /// Where it stands.
    pub state: State,
    /// How it goes.
    pub rail: String,
    /// What was asked for, in minor units; nothing where it is all there is.
    pub asked: Option<i64>,
    /// What is taken from what is available.
    pub amount: Money,
    /// What the payee receives.
    pub pays: Money,
    /// How the one became the other.
    pub conversion: Option<Conversion>,
    /// To which version of the bank details.
    pub bank_version: Option<i32>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By which key.
    pub created_by: String,
    /// Who approved it.
    pub approval: Option<Approval>,
    /// The payout of which it is a new attempt.
    pub retry_of: Option<PayoutId>,
    /// The run that made it, and its date.
    pub run: Option<(PayoutRunId, NaiveDate)>,
    /// The file that holds it.
    pub file: Option<PayoutFileId>,
    /// Behind which and up to which sequence number of its account it itemises.
    pub cut: Option<(i64, i64)>,
    /// When the money was reserved.
    pub reserved_at: Option<Timestamp>,
    /// When it was handed over.
    pub submitted_at: Option<Timestamp>,
    /// When it left.
    pub paid_at: Option<Timestamp>,
    /// When it ended without arriving.
    pub ended_at: Option<Timestamp>,
    /// From which account of ours it was paid.
    pub till: Option<String>,
    /// What it cost there.
    pub cost: Option<Money>,
    /// What the rail took for it.
    pub fee: Option<Money>,
    /// Why it did not arrive.
    pub trouble: Option<Trouble>,
}

impl Payout {
    /// A payout that is being made; nothing has become of it.
    pub fn draft(
        id: PayoutId,
        payee: Payee,
        rail: &str,
        (amount, pays): (Money, Money),
        now: Timestamp,
    ) -> Payout {
        Payout {
            id,
            payee,
            state: State::Draft,
            rail: rail.to_owned(),
            asked: None,
            amount,
            pays,
            conversion: None,
            bank_version: None,
            created_at: now,
            created_by: String::new(),
            approval: None,
            retry_of: None,
            run: None,
            file: None,
            cut: None,
            reserved_at: None,
            submitted_at: None,
            paid_at: None,
            ended_at: None,
            till: None,
            cost: None,
            fee: None,
            trouble: None,
        }
    }

    /// The gateway, where the rail is one.
    pub fn gateway(&self) -> Option<ProviderName> {
        self.rail.parse().ok()
    }

    /// Where the money is taken from: the gateway's balance, or a bank account of ours, by its
    /// name or else the main one of the currency, such as `aed_main`.
    pub fn till(&self, bank: Option<&str>, currency: Currency) -> Till {
        match (self.gateway(), bank) {
            (Some(gateway), _) => Till::Gateway(gateway.as_str().to_owned()),
            (None, Some(bank)) => Till::Bank(bank.to_owned()),
            (None, None) => Till::Bank(format!("{}_main", currency.code().to_lowercase())),
        }
    }

    /// What the payee receives for an amount; none where it is too much for any account.
    pub fn worth(&self, amount: Money) -> Option<Money> {
        match &self.conversion {
            None => Some(amount),
            Some(conversion) => conversion.rate.convert(amount, self.pays.currency()),
        }
    }

    /// A step that its state does not allow.
    pub fn refuse(&self, action: &'static str, needs: &'static str) -> PayoutError {
        PayoutError::WrongState { payout: self.id, state: self.state, action, needs }
    }
}
