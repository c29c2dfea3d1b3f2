//! The payment as the shop sees it: the intent, its lines, its attempts and refunds.

use std::collections::BTreeMap;
use std::sync::Arc;

use mizan_money::id::{AttemptId, PaymentIntentId, RefundId};
use mizan_money::{Currency, Money, Timestamp};
use mizan_providers::{CaptureMethod, PaymentStatus, ProviderName, ProviderRef};

mod refund;
pub mod wallet_part;

pub use self::refund::Refund;
use self::wallet_part::{Attribution, WalletPart, WalletState};
use super::dispute::Dispute;
use super::line::Line;

/// The shop's own pairs.
pub type Metadata = BTreeMap<String, String>;

/// A closed set of words with their spelling in tables and answers.
macro_rules! states {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// The word as it is stored and shown.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The state of this word.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use states;

states! {
    /// Where an intent stands. Never "failed" while it can still be paid.
    IntentState {
        /// Nothing tried yet, or the last attempt failed.
        RequiresPaymentMethod = "requires_payment_method",
        /// An instrument is named; nothing tried yet.
        RequiresConfirmation = "requires_confirmation",
        /// A gateway is working on it, or its answer is not known.
        Processing = "processing",
        /// The customer must do something.
        RequiresAction = "requires_action",
        /// The money is held.
        RequiresCapture = "requires_capture",
        /// A part is taken and more may follow.
        PartiallyCaptured = "partially_captured",
        /// The money is taken.
        Succeeded = "succeeded",
        /// A gateway's fact contradicts what was asked: a person decides.
        Review = "review",
        /// Not paid in time.
        Expired = "expired",
        /// Given up before any money was taken.
        Cancelled = "cancelled",
        /// Taken, and then given back by the bank.
        Reversed = "reversed",
    }
}

states! {
    /// Where a refund stands.
    RefundState {
        /// Promised.
        Requested = "requested",
        /// The gateway is being asked.
        Sent = "sent",
        /// The gateway accepted it.
        Pending = "pending",
        /// The gateway sent the money. It may still bounce.
        Succeeded = "succeeded",
        /// It did not happen; what was taken back is given back.
        Failed = "failed",
        /// It came back after it had succeeded: the buyer is owed again.
        Bounced = "bounced",
    }
}

/// What the shop wants. Amounts are in minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Its id.
    pub id: PaymentIntentId,
    /// The currency of every amount.
    pub currency: Currency,
    /// What the customer is asked to pay.
    pub amount: Money,
    /// When the money is taken.
    pub capture_method: CaptureMethod,
    /// Where it stands.
    pub state: IntentState,
    /// What a bank agreed to.
    pub authorised: Money,
    /// What was taken.
    pub captured: Money,
    /// What was released of the hold.
    pub voided: Money,
    /// What is promised to go back.
    pub refund_pending: Money,
    /// What went back.
    pub refunded: Money,
    /// What is disputed.
    pub disputed: Money,
    /// What was lost in disputes.
    pub lost: Money,
    /// What was taken beyond the request; it stands in unapplied receipts.
    pub unapplied: Money,
    /// For people.
    pub description: Option<String>,
    /// The shop's order; the intent's own id where it gave none.
    pub order: Option<String>,
    /// The shop's customer.
    pub customer: Option<String>,
    /// The customer's state, where tax tells states apart.
    pub customer_state: Option<String>,
    /// Who sent the customer.
    pub attribution: Option<Attribution>,
    /// What the customer's wallet pays.
    pub wallet: WalletPart,
    /// What refunds kept back, because cashback of the order was spent.
    pub withheld: Money,
    /// Where the customer is, ISO 3166 alpha-2; routing goes by it.
    pub country: Option<String>,
    /// The kind of instrument, such as `card` or `upi`; routing goes by it.
    pub method: Option<String>,
    /// The gateway's token of the instrument.
    pub payment_method: Option<String>,
    /// Where the customer comes back to.
    pub return_url: Option<String>,
    /// The shop's pairs.
    pub metadata: Metadata,
    /// What the customer must do next.
    pub next_action: Option<serde_json::Value>,
    /// Why the last attempt failed.
    pub last_error: Option<serde_json::Value>,
    /// What a person must look at.
    pub review_reason: Option<String>,
    /// Why it was cancelled.
    pub cancellation_reason: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Intent {
    /// What can still be refunded, in minor units.
    pub fn refundable_minor(&self) -> i64 {
        let gone = [self.refund_pending, self.refunded, self.withheld, self.disputed, self.lost];
        gone.iter().fold(self.captured.minor(), |left, part| left.saturating_sub(part.minor()))
    }

    /// What a gateway is to take: all but the wallet's part.
    pub fn by_gateway(&self) -> Money {
        let wallet = self.wallet.cash.minor() + self.wallet.promo.minor();
        Money::new(self.amount.minor() - wallet, self.currency)
    }

    /// What a gateway that takes amounts in steps of so many minor units is asked for: its part,
    /// rounded half-up, at least one step.
    pub fn charge(&self, step: i64) -> Money {
        let step = step.max(1);
        let minor = ((self.by_gateway().minor() + step / 2) / step) * step;
        Money::new(minor.max(step), self.currency)
    }

    /// The order's name in addresses.
    pub fn order_name(&self) -> String {
        self.order.clone().unwrap_or_else(|| self.id.to_string())
    }

    /// Gives back what the wallet holds for it: it will not be paid.
    pub fn let_the_wallet_go(&mut self) {
        if self.wallet.state == WalletState::Held {
            self.wallet.state = WalletState::Released;
        }
    }

    /// Sends the intent to a person. The first reason is kept: what follows comes from it.
    pub fn send_to_review(&mut self, reason: impl Into<String>) {
        self.state = IntentState::Review;
        self.review_reason.get_or_insert(reason.into());
    }
}

/// One try at one gateway with one instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// The connection, as configured.
    pub connection: String,
    /// The gateway.
    pub provider: ProviderName,
    /// The gateway's id, once it answered.
    pub provider_ref: Option<ProviderRef>,
    /// The gateway's charge.
    pub charge_ref: Option<ProviderRef>,
    /// What the gateway says.
    pub status: PaymentStatus,
    /// When it said so.
    pub status_at: Timestamp,
    /// What it asks of the gateway: the order's part of it, rounded to what the gateway can take.
    pub charge: Money,
    /// What of its money was put on the order; the rest went to unapplied receipts.
    pub captured: Money,
    /// What it kept.
    pub fee: Option<Fee>,
    /// When to ask about it: for a fee, for a page nobody came back from, on a hint.
    pub sync_at: Option<Timestamp>,
    /// How often it was asked about.
    pub syncs: i16,
    /// Why this connection: what was weighed, in order.
    pub route: Option<serde_json::Value>,
    /// When it began.
    pub created_at: Timestamp,
}

/// What a gateway kept for a payment, as booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fee {
    /// Net of tax.
    pub fee: Money,
    /// The tax on it.
    pub tax: Money,
    /// The gateway's row.
    pub reference: String,
}

/// An intent with everything that belongs to it, loaded under its lock.
#[derive(Debug, Clone)]
pub struct Payment {
    /// The intent.
    pub intent: Intent,
    /// Its lines, by number.
    pub lines: Vec<Line>,
    /// Its attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// Its refunds, oldest first.
    pub refunds: Vec<Refund>,
    /// Its disputes, oldest first.
    pub disputes: Vec<Dispute>,
    /// All of it as it was loaded: only what differs is written back.
    pub(super) loaded: Arc<Loaded>,
}

/// A payment as it is stored.
#[derive(Debug, Clone, Default)]
pub(super) struct Loaded {
    intent: Option<Intent>,
    lines: Vec<Line>,
    attempts: Vec<Attempt>,
    refunds: Vec<Refund>,
    disputes: Vec<Dispute>,
}

impl Loaded {
    /// Where the wallet's part was.
    pub fn wallet_state(&self) -> WalletState {
        self.intent.as_ref().map_or(WalletState::None, |intent| intent.wallet.state)
    }

    /// Whether no money was taken.
    pub fn captured_nothing(&self) -> bool {
        self.intent.as_ref().is_none_or(|intent| intent.captured.is_zero())
    }

    /// Where a refund stood; none where there was none.
    pub fn refund_state(&self, id: RefundId) -> Option<RefundState> {
        self.refunds.iter().find(|refund| refund.id == id).map(|refund| refund.state)
    }
}

impl Payment {
    /// An intent alone.
    pub(super) fn bare(intent: Intent) -> Payment {
        let (lines, attempts, refunds) = (Vec::new(), Vec::new(), Vec::new());
        let disputes = Vec::new();
        Payment { intent, lines, attempts, refunds, disputes, loaded: Arc::default() }
    }

    /// It is stored as it is now.
    pub(super) fn remember(&mut self) {
        self.loaded = Arc::new(Loaded {
            intent: Some(self.intent.clone()),
            lines: self.lines.clone(),
            attempts: self.attempts.clone(),
            refunds: self.refunds.clone(),
            disputes: self.disputes.clone(),
        });
    }

    /// It as it is stored.
    pub(super) fn before(&self) -> &Loaded {
        &self.loaded
    }

    /// Whether anything of it differs from what is stored.
    pub(super) fn is_changed(&self) -> bool {
        let Loaded { intent, lines, attempts, refunds, disputes } = &*self.loaded;
        intent.as_ref() != Some(&self.intent)
            || (lines, attempts) != (&self.lines, &self.attempts)
            || (refunds, disputes) != (&self.refunds, &self.disputes)
    }

    /// The lines that differ from what is stored.
    pub(super) fn changed_lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !self.loaded.lines.contains(line))
    }

    /// The attempts that differ from what is stored.
    pub(super) fn changed_attempts(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(|attempt| !self.loaded.attempts.contains(attempt))
    }

    /// The refunds that differ from what is stored.
    pub(super) fn changed_refunds(&self) -> impl Iterator<Item = &Refund> {
        self.refunds.iter().filter(|refund| !self.loaded.refunds.contains(refund))
    }

    /// The disputes that differ from what is stored.
    pub(super) fn changed_disputes(&self) -> impl Iterator<Item = &Dispute> {
        self.disputes.iter().filter(|dispute| !self.loaded.disputes.contains(dispute))
    }

    /// The attempt of this id.
    pub fn attempt(&self, id: AttemptId) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.id == id)
    }

    /// The refund of this id.
    pub fn refund(&self, id: RefundId) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.id == id)
    }

    /// The attempt that counts: the one whose money was taken or held, else the newest.
    pub fn current_attempt(&self) -> Option<&Attempt> {
        let taken =
            |a: &&Attempt| matches!(a.status, PaymentStatus::Captured | PaymentStatus::Authorised);
        self.attempts.iter().find(taken).or(self.attempts.last())
    }
}
