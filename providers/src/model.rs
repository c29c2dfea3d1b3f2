//! The words every gateway is translated into: names, references, keys, states and fees.

use std::fmt;
use std::str::FromStr;

use mizan_money::Money;
use serde::Serialize;

use crate::error::ModelError;

/// A gateway this build knows. Displayed and stored as its lower-case name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ProviderName {
    /// Stripe.
    Stripe,
    /// Razorpay.
    Razorpay,
    /// Telr.
    Telr,
    /// PayTabs.
    Paytabs,
    /// PayPal.
    Paypal,
}

impl ProviderName {
    /// Every gateway of this build, in the order they are listed to people.
    pub const ALL: &'static [Self] =
        &[Self::Stripe, Self::Razorpay, Self::Telr, Self::Paytabs, Self::Paypal];

    /// The lower-case name used in addresses, tables and command lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stripe => "stripe",
            Self::Razorpay => "razorpay",
            Self::Telr => "telr",
            Self::Paytabs => "paytabs",
            Self::Paypal => "paypal",
        }
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ProviderName {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        Self::ALL
            .iter()
            .copied()
            .find(|name| name.as_str() == text)
            .ok_or_else(|| ModelError::UnknownProvider { name: text.chars().take(40).collect() })
    }
}

/// A gateway's own id of a payment, charge, refund, dispute, payout or transfer.
///
/// 1 to 255 characters that need no escaping in a path, so it can never change the address of a
/// request it is put into.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ProviderRef(String);

impl ProviderRef {
    /// Reads a reference.
    ///
    /// # Errors
    /// [`ModelError::ProviderRef`] when it is empty, longer than 255 characters, a run of dots or
    /// holds anything but ASCII letters, digits and `_-.:~`.
    pub fn parse(text: impl Into<String>) -> Result<Self, ModelError> {
        let text = text.into();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.:~".contains(&b);
        let dots = text.bytes().all(|b| b == b'.');
        if text.is_empty() || text.len() > 255 || dots || !text.bytes().all(plain) {
            return Err(ModelError::ProviderRef { length: text.len() });
        }
        Ok(Self(text))
    }

    /// The reference as the gateway wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ProviderRef {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        Self::parse(text)
    }
}

/// Our key for one operation at a gateway: the same key always means the same operation.
///
/// 1 to 255 visible ASCII characters, the bound Stripe documents and the tightest that all
/// gateways with keys share.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Reads a key.
    ///
    /// # Errors
    /// [`ModelError::IdempotencyKey`] when it is empty, too long or not visible ASCII.
    pub fn parse(text: impl Into<String>) -> Result<Self, ModelError> {
        let text = text.into();
        if text.is_empty() || text.len() > 255 || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(ModelError::IdempotencyKey { length: text.len() });
        }
        Ok(Self(text))
    }

    /// The key as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Declares a closed set of words with their spelling in tables, logs and answers.
macro_rules! words {
    (
        $(#[$doc:meta])*
        $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every word of the set.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it is stored and shown.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = ModelError;

            fn from_str(text: &str) -> Result<Self, ModelError> {
                let known = Self::ALL.iter().copied().find(|word| word.as_str() == text);
                known.ok_or_else(|| ModelError::UnknownWord {
                    set: stringify!($name),
                    word: text.chars().take(40).collect(),
                })
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What a gateway says of a payment.
    PaymentStatus {
        /// Known to the gateway, nothing tried yet.
        Created = "created",
        /// The customer must do something: 3-D Secure, a hosted page, a voucher.
        RequiresAction = "requires_action",
        /// The gateway is working on it; bank debits take days.
        Processing = "processing",
        /// The money is held, not taken.
        Authorised = "authorised",
        /// The money is taken.
        Captured = "captured",
        /// The attempt failed; nothing was taken.
        Failed = "failed",
        /// Cancelled or expired before any money was taken.
        Cancelled = "cancelled",
        /// Taken, and then given back by the bank.
        Reversed = "reversed",
        /// A word we do not know. Never a success.
        Unknown = "unknown",
    }
}

words! {
    /// What a gateway says of a refund.
    RefundStatus {
        /// Accepted, not yet with the customer.
        Pending = "pending",
        /// Sent to the customer. Not final: it may still fail days later.
        Succeeded = "succeeded",
        /// The money is back with us.
        Failed = "failed",
        /// Called off before it was sent.
        Cancelled = "cancelled",
        /// A word we do not know. Never a success.
        Unknown = "unknown",
    }
}

words! {
    /// What a gateway says of a dispute.
    DisputeStatus {
        /// An inquiry or early warning, open or closed: no money moved.
        Warning = "warning",
        /// Evidence is asked of us.
        NeedsResponse = "needs_response",
        /// The bank decides.
        UnderReview = "under_review",
        /// Decided for us.
        Won = "won",
        /// Decided against us.
        Lost = "lost",
        /// A word we do not know.
        Unknown = "unknown",
    }
}

words! {
    /// What a gateway says of a payout to a bank account.
    PayoutStatus {
        /// Queued at the gateway.
        Pending = "pending",
        /// On its way.
        InTransit = "in_transit",
        /// Said to have arrived. Not final: it may still be returned.
        Paid = "paid",
        /// Did not arrive.
        Failed = "failed",
        /// Called off before it left.
        Cancelled = "cancelled",
        /// Arrived and came back.
        Returned = "returned",
        /// A word we do not know.
        Unknown = "unknown",
    }
}

words! {
    /// What a gateway says of a transfer to a connected account.
    TransferStatus {
        /// Moved.
        Created = "created",
        /// A part came back.
        PartiallyReversed = "partially_reversed",
        /// All of it came back.
        Reversed = "reversed",
        /// Did not move.
        Failed = "failed",
    }
}

words! {
    /// When the money is taken.
    CaptureMethod {
        /// As soon as the bank agrees.
        Automatic = "automatic",
        /// When we say so, by a capture.
        Manual = "manual",
    }
}

words! {
    /// Whether creating a payment also tries it.
    Confirmation {
        /// Create and try at once; needs a payment method.
        Now = "now",
        /// Create only; a confirm follows.
        Later = "later",
    }
}

words! {
    /// Whether more captures of the same hold will follow.
    Finality {
        /// The last one: the gateway releases the rest.
        Final = "final",
        /// More will follow; only where the gateway offers it.
        More = "more",
    }
}

words! {
    /// Why a hold is given up.
    VoidReason {
        /// The customer asked.
        RequestedByCustomer = "requested_by_customer",
        /// The same order was placed twice.
        Duplicate = "duplicate",
        /// It looks like fraud.
        Fraudulent = "fraudulent",
        /// The customer did not come back.
        Abandoned = "abandoned",
    }
}

words! {
    /// Why money goes back.
    RefundReason {
        /// The customer asked.
        RequestedByCustomer = "requested_by_customer",
        /// The same order was paid twice.
        Duplicate = "duplicate",
        /// It looks like fraud.
        Fraudulent = "fraudulent",
        /// Anything else; nothing is sent to the gateway.
        Other = "other",
    }
}

/// What the customer must do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum NextAction {
    /// Open this address; the way back is a hint only, the gateway is asked for the result.
    Redirect {
        /// Absolute http or https address at the gateway.
        url: String,
    },
    /// Nothing of the customer any more: they agreed, and a confirm takes or holds the money.
    Confirm,
    /// Something our pages cannot show (a QR code, the gateway's own script).
    Unsupported {
        /// The gateway's name for it.
        kind: String,
    },
}

/// What the gateway kept for itself, in the currency of the settlement.
///
/// `gross = fee + tax + net`. The settlement currency may differ from the payment's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderFee {
    /// What the row moved before fees; negative for a refund's row.
    pub gross: Money,
    /// The fee without its tax; negative when the gateway gave a fee back.
    pub fee: Money,
    /// The tax on the fee.
    pub tax: Money,
    /// What is added to our balance at the gateway.
    pub net: Money,
    /// The gateway's id of the row, by which a settlement file finds it again.
    pub balance_transaction: ProviderRef,
}
