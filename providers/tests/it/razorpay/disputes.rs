//! Disputes: read, listed page by page, given in to and answered.

use chrono::DateTime;
use mizan_providers::{
    AcceptDispute, ContestDispute, ListDisputes, Operation, Subject, SyncDispute,
};
use serde_json::{Value, json};

use super::fixtures::value;
use super::shop::{
    answered, listed, never_a_success, operation, parse, reference, refused, said, with,
};

const DISP: &str = "disp_AHfqOvkldwsbqt";

fn sync() -> Operation {
    Operation::SyncDispute(SyncDispute { provider_ref: reference(DISP) })
}

fn list(page: Option<&str>) -> Operation {
    let since = DateTime::from_timestamp(1_590_000_000, 0).unwrap();
    Operation::ListDisputes(ListDisputes { since, page: page.map(str::to_owned) })
}

fn accept() -> Operation {
    let provider_ref = reference(DISP);
    Operation::AcceptDispute(AcceptDispute { operation: operation(), provider_ref })
}

fn contest(evidence: &[(&str, &str)]) -> Operation {
    let evidence =
        evidence.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let provider_ref = reference(DISP);
    Operation::ContestDispute(ContestDispute { operation: operation(), provider_ref, evidence })
}

fn dispute(status: &str) -> Value {
    with(value("dispute.entity.json"), "status", json!(status))
}

#[test]
fn disputes_are_asked_about_in_razorpays_words() {
    assert_eq!(said(&sync()), format!("GET /v1/disputes/{DISP}"));
    assert_eq!(said(&list(None)), "GET /v1/disputes?from=1590000000&count=100&skip=0");
    assert!(said(&list(Some("100"))).ends_with("&skip=100"));
    assert_eq!(refused(&list(Some("x"))), "invalid_field");
    assert_eq!(said(&accept()), format!("POST /v1/disputes/{DISP}/accept"));
    assert_eq!(
        said(&contest(&[("shipping_proof", "doc_1, doc_2"), ("summary", "goods delivered")])),
        [
            "PATCH /v1/disputes/disp_AHfqOvkldwsbqt/contest ",
            r#"{"action":"submit","shipping_proof":["doc_1","doc_2"],"summary":"goods delivered"}"#,
        ]
        .concat()
    );
    let long = "x".repeat(1_001);
    for evidence in [
        &[][..],
        &[("summary", "no document")][..],
        &[("shipping_proof", " , ")][..],
        &[("others", "doc_1")][..],
        &[("action", "draft")][..],
        &[("shipping_proof", "doc_1"), ("summary", long.as_str())][..],
    ] {
        assert_eq!(refused(&contest(evidence)), "invalid_field", "{evidence:?}");
    }
}

#[test]
fn every_answer_is_held_to_what_was_asked() {
    let contest = contest(&[("shipping_proof", "doc_1")]);
    for (op, word, expected) in [
        (&sync(), "open", "done needs_response"),
        (&sync(), "closed", "done warning"),
        (&sync(), "new_word", "unknown unknown_status"),
        (&accept(), "lost", "done lost"),
        (&accept(), "open", "unknown unexpected_status"),
        (&contest, "under_review", "done under_review"),
        (&contest, "open", "unknown unexpected_status"),
    ] {
        assert_eq!(answered(op, &dispute(word)), expected, "{word}");
    }
    let other = with(dispute("lost"), "id", json!("disp_2"));
    assert_eq!(answered(&accept(), &other), "mismatch provider_ref");
    for op in [sync(), accept(), contest, list(None)] {
        never_a_success(&op, &dispute("lost"));
    }
}

#[test]
fn a_lost_dispute_tells_what_was_deducted() {
    let lost = with(dispute("lost"), "amount_deducted", json!(9_000));
    let outcome = parse(&accept(), 200, lost.to_string());
    let Subject::Dispute(facts) = &outcome.answer().unwrap().subject else { panic!() };
    assert_eq!(facts.rows.iter().map(|row| row.net.minor()).collect::<Vec<_>>(), [-9_000]);
    assert_eq!(facts.charge_ref, Some(reference("pay_EsyWjHrfzb59eR")));
    assert_eq!(facts.payment_ref, None);
    assert_eq!(facts.evidence_due_by.map(|at| at.timestamp()), Some(1_590_604_200));
}

#[test]
fn a_list_goes_on_while_pages_are_full() {
    let next = |count: usize, page: Option<&str>| {
        let body = listed(&vec![dispute("open"); count]);
        let outcome = parse(&list(page), 200, body.to_string());
        let Subject::Disputes(page) = &outcome.answer().unwrap().subject else { panic!() };
        assert_eq!(page.disputes.len(), count);
        page.next.clone()
    };
    assert_eq!(next(100, None).as_deref(), Some("100"));
    assert_eq!(next(100, Some("100")).as_deref(), Some("200"));
    assert_eq!((next(99, None), next(0, Some("200"))), (None, None));
}
