//! Settlement lines: what moved our balance at a gateway, by its own report or file.

use std::fmt;
use std::str::FromStr;

use mizan_money::id::PaymentIntentId;
use mizan_money::{Money, Timestamp};
use serde::Serialize;

use crate::error::ModelError;
use crate::model::{ProviderRef, words};

/// List what moved the balance, a page at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSettlement {
    /// From this time.
    pub from: Timestamp,
    /// To before this time. Gateways bound the span; the adapter refuses a longer one.
    pub to: Timestamp,
    /// Only the lines of this payout or settlement, where the gateway can tell.
    pub settlement: Option<ProviderRef>,
    /// Where the page before ended, as [`SettlementPage::next`] told it.
    pub page: Option<String>,
}

words! {
    /// What a settlement line is about.
    SettlementKind {
        /// A payment was taken.
        Charge = "charge",
        /// A payment was given back.
        Refund = "refund",
        /// A refund came back.
        RefundFailure = "refund_failure",
        /// A dispute took money.
        Dispute = "dispute",
        /// A dispute gave it back.
        DisputeReversal = "dispute_reversal",
        /// A fee of its own.
        Fee = "fee",
        /// Money was moved to a vendor's account.
        Transfer = "transfer",
        /// It came back.
        TransferReversal = "transfer_reversal",
        /// Money was paid out from the balance: to our bank, or to a vendor.
        Payout = "payout",
        /// A payout came back.
        PayoutReversal = "payout_reversal",
        /// Money was put on the balance.
        TopUp = "top_up",
        /// One currency became another.
        Conversion = "conversion",
        /// The gateway set something right, or held something back.
        Adjustment = "adjustment",
        /// A word we do not know: a break for people, never dropped.
        Unknown = "unknown",
    }
}

/// One line of a settlement: `net = gross - fee - tax`, all in the currency of the balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlementLine {
    /// What names the line, the same on every reading.
    pub line_ref: String,
    /// What it is about.
    pub kind: SettlementKind,
    /// The gateway's own word for that.
    pub word: String,
    /// The charge, refund, dispute, transfer or payout that caused it.
    pub source_ref: Option<ProviderRef>,
    /// The payment behind that.
    pub payment_ref: Option<ProviderRef>,
    /// Our payment, as the gateway's reference says.
    pub reference: Option<PaymentIntentId>,
    /// What moved before fees; negative when it left us.
    pub gross: Money,
    /// The gateway's fee without its tax; negative when it was given back.
    pub fee: Money,
    /// The tax on the fee.
    pub tax: Money,
    /// What the balance changed by.
    pub net: Money,
    /// The amount before a conversion, where there was one.
    pub original: Option<Money>,
    /// The payout to our bank it is part of.
    pub settlement_ref: Option<ProviderRef>,
    /// The bank's reference of that payout.
    pub bank_reference: Option<String>,
    /// When it happened.
    pub occurred_at: Option<Timestamp>,
    /// When it could be, or was, paid out.
    pub available_at: Option<Timestamp>,
}

/// Some lines, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlementPage {
    /// The lines.
    pub lines: Vec<SettlementLine>,
    /// What to ask for next; none at the end.
    pub next: Option<String>,
    /// Up to when the report is complete, where the gateway says so.
    pub complete_until: Option<Timestamp>,
}
