//! Faults where PayTabs has no idempotency key: the caller must ask what became of it.

use serde_json::json;

use super::{PROFILE, Pt, verdict};
use crate::support::folder;

#[tokio::test]
async fn after_a_lost_answer_the_repeat_is_a_duplicate_and_the_query_finds_it() {
    let pt = Pt::new().await;
    let sale = pt.paid("sale", "c-1", json!(100)).await;
    pt.faults(
        "[[rules]]\non = \"refund\"\nkind = \"lost_answer\"\nmatch = { cart_id = \"r-1\" }\n\
         [[rules]]\non = \"refund\"\nkind = \"http_500_after\"\nmatch = { cart_id = \"r-2\" }\n\
         [[rules]]\non = \"refund\"\nkind = \"http_500\"\nmatch = { cart_id = \"r-3\" }",
    );
    let body = |cart: &str| pt.body("refund", cart, &json!(10), json!({ "tran_ref": sale }));
    assert!(pt.try_post("/payment/request", &body("r-1")).await.is_err());
    assert_eq!(pt.post("/payment/request", &body("r-1")).await.status, 409);
    assert_eq!(verdict(&pt.by_cart("r-1").await[0]), "A Authorised");
    let failed = pt.post("/payment/request", &body("r-2")).await;
    assert_eq!((failed.status, &failed.body["code"]), (500, &json!(400)));
    assert_eq!(pt.post("/payment/request", &body("r-2")).await.status, 409);
    assert_eq!(pt.by_cart("r-2").await.len(), 1);
    assert_eq!(pt.post("/payment/request", &body("r-3")).await.status, 500);
    assert_eq!(pt.by_cart("r-3").await.len(), 0, "nothing was done");
    assert_eq!(pt.post("/payment/request", &body("r-3")).await.status, 200);
    assert_eq!(pt.state().await["references"]["c-1"]["refunded"], 3_000);
}

#[tokio::test]
async fn answers_are_falsified_and_what_is_kept_is_right() {
    let pt = Pt::new().await;
    let sale = pt.paid("sale", "c-1", json!(100)).await;
    let cases = [
        ("wrong_amount", "/tran_total", "101.00"),
        ("wrong_currency", "/tran_currency", "USD"),
        ("unknown_status", "/payment_result/response_status", "simmering"),
    ];
    for (kind, field, wrong) in cases {
        pt.faults(&format!("[[rules]]\non = \"retrieve\"\nkind = \"{kind}\""));
        assert_eq!(pt.query(&sale).await.pointer(field), Some(&json!(wrong)));
        assert_ne!(pt.query(&sale).await.pointer(field), Some(&json!(wrong)));
    }
    pt.faults("[[rules]]\non = \"retrieve\"\nkind = \"error_in_200\"");
    let body = json!({ "profile_id": PROFILE, "cart_id": "c-1" });
    let answer = pt.post("/payment/query", &body).await;
    assert_eq!((answer.status, &answer.body["code"]), (200, &json!(400)));
    pt.faults("[[rules]]\non = \"retrieve\"\nkind = \"http_429\"\ndelay_s = 7");
    let answer = pt.post("/payment/query", &body).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("7")));
}

#[tokio::test]
async fn money_that_looked_safe_is_lost_later() {
    let pt = Pt::new().await;
    pt.faults("[[rules]]\non = \"confirm\"\nkind = \"late_failure\"");
    let sale = pt.paid("sale", "c-1", json!(100)).await;
    assert_eq!(verdict(&pt.query(&sale).await), "A Authorised");
    pt.clock.advance(60);
    assert_eq!(verdict(&pt.query(&sale).await), "V Voided");
    let sale = pt.paid("sale", "c-2", json!(100)).await;
    pt.faults(
        "[[rules]]\non = \"refund\"\nkind = \"late_failure\"\n\
         [[rules]]\non = \"refund\"\nkind = \"bounced_refund\"",
    );
    let first = pt.follow("refund", &sale, "r-1", json!(10)).await;
    let second = pt.follow("refund", &sale, "r-2", json!(10)).await;
    assert_eq!(verdict(&first.body), "A Authorised");
    assert_eq!(verdict(&second.body), "P Pending");
    pt.clock.advance(60);
    for cart in ["r-1", "r-2"] {
        assert_eq!(verdict(&pt.by_cart(cart).await[0]), "D Not authorised");
    }
    assert_eq!(pt.state().await["references"]["c-2"]["refunded"], 0);
    pt.assert_balanced();
}

#[tokio::test]
async fn a_charge_of_a_token_and_a_capture_meet_their_own_rules() {
    let pt = Pt::new().await;
    let page = pt.page("sale", "c-1", json!(5), json!({ "tokenise": 2 })).await;
    pt.choose(&page, json!({ "outcome": "paid" })).await;
    let token = pt.query(&page).await["token"].clone();
    let auth = pt.paid("auth", "c-2", json!(5)).await;
    let rule = |on: &str| format!("[[rules]]\non = \"{on}\"\nkind = \"http_500\"\n");
    pt.faults(&["token", "capture", "cancel", "create"].map(rule).concat());
    let more = json!({ "tran_class": "recurring", "token": token, "tran_ref": page });
    assert_eq!(pt.ask("sale", "s-1", json!(5), more).await.status, 500);
    assert_eq!(pt.follow("capture", &auth, "k-1", json!(5)).await.status, 500);
    assert_eq!(pt.follow("release", &auth, "k-2", json!(5)).await.status, 500);
    assert_eq!(pt.ask("sale", "s-2", json!(5), json!({})).await.status, 500);
}

#[tokio::test]
async fn everything_survives_a_drop_without_stop() {
    let dir = folder("paytabs-survive");
    let open = || Pt::with(|config| config.data_dir = Some(dir.clone()));
    let pt = open().await;
    let auth = pt.paid("auth", "c-1", json!(200)).await;
    pt.follow("capture", &auth, "c-1-c", json!(80)).await;
    let number = pt.page("sale", "c-2", json!(5), json!({ "payment_methods": ["aman"] })).await;
    pt.choose(&number, json!({ "outcome": "paid" })).await;
    let (state, capture) = (pt.state().await, pt.by_cart("c-1-c").await);
    drop(pt);

    let pt = open().await;
    assert_eq!(pt.state().await, state);
    assert_eq!(pt.by_cart("c-1-c").await, capture);
    let again = pt.follow("capture", &auth, "c-1-c", json!(80)).await;
    assert_eq!(again.status, 409, "duplicates are remembered");
    let new = pt.page("sale", "c-3", json!(5), json!({})).await;
    let known = [&auth, &number].contains(&&new) || capture[0]["tran_ref"] == json!(new);
    assert!(!known, "references go on where they were");
    pt.clock.advance(3 * 24 * 3_600);
    assert_eq!(verdict(&pt.query(&number).await), "X Expired");
    pt.assert_balanced();
}
