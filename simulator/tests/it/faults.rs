//! What goes wrong on purpose.

use crate::support::{Bed, KEY, Sink};

const PATH: &str = "/v1/payment_intents";
const PAY: &[(&str, &str)] = &[
    ("amount", "5000"),
    ("currency", "aed"),
    ("payment_method_types[]", "card"),
    ("payment_method", "pm_card_visa"),
    ("confirm", "true"),
    ("metadata[order_id]", "A-7"),
];

async fn charged(bed: &Bed) -> i64 {
    bed.state().await["totals"]["aed"]["charged"].as_i64().unwrap_or(0)
}

#[tokio::test]
async fn a_lost_answer_leaves_the_work_done_and_the_key_replays_it() {
    let bed = Bed::new().await;
    bed.faults("[[rules]]\non = \"create\"\nkind = \"lost_answer\"");
    assert!(bed.try_post(PATH, PAY, Some("k")).await.is_err(), "the connection ends");
    assert_eq!(charged(&bed).await, 5_000);
    let retry = bed.try_post(PATH, PAY, Some("k")).await.unwrap();
    assert_eq!(retry.body["status"], "succeeded");
    assert_eq!(retry.header("Idempotent-Replayed"), Some("true"));
    assert_eq!(charged(&bed).await, 5_000);
}

#[tokio::test]
async fn a_timeout_withholds_the_answer_of_work_that_was_done() {
    let bed = Bed::new().await;
    bed.faults("[[rules]]\non = \"create\"\nkind = \"timeout\"\ndelay_ms = 50");
    assert!(bed.try_post(PATH, PAY, Some("k")).await.is_err());
    assert_eq!(charged(&bed).await, 5_000);
}

#[tokio::test]
async fn work_that_started_late_is_done_although_the_caller_has_hung_up() {
    let bed = Bed::new().await;
    bed.faults("[[rules]]\non = \"create\"\nkind = \"delay\"\ndelay_ms = 100");
    let request = bed.client.post(format!("{}{PATH}", bed.sim.url())).bearer_auth(KEY).form(PAY);
    let short = std::time::Duration::from_millis(20);
    assert!(request.timeout(short).send().await.unwrap_err().is_timeout());
    let mut looks = 0;
    while charged(&bed).await == 0 {
        looks += 1;
        assert!(looks < 100_000, "the work was never done");
    }
    assert_eq!(charged(&bed).await, 5_000);
}

#[tokio::test]
async fn a_500_before_the_work_leaves_nothing_and_the_key_is_free() {
    let bed = Bed::new().await;
    bed.faults("[[rules]]\non = \"create\"\nkind = \"http_500\"");
    assert_eq!(bed.try_post(PATH, PAY, Some("k")).await.unwrap().status, 500);
    assert_eq!(charged(&bed).await, 0);
    assert_eq!(bed.try_post(PATH, PAY, Some("k")).await.unwrap().status, 200);
    assert_eq!(charged(&bed).await, 5_000);
}

#[tokio::test]
async fn an_error_inside_200_and_a_wrong_amount_are_only_in_the_answer() {
    let bed = Bed::new().await;
    bed.faults(
        "[[rules]]\non = \"create\"\nkind = \"error_in_200\"\n\
         [[rules]]\non = \"create\"\nkind = \"wrong_amount\"",
    );
    let odd = bed.post(PATH, PAY).await;
    assert_eq!((odd.status, &odd.body["error"]["type"]), (200, &"api_error".into()));
    assert_eq!(charged(&bed).await, 0);
    let wrong = bed.post(PATH, PAY).await;
    assert_eq!(wrong.body["amount_received"], 5_100);
    let read = bed.get(&format!("{PATH}/{}", wrong.id())).await;
    assert_eq!(read.body["amount_received"], 5_000);
}

#[tokio::test]
async fn a_rule_finds_its_payment_by_metadata_at_every_step() {
    let bed = Bed::new().await;
    let held = bed.pay("5000", "pm_card_visa", "manual").await;
    bed.faults(
        "[[rules]]\non = \"capture\"\nkind = \"http_500\"\nmatch = { order_id = \"A-1\" }\n\
         [[rules]]\non = \"refund\"\nkind = \"http_500\"\nmatch = { order_id = \"A-1\" }\n\
         [[rules]]\non = \"retrieve\"\nkind = \"http_500\"\nmatch = { order_id = \"A-2\" }",
    );
    let capture = format!("{PATH}/{}/capture", held.id());
    assert_eq!(bed.post(&capture, &[]).await.status, 500);
    assert_eq!(bed.post(&capture, &[]).await.status, 200);
    let refund = [("payment_intent", held.id())];
    assert_eq!(bed.post("/v1/refunds", &refund).await.status, 500);
    assert_eq!(bed.post("/v1/refunds", &refund).await.status, 200);
    assert_eq!(bed.get(&format!("{PATH}/{}", held.id())).await.status, 200);
}

#[tokio::test]
async fn webhooks_are_duplicated_reordered_delayed_and_falsified() {
    let sink = Sink::start().await;
    let bed = Bed::with(|config| config.webhook_url = Some(sink.url.clone())).await;
    bed.faults(
        "[[rules]]\non = \"webhook\"\nkind = \"reorder\"\nevent = \"charge.succeeded\"\n\
         [[rules]]\non = \"webhook\"\nkind = \"duplicate\"\nevent = \"payment_intent.succeeded\"\n\
         [[rules]]\non = \"webhook\"\nkind = \"delay\"\ndelay_s = 90\nevent = \"refund.created\"\n\
         [[rules]]\non = \"webhook\"\nkind = \"wrong_amount\"\nevent = \"charge.refunded\"",
    );
    let paid = bed.pay("5000", "pm_card_visa", "automatic").await;
    bed.post("/v1/refunds", &[("payment_intent", paid.id())]).await;
    bed.sim.deliver_due().await;
    assert_eq!(
        sink.kinds(),
        [
            "payment_intent.created",
            "payment_intent.succeeded",
            "charge.succeeded",
            "payment_intent.succeeded",
            "charge.refunded",
        ]
    );
    let all = sink.all();
    assert_eq!(all[1].body, all[3].body);
    assert_eq!(all[4].event()["data"]["object"]["amount"], 5_100);
    sink.forget();
    bed.clock.advance(89);
    assert_eq!(bed.sim.deliver_due().await, 0);
    bed.clock.advance(1);
    assert_eq!(bed.sim.deliver_due().await, 1);
    assert_eq!(sink.kinds(), ["refund.created"]);
}

#[tokio::test]
async fn an_answer_that_is_not_stripes_leaves_nothing_and_an_empty_one_is_done() {
    let bed = Bed::new().await;
    let kinds = ["http_429", "html", "redirect", "empty_body"];
    let rules = kinds.map(|kind| format!("[[rules]]\non = \"create\"\nkind = \"{kind}\"\n"));
    bed.faults(&rules.concat());
    let limited = bed.post(PATH, PAY).await;
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("1")));
    assert_eq!(limited.code(), "rate_limit");
    assert!(bed.post(PATH, PAY).await.body.as_str().unwrap().starts_with("<!doctype html>"));
    assert_eq!(bed.post(PATH, PAY).await.status, 302);
    assert_eq!(charged(&bed).await, 0);
    assert_eq!(bed.post(PATH, PAY).await.body, "");
    assert_eq!(charged(&bed).await, 5_000);
    assert!(bed.sim.imbalance().unwrap().is_empty());
}

#[tokio::test]
async fn stripe_is_down_for_a_while_and_may_say_what_nobody_documented() {
    let bed = Bed::new().await;
    bed.faults(
        "[[rules]]\non = \"create\"\nkind = \"down\"\ndelay_s = 60\n\
         [[rules]]\non = \"create\"\nkind = \"unknown_status\"\n\
         [[rules]]\non = \"create\"\nkind = \"wrong_currency\"",
    );
    assert_eq!(bed.post(PATH, PAY).await.status, 503);
    assert_eq!(bed.get("/v1/balance").await.status, 503);
    bed.clock.advance(60);
    assert_eq!(bed.post(PATH, PAY).await.body["status"], "simmering");
    assert_eq!(bed.post(PATH, PAY).await.body["currency"], "usd");
    assert_eq!(charged(&bed).await, 10_000);
}

#[tokio::test]
async fn stripes_messages_claim_another_time_and_are_signed_with_an_older_secret() {
    let sink = Sink::start().await;
    let bed = Bed::with(|config| {
        config.webhook_url = Some(sink.url.clone());
        config.older_webhook_secrets = vec!["whsec_older".to_owned()];
    })
    .await;
    bed.faults(
        "[[rules]]\non = \"webhook\"\nkind = \"clock_skew\"\nskew_s = 600\n\
         [[rules]]\non = \"webhook\"\nkind = \"key_rotation\"",
    );
    bed.pay("5000", "pm_card_visa", "automatic").await;
    bed.sim.deliver_due().await;
    let all = sink.all();
    let ahead = crate::support::START + 600;
    assert!(all[0].signature.starts_with(&format!("t={ahead},")), "{}", all[0].signature);
    assert_eq!(all[0].signature.matches("v1=").count(), 2);
    assert_eq!(all[1].signature.matches("v1=").count(), 1);
}

#[tokio::test]
async fn the_control_plane_takes_plans_and_names_what_is_wrong() {
    let bed = Bed::new().await;
    let url = format!("{}/_sim/faults", bed.sim.url());
    let bad = bed.client.post(&url).body("{\"rules\":[{\"on\":\"pay\",\"kind\":\"delay\"}]}");
    let bad = bad.send().await.unwrap();
    assert_eq!(bad.status(), 400);
    assert!(bad.text().await.unwrap().contains("pay"));
    let good = bed.client.post(&url).header("content-type", "application/toml");
    let good = good.body("[[rules]]\non = \"create\"\nkind = \"http_500\"").send().await.unwrap();
    assert_eq!(good.status(), 200);
    assert_eq!(bed.post(PATH, PAY).await.status, 500);
}
