//! Comparing and making secrets, for every gateway.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// HMAC-SHA256.
pub fn hmac_sha256(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length, so the error cannot happen; an empty digest never verifies.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(bytes);
    mac.finalize().into_bytes().to_vec()
}

/// Whether two secrets are the same, in a time that does not depend on where they differ.
pub fn same_secret(presented: &str, expected: &str) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(b"compare") else { return false };
    mac.update(presented.as_bytes());
    mac.verify_slice(&hmac_sha256(b"compare", expected.as_bytes())).is_ok()
}

/// Text from base64; `None` when it is not base64 or not text.
pub fn decode_base64(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0_u32);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = (held << 6) | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_with_and_without_padding() {
        assert_eq!(decode_base64("a2V5OnNlY3JldA==").unwrap(), "key:secret");
        assert_eq!(decode_base64("a2V5OnNlY3JldA").unwrap(), "key:secret");
        assert_eq!(decode_base64("a2V5!"), None);
    }

    #[test]
    fn secrets_are_the_same_only_when_every_byte_is() {
        assert!(same_secret("sk_test_a", "sk_test_a"));
        assert!(!same_secret("sk_test_a", "sk_test_b"));
        assert!(!same_secret("", "sk_test_b"));
    }
}
