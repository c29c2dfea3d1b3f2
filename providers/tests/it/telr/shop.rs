//! The things the tests are about: one page, its transactions, one refund, one adapter.

use std::collections::BTreeMap;

use mizan_money::{Currency, Money};
use mizan_providers::telr::{ServiceAccess, Settings, Telr};
use mizan_providers::{
    CaptureMethod, CapturePayment, ChargeSaved, Confirmation, CreatePayment, Finality, Headers,
    HttpAnswer, IdempotencyKey, KeepInstrument, ListSettlement, Operation, Outcome, Presence,
    Prior, Provider, RefundPayment, RefundReason, SaveInstrument, SavedInstrument, SyncInstrument,
    SyncPayment, SyncRefund, VoidPayment, VoidReason,
};
use secrecy::SecretString;
use serde_json::{Value, json};

pub use crate::shop::{money, our_payment, our_refund, reference};

pub const ORDER: &str = "1A6D4C0C2D3A4F1A9B3E5E7C8D9F0A1B2C3D4E5F60718293A4B5C6D7E8F90A1B";
pub const TRAN: &str = "040026532213";
pub const CAPTURE: &str = "040026532299";
pub const BACK: &str = "040026532312";
pub const URL: &str = "https://secure.telr.com/gateway/process.html?o=1A6D";
pub const AUTH_KEY: &str = "Page-Key&<never shown>";
pub const REMOTE_KEY: &str = "Remote-Key&<never'shown>";
pub const SERVICE_KEY: &str = "Service-Key-never-shown";
/// Our payment with the end of the create's operation, and with that of a follow-up's.
pub const CART: &str = "pi_00000000000000000000000000000001-000000000003";
pub const FOLLOW_UP: &str = "pi_00000000000000000000000000000001-000000000005";
pub const REFUND_CART: &str = "re_00000000000000000000000000000002-000000000004";

pub fn asked() -> Money {
    money(5_450, "AED")
}

pub fn key() -> IdempotencyKey {
    IdempotencyKey::parse("mizan-op_0001").unwrap()
}

pub fn settings() -> Settings {
    let mut settings = Settings::new("1234", SecretString::from(AUTH_KEY.replace(' ', "_")));
    settings.remote_key = Some(SecretString::from(REMOTE_KEY.replace(' ', "_")));
    settings.service = Some(ServiceAccess {
        merchant_id: "77".to_owned(),
        api_key: SecretString::from(SERVICE_KEY),
        account: Some("9".to_owned()),
    });
    settings
}

pub fn telr() -> Telr {
    Telr::new(settings()).unwrap()
}

pub fn create(amount: Money, capture: CaptureMethod) -> CreatePayment {
    CreatePayment {
        payment: our_payment().parse().unwrap(),
        operation: format!("op_{}", "0".repeat(31) + "3").parse().unwrap(),
        amount,
        capture,
        payment_method: None,
        confirmation: Confirmation::Now,
        return_url: Some("https://shop.example/back?o=1&x=2".to_owned()),
        description: None,
        metadata: BTreeMap::new(),
        instrument: None,
        keep: None,
    }
}

pub fn sale() -> Operation {
    Operation::Create(create(asked(), CaptureMethod::Automatic))
}

pub fn card() -> SavedInstrument {
    SavedInstrument { token: reference("040026530000"), customer: None, first_charge: None }
}

pub fn charge_by(capture: CaptureMethod) -> Operation {
    let mut it = create(asked(), capture);
    it.instrument = Some(ChargeSaved { instrument: card(), presence: Presence::OffSession });
    Operation::Create(it)
}

pub fn charge() -> Operation {
    charge_by(CaptureMethod::Automatic)
}

pub fn keep() -> KeepInstrument {
    let customer = format!("cus_{}", "0".repeat(31) + "7");
    KeepInstrument { customer: customer.parse().unwrap(), customer_ref: None }
}

pub fn save() -> Operation {
    Operation::SaveInstrument(SaveInstrument {
        operation: format!("op_{}", "0".repeat(31) + "3").parse().unwrap(),
        keep: keep(),
        currency: Currency::AED,
        payment_method: None,
        return_url: Some("https://shop.example/back".to_owned()),
    })
}

pub fn sync_save() -> Operation {
    Operation::SyncInstrument(SyncInstrument { provider_ref: reference(ORDER) })
}

pub fn capture_of(amount: Money) -> CapturePayment {
    CapturePayment {
        payment: our_payment().parse().unwrap(),
        operation: format!("op_{}", "0".repeat(31) + "5").parse().unwrap(),
        provider_ref: reference(ORDER),
        charge_ref: Some(reference(TRAN)),
        authorised: asked(),
        captured_before: Money::zero(amount.currency()),
        amount,
        finality: Finality::Final,
    }
}

pub fn capture() -> Operation {
    Operation::Capture(capture_of(money(2_000, "AED")))
}

pub fn void() -> Operation {
    Operation::Void(VoidPayment {
        payment: our_payment().parse().unwrap(),
        operation: format!("op_{}", "0".repeat(31) + "5").parse().unwrap(),
        provider_ref: reference(ORDER),
        charge_ref: Some(reference(TRAN)),
        amount: asked(),
        reason: VoidReason::RequestedByCustomer,
    })
}

pub fn refund_of(amount: Money) -> RefundPayment {
    RefundPayment {
        payment: our_payment().parse().unwrap(),
        refund: our_refund().parse().unwrap(),
        operation: format!("op_{}", "0".repeat(31) + "4").parse().unwrap(),
        provider_ref: reference(ORDER),
        charge_ref: Some(reference(CAPTURE)),
        amount,
        reason: RefundReason::RequestedByCustomer,
        known_refunds: Vec::new(),
    }
}

pub fn refund() -> Operation {
    Operation::Refund(refund_of(money(1_000, "AED")))
}

pub fn sync_of(of: &str, charge: Option<&str>) -> Operation {
    let payment = our_payment().parse().unwrap();
    let charge_ref = charge.map(reference);
    Operation::Sync(SyncPayment {
        payment,
        provider_ref: reference(of),
        charge_ref,
        amount: asked(),
    })
}

pub fn sync() -> Operation {
    sync_of(ORDER, None)
}

pub fn sync_refund() -> Operation {
    Operation::SyncRefund(SyncRefund {
        refund: our_refund().parse().unwrap(),
        provider_ref: reference(BACK),
        payment_ref: reference(ORDER),
        charge_ref: Some(reference(CAPTURE)),
        amount: money(1_000, "AED"),
    })
}

pub fn find(op: Operation) -> Operation {
    Operation::Find(Box::new(op))
}

pub fn list(settlement: Option<&str>, page: Option<&str>) -> Operation {
    let time = |text: &str| text.parse().unwrap();
    Operation::ListSettlement(ListSettlement {
        from: time("2026-09-01T20:00:00Z"),
        to: time("2026-09-09T20:00:00Z"),
        settlement: settlement.map(reference),
        page: page.map(ToOwned::to_owned),
    })
}

/// Everything that can be asked.
pub fn all_operations() -> Vec<Operation> {
    let by_number = sync_of(TRAN, None);
    vec![
        sale(),
        charge(),
        charge_by(CaptureMethod::Manual),
        capture(),
        void(),
        refund(),
        sync(),
        by_number,
        sync_refund(),
        save(),
        sync_save(),
        find(charge()),
        find(capture()),
        find(void()),
        find(refund()),
        list(None, None),
        list(Some("4841777"), None),
    ]
}

/// What a create answers.
pub fn page() -> Value {
    json!({"method": "create", "trace": "4001/1/2", "order": {"ref": ORDER, "url": URL}})
}

/// What a check answers.
pub fn checked(code: i64, tran: Option<(&str, &str)>) -> Value {
    let transaction = tran.map(|(kind, letter)| {
        json!({"ref": TRAN, "type": kind, "class": "ECom", "status": letter, "code": "41",
               "message": "Insufficient funds"})
    });
    json!({"method": "check", "trace": "4001/1/2", "order": {
        "ref": ORDER, "cartid": CART, "test": 0, "amount": "54.50", "currency": "AED",
        "status": {"code": code, "text": "x"}, "transaction": transaction, "url": URL,
    }})
}

pub fn with(mut body: Value, path: &str, value: Value) -> Value {
    *body.pointer_mut(path).unwrap() = value;
    body
}

/// What the remote interface answers.
pub fn remote(letter: &str, code: &str, tran: &str, cart: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><remote><auth><status>{letter}</status><code>{code}</code>\
         <message>Said so</message><tranref>{tran}</tranref><cartid>{cart}</cartid>\
         <trace>4001/1/2</trace></auth></remote>"
    )
}

/// A transaction as the Service API tells it.
pub fn listed(kind: &str, letter: &str, amount: &str, cart: &str) -> String {
    format!(
        "<transaction><id>040026532312</id><type>{kind}</type><currency>AED</currency>\
         <amount>{amount}</amount><cartid>{cart}</cartid><test>0</test>\
         <auth><status>{letter}</status><code>35</code></auth></transaction>"
    )
}

pub fn list_of(transactions: &[String]) -> String {
    format!("<transactions>{}</transactions>", transactions.concat())
}

pub fn parse(op: &Operation, status: u16, body: impl Into<Vec<u8>>) -> Outcome {
    telr().parse(op, &HttpAnswer::new(status, Headers::new(), body))
}

pub fn parse_after(op: &Operation, status: u16, body: &str, prior: Prior) -> Outcome {
    let mut answer = HttpAnswer::new(status, Headers::new(), body);
    answer.prior = prior;
    telr().parse(op, &answer)
}

/// The outcome in a word or two.
pub fn brief(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(answer) | Outcome::Pending(answer) => {
            let status = answer.payment().map(|it| it.status.as_str());
            let status = status.or(answer.refund().map(|it| it.status.as_str()));
            let status = status.or(match &answer.subject {
                mizan_providers::Subject::Instrument(it) => Some(it.status.as_str()),
                _ => None,
            });
            format!("{} {}", outcome.as_str(), status.unwrap_or_default()).trim_end().to_owned()
        }
        Outcome::Declined(it) => format!("declined {} {}", it.code, it.kind),
        Outcome::Rejected(it) => format!("rejected {} {}", it.reason, it.code),
        Outcome::Unknown(it) => format!("unknown {}", it.why.code()),
        Outcome::Mismatch(it) => format!("mismatch {}", it.field),
    }
}

pub fn answered(op: &Operation, body: &str) -> String {
    brief(&parse(op, 200, body))
}
