//! Saved cards: kept when asked for, charged with the buyer or without, and deleted.

use serde_json::{Value, json};

use super::{PROFILE, Pt, verdict};

/// A sale that saved its card: reference and token.
async fn saved(pt: &Pt, cart: &str, choice: Value) -> (String, String) {
    let sale = pt.page("sale", cart, json!(50), json!({ "tokenise": 2 })).await;
    pt.choose(&sale, choice).await;
    let token = pt.query(&sale).await["token"].as_str().unwrap().to_owned();
    (sale, token)
}

#[tokio::test]
async fn a_card_is_saved_only_when_the_shop_asks_or_the_buyer_may() {
    let pt = Pt::new().await;
    let (_, token) = saved(&pt, "c-1", json!({ "outcome": "paid" })).await;
    assert!(token.len() == 32 && token.bytes().all(|b| b.is_ascii_hexdigit()), "{token}");
    for (cart, show, save, kept) in
        [("c-2", false, true, false), ("c-3", true, false, false), ("c-4", true, true, true)]
    {
        let more = json!({ "show_save_card": show });
        let sale = pt.page("sale", cart, json!(50), more).await;
        pt.choose(&sale, json!({ "outcome": "paid", "save": save })).await;
        assert_eq!(pt.query(&sale).await["token"].is_string(), kept, "{cart}");
    }
}

#[tokio::test]
async fn a_saved_card_is_charged_without_the_buyer_by_token_and_reference() {
    let pt = Pt::new().await;
    let (sale, token) = saved(&pt, "c-1", json!({ "outcome": "paid" })).await;
    let more = json!({ "tran_class": "recurring", "token": token, "tran_ref": sale });
    let charge = pt.ask("sale", "s-1", json!(29.0), more.clone()).await;
    assert_eq!((charge.status, verdict(&charge.body)), (200, "A Authorised".to_owned()));
    assert_eq!(charge.body["previous_tran_ref"], json!(sale));
    assert_eq!(
        (&charge.body["redirect_url"], &charge.body["token"]),
        (&Value::Null, &json!(token))
    );
    assert_eq!(charge.body["tran_class"], "Recurring");
    let auth = pt.ask("auth", "s-2", json!(10), more).await;
    let auth = auth.body["tran_ref"].as_str().unwrap();
    let captured = pt.follow("capture", auth, "s-2-c", json!(10)).await;
    assert_eq!(verdict(&captured.body), "A Authorised");
    assert_eq!(pt.state().await["references"]["s-1"]["captured"], 2_900);
    let bad = [
        json!({ "tran_class": "recurring" }),
        json!({ "tran_class": "recurring", "token": token }),
        json!({ "tran_class": "recurring", "token": token, "tran_ref": "TST0" }),
        json!({ "tran_class": "recurring", "token": "00", "tran_ref": sale }),
    ];
    for more in bad {
        assert_eq!(pt.ask("sale", "s-3", json!(5), more).await.status, 400);
    }
    let again = pt.ask("register", "s-4", json!(5), json!({ "token": token })).await;
    assert_eq!(again.status, 400, "a saved card is not saved again");
    pt.assert_balanced();
}

#[tokio::test]
async fn with_the_buyer_there_is_a_page_and_the_card_is_the_saved_one() {
    let pt = Pt::new().await;
    let (_, token) = saved(&pt, "c-1", json!({ "outcome": "paid" })).await;
    let page = pt.page("sale", "s-1", json!(29), json!({ "token": token })).await;
    assert_eq!(verdict(&pt.query(&page).await), "P Pending");
    pt.choose(&page, json!({ "outcome": "challenged" })).await;
    pt.choose(&page, json!({ "outcome": "paid" })).await;
    let tran = pt.query(&page).await;
    assert_eq!((verdict(&tran), &tran["token"]), ("A Authorised".into(), &json!(token)));
}

#[tokio::test]
async fn a_card_that_was_saved_with_a_reason_is_declined_for_it() {
    let pt = Pt::new().await;
    let choice = json!({ "outcome": "paid", "reason": "316" });
    let (sale, token) = saved(&pt, "c-1", choice).await;
    let more = json!({ "tran_class": "recurring", "token": token, "tran_ref": sale });
    let charge = pt.ask("sale", "s-1", json!(29.0), more).await;
    assert_eq!((charge.status, verdict(&charge.body)), (200, "D Insufficient funds".to_owned()));
    assert_eq!(charge.body["payment_result"]["response_code"], "316");
    assert_eq!(pt.state().await["references"]["s-1"]["captured"], 0);
}

#[tokio::test]
async fn a_deleted_token_is_gone_and_its_answer_has_the_code_nought() {
    let pt = Pt::new().await;
    let (sale, token) = saved(&pt, "c-1", json!({ "outcome": "paid" })).await;
    let body = json!({ "profile_id": PROFILE, "token": token });
    let shown = pt.post("/payment/token", &body).await;
    assert_eq!((shown.status, &shown.body["token"]), (200, &json!(token)));
    assert_eq!(shown.body["payment_info"]["card_scheme"], "Visa");
    let deleted = pt.post("/payment/token/delete", &body).await;
    assert_eq!((deleted.status, &deleted.body["code"]), (200, &json!(0)));
    for path in ["/payment/token", "/payment/token/delete"] {
        assert_eq!(pt.post(path, &body).await.status, 400);
    }
    let more = json!({ "tran_class": "recurring", "token": token, "tran_ref": sale });
    assert_eq!(pt.ask("sale", "s-1", json!(5), more).await.status, 400);
}
