//! Pages are created, paid, declined and found again by either reference.

use serde_json::{Value, json};

use super::{PROFILE, Pt, verdict};
use crate::support::read;

#[tokio::test]
async fn an_amount_goes_in_as_a_number_and_comes_out_as_text() {
    let pt = Pt::new().await;
    let cases = [
        (json!(500), "AED", "500.00"),
        (json!(101.51), "aed", "101.51"),
        (json!(12.345), "KWD", "12.345"),
        (json!(12.3), "BHD", "12.300"),
        (json!(1500), "JPY", "1500"),
        (json!("10.500"), "SAR", "10.50"),
        (json!(80.0), "EGP", "80.00"),
        (json!(9_999_999_999_i64), "USD", "9999999999.00"),
    ];
    for (place, (given, currency, shown)) in cases.into_iter().enumerate() {
        let more = json!({ "cart_currency": currency });
        let made = pt.ask("sale", &format!("c-{place}"), given, more).await;
        assert_eq!(made.status, 200, "{}", made.body);
        assert_eq!(made.body["cart_amount"], shown);
        assert_eq!(made.body["cart_currency"], currency.to_uppercase());
    }
}

#[tokio::test]
async fn an_unpaid_page_is_pending_and_found_by_both_references() {
    let pt = Pt::new().await;
    assert_eq!(pt.by_cart("c-1").await, Vec::<Value>::new());
    let made = pt.ask("sale", "c-1", json!(50), json!({ "user_defined": { "udf1": "x" } })).await;
    assert_eq!(made.body["tran_type"], "Sale");
    let tran_ref = made.body["tran_ref"].as_str().unwrap();
    assert!(tran_ref.starts_with("TST26148") && tran_ref.len() == 16, "{tran_ref}");
    let found = pt.by_cart("c-1").await;
    assert_eq!((found.len(), verdict(&found[0])), (1, "P Pending".to_owned()));
    let one = pt.query(tran_ref).await;
    assert_eq!(one, found[0]);
    assert_eq!(one["payment_info"], Value::Null);
    assert_eq!(one["user_defined"]["udf1"], "x");
    let both = json!({ "profile_id": PROFILE, "cart_id": "c-1", "tran_ref": tran_ref });
    assert_eq!(pt.post("/payment/query", &both).await.status, 400);
    let none = json!({ "profile_id": PROFILE });
    assert_eq!(pt.post("/payment/query", &none).await.status, 400);
    let unknown = json!({ "profile_id": PROFILE, "tran_ref": "TST0" });
    assert_eq!(pt.post("/payment/query", &unknown).await.status, 400);
}

#[tokio::test]
async fn a_page_keeps_its_reference_through_all_attempts() {
    let pt = Pt::new().await;
    let page = pt.page("sale", "c-1", json!(50), json!({})).await;
    let choose = async |choice: Value| {
        pt.choose(&page, choice).await;
        verdict(&pt.query(&page).await)
    };
    assert_eq!(choose(json!({ "outcome": "declined" })).await, "D Not authorised");
    let poor = json!({ "outcome": "declined", "reason": "insufficient_funds" });
    assert_eq!(choose(poor).await, "D Insufficient funds");
    let odd = json!({ "outcome": "declined", "reason": "345" });
    assert_eq!(choose(odd).await, "D 3D Secure authentication not completed");
    let broken = json!({ "outcome": "declined", "reason": "error" });
    assert_eq!(choose(broken).await, "E Internal error");
    assert_eq!(choose(json!({ "outcome": "challenged" })).await, "P Pending");
    let failed = choose(json!({ "outcome": "not_authenticated" })).await;
    assert_eq!(failed, "D 3D Secure authentication rejected");
    assert_eq!(choose(json!({ "outcome": "pending" })).await, "P Pending");
    assert_eq!(choose(json!({ "outcome": "held" })).await, "H Hold for review");
    assert_eq!(choose(json!({ "outcome": "paid" })).await, "A Authorised");
    let paid = pt.query(&page).await;
    assert_eq!((&paid["cart_amount"], &paid["tran_total"]), (&json!("50.00"), &json!("50.00")));
    assert_eq!(paid["payment_info"]["card_scheme"], "Visa");
    assert_eq!(pt.choose(&page, json!({ "outcome": "paid" })).await.status, 409);
    assert_eq!(pt.by_cart("c-1").await.len(), 1, "one page is one transaction");
    assert_eq!(pt.state().await["references"]["c-1"]["captured"], 5_000);
    pt.assert_balanced();
}

#[tokio::test]
async fn a_page_that_was_given_up_takes_no_money() {
    let pt = Pt::new().await;
    let page = pt.page("sale", "c-1", json!(50), json!({})).await;
    pt.choose(&page, json!({ "outcome": "cancelled" })).await;
    let tran = pt.query(&page).await;
    assert_eq!(verdict(&tran), "C Cancelled");
    assert_eq!(tran["payment_result"]["response_code"], "321");
    assert_eq!(pt.choose(&page, json!({ "outcome": "paid" })).await.status, 409);
}

#[tokio::test]
async fn the_same_request_within_two_minutes_is_a_duplicate_and_later_another_payment() {
    let pt = Pt::new().await;
    let first = pt.page("sale", "c-1", json!(50), json!({})).await;
    pt.clock.advance(119);
    let again = pt.ask("sale", "c-1", json!(50), json!({})).await;
    assert_eq!((again.status, &again.body["code"]), (409, &json!(4)));
    assert_eq!(again.body["message"], "Duplicate Request");
    let other = pt.page("sale", "c-1", json!(51), json!({})).await;
    pt.clock.advance(1);
    let third = pt.page("sale", "c-1", json!(50), json!({})).await;
    let refs: Vec<_> = pt.by_cart("c-1").await.iter().map(|it| it["tran_ref"].clone()).collect();
    assert_eq!(refs, [json!(first), json!(other), json!(third)]);
}

#[tokio::test]
async fn what_was_refused_may_be_asked_again_at_once() {
    let pt = Pt::new().await;
    let bad = pt.ask("sale", "c-1", json!(50), json!({ "callback": "ftp://shop" })).await;
    assert_eq!(bad.status, 400);
    pt.page("sale", "c-1", json!(50), json!({})).await;
}

#[tokio::test]
async fn a_payment_request_stays_pending_and_its_sale_has_a_reference_of_its_own() {
    let pt = Pt::new().await;
    let more = json!({ "cart_currency": "EGP", "payment_methods": ["fawry"] });
    let page = pt.page("sale", "c-1", json!(101.51), more).await;
    pt.choose(&page, json!({ "outcome": "paid" })).await;
    let request = pt.query(&page).await;
    assert_eq!(
        (verdict(&request), &request["tran_type"]),
        ("P Pending".into(), &"Payment Request".into())
    );
    assert_eq!(request["payment_result"]["response_code"], "600");
    assert_eq!(request["payment_info"]["payment_method"], "Fawry");
    pt.clock.advance(3_600);
    pt.choose("c-1", json!({ "outcome": "paid" })).await;
    let found = pt.by_cart("c-1").await;
    assert_eq!((found.len(), verdict(&found[0])), (2, "P Pending".to_owned()));
    let sale = &found[1];
    assert_eq!((verdict(sale), &sale["tran_type"]), ("A Authorised".into(), &"Sale".into()));
    assert_eq!((&sale["previous_tran_ref"], &sale["cart_id"]), (&json!(page), &json!("c-1")));
    let tran_ref = sale["tran_ref"].as_str().unwrap();
    assert_ne!(tran_ref, page);
    assert_eq!(pt.query(tran_ref).await, *sale);
    pt.clock.advance(4 * 24 * 3_600);
    assert_eq!(verdict(&pt.query(&page).await), "P Pending", "what was paid does not expire");
    pt.assert_balanced();
}

#[tokio::test]
async fn a_payment_request_that_nobody_pays_expires() {
    let pt = Pt::new().await;
    let page = pt.page("sale", "c-1", json!(50), json!({})).await;
    pt.choose(&page, json!({ "outcome": "pending", "method": "fawry" })).await;
    pt.clock.advance(3 * 24 * 3_600 - 1);
    assert_eq!(verdict(&pt.query(&page).await), "P Pending");
    pt.clock.advance(1);
    assert_eq!(verdict(&pt.query(&page).await), "X Expired");
    assert_eq!(pt.choose(&page, json!({ "outcome": "paid" })).await.status, 409);
    assert_eq!(pt.state().await["references"]["c-1"]["captured"], 0);
}

#[tokio::test]
async fn a_register_saves_a_card_and_moves_no_money() {
    let pt = Pt::new().await;
    let page = pt.page("register", "c-1", json!(1), json!({})).await;
    pt.choose(&page, json!({ "outcome": "paid" })).await;
    let tran = pt.query(&page).await;
    assert_eq!((verdict(&tran), &tran["tran_type"]), ("A Authorised".into(), &"Register".into()));
    assert_eq!((tran["token"].as_str().unwrap().len(), &tran["tran_total"]), (32, &json!("0.00")));
    assert_eq!(pt.choose(&page, json!({ "outcome": "paid" })).await.status, 409);
    assert_eq!(pt.state().await["totals"], json!({}));
    let capture = pt.follow("capture", &page, "c-2", json!(1)).await;
    assert_eq!(capture.status, 400, "there is nothing to capture");
}

#[tokio::test]
async fn a_sale_that_is_taken_back_is_void() {
    let pt = Pt::new().await;
    let sale = pt.paid("sale", "c-1", json!(50)).await;
    pt.choose(&sale, json!({ "outcome": "reversed" })).await;
    assert_eq!(verdict(&pt.query(&sale).await), "V Voided");
    assert_eq!(pt.state().await["references"]["c-1"]["reversed"], true);
    pt.assert_balanced();
}

#[tokio::test]
async fn only_the_page_and_the_statements_are_seen_without_a_key() {
    let pt = Pt::new().await;
    let body = pt.body("sale", "c-1", &json!(5), json!({}));
    let url = format!("{}/payment/request", pt.sim.url());
    for key in ["", "SGJNZ96JLG-JDMKHGRWT9-RWRK2KJNRX", &format!("Bearer {}", super::SERVER_KEY)] {
        let request = pt.client.post(&url).header("authorization", key).json(&body);
        let refused = read(request).await.unwrap();
        assert_eq!((refused.status, &refused.body["code"]), (401, &json!(1)));
        assert!(!refused.body.to_string().contains("RWRK2KJNRJ"));
    }
}
