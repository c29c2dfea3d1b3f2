//! Tax numbers of vendors: what is no number of its kind is refused with the check that failed.

use serde_json::{Value, json};

use crate::support_app::TestApp;

const PATH: &str = "/v1/vendors/V1/terms";

fn terms(kind: &str, value: &str) -> Value {
    json!({ "tax_id": { "type": kind, "value": value } })
}

#[tokio::test]
async fn a_gstin_is_told_apart_with_its_reason() {
    let app = TestApp::new().await;
    let vectors = include_str!("../../fixtures/identifiers/gstin.json");
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    for valid in vectors["valid"].as_array().unwrap() {
        app.advance(1);
        app.terms("V1", terms("in_gst", valid.as_str().unwrap())).await;
        let read = app.get(PATH).await;
        assert_eq!(read.body["tax_id"], json!({ "type": "in_gst", "value": valid }), "{read:#?}");
    }
    for invalid in vectors["invalid"].as_array().unwrap() {
        let gstin = invalid["value"].as_str().unwrap();
        let refused = app.put(PATH, terms("in_gst", gstin)).await;
        assert_eq!((refused.status, refused.text("param")), (400, "tax_id"), "{refused:#?}");
        let expected = match invalid["why"].as_str().unwrap() {
            "check character" => "the check character should be",
            "length" => "it has 14 characters and must have 15",
            _ => "the state code",
        };
        assert!(refused.text("detail").contains(expected), "{refused:#?}");
    }
}

#[tokio::test]
async fn numbers_of_the_gulf_are_held_to_their_form_and_to_the_vendors_country() {
    let app = TestApp::new().await;
    app.terms("V1", terms("ae_trn", "100-0000-0000-0003")).await;
    assert_eq!(app.get(PATH).await.body["tax_id"]["value"], "100000000000003");
    app.advance(1);
    app.terms("V1", terms("sa_vat", "300000000000003")).await;
    let elsewhere = |mut body: Value| {
        body["jurisdiction"] = "SA".into();
        body
    };
    for (body, param, says) in [
        (terms("ae_trn", "10000000000003"), "tax_id", "has 14 characters and must have 15"),
        (terms("ae_trn", "10000000000000X"), "tax_id", "character 15 must be a digit"),
        (terms("sa_vat", "100000000000003"), "tax_id", "character 1 must be the digit 3"),
        (elsewhere(terms("ae_trn", "100000000000003")), "tax_id", "another country"),
        (terms("vat", "1"), "tax_id.type", "must be"),
        (json!({ "tax_id": { "type": "ae_trn" } }), "tax_id.value", "missing"),
        (json!({ "supply_role": "friend" }), "supply_role", "must be"),
        (json!({ "colour": "blue" }), "colour", "colour"),
        (json!({ "release": { "days": -1 } }), "release.days", "must be"),
    ] {
        let refused = app.put(PATH, body).await;
        assert_eq!((refused.status, refused.text("param")), (400, param), "{refused:#?}");
        assert!(refused.text("detail").contains(says), "{refused:#?}");
    }
}
