//! Customers and tokens: made in the checkout, told by payments, looked up and forgotten.

use mizan_money::Currency;
use mizan_providers::{
    CaptureMethod, ChargeSaved, CreateCustomer, CreatePayment, KeepInstrument, Operation, Presence,
    Provider, RemoveInstrument, SaveInstrument, SavedInstrument, Subject, Support, SyncInstrument,
};
use serde_json::{Value, json};

use super::fixtures::{bytes, value};
use super::shop::{
    PAY, adapter, answered, asked, create, listed, never_a_success, operation, parse, payment,
    reference, refused, said, sync_of, with,
};

fn our_customer() -> String {
    format!("cus_{}", "0".repeat(31) + "7")
}

fn keep(customer_ref: Option<&str>) -> KeepInstrument {
    let customer = our_customer().parse().unwrap();
    KeepInstrument { customer, customer_ref: customer_ref.map(reference) }
}

fn customer() -> Operation {
    let customer = our_customer().parse().unwrap();
    Operation::CreateCustomer(CreateCustomer { customer, operation: operation() })
}

fn tokens() -> Operation {
    Operation::SyncInstrument(SyncInstrument { provider_ref: reference("cust_1") })
}

fn saved(customer: Option<&str>) -> SavedInstrument {
    let customer = customer.map(reference);
    SavedInstrument { token: reference("token_1"), customer, first_charge: None }
}

fn remove(customer: Option<&str>) -> Operation {
    Operation::RemoveInstrument(RemoveInstrument { instrument: saved(customer) })
}

#[test]
fn a_customer_has_no_personal_data_and_is_never_somebody_elses() {
    let (ours, operation) = (our_customer(), operation());
    assert_eq!(
        said(&customer()),
        format!(r#"POST /v1/customers {{"fail_existing":"1","notes":{{"mizan_customer":"{ours}","#)
            + &format!(r#""mizan_operation":"{operation}"}}}}"#)
    );
    let body = |notes: Value| json!({"id": "cust_1", "entity": "customer", "notes": notes});
    assert_eq!(answered(&customer(), &body(json!({"mizan_customer": ours}))), "done customer");
    assert_eq!(answered(&customer(), &body(json!([]))), "done customer");
    let other = json!({"mizan_customer": format!("cus_{}", "f".repeat(32))});
    assert_eq!(answered(&customer(), &body(other)), "mismatch reference");
    never_a_success(&customer(), &body(json!([])));
}

#[test]
fn a_token_is_made_for_a_customer_in_the_checkout_and_told_by_the_payment() {
    let kept = CreatePayment {
        keep: Some(keep(Some("cust_1"))),
        ..create(asked(), CaptureMethod::Automatic)
    };
    assert!(said(&Operation::Create(kept.clone())).contains(r#""customer_id":"cust_1""#));
    let nobody = CreatePayment { keep: Some(keep(None)), ..kept };
    assert_eq!(refused(&Operation::Create(nobody)), "invalid_field");
    let told = |status: &str, customer: Value| {
        let mut body = with(payment(status), "token_id", json!("token_1"));
        body["customer_id"] = customer;
        let outcome = parse(&sync_of(asked(), PAY), 200, body.to_string());
        outcome.answer().unwrap().payment().unwrap().instrument.clone()
    };
    assert_eq!(told("captured", json!("cust_1")), Some(saved(Some("cust_1"))));
    assert_eq!(told("captured", Value::Null), None);
    assert_eq!(told("failed", json!("cust_1")), None);
}

#[test]
fn what_razorpay_does_not_do_with_tokens_is_refused() {
    let instrument = saved(Some("cust_1"));
    let charge = |presence| {
        let instrument = Some(ChargeSaved { instrument: instrument.clone(), presence });
        let bare = create(asked(), CaptureMethod::Automatic);
        Operation::Create(CreatePayment { instrument, ..bare })
    };
    let save = Operation::SaveInstrument(SaveInstrument {
        operation: operation(),
        keep: keep(Some("cust_1")),
        currency: Currency::parse("INR").unwrap(),
        payment_method: None,
        return_url: None,
    });
    for op in [charge(Presence::OnSession), charge(Presence::OffSession), save] {
        assert_eq!(refused(&op), "unsupported_by_provider", "{op:?}");
    }
    assert_eq!(refused(&remove(None)), "invalid_field");
    let told = adapter().capabilities();
    assert_eq!([told.save_instrument, told.charge_saved], [Support::No; 2]);
}

fn token(id: &str, status: &str, created_at: i64) -> Value {
    json!({"id": id, "entity": "token", "created_at": created_at,
        "recurring_details": {"status": status, "failure_reason": null}})
}

#[test]
fn of_a_customers_tokens_the_newest_that_can_be_charged_counts() {
    assert_eq!(said(&tokens()), "GET /v1/customers/cust_1/tokens");
    let (old, new) = (token("token_1", "confirmed", 1), token("token_2", "confirmed", 2));
    let later = token("token_3", "rejected", 3);
    for (items, expected, id) in [
        (vec![old.clone(), new.clone(), later.clone()], "done active", "token_2"),
        (vec![later], "done failed", "token_3"),
        (vec![token("token_1", "initiated", 1)], "done processing", "token_1"),
        (vec![token("token_1", "paused", 1)], "done requires_action", "token_1"),
        (vec![token("token_1", "cancelled", 1)], "done removed", "token_1"),
    ] {
        let body = listed(&items);
        assert_eq!(answered(&tokens(), &body), expected);
        let outcome = parse(&tokens(), 200, body.to_string());
        assert_eq!(outcome.answer().unwrap().provider_ref(), Some(&reference(id)));
    }
    assert_eq!(answered(&tokens(), &listed(&[])), "unknown not_found");
    let odd = listed(&[token("token_1", "new_word", 1)]);
    assert_eq!(answered(&tokens(), &odd), "unknown unknown_status");
    let outcome = parse(&tokens(), 200, bytes("token.collection.card.json"));
    let Subject::Instrument(facts) = &outcome.answer().unwrap().subject else { panic!() };
    assert_eq!(facts.instrument.as_ref().map(|it| it.token.as_str()), Some("token_HouA2OQR5Z2jTL"));
    never_a_success(&tokens(), &value("token.collection.card.json"));
}

#[test]
fn a_token_is_forgotten_when_razorpay_says_so() {
    let remove = remove(Some("cust_1"));
    assert_eq!(said(&remove), "DELETE /v1/customers/cust_1/tokens/token_1");
    assert_eq!(answered(&remove, &json!({"deleted": true})), "done removed");
    assert_eq!(answered(&remove, &json!({"deleted": false})), "unknown unreadable");
    never_a_success(&remove, &json!({"deleted": true}));
}
