//! Captures, voids, releases and refunds: transactions of their own, also when declined.

use serde_json::json;

use super::{Pt, verdict};

#[tokio::test]
async fn an_authorisation_is_captured_in_parts_and_the_rest_released() {
    let pt = Pt::new().await;
    let auth = pt.paid("auth", "c-1", json!(200)).await;
    assert_eq!(pt.query(&auth).await["tran_type"], "Auth");
    assert_eq!(pt.choose(&auth, json!({ "outcome": "paid" })).await.status, 409);
    let first = pt.follow("capture", &auth, "c-1 - 1", json!(80.0)).await;
    assert_eq!((first.status, verdict(&first.body)), (200, "A Authorised".to_owned()));
    assert_eq!(first.body["previous_tran_ref"], json!(auth));
    assert_eq!(
        (&first.body["cart_amount"], &first.body["tran_type"]),
        (&"80.00".into(), &"Capture".into())
    );
    assert_ne!(first.body["tran_ref"], json!(auth));
    let much = pt.follow("capture", &auth, "c-1 - 2", json!(120.01)).await;
    assert_eq!((much.status, verdict(&much.body)), (200, "D Not authorised".to_owned()));
    pt.follow("capture", &auth, "c-1 - 3", json!(70)).await;
    let much = pt.follow("release", &auth, "c-1 - 4", json!(50.01)).await;
    assert_eq!(verdict(&much.body), "D Not authorised");
    let rest = pt.follow("release", &auth, "c-1 - 5", json!(50)).await;
    assert_eq!(
        (verdict(&rest.body), &rest.body["tran_type"]),
        ("A Authorised".into(), &"Release".into())
    );
    let late = pt.follow("capture", &auth, "c-1 - 6", json!(1)).await;
    assert_eq!(verdict(&late.body), "D Not authorised");
    assert_eq!(verdict(&pt.query(&auth).await), "A Authorised");
    let money = pt.state().await["references"]["c-1"].clone();
    assert_eq!((&money["captured"], &money["authorised"]), (&json!(15_000), &json!(15_000)));
    let found = pt.by_cart("c-1 - 2").await;
    assert_eq!((found.len(), verdict(&found[0])), (1, "D Not authorised".to_owned()));
    pt.assert_balanced();
}

#[tokio::test]
async fn a_void_takes_back_the_whole_of_what_nobody_captured() {
    let pt = Pt::new().await;
    let auth = pt.paid("auth", "c-1", json!(200)).await;
    let part = pt.follow("void", &auth, "v-1", json!(100)).await;
    assert_eq!(verdict(&part.body), "D Not authorised");
    let whole = pt.follow("void", &auth, "v-2", json!(200)).await;
    assert_eq!(
        (verdict(&whole.body), &whole.body["tran_type"]),
        ("A Authorised".into(), &"Void".into())
    );
    assert_eq!(verdict(&pt.query(&auth).await), "V Voided");
    let again = pt.follow("void", &auth, "v-3", json!(200)).await;
    assert_eq!(verdict(&again.body), "D Not authorised");
    let other = pt.paid("auth", "c-2", json!(200)).await;
    pt.follow("capture", &other, "c-2-c", json!(1)).await;
    let late = pt.follow("void", &other, "c-2-v", json!(200)).await;
    assert_eq!(verdict(&late.body), "D Not authorised");
}

#[tokio::test]
async fn what_is_held_for_review_cannot_be_captured() {
    let pt = Pt::new().await;
    let auth = pt.page("auth", "c-1", json!(200), json!({})).await;
    let unpaid = pt.follow("capture", &auth, "c-1-0", json!(200)).await;
    assert_eq!(verdict(&unpaid.body), "D Not authorised");
    pt.choose(&auth, json!({ "outcome": "held" })).await;
    assert_eq!(verdict(&pt.query(&auth).await), "H Hold for review");
    let held = pt.follow("capture", &auth, "c-1-1", json!(200)).await;
    assert_eq!(verdict(&held.body), "D Not authorised");
    pt.choose(&auth, json!({ "outcome": "paid" })).await;
    let done = pt.follow("capture", &auth, "c-1-2", json!(200)).await;
    assert_eq!(verdict(&done.body), "A Authorised");
}

#[tokio::test]
async fn sales_and_captures_are_refunded_in_parts_up_to_what_they_took() {
    let pt = Pt::new().await;
    let sale = pt.paid("sale", "c-1", json!(101.51)).await;
    let auth = pt.paid("auth", "c-2", json!(200)).await;
    let capture = pt.follow("capture", &auth, "c-2-c", json!(80)).await;
    let capture = capture.body["tran_ref"].as_str().unwrap();
    for (parent, cart, amount, result) in [
        (sale.as_str(), "r-1", json!(40), "A Authorised"),
        (&sale, "r-2", json!(61.52), "D Not authorised"),
        (&sale, "r-3", json!(61.51), "A Authorised"),
        (&sale, "r-4", json!(0.01), "D Not authorised"),
        (capture, "r-5", json!(80.01), "D Not authorised"),
        (capture, "r-6", json!(80), "A Authorised"),
    ] {
        let refund = pt.follow("refund", parent, cart, amount).await;
        assert_eq!((refund.status, verdict(&refund.body)), (200, result.to_owned()), "{cart}");
        assert_eq!(refund.body["previous_tran_ref"], parent);
        assert_eq!(pt.by_cart(cart).await[0]["tran_ref"], refund.body["tran_ref"]);
    }
    let odd = pt.follow("refund", &auth, "r-7", json!(1)).await;
    assert_eq!(odd.status, 400, "an authorisation is not refunded");
    assert_eq!(verdict(&pt.query(&sale).await), "A Authorised", "the sale stays as it is");
    let state = pt.state().await;
    assert_eq!(state["references"]["c-1"]["refunded"], 10_151);
    assert_eq!(state["references"]["c-2"]["refunded"], 8_000);
    pt.assert_balanced();
}

#[tokio::test]
async fn a_refund_of_another_method_is_pending_first() {
    let pt = Pt::new().await;
    let more = json!({ "cart_currency": "KWD", "payment_methods": ["knet"] });
    let sale = pt.page("sale", "c-1", json!(12.345), more).await;
    pt.choose(&sale, json!({ "outcome": "paid" })).await;
    let more = json!({ "cart_currency": "KWD", "tran_ref": sale });
    let refund = pt.ask("refund", "r-1", json!(2.005), more).await;
    assert_eq!(
        (verdict(&refund.body), &refund.body["tran_total"]),
        ("P Pending".into(), &"2.005".into())
    );
    let id = refund.body["tran_ref"].as_str().unwrap();
    pt.clock.advance(59);
    assert_eq!(verdict(&pt.query(id).await), "P Pending");
    pt.clock.advance(1);
    assert_eq!(verdict(&pt.query(id).await), "A Authorised");
    let bounced = pt.post(&format!("/_sim/refunds/{id}/bounce"), &json!({})).await;
    assert_eq!(bounced.status, 200, "{}", bounced.body);
    assert_eq!(verdict(&pt.query(id).await), "D Not authorised");
    assert_eq!(pt.state().await["references"]["c-1"]["refunded"], 0);
    pt.assert_balanced();
}

#[tokio::test]
async fn a_follow_up_is_a_duplicate_within_two_minutes_even_if_it_was_declined() {
    let pt = Pt::new().await;
    let sale = pt.paid("sale", "c-1", json!(100)).await;
    for (cart, amount, result) in [("r-1", 10, "A Authorised"), ("r-2", 900, "D Not authorised")] {
        let first = pt.follow("refund", &sale, cart, json!(amount)).await;
        assert_eq!(verdict(&first.body), result);
        let again = pt.follow("refund", &sale, cart, json!(amount)).await;
        assert_eq!((again.status, &again.body["code"]), (409, &json!(4)));
        let found = pt.by_cart(cart).await;
        assert_eq!((found.len(), &found[0]["tran_ref"]), (1, &first.body["tran_ref"]));
    }
    pt.clock.advance(120);
    let later = pt.follow("refund", &sale, "r-1", json!(10)).await;
    assert_eq!(verdict(&later.body), "A Authorised");
    assert_eq!(pt.by_cart("r-1").await.len(), 2, "it is a new refund");
    assert_eq!(pt.state().await["references"]["c-1"]["refunded"], 2_000);
}
