//! Money: what is taken, held, released and given back is what was asked, once.

use mizan_providers::{
    CaptureMethod, Operation, Outcome, PaymentStatus, RefundStatus, Support, SyncRefund,
};

use crate::bed::{Bed, Paid};
use crate::promises;

promises!(
    a_sale_is_taken_whole_and_named_by_our_reference,
    a_declined_buyer_takes_nothing,
    a_hold_is_captured,
    a_hold_is_captured_in_part,
    a_hold_is_released,
    a_payment_is_refunded_in_parts_and_never_beyond,
    the_same_create_twice_is_one_payment,
    two_processes_that_ask_the_same_take_once,
);

fn status(outcome: &Outcome) -> PaymentStatus {
    let answer = outcome.answer().and_then(|it| it.payment());
    answer.unwrap_or_else(|| panic!("no payment was told: {outcome:?}")).status
}

async fn a_sale_is_taken_whole_and_named_by_our_reference(bed: Bed) {
    let paid = bed.pay(25_000, CaptureMethod::Automatic).await;
    assert_eq!(paid.answer.status, PaymentStatus::Captured, "{:?}", paid.answer);
    assert_eq!((paid.answer.amount, paid.answer.captured), (bed.money(25_000), bed.money(25_000)));
    let told = bed.sync(&paid).await;
    assert_eq!(status(&told), PaymentStatus::Captured);
    assert_eq!(bed.held(&paid.create).await.1, 25_000);
}

async fn a_declined_buyer_takes_nothing(bed: Bed) {
    let mut create = bed.create(25_000, CaptureMethod::Automatic);
    if create.payment_method.is_some() {
        create.payment_method = Some("pm_card_chargeDeclined".to_owned());
        let outcome = bed.ask(&Operation::Create(create.clone()), &bed.key()).await;
        assert!(matches!(outcome, Outcome::Declined(_)), "{outcome:?}");
    } else {
        let outcome = bed.ask(&Operation::Create(create.clone()), &bed.key()).await;
        let answer = outcome.answer().unwrap().payment().unwrap().clone();
        let (provider_ref, charge_ref) = (answer.provider_ref.clone(), answer.charge_ref.clone());
        let paid = Paid { create: create.clone(), provider_ref, charge_ref, answer };
        bed.buyer(&paid.provider_ref, "declined").await;
        let told = status(&bed.sync(&paid).await);
        let not_taken = [
            PaymentStatus::Failed,
            PaymentStatus::RequiresAction,
            PaymentStatus::Created,
            PaymentStatus::Cancelled,
        ];
        assert!(not_taken.contains(&told), "{told}");
    }
    assert_eq!(bed.held(&create).await.1, 0);
}

/// A hold, where the gateway has them.
async fn hold(bed: &Bed, minor: i64) -> Option<Paid> {
    if bed.adapter.capabilities().manual_capture == Support::No {
        let create = Operation::Create(bed.create(minor, CaptureMethod::Manual));
        assert!(bed.adapter.build(&create, &bed.key()).is_err(), "it says that it cannot hold");
        return None;
    }
    let paid = bed.pay(minor, CaptureMethod::Manual).await;
    assert_eq!(paid.answer.status, PaymentStatus::Authorised, "{:?}", paid.answer);
    assert_eq!(paid.answer.capturable, bed.money(minor));
    assert_eq!(bed.held(&paid.create).await.1, 0, "a hold takes nothing");
    Some(paid)
}

async fn a_hold_is_captured(bed: Bed) {
    let Some(mut paid) = hold(&bed, 30_000).await else { return };
    let told = bed.ask(&bed.capture(&paid, 30_000), &bed.key()).await;
    assert_eq!(status(&told), PaymentStatus::Captured, "{told:?}");
    paid.learn(&told);
    assert_eq!(paid.answer.captured, bed.money(30_000));
    assert_eq!(bed.held(&paid.create).await.1, 30_000);
    let again = bed.ask(&bed.capture(&paid, 30_000), &bed.key()).await;
    let refused =
        matches!(again, Outcome::Rejected(_) | Outcome::Declined(_) | Outcome::Unknown(_));
    assert!(refused, "a second capture: {again:?}");
    assert_eq!(bed.held(&paid.create).await.1, 30_000);
}

async fn a_hold_is_captured_in_part(bed: Bed) {
    let Some(mut paid) = hold(&bed, 30_000).await else { return };
    if bed.adapter.capabilities().partial_capture == Support::No {
        assert!(bed.adapter.build(&bed.capture(&paid, 20_000), &bed.key()).is_err());
        return;
    }
    let told = bed.ask(&bed.capture(&paid, 20_000), &bed.key()).await;
    paid.learn(&told);
    assert_eq!(paid.answer.status, PaymentStatus::Captured);
    assert_eq!(paid.answer.captured, bed.money(20_000));
    assert_eq!(bed.held(&paid.create).await.1, 20_000);
}

async fn a_hold_is_released(bed: Bed) {
    let Some(paid) = hold(&bed, 30_000).await else { return };
    if bed.adapter.capabilities().void == Support::No {
        assert!(bed.adapter.build(&bed.void(&paid), &bed.key()).is_err());
        return;
    }
    let told = bed.ask(&bed.void(&paid), &bed.key()).await;
    assert_eq!(status(&told), PaymentStatus::Cancelled, "{told:?}");
    let late = bed.ask(&bed.capture(&paid, 30_000), &bed.key()).await;
    assert!(late.answer().is_none(), "captured after its release: {late:?}");
    assert_eq!(bed.held(&paid.create).await.1, 0);
}

async fn a_payment_is_refunded_in_parts_and_never_beyond(bed: Bed) {
    let paid = bed.pay(25_000, CaptureMethod::Automatic).await;
    let mut refunded = 0;
    for part in [10_000, 5_000] {
        let op = bed.refund(&paid, part);
        let told = bed.ask(&op, &bed.key()).await;
        let answer = told.answer().and_then(|it| it.refund());
        let answer = answer.unwrap_or_else(|| panic!("no refund was made: {told:?}")).clone();
        assert_eq!(answer.amount, bed.money(part));
        refunded += part;
        bed.pass(3_600);
        let Operation::Refund(asked) = &op else { unreachable!() };
        let sync = Operation::SyncRefund(SyncRefund {
            refund: asked.refund,
            provider_ref: answer.provider_ref.clone(),
            payment_ref: paid.provider_ref.clone(),
            charge_ref: paid.charge_ref.clone(),
            amount: bed.money(part),
        });
        if bed.adapter.build(&sync, &bed.key()).is_ok() {
            let told = bed.ask(&sync, &bed.key()).await;
            let status = told.answer().and_then(|it| it.refund()).map(|it| it.status);
            let good = [Some(RefundStatus::Succeeded), Some(RefundStatus::Pending)];
            assert!(good.contains(&status), "{told:?}");
        }
    }
    let beyond = bed.ask(&bed.refund(&paid, 10_001), &bed.key()).await;
    let refused = match &beyond {
        Outcome::Declined(_) | Outcome::Rejected(_) => true,
        Outcome::Done(answer) => {
            answer.refund().is_some_and(|it| it.status == RefundStatus::Failed)
        }
        _ => false,
    };
    assert!(refused, "more than there is: {beyond:?}");
    assert_eq!(bed.held(&paid.create).await, (25_000, 25_000, refunded));
}

async fn the_same_create_twice_is_one_payment(bed: Bed) {
    let (create, key) = (bed.create(25_000, CaptureMethod::Automatic), bed.key());
    let op = Operation::Create(create.clone());
    let first = bed.ask(&op, &key).await;
    // Where the gateway knows no keys the second is refused, or left open: never a second one.
    let again = bed.ask_again(&op, &key).await;
    if let (Some(first), Some(again)) = (first.answer(), again.answer()) {
        assert_eq!(first.provider_ref(), again.provider_ref());
    }
    let paid = bed.finish(create, first).await;
    assert_eq!(bed.held(&paid.create).await.1, 25_000);
}

async fn two_processes_that_ask_the_same_take_once(bed: Bed) {
    let Some(paid) = hold_or_sale(&bed).await else { return };
    let (op, key) = (bed.refund(&paid, 10_000), bed.key());
    let (one, two) = tokio::join!(bed.ask(&op, &key), bed.ask(&op, &key));
    let made = [&one, &two].iter().any(|it| it.answer().is_some());
    assert!(made, "{one:?} {two:?}");
    let caps = bed.adapter.capabilities().recovery.refund;
    if matches!(caps, mizan_providers::Recovery::SameKey { .. }) {
        assert_eq!(bed.held(&paid.create).await.2, 10_000, "{one:?} {two:?}");
    }
}

async fn hold_or_sale(bed: &Bed) -> Option<Paid> {
    let paid = bed.pay(25_000, CaptureMethod::Automatic).await;
    (paid.answer.status == PaymentStatus::Captured).then_some(paid)
}
