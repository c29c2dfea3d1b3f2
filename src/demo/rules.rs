//! Which kind of payment goes to which gateway: one rule for each gateway beside Stripe.

use mizan::clock::Clock;
use mizan_money::Currency;
use mizan_providers::ProviderName;
use serde_json::{Value, json};

use crate::cli::end::Failure;
use crate::cli::gateways::connection;
use crate::stage::OTHERS;
use crate::stage::shop::Shop;

/// Most rules that are read at once.
const PAGE: u16 = 100;

/// The kind of instrument that leads to a gateway, and the name of the rule.
pub fn kind(of: ProviderName) -> String {
    format!("by_{of}")
}

/// Makes the rules that are missing; answers how many. One that was ended stays so.
pub async fn make(shop: &Shop, clock: &Clock) -> Result<usize, Failure> {
    let there = shop.get(&format!("/v1/routing/rules?limit={PAGE}")).await?;
    let there = there.body["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_there = |name: &str| there.iter().any(|rule| rule["name"] == name);
    let missing = OTHERS.into_iter().filter(|(of, _)| !is_there(&kind(*of)));
    let mut made = 0;
    for (of, currency) in missing {
        // A rule made earlier today must not be answered for this one.
        let key = format!("rule-{of}-{}", clock.now().timestamp_millis());
        let reply = shop.post("/v1/routing/rules", &key, &rule(of, currency)).await?;
        if reply.code != 201 {
            return Err(format!("{reply}\n{:#}", reply.body).into());
        }
        made += 1;
    }
    Ok(made)
}

fn rule(of: ProviderName, currency: Currency) -> Value {
    json!({
        "name": kind(of),
        "priority": 10,
        "connections": [connection(of)],
        "only_these": true,
        "currencies": [currency.code()],
        "payment_method_types": [kind(of)],
    })
}
