//! From a gateway's call to a checked delivery: believed, translated, cut to what is kept.

use mizan_money::{DeliveryId, Timestamp};
use mizan_providers::signature::{MAX_HEADER_BYTES, digest_id};
use mizan_providers::{
    Headers, Provider, ProviderEvent, ProviderName, TranslateError, VerifiedDelivery, WebhookKeys,
};

use crate::delivery::{NewDelivery, TEXT_MAX};
use crate::error::Refused;

/// Headers kept of every delivery; they say what kind of bytes these are and who brought them.
const COMMON_HEADERS: &[&str] = &["content-type", "user-agent"];
/// Under this name the certificates are kept that a delivery was verified with. What a caller
/// sends under it is not kept.
pub(crate) const CERTIFICATES: &str = "mizan-certificates";
/// Most headers kept of one delivery.
const HEADERS_MAX: usize = 8;

/// The headers that a second verification needs, in lower case.
const fn signature_headers(provider: ProviderName) -> &'static [&'static str] {
    match provider {
        ProviderName::Stripe => &["stripe-signature"],
        ProviderName::Razorpay => &["x-razorpay-signature", "x-razorpay-event-id"],
        ProviderName::Paytabs => &["signature"],
        // Telr signs inside the body.
        ProviderName::Telr => &[],
        ProviderName::Paypal => &[
            "paypal-transmission-id",
            "paypal-transmission-time",
            "paypal-transmission-sig",
            "paypal-cert-url",
            "paypal-auth-algo",
        ],
        // A gateway to come: without its line here a test fails.
        _ => &[],
    }
}

/// A delivery whose signature was right. There is no other way to make one than [`check`], and
/// only what is made of one can be kept.
#[derive(Clone)]
pub struct Checked<'a> {
    provider: ProviderName,
    headers: &'a Headers,
    body: &'a [u8],
    verified: VerifiedDelivery,
    events: Result<Vec<ProviderEvent>, TranslateError>,
    /// What it was verified with, where that was fetched for it: evidence as the bytes are.
    certificates: String,
}

/// Verifies the raw bytes and, once they are believed, translates them. Pure.
///
/// A body that is believed but cannot be translated is still a checked delivery: its bytes are
/// evidence, to be kept and parked with the reason in [`Checked::events`].
///
/// # Errors
/// [`Refused`] when the bytes are too many or not believed; then nothing is to be stored.
pub fn check<'a>(
    provider: &dyn Provider,
    keys: WebhookKeys<'_>,
    headers: &'a Headers,
    body: &'a [u8],
    now: Timestamp,
) -> Result<Checked<'a>, Refused> {
    let verified = provider.verify_webhook(body, headers, keys, now)?;
    let events = provider.events(body);
    let certificates = keys.certificates.concat();
    Ok(Checked { provider: provider.name(), headers, body, verified, events, certificates })
}

impl Checked<'_> {
    /// The gateway it came from.
    pub const fn provider(&self) -> ProviderName {
        self.provider
    }

    /// What the signature proved.
    pub const fn verified(&self) -> &VerifiedDelivery {
        &self.verified
    }

    /// What it says.
    ///
    /// # Errors
    /// Why it could not be translated: the reason to park it with.
    pub fn events(&self) -> Result<&[ProviderEvent], &TranslateError> {
        self.events.as_deref()
    }

    /// What is kept of it, under an id of ours and the connection it came in by.
    pub fn delivery(&self, id: DeliveryId, connection: &str) -> NewDelivery {
        let first = self.events.as_ref().ok().and_then(|events| events.first());
        let event_type = match (&self.events, first) {
            (_, Some(event)) => Some(event.event_type.as_str()),
            (Err(TranslateError::Object { event_type, .. }), _) => Some(event_type.as_str()),
            _ => None,
        };
        let mut headers = kept_headers(self.provider, self.headers);
        if !self.certificates.is_empty() {
            headers.push((CERTIFICATES.to_owned(), self.certificates.clone()));
        }
        NewDelivery {
            id,
            connection: connection.to_owned(),
            provider: self.provider,
            dedupe_id: self.dedupe_id(),
            event_type: event_type.and_then(label),
            object_ref: first
                .and_then(ProviderEvent::provider_ref)
                .and_then(|object| label(object.as_str())),
            headers,
            body: self.body.to_vec(),
            signed_at: self.verified.signed_at,
            occurred_at: first.and_then(|event| event.occurred_at).filter(is_storable),
        }
    }

    /// What it says, for who goes on after the bytes are gone.
    ///
    /// # Errors
    /// As [`Self::events`].
    pub fn into_events(self) -> Result<Vec<ProviderEvent>, TranslateError> {
        self.events
    }

    /// An id that a text column can hold. Where the gateway's own cannot be held, its digest.
    fn dedupe_id(&self) -> String {
        let id = &self.verified.dedupe_id;
        if id.is_empty() {
            return digest_id(self.body);
        }
        if id.len() > TEXT_MAX || id.chars().any(char::is_control) {
            return digest_id(id.as_bytes());
        }
        id.clone()
    }
}

/// A text for a column: no control characters, not too long, or none.
fn label(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect();
    (!plain.is_empty()).then_some(plain)
}

/// Whether a gateway's time lies within what the database can hold.
fn is_storable(time: &Timestamp) -> bool {
    (0..=253_402_300_799).contains(&time.timestamp())
}

/// The headers of the allow-list, with lower-case names, in their order.
fn kept_headers(provider: ProviderName, headers: &Headers) -> Vec<(String, String)> {
    let allowed = |name: &str| {
        let mut list = signature_headers(provider).iter().chain(COMMON_HEADERS);
        list.any(|allowed| allowed.eq_ignore_ascii_case(name))
    };
    headers
        .iter()
        .filter(|(name, value)| allowed(name) && value.len() <= MAX_HEADER_BYTES)
        .filter(|(_, value)| !value.contains('\0'))
        .take(HEADERS_MAX)
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use mizan_providers::{VerifyError, webhook_reader};
    use proptest::prelude::*;
    use secrecy::SecretString;
    use sha2::Sha256;

    use super::*;

    const SECRET: &str = "whsec_a_secret_of_tests";
    const NOW: i64 = 1_772_442_000;
    const SUCCEEDED: &str = r#"{
        "id": "evt_1", "object": "event", "created": 1772441990, "livemode": false,
        "type": "payment_intent.succeeded",
        "data": {"object": {
            "id": "pi_1", "object": "payment_intent", "status": "succeeded", "amount": 10500,
            "amount_received": 10500, "amount_capturable": 0, "currency": "aed",
            "capture_method": "automatic", "latest_charge": "ch_1", "metadata": {}
        }}
    }"#;

    fn now() -> Timestamp {
        Timestamp::from_timestamp(NOW, 0).unwrap()
    }

    fn signed(body: &str) -> Headers {
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(format!("{NOW}.{body}").as_bytes());
        let signature = hex::encode(mac.finalize().into_bytes());
        Headers::new()
            .with("Content-Type", "application/json")
            .with("Authorization", "Bearer not-to-be-kept")
            .with("Stripe-Signature", format!("t={NOW},v1={signature}"))
            .with("X-Forwarded-For", "10.0.0.1")
            .with("User-Agent", "Stripe/1.0")
    }

    fn check_with<'a>(
        secret: &str,
        headers: &'a Headers,
        body: &'a str,
        now: Timestamp,
    ) -> Result<Checked<'a>, Refused> {
        let stripe = webhook_reader(ProviderName::Stripe);
        check(
            &*stripe,
            [SecretString::from(secret)].as_slice().into(),
            headers,
            body.as_bytes(),
            now,
        )
    }

    /// A delivery as the gateway sends it, rightly signed.
    struct Sent {
        headers: Headers,
        body: String,
    }

    impl Sent {
        fn of(body: &str) -> Self {
            Self { headers: signed(body), body: body.to_owned() }
        }

        fn check(&self) -> Checked<'_> {
            check_with(SECRET, &self.headers, &self.body, now()).unwrap()
        }

        fn kept(&self) -> NewDelivery {
            self.check().delivery(DeliveryId::generate(now()), "main")
        }
    }

    #[test]
    fn a_believed_delivery_is_named_by_what_it_says() {
        let sent = Sent::of(SUCCEEDED);
        let kept = sent.kept();
        assert!(sent.check().events().is_ok());
        assert_eq!(kept.dedupe_id, "evt_1");
        assert_eq!(kept.event_type.as_deref(), Some("payment_intent.succeeded"));
        assert_eq!(kept.object_ref.as_deref(), Some("pi_1"));
        assert_eq!(kept.body, SUCCEEDED.as_bytes());
        assert_eq!(kept.signed_at, Some(now()));
        assert_eq!(kept.occurred_at.map(|t| t.timestamp()), Some(1_772_441_990));
    }

    #[test]
    fn only_the_headers_that_prove_it_are_kept() {
        let sent = Sent::of(SUCCEEDED);
        let kept = sent.kept();
        let names: Vec<&str> = kept.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["content-type", "stripe-signature", "user-agent"]);
    }

    #[test]
    fn what_is_kept_can_be_verified_again() {
        let sent = Sent::of(SUCCEEDED);
        let kept = sent.kept();
        let headers: Headers = kept.headers.iter().cloned().collect();
        let body = std::str::from_utf8(&kept.body).unwrap();
        assert!(check_with(SECRET, &headers, body, now()).is_ok());
    }

    #[test]
    fn every_gateway_has_a_signature_header_to_keep() {
        for provider in ProviderName::ALL {
            // Telr signs inside the body, which is kept whole.
            let in_the_body = *provider == ProviderName::Telr;
            assert_eq!(in_the_body, signature_headers(*provider).is_empty(), "{provider}");
        }
    }

    #[test]
    fn a_forgery_is_refused_with_its_reason() {
        let headers = signed(SUCCEEDED);
        let other_secret = check_with("whsec_another", &headers, SUCCEEDED, now()).err();
        assert_eq!(other_secret, Some(Refused::NotBelieved(VerifyError::NoMatch)));
        let changed = SUCCEEDED.replace("10500", "99999");
        let other_bytes = check_with(SECRET, &headers, &changed, now()).err();
        assert_eq!(other_bytes, Some(Refused::NotBelieved(VerifyError::NoMatch)));
        let late = now() + chrono::Duration::seconds(301);
        let stale = check_with(SECRET, &headers, SUCCEEDED, late).err();
        assert_eq!(stale.map(|refused| refused.code()), Some("too_old"));
    }

    #[test]
    fn a_missing_secret_and_a_huge_body_are_told_apart_from_a_forgery() {
        let headers = signed(SUCCEEDED);
        let stripe = webhook_reader(ProviderName::Stripe);
        let none =
            check(&*stripe, [].as_slice().into(), &headers, SUCCEEDED.as_bytes(), now()).err();
        assert_eq!(none, Some(Refused::NoSecrets));
        let huge = " ".repeat(1024 * 1024 + 1);
        let refused = check_with(SECRET, &headers, &huge, now()).err();
        assert_eq!(refused.map(|refused| refused.code()), Some("body_too_large"));
    }

    #[test]
    fn a_believed_body_that_makes_no_sense_is_kept_by_its_digest() {
        let sent = Sent::of("this is no event");
        let kept = sent.kept();
        assert!(matches!(sent.check().events(), Err(TranslateError::Envelope { .. })));
        assert!(kept.dedupe_id.starts_with("sha256:"));
        assert_eq!((kept.event_type, kept.object_ref, kept.occurred_at), (None, None, None));
    }

    #[test]
    fn an_event_that_lacks_what_we_need_is_kept_by_its_name() {
        let sent = Sent::of(&SUCCEEDED.replace(r#""amount": 10500,"#, ""));
        let kept = sent.kept();
        assert!(matches!(sent.check().events(), Err(TranslateError::Object { .. })));
        assert_eq!(kept.dedupe_id, "evt_1");
        assert_eq!(kept.event_type.as_deref(), Some("payment_intent.succeeded"));
    }

    #[test]
    fn names_that_no_column_can_hold_are_made_to_fit() {
        let body = SUCCEEDED
            .replace("evt_1", r"evt\u0000_1")
            .replace("payment_intent.succeeded", &format!(r"\u0000{}", "x".repeat(400)));
        let sent = Sent::of(&body);
        let kept = sent.kept();
        assert_eq!(kept.dedupe_id, digest_id(b"evt\0_1"));
        assert_eq!(kept.event_type, Some("x".repeat(255)));
    }

    proptest! {
        #[test]
        fn whatever_was_signed_can_be_stored(body in ".{0,300}") {
            let sent = Sent::of(&body);
            let kept = sent.kept();
            prop_assert!((1..=255).contains(&kept.dedupe_id.chars().count()));
            prop_assert!(kept.event_type.is_none_or(|text| !text.contains('\0')));
        }
    }
}
