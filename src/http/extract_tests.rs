//! What the strict extractors promise, by example.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use axum::http::HeaderMap;
use mizan_money::VendorId;
use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Order {
    amount: i64,
    #[serde(default)]
    lines: Vec<Line>,
    capture: Option<Capture>,
    vendor: Option<VendorId>,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Line {
    amount: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Capture {
    Automatic,
    Manual,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Filter {
    limit: Option<u32>,
    vendor: Option<VendorId>,
}

fn body(text: &str) -> String {
    match parse_json::<Order>(text.as_bytes()) {
        Ok(order) => format!("{}", order.amount),
        Err(problem) => {
            let param = problem.body(None).param.unwrap_or_default();
            format!("{} [{param}] {}", problem.code().as_str(), problem.detail())
        }
    }
}

fn query(text: &str) -> String {
    match parse_query::<Filter>(text) {
        Ok(filter) => format!("{:?}", filter.limit),
        Err(problem) => {
            let param = problem.body(None).param.unwrap_or_default();
            format!("{} [{param}] {}", problem.code().as_str(), problem.detail())
        }
    }
}

#[test]
fn a_body_is_read_to_the_last_field_or_refused_with_the_place() {
    for (text, expected) in [
        (r#"{"amount": 5}"#, "5"),
        (r#"{"amount": 5"#, "malformed_json [] The body stops being JSON at line 1, column 12."),
        ("{\"amount\": 5}\n{}", "malformed_json [] The body stops being JSON at line 2, column 1."),
        (r"{}", "missing_field [amount] The field `amount` is missing."),
        (
            r#"{"amount": 5, "lines": [{"amount": 1}, {}]}"#,
            "missing_field [lines[1].amount] The field `lines[1].amount` is missing.",
        ),
        (
            r#"{"amount": "4242424242424242"}"#,
            "invalid_field [amount] `amount` must be an integer within its range, not a string.",
        ),
        (
            r#"{"amount": 5.5}"#,
            "invalid_field [amount] `amount` must be an integer within its range, \
             not a fraction or a number beyond its range.",
        ),
        (
            r#"{"amount": 99999999999999999999}"#,
            "invalid_field [amount] `amount` must be an integer within its range, \
             not a fraction or a number beyond its range.",
        ),
        (
            r#"{"amount": 1, "amount": 2}"#,
            "invalid_field [amount] `amount` is there more than once.",
        ),
        (
            r#"{"amount": 1, "amuont": 2}"#,
            "unknown_field [amuont] There is no field `amuont` in this request.",
        ),
        (
            r#"{"amount": 1, "lines": [{"amount": 1, "tax": {}}]}"#,
            "unknown_field [lines[0].tax] There is no field `lines[0].tax` in this request.",
        ),
        (
            r#"{"amount": 1, "capture": "auto"}"#,
            "invalid_field [capture] `capture` must be `automatic` or `manual`.",
        ),
        (
            r#"{"amount": 1, "lines": [[1]]}"#,
            "invalid_field [lines[0]] `lines[0]` must be an object, not an array.",
        ),
        ("[1]", "invalid_field [] The body must be an object, not an array."),
        ("7", "invalid_field [] The body must be an object, not this integer."),
    ] {
        assert_eq!(body(text), expected, "{text}");
    }
}

#[test]
fn an_id_of_another_kind_is_named_without_repeating_it() {
    let answer = body(r#"{"amount": 1, "vendor": "pi_0197b3c1d2e47f5a8b9c0d1e2f3a4b5c"}"#);
    assert!(answer.starts_with("invalid_field [vendor] "), "{answer}");
    assert!(!answer.contains("0197b3"), "{answer}");
}

#[test]
fn a_query_knows_its_parameters() {
    for (text, expected) in [
        ("", "None"),
        ("limit=7", "Some(7)"),
        ("limt=7", "unknown_parameter [limt] There is no parameter `limt` here."),
        ("limit=7&limit=8", "invalid_parameter [limit] `limit` is there more than once."),
    ] {
        assert_eq!(query(text), expected, "{text}");
    }
    assert!(query("limit=x").starts_with("invalid_parameter [limit] "), "{}", query("limit=x"));
    assert!(query("vendor=ven_1").starts_with("invalid_parameter [vendor] "));
}

#[test]
fn only_json_is_accepted_and_an_empty_body_is_an_empty_object() {
    let headers = |text: Option<&str>| {
        let mut headers = HeaderMap::new();
        if let Some(text) = text {
            headers.insert("content-type", text.parse().unwrap());
        }
        headers
    };
    let read = |kind, bytes: &[u8]| {
        parse_body::<Filter>(&headers(kind), bytes).map(drop).map_err(|p| p.code())
    };
    assert_eq!(read(None, b""), Ok(()));
    assert_eq!(read(Some("application/json"), b"{}"), Ok(()));
    assert_eq!(read(Some("Application/JSON; charset=utf-8"), b"{}"), Ok(()));
    assert_eq!(read(None, b"{}"), Err(Code::UnsupportedMediaType));
    assert_eq!(read(Some("text/plain"), b"{}"), Err(Code::UnsupportedMediaType));
    assert_eq!(
        read(Some("application/x-www-form-urlencoded"), b""),
        Err(Code::UnsupportedMediaType)
    );
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_json::<Order>(&bytes);
        let _ = parse_query::<Filter>(&String::from_utf8_lossy(&bytes));
    }
}
