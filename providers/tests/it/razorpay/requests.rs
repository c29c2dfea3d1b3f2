//! Requests: what is said to Razorpay, and what is refused before anything is sent.

use mizan_providers::razorpay::Razorpay;
use mizan_providers::{
    Auth, BuildError, CaptureMethod, Confirmation, CreatePayment, Finality, HttpRequest,
    IdempotencyKey, Operation, Provider, ProviderName, RejectionReason, Replay, Support,
};
use secrecy::SecretString;

use super::shop::{
    PAY, SECRET, all_operations, asked, capture, confirm, create, find, key, money, razorpay,
    reference, refund, refund_of, sale, sync, sync_of, sync_refund, void, whole_capture,
};

fn built(op: &Operation) -> HttpRequest {
    razorpay().build(op, &key()).unwrap_or_else(|error| panic!("{op:?}: {error}"))
}

fn said(op: &Operation) -> String {
    let request = built(op);
    let query = request.query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{request}{query} {}", request.body.as_str()).trim_end().to_owned()
}

#[test]
fn every_operation_is_said_in_razorpays_words() {
    let mut full = create(money(12_340, "BHD"), CaptureMethod::Manual);
    full.description = Some("Two rugs".to_owned());
    full.metadata.insert("cart".to_owned(), "17".to_owned());
    let ours = r#""mizan_payment_intent":"pi_00000000000000000000000000000001""#;
    assert_eq!(
        said(&Operation::Create(full)),
        [
            r#"POST /v1/orders {"amount":12340,"currency":"BHD","#,
            r#""receipt":"pi_00000000000000000000000000000001","#,
            r#""notes":{"cart":"17","description":"Two rugs","#,
            r#""mizan_operation":"op_00000000000000000000000000000003","#,
            ours,
            r#"},"payment":{"capture":"manual","capture_options":"#,
            r#"{"manual_expiry_period":4320,"refund_speed":"normal"}}}"#,
        ]
        .concat()
    );
    let settings = concat!(
        r#""payment":{"capture":"automatic","capture_options":"#,
        r#"{"automatic_expiry_period":4320,"refund_speed":"normal"}}}"#,
    );
    assert!(said(&sale()).ends_with(settings), "{}", said(&sale()));
    assert_eq!(
        said(&capture()),
        r#"POST /v1/payments/pay_G3P9vcIhRs3NV4/capture {"amount":25000,"currency":"INR"}"#
    );
    assert_eq!(
        said(&refund()),
        [
            r#"POST /v1/payments/pay_G3P9vcIhRs3NV4/refund {"amount":25000,"speed":"normal","#,
            r#""receipt":"re_00000000000000000000000000000002","#,
            r#""notes":{"mizan_operation":"op_00000000000000000000000000000004","#,
            ours,
            r#","mizan_refund":"re_00000000000000000000000000000002","#,
            r#""reason":"requested_by_customer"}}"#,
        ]
        .concat()
    );
    let by_receipt = "GET /v1/orders?receipt=pi_00000000000000000000000000000001\
                      &expand%5B%5D=payments&count=100";
    assert_eq!((said(&sync()), said(&find())), (by_receipt.to_owned(), by_receipt.to_owned()));
    assert_eq!(said(&sync_of(asked(), PAY)), "GET /v1/payments/pay_G3P9vcIhRs3NV4");
    assert_eq!(said(&sync_refund()), "GET /v1/refunds/rfnd_FP8QHiV938haTz");
}

#[test]
fn only_a_refund_carries_a_key_and_no_other_write_is_repeated_unasked() {
    for op in all_operations() {
        let request = built(&op);
        let keyed = matches!(op, Operation::Refund(_));
        let header = request.headers.get("X-Refund-Idempotency");
        assert_eq!(header, keyed.then_some("mizan-op_0001"), "{op:?}");
        let expected = match (op.is_query(), keyed) {
            (true, _) => Replay::Query,
            (false, true) => Replay::Keyed,
            (false, false) => Replay::Once,
        };
        assert_eq!(request.replay, expected, "{op:?}");
        assert!(matches!(&request.auth, Auth::Basic { user, .. } if user.starts_with("rzp_")));
    }
    for short in ["op_0001", "mizan.op.0001", "mizan op 0001"] {
        let Ok(key) = IdempotencyKey::parse(short) else { continue };
        assert_eq!(razorpay().build(&refund(), &key).unwrap_err().code(), "invalid_field");
        assert!(razorpay().build(&capture(), &key).is_ok());
    }
}

#[test]
fn the_secret_is_never_shown() {
    let request = built(&sync());
    for text in [format!("{request:?}"), format!("{request}"), format!("{:?}", razorpay())] {
        assert!(!text.contains(SECRET), "{text}");
    }
    for (id, secret) in [("rzp_test_1", ""), ("rzp_test_1", "a b"), ("", "s"), ("sk_1", "s")] {
        let error = Razorpay::new(id.to_owned(), SecretString::from(secret)).unwrap_err();
        assert!(error.to_string().contains("razorpay"), "{error}");
    }
    assert!(Razorpay::new("rzp_test_a:b".to_owned(), SecretString::from("s")).is_err());
}

#[test]
fn the_same_operation_always_has_the_same_fingerprint() {
    for op in all_operations() {
        assert_eq!(built(&op).fingerprint(), built(&op).fingerprint());
    }
}

#[test]
fn what_razorpay_cannot_do_is_refused_before_anything_is_sent() {
    let with = |change: fn(&mut CreatePayment)| {
        let mut it = create(asked(), CaptureMethod::Automatic);
        change(&mut it);
        Operation::Create(it)
    };
    let crowded = |it: &mut CreatePayment| {
        it.metadata = (0..14).map(|at| (format!("key_{at}"), String::new())).collect();
    };
    let mut part = whole_capture(asked());
    part.amount = money(10_000, "INR");
    let mut more = whole_capture(asked());
    more.finality = Finality::More;
    let mut again = whole_capture(asked());
    again.captured_before = money(1, "INR");
    let mut untold = whole_capture(asked());
    untold.charge_ref = None;
    let mut refund_untold = refund_of(asked(), PAY);
    refund_untold.charge_ref = Some(reference("order_1"));
    for (op, code) in [
        (confirm(), "unsupported_by_provider"),
        (void(), "unsupported_by_provider"),
        (with(|it| it.confirmation = Confirmation::Later), "unsupported_by_provider"),
        (Operation::Capture(part), "unsupported_by_provider"),
        (Operation::Capture(more), "unsupported_by_provider"),
        (Operation::Capture(again), "unsupported_by_provider"),
        (Operation::Capture(untold), "invalid_field"),
        (Operation::Refund(refund_untold), "invalid_field"),
        (Operation::Refund(refund_of(money(0, "INR"), PAY)), "amount_not_representable"),
        (with(|it| it.amount = money(99, "INR")), "amount_not_representable"),
        (with(|it| it.amount = money(99_991, "KWD")), "amount_not_representable"),
        (with(|it| it.amount = money(100, "AFN")), "amount_not_representable"),
        (with(|it| it.payment_method = Some("tok_1".into())), "invalid_field"),
        (with(crowded), "invalid_field"),
        (with(|it| it.description = Some("x".repeat(257))), "invalid_field"),
        (with(|it| drop(it.metadata.insert("a".into(), "x".repeat(257)))), "invalid_field"),
        (with(|it| drop(it.metadata.insert(String::new(), String::new()))), "invalid_field"),
    ] {
        assert_eq!(razorpay().build(&op, &key()).unwrap_err().code(), code, "{op:?}");
    }
    let told = razorpay().capabilities();
    let not = [told.void, told.partial_capture, told.multiple_captures, told.confirm_later];
    assert_eq!(not, [Support::No; 4]);
}

#[test]
fn a_reader_of_webhooks_builds_nothing() {
    let error = Razorpay::webhook_reader().build(&sync(), &key()).unwrap_err();
    assert_eq!(error, BuildError::NoCredentials { provider: "razorpay" });
    assert_eq!(error.reason(), RejectionReason::Credentials);
    assert_eq!("razorpay".parse(), Ok(ProviderName::Razorpay));
}
