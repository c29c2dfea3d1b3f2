//! Payouts and disputes: answered at once, told in full later.

use mizan_providers::{DisputeAnswer, DisputeStatus, FundsMovement, Operation, Subject};
use serde_json::{Value, json};

use super::shop::{
    BATCH, DISPUTE, ITEM, accept, answered, asked, at_place, cancel_payout, contest, list_disputes,
    money, our_payout, parse, payout, payout_told, reference, sync_dispute, sync_payout, with,
};

fn batch(status: &str, items: &[Value]) -> Value {
    let sender = json!({"sender_batch_id": format!("{}-00000000000b", our_payout())});
    let header = json!({
        "payout_batch_id": BATCH, "batch_status": status, "sender_batch_header": sender,
    });
    json!({"batch_header": header, "items": items})
}

fn item(status: &str) -> Value {
    let asked = json!({
        "amount": {"currency": "USD", "value": "100.00"}, "sender_item_id": our_payout(),
        "receiver": "vendor@example.com", "recipient_type": "EMAIL",
    });
    json!({
        "payout_item_id": ITEM, "payout_batch_id": BATCH, "transaction_status": status,
        "transaction_id": "0C413693MN970190K", "payout_item": asked,
        "payout_item_fee": {"currency": "USD", "value": "0.35"},
    })
}

fn by_batch() -> Operation {
    sync_payout(&format!("batch:{BATCH}"))
}

#[test]
fn a_payout_is_a_batch_until_its_item_is_known() {
    for (status, expected) in [
        ("PENDING", "pending pending"),
        ("PROCESSING", "pending pending"),
        // Processed, which is not paid.
        ("SUCCESS", "pending in_transit"),
        ("DENIED", "declined payout_denied"),
        ("CANCELED", "declined payout_canceled"),
        ("NEW_WORD", "unknown unknown_status"),
    ] {
        assert_eq!(answered(&payout(), &batch(status, &[])), expected, "{status}");
    }
    let new = payout_told(&payout(), &batch("PENDING", &[]));
    assert_eq!((new.provider_ref, new.amount), (reference(&format!("batch:{BATCH}")), asked()));
    assert_eq!(new.reference, our_payout().parse().ok());
    let still = payout_told(&by_batch(), &batch("PROCESSING", &[]));
    assert_eq!(
        (still.status.as_str(), still.provider_ref),
        ("pending", reference(&format!("batch:{BATCH}")))
    );
    let known = payout_told(&by_batch(), &batch("SUCCESS", &[item("SUCCESS")]));
    assert_eq!((known.status.as_str(), known.provider_ref), ("paid", reference(ITEM)));
}

#[test]
fn the_item_tells_whether_it_was_paid_and_whether_it_came_back() {
    for (status, expected) in [
        ("SUCCESS", "paid"),
        ("PENDING", "in_transit"),
        ("ONHOLD", "in_transit"),
        ("UNCLAIMED", "in_transit"),
        ("FAILED", "failed"),
        ("BLOCKED", "failed"),
        ("RETURNED", "returned"),
        ("REFUNDED", "returned"),
        ("REVERSED", "returned"),
    ] {
        for (op, body) in
            [(sync_payout(ITEM), item(status)), (by_batch(), batch("SUCCESS", &[item(status)]))]
        {
            let told = payout_told(&op, &body);
            assert_eq!(told.status.as_str(), expected, "{status}");
            let costs = matches!(expected, "paid" | "in_transit");
            assert_eq!(told.fee.is_some(), costs, "{status}");
        }
    }
    assert_eq!(answered(&sync_payout(ITEM), &item("NEW_WORD")), "unknown unknown_status");
    let fee = payout_told(&sync_payout(ITEM), &item("SUCCESS")).fee.unwrap();
    let said = [fee.gross, fee.fee, fee.tax, fee.net].map(|money| money.minor());
    assert_eq!(said, [-10_000, 35, 0, -10_035]);
    assert_eq!(fee.balance_transaction, reference("0C413693MN970190K"));
    let swapped = json!({"currency": "0.35", "value": "USD"});
    let told = payout_told(&sync_payout(ITEM), &with(item("SUCCESS"), "payout_item_fee", swapped));
    assert_eq!((told.status.as_str(), told.fee), ("paid", None));
}

#[test]
fn an_unclaimed_payout_is_called_off_by_its_item() {
    assert_eq!(answered(&cancel_payout(ITEM), &item("RETURNED")), "done returned");
    assert_eq!(answered(&cancel_payout(ITEM), &item("CANCELED")), "done cancelled");
    assert_eq!(answered(&cancel_payout(ITEM), &item("SUCCESS")), "unknown unexpected_status");
}

#[test]
fn a_payout_that_is_not_ours_is_no_success() {
    let other = json!(format!("po_{}", "f".repeat(32)));
    let attempt = json!(format!("{}-00000000000c", our_payout()));
    let sender = "/batch_header/sender_batch_header/sender_batch_id";
    let unit = |place: &str, value: Value| at_place(item("SUCCESS"), place, value);
    let broken = json!({"payout_item_id": 1});
    for (op, body, expected) in [
        (payout(), at_place(batch("PENDING", &[]), sender, other.clone()), "mismatch reference"),
        (payout(), at_place(batch("PENDING", &[]), sender, attempt), "mismatch reference"),
        (
            sync_payout(ITEM),
            unit("/payout_item/sender_item_id", other.clone()),
            "mismatch reference",
        ),
        (sync_payout(ITEM), unit("/payout_item/amount/value", json!("1")), "mismatch amount"),
        (
            sync_payout(ITEM),
            unit("/payout_item/amount/currency", json!("EUR")),
            "mismatch currency",
        ),
        (sync_payout(ITEM), unit("/payout_item_id", json!("OTHER")), "mismatch provider_ref"),
        (
            by_batch(),
            batch("SUCCESS", &[unit("/payout_item/sender_item_id", other)]),
            "unknown unreadable",
        ),
        (by_batch(), batch("SUCCESS", &[item("SUCCESS"), item("FAILED")]), "unknown unreadable"),
        (by_batch(), batch("SUCCESS", std::slice::from_ref(&broken)), "unknown unreadable"),
        (by_batch(), batch("SUCCESS", &[broken, item("SUCCESS")]), "done paid"),
        (
            by_batch(),
            at_place(batch("SUCCESS", &[]), "/batch_header/payout_batch_id", json!("OTHER")),
            "unknown unreadable",
        ),
    ] {
        assert_eq!(answered(&op, &body), expected, "{body}");
    }
}

fn dispute(status: &str) -> Value {
    json!({
        "dispute_id": DISPUTE, "status": status, "reason": "UNAUTHORISED",
        "dispute_life_cycle_stage": "CHARGEBACK", "dispute_amount": super::shop::usd("96.00"),
        "disputed_transactions": [{"seller_transaction_id": "CAP1", "custom": "x",
            "invoice_number": format!("{}-00000000000f", super::shop::our_payment())}],
        "seller_response_due_date": "2018-07-06T13:55:58.000Z",
        "update_time": "2018-07-01T09:00:00.000Z",
        "money_movements": [{"affected_party": "SELLER", "amount": super::shop::usd("84.64")}],
        "links": [],
    })
}

fn movement(party: &str, side: &str, reason: &str, amount: &str) -> Value {
    json!({
        "affected_party": party, "type": side, "reason": reason,
        "amount": super::shop::usd(amount), "initiated_time": "2018-07-01T08:00:00.000Z",
    })
}

fn moved(status: &str, movements: Value) -> DisputeAnswer {
    let outcome = json!({"outcome_code": "RESOLVED_BUYER_FAVOUR"});
    let told =
        with(with(dispute(status), "money_movements", movements), "dispute_outcome", outcome);
    let outcome = parse(&sync_dispute(), 200, told.to_string());
    let Subject::Dispute(it) = &outcome.answer().unwrap().subject else { panic!() };
    *it.clone()
}

#[test]
fn a_dispute_is_read_and_what_does_not_fit_is_no_row() {
    let outcome = parse(&sync_dispute(), 200, dispute("UNDER_REVIEW").to_string());
    let Subject::Dispute(it) = &outcome.answer().unwrap().subject else { panic!() };
    assert_eq!((it.status, it.amount), (DisputeStatus::UnderReview, money(9_600, "USD")));
    assert_eq!((it.funds, it.rows.len()), (FundsMovement::None, 0));
    assert_eq!(
        (&it.charge_ref, &it.payment_ref),
        (&Some(reference("CAP1")), &Some(reference("CAP1")))
    );
    assert_eq!(it.reference, super::shop::our_payment().parse().ok());
    assert_eq!(it.evidence_due_by, Some(super::shop::at("2018-07-06T13:55:58Z")));
    assert_eq!(it.changed_at, Some(super::shop::at("2018-07-01T09:00:00Z")));
    let unclear = it.unclear.as_deref().unwrap();
    assert!(unclear.ends_with("84.64 USD moved, and PayPal does not say where"), "{unclear}");
    let other = with(dispute("OPEN"), "dispute_id", json!("PP-1"));
    assert_eq!(answered(&sync_dispute(), &other), "mismatch provider_ref");
}

#[test]
fn the_sellers_movements_are_rows_with_names_of_their_own() {
    let settled = movement("SELLER", "DEBIT", "DISPUTE_SETTLEMENT", "48.00");
    let it = moved(
        "RESOLVED",
        json!([
            movement("BUYER", "CREDIT", "DISPUTE_SETTLEMENT", "96.00"),
            settled,
            movement("SELLER", "DEBIT", "CHARGEBACK_FEE", "20.00"),
            settled,
            movement("SELLER", "CREDIT", "DISPUTE_FEE", "5.00"),
        ]),
    );
    assert_eq!((it.status, it.unclear), (DisputeStatus::Lost, None));
    let rows: Vec<_> = it
        .rows
        .iter()
        .map(|row| (row.balance_transaction.as_str(), row.gross.minor(), row.fee.minor()))
        .collect();
    assert_eq!(
        rows,
        [
            ("DISPUTE_SETTLEMENT:DEBIT:1530432000000:4800:1", -4_800, 0),
            ("CHARGEBACK_FEE:DEBIT:1530432000000:2000:1", 0, 2_000),
            ("DISPUTE_SETTLEMENT:DEBIT:1530432000000:4800:2", -4_800, 0),
            ("DISPUTE_FEE:CREDIT:1530432000000:500:1", 0, -500),
        ]
    );
    // PayPal paid: nothing of ours moved.
    let it = moved(
        "RESOLVED",
        json!([movement("PAYMENT_PROCESSOR", "DEBIT", "DISPUTE_SETTLEMENT", "96.00")]),
    );
    assert_eq!((it.rows.len(), it.unclear), (0, None));
}

#[test]
fn movements_that_do_not_fit_are_left_to_a_person() {
    let seller = |side, reason, amount| movement("SELLER", side, reason, amount);
    let in_euros = with(
        seller("DEBIT", "DISPUTE_SETTLEMENT", "9.00"),
        "amount",
        json!({"currency_code": "EUR", "value": "9.00"}),
    );
    let asset = with(seller("DEBIT", "DISPUTE_SETTLEMENT", "9.00"), "amount", Value::Null);
    for (movements, why) in [
        (json!([seller("DEBIT", "DISPUTE_SETTLEMENT", "96.01")]), "says that 96.01 USD moved"),
        (json!([seller("CREDIT", "DISPUTE_SETTLEMENT", "9.00")]), "says that -9.00 USD moved"),
        (json!([seller("DEBIT", "OTHER", "9.00")]), "a reason that is not known: OTHER"),
        (json!([in_euros]), "9.00 EUR moved, and it is about 96.00 USD"),
        (json!([asset]), "something that is no money moved"),
        (Value::Null, "PayPal does not say whose money"),
    ] {
        let it = moved("RESOLVED", movements);
        assert_eq!(it.rows.len(), 0, "{why}");
        let unclear = it.unclear.unwrap();
        assert!(unclear.starts_with(DISPUTE) && unclear.ends_with(why), "{unclear}");
    }
}

#[test]
fn a_page_of_disputes_says_where_the_next_one_begins() {
    let address = "https://api-m.paypal.com/v1/customer/disputes";
    let href = format!("{address}?page_size=50&next_page_token=a%26b");
    let next = json!([{"rel": "next", "href": href}]);
    let body = json!({"items": [dispute("OPEN")], "links": next});
    let outcome = parse(&list_disputes(), 200, body.to_string());
    let Subject::Disputes(page) = &outcome.answer().unwrap().subject else { panic!() };
    assert_eq!((page.disputes.len(), page.next.as_deref()), (1, Some("a&b")));
    let lost = at_place(body.clone(), "/links/0/href", json!("https://x/y"));
    assert_eq!(answered(&list_disputes(), &lost), "unknown unreadable");
    assert_eq!(answered(&list_disputes(), &with(body, "links", json!([]))), "done disputes");
}

#[test]
fn an_action_on_a_dispute_is_taken_on_and_the_dispute_tells_the_rest() {
    let links = |id: &str| {
        let href = format!("https://api-m.paypal.com/v1/customer/disputes/{id}");
        json!({"links": [{"rel": "self", "href": href}]})
    };
    for op in [accept(), contest(&[("notes", "It was delivered.")])] {
        assert_eq!(answered(&op, &links(DISPUTE)), "unknown busy");
        assert_eq!(answered(&op, &links("PP-1")), "unknown unreadable");
        assert_eq!(answered(&op, &dispute("UNDER_REVIEW")), "done under_review");
    }
}
