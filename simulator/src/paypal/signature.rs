//! The signature on webhooks: RSA over a line of text that names the body's checksum.
//!
//! The text is `transmission id|time|webhook id|CRC-32 of the body in decimal`, signed with
//! `SHA256withRSA`. The keys and certificates are test keys in the folder `test_keys`.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The only algorithm.
pub const ALGORITHM: &str = "SHA256withRSA";
/// The root that receivers trust.
pub const ROOT: &str = include_str!("test_keys/root.pem");
const FIRST: (&str, &str) = (
    include_str!("test_keys/first.key.pem"),
    concat!(include_str!("test_keys/first.pem"), include_str!("test_keys/issuer.pem")),
);
const SECOND: (&str, &str) = (
    include_str!("test_keys/second.key.pem"),
    concat!(include_str!("test_keys/second.pem"), include_str!("test_keys/issuer.pem")),
);

/// A key with its certificate.
pub struct Signer {
    /// The last part of the certificate's address.
    pub name: &'static str,
    /// The certificate and the authority that made it, in PEM.
    pub chain: &'static str,
    key: Option<RsaKeyPair>,
}

impl Signer {
    fn new(name: &'static str, (key, chain): (&str, &'static str)) -> Self {
        let base64: String = key.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(base64).unwrap_or_default();
        Self { name, chain, key: RsaKeyPair::from_pkcs8(&der).ok() }
    }

    /// The signature in base64.
    pub fn sign(&self, text: &str) -> String {
        // The keys are there at compile time; an empty signature never verifies.
        let Some(key) = &self.key else { return String::new() };
        let mut signature = vec![0; key.public_modulus_len()];
        let signed =
            key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature);
        if signed.is_ok() { STANDARD.encode(signature) } else { String::new() }
    }

    /// Whether this key signed the text.
    pub fn verifies(&self, text: &str, signature: &str) -> bool {
        let Some(key) = &self.key else { return false };
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        let public = key.public_key().as_ref();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
        public.verify(text.as_bytes(), &signature).is_ok()
    }
}

/// The key in use, and its successor.
pub fn signers() -> [Signer; 2] {
    [
        Signer::new("CERT-360caa42-fca2a594-00000001", FIRST),
        Signer::new("CERT-360caa42-fca2a594-00000002", SECOND),
    ]
}

/// What is signed.
pub fn text(transmission_id: &str, time: &str, webhook_id: &str, body: &[u8]) -> String {
    format!("{transmission_id}|{time}|{webhook_id}|{}", crc32(body))
}

/// CRC-32 of IEEE 802.3.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let divides = (crc & 1).wrapping_neg();
            crc = (crc >> 1) ^ (0xEDB8_8320 & divides);
        }
    }
    !crc
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn sample(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_text_of_published_deliveries_is_made_again() {
        let samples = [
            include_str!("../../fixtures/paypal/offline.real-2017-sandbox.json"),
            include_str!("../../fixtures/paypal/offline.own-key.json"),
        ];
        for sample in samples.map(sample) {
            let header = |name: &str| sample["message"]["headers"][name].as_str().unwrap();
            let body = sample["message"]["raw_body"].as_str().unwrap();
            let made = text(
                header("paypal-transmission-id"),
                header("paypal-transmission-time"),
                sample["config"]["webhook_id"].as_str().unwrap(),
                body.as_bytes(),
            );
            let expected = sample["config"]["signed_string"].as_str().unwrap();
            assert_eq!(made, expected);
            let crc = sample["expect"]["crc32"].as_u64().unwrap();
            assert_eq!(u64::from(crc32(body.as_bytes())), crc);
        }
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_key_verifies_what_it_signed_and_nothing_else() {
        let [first, second] = signers();
        let signed = first.sign("a|b|c|1");
        assert!(first.verifies("a|b|c|1", &signed));
        assert!(!first.verifies("a|b|c|2", &signed));
        assert!(!second.verifies("a|b|c|1", &signed));
        assert!(!first.verifies("a|b|c|1", "not base64!"));
    }
}
