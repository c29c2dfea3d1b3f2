//! Telr's response codes: the number decides, the text is for people.

use crate::bank::work::Refusal;

/// A code for a request that was not done, with a note for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The number.
    pub code: u16,
    /// What exactly.
    pub note: String,
}

impl Failure {
    /// A code without a note.
    pub fn of(code: u16) -> Self {
        Self::because(code, "")
    }

    /// A code with a note.
    pub fn because(code: u16, note: &str) -> Self {
        Self { code, note: note.to_owned() }
    }

    /// `E56:Duplicate transaction`, as the JSON surfaces write it.
    pub fn text(&self) -> String {
        format!("E{:02}:{}", self.code, message(self.code))
    }
}

/// What the bank refuses although it was looked at before.
impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Missing => Self::of(22),
            Refusal::Amount { .. } | Refusal::Balance { .. } => Self::of(29),
            Refusal::State { state } => Self::because(25, &state),
        }
    }
}

/// The letter that goes with a code of something that was not done.
pub fn letter(code: u16) -> &'static str {
    match code {
        33 => "C",
        53 => "X",
        31 | 32 | 34 | 37 | 41 | 42 | 46 | 47 | 57 | 61..=70 | 90..=97 | 109..=124 => "D",
        _ => "E",
    }
}

/// The code of a decline, from a code or from words that several gateways know.
pub fn of_reason(reason: &str) -> u16 {
    match reason {
        "insufficient_funds" => 41,
        "authentication_failed" => 47,
        "payment_cancelled" => 33,
        other => other.parse().unwrap_or(31),
    }
}

/// The published text of a code.
pub fn message(code: u16) -> &'static str {
    match code {
        1 => "Invalid request",
        2 => "Transaction cost or currency not supplied",
        3 => "Cart ID not set",
        4 => "Invalid store ID",
        5 => "Transaction cost or currency not valid",
        10 => "Card number not supplied",
        22 => "Invalid transaction reference",
        23 => "Amount differs from original",
        24 => "Currency differs from original",
        25 => "Original transaction not authorised",
        26 => "Original transaction already voided",
        29 => "Amount greater than available balance",
        31 => "Not authorised",
        32 => "Original transaction cannot be voided",
        33 => "Cancelled",
        34 => "No response",
        35 => "Unable to refund",
        36 => "Previous transaction is on hold",
        37 => "Blocked by acquirer",
        39 => "Invalid transaction class",
        40 => "Invalid transaction type",
        41 => "Insufficient funds",
        42 => "Card security code (CVV) mismatch",
        45 => "Transaction mode differs from original",
        46 => "3DSecure authentication not available for this card",
        47 => "3DSecure authentication rejected",
        48 => "Description not set",
        52 => "Invalid Transaction Method",
        53 => "Authorisation expired",
        56 => "Duplicate transaction",
        57 => "Continuous authority not available on referenced transaction",
        58 => "Error connecting to service provider",
        62 => "Do not honor",
        70 => "Currently refund cannot be processed",
        98 => "Internal system error",
        99 => "Unknown error",
        106 => "Invalid path parameter",
        _ if letter(code) == "D" => "Declined",
        _ => "Error",
    }
}
