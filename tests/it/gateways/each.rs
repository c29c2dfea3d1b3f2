//! Each gateway through the whole service: page, delivery, capture, refund, and the books.

use mizan_providers::ProviderName;
use serde_json::json;

use super::bazaar::{Bazaar, OTHERS};

fn all(bazaar: &Bazaar) -> Vec<ProviderName> {
    let fakes = OTHERS.into_iter().filter(|name| bazaar.fakes.contains_key(name));
    [ProviderName::Stripe].into_iter().chain(fakes).collect()
}

#[tokio::test]
async fn a_sale_and_a_refund_end_alike_at_every_gateway() {
    let bazaar = Bazaar::open().await;
    for name in all(&bazaar) {
        let paid = bazaar.pay(name, 25_000, false).await;
        assert_eq!(paid.says(), (200, "succeeded"), "{name}: {:#}", paid.body);
        assert_eq!(paid.int("amount_captured"), 25_000, "{name}");
        let refund = bazaar.app.refund(paid.id(), Some(10_000)).await;
        assert!(refund.status < 300, "{name}: {:#}", refund.body);
    }
    bazaar.settle().await;
    bazaar.prove().await;
}

#[tokio::test]
async fn a_hold_is_captured_or_released_where_the_gateway_can() {
    let bazaar = Bazaar::open().await;
    for name in all(&bazaar) {
        let held = bazaar.pay(name, 30_000, true).await;
        assert_eq!(held.says(), (200, "requires_capture"), "{name}: {:#}", held.body);
        let taken = bazaar.app.act(held.id(), "capture", json!({})).await;
        assert_eq!(taken.says(), (200, "succeeded"), "{name}: {:#}", taken.body);

        let other = bazaar.pay(name, 20_000, true).await;
        let reply = bazaar.app.act(other.id(), "cancel", json!({})).await;
        match name {
            ProviderName::Razorpay => {
                assert_eq!(reply.problem(), (422, "unsupported_by_provider"), "{:#}", reply.body);
            }
            _ => assert_eq!(reply.says(), (200, "cancelled"), "{name}: {:#}", reply.body),
        }
    }
    bazaar.settle().await;
    bazaar.prove().await;
}

#[tokio::test]
async fn a_buyer_who_never_comes_back_is_noticed_without_any_delivery() {
    let bazaar = Bazaar::open().await;
    for name in all(&bazaar) {
        if name == ProviderName::Stripe {
            continue;
        }
        bazaar.fake(name).set_webhook_url(None);
        let id = bazaar.order(name, 12_500, false).await;
        assert_eq!(bazaar.confirm(&id).await.says(), (200, "requires_action"), "{name}");
        bazaar.buyer(name, &id, "paid").await;
        bazaar.app.advance(121);
        bazaar.app.tick().await;
        let paid = bazaar.app.payment(&id).await;
        assert_eq!(paid.says(), (200, "succeeded"), "{name}: {:#}", paid.body);
    }
}
