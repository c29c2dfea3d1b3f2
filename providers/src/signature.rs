//! What every signature scheme shares: bounds, a time window, and a comparison in constant time.

use hmac::{Hmac, KeyInit, Mac};
use mizan_money::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::error::VerifyError;
use crate::http::Headers;

/// Largest body that is looked at, in bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;
/// Longest signature header that is looked at, in bytes.
pub const MAX_HEADER_BYTES: usize = 4096;
/// Most signatures that are tried of one header.
pub const MAX_SIGNATURES: usize = 16;

/// Whether `candidate` is the HMAC-SHA256 of the parts, one after the other, under the secret's
/// own text. The comparison takes the same time wherever the first difference is.
pub fn hmac_sha256_fits(secret: &SecretString, parts: &[&[u8]], candidate: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
        return false;
    };
    for part in parts {
        mac.update(part);
    }
    mac.verify_slice(candidate).is_ok()
}

/// Refuses bodies over the bound before anything is computed over them.
///
/// # Errors
/// [`VerifyError::BodyTooLarge`].
pub fn check_body(body: &[u8]) -> Result<(), VerifyError> {
    if body.len() > MAX_BODY_BYTES {
        return Err(VerifyError::BodyTooLarge { length: body.len(), limit: MAX_BODY_BYTES });
    }
    Ok(())
}

/// The one value of a header that must be there exactly once, within the bound.
///
/// # Errors
/// When it is missing, repeated or too long.
pub fn single_header<'a>(headers: &'a Headers, name: &'static str) -> Result<&'a str, VerifyError> {
    let mut values = headers.get_all(name);
    let value = values.next().ok_or(VerifyError::MissingHeader { name })?;
    if values.next().is_some() {
        return Err(VerifyError::RepeatedHeader { name });
    }
    if value.len() > MAX_HEADER_BYTES {
        return Err(VerifyError::MalformedHeader { name, problem: "longer than 4096 bytes" });
    }
    Ok(value)
}

/// Refuses signatures made more than `limit` seconds before or after `now`.
///
/// # Errors
/// [`VerifyError::TooOld`] or [`VerifyError::FromTheFuture`].
pub fn check_window(signed_at: i64, now: Timestamp, limit: i64) -> Result<(), VerifyError> {
    let age = now.timestamp().saturating_sub(signed_at);
    if age > limit {
        return Err(VerifyError::TooOld { seconds: age, limit });
    }
    if age < -limit {
        return Err(VerifyError::FromTheFuture { seconds: age.saturating_neg(), limit });
    }
    Ok(())
}

/// The name of a delivery whose gateway gives it none: the digest of its bytes.
pub fn digest_id(body: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(body)))
}
