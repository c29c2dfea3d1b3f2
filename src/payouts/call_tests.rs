//! What each gateway is asked for a payout.

#![allow(clippy::unwrap_used)]

use mizan_ledger::postings::Payee;
use mizan_money::{Currency, Money};

use super::*;
use crate::payouts::payout::State;

fn asked(gateway: ProviderName, account: &str, name: Option<&str>) -> Ask {
    let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
    let (id, amount) = (PayoutId::generate(now), Money::new(1_000, Currency::USD));
    let payout = Payout {
        state: State::Submitted,
        ..Payout::draft(id, Payee::Vendor("V1".to_owned()), gateway.as_str(), (amount, amount), now)
    };
    let call = Call {
        payout: id,
        id: OperationId::generate(now),
        connection: "main".to_owned(),
        stage: Stage::Written,
        provider_ref: name.map(|it| ProviderRef::parse(it).unwrap()),
        said: None,
        checks: 0,
        sent_at: None,
        next_check_at: None,
    };
    question(&call, &payout, &Number::Gateway { gateway, account: account.to_owned() }).unwrap()
}

#[test]
fn a_gateway_is_asked_in_its_own_terms_and_about_what_has_a_name() {
    let stripe = ProviderName::Stripe;
    assert!(matches!(asked(stripe, "acct_12345", None),
        Ask::Transfer(it) if it.destination == "acct_12345" && it.amount.minor() == 1_000));
    assert!(matches!(asked(stripe, "acct_12345", Some("tr_1")), Ask::SyncTransfer(_)));
    let to = |gateway, account, name| match asked(gateway, account, name) {
        Ask::Payout(it) => it.destination,
        Ask::SyncPayout(it) => it.destination,
        other => panic!("{other:?}"),
    };
    assert!(matches!(to(ProviderName::Razorpay, "fa_12345", None),
        PayoutDestination::FundAccount(it) if it.as_str() == "fa_12345"));
    assert!(matches!(
        to(ProviderName::Paypal, "v@shop.example", Some("x")),
        PayoutDestination::Email(_)
    ));
    assert!(matches!(
        to(ProviderName::Paypal, "ABCDEFGHJKLMN", None),
        PayoutDestination::PayeeAccount(_)
    ));
}

#[test]
fn a_question_to_a_gateway_never_goes_to_a_bank() {
    let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
    let (id, amount) = (PayoutId::generate(now), Money::new(1, Currency::AED));
    let payee = Payee::Vendor("V1".to_owned());
    let payout = Payout::draft(id, payee, "stripe", (amount, amount), now);
    assert!(destination(&payout, &Number::Iban("AE070331234567890123456".to_owned())).is_err());
}
