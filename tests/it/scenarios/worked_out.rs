//! The worked scenario of a single order, to the cent: from the pure postings and as plain
//! transactions.

use mizan_ledger::postings::{
    OrderDelivered, Payee, PaymentCaptured, PayoutInitiated, PayoutPaid, ProviderFee,
    ProviderSettled, Till, VendorPart, VendorReleased,
};
use mizan_ledger::{
    AccountRef, Authority, Leg, NewTransaction, Posting, PostingKey, Role, Side, TransactionKind,
};
use mizan_money::{Currency, Money, Rate, Rounding, Timestamp, parse_amount};
use serde::Deserialize;

use crate::support::page::entries;
use crate::support::{Books, T0};

#[derive(Deserialize)]
struct Scenario {
    inputs: Inputs,
    transactions: Vec<Step>,
    expected_balances: Vec<Amount>,
    expected_zero: Vec<Place>,
}

#[derive(Deserialize)]
struct Inputs {
    items: Vec<Item>,
    provider: String,
    provider_fee: String,
    provider_fee_vat: String,
}

#[derive(Deserialize)]
struct Item {
    vendor: String,
    gross: String,
    vat_rate: String,
    commission_rate: String,
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

fn aed(text: &str) -> Money {
    parse_amount(text, Currency::AED).unwrap()
}

fn rate(percent: &str) -> Rate {
    Rate::percent(percent).unwrap()
}

/// What the vendor's item comes to: the commission is of the price without VAT, and VAT is due
/// on the commission.
fn part(item: &Item) -> VendorPart {
    let gross = aed(&item.gross);
    let vat = rate(&item.vat_rate).contained_in(gross, Rounding::HalfUp).unwrap();
    let net = gross.checked_sub(vat).unwrap();
    let commission = rate(&item.commission_rate).of(net, Rounding::HalfUp).unwrap();
    let commission_vat = rate("5").of(commission, Rounding::HalfUp).unwrap();
    let platform = commission.checked_add(commission_vat).unwrap();
    let share = gross.checked_sub(platform).unwrap();
    VendorPart { vendor: item.vendor.clone(), share, commission, commission_vat }
}

/// The scenario's postings, worked out from its inputs alone.
fn worked_out(inputs: &Inputs) -> Vec<(&'static str, Posting)> {
    let (provider, jurisdiction) = (inputs.provider.clone(), "AE".to_owned());
    let (vendor, rail, bank) = ("V1".to_owned(), "bank".to_owned(), "aed_main".to_owned());
    let parts: Vec<VendorPart> = inputs.items.iter().map(part).collect();
    let (share, commission) = (parts[0].share, parts[0].commission);
    let (fee, tax) = (aed(&inputs.provider_fee), aed(&inputs.provider_fee_vat));
    let kept = fee.checked_add(tax).unwrap();
    let settled = aed(&inputs.items[0].gross).checked_sub(kept).unwrap();
    let captured =
        PaymentCaptured { provider: provider.clone(), jurisdiction: jurisdiction.clone(), parts };
    let fee = ProviderFee { provider: provider.clone(), jurisdiction, fee, tax };
    let settled = ProviderSettled { provider, bank: bank.clone(), amount: settled };
    let released = VendorReleased { vendor: vendor.clone(), amount: share };
    let payee = Payee::Vendor(vendor);
    let initiated = PayoutInitiated { payee, rail: rail.clone(), amount: share, pays: share };
    let paid = PayoutPaid { rail, from: Till::Bank(bank), amount: share, cost: share };
    let delivered = OrderDelivered { amount: commission };
    [
        ("payment.captured", captured.posting()),
        ("provider.fee", fee.posting()),
        ("order.delivered", delivered.posting()),
        ("provider.settled", settled.posting()),
        ("vendor.released", released.posting()),
        ("payout.initiated", initiated.posting()),
        ("payout.paid", paid.posting()),
    ]
    .map(|(event, posting)| (event, posting.unwrap()))
    .into()
}

fn page(legs: &[Leg]) -> Vec<String> {
    let mut page: Vec<String> = legs
        .iter()
        .map(|leg| format!("{} {} {}", leg.side.name(), leg.account, leg.amount))
        .collect();
    page.sort_unstable();
    page
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
async fn the_postings_of_the_single_order_are_those_of_the_scenario() {
    let scenario = scenario();
    assert_eq!(scenario.transactions[0].at, T0, "the tests begin with this scenario");
    let books = Books::new().await;
    let worked_out = worked_out(&scenario.inputs);
    assert_eq!(worked_out.len(), scenario.transactions.len());
    for (step, (event, posting)) in scenario.transactions.iter().zip(worked_out) {
        assert_eq!(step.event, event);
        let expected: Vec<Leg> = step.postings.iter().map(Amount::leg).collect();
        assert_eq!(page(posting.legs()), page(&expected), "{}", step.tx);
        let posted = books.post_at(step.at, &[transaction(step, posting)]).await.unwrap();
        let id = posted[0].posted().unwrap().id;
        let stored = entries(&books.transaction(id).await);
        assert_eq!(stored.lines().count(), expected.len(), "{}: {stored}", step.tx);
        for leg in &expected {
            let side = if leg.side == Side::Debit { "dr" } else { "cr" };
            let line = format!("{side} {} {}\n", leg.account, leg.amount);
            assert!(stored.contains(&line), "{}: no {line} in {stored}", step.tx);
        }
    }
    ends_as(&books, &scenario).await;
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
