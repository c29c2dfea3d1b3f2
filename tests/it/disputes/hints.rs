//! Disputes at a gateway whose word is a hint: it is asked, and what it answers is booked.

use mizan::db::work;
use mizan::payments::apply::{Fact, Said, apply};
use mizan_money::{Currency, Money};
use mizan_providers::{
    DisputeAnswer, DisputeStatus, FundsMovement, ProviderFee, ProviderName, ProviderRef,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Value, json};

use super::{announced, holds, net, ours};
use crate::gateways::Bazaar;
use crate::support_app::TestApp;

const NAME: ProviderName = ProviderName::Paypal;
const DOWN: &str = "seed = 1\n[[rules]]\non = \"retrieve\"\nkind = \"http_500\"\ntimes = 9999\n";
const UP: &str = "seed = 1\n";

/// A paid order; its webhooks have come.
async fn paid(bazaar: &Bazaar, amount: i64) -> String {
    let paid = bazaar.pay(NAME, amount, false).await;
    assert_eq!(paid.says(), (200, "succeeded"), "{:#}", paid.body);
    bazaar.settle().await;
    paid.id().to_owned()
}

/// Somebody disputes a payment at the gateway; answers the gateway's id of the dispute.
async fn dispute(bazaar: &Bazaar, payment: &str, mut with: Value) -> String {
    let paid = bazaar.app.payment(payment).await;
    with["payment"] = paid.body["attempts"][0]["provider_ref"].clone();
    assert_eq!(bazaar.control(NAME, "disputes", with).await, 200);
    let state = bazaar.state(NAME).await;
    let all = state["disputes"].as_array().unwrap();
    let own = all.iter().rev().find(|it| it["payment"] == paid_there(&state, &paid.body));
    own.unwrap()["id"].as_str().unwrap().to_owned()
}

/// The gateway's own payment behind an order of ours.
fn paid_there(state: &Value, payment: &Value) -> Value {
    let order = &payment["attempts"][0]["provider_ref"];
    let all = state["payments"].as_array().unwrap();
    all.iter().find(|it| it["order"] == *order).unwrap()["id"].clone()
}

async fn goes_on(bazaar: &Bazaar, dispute: &str, action: &str) {
    let path = format!("disputes/{dispute}/{action}");
    assert_eq!(bazaar.control(NAME, &path, json!({})).await, 200, "{action}");
}

/// How many questions wait for an answer.
async fn questions(bazaar: &Bazaar) -> i64 {
    bazaar.app.sql("select count(*) from payments.dispute_question").await
}

#[tokio::test]
async fn what_is_hinted_is_asked_about_and_booked_by_the_answer() {
    let bazaar = Bazaar::open().await;
    let app = &bazaar.app;
    let (first, second) = (paid(&bazaar, 25_000).await, paid(&bazaar, 25_000).await);
    let clearing = net(app, "gateway_clearing:paypal").await;
    let lost = dispute(&bazaar, &first, json!({ "reason": "MERCHANDISE" })).await;
    let won = dispute(&bazaar, &second, json!({ "amount": 5_000 })).await;
    bazaar.deliver().await;
    // A hint books nothing.
    assert_eq!(app.get("/v1/disputes").await.body["data"], json!([]));
    assert_eq!(questions(&bazaar).await, 2);
    app.tick().await;
    assert_eq!(questions(&bazaar).await, 0);
    assert_eq!(ours(app, &first).await["status"], "warning");
    let told = ours(app, &second).await;
    assert_eq!((&told["status"], &told["amount"]), (&json!("needs_response"), &json!(5_000)));
    assert_eq!(told["provider_ref"], won);
    holds(app, &[("dispute_hold:paypal", 0), ("gateway_clearing:paypal", clearing)]).await;

    app.advance(60);
    goes_on(&bazaar, &lost, "lose").await;
    goes_on(&bazaar, &won, "win").await;
    bazaar.settle().await;
    assert_eq!(ours(app, &first).await["status"], "lost");
    assert_eq!(ours(app, &second).await["status"], "won");
    holds(app, &[("dispute_hold:paypal", 0), ("gateway_clearing:paypal", clearing - 25_000)]).await;
    assert_eq!(app.payment(&first).await.int("amount_lost"), 25_000);
    let kinds = announced(app).await;
    assert_eq!(kinds.iter().filter(|it| *it == "dispute.created").count(), 2, "{kinds:?}");
    app.prove_laws().await;
}

#[tokio::test]
async fn a_gateway_that_cannot_be_reached_is_asked_again_later_and_later() {
    let bazaar = Bazaar::open().await;
    let app = &bazaar.app;
    let id = paid(&bazaar, 25_000).await;
    bazaar.faults(NAME, DOWN);
    let dp = dispute(&bazaar, &id, json!({})).await;
    bazaar.deliver().await;
    assert_eq!(questions(&bazaar).await, 1);
    for (asks, wait) in [(1, 31), (2, 121), (3, 601)] {
        app.tick().await;
        app.tick().await;
        let asked: i16 = app.sql("select asks from payments.dispute_question").await;
        assert_eq!(asked, asks);
        app.advance(wait);
    }
    assert_eq!(app.get("/v1/disputes").await.body["data"], json!([]));
    for _ in 0..4 {
        app.advance(86_400);
        app.tick().await;
    }
    let proved = mizan::verify::verify(&app.app.db, &app.app.clock).await.unwrap();
    let laws = proved.iter().flat_map(|(_, laws)| laws);
    let broken: Vec<&String> = laws.flat_map(|law| &law.broken).collect();
    let [one] = &broken[..] else { panic!("{broken:#?}") };
    assert!(one.contains(&dp) && one.contains("was asked about"), "{one}");
    // What happens meanwhile comes with the answer: one question for both hints.
    goes_on(&bazaar, &dp, "lose").await;
    bazaar.deliver().await;
    assert_eq!(questions(&bazaar).await, 2);
    bazaar.faults(NAME, UP);
    app.tick().await;
    assert_eq!(questions(&bazaar).await, 0);
    assert_eq!(ours(app, &id).await["status"], "lost");
    assert_eq!(app.payment(&id).await.int("amount_lost"), 25_000);
    app.prove_laws().await;
}

#[tokio::test]
async fn giving_in_to_a_hinted_dispute_is_booked_by_what_the_gateway_answers() {
    let bazaar = Bazaar::open().await;
    let app = &bazaar.app;
    let id = paid(&bazaar, 25_000).await;
    dispute(&bazaar, &id, json!({})).await;
    bazaar.settle().await;
    let path = format!("/v1/disputes/{}/accept", ours(app, &id).await["id"].as_str().unwrap());
    assert_eq!(app.post(&path, json!({})).await.status, 202);
    bazaar.settle().await;
    assert_eq!(ours(app, &id).await["status"], "lost");
    holds(app, &[("dispute_hold:paypal", 0)]).await;
    assert_eq!(app.payment(&id).await.int("amount_lost"), 25_000);
    app.prove_laws().await;
}

#[tokio::test]
async fn an_answer_that_nobody_can_book_is_left_to_a_person() {
    let bazaar = Bazaar::open().await;
    let app = &bazaar.app;
    for (kind, says) in [
        ("wrong_currency", "is disputed of a payment in USD"),
        ("unknown_status", "status is not known to this version"),
    ] {
        let id = paid(&bazaar, 25_000).await;
        let journal = app.journal().await;
        let dp = dispute(&bazaar, &id, json!({})).await;
        bazaar.deliver().await;
        let odd = format!("seed = 1\n[[rules]]\non = \"retrieve\"\nkind = \"{kind}\"\n");
        bazaar.faults(NAME, &odd);
        app.tick().await;
        bazaar.faults(NAME, UP);
        let payment = app.payment(&id).await;
        let reason = payment.text("review_reason");
        assert!(reason.starts_with(&dp) && reason.ends_with(says), "{reason}");
        assert_eq!((payment.text("status"), app.journal().await), ("review", journal));
        assert_eq!(questions(&bazaar).await, 0);
    }
}

#[tokio::test]
async fn movements_that_do_not_fit_move_nothing_until_they_do() {
    let bazaar = Bazaar::open().await;
    let app = &bazaar.app;
    let id = paid(&bazaar, 25_000).await;
    let reference = |text: &str| ProviderRef::parse(text).unwrap();
    let usd = |minor| Money::new(minor, Currency::parse("USD").unwrap());
    let payment = app.payment(&id).await;
    let attempt = payment.body["attempts"][0]["id"].as_str().unwrap().parse().unwrap();
    let tell = async |at: &str, rows: &[i64], unclear: Option<&str>| {
        let row = |minor: &i64| ProviderFee {
            gross: usd(*minor),
            fee: usd(0),
            tax: usd(0),
            net: usd(*minor),
            balance_transaction: reference("DISPUTE_SETTLEMENT:DEBIT:1"),
        };
        let fact = DisputeAnswer {
            provider_ref: reference("PP-D-1"),
            status: DisputeStatus::Lost,
            status_word: "RESOLVED".to_owned(),
            amount: usd(25_000),
            payment_ref: None,
            charge_ref: None,
            reason: None,
            evidence_due_by: None,
            funds: FundsMovement::None,
            rows: rows.iter().map(row).collect(),
            reference: None,
            changed_at: Some(at.parse().unwrap()),
            unclear: unclear.map(ToOwned::to_owned),
        };
        let fact = Fact::DisputeAnswer(attempt, Box::new(fact));
        let (tenant, now) = (app.books.tenant, app.app.clock.now());
        let said = &[Said { intent: id.parse().unwrap(), fact, at: now }];
        let told = app.app.db.transaction("tell", tenant, |tx| {
            work(async move { apply(tx, tenant, now, "sync", said).await })
        });
        told.await.unwrap();
    };
    let why = "PP-D-1 is about 250.00 USD, and PayPal says that 846.40 USD moved";
    tell("2026-03-02T10:00:00Z", &[], Some(why)).await;
    let told = ours(app, &id).await;
    assert_eq!((&told["status"], &told["booked"]), (&json!("lost"), &json!("nothing")));
    let payment = app.payment(&id).await;
    assert_eq!((payment.text("status"), payment.text("review_reason")), ("review", why));
    tell("2026-03-02T11:00:00Z", &[-25_000], None).await;
    // An older answer that comes late changes nothing.
    tell("2026-03-02T10:00:00Z", &[], Some(why)).await;
    assert_eq!(ours(app, &id).await["booked"], "lost");
    assert_eq!(app.payment(&id).await.int("amount_lost"), 25_000);
    app.prove_laws().await;
}

/// What happens to a dispute, and to the words about it.
#[derive(Clone, Debug)]
enum Step {
    Bank(&'static str),
    Deliver,
    /// Every webhook so far comes once more.
    Again,
    Tick,
    Wait(u64),
    Reach(bool),
}

fn days() -> impl Strategy<Value = (i64, i64, bool, Vec<Step>)> {
    let step = prop_oneof![
        2 => prop::sample::select(vec!["review", "lose", "win", "close"]).prop_map(Step::Bank),
        3 => Just(Step::Deliver),
        2 => Just(Step::Again),
        3 => Just(Step::Tick),
        2 => (1_u64..4_000).prop_map(Step::Wait),
        1 => any::<bool>().prop_map(Step::Reach),
    ];
    let steps = prop::collection::vec(step, 0..14);
    (2_000_i64..60_000, 1_i64..=100, any::<bool>(), steps)
}

/// Lives the days of one dispute and what is left of it; in the end nobody waits for anything.
async fn live(bazaar: &Bazaar, (amount, percent, inquiry, steps): &(i64, i64, bool, Vec<Step>)) {
    let app = &bazaar.app;
    let clearing = net(app, "gateway_clearing:paypal").await;
    let id = paid(bazaar, *amount).await;
    let disputed = (amount * percent / 100).max(1);
    let reason = if *inquiry { "MERCHANDISE" } else { "UNAUTHORISED" };
    let dp = dispute(bazaar, &id, json!({ "amount": disputed, "reason": reason })).await;
    for step in steps {
        match step {
            // What is decided stays so: the gateway refuses the rest.
            Step::Bank(action) => {
                bazaar.control(NAME, &format!("disputes/{dp}/{action}"), json!({})).await;
            }
            Step::Deliver => bazaar.deliver().await,
            Step::Again => say_again(bazaar, &dp).await,
            Step::Tick => app.tick().await,
            Step::Wait(seconds) => app.advance(*seconds),
            Step::Reach(can) => bazaar.faults(NAME, if *can { UP } else { DOWN }),
        }
    }
    bazaar.faults(NAME, UP);
    bazaar.settle().await;
    let (state, told) = (bazaar.state(NAME).await, ours(app, &id).await);
    let all = state["disputes"].as_array().unwrap();
    let theirs = all.iter().find(|it| it["id"] == *dp).unwrap();
    let expected = match (theirs["state"].as_str().unwrap(), inquiry) {
        ("open", true) => "warning",
        ("open", false) => "needs_response",
        // The customer gave up: PayPal lets us keep the money.
        ("closed", _) => "won",
        (word, _) => word,
    };
    assert_eq!(told["status"], expected, "{theirs:#}");
    let lost = if expected == "lost" { disputed } else { 0 };
    assert_eq!(app.payment(&id).await.int("amount_lost"), lost);
    let after = net(app, "gateway_clearing:paypal").await;
    assert_eq!(after - clearing, amount - lost - kept(app, &id).await);
    holds(app, &[("dispute_hold:paypal", 0)]).await;
    app.prove_laws().await;
}

/// What the gateway kept of a payment as its fee.
async fn kept(app: &TestApp, payment: &str) -> i64 {
    app.payment(payment).await.body["attempts"][0]["fee"].as_i64().unwrap_or(0)
}

/// The gateway sends every word about a dispute once more.
async fn say_again(bazaar: &Bazaar, dispute: &str) {
    let url = format!("{}/_sim/webhooks", bazaar.fake(NAME).url());
    let sent: Value = bazaar.app.client.get(url).send().await.unwrap().json().await.unwrap();
    for row in sent[NAME.as_str()].as_array().unwrap() {
        if row.to_string().contains(dispute) {
            let event = row["event_id"].as_str().unwrap();
            bazaar.control(NAME, &format!("webhooks/{event}/resend"), json!({})).await;
        }
    }
}

#[test]
fn in_any_order_and_however_often_hints_come_the_books_say_what_the_gateway_says() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let bazaar = runtime.block_on(Bazaar::open());
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|it| it.parse().ok()).unwrap_or(16);
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 20,
        rng_seed: RngSeed::Fixed(11),
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&days(), |days| {
            runtime.block_on(live(&bazaar, &days));
            Ok(())
        })
        .unwrap();
}
