//! `PAYPAL-TRANSMISSION-SIG`: RSA (PKCS#1 1.5, SHA-256) over `id|time|webhook id|checksum`, with
//! the key of a certificate that the delivery names by its address.
//!
//! The checksum is the CRC-32 of the raw body, as an unsigned decimal. It finds accidents and no
//! malice: whoever holds a genuine delivery can make another body with its checksum. The signature
//! therefore proves that PayPal sent something to this webhook at that time; that the bytes are
//! those that were sent rests on the encrypted connection too. What is refused here is never
//! PayPal's; the gateway can be asked about what is believed.
//!
//! The time is signed and no window is held against it: PayPal repeats for three days and, by
//! hand, later. A repetition has the same event id.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mizan_money::Timestamp;
use secrecy::ExposeSecret;
use serde::Deserialize;

use crate::error::VerifyError;
use crate::event::VerifiedDelivery;
use crate::http::Headers;
use crate::paypal::certificate::{CERT_URL, Certificates};
use crate::paypal::wire;
use crate::provider::WebhookKeys;
use crate::signature::{check_body, digest_id, single_header};

const SIGNATURE: &str = "PAYPAL-TRANSMISSION-SIG";
const TRANSMISSION: &str = "PAYPAL-TRANSMISSION-ID";
const TIME: &str = "PAYPAL-TRANSMISSION-TIME";
const ALGORITHM: &str = "PAYPAL-AUTH-ALGO";

/// The only algorithm there is.
const SHA256_WITH_RSA: &str = "SHA256withRSA";

/// The address of the certificate, where it is one of PayPal's.
pub(super) fn certificate_url(
    certificates: &Certificates,
    headers: &Headers,
) -> Result<String, VerifyError> {
    let address = single_header(headers, CERT_URL)?;
    certificates.keepers(address)?;
    Ok(address.to_owned())
}

/// Decides whether a delivery is PayPal's, for any of the webhook ids.
pub(super) fn verify(
    certificates: &Certificates,
    body: &[u8],
    headers: &Headers,
    keys: WebhookKeys<'_>,
    now: Timestamp,
) -> Result<VerifiedDelivery, VerifyError> {
    if keys.secrets.is_empty() {
        return Err(VerifyError::NoSecrets);
    }
    check_body(body)?;
    let malformed = |name, problem| VerifyError::MalformedHeader { name, problem };
    if single_header(headers, ALGORITHM)? != SHA256_WITH_RSA {
        return Err(malformed(ALGORITHM, "it is not SHA256withRSA"));
    }
    let (transmission, time) =
        (single_header(headers, TRANSMISSION)?, single_header(headers, TIME)?);
    let signature = STANDARD.decode(single_header(headers, SIGNATURE)?);
    let signature = signature.map_err(|_| malformed(SIGNATURE, "it is not base64"))?;
    let worlds = certificates.keepers(single_header(headers, CERT_URL)?)?;
    let checksum = crc32(body);
    let fits = certificates.check(&worlds, keys.certificates, now, |cert| {
        keys.secrets.iter().position(|webhook| {
            let text = format!("{transmission}|{time}|{}|{checksum}", webhook.expose_secret());
            let algorithm = webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA256;
            cert.verify_signature(algorithm, text.as_bytes(), &signature).is_ok()
        })
    })?;
    let secret_index = fits.ok_or(VerifyError::NoMatch)?;
    Ok(VerifiedDelivery { dedupe_id: name(body), signed_at: wire::time(time), secret_index })
}

/// What a repetition is recognised by: the event's id, which is part of the body.
fn name(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    let plain =
        |id: &String| (1..=200).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    let named = serde_json::from_slice(body).ok().map(|Named { id }| id).filter(plain);
    named.map_or_else(|| digest_id(body), |id| format!("paypal:{id}"))
}

/// CRC-32 as in zip files and Ethernet (IEEE 802.3).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 }
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_usual_one_and_unsigned() {
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b"The quick brown fox jumps over the lazy dog"), 1_095_738_169);
    }
}
