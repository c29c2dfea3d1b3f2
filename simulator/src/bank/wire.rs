//! What a gateway's folder implements: how the bank is spoken to, and how it speaks.

use chrono::TimeDelta;
use mizan_money::{Currency, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::book::Book;
use super::cash::Withdrawal;
use super::order::{self, Choice};
use super::record::{Metadata, Order, Payment};
use super::request::Request;
use super::work::{Refusal, Work};
use crate::fault::odd::{self, Fields};
use crate::fault::{FaultKind, FaultPoint};
use crate::webhook::Delivery;

/// A bank's words: routes, bodies, messages and pages.
///
/// Every method runs alone on the state. What a call changes is written before its answer leaves,
/// so a method first checks and then changes: what it changed is kept even when it refuses.
pub trait Wire: Send + Sync + 'static {
    /// The gateway's name in addresses, in the journal's file name and in `/_sim/state`.
    fn name(&self) -> &'static str;

    /// The door: who asks, and for what. A refusal here changes nothing, meets no fault and is
    /// kept for no idempotency key.
    ///
    /// # Errors
    /// The answer to a caller that may not come in, or that asks for what does not exist.
    fn enter(&self, work: &Work<'_>, request: &Request) -> Result<Call, Answer>;

    /// Executes a request that came through the door.
    fn execute(&self, work: &mut Work<'_>, request: &Request) -> Answer;

    /// The answer to trouble that every gateway has, in this gateway's envelope.
    fn trouble(&self, trouble: Trouble, request: &Request) -> Answer;

    /// The messages about something that happened, as the state is now. `id` is the record's.
    fn messages(&self, work: &mut Work<'_>, happened: Happened, id: &str) -> Vec<Message>;

    /// What the gateway does by itself because of it, after its messages were queued.
    fn follow(&self, work: &mut Work<'_>, happened: Happened, id: &str) {
        let _ = (work, happened, id);
    }

    /// Signs a delivery, right before it is sent.
    fn seal(&self, delivery: &Delivery, seal: &Seal<'_>) -> Sealed;

    /// The names in answers and messages that faults make wrong.
    fn fields(&self) -> Fields;

    /// Makes a body wrong. Bodies that are not JSON need an implementation of their own.
    fn falsify(&self, kind: FaultKind, body: &mut String) {
        let Ok(mut json) = serde_json::from_str::<Value>(body) else { return };
        odd::falsify(kind, &mut json, &self.fields());
        *body = json.to_string();
    }

    /// What the buyer chose on the hosted page, or a program on the control plane.
    ///
    /// # Errors
    /// The order is not waiting for it.
    fn choose(&self, work: &mut Work<'_>, order: &Order, choice: &Choice) -> Result<(), Refusal> {
        order::choose(work, order, choice)
    }

    /// How the browser goes back to the shop after the choice.
    fn back(&self, work: &Work<'_>, page: &Page<'_>) -> Back {
        let _ = work;
        let returns = &page.order.returns;
        let chosen = match page.ending {
            Ending::Paid => &returns.paid,
            Ending::Declined => &returns.declined,
            Ending::Cancelled => &returns.cancelled,
        };
        chosen
            .as_ref()
            .or(returns.paid.as_ref())
            .map_or(Back::Stay, |url| Back::Redirect { url: url.clone() })
    }

    /// Whether the page offers that somebody holds the payment for review.
    fn offers_review(&self) -> bool {
        false
    }

    /// The id of a new attempt.
    fn payment_id(&self, work: &mut Work<'_>, order: &Order) -> String;

    /// The id of a new capture.
    fn capture_id(&self, work: &mut Work<'_>, payment: &Payment) -> String;

    /// The id of a new saved instrument.
    fn token_id(&self, work: &mut Work<'_>) -> String;

    /// The id of a new dispute.
    fn dispute_id(&self, work: &mut Work<'_>) -> String;

    /// The id of a new settlement.
    fn settlement_id(&self, work: &mut Work<'_>) -> String;

    /// In which currency a payment is settled, and at which rate.
    fn exchange(&self, currency: Currency) -> Exchange {
        Exchange { currency, numerator: 1, denominator: 1 }
    }

    /// From which balance payouts are made.
    fn payout_book(&self) -> Book {
        Book::Processing
    }

    /// When disputed money leaves the balance.
    fn withdrawal(&self) -> Withdrawal {
        Withdrawal::AtOpening
    }

    /// Whether a payment that looked paid can be taken back without a refund or a dispute.
    fn reverses_payments(&self) -> bool {
        true
    }

    /// Whether the processing balance is settled to the shop's bank by itself.
    fn settles(&self) -> bool {
        true
    }

    /// Whether an idempotency key gives the first answer again, letter by letter. Where it does
    /// not, the gateway's folder finds out itself what the first call has made.
    fn replays(&self) -> bool {
        true
    }

    /// The units of a major unit that this gateway can write: fees are whole ones of them.
    fn units_per_major(&self, currency: Currency) -> i64 {
        currency.minor_per_major()
    }

    /// The root certificate that a receiver of the messages has to trust, in PEM.
    fn root_pem(&self) -> Option<&'static str> {
        None
    }

    /// How a message that was not taken is tried again.
    fn patience(&self) -> crate::webhook::Patience {
        crate::webhook::Patience::default()
    }
}

/// What a request is, as far as faults and idempotency go.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// Where a fault can strike; `None`: nowhere.
    pub point: Option<FaultPoint>,
    /// What the payment, refund or request carries, for the `match` of a fault rule.
    pub metadata: Metadata,
    /// The idempotency key.
    pub key: Option<IdempotencyKey>,
}

/// A key under which an answer is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// What the key is unique in: usually the path.
    pub scope: String,
    /// The caller's key.
    pub key: String,
}

/// What is sent back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers, the content type among them.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// Whether the idempotency key replays it.
    pub is_kept: bool,
}

impl Answer {
    /// A JSON answer that the idempotency key replays.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// Any body; the idempotency key replays it.
    pub fn new(status: u16, content_type: &str, body: String) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body, is_kept: true }
    }

    /// The same, not kept for the idempotency key.
    pub fn not_kept(self) -> Self {
        Self { is_kept: false, ..self }
    }

    /// With one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// Trouble that every gateway has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// 500.
    Internal,
    /// 429; the bank adds `Retry-After`.
    TooManyRequests,
    /// 503.
    Down,
    /// The body is larger than any request.
    TooLarge,
    /// A request with the same idempotency key is running.
    KeyInUse,
    /// The idempotency key was used for another request.
    KeyMismatch,
}

/// What happened to which record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// An order: made.
    OrderOpened,
    /// An order: the buyer agreed, the shop must take the money.
    OrderApproved,
    /// An order: captured in full.
    OrderPaid,
    /// An order: given up.
    OrderCancelled,
    /// An order: nobody paid in time.
    OrderExpired,
    /// A payment: the bank has not answered yet.
    PaymentPending,
    /// A payment: somebody looks at it first.
    PaymentHeld,
    /// A payment: the money is reserved.
    PaymentAuthorised,
    /// A payment: declined.
    PaymentFailed,
    /// A payment: the hold, or what was left of it, was given back.
    PaymentReleased,
    /// A payment: the hold, or what was left of it, ran out.
    PaymentExpired,
    /// A payment: it was taken back after it looked paid.
    PaymentReversed,
    /// A capture: made. Its payment has no message of its own.
    Captured,
    /// A refund: made.
    RefundCreated,
    /// A refund: done.
    RefundSucceeded,
    /// A refund: failed, at once or late.
    RefundFailed,
    /// A token: saved.
    TokenSaved,
    /// A token: removed.
    TokenRemoved,
    /// A payout: waits.
    PayoutQueued,
    /// A payout: left.
    PayoutSent,
    /// A payout: arrived.
    PayoutPaid,
    /// A payout: came back.
    PayoutReturned,
    /// A payout: never arrived.
    PayoutFailed,
    /// A payout: given up before it left.
    PayoutCancelled,
    /// A transfer: the vendor's account has it.
    TransferPaid,
    /// A transfer: refused.
    TransferFailed,
    /// A reversal of a transfer: made.
    TransferReversed,
    /// A dispute: opened.
    DisputeOpened,
    /// A dispute: the shop has answered.
    DisputeUnderReview,
    /// A dispute: the shop keeps the money.
    DisputeWon,
    /// A dispute: the buyer keeps the money.
    DisputeLost,
    /// A dispute: the buyer gave it up.
    DisputeClosed,
    /// A settlement: sent to the shop's bank.
    Settled,
}

/// One message of a gateway, before it is signed.
#[derive(Clone, Debug)]
pub struct Message {
    /// The gateway's event id.
    pub id: String,
    /// The gateway's event type, for the `event` of a fault rule.
    pub kind: String,
    /// The bytes.
    pub body: String,
    /// Where it goes; `None`: to the account's endpoint.
    pub url: Option<String>,
    /// For the `match` of a fault rule.
    pub metadata: Metadata,
}

/// What a signature may need.
#[derive(Clone, Copy, Debug)]
pub struct Seal<'a> {
    /// The active secrets, newest first; at least one.
    pub secrets: &'a [String],
    /// The time that the delivery claims: the clock's and the skew.
    pub now: Timestamp,
    /// How wrong that time is, for bodies that say when they were made.
    pub skew: TimeDelta,
}

impl<'a> Seal<'a> {
    /// The secret of gateways that sign once.
    pub fn secret(&self) -> &'a str {
        self.secrets.first().map_or("", String::as_str)
    }
}

/// A delivery ready to be sent.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The exact bytes.
    pub body: String,
    /// Headers, the content type and the signature among them.
    pub headers: Vec<(&'static str, String)>,
}

/// How an amount becomes one of the settlement currency, cut to whole minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The settlement currency.
    pub currency: Currency,
    /// Minor units of the settlement currency ...
    pub numerator: i64,
    /// ... for so many minor units of the payment.
    pub denominator: i64,
}

impl Exchange {
    /// The amount in the settlement currency.
    pub fn convert(&self, minor: i64) -> i64 {
        let denominator = i128::from(self.denominator.max(1));
        let converted = i128::from(minor) * i128::from(self.numerator) / denominator;
        i64::try_from(converted).unwrap_or(i64::MAX)
    }
}

/// The hosted page when the buyer leaves it.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The order as it is now.
    pub order: &'a Order,
    /// How it ended.
    pub ending: Ending,
    /// The query of the page's address.
    pub query: &'a str,
}

/// How the buyer left the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Paid, or the shop may take the money, or somebody decides later.
    Paid,
    /// Declined.
    Declined,
    /// Cancelled.
    Cancelled,
}

/// The way back to the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Back {
    /// There is none: the page says how it ended.
    Stay,
    /// `303` to this address.
    Redirect {
        /// The address.
        url: String,
    },
    /// A form that the browser posts to this address when the buyer presses the button.
    Form {
        /// The address.
        url: String,
        /// Its hidden fields.
        fields: Vec<(String, String)>,
    },
}
