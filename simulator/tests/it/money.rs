//! Whatever is asked, in whatever order: the money adds up.

use proptest::prelude::*;

use crate::support::Bed;

/// One step; indexes wrap around the payments that exist.
#[derive(Clone, Debug)]
enum Step {
    Create { amount: i64, method: usize, manual: bool },
    Confirm { payment: usize, method: usize },
    Capture { payment: usize, amount: Option<i64> },
    Cancel { payment: usize },
    Refund { payment: usize, amount: Option<i64> },
    Send { payment: Option<usize>, amount: i64 },
    TakeBack { transfer: usize, amount: Option<i64> },
    Wait { seconds: i64 },
}

const METHODS: &[&str] = &[
    "pm_card_visa",
    "pm_card_bypassPending",
    "pm_card_pendingRefund",
    "pm_card_refundFail",
    "pm_card_chargeDeclined",
    "pm_card_threeDSecure2Required",
];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let amount = 150..60_000_i64;
    let part = proptest::option::of(1..60_000_i64);
    let step = prop_oneof![
        3 => (amount, 0..METHODS.len(), any::<bool>())
            .prop_map(|(amount, method, manual)| Step::Create { amount, method, manual }),
        1 => (0..9_usize, 0..METHODS.len())
            .prop_map(|(payment, method)| Step::Confirm { payment, method }),
        2 => (0..9_usize, part.clone())
            .prop_map(|(payment, amount)| Step::Capture { payment, amount }),
        1 => (0..9_usize).prop_map(|payment| Step::Cancel { payment }),
        4 => (0..9_usize, part).prop_map(|(payment, amount)| Step::Refund { payment, amount }),
        2 => (proptest::option::of(0..9_usize), 1..60_000_i64)
            .prop_map(|(payment, amount)| Step::Send { payment, amount }),
        2 => (0..9_usize, proptest::option::of(1..60_000_i64))
            .prop_map(|(transfer, amount)| Step::TakeBack { transfer, amount }),
        1 => (1..200_i64).prop_map(|seconds| Step::Wait { seconds }),
    ];
    proptest::collection::vec(step, 1..40)
}

async fn take(bed: &Bed, ids: &mut Vec<String>, step: &Step) {
    let at = |payment: &usize| ids.get(payment % ids.len().max(1)).cloned().unwrap_or_default();
    let path = |payment: &usize, verb: &str| format!("/v1/payment_intents/{}/{verb}", at(payment));
    match step {
        Step::Create { amount, method, manual } => {
            let capture = if *manual { "manual" } else { "automatic" };
            let made = bed.pay(&amount.to_string(), METHODS[*method], capture).await;
            let id = made.body["id"].as_str();
            let id = id.or(made.body["error"]["payment_intent"]["id"].as_str());
            ids.extend(id.map(str::to_owned));
        }
        Step::Confirm { payment, method } => {
            let form = [("payment_method", METHODS[*method])];
            bed.post(&path(payment, "confirm"), &form).await;
        }
        Step::Capture { payment, amount } => {
            let amount = amount.map(|amount| amount.to_string());
            let form = amount.as_deref().map(|amount| ("amount_to_capture", amount));
            bed.post(&path(payment, "capture"), &form.into_iter().collect::<Vec<_>>()).await;
        }
        Step::Cancel { payment } => {
            bed.post(&path(payment, "cancel"), &[]).await;
        }
        Step::Refund { payment, amount } => {
            let amount = amount.map(|amount| amount.to_string());
            let id = at(payment);
            let mut form = vec![("payment_intent", id.as_str())];
            form.extend(amount.as_deref().map(|amount| ("amount", amount)));
            bed.post("/v1/refunds", &form).await;
        }
        Step::Send { payment, amount } => {
            let state = bed.state().await;
            let charges = state["charges"].as_array().unwrap();
            let of = |payment: &usize| charges.get(payment % charges.len().max(1));
            let charge = payment.as_ref().and_then(of).and_then(|it| it["id"].as_str());
            let amount = amount.to_string();
            let mut form = vec![("amount", amount.as_str()), ("currency", "aed")];
            form.push(("destination", "acct_1PgafTB7WZ01zgkW"));
            form.extend(charge.map(|charge| ("source_transaction", charge)));
            bed.post("/v1/transfers", &form).await;
        }
        Step::TakeBack { transfer, amount } => {
            let state = bed.state().await;
            let made = state["transfers"].as_array().unwrap();
            let Some(of) = made.get(transfer % made.len().max(1)) else { return };
            let path = format!("/v1/transfers/{}/reversals", of["id"].as_str().unwrap());
            let amount = amount.map(|amount| amount.to_string());
            let form: Vec<_> =
                amount.as_deref().map(|amount| ("amount", amount)).into_iter().collect();
            bed.post(&path, &form).await;
        }
        Step::Wait { seconds } => bed.clock.advance(*seconds),
    }
}

async fn check(steps: Vec<Step>) {
    let bed = Bed::new().await;
    let mut ids = Vec::new();
    for step in &steps {
        take(&bed, &mut ids, step).await;
        let state = bed.state().await;
        let sums = &state["totals"]["aed"];
        let of = |name: &str| sums[name].as_i64().unwrap_or(0);
        let left = of("charged") - of("refunded") - of("transferred") - of("fees");
        assert_eq!(left, of("balance"), "after {step:?}");
        for transfer in state["transfers"].as_array().unwrap() {
            let of = |name: &str| transfer[name].as_i64().unwrap();
            assert!(of("amount_reversed") >= 0 && of("amount") >= of("amount_reversed"));
        }
        for charge in state["charges"].as_array().unwrap() {
            let of = |name: &str| charge[name].as_i64().unwrap();
            assert!(of("amount_refunded") >= 0 && of("amount_captured") >= of("amount_refunded"));
            assert!(of("amount") >= of("amount_captured"));
        }
    }
}

#[tokio::test]
async fn of_twenty_refunds_of_everything_at_once_exactly_one_succeeds() {
    let bed = std::sync::Arc::new(Bed::new().await);
    let paid = bed.pay("10000", "pm_card_visa", "automatic").await;
    let mut racing = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (bed, id) = (std::sync::Arc::clone(&bed), paid.id().to_owned());
        racing
            .spawn(async move { bed.post("/v1/refunds", &[("payment_intent", &id)]).await.status });
    }
    let statuses = racing.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(bed.state().await["totals"]["aed"]["refunded"], 10_000);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn what_is_left_of_what_was_charged_is_the_balance_after_every_step(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(steps));
    }
}
