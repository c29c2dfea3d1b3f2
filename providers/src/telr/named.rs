//! Whose a reference is: every cart id names exactly one payment or refund, ours or not.

use std::str::FromStr;

use mizan_money::id::{PaymentIntentId, RefundId};
use sha2::{Digest, Sha256};

use crate::reference;

/// The payment a cart id names. One that we did not make names a payment that is none of ours,
/// always the same: it differs from whatever was asked, and recordings can be read all the same.
pub(super) fn payment(cart: &str) -> Option<PaymentIntentId> {
    reference::payment(cart).or_else(|| foreign("pi", cart))
}

/// The refund a cart id names, by the same rule.
pub(super) fn refund(cart: &str) -> Option<RefundId> {
    reference::refund(cart).or_else(|| foreign("re", cart))
}

/// An id that stands for a foreign text.
pub(super) fn foreign<T: FromStr>(prefix: &str, text: &str) -> Option<T> {
    let digest = hex::encode(Sha256::digest(text.as_bytes()));
    format!("{prefix}_{}", digest.get(..32)?).parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_reference_is_never_one_of_ours() {
        let ours: PaymentIntentId = format!("pi_{}1", "0".repeat(31)).parse().unwrap();
        assert_eq!(payment(&format!("{ours}-0d1e2f3a4b5d")), Some(ours));
        let other = payment("ORDER-10001_6a1b").unwrap();
        assert_eq!(payment("ORDER-10001_6a1b"), Some(other));
        assert_ne!((other, Some(other)), (ours, payment("ORDER-10002_6a1b")));
        assert!(refund("x").is_some());
    }
}
