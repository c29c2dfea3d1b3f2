//! PayTabs' JSON, as little of it as we use, tolerant of everything else.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A text or a number, as it was written: an amount never becomes a float. It can be read only
/// straight from JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scalar(pub(super) String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        match text.bytes().next() {
            Some(b'"') => serde_json::from_str(text).map(Self).map_err(D::Error::custom),
            Some(b'-' | b'0'..=b'9') => Ok(Self(text.to_owned())),
            _ => Err(D::Error::custom("neither a text nor a number")),
        }
    }
}

/// A transaction, as an answer, a query and a message tell it. An answer calls the profile
/// `profileId`, the others `profile_id`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Transaction {
    pub(super) tran_ref: String,
    pub(super) previous_tran_ref: Option<String>,
    pub(super) tran_type: String,
    pub(super) cart_id: String,
    pub(super) cart_currency: String,
    pub(super) cart_amount: Scalar,
    pub(super) tran_currency: Option<String>,
    pub(super) tran_total: Option<Scalar>,
    pub(super) redirect_url: Option<String>,
    pub(super) payment_result: Option<PaymentResult>,
    pub(super) payment_info: Option<PaymentInfo>,
    pub(super) token: Option<String>,
    #[serde(alias = "profileId")]
    pub(super) profile_id: Option<Scalar>,
    pub(super) trace: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct PaymentResult {
    pub(super) response_status: String,
    pub(super) response_code: Option<Scalar>,
    pub(super) response_message: Option<String>,
    pub(super) transaction_time: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct PaymentInfo {
    pub(super) card_scheme: Option<String>,
}

/// What stands for a transaction where there is none: an error, or the word that a token is
/// deleted. Only a code other than 0 is an error (paytabscom/php-sdk).
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Failure {
    pub(super) code: Option<Scalar>,
    pub(super) message: Option<String>,
    pub(super) trace: Option<String>,
}

impl Failure {
    /// The code, where it is an error's.
    pub(super) fn error(&self) -> Option<&str> {
        self.code.as_ref().map(|code| code.0.as_str()).filter(|code| *code != "0")
    }
}

/// What a message is told apart by; all a kind of no use to us need have.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Head {
    pub(super) tran_ref: Option<String>,
    pub(super) tran_type: String,
    pub(super) payment_result: Option<PaymentResult>,
}

impl Transaction {
    /// The type in lower case: answers write it capitalised, requests do not.
    pub(super) fn kind(&self) -> String {
        self.tran_type.to_ascii_lowercase()
    }

    /// The saved instrument's token, where there is one.
    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref().filter(|token| !token.is_empty())
    }

    /// The transaction it follows, where it names one.
    pub(super) fn previous(&self) -> Option<&str> {
        self.previous_tran_ref.as_deref().filter(|text| !text.is_empty())
    }
}

impl PaymentResult {
    /// The approval's reference, or the reason.
    pub(super) fn code(&self) -> &str {
        self.response_code.as_ref().map_or("", |code| code.0.as_str())
    }
}
