//! What an idempotency key is made of, and what it stands for.

use std::fmt;

use axum::http::{HeaderMap, HeaderName};
use mizan_money::TenantId;
use sha2::{Digest, Sha256};

use crate::http::{Code, Problem};

/// The request's header.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

const KEY_BYTES_MAX: usize = 255;

/// What a caller chose to name one thing that shall happen once: 1 to 255 visible ASCII bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdempotencyKey(String);

/// SHA-256 of a request's method, path with query, and body as it came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl IdempotencyKey {
    /// Checks a text.
    ///
    /// # Errors
    /// 400 `idempotency_key_invalid`.
    pub fn parse(text: &[u8]) -> Result<Self, Problem> {
        let visible = text.iter().all(u8::is_ascii_graphic);
        match String::from_utf8(text.to_vec()) {
            Ok(key) if visible && (1..=KEY_BYTES_MAX).contains(&key.len()) => Ok(Self(key)),
            _ => Err(Problem::new(
                Code::IdempotencyKeyInvalid,
                format!(
                    "The header has {} bytes; it needs 1 to {KEY_BYTES_MAX} visible ASCII \
                     characters.",
                    text.len()
                ),
            )),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The one key that a request's headers must have.
    ///
    /// # Errors
    /// 400 when there is none, several, or one of another form.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else {
            return Err(Problem::new(
                Code::IdempotencyKeyMissing,
                "This request moves money: name it with an Idempotency-Key header, so that \
                 sending it twice does it once.",
            ));
        };
        if values.next().is_some() {
            return Err(Problem::new(
                Code::IdempotencyKeyInvalid,
                "The header is there more than once.",
            ));
        }
        Self::parse(value.as_bytes())
    }

    /// What the advisory lock of this key is called. A collision costs one needless 409.
    pub(super) fn lock_number(&self, tenant: TenantId) -> i64 {
        let mut digest = Sha256::new();
        digest.update(b"idempotency\0");
        digest.update(tenant.0.to_be_bytes());
        digest.update(self.0.as_bytes());
        let bytes: [u8; 32] = digest.finalize().into();
        let [a, b, c, d, e, f, g, h, ..] = bytes;
        i64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

impl Fingerprint {
    /// The fingerprint of a request; each part is preceded by its length, so that no two
    /// requests run together to the same bytes.
    #[must_use]
    pub fn of(method: &str, path_and_query: &str, body: &[u8]) -> Self {
        let mut digest = Sha256::new();
        for part in [method.as_bytes(), path_and_query.as_bytes(), body] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }

    /// The bytes to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({})", hex::encode(self.0))
    }
}
