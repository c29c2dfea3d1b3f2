//! Whatever order the words of a dispute come in, and however often: the books are the same.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Value, json};

use super::odd::events;
use super::{bank, dispute, paid};
use crate::support_app::TestApp;

/// What happens to a payment at the gateway, with refunds between.
#[derive(Clone, Debug)]
struct Story {
    amount: i64,
    disputed: i64,
    inquiry: bool,
    funds_later: bool,
    steps: Vec<Step>,
    /// Whether each step has a second of its own.
    ticking: bool,
    /// Decides the order and the repetitions of words.
    shuffle: u64,
}

#[derive(Clone, Debug)]
enum Step {
    Bank(&'static str),
    Refund(i64),
}

fn stories() -> impl Strategy<Value = Story> {
    let bank = prop::sample::select(vec![
        vec!["lose"],
        vec!["win"],
        vec!["win", "second_round", "lose"],
        vec!["win", "second_round", "win"],
    ]);
    let head = (2_000_i64..60_000, 1_i64..=110, any::<bool>(), any::<bool>());
    (head, bank, 0_i64..40, 0_usize..4, any::<bool>(), any::<u64>()).prop_map(
        |((amount, percent, inquiry, later), bank, refund, at, ticking, shuffle)| {
            let mut steps: Vec<Step> = Vec::new();
            if inquiry {
                steps.push(Step::Bank("escalate"));
            } else if later {
                steps.push(Step::Bank("withdraw"));
            }
            steps.extend(bank.into_iter().map(Step::Bank));
            if refund > 0 {
                steps.insert(at.min(steps.len()), Step::Refund(amount * refund / 100));
            }
            let disputed = (amount * percent / 100).max(1);
            let funds_later = later && !inquiry;
            Story { amount, disputed, inquiry, funds_later, steps, ticking, shuffle }
        },
    )
}

/// In which order words arrive.
#[derive(Clone, Copy)]
enum Arrival {
    AsTold,
    Anyhow(u64),
}

/// Tells what the gateway has to say since, in this order; old words come again among them.
async fn tell(app: &TestApp, dp: &str, told: &mut Vec<Value>, arrival: &mut Arrival) {
    let of_it = |event: &Value| event["data"]["object"]["id"] == dp;
    let mut fresh: Vec<Value> = events(app).await.into_iter().filter(of_it).collect();
    fresh.drain(..told.len());
    let mut words = fresh.clone();
    if let Arrival::Anyhow(seed) = arrival {
        let mut next = |bound: usize| {
            *seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(*seed >> 33).unwrap() % bound.max(1)
        };
        words.extend(told.iter().filter(|_| next(2) == 0).cloned());
        for n in (1..words.len()).rev() {
            words.swap(n, next(n + 1));
        }
        for n in 0..words.len() {
            if next(3) == 0 {
                words.push(words[n].clone());
            }
        }
    }
    told.extend(fresh);
    for (n, mut word) in words.into_iter().enumerate() {
        // A repetition under another name is weighed again, as a redelivery would not be.
        if matches!(arrival, Arrival::Anyhow(_)) {
            let name = format!("{}_{n}_{}", word["id"].as_str().unwrap(), app.fresh());
            word["id"] = name.into();
        }
        let answer = app.deliver_signed(&format!("{word:#}")).await;
        assert_ne!(answer.text("status"), "parked", "{answer:#?}");
    }
}

/// Every account with debits less credits.
async fn books(app: &TestApp) -> BTreeMap<String, i64> {
    let rows: Value = app
        .sql(
            "select coalesce(jsonb_object_agg(a.path, b.debits - b.credits), '{}')
             from ledger.account a
             join ledger.balance b on b.tenant_id = a.tenant_id and b.account_id = a.id",
        )
        .await;
    serde_json::from_value(rows).unwrap()
}

/// Plays a story for a vendor; answers by how much each account changed, the vendor named `V`.
async fn play(
    app: &TestApp,
    story: &Story,
    vendor: &str,
    mut arrival: Arrival,
) -> BTreeMap<String, i64> {
    let before = books(app).await;
    let id = paid(app, vendor, story.amount).await;
    let mut told = Vec::new();
    let opens = json!({
        "amount": story.disputed, "inquiry": story.inquiry, "funds_later": story.funds_later,
    });
    let dp = dispute(app, &id, opens).await;
    for step in &story.steps {
        if story.ticking {
            app.advance(1);
        }
        match step {
            Step::Bank(action) => bank(app, &dp, action, json!({})).await,
            Step::Refund(amount) => {
                tell(app, &dp, &mut told, &mut arrival).await;
                app.refund(&id, Some(*amount)).await;
            }
        }
    }
    tell(app, &dp, &mut told, &mut arrival).await;
    app.prove_laws().await;
    let payment = app.payment(&id).await;
    for line in payment.body["lines"].as_array().unwrap() {
        let parts = line["parts"].as_array().unwrap();
        let sum = |field: &str| parts.iter().map(|p| p[field].as_i64().unwrap()).sum::<i64>();
        assert_eq!(sum("amount"), line["captured"].as_i64().unwrap());
    }
    let after = books(app).await;
    let name = |path: &String| path.replace(&format!(":{vendor}"), ":V");
    let change =
        |(path, net): (&String, &i64)| (name(path), net - before.get(path).copied().unwrap_or(0));
    let changes = after.iter().map(change).filter(|(_, net)| *net != 0);
    changes.collect()
}

#[test]
fn any_order_and_repetition_of_a_disputes_words_gives_the_same_books() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let app = runtime.block_on(TestApp::new());
    runtime.block_on(async { app.sim.set_webhook_url(None) });
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|it| it.parse().ok()).unwrap_or(24);
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 40,
        rng_seed: RngSeed::Fixed(7),
        ..Config::default()
    };
    let vendors = std::cell::Cell::new(0);
    TestRunner::new(config)
        .run(&stories(), |story| {
            let n = vendors.replace(vendors.get() + 1);
            let (as_told, anyhow) = runtime.block_on(async {
                let told = play(&app, &story, &format!("A{n}"), Arrival::AsTold).await;
                let arrival = Arrival::Anyhow(story.shuffle);
                (told, play(&app, &story, &format!("B{n}"), arrival).await)
            });
            prop_assert_eq!(as_told, anyhow);
            Ok(())
        })
        .unwrap();
}
