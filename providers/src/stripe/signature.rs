//! `Stripe-Signature: t=UNIX,v1=HEX[,v1=HEX…][,v0=HEX]` over `t.body` (docs.stripe.com/webhooks).

use chrono::DateTime;
use mizan_money::Timestamp;
use secrecy::SecretString;

use crate::error::VerifyError;
use crate::event::VerifiedDelivery;
use crate::http::Headers;
use crate::signature::{
    MAX_SIGNATURES, check_body, check_window, digest_id, hmac_sha256_fits, single_header,
};
use crate::stripe::wire::EventName;

const HEADER: &str = "Stripe-Signature";

/// How many seconds a signature is good for, before and after its time.
pub(super) const WINDOW_SECONDS: i64 = 300;

/// Decides whether a delivery is Stripe's.
///
/// Every `v1` is tried with every secret: while a secret rotates Stripe signs with both, in any
/// order. `v0` is a fake one of test events and is ignored, as are schemes to come. The secret is
/// used whole, `whsec_` included.
pub(super) fn verify(
    body: &[u8],
    headers: &Headers,
    secrets: &[SecretString],
    now: Timestamp,
) -> Result<VerifiedDelivery, VerifyError> {
    if secrets.is_empty() {
        return Err(VerifyError::NoSecrets);
    }
    check_body(body)?;
    let header = Header::parse(single_header(headers, HEADER)?)?;
    let parts = [header.time_text.as_bytes(), b".", body];
    let fits = |secret: &SecretString| {
        header.signatures.iter().any(|candidate| hmac_sha256_fits(secret, &parts, candidate))
    };
    let secret_index = secrets.iter().position(fits).ok_or(VerifyError::NoMatch)?;
    check_window(header.time, now, WINDOW_SECONDS)?;
    let named = serde_json::from_slice::<EventName>(body).map(|event| event.id);
    let dedupe_id = match named {
        Ok(id) if !id.is_empty() && id.len() <= 255 => id,
        _ => digest_id(body),
    };
    Ok(VerifiedDelivery {
        dedupe_id,
        signed_at: DateTime::from_timestamp(header.time, 0),
        secret_index,
    })
}

struct Header<'a> {
    time_text: &'a str,
    time: i64,
    signatures: Vec<Vec<u8>>,
}

impl<'a> Header<'a> {
    fn parse(text: &'a str) -> Result<Self, VerifyError> {
        let malformed = |problem| VerifyError::MalformedHeader { name: HEADER, problem };
        let mut times = Vec::new();
        let mut signatures = Vec::new();
        for (scheme, value) in text.split(',').filter_map(|part| part.split_once('=')) {
            match scheme {
                "t" => times.push(value),
                "v1" => signatures.push(value),
                _ => {}
            }
        }
        let [time_text] = times[..] else {
            return Err(malformed("it needs exactly one t"));
        };
        if signatures.is_empty() {
            return Err(malformed("it has no v1"));
        }
        if signatures.len() > MAX_SIGNATURES {
            return Err(malformed("it has more than 16 signatures"));
        }
        let digits = !time_text.is_empty() && time_text.bytes().all(|b| b.is_ascii_digit());
        let time = time_text.parse().ok().filter(|_| digits);
        let time = time.ok_or(malformed("its t is not a time in seconds"))?;
        let signatures = signatures.into_iter().filter_map(lower_hex).collect();
        Ok(Self { time_text, time, signatures })
    }
}

/// 32 bytes in lower-case hex; anything else fits nothing.
fn lower_hex(text: &str) -> Option<Vec<u8>> {
    let lower = text.len() == 64 && !text.bytes().any(|b| b.is_ascii_uppercase());
    lower.then(|| hex::decode(text).ok()).flatten()
}
