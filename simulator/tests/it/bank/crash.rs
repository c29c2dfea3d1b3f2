//! What was answered is still there after a crash, all or nothing.

use serde_json::json;

use crate::razorpay::Rzp;
use crate::support::folder;

#[tokio::test]
async fn money_keys_and_what_happens_later_survive_a_drop_without_stop() {
    let dir = folder("bank-survive");
    let open = || Rzp::with(|config| config.data_dir = Some(dir.clone()));
    let rzp = open().await;
    let payment = rzp.paid(50_000, "r-1").await;
    rzp.faults("[[rules]]\non = \"refund\"\nkind = \"bounced_refund\"\ndelay_s = 30");
    let path = format!("/v1/payments/{payment}/refund");
    let key = Some(("X-Refund-Idempotency", "refund-key-1"));
    let body = json!({ "amount": 10_000 });
    let refunded = rzp.try_post(&path, &body, key).await.unwrap();
    let before = rzp.state().await;
    drop(rzp);

    let rzp = open().await;
    assert_eq!(rzp.state().await, before);
    let replayed = rzp.try_post(&path, &body, key).await.unwrap();
    assert_eq!(replayed.body, refunded.body);
    assert_ne!(rzp.paid(1_000, "r-2").await, payment, "ids go on where they were");
    rzp.clock.advance(30);
    let read = rzp.get(&format!("/v1/refunds/{}", refunded.id())).await;
    assert_eq!(read.body["status"], "failed");
    rzp.assert_balanced();
}

#[tokio::test]
async fn a_half_written_request_never_happened() {
    let dir = folder("bank-half");
    let open = || Rzp::with(|config| config.data_dir = Some(dir.clone()));
    let rzp = open().await;
    rzp.paid(50_000, "r-1").await;
    let order = rzp.order(70_000, "r-2", "automatic").await;
    let before = rzp.state().await;
    rzp.choose(&order, &json!({ "outcome": "paid" })).await;
    drop(rzp);
    let file = dir.join("razorpay.jsonl");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 20]).unwrap();

    let rzp = open().await;
    assert_eq!(rzp.state().await, before, "payment, captures and messages are one line");
    rzp.assert_balanced();
}
