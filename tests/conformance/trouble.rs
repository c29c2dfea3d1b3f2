//! Bad answers: never a success, never a panic, never a second effect, and always a way to know.

use mizan_providers::{
    CaptureMethod, Operation, Outcome, PaymentStatus, Recovery, RejectionReason, Support,
    UnknownReason,
};

use crate::bed::{Bed, Paid};
use crate::promises;

promises!(
    a_lost_answer_to_a_create_is_found_again,
    a_lost_answer_to_a_refund_is_found_again,
    a_lost_answer_to_a_capture_is_found_again,
    what_was_never_executed_is_found_not_to_be,
    answers_that_cannot_be_read_are_unknown,
    an_amount_or_currency_that_differs_is_never_believed,
    a_gateway_that_is_down_or_busy_is_told_apart,
    wrong_credentials_are_told_as_such,
);

/// Brings an operation whose answer was lost to its end, the way the capabilities say.
async fn recover(
    bed: &Bed,
    op: &Operation,
    key: &mizan_providers::IdempotencyKey,
    how: Recovery,
) -> Outcome {
    match how {
        Recovery::SameKey { .. } => bed.ask_again(op, key).await,
        Recovery::Find { after_seconds } => {
            bed.pass(i64::from(after_seconds) + 1);
            bed.ask(&Operation::Find(Box::new(op.clone())), &bed.key()).await
        }
        Recovery::Sync | Recovery::Never => panic!("{} has no look-up for it", bed.name),
    }
}

async fn a_lost_answer_to_a_create_is_found_again(bed: Bed) {
    bed.faults("[[rules]]\non = \"create\"\nkind = \"lost_answer\"\n");
    let (create, key) = (bed.create(25_000, CaptureMethod::Automatic), bed.key());
    let op = Operation::Create(create.clone());
    let lost = bed.ask(&op, &key).await;
    assert!(matches!(lost, Outcome::Unknown(_)), "{lost:?}");
    assert!(!lost.allows_another_gateway());
    let found = recover(&bed, &op, &key, bed.adapter.capabilities().recovery.create).await;
    match &found {
        Outcome::Done(_) | Outcome::Pending(_) => {
            let status = found.answer().and_then(|it| it.payment()).map(|it| it.status);
            if status == Some(PaymentStatus::Created) {
                // A page whose address is lost: nobody can be sent there.
                return assert_eq!(bed.held(&create).await.1, 0);
            }
            let paid = bed.finish(create, found).await;
            assert_eq!(bed.held(&paid.create).await.1, 25_000);
        }
        // The page exists, and nobody was ever sent to it: the attempt is over.
        Outcome::Rejected(_) => assert_eq!(bed.held(&create).await.1, 0),
        other => panic!("{other:?}"),
    }
}

async fn a_lost_answer_to_a_refund_is_found_again(bed: Bed) {
    let paid = bed.pay(25_000, CaptureMethod::Automatic).await;
    bed.faults("[[rules]]\non = \"refund\"\nkind = \"lost_answer\"\n");
    let (op, key) = (bed.refund(&paid, 10_000), bed.key());
    let lost = bed.ask(&op, &key).await;
    assert!(matches!(lost, Outcome::Unknown(_)), "{lost:?}");
    let found = recover(&bed, &op, &key, bed.adapter.capabilities().recovery.refund).await;
    assert!(found.answer().is_some_and(|it| it.refund().is_some()), "{found:?}");
    assert_eq!(bed.held(&paid.create).await.2, 10_000, "exactly one refund");
}

async fn a_lost_answer_to_a_capture_is_found_again(bed: Bed) {
    if bed.adapter.capabilities().manual_capture == Support::No {
        return;
    }
    let paid = bed.pay(25_000, CaptureMethod::Manual).await;
    bed.faults("[[rules]]\non = \"capture\"\nkind = \"lost_answer\"\n");
    let (op, key) = (bed.capture(&paid, 25_000), bed.key());
    let lost = bed.ask(&op, &key).await;
    assert!(matches!(lost, Outcome::Unknown(_)), "{lost:?}");
    let found = match bed.adapter.capabilities().recovery.capture {
        Recovery::Sync => bed.sync(&paid).await,
        how => recover(&bed, &op, &key, how).await,
    };
    let taken = found.answer().and_then(|it| it.payment()).map(|it| it.captured);
    assert_eq!(taken, Some(bed.money(25_000)), "{found:?}");
    assert_eq!(bed.held(&paid.create).await.1, 25_000);
}

async fn what_was_never_executed_is_found_not_to_be(bed: Bed) {
    let paid = bed.pay(25_000, CaptureMethod::Automatic).await;
    bed.faults("[[rules]]\non = \"refund\"\nkind = \"http_500\"\n");
    let (op, key) = (bed.refund(&paid, 10_000), bed.key());
    let lost = bed.ask(&op, &key).await;
    assert!(matches!(lost, Outcome::Unknown(_)), "{lost:?}");
    let found = recover(&bed, &op, &key, bed.adapter.capabilities().recovery.refund).await;
    if let Outcome::Unknown(unknown) = &found {
        assert!(matches!(unknown.why, UnknownReason::NotFound { .. }), "{found:?}");
        assert_eq!(bed.held(&paid.create).await.2, 0);
        let again = bed.ask_again(&op, &key).await;
        assert!(again.answer().is_some(), "{again:?}");
    }
    assert_eq!(bed.held(&paid.create).await.2, 10_000, "exactly one refund");
}

async fn answers_that_cannot_be_read_are_unknown(bed: Bed) {
    for kind in ["html", "empty_body", "redirect", "http_500", "timeout"] {
        let delay = if kind == "timeout" { "delay_ms = 100\n" } else { "" };
        bed.faults(&format!("[[rules]]\non = \"create\"\nkind = \"{kind}\"\n{delay}"));
        let op = Operation::Create(bed.create(25_000, CaptureMethod::Automatic));
        let told = bed.ask(&op, &bed.key()).await;
        assert!(matches!(told, Outcome::Unknown(_)), "{} {kind}: {told:?}", bed.name);
    }
    let paid = paid(&bed).await;
    bed.faults("[[rules]]\non = \"retrieve\"\nkind = \"unknown_status\"\n");
    let told = bed.sync(&paid).await;
    assert!(matches!(told, Outcome::Unknown(_)), "{} unknown_status: {told:?}", bed.name);
    bed.faults("[[rules]]\non = \"create\"\nkind = \"error_in_200\"\n");
    let op = Operation::Create(bed.create(25_000, CaptureMethod::Automatic));
    let told = bed.ask(&op, &bed.key()).await;
    assert!(told.answer().is_none(), "an error inside 200: {told:?}");
    assert!(!matches!(told, Outcome::Mismatch(_)), "{told:?}");
}

/// A payment whose answers will be wrong from now on.
async fn paid(bed: &Bed) -> Paid {
    bed.pay(25_000, CaptureMethod::Automatic).await
}

async fn an_amount_or_currency_that_differs_is_never_believed(bed: Bed) {
    for kind in ["wrong_amount", "wrong_currency"] {
        let paid = paid(&bed).await;
        bed.faults(&format!("[[rules]]\non = \"retrieve\"\nkind = \"{kind}\"\n"));
        let told = bed.sync(&paid).await;
        let doubted = matches!(told, Outcome::Mismatch(_) | Outcome::Unknown(_));
        assert!(doubted, "{} {kind}: {told:?}", bed.name);
        bed.faults("");
        assert!(bed.sync(&paid).await.answer().is_some());
    }
}

async fn a_gateway_that_is_down_or_busy_is_told_apart(bed: Bed) {
    bed.faults("[[rules]]\non = \"create\"\nkind = \"http_429\"\ndelay_s = 7\n");
    let op = Operation::Create(bed.create(25_000, CaptureMethod::Automatic));
    let told = bed.ask(&op, &bed.key()).await;
    let Outcome::Rejected(rejection) = &told else { panic!("{told:?}") };
    assert_eq!(rejection.reason, RejectionReason::RateLimited);
    assert_eq!(rejection.retry_after.map(|it| it.as_secs()), Some(7));

    bed.faults("[[rules]]\non = \"create\"\nkind = \"down\"\ndelay_s = 3600\n");
    let op = Operation::Create(bed.create(25_000, CaptureMethod::Automatic));
    let told = bed.ask(&op, &bed.key()).await;
    assert!(!told.allows_another_gateway() || matches!(told, Outcome::Rejected(_)), "{told:?}");
    assert!(told.answer().is_none(), "{told:?}");
    bed.pass(3_601);
    let paid = bed.pay(25_000, CaptureMethod::Automatic).await;
    assert_eq!(bed.held(&paid.create).await.1, 25_000, "it is back");
}

async fn wrong_credentials_are_told_as_such(bed: Bed) {
    let stranger = crate::bed::stranger(bed.name);
    let op = Operation::Create(bed.create(25_000, CaptureMethod::Automatic));
    let request = stranger.build(&op, &bed.key()).unwrap();
    let (told, _) = bed.client.execute(stranger.as_ref(), &op, &request).await;
    let Outcome::Rejected(rejection) = &told else { panic!("{told:?}") };
    assert_eq!(rejection.reason, RejectionReason::Credentials, "{told:?}");
    assert!(rejection.reason.is_alarming());
}
