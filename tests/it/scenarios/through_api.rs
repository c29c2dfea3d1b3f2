//! Every worked scenario as a caller would book it: its entries as plain transactions through
//! `POST /v1/ledger/transactions`, each at its own time, and in the end every balance to the cent.
//!
//! The scenarios name roles and dimensions; the path puts the dimensions in the order of the
//! chart. One differs: our `customer_wallet` has a third dimension, and what the scenarios call a
//! wallet is its `spendable` part.
//!
//! Each step is asked for as a command. Where a floor refuses it, it has happened all the same and
//! is booked as a fact, which takes the rest where the chart says. That happens once: `S06-T07`
//! takes a refund from a vendor who was paid out already, and the scenario lets the balance fall
//! below zero until `S06-T08` moves it to the vendor's receivable. Our fact moves it at once, entry
//! for entry, so that the later step finds its work done; the test compares the two before it
//! leaves the step out. Asked for in the other order, both are plain commands.

use std::collections::BTreeMap;

use mizan_ledger::{Role, Side};
use mizan_money::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support_app::{Reply, TestApp};

const POST: &str = "/v1/ledger/transactions";

#[derive(Deserialize)]
struct Scenario {
    id: String,
    transactions: Vec<Step>,
    expected_balances: Vec<Amount>,
    expected_zero: Vec<Place>,
}

#[derive(Deserialize)]
struct Step {
    tx: String,
    event: String,
    at: Timestamp,
    postings: Vec<Amount>,
}

#[derive(Deserialize)]
struct Amount {
    #[serde(flatten)]
    place: Place,
    side: String,
    minor: i64,
}

#[derive(Deserialize)]
struct Place {
    account: String,
    dims: BTreeMap<String, String>,
    currency: String,
}

impl Place {
    fn path(&self) -> String {
        let mut dims = self.dims.clone();
        if self.account == "customer_wallet" {
            dims.insert("bucket".to_owned(), "spendable".to_owned());
        }
        let line = Role::parse(&self.account).unwrap().line();
        assert_eq!(dims.len(), line.dimensions.len(), "{} has other dimensions", self.account);
        let values = line.dimensions.iter().map(|dimension| dims[dimension.name].as_str());
        std::iter::once(self.account.as_str()).chain(values).collect::<Vec<_>>().join(":")
    }

    /// Account and currency with a balance of so many debits less credits, as the API shows it.
    fn holds(&self, net: i64) -> ((String, String), i64) {
        let line = Role::parse(&self.account).unwrap().line();
        let balance = if line.class.normal_side() == Side::Debit { net } else { -net };
        ((self.path(), self.currency.clone()), balance)
    }
}

impl Amount {
    fn net(&self) -> i64 {
        if self.side == "debit" { self.minor } else { -self.minor }
    }

    fn entry(&self) -> Value {
        json!({
            "account": self.place.path(),
            "side": self.side,
            "amount": self.minor,
            "currency": self.place.currency,
        })
    }
}

impl Step {
    fn entries(&self) -> Vec<Value> {
        self.postings.iter().map(Amount::entry).collect()
    }

    async fn post(&self, app: &TestApp, authority: &str) -> Reply {
        let body = json!({
            "kind": self.event,
            "effective_at": self.at,
            "entries": self.entries(),
            "authority": authority,
            "source": self.tx,
        });
        app.post_as(&format!("{}-{authority}", self.tx), POST, body).await
    }
}

fn scenario(id: &str) -> Scenario {
    let found = super::fixture().into_iter().find(|scenario| scenario["id"] == id);
    serde_json::from_value(found.unwrap()).unwrap()
}

/// Every account's balance over all pages of the list.
async fn balances(app: &TestApp) -> Nets {
    let (mut found, mut after) = (Nets::new(), String::new());
    loop {
        let list = app.get(&format!("/v1/ledger/accounts?limit=100{after}")).await;
        assert_eq!(list.status, 200, "{list:#?}");
        for account in list.body["data"].as_array().unwrap() {
            let text = |field: &str| account[field].as_str().unwrap().to_owned();
            let balance = account["balance"].as_i64().unwrap();
            found.insert((text("account"), text("currency")), balance);
            after = format!("&starting_after={}", text("id"));
        }
        if list.body["has_more"] != true {
            return found;
        }
    }
}

/// So many minor units by account and currency.
type Nets = BTreeMap<(String, String), i64>;

/// Adds debits less credits, `sign` times; what comes to nothing is left out.
fn nets<'a>(entries: impl Iterator<Item = &'a Value>, sign: i64, nets: &mut Nets) {
    for entry in entries {
        let text = |field: &str| entry[field].as_str().unwrap().to_owned();
        let amount = sign * entry["amount"].as_i64().unwrap();
        let amount = if entry["side"] == "debit" { amount } else { -amount };
        *nets.entry((text("account"), text("currency"))).or_default() += amount;
    }
    nets.retain(|_, net| *net != 0);
}

/// What a fact moved beyond the entries that it was given.
fn spilled(step: &Step, reply: &Reply) -> Nets {
    let mut beyond = Nets::new();
    nets(reply.body["entries"].as_array().unwrap().iter(), 1, &mut beyond);
    nets(step.entries().iter(), -1, &mut beyond);
    beyond
}

/// Which steps went another way than as a command of their own.
#[derive(Default)]
struct Ways {
    /// Refused by a floor and booked as facts.
    facts: Vec<String>,
    /// Done already by what a fact took elsewhere.
    done: Vec<String>,
}

/// Books a scenario step by step.
async fn book(app: &TestApp, scenario: &Scenario) -> Ways {
    let (mut ways, mut ahead) = (Ways::default(), Nets::new());
    for step in &scenario.transactions {
        let wait = step.at - app.app.clock.now();
        app.advance(u64::try_from(wait.num_seconds()).unwrap_or(0));
        let mut asked = Nets::new();
        nets(step.entries().iter(), 1, &mut asked);
        if !ahead.is_empty() && asked == ahead {
            ways.done.push(step.tx.clone());
            ahead.clear();
            continue;
        }
        let mut reply = step.post(app, "command").await;
        if reply.status != 201 {
            assert_eq!(reply.problem(), (409, "insufficient_balance"), "{}", step.tx);
            reply = step.post(app, "fact").await;
            ahead = spilled(step, &reply);
            ways.facts.push(step.tx.clone());
        }
        assert_eq!(reply.status, 201, "{}: {reply:#?}", step.tx);
        assert_eq!(reply.text("kind"), step.event);
    }
    assert!(ahead.is_empty(), "a fact took what no step accounts for: {ahead:?}");
    ways
}

/// Books a scenario and compares everything the books hold in the end with what it expects.
async fn ends_as_expected(scenario: &Scenario, facts: &[&str], done: &[&str]) {
    let app = TestApp::new().await;
    let ways = book(&app, scenario).await;
    assert_eq!(ways.facts, facts);
    assert_eq!(ways.done, done);
    let standing = scenario.expected_balances.iter().map(|a| a.place.holds(a.net()));
    let zero = scenario.expected_zero.iter().map(|place| place.holds(0));
    let expected: BTreeMap<_, _> = standing.chain(zero).collect();
    assert_eq!(balances(&app).await, expected, "{}", scenario.id);
    let posted: i64 = app.books.count("ledger.transaction").await;
    assert_eq!(usize::try_from(posted).unwrap(), scenario.transactions.len() - done.len());
    app.prove_laws().await;
}

/// A test for each scenario.
macro_rules! scenarios {
    ($($name:ident $id:literal;)*) => {
        const TESTED: &[&str] = &[$($id),*];
        $(
            #[tokio::test]
            async fn $name() {
                let (facts, done): (&[&str], &[&str]) = match $id {
                    "S06" => (&["S06-T07"], &["S06-T08"]),
                    _ => (&[], &[]),
                };
                ends_as_expected(&scenario($id), facts, done).await;
            }
        )*
    };
}

scenarios! {
    s01_a_single_order_from_capture_to_payout "S01";
    s02_three_vendors_and_a_coupon_of_the_platform "S02";
    s03_prices_without_tax_and_a_coupon_of_the_vendor "S03";
    s04_wallet_and_card_with_a_refund_over_both "S04";
    s05_a_refund_of_one_item_after_delivery "S05";
    s06_a_refund_after_the_vendor_was_paid "S06";
    s07_a_dispute_lost_by_the_vendor "S07";
    s08_a_dispute_won_and_one_lost_by_the_platform "S08";
    s09_cashback_earned_spent_and_expired "S09";
    s10_cashback_taken_back "S10";
    s11_an_influencers_commission "S11";
    s12_dinars_of_three_decimals "S12";
    s13_yen_of_none "S13";
    s14_rupees_with_goods_tax_and_taxes_withheld "S14";
    s15_a_payout_in_another_currency "S15";
    s16_a_plan_recognised_by_the_day_and_cancelled "S16";
    s17_settlements_against_the_bank "S17";
}

#[tokio::test]
async fn s06_with_the_debt_booked_first_needs_no_fact_and_ends_the_same() {
    let mut scenario = scenario("S06");
    let refund = scenario.transactions.iter().position(|step| step.tx == "S06-T07").unwrap();
    scenario.transactions.swap(refund, refund + 1);
    ends_as_expected(&scenario, &[], &[]).await;
}

#[test]
fn every_one_of_the_seventeen_scenarios_is_tested() {
    let scenarios = super::fixture();
    let ids: Vec<&str> = scenarios.iter().map(|s| s["id"].as_str().unwrap()).collect();
    assert_eq!((ids.as_slice(), ids.len()), (TESTED, 17));
}
