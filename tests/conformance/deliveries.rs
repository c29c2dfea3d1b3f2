//! Deliveries: believed when they are the gateway's, refused when a byte or a secret differs,
//! recognised when they come twice, and translated into the same facts as a query's.

use mizan_providers::{
    CaptureMethod, EventKind, PaymentStatus, ProviderEvent, VerifiedDelivery, VerifyError,
    WebhookKeys,
};
use secrecy::SecretString;

use crate::bed::Bed;
use crate::promises;
use crate::sink::Delivery;

promises!(
    a_payment_is_told_by_deliveries_that_are_believed,
    a_refund_is_told_by_a_delivery,
    a_changed_byte_or_another_secret_is_refused,
    a_secret_that_is_being_replaced_is_accepted_beside_the_new_one,
    a_delivery_that_comes_twice_has_one_name,
    a_delivery_with_a_word_nobody_knows_is_no_success,
);

async fn verify(
    bed: &Bed,
    delivery: &Delivery,
    secrets: &[SecretString],
) -> Result<VerifiedDelivery, VerifyError> {
    let mut certificates = Vec::new();
    if let Some(url) = bed.adapter.certificate_url(&delivery.headers)? {
        let pem = bed.client.fetch(&url).await.unwrap();
        certificates.push(String::from_utf8(pem).unwrap());
    }
    let keys = WebhookKeys { secrets, certificates: &certificates };
    bed.reader.verify_webhook(&delivery.body, &delivery.headers, keys, bed.now())
}

/// Everything that is due, believed and translated.
async fn told(bed: &Bed) -> Vec<ProviderEvent> {
    bed.sim.deliver_due().await;
    let mut events = Vec::new();
    for delivery in bed.sink.take() {
        verify(bed, &delivery, &bed.secrets).await.unwrap();
        events.extend(bed.adapter.events(&delivery.body).unwrap());
    }
    events
}

async fn a_payment_is_told_by_deliveries_that_are_believed(bed: Bed) {
    let paid = bed.pay(25_000, CaptureMethod::Automatic).await;
    let events = told(&bed).await;
    let taken = |event: &&ProviderEvent| {
        event.kind() == EventKind::Payment
            && event.status() == Some(PaymentStatus::Captured.as_str())
            && event.amount() == Some(bed.money(25_000))
    };
    let event = events.iter().find(taken).unwrap_or_else(|| panic!("{events:?}"));
    let by_us = event.reference() == Some(paid.create.payment);
    let by_them = event.provider_ref() == Some(&paid.provider_ref);
    assert!(by_us || by_them, "nobody knows whose it is: {event:?}");
}

async fn a_refund_is_told_by_a_delivery(bed: Bed) {
    let paid = bed.pay(25_000, CaptureMethod::Automatic).await;
    bed.ask(&bed.refund(&paid, 10_000), &bed.key()).await;
    bed.pass(3_600);
    let events = told(&bed).await;
    let back = |event: &&ProviderEvent| {
        event.kind() == EventKind::Refund && event.amount() == Some(bed.money(10_000))
    };
    let event = events.iter().find(back).unwrap_or_else(|| panic!("{events:?}"));
    assert!(event.payment_ref().is_some() || event.reference().is_some(), "{event:?}");
}

async fn a_changed_byte_or_another_secret_is_refused(bed: Bed) {
    bed.pay(25_000, CaptureMethod::Automatic).await;
    bed.sim.deliver_due().await;
    let deliveries = bed.sink.take();
    assert!(!deliveries.is_empty());
    for delivery in deliveries {
        verify(&bed, &delivery, &bed.secrets).await.unwrap();
        let stranger = [SecretString::from("somebody_elses_secret")];
        assert!(verify(&bed, &delivery, &stranger).await.is_err());
        assert!(verify(&bed, &delivery, &[]).await.is_err());
        // A digit that belongs to what is signed, wherever the scheme signs only some fields.
        let text = String::from_utf8(delivery.body.clone()).unwrap();
        let forged = text.replacen("250", "260", 1);
        assert_ne!(text, forged, "the amount stands in the body");
        let forged = Delivery { body: forged.into_bytes(), ..delivery };
        assert!(verify(&bed, &forged, &bed.secrets).await.is_err(), "{text}");
    }
}

async fn a_secret_that_is_being_replaced_is_accepted_beside_the_new_one(bed: Bed) {
    bed.pay(25_000, CaptureMethod::Automatic).await;
    bed.sim.deliver_due().await;
    let delivery = bed.sink.take().pop().unwrap();
    let mut both = vec![SecretString::from("the_new_secret")];
    both.extend(bed.secrets.clone());
    let verified = verify(&bed, &delivery, &both).await.unwrap();
    assert!(verified.secret_index > 0, "it says that the rotation is not over");
}

async fn a_delivery_that_comes_twice_has_one_name(bed: Bed) {
    bed.faults("[[rules]]\non = \"webhook\"\nkind = \"duplicate\"\nprobability_percent = 100\n");
    bed.pay(25_000, CaptureMethod::Automatic).await;
    bed.sim.deliver_due().await;
    let mut names = Vec::new();
    for delivery in bed.sink.take() {
        names.push(verify(&bed, &delivery, &bed.secrets).await.unwrap().dedupe_id);
    }
    let all = names.len();
    names.sort();
    names.dedup();
    assert!(all >= 2 && names.len() * 2 <= all, "{all} deliveries, {names:?}");
}

async fn a_delivery_with_a_word_nobody_knows_is_no_success(bed: Bed) {
    bed.faults(
        "[[rules]]\non = \"webhook\"\nkind = \"unknown_status\"\nprobability_percent = 100\n",
    );
    bed.pay(25_000, CaptureMethod::Automatic).await;
    bed.sim.deliver_due().await;
    for delivery in bed.sink.take() {
        verify(&bed, &delivery, &bed.secrets).await.unwrap();
        for event in bed.adapter.events(&delivery.body).unwrap_or_default() {
            let taken = event.kind() == EventKind::Payment
                && event.status() == Some(PaymentStatus::Captured.as_str());
            assert!(!taken, "{event:?}");
        }
    }
}
