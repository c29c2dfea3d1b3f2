//! The description of the interface: kept beside the code, and the same as the code gives.

use std::collections::BTreeSet;

/// Writes it again where it differs.
const REFRESH: &str = "mizan openapi > docs/openapi.json";

#[test]
fn the_kept_description_is_the_one_that_the_code_gives() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    let given = serde_json::to_string_pretty(&mizan::http::openapi()).unwrap();
    assert!(kept.trim_end() == given, "docs/openapi.json is out of date: `{REFRESH}`");
}

#[test]
fn every_route_of_the_books_is_described_and_what_moves_money_needs_a_key() {
    let given = serde_json::to_value(mizan::http::openapi()).unwrap();
    let paths = given["paths"].as_object().unwrap();
    let ledger = |path: &&String| path.starts_with("/v1/ledger/");
    let described: BTreeSet<&str> = paths.keys().filter(ledger).map(String::as_str).collect();
    let routes = [
        "/v1/ledger/accounts",
        "/v1/ledger/accounts/{id}",
        "/v1/ledger/accounts/{id}/balance",
        "/v1/ledger/accounts/{id}/dated_statement",
        "/v1/ledger/accounts/{id}/statement",
        "/v1/ledger/periods",
        "/v1/ledger/transactions",
        "/v1/ledger/transactions/{id}",
        "/v1/ledger/transactions/{id}/reverse",
        "/v1/ledger/trial_balance",
    ];
    assert_eq!(described, BTreeSet::from(routes));
    for path in described {
        let Some(post) = paths[path].get("post") else { continue };
        let parameters = post["parameters"].as_array().unwrap();
        let key = parameters.iter().find(|parameter| parameter["name"] == "Idempotency-Key");
        assert!(key.is_some_and(|key| key["required"] == true), "{path}");
    }
}
