//! Faults as data: which call goes wrong, how, and how often.
//!
//! A [`FaultPlan`] is checked when it is read: a rule that cannot mean anything is refused by its
//! number. [`engine`] draws the fault of a call, [`odd`] makes the answers no gateway documents.

pub mod engine;
pub mod odd;
mod plan;

use serde::{Deserialize, Serialize};

pub use engine::{Fault, FaultEngine};
pub use plan::{FaultPlan, FaultPlanError, FaultRule};

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultPoint {
    /// A payment or order is created, with or without its confirmation.
    Create,
    /// A payment is confirmed on its own, by a call or by the buyer on the hosted page.
    Confirm,
    /// An authorised payment is captured.
    Capture,
    /// A refund is created.
    Refund,
    /// A payment is cancelled: voided or released.
    Cancel,
    /// One payment, order, refund, payout or the like is read.
    Retrieve,
    /// Money is sent out of the account.
    Payout,
    /// Money goes to a vendor's account, or comes back from it.
    Transfer,
    /// An instrument is saved, charged again or removed, or an access token is given out.
    Token,
    /// An event is sent.
    Webhook,
    /// The gateway settles.
    Settlement,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The work is done and kept, then the connection ends without an answer.
    LostAnswer,
    /// The work is done and kept, the answer is withheld for the delay, then the connection ends.
    Timeout,
    /// Answer 500, nothing is done and nothing is kept for the idempotency key.
    #[serde(rename = "http_500")]
    Http500,
    /// The work is done, the answer is 500, and that 500 is what the idempotency key replays.
    #[serde(rename = "http_500_after")]
    Http500After,
    /// Answer 429 with `Retry-After` (the delay in seconds, else 1); nothing is done.
    #[serde(rename = "http_429")]
    Http429,
    /// Status 200 with an error envelope inside; nothing is done.
    #[serde(rename = "error_in_200")]
    ErrorIn200,
    /// Status 200 with an HTML page, as a proxy sends one; nothing is done.
    Html,
    /// The work is done and kept, the answer is 200 without a body.
    EmptyBody,
    /// A redirect to a sign-in page; nothing is done.
    Redirect,
    /// The answer or event names a state that nobody documented; the kept one is right.
    UnknownStatus,
    /// The amounts in the answer or event are too high; the kept ones are right.
    WrongAmount,
    /// The answer or event names another currency; the kept one is right.
    WrongCurrency,
    /// A call starts late by real time; an event becomes due late by the simulator's clock.
    Delay,
    /// An event is delivered twice.
    Duplicate,
    /// An event is held back until a later one was delivered, or until the delay has passed.
    Reorder,
    /// A refund succeeds and fails later; a payment that looked paid is taken back later.
    LateFailure,
    /// A refund stays pending and fails later.
    BouncedRefund,
    /// A payout is paid and comes back later.
    ReturnedPayout,
    /// Only a part of what is due is settled; the rest waits for the next settlement.
    PartialSettlement,
    /// The settlement takes more fees than was said at the capture.
    FeeDrift,
    /// An event says it was sent `skew_s` seconds later (or, below zero, earlier) than it was.
    ClockSkew,
    /// An event is signed with the oldest active secret, or with an unknown newer one.
    KeyRotation,
    /// From this call on every answer is 503, for the delay by the simulator's clock.
    Down,
}

impl FaultPoint {
    /// Whether this kind means something at this point.
    fn allows(self, kind: FaultKind) -> bool {
        use FaultKind as K;
        match kind {
            K::Duplicate | K::Reorder | K::ClockSkew | K::KeyRotation => self == Self::Webhook,
            K::PartialSettlement | K::FeeDrift => self == Self::Settlement,
            K::Delay | K::WrongAmount | K::WrongCurrency | K::UnknownStatus => {
                self != Self::Settlement
            }
            K::LateFailure => matches!(
                self,
                Self::Create | Self::Confirm | Self::Capture | Self::Refund | Self::Token
            ),
            K::BouncedRefund => self == Self::Refund,
            K::ReturnedPayout => self == Self::Payout,
            K::LostAnswer
            | K::Timeout
            | K::Http500
            | K::Http500After
            | K::Http429
            | K::ErrorIn200
            | K::Html
            | K::EmptyBody
            | K::Redirect
            | K::Down => self.is_call(),
        }
    }

    /// Whether a caller waits for an answer there.
    fn is_call(self) -> bool {
        !matches!(self, Self::Webhook | Self::Settlement)
    }
}
