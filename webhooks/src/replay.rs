//! Verifying a kept delivery again, from its bytes and headers alone.

use mizan_providers::{Provider, WebhookKeys};
use secrecy::SecretString;

use crate::delivery::Delivery;
use crate::error::Refused;
use crate::receive::{CERTIFICATES, Checked, check};

/// Why a kept delivery is not believed a second time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unverifiable {
    /// None of the secrets given has signed these bytes: the bytes or their headers were
    /// changed, or the secret of their time is not among those given.
    #[error(
        "none of the secrets given has signed it: it was changed, or the secret of its time is \
         not among them"
    )]
    NotSigned,
    /// Nothing to verify it with, or no bytes that could be verified.
    #[error("it cannot be verified: {}", .0.code())]
    Refused(Refused),
    /// The bytes are signed and belong to another event than the row says.
    #[error("its bytes are those of another event")]
    OtherEvent,
}

/// Verifies a kept delivery as of the moment at which it was signed and translates it. That it
/// came within the time window was proved when it came; only who wrote it is proved again. Pure.
///
/// # Errors
/// [`Unverifiable`]; nothing of it is to be applied.
pub fn check_again<'a>(
    provider: &dyn Provider,
    secrets: &[SecretString],
    delivery: &'a Delivery,
) -> Result<Checked<'a>, Unverifiable> {
    let kept = &delivery.summary;
    let at = kept.signed_at.unwrap_or(kept.received_at);
    let certificates: Vec<String> =
        delivery.headers.get(CERTIFICATES).map(ToOwned::to_owned).into_iter().collect();
    let keys = WebhookKeys { secrets, certificates: &certificates };
    let checked = check(provider, keys, &delivery.headers, &delivery.body, at);
    let checked = checked.map_err(|refused| match refused {
        Refused::NotBelieved(_) => Unverifiable::NotSigned,
        other => Unverifiable::Refused(other),
    })?;
    if checked.delivery(kept.id, &kept.connection).dedupe_id() != kept.dedupe_id {
        return Err(Unverifiable::OtherEvent);
    }
    Ok(checked)
}
