//! IPNs and callbacks: what is told when, to whom, signed how, and how often.

use std::collections::BTreeSet;

use serde_json::json;

use super::{PROFILE, Pt, SERVER_KEY, all_told, hmac};
use crate::support::Sink;

#[tokio::test]
async fn a_life_is_told_to_the_endpoint_and_results_to_each_callback() {
    let (pt, ipn, callback) = Pt::heard().await;
    let more = json!({ "callback": callback.url });
    let auth = pt.page("auth", "c-1", json!(200), more).await;
    pt.choose(&auth, json!({ "outcome": "declined" })).await;
    pt.choose(&auth, json!({ "outcome": "paid" })).await;
    let capture = pt.follow("capture", &auth, "c-1-c", json!(80)).await;
    pt.follow("release", &auth, "c-1-l", json!(120)).await;
    let capture = capture.body["tran_ref"].as_str().unwrap();
    let more = json!({ "callback": callback.url, "tran_ref": capture });
    pt.ask("refund", "c-1-r", json!(30), more).await;
    pt.follow("refund", capture, "c-1-s", json!(300)).await;
    pt.sim.deliver_due().await;
    let life = [
        "Auth D 200.00",
        "Auth A 200.00",
        "Capture A 80.00",
        "Release A 120.00",
        "Refund A 30.00",
        "Refund D 300.00",
    ];
    assert_eq!(all_told(&ipn), life);
    assert_eq!(all_told(&callback), ["Auth D 200.00", "Auth A 200.00", "Refund A 30.00"]);
    let mut traces = BTreeSet::new();
    for received in ipn.all().iter().chain(&callback.all()) {
        assert_eq!(received.signature, hmac(SERVER_KEY, &received.body));
        assert_eq!(received.headers["user-agent"], "IPN/1.0");
        assert_eq!(received.headers["client-key"], "C-BED");
        let event = received.event();
        assert_eq!(
            (&event["profile_id"], &event["merchant_id"]),
            (&json!(PROFILE), &json!(123_456))
        );
        assert!(traces.insert(event["ipn_trace"].to_string()), "every delivery has its own trace");
    }
    let refund = ipn.all()[4].event();
    assert_eq!(
        (&refund["previous_tran_ref"], &refund["cart_id"]),
        (&json!(capture), &json!("c-1-r"))
    );
}

#[tokio::test]
async fn what_happens_later_is_told_too() {
    let (pt, ipn, _) = Pt::heard().await;
    let more = json!({ "payment_methods": ["fawry"] });
    let page = pt.page("sale", "c-1", json!(50), more.clone()).await;
    pt.choose(&page, json!({ "outcome": "paid" })).await;
    pt.choose(&page, json!({ "outcome": "paid" })).await;
    let sale = pt.by_cart("c-1").await[1]["tran_ref"].as_str().unwrap().to_owned();
    pt.follow("refund", &sale, "r-1", json!(20)).await;
    pt.clock.advance(60);
    pt.sim.deliver_due().await;
    let life = ["Payment Request P 50.00", "Sale A 50.00", "Refund P 20.00", "Refund A 20.00"];
    assert_eq!(all_told(&ipn), life);
    assert_eq!(ipn.all()[1].event()["previous_tran_ref"], json!(page));
    ipn.forget();
    let page = pt.page("sale", "c-2", json!(50), more).await;
    pt.choose(&page, json!({ "outcome": "paid" })).await;
    pt.clock.advance(3 * 24 * 3_600);
    pt.choose(&sale, json!({ "outcome": "reversed" })).await;
    let given_up = pt.page("sale", "c-3", json!(5), json!({})).await;
    pt.choose(&given_up, json!({ "outcome": "cancelled" })).await;
    pt.sim.deliver_due().await;
    let life =
        ["Payment Request P 50.00", "Payment Request X 50.00", "Sale V 50.00", "Sale C 5.00"];
    assert_eq!(all_told(&ipn), life);
}

#[tokio::test]
async fn disputes_and_settlements_are_told_to_nobody() {
    let (pt, ipn, _) = Pt::heard().await;
    let sale = pt.paid("sale", "c-1", json!(50)).await;
    pt.sim.deliver_due().await;
    ipn.forget();
    let opened = pt.post("/_sim/disputes", &json!({ "payment": sale })).await;
    let path = format!("/_sim/disputes/{}/lose", opened.id());
    assert_eq!(pt.post(&path, &json!({})).await.status, 200);
    pt.post("/_sim/settle", &json!({})).await;
    pt.sim.deliver_due().await;
    assert_eq!(all_told(&ipn), Vec::<String>::new());
    pt.assert_balanced();
}

#[tokio::test]
async fn a_callback_that_is_not_on_this_machine_is_never_sent() {
    let pt = Pt::new().await;
    for (callback, status) in [
        ("https://shop.example/webhooks/paytabs", 200),
        ("https://shop.example:8443/hook", 400),
        ("http://shop.example/hook", 400),
        ("http://127.0.0.1.shop.example/hook", 400),
    ] {
        let made = pt.ask("sale", callback, json!(50), json!({ "callback": callback })).await;
        assert_eq!(made.status, status, "{callback}");
    }
    pt.choose("https:%2F%2Fshop.example%2Fwebhooks%2Fpaytabs", json!({ "outcome": "paid" })).await;
    assert_eq!(pt.get("/_sim/webhooks").await.body["paytabs"], json!([]));
}

#[tokio::test]
async fn deliveries_are_falsified_skewed_repeated_and_signed_with_another_key() {
    let sink = Sink::start().await;
    let pt = Pt::with(|config| {
        config.webhook_url = Some(sink.url.clone());
        config.older_webhook_secrets = vec!["older".to_owned()];
    })
    .await;
    pt.faults(
        "[[rules]]\non = \"webhook\"\nkind = \"clock_skew\"\nskew_s = -900\nevent = \"auth.A\"\n\
         [[rules]]\non = \"webhook\"\nkind = \"key_rotation\"\nevent = \"capture.A\"\n\
         [[rules]]\non = \"webhook\"\nkind = \"unknown_status\"\nevent = \"release.A\"\n\
         [[rules]]\non = \"webhook\"\nkind = \"duplicate\"\nevent = \"refund.A\"\n\
         [[rules]]\non = \"webhook\"\nkind = \"wrong_amount\"\nmatch = { cart_id = \"s-1\" }",
    );
    let auth = pt.paid("auth", "c-1", json!(200)).await;
    let capture = pt.follow("capture", &auth, "c-1-c", json!(80)).await;
    pt.follow("release", &auth, "c-1-l", json!(120)).await;
    pt.follow("refund", capture.body["tran_ref"].as_str().unwrap(), "c-1-r", json!(30)).await;
    pt.paid("sale", "s-1", json!(50)).await;
    pt.sim.deliver_due().await;
    let all = sink.all();
    assert_eq!(all[0].event()["payment_result"]["transaction_time"], "2026-05-28T20:11:40Z");
    assert_eq!(all[1].signature, hmac("older", &all[1].body));
    assert_eq!(all[2].event()["payment_result"]["response_status"], "simmering");
    assert_eq!(all[3].body, all[4].body);
    assert_eq!(all[5].event()["tran_total"], "51.00");
    for received in all.iter().enumerate().filter(|(place, _)| *place != 1).map(|(_, it)| it) {
        assert_eq!(received.signature, hmac(SERVER_KEY, &received.body));
    }
    let body = json!({ "profile_id": PROFILE, "cart_id": "s-1" });
    let older = pt.client.post(format!("{}/payment/query", pt.sim.url()));
    let older = older.header("authorization", "older").json(&body).send().await.unwrap();
    assert_eq!(older.status(), 200, "an older server key opens the door as long as it is active");
}

#[tokio::test]
async fn a_failure_of_paytabs_itself_is_told_without_a_signature() {
    let (pt, ipn, _) = Pt::heard().await;
    let page = pt.page("sale", "c-1", json!(50), json!({})).await;
    pt.choose(&page, json!({ "outcome": "declined", "reason": "error" })).await;
    pt.sim.deliver_due().await;
    let all = ipn.all();
    assert_eq!(all_told(&ipn), ["Sale E 50.00"]);
    assert!(!all[0].headers.contains_key("signature"));
    assert_eq!(all[0].event()["payment_result"]["response_code"], "400");
}

#[tokio::test]
async fn a_message_that_is_not_taken_is_tried_five_more_times() {
    let (pt, ipn, _) = Pt::heard().await;
    ipn.answer(500);
    pt.paid("sale", "c-1", json!(50)).await;
    for _ in 0..20 {
        pt.sim.deliver_due().await;
        pt.clock.advance(3_600);
    }
    let deliveries = pt.get("/_sim/webhooks").await.body["paytabs"].clone();
    assert_eq!(deliveries[0]["state"]["is"], "given_up");
    assert_eq!(ipn.all().len(), 6);
    ipn.answer(200);
    let event = deliveries[0]["event_id"].as_str().unwrap();
    pt.post(&format!("/_sim/webhooks/{event}/resend"), &json!({})).await;
    pt.sim.deliver_due().await;
    assert_eq!(ipn.all()[6].body, ipn.all()[0].body);
}
