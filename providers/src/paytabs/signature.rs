//! How PayTabs signs: callback and IPN by the header `Signature`, a browser's return by a field
//! (support.paytabs.com: verifying the signature of IPN, callback and return; paytabscom/php-sdk).
//!
//! Both are HMAC-SHA256 in lower-case hex under the profile's server key. The header covers the
//! raw bytes. The field covers the other fields that are not empty, sorted by name and written as
//! PHP's `http_build_query` does; the same digest in a header would make that text a believed
//! message, so nothing but JSON is ever read as a transaction.
//!
//! Neither scheme signs a time: a repetition is recognised by its name.

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::error::VerifyError;
use crate::event::VerifiedDelivery;
use crate::http::Headers;
use crate::paytabs::event::name;
use crate::signature::{check_body, hmac_sha256_fits, single_header};

const SIGNATURE: &str = "Signature";
/// The field of a return with its signature.
const FIELD: &str = "signature";
/// Most fields of a return; there are about ten.
const MAX_FIELDS: usize = 64;

/// Decides whether a delivery is PayTabs'.
pub(super) fn verify(
    body: &[u8],
    headers: &Headers,
    secrets: &[SecretString],
) -> Result<VerifiedDelivery, VerifyError> {
    if secrets.is_empty() {
        return Err(VerifyError::NoSecrets);
    }
    check_body(body)?;
    let is_return = headers.get(SIGNATURE).is_none();
    let secret_index = match returned(body).filter(|_| is_return) {
        Some(fields) => verify_return(&fields, secrets)?,
        None => {
            let candidate = lower_hex(single_header(headers, SIGNATURE)?, SIGNATURE)?;
            let fits = |secret: &SecretString| hmac_sha256_fits(secret, &[body], &candidate);
            secrets.iter().position(fits).ok_or(VerifyError::NoMatch)?
        }
    };
    Ok(VerifiedDelivery { dedupe_id: name(body), signed_at: None, secret_index })
}

/// The fields of a browser's return, where a body is one: a form with a signature in it, each
/// field once.
pub(super) fn returned(body: &[u8]) -> Option<BTreeMap<String, String>> {
    let text = std::str::from_utf8(body).ok()?;
    if text.starts_with(['{', '[']) || !text.is_ascii() {
        return None;
    }
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(text).ok()?;
    let count = pairs.len();
    let fields: BTreeMap<String, String> = pairs.into_iter().collect();
    let plain = fields.len() == count && count <= MAX_FIELDS;
    (plain && fields.contains_key(FIELD)).then_some(fields)
}

/// A field `0` is signed by one library of PayTabs' and left out by others: both are tried, since
/// nothing is booked by a return.
fn verify_return(
    fields: &BTreeMap<String, String>,
    secrets: &[SecretString],
) -> Result<usize, VerifyError> {
    let candidate = lower_hex(fields.get(FIELD).map_or("", String::as_str), FIELD)?;
    let texts = [
        canonical(fields, |value| value.is_empty()),
        canonical(fields, |value| value.is_empty() || value == "0"),
    ];
    let fits = |secret: &SecretString| {
        texts.iter().any(|text| hmac_sha256_fits(secret, &[text.as_bytes()], &candidate))
    };
    secrets.iter().position(fits).ok_or(VerifyError::NoMatch)
}

/// What a return signs, by the rules of PHP's `array_filter`, `ksort` and `http_build_query`.
fn canonical(fields: &BTreeMap<String, String>, left_out: impl Fn(&str) -> bool) -> String {
    let signed = fields.iter().filter(|(name, value)| *name != FIELD && !left_out(value));
    let pairs: Vec<String> =
        signed.map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    pairs.join("&")
}

/// Letters, digits, `-`, `_` and `.` stay, a space is `+`, all else is `%XX`: also `~` and `*`,
/// which other encoders leave alone.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// 32 bytes in lower-case hex.
fn lower_hex(text: &str, name: &'static str) -> Result<Vec<u8>, VerifyError> {
    let lower = text.len() == 64 && !text.bytes().any(|b| b.is_ascii_uppercase());
    lower.then(|| hex::decode(text).ok()).flatten().ok_or({
        let problem = "it is not 64 lower-case hexadecimal digits";
        VerifyError::MalformedHeader { name, problem }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_return_is_written_as_php_writes_it() {
        let fields = [
            ("tranRef", "TST0000000000002"),
            ("signature", "…"),
            ("token", ""),
            ("respMessage", "Not authorised"),
            ("respStatus", "D"),
            ("respCode", "300"),
            ("cartId", "B~2*3"),
            ("customerEmail", "a+b@example.com"),
            ("acquirerMessage", "Refer to bank (01)"),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert_eq!(
            canonical(&fields, str::is_empty),
            "acquirerMessage=Refer+to+bank+%2801%29&cartId=B%7E2%2A3\
             &customerEmail=a%2Bb%40example.com&respCode=300&respMessage=Not+authorised\
             &respStatus=D&tranRef=TST0000000000002"
        );
    }
}
