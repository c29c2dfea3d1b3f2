//! Whatever is asked, whatever goes wrong, in whatever order it is told: in the end everything
//! has an outcome, and the books say what the gateway says.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Value, json};

use crate::support_app::{TestApp, order};

/// An order and the card that is tried first.
#[derive(Clone, Debug)]
struct Order {
    amounts: Vec<i64>,
    hold: bool,
    card: usize,
}

/// One step; numbers wrap around the payments that there are.
#[derive(Clone, Debug)]
enum Step {
    Confirm { payment: usize, card: usize },
    Capture { payment: usize, percent: Option<i64> },
    Cancel { payment: usize },
    Refund { payment: usize, percent: Option<i64> },
    RefundAtGateway { payment: usize, amount: i64 },
    Press { payment: usize, button: &'static str },
    Sync { payment: usize },
    Wait { seconds: u64 },
    Deliver,
    Resend { event: usize },
    Tick,
}

/// One rule of the fault plan: where, what, and how often in a hundred.
type Fault = (&'static str, &'static str, u8);

const CARDS: [&str; 8] = [
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_threeDSecure2Required",
    "pm_card_chargeDeclined",
    "pm_card_pendingRefund",
    "pm_card_refundFail",
    "pm_card_bypassPending",
];

const FAULTS: [(&str, &str); 17] = [
    ("create", "lost_answer"),
    ("create", "http_500"),
    ("create", "http_500_after"),
    ("create", "error_in_200"),
    ("create", "wrong_amount"),
    ("capture", "lost_answer"),
    ("capture", "http_500"),
    ("capture", "http_500_after"),
    ("refund", "lost_answer"),
    ("refund", "http_500"),
    ("refund", "error_in_200"),
    ("cancel", "lost_answer"),
    ("cancel", "http_500_after"),
    ("retrieve", "http_500"),
    ("retrieve", "lost_answer"),
    ("webhook", "duplicate"),
    ("webhook", "reorder"),
];

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let one = (0..FAULTS.len(), 10..60_u8);
    let named = |(n, percent): (usize, u8)| (FAULTS[n].0, FAULTS[n].1, percent);
    proptest::collection::vec(one.prop_map(named), 0..7)
}

fn orders() -> impl Strategy<Value = Vec<Order>> {
    let amounts = proptest::collection::vec(500..60_000_i64, 1..4);
    let order = (amounts, any::<bool>(), 0..CARDS.len()).prop_map(|(amounts, hold, card)| Order {
        amounts,
        hold,
        card,
    });
    proptest::collection::vec(order, 1..5)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let payment = || 0..4_usize;
    let percent = || proptest::option::of(1..=110_i64);
    let part = || proptest::option::of(1..=60_i64);
    let button = prop_oneof![Just("approve"), Just("approve"), Just("decline")];
    let step = prop_oneof![
        3 => (payment(), 0..CARDS.len())
            .prop_map(|(payment, card)| Step::Confirm { payment, card }),
        4 => (payment(), percent())
            .prop_map(|(payment, percent)| Step::Capture { payment, percent }),
        1 => payment().prop_map(|payment| Step::Cancel { payment }),
        6 => (payment(), part())
            .prop_map(|(payment, percent)| Step::Refund { payment, percent }),
        1 => (payment(), 1..400_i64)
            .prop_map(|(payment, amount)| Step::RefundAtGateway { payment, amount }),
        4 => (payment(), button)
            .prop_map(|(payment, button)| Step::Press { payment, button }),
        1 => payment().prop_map(|payment| Step::Sync { payment }),
        3 => (1..400_u64).prop_map(|seconds| Step::Wait { seconds }),
        2 => Just(Step::Deliver),
        1 => (0..20_usize).prop_map(|event| Step::Resend { event }),
        2 => Just(Step::Tick),
    ];
    proptest::collection::vec(step, 8..30)
}

fn plan(faults: &[Fault], seed: u64) -> String {
    let rule = |(on, kind, percent): &Fault| {
        format!("[[rules]]\non = \"{on}\"\nkind = \"{kind}\"\nprobability_percent = {percent}\n")
    };
    format!("seed = {seed}\n{}", faults.iter().map(rule).collect::<String>())
}

/// What the service may answer to a request that makes sense, on a good day or a bad one.
const ANSWERS: [u16; 7] = [200, 202, 400, 402, 409, 422, 503];

async fn take(app: &TestApp, payments: &[String], step: &Step) {
    let at = |payment: &usize| payments[payment % payments.len()].clone();
    let part = |of: i64, percent: &Option<i64>| percent.map(|percent| (of * percent / 100).max(1));
    let answer = match step {
        Step::Confirm { payment, card } => app.confirm(&at(payment), CARDS[*card]).await,
        Step::Capture { payment, percent } => {
            let held = app.payment(&at(payment)).await.int("amount_capturable");
            let body = json!({ "amount": part(held, percent) });
            app.act(&at(payment), "capture", body).await
        }
        Step::Cancel { payment } => app.act(&at(payment), "cancel", json!({})).await,
        Step::Refund { payment, percent } => {
            let taken = app.payment(&at(payment)).await.int("amount_captured");
            app.refund(&at(payment), part(taken, percent)).await
        }
        Step::RefundAtGateway { payment, amount } => {
            let payment = app.payment(&at(payment)).await;
            // Only what surely is left: money that is promised here already cannot be given
            // away there without a person having to sort it out.
            let free = payment.int("amount_captured")
                - payment.int("amount_refunded")
                - payment.int("amount_refund_pending");
            let attempts = payment.body["attempts"].as_array().unwrap();
            let taken = attempts.iter().find(|attempt| attempt["status"] == "captured");
            let theirs = taken.and_then(|attempt| attempt["provider_ref"].as_str());
            if let Some(theirs) = theirs.filter(|_| free > *amount) {
                let amount = amount.to_string();
                let form = [("payment_intent", theirs), ("amount", amount.as_str())];
                let _lost = app.gateway_request("/v1/refunds", &form).send().await;
                app.sim.deliver_due().await;
            }
            return;
        }
        Step::Press { payment, button } => {
            let payment = app.payment(&at(payment)).await;
            if payment.text("status") == "requires_action" {
                app.press(&payment, button).await;
            }
            return;
        }
        Step::Sync { payment } => app.act(&at(payment), "sync", json!({})).await,
        Step::Wait { seconds } => return app.advance(*seconds),
        Step::Deliver => {
            app.sim.deliver_due().await;
            return;
        }
        Step::Resend { event } => return resend(app, *event).await,
        Step::Tick => return app.tick().await,
    };
    assert!(ANSWERS.contains(&answer.status), "{step:?}: {answer:#?}");
}

async fn create(app: &TestApp, wanted: &Order) -> String {
    let vendors = ["V1", "V2", "V3"];
    let lines: Vec<_> = wanted.amounts.iter().zip(vendors).map(|(a, v)| (v, *a)).collect();
    let mut body = order(&lines);
    body["return_url"] = "https://shop.example/back".into();
    if wanted.hold {
        body["capture_method"] = "manual".into();
    }
    let id = app.create(body).await;
    app.confirm(&id, CARDS[wanted.card]).await;
    id
}

/// Has the gateway tell an event again, however old it is.
async fn resend(app: &TestApp, event: usize) {
    let events = app.ask_gateway("/v1/events?limit=20").await;
    let events = events.body["data"].as_array().unwrap();
    if let Some(event) = events.get(event % events.len().max(1)) {
        let path = format!("/_sim/webhooks/{}/resend", event["id"].as_str().unwrap());
        app.at_gateway(&path, &[]).await;
    }
}

async fn live(faults: Vec<Fault>, seed: u64, orders: Vec<Order>, steps: Vec<Step>) {
    let app = TestApp::new().await;
    app.faults(&plan(&faults, seed));
    let mut payments = Vec::new();
    for wanted in &orders {
        payments.push(create(&app, wanted).await);
    }
    // A refund that may have been made and is refused when it is asked for again is left to a
    // person; that needs somebody in the dashboard who was quicker.
    let refuses = |(on, kind, _): &Fault| *on == "refund" && *kind != "lost_answer";
    let alone = faults.iter().any(refuses);
    for step in steps.iter().filter(|s| !alone || !matches!(s, Step::RefundAtGateway { .. })) {
        take(&app, &payments, step).await;
        app.prove_laws().await;
    }
    app.faults("");
    app.end().await;
    let open: i64 =
        app.sql("select count(*) from payments.operation where finished_at is null").await;
    assert_eq!(open, 0);
    let mut taken = 0;
    for id in &payments {
        let payment = app.payment(id).await;
        assert_ne!(payment.text("status"), "processing", "{payment:#?}");
        taken += i64::from(payment.int("amount_captured") > 0);
        assert_eq!(payment.int("amount_unapplied"), 0, "{payment:#?}");
    }
    let state = app.ask_gateway("/_sim/state").await;
    let charges = state.body["stripe"]["charges"].as_array().unwrap();
    let captured = |charge: &&Value| charge["amount_captured"].as_i64() > Some(0);
    assert_eq!(charges.iter().filter(captured).count() as i64, taken, "a charge too many");
    crate::replay::prove_replay(&app).await;
}

#[test]
fn after_any_day_everything_has_an_outcome_and_the_books_say_what_the_gateway_says() {
    let given = std::env::var("MIZAN_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(rand::random);
    println!("MIZAN_TEST_SEED={seed} runs the same days again");
    let config = Config {
        cases: 24,
        max_shrink_iters: 60,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..Config::default()
    };
    let days = (faults(), any::<u64>(), orders(), steps());
    let mut runner = TestRunner::new(config);
    let run = runner.run(&days, |(faults, seed, orders, steps)| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live(faults, seed, orders, steps));
        Ok(())
    });
    if let Err(failure) = run {
        panic!("{failure}\nMIZAN_TEST_SEED={seed}");
    }
}
