//! Stripe's webhook signature: HMAC-SHA256 over the time, a dot and the body.

use hmac::{Hmac, KeyInit, Mac};
use mizan_money::Timestamp;
use sha2::Sha256;

/// The value of `Stripe-Signature`: one `v1` for every active secret, and a fake `v0`, as test
/// events of the real service carry one that must be ignored.
pub fn sign(secrets: &[String], now: Timestamp, body: &str) -> String {
    let time = now.timestamp();
    let mut header = format!("t={time}");
    for secret in secrets {
        let digest = digest(secret.as_bytes(), format!("{time}.{body}").as_bytes());
        header.push_str(&format!(",v1={}", hex::encode(digest)));
    }
    let fake = hex::encode(digest(b"v0", body.as_bytes()));
    header.push_str(&format!(",v0={fake}"));
    header
}

fn digest(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length, so the error cannot happen; an empty digest never verifies.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(bytes);
    mac.finalize().into_bytes().to_vec()
}

/// Whether two secrets are the same, in a time that does not depend on where they differ.
pub fn same_secret(presented: &str, expected: &str) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(b"compare") else { return false };
    mac.update(presented.as_bytes());
    mac.verify_slice(&digest(b"compare", expected.as_bytes())).is_ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn every_active_secret_adds_a_signature() {
        let now = Timestamp::from_timestamp(1_780_000_002, 0).unwrap();
        let secrets = ["whsec_a".to_owned(), "whsec_b".to_owned()];
        let header = sign(&secrets, now, "{}");
        assert!(header.starts_with("t=1780000002,v1="), "{header}");
        assert_eq!(header.matches("v1=").count(), 2);
        assert_eq!(header.matches("v0=").count(), 1);
    }

    #[test]
    fn secrets_are_the_same_only_when_every_byte_is() {
        assert!(same_secret("sk_test_a", "sk_test_a"));
        assert!(!same_secret("sk_test_a", "sk_test_b"));
        assert!(!same_secret("", "sk_test_b"));
    }
}
