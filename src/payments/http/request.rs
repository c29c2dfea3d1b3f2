//! What the commands of payments take in, and its checks at the door.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::{Code, Problem};
use crate::payments::create::AMOUNT_MAX;
use crate::payments::intent::Metadata;

/// How to confirm.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = ConfirmPaymentIntent)]
pub(super) struct ConfirmBody {
    /// The gateway's token of the instrument, where none was named at creation.
    pub(super) payment_method: Option<String>,
    /// Where the customer comes back to after a hosted page.
    pub(super) return_url: Option<String>,
    /// The connection to try it over, by its configured name; else routing chooses.
    pub(super) connection: Option<String>,
}

/// What to capture.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = CapturePaymentIntent)]
pub(super) struct CaptureBody {
    /// How much of the hold, in minor units; else all of it. The rest is released.
    #[schema(minimum = 1)]
    pub(super) amount: Option<i64>,
}

/// Why it is given up.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = CancelPaymentIntent)]
pub(super) struct CancelBody {
    /// For people, at most 200 characters.
    pub(super) cancellation_reason: Option<String>,
}

/// Two upper-case letters.
pub(super) fn check_country(text: Option<&str>) -> Result<(), Problem> {
    let fits = |it: &str| it.len() == 2 && it.bytes().all(|b| b.is_ascii_uppercase());
    if text.is_none_or(fits) {
        return Ok(());
    }
    let detail = "`country` is two upper-case letters of ISO 3166, such as AE.";
    Err(Problem::new(Code::InvalidField, detail).param("country"))
}

/// A word such as `card`.
pub(super) fn check_method(text: Option<&str>) -> Result<(), Problem> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let fits = |it: &str| {
        (1..=40).contains(&it.len())
            && it.bytes().all(plain)
            && it.starts_with(|c: char| c.is_ascii_lowercase())
    };
    if text.is_none_or(fits) {
        return Ok(());
    }
    let detail = "`payment_method_type` is a word such as `card` or `upi`: lower-case letters, \
                  digits and `_`, at most 40.";
    Err(Problem::new(Code::InvalidField, detail).param("payment_method_type"))
}

fn too_long(param: &str, max: usize) -> Problem {
    let detail = format!("`{param}` has at most {max} characters.");
    Problem::new(Code::InvalidField, detail).param(param)
}

/// Refuses what a column or the gateways would not hold.
pub(crate) fn check_text(param: &str, text: Option<&str>, max: usize) -> Result<(), Problem> {
    match text {
        Some(text) if text.is_empty() || text.chars().count() > max => Err(too_long(param, max)),
        Some(text) if text.contains('\0') => {
            let detail = format!("`{param}` holds a NUL character.");
            Err(Problem::new(Code::InvalidField, detail).param(param))
        }
        _ => Ok(()),
    }
}

/// The most pairs of metadata: a gateway carries 50, of which two are ours.
const METADATA_MAX: usize = 48;

/// Refuses what is no gateway's token, above all a card number: it must never be stored.
pub(super) fn check_instrument(token: Option<&str>) -> Result<(), Problem> {
    let fits = |token: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.:".contains(&b);
        let digits = token.bytes().filter(u8::is_ascii_digit).count();
        let letters = token.bytes().filter(u8::is_ascii_alphabetic).count();
        (1..=255).contains(&token.len())
            && token.bytes().all(plain)
            && letters > 0
            && !(digits >= 12 && letters < 2)
    };
    match token {
        Some(token) if !fits(token) => {
            let detail = "`payment_method` is a gateway's token such as pm_…, never a card number.";
            Err(Problem::new(Code::InvalidField, detail).param("payment_method"))
        }
        _ => Ok(()),
    }
}

/// Refuses metadata beyond Stripe's bounds, which all gateways can carry.
pub(super) fn check_metadata(metadata: &Metadata) -> Result<(), Problem> {
    if metadata.len() > METADATA_MAX {
        let detail = format!("`metadata` has at most {METADATA_MAX} pairs.");
        return Err(Problem::new(Code::InvalidField, detail).param("metadata"));
    }
    for (key, value) in metadata {
        let param = format!("metadata.{}", key.chars().take(40).collect::<String>());
        check_text(&param, Some(key), 40)?;
        check_text(&param, Some(value).filter(|v| !v.is_empty()).map(String::as_str), 500)?;
        if key.contains(['[', ']']) || key.starts_with("mizan_") {
            let detail = "A key holds no square brackets and does not begin with `mizan_`.";
            return Err(Problem::new(Code::InvalidField, detail).param(param));
        }
    }
    Ok(())
}

pub(super) fn check_return_url(url: Option<&str>) -> Result<(), Problem> {
    check_text("return_url", url, 2_048)?;
    let web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    match url {
        Some(url) if !web(url) => {
            let detail = "`return_url` must begin with https:// or http://.";
            Err(Problem::new(Code::InvalidField, detail).param("return_url"))
        }
        _ => Ok(()),
    }
}

/// Checks an amount of minor units at the door.
pub(crate) fn check_amount(param: &str, amount: i64) -> Result<(), Problem> {
    if (1..=AMOUNT_MAX).contains(&amount) {
        return Ok(());
    }
    let detail = format!("`{param}` is {amount}; it goes from 1 to {AMOUNT_MAX} minor units.");
    Err(Problem::new(Code::InvalidAmount, detail).param(param))
}
