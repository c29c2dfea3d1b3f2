//! What the Service API is asked: a transaction by number, and ours among those linked.

use mizan_providers::{Operation, RefundPayment, Subject};

use super::shop::{
    BACK, CART, FOLLOW_UP, ORDER, REFUND_CART, answered, brief, capture, charge, find, list_of,
    listed, money, parse, reference, refund, refund_of, sync_of, sync_refund, void,
};

fn among(transactions: &[String]) -> String {
    list_of(transactions)
}

#[test]
fn what_names_our_reference_is_ours() {
    let other = format!("re_{}-000000000004", "f".repeat(32));
    let others = [listed("refund", "A", "10.00", &other), listed("auth", "A", "54.50", CART)];
    let beside = |it: String| among(&[others[0].clone(), it, others[1].clone()]);
    for (op, body, expected) in [
        (refund(), beside(listed("refund", "A", "10.00", REFUND_CART)), "done succeeded"),
        (refund(), beside(listed("refund", "H", "10.00", REFUND_CART)), "pending pending"),
        (
            refund(),
            beside(listed("refund", "D", "10.00", REFUND_CART)),
            "rejected invalid_request 35",
        ),
        (refund(), beside(listed("refund", "A", "10.01", REFUND_CART)), "mismatch amount"),
        (refund(), beside(listed("sale", "A", "10.00", REFUND_CART)), "mismatch type"),
        (refund(), among(&others), "unknown not_found"),
        (capture(), beside(listed("capture", "A", "20.00", FOLLOW_UP)), "done captured"),
        (capture(), beside(listed("capture", "A", "20.00", CART)), "done captured"),
        (capture(), among(&others), "unknown not_found"),
        (void(), beside(listed("release", "A", "54.50", CART)), "done cancelled"),
        (charge(), among(&[listed("sale", "A", "54.50", CART)]), "done captured"),
        (charge(), among(&[]), "unknown not_found"),
    ] {
        assert_eq!(answered(&find(op), &body), expected, "{body}");
    }
    let described = listed("refund", "A", "10.00", CART)
        .replace("<test>", &format!("<description>{REFUND_CART}</description><test>"));
    assert_eq!(answered(&find(refund()), &among(&[described])), "done succeeded");
}

#[test]
fn refunds_alike_are_told_apart_by_what_is_known_and_else_left_to_a_person() {
    let alike = listed("refund", "A", "10.00", CART);
    let one = among(std::slice::from_ref(&alike));
    assert_eq!(answered(&find(refund()), &one), "done succeeded");
    let known = RefundPayment {
        known_refunds: vec![reference("040026532312")],
        ..refund_of(money(1_000, "AED"))
    };
    assert_eq!(answered(&find(Operation::Refund(known)), &one), "unknown not_found");
    assert_eq!(answered(&find(refund()), &among(&[alike.clone(), alike])), "unknown unreadable");
    let twice = listed("capture", "A", "20.00", CART);
    assert_eq!(answered(&find(capture()), &among(&[twice.clone(), twice])), "unknown unreadable");
}

#[test]
fn nothing_is_concluded_from_what_is_no_list() {
    for body in [
        "",
        "<html></html>",
        "<error>none</error>",
        "{}",
        "<transactions>",
        "<transactions><transaction><id>1</id></transaction></transactions>",
        "<transactions><transaction><id>1</id><type>sale</type><amount>1</amount>\
         <currency>AED</currency></transaction></transactions>",
    ] {
        assert_eq!(answered(&find(refund()), body), "unknown unreadable", "{body}");
    }
    assert_eq!(answered(&find(refund()), "<linked/>"), "unknown not_found");
}

#[test]
fn a_refund_is_told_by_its_transaction() {
    for (body, expected) in [
        (listed("refund", "A", "10.00", REFUND_CART), "done succeeded"),
        (listed("refund", "P", "10.00", CART), "done pending"),
        (listed("refund", "D", "10.00", REFUND_CART), "done failed"),
        (listed("refund", "Q", "10.00", REFUND_CART), "unknown unknown_status"),
        (listed("sale", "A", "10.00", REFUND_CART), "unknown unknown_status"),
        (listed("refund", "A", "9.99", REFUND_CART), "mismatch amount"),
        (listed("refund", "A", "10.00", "ORDER-1"), "mismatch reference"),
        (listed("refund", "A", "10.00", REFUND_CART).replace(BACK, "1"), "mismatch provider_ref"),
        (
            listed("refund", "A", "10.00", REFUND_CART).replace("<test>0", "<test>1"),
            "mismatch test",
        ),
        (among(&[]), "unknown not_found"),
    ] {
        assert_eq!(answered(&sync_refund(), &body), expected, "{body}");
    }
    let outcome = parse(&sync_refund(), 200, listed("refund", "D", "10.00", REFUND_CART));
    let Subject::Refund(it) = &outcome.answer().unwrap().subject else { panic!() };
    assert_eq!((it.reason.as_deref(), it.amount), (Some("35"), money(1_000, "AED")));
    assert_eq!(it.payment_ref, Some(reference(ORDER)));
}

#[test]
fn a_charge_of_a_saved_card_is_told_by_its_transaction() {
    let by_number = sync_of(BACK, None);
    for (body, expected) in [
        (listed("sale", "A", "54.50", CART), "done captured"),
        (listed("auth", "A", "54.50", CART), "done authorised"),
        (listed("sale", "D", "54.50", CART), "done failed"),
        (listed("refund", "A", "54.50", CART), "unknown unknown_status"),
        (listed("sale", "A", "54.50", FOLLOW_UP).replace("AED", "USD"), "mismatch currency"),
    ] {
        assert_eq!(brief(&parse(&by_number, 200, body.clone())), expected, "{body}");
    }
}
