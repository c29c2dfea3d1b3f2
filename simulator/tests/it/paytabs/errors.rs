//! What is refused, and how.

use serde_json::{Value, json};

use super::{PROFILE, Pt};

#[tokio::test]
async fn a_request_that_cannot_be_used_is_refused_with_code_and_trace() {
    let pt = Pt::new().await;
    let auth = pt.paid("auth", "a-1", json!(10)).await;
    let cases = [
        (json!({ "profile_id": PROFILE + 1 }), 401, 1),
        (json!({ "profile_id": null }), 401, 1),
        (json!({ "tran_type": "authext" }), 400, 2),
        (json!({ "tran_class": "shop" }), 400, 2),
        (json!({ "cart_id": "x".repeat(65) }), 400, 2),
        (json!({ "cart_id": null }), 400, 2),
        (json!({ "cart_description": "x".repeat(129) }), 400, 2),
        (json!({ "cart_currency": "CHF" }), 400, 206),
        (json!({ "cart_currency": "AE" }), 400, 206),
        (json!({ "cart_currency": null }), 400, 2),
        (json!({ "cart_amount": 0 }), 400, 2),
        (json!({ "cart_amount": -5 }), 400, 2),
        (json!({ "cart_amount": 10.505 }), 400, 2),
        (json!({ "cart_amount": 100.10000000000001 }), 400, 2),
        (json!({ "cart_amount": 10_000_000_000_i64 }), 400, 2),
        (json!({ "cart_amount": 1e20 }), 400, 2),
        (json!({ "cart_amount": 0.005, "cart_currency": "KWD" }), 400, 2),
        (json!({ "cart_amount": 10.5, "cart_currency": "JPY" }), 400, 2),
        (json!({ "cart_amount": null }), 400, 2),
        (json!({ "return": "http://shop.example/back" }), 400, 2),
        (json!({ "split_payout": [] }), 400, 2),
        (json!({ "tran_type": "capture" }), 400, 2),
        (json!({ "tran_type": "capture", "tran_ref": "TST0" }), 400, 2),
        (json!({ "tran_type": "refund", "tran_ref": auth }), 400, 2),
        (json!({ "tran_type": "capture", "tran_ref": auth, "cart_currency": "SAR" }), 400, 206),
    ];
    for (more, status, code) in cases {
        let refused = pt.ask("sale", "c-1", json!(50), more.clone()).await;
        assert_eq!((refused.status, &refused.body["code"]), (status, &json!(code)), "{more}");
        assert!(refused.body["trace"].as_str().unwrap().starts_with("PMNT04"), "{more}");
        assert!(refused.body["message"].is_string(), "{more}");
    }
    assert_eq!(pt.by_cart("c-1").await, Vec::<Value>::new(), "nothing was made of them");
}

#[tokio::test]
async fn what_is_no_json_object_and_what_is_nowhere_is_refused() {
    let pt = Pt::new().await;
    for body in ["", "[]", "{", "a=b"] {
        let request = pt.request("POST", "/payment/request").body(body);
        let refused = crate::support::read(request).await.unwrap();
        assert_eq!((refused.status, &refused.body["code"]), (400, &json!(2)), "{body}");
    }
    assert_eq!(pt.get("/payment/request").await.status, 404);
    let nowhere = pt.post("/payment/nowhere", &json!({ "profile_id": PROFILE })).await;
    assert_eq!(nowhere.status, 404);
    assert_eq!(pt.get("/_sim/statements/none").await.status, 404);
}
