//! Requests: what is said to Telr, where the keys are, and what is refused before it is sent.

use mizan_providers::telr::{Settings, Telr};
use mizan_providers::{
    Auth, BuildError, CaptureMethod, Confirmation, CreatePayment, Finality, HttpRequest, Operation,
    Provider, ProviderName, RejectionReason, Replay, Support, redact,
};
use secrecy::SecretString;

use super::shop::{
    AUTH_KEY, ORDER, REMOTE_KEY, SERVICE_KEY, TRAN, all_operations, asked, capture, capture_of,
    charge, charge_by, create, find, keep, key, list, money, reference, refund, refund_of, sale,
    save, settings, sync, sync_of, sync_refund, sync_save, telr, void,
};

fn built(op: &Operation) -> HttpRequest {
    telr().build(op, &key()).unwrap_or_else(|error| panic!("{op:?}: {error}"))
}

fn said(op: &Operation) -> String {
    let request = built(op);
    let query = request.query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{request}{query} {}", request.body.as_str()).trim_end().to_owned()
}

const BACK: &str = "https%3A%2F%2Fshop.example%2Fback%3Fo%3D1%26x%3D2";

#[test]
fn a_page_is_asked_for_by_form() {
    let cart = "pi_00000000000000000000000000000001-000000000003";
    assert_eq!(
        said(&sale()),
        format!(
            "POST /gateway/order.json ivp_method=create&ivp_store=1234&ivp_authkey={{key}}\
             &ivp_cart={cart}&ivp_test=0&ivp_framed=0&ivp_amount=54.50&ivp_currency=AED\
             &ivp_trantype=sale&ivp_desc={cart}&return_auth={BACK}&return_can={BACK}\
             &return_decl={BACK}"
        )
    );
    let mut full = create(money(1_234, "KWD"), CaptureMethod::Manual);
    full.description = Some(format!("Two rugs & a {{key}} {}", "é".repeat(80)));
    full.keep = Some(keep());
    let mut told = settings();
    told.notify_url = Some("https://shop.example/telr?a=b".to_owned());
    told.test = true;
    let request = Telr::new(told).unwrap().build(&Operation::Create(full), &key()).unwrap();
    let text = request.body.as_str();
    for part in [
        "&ivp_test=1&",
        "&ivp_amount=1.234&ivp_currency=KWD&ivp_trantype=auth&ivp_desc=Two+rugs+%26+a+%7Bkey%7D+",
        "&ivp_update_url=https%3A%2F%2Fshop.example%2Ftelr%3Fa%3Db",
        "&bill_custref=cus_00000000000000000000000000000007",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let description = text.split("&ivp_desc=").nth(1).unwrap().split('&').next().unwrap();
    assert_eq!(description.matches("%C3%A9").count(), 63 - 19);
    assert_eq!(
        said(&sync()),
        format!(
            "POST /gateway/order.json ivp_method=check&ivp_store=1234\
        &ivp_authkey={{key}}&order_ref={ORDER}"
        )
    );
    assert_eq!(said(&sync()), said(&sync_save()));
    assert!(said(&save()).contains("&ivp_amount=1.00&ivp_currency=AED&ivp_trantype=verify&"));
}

#[test]
fn a_description_that_card_networks_do_not_take_gives_way() {
    let mut it = create(asked(), CaptureMethod::Automatic);
    for text in ["سجادتان", "a\nb", "  ", "rug \u{1F9F6}"] {
        it.description = Some(text.to_owned());
        assert_eq!(said(&Operation::Create(it.clone())), said(&sale()), "{text}");
    }
}

#[test]
fn follow_ups_are_said_in_xml() {
    let head = "POST /gateway/remote.xml <?xml version=\"1.0\" encoding=\"UTF-8\"?><remote>\
                <store>1234</store><key>{key}</key><tran>";
    let ours = "pi_00000000000000000000000000000001-000000000005";
    let follow_up = |kind: &str, cart: &str, amount: &str, parent: &str| {
        format!(
            "{head}<type>{kind}</type><class>ecom</class><cartid>{cart}</cartid>\
             <description>{cart}</description><test>0</test><currency>AED</currency>\
             <amount>{amount}</amount><ref>{parent}</ref></tran></remote>"
        )
    };
    assert_eq!(said(&capture()), follow_up("capture", ours, "20.00", TRAN));
    assert_eq!(said(&void()), follow_up("release", ours, "54.50", TRAN));
    let cart = "re_00000000000000000000000000000002-000000000004";
    assert_eq!(said(&refund()), follow_up("refund", cart, "10.00", "040026532299"));
    let Operation::Create(mut it) = charge_by(CaptureMethod::Manual) else { panic!() };
    it.description = Some("a<b>&\"c\"".to_owned());
    let text = said(&Operation::Create(it));
    assert!(text.contains("<type>auth</type><class>cont</class>"), "{text}");
    assert!(text.contains("<description>a&lt;b&gt;&amp;&quot;c&quot;</description>"), "{text}");
    assert!(text.contains("<ref>040026530000</ref>"), "{text}");
}

#[test]
fn questions_go_to_the_service_and_accounts_interfaces() {
    let at = "GET /tools/api/xml/transaction";
    for (op, expected) in [
        (find(capture()), format!("{at}/{TRAN}/linked")),
        (find(void()), format!("{at}/{TRAN}/linked")),
        (find(refund()), format!("{at}/040026532299/linked")),
        (find(charge()), format!("{at}/pi_00000000000000000000000000000001-000000000003/cart")),
        (sync_refund(), format!("{at}/040026532312")),
        (sync_of(TRAN, None), format!("{at}/{TRAN}")),
        (
            list(None, None),
            "GET /api/v1/accounts/9/payouts?from_date=2026-09-02&to_date=2026-09-09".to_owned(),
        ),
        (
            list(Some("77"), None),
            "GET /api/v1/accounts/9/payouts/77/transactions?offset=0&limit=5000".to_owned(),
        ),
        (
            list(None, Some("78+79@5000")),
            "GET /api/v1/accounts/9/payouts/78/transactions?offset=5000&limit=5000".to_owned(),
        ),
    ] {
        assert_eq!(said(&op), expected);
        assert!(matches!(built(&op).auth, Auth::Basic { user, .. } if user == "77"));
    }
}

#[test]
fn only_a_page_may_be_asked_for_again_unasked() {
    for op in all_operations() {
        let hosted = matches!(&op, Operation::Create(it) if it.instrument.is_none())
            || matches!(op, Operation::SaveInstrument(_));
        let expected = match (op.is_query(), hosted) {
            (true, _) => Replay::Query,
            (false, true) => Replay::Keyed,
            (false, false) => Replay::Once,
        };
        assert_eq!(built(&op).replay, expected, "{op:?}");
    }
}

#[test]
fn a_key_is_in_what_is_sent_and_in_nothing_else() {
    let form = built(&sale());
    assert!(form.body_to_send().contains("&ivp_authkey=Page-Key%26%3Cnever_shown%3E&ivp_cart="));
    let xml = built(&refund());
    assert!(xml.body_to_send().contains("<key>Remote-Key&amp;&lt;never&apos;shown&gt;</key>"));
    for op in all_operations() {
        let request = built(&op);
        let kept = redact::body(request.body_to_send().as_bytes());
        let shown = format!("{request:?} {request} {:?} {:?} {kept}", telr(), settings());
        for secret in [AUTH_KEY, REMOTE_KEY, SERVICE_KEY] {
            let word = secret.split(['&', '<']).next().unwrap();
            assert!(!shown.contains(word), "{shown}");
        }
    }
}

#[test]
fn a_rotated_key_does_not_change_what_is_asked() {
    let mut rotated = settings();
    rotated.auth_key = SecretString::from("another");
    rotated.remote_key = Some(SecretString::from("another"));
    let rotated = Telr::new(rotated).unwrap();
    for op in all_operations() {
        let again = rotated.build(&op, &key()).unwrap();
        assert_eq!(again.fingerprint(), built(&op).fingerprint(), "{op:?}");
    }
    assert_ne!(
        rotated.build(&sale(), &key()).unwrap().body_to_send(),
        built(&sale()).body_to_send()
    );
}

#[test]
fn what_telr_cannot_do_is_refused_before_anything_is_sent() {
    let with = |change: fn(&mut CreatePayment)| {
        let mut it = create(asked(), CaptureMethod::Automatic);
        change(&mut it);
        Operation::Create(it)
    };
    let mut more = capture_of(asked());
    more.finality = Finality::More;
    let mut again = capture_of(asked());
    again.captured_before = money(1, "AED");
    let mut untold = capture_of(asked());
    untold.charge_ref = None;
    let mut wrong = refund_of(asked());
    wrong.charge_ref = Some(reference(ORDER));
    for (op, code) in [
        (with(|it| it.confirmation = Confirmation::Later), "unsupported_by_provider"),
        (with(|it| it.payment_method = Some("tok_1".into())), "invalid_field"),
        (with(|it| it.return_url = None), "invalid_field"),
        (with(|it| it.return_url = Some("/back".into())), "invalid_field"),
        (with(|it| it.amount = money(100, "ZAR")), "amount_not_representable"),
        (with(|it| it.amount = money(0, "AED")), "amount_not_representable"),
        (Operation::Capture(more), "unsupported_by_provider"),
        (Operation::Capture(again), "unsupported_by_provider"),
        (Operation::Capture(untold), "invalid_field"),
        (Operation::Refund(wrong), "invalid_field"),
        (find(sale()), "unsupported_by_provider"),
        (find(sync()), "unsupported_by_provider"),
        (list(None, Some("../1@0")), "invalid_field"),
        (list(None, Some("x")), "invalid_field"),
    ] {
        assert_eq!(telr().build(&op, &key()).unwrap_err().code(), code, "{op:?}");
    }
    let told = telr().capabilities();
    let not = [told.payouts, told.transfers, told.read_disputes, told.multiple_captures];
    assert_eq!(not, [Support::No; 4]);
}

#[test]
fn without_its_key_a_part_of_telr_is_not_there() {
    let bare = Telr::new(Settings::new("1234", SecretString::from("k"))).unwrap();
    for op in all_operations() {
        let page = matches!(&op, Operation::SaveInstrument(_) | Operation::SyncInstrument(_))
            || matches!(&op, Operation::Create(it) if it.instrument.is_none())
            || matches!(&op, Operation::Sync(it) if it.provider_ref == reference(ORDER));
        let code = bare.build(&op, &key()).map(|_| ()).map_err(|error| error.code());
        assert_eq!(code, if page { Ok(()) } else { Err("unsupported_by_provider") }, "{op:?}");
    }
    let mut two = settings();
    two.two_decimals = true;
    let fine = Operation::Create(create(money(1_234, "KWD"), CaptureMethod::Automatic));
    let error = Telr::new(two).unwrap().build(&fine, &key()).unwrap_err();
    assert_eq!(error.code(), "amount_not_representable");
}

#[test]
fn settings_that_cannot_be_are_refused_without_being_shown() {
    let change = |change: fn(&mut Settings)| {
        let mut it = settings();
        change(&mut it);
        Telr::new(it).unwrap_err().to_string()
    };
    let service = |it: &mut Settings| it.service.as_mut().unwrap().account = Some("a/b".to_owned());
    for text in [
        change(|it| it.store_id = "12/34".to_owned()),
        change(|it| it.auth_key = SecretString::from("")),
        change(|it| it.remote_key = Some(SecretString::from("shown k"))),
        change(service),
        change(|it| it.notify_url = Some("ftp://shown".to_owned())),
    ] {
        assert!(
            text.contains("telr") && !text.contains("shown") && !text.contains("12/34"),
            "{text}"
        );
    }
    let error = Telr::webhook_reader().build(&sync(), &key()).unwrap_err();
    assert_eq!(error, BuildError::NoCredentials { provider: "telr" });
    assert_eq!(error.reason(), RejectionReason::Credentials);
    assert_eq!("telr".parse(), Ok(ProviderName::Telr));
    assert_eq!(telr().acknowledgement(), Some("OK"));
}
