//! What was answered is still there after a crash.

use mizan_simulator::{Simulator, SimulatorConfig, SimulatorError};

use crate::support::{Bed, HandClock, Sink, folder};

#[tokio::test]
async fn objects_keys_and_waiting_webhooks_survive_a_drop_without_stop() {
    let dir = folder("survive");
    let sink = Sink::start().await;
    let open = || {
        Bed::with(|config| {
            config.data_dir = Some(dir.clone());
            config.webhook_url = Some(sink.url.clone());
        })
    };
    let bed = open().await;
    let paid = bed.pay("5000", "pm_card_visa", "automatic").await;
    let refund = [("payment_intent", paid.id()), ("amount", "1000")];
    let refunded = bed.try_post("/v1/refunds", &refund, Some("k")).await.unwrap();
    let before = bed.state().await;
    drop(bed);

    let bed = open().await;
    assert_eq!(bed.state().await, before);
    let replayed = bed.try_post("/v1/refunds", &refund, Some("k")).await.unwrap();
    assert_eq!(replayed.body, refunded.body);
    assert_eq!(replayed.header("Idempotent-Replayed"), Some("true"));
    assert_eq!(bed.sim.deliver_due().await, 5);
    let next = bed.pay("5000", "pm_card_visa", "automatic").await;
    assert_ne!(next.id(), paid.id());
    bed.sim.deliver_due().await;
    drop(bed);

    let bed = open().await;
    assert_eq!(bed.sim.deliver_due().await, 0, "what was delivered stays delivered");
}

#[tokio::test]
async fn a_half_written_request_never_happened() {
    let dir = folder("half");
    let bed = Bed::with(|config| config.data_dir = Some(dir.clone())).await;
    bed.pay("5000", "pm_card_visa", "automatic").await;
    let before = bed.state().await;
    bed.pay("7000", "pm_card_visa", "automatic").await;
    drop(bed);
    let file = dir.join("stripe.jsonl");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 20]).unwrap();

    let bed = Bed::with(|config| config.data_dir = Some(dir.clone())).await;
    assert_eq!(bed.state().await, before);
}

#[tokio::test]
async fn a_folder_has_one_simulator_and_an_address_is_loopback() {
    let dir = folder("one");
    let bed = Bed::with(|config| config.data_dir = Some(dir.clone())).await;
    let mut config = SimulatorConfig::new(HandClock::new().clock());
    config.data_dir = Some(dir.clone());
    let second = Simulator::start(config.clone(), "127.0.0.1:0".parse().unwrap()).await;
    assert!(matches!(second, Err(SimulatorError::JournalInUse { .. })));
    bed.sim.stop().await;
    let third = Simulator::start(config.clone(), "127.0.0.1:0".parse().unwrap()).await;
    third.unwrap().stop().await;
    let open = Simulator::start(config, "0.0.0.0:0".parse().unwrap()).await;
    assert!(matches!(open, Err(SimulatorError::NotLoopback { .. })));
}
