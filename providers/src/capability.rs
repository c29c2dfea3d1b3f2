//! What a gateway can do, as data: asked before any call is made.

use crate::error::ModelError;
use crate::model::words;
use crate::operation::OperationKind;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

words! {
    /// Whether a gateway offers something.
    Support {
        /// Yes.
        Yes = "yes",
        /// Only where the gateway enabled it for the account.
        OnRequest = "on_request",
        /// No.
        No = "no",
    }
}

words! {
    /// Who collects the instrument.
    Checkout {
        /// The shop, with the gateway's script: a token comes with the payment.
        Token = "token",
        /// The gateway, on a page of its own: the customer is sent there.
        HostedPage = "hosted_page",
    }
}

words! {
    /// What a believed delivery is worth.
    Trust {
        /// Its facts are booked.
        Fact = "fact",
        /// The scheme is weak: the gateway is asked before anything is booked.
        Hint = "hint",
    }
}

words! {
    /// How settlement lines are had.
    SettlementSource {
        /// By its API.
        Api = "api",
        /// By a file that somebody downloads.
        File = "file",
        /// Either way.
        ApiAndFile = "api_and_file",
    }
}

/// How an operation whose answer was lost is brought to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Recovery {
    /// The same request with the same key is recognised for so many hours.
    SameKey {
        /// At least so many hours.
        hours: u32,
    },
    /// [`crate::Operation::Find`] tells, complete after so many seconds. Where it finds nothing
    /// then, nothing happened, and the operation may be sent again.
    Find {
        /// How old the operation must be before "nothing there" is believed.
        after_seconds: u32,
    },
    /// The payment's own state tells: a sync is enough.
    Sync,
    /// The gateway cannot do the operation.
    Never,
}

/// How each operation that moves money is brought to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Recoveries {
    /// Making a payment known.
    pub create: Recovery,
    /// Trying it.
    pub confirm: Recovery,
    /// Taking held money.
    pub capture: Recovery,
    /// Giving up a hold.
    pub void: Recovery,
    /// Giving money back.
    pub refund: Recovery,
    /// Paying money out.
    pub payout: Recovery,
    /// Moving money to a vendor's account.
    pub transfer: Recovery,
}

impl Recoveries {
    /// The one for a kind of operation; a query is asked again.
    pub const fn of(&self, kind: OperationKind) -> Recovery {
        match kind {
            OperationKind::Create => self.create,
            OperationKind::Confirm => self.confirm,
            OperationKind::Capture => self.capture,
            OperationKind::Void => self.void,
            OperationKind::Refund => self.refund,
            OperationKind::Payout => self.payout,
            OperationKind::Transfer => self.transfer,
            _ => Recovery::Sync,
        }
    }
}

/// What one gateway can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Capabilities {
    /// Who collects the instrument.
    pub checkout: Checkout,
    /// Holding money and taking it later.
    pub manual_capture: Support,
    /// Taking less than was held.
    pub partial_capture: Support,
    /// Taking one hold in several parts.
    pub multiple_captures: Support,
    /// Giving up a hold.
    pub void: Support,
    /// Giving all of a payment back.
    pub refund: Support,
    /// Giving a part of a payment back.
    pub partial_refund: Support,
    /// Creating a payment without trying it at once.
    pub confirm_later: Support,
    /// Saving an instrument without a payment.
    pub save_instrument: Support,
    /// Keeping the instrument of a payment for later ones.
    pub keep_instrument: Support,
    /// Charging a saved instrument.
    pub charge_saved: Support,
    /// Forgetting a saved instrument.
    pub remove_instrument: Support,
    /// Paying out to a vendor's bank or account.
    pub payouts: Support,
    /// Calling off a payout that has not left.
    pub cancel_payout: Support,
    /// Moving money to a vendor's account at the gateway, and back.
    pub transfers: Support,
    /// Asking about disputes.
    pub read_disputes: Support,
    /// Giving in to a dispute or answering it.
    pub answer_disputes: Support,
    /// How settlement lines are had.
    pub settlement: SettlementSource,
    /// The fee is known with the answer or the event.
    pub fee_at_once: Support,
    /// Deliveries carry the time they were signed at.
    pub webhook_timestamp: Support,
    /// A delivery names an event id that stays the same when it is sent again.
    pub webhook_event_id: Support,
    /// What a believed delivery is worth.
    pub webhook_trust: Trust,
    /// How operations without an answer are brought to an end.
    pub recovery: Recoveries,
}
