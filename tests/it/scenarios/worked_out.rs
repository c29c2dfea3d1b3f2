//! The worked scenario of a single order as plain transactions, to the cent.

use mizan_ledger::{
    AccountRef, Authority, Leg, NewTransaction, Posting, PostingKey, Role, Side, TransactionKind,
};
use mizan_money::{Currency, Money, Timestamp, parse_amount};
use serde::Deserialize;

use crate::support::Books;

#[derive(Deserialize)]
struct Scenario {
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
    amount: String,
    minor: i64,
}

#[derive(Deserialize)]
struct Place {
    account: String,
    dims: serde_json::Map<String, serde_json::Value>,
    currency: String,
}

impl Place {
    fn account(&self) -> AccountRef {
        let role = Role::parse(&self.account).unwrap();
        let dimension = |d: &mizan_ledger::chart::Dimension| self.dims[d.name].as_str().unwrap();
        let values: Vec<&str> = role.line().dimensions.iter().map(dimension).collect();
        assert_eq!(values.len(), self.dims.len(), "{} has other dimensions", self.account);
        AccountRef::new(role, &values).unwrap()
    }

    fn currency(&self) -> Currency {
        Currency::parse(&self.currency).unwrap()
    }
}

impl Amount {
    fn money(&self) -> Money {
        let money = parse_amount(&self.amount, self.place.currency()).unwrap();
        assert_eq!(money.minor(), self.minor);
        money
    }

    fn leg(&self) -> Leg {
        let side = if self.side == "debit" { Side::Debit } else { Side::Credit };
        Leg { account: self.place.account(), side, amount: self.money() }
    }

    /// Debits minus credits in minor units.
    fn net(&self) -> i64 {
        if self.side == "debit" { self.minor } else { -self.minor }
    }
}

fn scenario() -> Scenario {
    let of_them_all = super::fixture().swap_remove(0);
    assert_eq!(of_them_all["id"], "S01");
    serde_json::from_value(of_them_all).unwrap()
}

fn transaction(step: &Step, posting: Posting) -> NewTransaction {
    let authority = match step.event.as_str() {
        "vendor.released" | "payout.initiated" => Authority::Command,
        _ => Authority::Fact,
    };
    NewTransaction {
        key: PostingKey::new(step.tx.as_str()).unwrap(),
        kind: TransactionKind::new(step.event.as_str()).unwrap(),
        effective_at: step.at,
        posting,
        authority,
        source: "scenario".to_owned(),
        actor: "tests".to_owned(),
        metadata: serde_json::Map::new(),
        reverses: None,
    }
}

/// Asserts that the books end as the scenario says and hold nothing else.
async fn ends_as(books: &Books, scenario: &Scenario) {
    let mut expected: Vec<String> = scenario
        .expected_balances
        .iter()
        .map(|amount| (amount.place.account(), amount.net(), amount.place.currency()))
        .chain(scenario.expected_zero.iter().map(|p| (p.account(), 0, p.currency())))
        .map(|(account, net, currency)| {
            let normal = account.role().line().class.normal_side();
            let balance = if normal == Side::Debit { net } else { -net };
            format!("{account} {}", Money::new(balance, currency))
        })
        .collect();
    expected.sort_unstable();
    let balances = books.balances().await;
    let mut found: Vec<&str> = balances.lines().collect();
    found.sort_unstable();
    assert_eq!(found, expected);
    books.prove().await;
}

#[tokio::test]
async fn the_single_order_as_plain_transactions_ends_with_the_same_balances() {
    let scenario = scenario();
    let books = Books::new().await;
    let plain = |step: &Step| {
        let posting = Posting::balanced(step.postings.iter().map(Amount::leg).collect());
        transaction(step, posting.unwrap())
    };
    let batch: Vec<NewTransaction> = scenario.transactions.iter().map(plain).collect();
    books.book(&batch).await;
    ends_as(&books, &scenario).await;
}
