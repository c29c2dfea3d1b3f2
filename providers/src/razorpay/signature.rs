//! `X-Razorpay-Signature`: the HMAC-SHA256 of the raw body in hex, under the endpoint's own secret
//! (razorpay.com/docs/webhooks/validate-test).
//!
//! The scheme signs no time, so a delivery never is too old: a repetition is recognised by its
//! name, and by the state of what it is about. Nothing signs the header with that name either;
//! whoever repeats genuine bytes under another name meets the state. After a secret is replaced,
//! older events are still signed with the old one, up to 15 days later.

use secrecy::SecretString;

use crate::error::VerifyError;
use crate::event::VerifiedDelivery;
use crate::http::Headers;
use crate::signature::{check_body, digest_id, hmac_sha256_fits, single_header};

const SIGNATURE: &str = "X-Razorpay-Signature";
const EVENT_ID: &str = "X-Razorpay-Event-Id";

/// Decides whether a delivery is Razorpay's; the secret is the webhook's, never the API key's.
pub(super) fn verify(
    body: &[u8],
    headers: &Headers,
    secrets: &[SecretString],
) -> Result<VerifiedDelivery, VerifyError> {
    if secrets.is_empty() {
        return Err(VerifyError::NoSecrets);
    }
    check_body(body)?;
    let candidate = lower_hex(single_header(headers, SIGNATURE)?).ok_or({
        let problem = "it is not 64 lower-case hexadecimal digits";
        VerifyError::MalformedHeader { name: SIGNATURE, problem }
    })?;
    let fits = |secret: &SecretString| hmac_sha256_fits(secret, &[body], &candidate);
    let secret_index = secrets.iter().position(fits).ok_or(VerifyError::NoMatch)?;
    let dedupe_id = named(headers).unwrap_or_else(|| digest_id(body));
    Ok(VerifiedDelivery { dedupe_id, signed_at: None, secret_index })
}

/// The event's id, where the header is there once and can be one.
fn named(headers: &Headers) -> Option<String> {
    let id = single_header(headers, EVENT_ID).ok()?;
    let plain = (1..=255).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    plain.then(|| id.to_owned())
}

/// 32 bytes in lower-case hex.
fn lower_hex(text: &str) -> Option<Vec<u8>> {
    let lower = text.len() == 64 && !text.bytes().any(|b| b.is_ascii_uppercase());
    lower.then(|| hex::decode(text).ok()).flatten()
}
