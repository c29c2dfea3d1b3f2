//! Disputes: read, listed page by page, given in to and answered.

use std::collections::BTreeMap;

use chrono::DateTime;
use mizan_providers::{
    AcceptDispute, ContestDispute, ListDisputes, Operation, Subject, SyncDispute,
};
use serde_json::{Value, json};

use super::{answered, never_a_success, operation, refused, said, with};
use crate::shop::{parse, reference};

const DP: &str = "dp_1JAyTwJSZQVUcJYgPqasUEn1";

fn sync() -> Operation {
    Operation::SyncDispute(SyncDispute { provider_ref: reference(DP) })
}

fn list(page: Option<&str>) -> Operation {
    let since = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
    Operation::ListDisputes(ListDisputes { since, page: page.map(str::to_owned) })
}

fn accept() -> Operation {
    Operation::AcceptDispute(AcceptDispute { operation: operation(), provider_ref: reference(DP) })
}

fn contest(evidence: &[(&str, &str)]) -> Operation {
    let evidence: BTreeMap<String, String> =
        evidence.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let provider_ref = reference(DP);
    Operation::ContestDispute(ContestDispute { operation: operation(), provider_ref, evidence })
}

fn dispute(status: &str) -> Value {
    let text = include_str!(
        "../../../fixtures/stripe/dispute.needs_response.with_balance_transaction.json"
    );
    with(serde_json::from_str(text).unwrap(), "status", json!(status))
}

#[test]
fn disputes_are_asked_about_in_stripes_words() {
    assert_eq!(said(&sync()), format!("GET /v1/disputes/{DP}"));
    assert_eq!(said(&list(None)), "GET /v1/disputes\ncreated[gte]=1780000000\nlimit=100");
    assert!(said(&list(Some("dp_9"))).ends_with("\nstarting_after=dp_9"));
    assert_eq!(said(&accept()), format!("POST /v1/disputes/{DP}/close"));
    assert_eq!(
        said(&contest(&[("receipt", "file_1"), ("uncategorized_text", "Delivered")])),
        format!(
            "POST /v1/disputes/{DP}\nevidence[receipt]=file_1\n\
             evidence[uncategorized_text]=Delivered\nmetadata[mizan_operation]={}\nsubmit=true",
            operation()
        )
    );
    let long = "x".repeat(150_001);
    for evidence in [&[][..], &[("a[b]", "x")][..], &[("receipt", long.as_str())][..]] {
        assert_eq!(refused(&contest(evidence)), "invalid_field");
    }
}

#[test]
fn every_answer_is_held_to_what_was_asked() {
    let contest = contest(&[("receipt", "file_1")]);
    for (op, word, expected) in [
        (&sync(), "needs_response", "done needs_response"),
        (&sync(), "warning_closed", "done warning"),
        (&sync(), "new_word", "unknown unknown_status"),
        (&accept(), "lost", "done lost"),
        (&accept(), "warning_closed", "done warning"),
        (&accept(), "needs_response", "unknown unexpected_status"),
        (&contest, "under_review", "done under_review"),
        (&contest, "warning_under_review", "done warning"),
        (&contest, "won", "done won"),
        (&contest, "needs_response", "unknown unexpected_status"),
        (&contest, "lost", "unknown unexpected_status"),
    ] {
        assert_eq!(answered(op, &dispute(word)), expected, "{word}");
    }
    let other = with(dispute("lost"), "id", json!("dp_2"));
    assert_eq!(answered(&accept(), &other), "mismatch provider_ref");
    never_a_success(&accept(), &dispute("lost"));
}

#[test]
fn a_dispute_tells_its_rows_with_the_fee() {
    let outcome = parse(&sync(), 200, dispute("needs_response").to_string());
    let Subject::Dispute(facts) = &outcome.answer().unwrap().subject else { panic!() };
    assert_eq!(facts.funds.as_str(), "none");
    let rows: Vec<_> = facts.rows.iter().map(|row| (row.gross.minor(), row.fee.minor())).collect();
    assert_eq!(rows, [(-1_000, 1_500)]);
}

#[test]
fn a_list_ends_where_stripe_says_so() {
    let page = |more: bool| {
        json!({"object": "list", "url": "/v1/disputes", "has_more": more,
            "data": [with(dispute("won"), "id", json!("dp_1")), dispute("new_word")]})
    };
    let next = |body: &Value| {
        let outcome = parse(&list(None), 200, body.to_string());
        let Subject::Disputes(page) = &outcome.answer().unwrap().subject else { panic!() };
        let words: Vec<_> = page.disputes.iter().map(|it| it.status.as_str()).collect();
        assert_eq!(words, ["won", "unknown"]);
        page.next.clone()
    };
    assert_eq!((next(&page(true)).as_deref(), next(&page(false))), (Some(DP), None));
    never_a_success(&list(None), &page(true));
    let endless = json!({"object": "list", "has_more": true, "data": []});
    assert_eq!(answered(&list(None), &endless), "unknown unreadable");
    let spoiled = json!({"object": "list", "has_more": true, "data": [{"id": "dp_1"}]});
    assert_eq!(answered(&list(None), &spoiled), "unknown unreadable");
}
