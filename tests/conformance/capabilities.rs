//! Capabilities are the truth: what is said to be possible can be built, and nothing else can.

use std::collections::BTreeSet;

use mizan_money::id::CustomerId;
use mizan_providers::{
    AcceptDispute, BuildError, CancelPayout, CaptureMethod, Checkout, ContestDispute, CreatePayout,
    CreateTransfer, KeepInstrument, ListDisputes, ListSettlement, Operation, PayoutDestination,
    ProviderName, ProviderRef, RemoveInstrument, ReverseTransfer, SaveInstrument, SavedInstrument,
    SettlementSource, Support, SyncDispute, SyncPayout,
};

use crate::bed::Bed;
use crate::promises;

promises!(
    what_is_said_to_be_possible_can_be_built_and_nothing_else,
    no_word_has_two_meanings,
    settlement_lines_are_read_page_by_page,
);

fn reference(text: &str) -> ProviderRef {
    ProviderRef::parse(text).unwrap()
}

/// Where the gateway's payouts go.
fn destination(name: ProviderName) -> PayoutDestination {
    match name {
        ProviderName::Stripe => {
            PayoutDestination::ConnectedAccount { account: "acct_1".to_owned(), bank: None }
        }
        ProviderName::Paypal => PayoutDestination::Email("vendor@example.com".to_owned()),
        _ => PayoutDestination::FundAccount(reference("fa_00000000000001")),
    }
}

/// A vendor's account there.
fn account(name: ProviderName) -> &'static str {
    match name {
        ProviderName::Razorpay => "acc_00000000000001",
        _ => "acct_00000000000001",
    }
}

fn money_out(bed: &Bed) -> Vec<(&'static str, Support, Operation)> {
    let can = bed.adapter.capabilities();
    let payout = format!("po_{:032x}", 7).parse().unwrap();
    let transfer = format!("tr_{:032x}", 7).parse().unwrap();
    let operation = format!("op_{:032x}", 7).parse().unwrap();
    let amount = bed.money(10_000);
    let provider_ref = reference("pout_00000000000001");
    let destination = destination(bed.name);
    let description = None;
    vec![
        (
            "payout",
            can.payouts,
            Operation::Payout(CreatePayout {
                payout,
                operation,
                amount,
                destination: destination.clone(),
                description,
            }),
        ),
        (
            "sync of a payout",
            can.payouts,
            Operation::SyncPayout(SyncPayout {
                payout,
                provider_ref: provider_ref.clone(),
                amount,
                destination: destination.clone(),
            }),
        ),
        (
            "cancel of a payout",
            can.cancel_payout,
            Operation::CancelPayout(CancelPayout {
                payout,
                provider_ref: provider_ref.clone(),
                amount,
                destination,
            }),
        ),
        (
            "transfer",
            can.transfers,
            Operation::Transfer(CreateTransfer {
                transfer,
                operation,
                amount,
                destination: account(bed.name).to_owned(),
                source: None,
            }),
        ),
        (
            "reversal of a transfer",
            can.transfers,
            Operation::ReverseTransfer(ReverseTransfer {
                transfer,
                operation,
                provider_ref,
                transferred: amount,
                amount,
                reversed_before: bed.money(0),
            }),
        ),
    ]
}

fn instruments_and_disputes(bed: &Bed) -> Vec<(&'static str, Support, Operation)> {
    let can = bed.adapter.capabilities();
    let operation = format!("op_{:032x}", 7).parse().unwrap();
    let customer: CustomerId = format!("cus_{:032x}", 7).parse().unwrap();
    let keep = KeepInstrument { customer, customer_ref: Some(reference("cust_00000000000001")) };
    let (token, customer) = (reference("token_00000000000001"), keep.customer_ref.clone());
    let instrument =
        SavedInstrument { token, customer, first_charge: Some(reference("TST0000000000001")) };
    let dispute = reference("disp_00000000000001");
    let (field, text) = match bed.name {
        ProviderName::Stripe => ("uncategorized_text", "It was delivered."),
        ProviderName::Paypal => ("notes", "It was delivered."),
        _ => ("shipping_proof", "doc_00000000000001"),
    };
    let evidence = [(field.to_owned(), text.to_owned())].into();
    vec![
        (
            "saving an instrument",
            can.save_instrument,
            Operation::SaveInstrument(SaveInstrument {
                operation,
                keep,
                currency: bed.currency(),
                payment_method: (can.checkout == Checkout::Token).then(|| "pm_1".to_owned()),
                return_url: Some("https://shop.example/back".to_owned()),
            }),
        ),
        (
            "forgetting an instrument",
            can.remove_instrument,
            Operation::RemoveInstrument(RemoveInstrument { instrument }),
        ),
        (
            "reading a dispute",
            can.read_disputes,
            Operation::SyncDispute(SyncDispute { provider_ref: dispute.clone() }),
        ),
        (
            "listing disputes",
            can.read_disputes,
            Operation::ListDisputes(ListDisputes { since: bed.now(), page: None }),
        ),
        (
            "giving in to a dispute",
            can.answer_disputes,
            Operation::AcceptDispute(AcceptDispute { operation, provider_ref: dispute.clone() }),
        ),
        (
            "answering a dispute",
            can.answer_disputes,
            Operation::ContestDispute(ContestDispute {
                operation,
                provider_ref: dispute,
                evidence,
            }),
        ),
    ]
}

async fn what_is_said_to_be_possible_can_be_built_and_nothing_else(bed: Bed) {
    let can = bed.adapter.capabilities();
    let paid = bed.pay(25_000, CaptureMethod::Automatic).await;
    let mut all = money_out(&bed);
    all.extend(instruments_and_disputes(&bed));
    all.push(("refund", can.refund, bed.refund(&paid, 25_000)));
    all.push(("partial refund", can.partial_refund, bed.refund(&paid, 1_000)));
    let hold = Operation::Create(bed.create(25_000, CaptureMethod::Manual));
    all.push(("hold", can.manual_capture, hold));
    for (what, support, op) in all {
        let built = bed.adapter.build(&op, &bed.key());
        match support {
            Support::No => {
                let refused = matches!(built, Err(BuildError::Unsupported { .. }));
                assert!(refused, "{} says that it has no {what}, and builds one", bed.name);
            }
            _ => assert!(built.is_ok(), "{} says {support} to a {what}: {built:?}", bed.name),
        }
    }
}

async fn no_word_has_two_meanings(bed: Bed) {
    fn once<T>(table: &[(&str, T)]) -> bool {
        let words: BTreeSet<&str> = table.iter().map(|(word, _)| *word).collect();
        words.len() == table.len()
    }
    let words = bed.adapter.vocabulary();
    assert!(!words.payment.is_empty() && !words.refund.is_empty() && !words.events.is_empty());
    assert!(once(words.payment) && once(words.refund) && once(words.dispute));
    assert!(once(words.payout) && once(words.settlement) && once(words.events));
}

async fn settlement_lines_are_read_page_by_page(bed: Bed) {
    if bed.adapter.capabilities().settlement == SettlementSource::File {
        return;
    }
    let from = bed.now();
    for n in 0..3 {
        bed.pay(10_000 + n, CaptureMethod::Automatic).await;
    }
    bed.pass(3 * 24 * 3_600);
    bed.sim.deliver_due().await;
    // Reports are late by hours.
    bed.pass(6 * 3_600);
    let (mut page, mut lines) = (None, Vec::new());
    for _ in 0..20 {
        let list = ListSettlement { from, to: bed.now(), settlement: None, page };
        let told = bed.ask(&Operation::ListSettlement(list), &bed.key()).await;
        let Some(mizan_providers::Subject::Settlement(found)) = told.answer().map(|it| &it.subject)
        else {
            panic!("{told:?}")
        };
        lines.extend(found.lines.clone());
        page = found.next.clone();
        if page.is_none() {
            break;
        }
    }
    let charges = lines.iter().filter(|it| it.gross.is_positive()).count();
    assert!(charges >= 3, "{lines:?}");
    let names: BTreeSet<&str> = lines.iter().map(|it| it.line_ref.as_str()).collect();
    assert_eq!(names.len(), lines.len(), "no line comes twice");
    for line in &lines {
        let net = line.gross.checked_sub(line.fee).unwrap().checked_sub(line.tax).unwrap();
        assert_eq!(net, line.net, "{line:?}");
    }
}
