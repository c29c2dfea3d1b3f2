//! Stripe's webhook signature: HMAC-SHA256 over the time, a dot and the body.

use mizan_money::Timestamp;

use crate::secret::hmac_sha256;

/// The value of `Stripe-Signature`: one `v1` for every active secret, and a fake `v0`, as test
/// events of the real service carry one that must be ignored.
pub fn sign(secrets: &[String], now: Timestamp, body: &str) -> String {
    let time = now.timestamp();
    let mut header = format!("t={time}");
    for secret in secrets {
        let digest = hmac_sha256(secret.as_bytes(), format!("{time}.{body}").as_bytes());
        header.push_str(&format!(",v1={}", hex::encode(digest)));
    }
    let fake = hex::encode(hmac_sha256(b"v0", body.as_bytes()));
    header.push_str(&format!(",v0={fake}"));
    header
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
}
