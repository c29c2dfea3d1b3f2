//! One key, one effect.

use serde_json::json;

use crate::support::{Bed, Form};

const PAY: Form<'static> = &[
    ("amount", "5000"),
    ("currency", "aed"),
    ("payment_method_types[]", "card"),
    ("payment_method", "pm_card_visa"),
    ("confirm", "true"),
];
const PATH: &str = "/v1/payment_intents";

async fn intents(bed: &Bed) -> usize {
    bed.state().await["payment_intents"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_repeated_key_replays_the_same_answer_and_does_nothing() {
    let bed = Bed::new().await;
    let first = bed.try_post(PATH, PAY, Some("k")).await.unwrap();
    let second = bed.try_post(PATH, PAY, Some("k")).await.unwrap();
    assert_eq!(first.body, second.body);
    assert_eq!(first.header("Idempotent-Replayed"), None);
    assert_eq!(second.header("Idempotent-Replayed"), Some("true"));
    assert_eq!(second.header("Original-Request"), first.header("Request-Id"));
    assert_eq!(intents(&bed).await, 1);
}

#[tokio::test]
async fn the_same_key_with_other_parameters_is_refused() {
    let bed = Bed::new().await;
    bed.try_post(PATH, PAY, Some("k")).await.unwrap();
    let other: Vec<_> = PAY.iter().copied().chain([("description", "other")]).collect();
    let refused = bed.try_post(PATH, &other, Some("k")).await.unwrap();
    assert_eq!(refused.status, 400);
    assert_eq!(refused.body["error"]["type"], "idempotency_error");
    assert_eq!(intents(&bed).await, 1);
}

#[tokio::test]
async fn a_decline_is_replayed_and_a_parameter_error_is_not() {
    let bed = Bed::new().await;
    let declined: Vec<_> = PAY
        .iter()
        .map(|(name, value)| match *name {
            "payment_method" => (*name, "pm_card_visa_chargeDeclined"),
            _ => (*name, *value),
        })
        .collect();
    let first = bed.try_post(PATH, &declined, Some("d")).await.unwrap();
    let second = bed.try_post(PATH, &declined, Some("d")).await.unwrap();
    assert_eq!((first.status, second.status), (402, 402));
    assert_eq!(second.header("Idempotent-Replayed"), Some("true"));

    let bad = [("amount", "x")];
    assert_eq!(bed.try_post(PATH, &bad, Some("v")).await.unwrap().status, 400);
    assert_eq!(bed.try_post(PATH, PAY, Some("v")).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let bed = Bed::new().await;
    bed.try_post(PATH, PAY, Some("k")).await.unwrap();
    bed.clock.advance(24 * 3600);
    let later = bed.try_post(PATH, PAY, Some("k")).await.unwrap();
    assert_eq!(later.header("Idempotent-Replayed"), None);
    assert_eq!(intents(&bed).await, 2);
}

#[tokio::test]
async fn a_key_whose_request_is_running_is_refused_with_409() {
    let bed = Bed::new().await;
    bed.faults("[[rules]]\non = \"create\"\nkind = \"delay\"\ndelay_ms = 300");
    // Whichever of the two comes first draws the delay and holds the key while it waits.
    let (one, other) =
        tokio::join!(bed.try_post(PATH, PAY, Some("k")), bed.try_post(PATH, PAY, Some("k")));
    let mut statuses = [one.unwrap().status, other.unwrap().status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(intents(&bed).await, 1);
}

#[tokio::test]
async fn a_stored_500_is_replayed_although_the_work_was_done() {
    let bed = Bed::new().await;
    bed.faults("[[rules]]\non = \"create\"\nkind = \"http_500_after\"");
    for _ in 0..2 {
        let broken = bed.try_post(PATH, PAY, Some("k")).await.unwrap();
        assert_eq!(broken.status, 500);
        assert_eq!(broken.body["error"]["type"], json!("api_error"));
    }
    assert_eq!(intents(&bed).await, 1);
}
