//! What became of a transaction, in PayTabs' letters and codes.

/// The result of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// `response_status`.
    pub status: &'static str,
    /// `response_code`: the approval reference where there is one, else the reason.
    pub code: String,
    /// `response_message`.
    pub message: &'static str,
}

/// Reasons by code and by word. Code 400 is PayTabs' own failure, so its letter is another.
const REASONS: &[(&str, &str, &str)] = &[
    ("200", "invalid_card_number", "Invalid card number"),
    ("300", "card_declined", "Not authorised"),
    ("310", "authentication_failed", "3D Secure authentication rejected"),
    ("316", "insufficient_funds", "Insufficient funds"),
    ("345", "authentication_unfinished", "3D Secure authentication not completed"),
    ("400", "error", "Internal error"),
    ("501", "fraud", "Suspected fraud"),
];

/// The code of a decline that nobody gave a reason for.
pub const NOT_AUTHORISED: &str = "300";

impl Verdict {
    fn new(status: &'static str, code: &str, message: &'static str) -> Self {
        Self { status, code: code.to_owned(), message }
    }

    fn with_reference(status: &'static str, tran_ref: &str, message: &'static str) -> Self {
        let digits = tran_ref.get(tran_ref.len().saturating_sub(5)..).unwrap_or_default();
        Self { status, code: format!("G{digits}"), message }
    }

    /// Done.
    pub fn approved(tran_ref: &str) -> Self {
        Self::with_reference("A", tran_ref, "Authorised")
    }

    /// Approved, but somebody looks at it first.
    pub fn held(tran_ref: &str) -> Self {
        Self::with_reference("H", tran_ref, "Hold for review")
    }

    /// It was approved and is void.
    pub fn voided(tran_ref: &str) -> Self {
        Self::with_reference("V", tran_ref, "Voided")
    }

    /// The buyer or the bank has not answered.
    pub fn pending() -> Self {
        Self::new("P", "600", "Pending")
    }

    /// The buyer gave it up.
    pub fn cancelled() -> Self {
        Self::new("C", "321", "Cancelled")
    }

    /// Nobody paid in time.
    pub fn expired() -> Self {
        Self::new("X", "600", "Expired")
    }

    /// Declined for this reason, a code or a word; an unknown one is "not authorised".
    pub fn declined(reason: &str) -> Self {
        let known = REASONS.iter().find(|(code, word, _)| [*code, *word].contains(&reason));
        match known {
            Some((code @ "400", _, message)) => Self::new("E", code, message),
            Some((code, _, message)) => Self::new("D", code, message),
            None => Self::new("D", NOT_AUTHORISED, "Not authorised"),
        }
    }
}
