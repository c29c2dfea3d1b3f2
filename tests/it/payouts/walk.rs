//! Any walk of payouts through their states keeps the books: what is available, on its way and
//! paid is what was earned, and each payout itemises its own amount.

use serde_json::json;

use super::shop::{DAY, Shop, iban};

/// Numbers that look like chance and are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % limit
    }
}

/// The sum of a column of payouts in some states.
async fn sum(shop: &Shop, states: &str) -> i64 {
    let query = format!(
        "select coalesce(sum(amount), 0)::bigint from payouts.payout where state in ({states})"
    );
    shop.app.sql(&query).await
}

async fn balance(shop: &Shop, account: &str) -> i64 {
    let line = shop.balances(&[account]).await;
    let amount = line.split(' ').nth(1).unwrap_or("0.00").replace('.', "");
    amount.parse().unwrap()
}

async fn walk(seed: u64) {
    let (shop, mut chance) = (Shop::open().await, Chance(seed));
    shop.ready(&["vendors/V1"]).await;
    let (mut earned, mut payouts) = (0_i64, Vec::<String>::new());
    for step in 0..45 {
        let some = match payouts.len() as u64 {
            0 => None,
            count => payouts.get(usize::try_from(chance.below(count)).unwrap()).cloned(),
        };
        match (chance.below(8), some) {
            (0 | 1, _) | (_, None) => {
                let minor = 100 + i64::try_from(chance.below(10_000)).unwrap();
                let amount = format!("{}.{:02} AED", minor / 100, minor % 100);
                shop.available("vendor_payable:V1", &amount).await;
                earned += minor;
                let asked = match chance.below(2) {
                    0 => json!(1 + chance.below(9_000)),
                    _ => json!(null),
                };
                let body = json!({ "vendor": "V1", "currency": "AED", "amount": asked });
                let made = shop.app.post("/v1/payouts", body).await;
                if made.status == 201 {
                    payouts.push(made.id().to_owned());
                }
            }
            (act, Some(id)) => {
                let (verb, body) = match act {
                    2 => ("cancel", json!({})),
                    3 => ("retry", json!({})),
                    4 => ("submit", json!({})),
                    5 => ("outcome", json!({ "outcome": "paid" })),
                    6 => ("outcome", json!({ "outcome": "failed", "reason_code": "AM04" })),
                    _ => ("outcome", json!({ "outcome": "returned", "reason_code": "AC04" })),
                };
                let done = shop.app.post(&format!("/v1/payouts/{id}/{verb}"), body).await;
                assert!([200, 201, 409, 422].contains(&done.status), "{verb}: {done:#?}");
                if verb == "retry" && done.status == 201 {
                    payouts.push(done.id().to_owned());
                }
                if done.text("status") == "returned" {
                    let mut other = iban();
                    other["holder"] = json!(format!("Vendor {step}"));
                    shop.account("vendors/V1", other).await;
                    shop.app.advance(DAY);
                }
            }
        }
        let on_its_way = sum(&shop, "'reserved', 'submitted', 'in_transit'").await;
        let paid = sum(&shop, "'paid'").await;
        let available = balance(&shop, "vendor_payable:V1:available").await;
        assert!(available >= 0, "step {step}");
        assert_eq!(available + on_its_way + paid, earned, "step {step}");
        assert_eq!(balance(&shop, "payouts_in_transit:bank").await, on_its_way, "step {step}");
        assert_eq!(balance(&shop, "bank:aed_main").await, -paid, "step {step}");
    }
    let differ: i64 = shop
        .app
        .sql(
            "select count(*) from payouts.payout p where p.cut_to is not null and p.amount
                 <> (select sum(i.amount) from payouts.item i where i.payout_id = p.id)",
        )
        .await;
    assert_eq!(differ, 0, "each itemises its own amount");
    shop.app.prove_laws().await;
}

#[tokio::test]
async fn however_payouts_go_what_was_earned_is_somewhere() {
    for seed in [1, 20_260_302, 77] {
        walk(seed).await;
    }
}
