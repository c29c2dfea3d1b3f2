//! The test payment methods and what each of them does (Stripe's testing page).

use sha2::{Digest, Sha256};

/// What moves the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rail {
    Card,
    Bank,
}

impl Rail {
    /// Stripe's payment method type.
    pub fn word(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Bank => "us_bank_account",
        }
    }
}

/// A card network's no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decline {
    pub code: &'static str,
    pub decline_code: Option<&'static str>,
    pub advice_code: Option<&'static str>,
    pub message: &'static str,
}

/// How a payment method behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Says yes; the money is available in two days.
    Approves,
    /// Says yes; the money is available at once.
    Immediate,
    /// Says no.
    Declines(Decline),
    /// Wants the buyer to authenticate, then says yes.
    Challenges,
    /// Says yes; refunds are pending for a while.
    RefundsSlowly,
    /// Says yes; refunds succeed and fail later.
    RefundsBounce,
    /// A bank debit: processing for a while, then yes.
    SettlesLate,
    /// A bank debit: processing for a while, then no.
    FailsLate(Decline),
}

/// One test payment method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instrument {
    pub token: &'static str,
    pub behaviour: Behaviour,
    pub brand: &'static str,
    pub last4: &'static str,
    pub country: &'static str,
    pub rail: Rail,
}

impl Instrument {
    /// The same for the same card number, as a real fingerprint is.
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::digest(format!("{}{}", self.brand, self.last4));
        hex::encode(digest).chars().take(16).collect()
    }
}

const fn visa(token: &'static str, last4: &'static str, behaviour: Behaviour) -> Instrument {
    Instrument { token, behaviour, brand: "visa", last4, country: "US", rail: Rail::Card }
}

const fn bank(token: &'static str, last4: &'static str, behaviour: Behaviour) -> Instrument {
    Instrument { token, behaviour, brand: "", last4, country: "US", rail: Rail::Bank }
}

const fn declined(
    decline_code: &'static str,
    advice_code: &'static str,
    message: &'static str,
) -> Behaviour {
    Behaviour::Declines(Decline {
        code: "card_declined",
        decline_code: Some(decline_code),
        advice_code: Some(advice_code),
        message,
    })
}

const fn refused(code: &'static str, advice: &'static str, message: &'static str) -> Behaviour {
    let advice_code = Some(advice);
    Behaviour::Declines(Decline { code, decline_code: None, advice_code, message })
}

const NO: &str = "Your card was declined.";
const AGAIN: &str = "try_again_later";
const NEVER: &str = "do_not_try_again";
const CHECK: &str = "confirm_card_data";

static INSTRUMENTS: &[Instrument] = &[
    visa("pm_card_visa", "4242", Behaviour::Approves),
    Instrument { brand: "mastercard", ..visa("pm_card_mastercard", "4444", Behaviour::Approves) },
    Instrument { brand: "amex", ..visa("pm_card_amex", "8431", Behaviour::Approves) },
    Instrument { country: "AE", ..visa("pm_card_ae", "0001", Behaviour::Approves) },
    Instrument { country: "IN", ..visa("pm_card_in", "0008", Behaviour::Approves) },
    visa("pm_card_bypassPending", "0077", Behaviour::Immediate),
    visa("pm_card_authenticationRequired", "3184", Behaviour::Challenges),
    visa("pm_card_threeDSecure2Required", "3220", Behaviour::Challenges),
    visa("pm_card_pendingRefund", "7726", Behaviour::RefundsSlowly),
    visa("pm_card_refundFail", "5126", Behaviour::RefundsBounce),
    visa("pm_card_visa_chargeDeclined", "0002", declined("generic_decline", AGAIN, NO)),
    visa("pm_card_chargeDeclined", "0002", declined("generic_decline", AGAIN, NO)),
    visa("pm_card_chargeCustomerFail", "0341", declined("generic_decline", AGAIN, NO)),
    visa(
        "pm_card_visa_chargeDeclinedInsufficientFunds",
        "9995",
        declined("insufficient_funds", AGAIN, "Your card has insufficient funds."),
    ),
    visa("pm_card_visa_chargeDeclinedLostCard", "9987", declined("lost_card", NEVER, NO)),
    visa("pm_card_visa_chargeDeclinedStolenCard", "9979", declined("stolen_card", NEVER, NO)),
    visa(
        "pm_card_chargeDeclinedExpiredCard",
        "0069",
        refused("expired_card", CHECK, "Your card has expired."),
    ),
    visa(
        "pm_card_chargeDeclinedIncorrectCvc",
        "0127",
        refused("incorrect_cvc", CHECK, "Your card's security code is incorrect."),
    ),
    visa(
        "pm_card_chargeDeclinedProcessingError",
        "0119",
        refused("processing_error", AGAIN, "The card could not be processed; try again."),
    ),
    bank("pm_usBankAccount_success", "6789", Behaviour::SettlesLate),
    bank(
        "pm_usBankAccount_insufficientFunds",
        "2222",
        Behaviour::FailsLate(Decline {
            code: "payment_method_customer_decline",
            decline_code: Some("insufficient_funds"),
            advice_code: None,
            message: "The bank account has insufficient funds.",
        }),
    ),
];

/// The test payment method with this token.
pub fn find(token: &str) -> Option<&'static Instrument> {
    INSTRUMENTS.iter().find(|instrument| instrument.token == token)
}
