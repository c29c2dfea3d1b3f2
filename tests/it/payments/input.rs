//! Bad input on every route of payments: told what is wrong and where, nothing written, nobody
//! called.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support_app::{Reply, TestApp, order};

/// A payment body with one field replaced, or removed where the value is null; dots and numbers
/// lead inwards.
fn with(path: &str, value: Value) -> Value {
    let mut body = order(&[("V1", 40_000), ("V2", 12_500)]);
    let mut place = &mut body;
    let mut steps: Vec<&str> = path.split('.').collect();
    let last = steps.pop().unwrap();
    for step in steps {
        place = match step.parse::<usize>() {
            Ok(n) => &mut place[n],
            Err(_) => &mut place[step],
        };
    }
    match value {
        Value::Null => drop(place.as_object_mut().unwrap().remove(last)),
        value => place[last] = value,
    }
    body
}

/// Asserts a refusal that left nothing behind: neither rows nor calls. A refusal by a rule is
/// remembered under its key and by nothing else.
async fn refused(app: &TestApp, what: &str, send: impl AsyncFnOnce() -> Reply) -> Reply {
    let (mut rows, calls) = (app.rows().await, app.wire.count());
    let answer = send().await;
    let (status, code) = answer.problem();
    assert!((400..500).contains(&status), "{what}: {answer:#?}");
    let mut after = app.rows().await;
    if ["amounts_do_not_add_up", "contradiction", "unsupported_by_provider"].contains(&code) {
        after.remove("http.idempotency");
        rows.remove("http.idempotency");
    }
    assert_eq!((after, app.wire.count()), (rows, calls), "{what}: {answer:#?}");
    answer
}

/// A field of a payment, a value that it cannot have, and what that is called.
fn impossible() -> Vec<(&'static str, Value, &'static str)> {
    let pair = |n: usize| (n.to_string(), json!("x"));
    let many: serde_json::Map<_, _> = (0..51).map(pair).collect();
    vec![
        ("currency", json!("XXX"), "unknown_currency"),
        ("currency", json!("aed"), "unknown_currency"),
        ("currency", json!("AEDD"), "unknown_currency"),
        ("currency", json!(784), "invalid_field"),
        ("currency", Value::Null, "missing_field"),
        ("amount", json!(0), "invalid_amount"),
        ("amount", json!(-52_500), "invalid_amount"),
        ("amount", json!(1_000_000_000_000_i64), "invalid_amount"),
        ("amount", json!(i64::MIN), "invalid_amount"),
        ("amount", json!(u64::MAX), "invalid_field"),
        ("amount", json!(52_500.0), "invalid_field"),
        ("amount", json!(525.5), "invalid_field"),
        ("amount", json!("52500"), "invalid_field"),
        ("amount", json!([52_500]), "invalid_field"),
        ("amount", json!(52_501), "amounts_do_not_add_up"),
        ("lines", json!([]), "invalid_field"),
        ("lines", Value::Null, "missing_field"),
        ("lines.1.amount", json!(0), "invalid_amount"),
        ("lines.1.amount", json!(12_500.5), "invalid_field"),
        ("lines.1.currency", json!("USD"), "unknown_field"),
        ("lines.1.vendor", json!(""), "invalid_field"),
        ("lines.1.vendor", json!("V1:available"), "invalid_field"),
        ("lines.1.vendor", json!("V".repeat(81)), "invalid_field"),
        ("lines.1.vendor", Value::Null, "missing_field"),
        ("lines.1.kind", json!("gift"), "invalid_field"),
        ("lines.1.quantity", json!(0), "invalid_field"),
        ("order", json!("a b"), "invalid_field"),
        ("order", json!("pi_1"), "invalid_field"),
        ("customer", json!("a:b"), "invalid_field"),
        ("wallet", json!({ "cash": -1 }), "invalid_field"),
        ("lines.1.tax_percent", json!("101"), "invalid_field"),
        ("lines.1.tax_percent", json!(5), "invalid_field"),
        ("lines.0.commission_percent", json!("-1"), "invalid_field"),
        ("lines.0.share", json!(1), "unknown_field"),
        ("capture_method", json!("later"), "invalid_field"),
        ("return_url", json!("javascript:alert(1)"), "invalid_field"),
        ("description", json!("x".repeat(501)), "invalid_field"),
        ("description", json!("a\0b"), "invalid_field"),
        ("payment_method", json!(""), "invalid_field"),
        ("metadata", many.into(), "invalid_field"),
        ("metadata.k", json!("x".repeat(501)), "invalid_field"),
        ("metadata.k", json!(5), "invalid_field"),
        ("metadata.a[b]", json!("x"), "invalid_field"),
        ("metadata.mizan_operation", json!("x"), "invalid_field"),
        ("colour", json!("blue"), "unknown_field"),
        ("status", json!("succeeded"), "unknown_field"),
    ]
}

#[tokio::test]
async fn a_payment_that_cannot_be_is_refused_with_the_field_that_is_wrong() {
    let app = TestApp::new().await;
    for (path, value, code) in impossible() {
        let what = format!("{path} = {value:.60}");
        let body = with(path, value);
        let answer =
            refused(&app, &what, async || app.post("/v1/payment_intents", body).await).await;
        let status = if code == "amounts_do_not_add_up" { 422 } else { 400 };
        assert_eq!(answer.problem(), (status, code), "{what}: {answer:#?}");
        let param = path.replace(".0.", "[0].").replace(".1.", "[1].");
        assert_eq!(answer.text("param"), param, "{what}: {answer:#?}");
    }
}

#[tokio::test]
async fn an_order_beyond_its_bounds_is_refused() {
    let app = TestApp::new().await;
    let line = |n: i64| json!({ "vendor": "V1", "amount": n, "tax_percent": "0" });
    let lines: Vec<Value> = (0..101).map(|_| line(1)).collect();
    let long = "k".repeat(41);
    for (what, body, expected) in [
        (
            "101 lines",
            json!({ "amount": 101, "currency": "AED", "lines": lines }),
            (400, "invalid_field"),
        ),
        (
            "a discount nobody bears",
            with("discounts", json!([{ "funded_by": "nobody", "amount": 1 }])),
            (400, "invalid_field"),
        ),
        ("a long name", with("metadata", json!({ long: "x" })), (400, "invalid_field")),
        (
            "all of it commission, and VAT on it",
            json!({ "amount": 100, "currency": "AED", "lines":
                [{ "vendor": "V1", "amount": 100, "commission_percent": "100" }] }),
            (422, "contradiction"),
        ),
    ] {
        let answer = refused(&app, what, async || app.post("/v1/payment_intents", body).await);
        let answer = answer.await;
        assert_eq!(answer.problem(), expected, "{what}: {answer:#?}");
    }
}

/// Every route that changes something, with a good body and in a state in which it would work.
async fn routes(app: &TestApp) -> Vec<(String, Value)> {
    let open = app.create(order(&[("V1", 52_500)])).await;
    let held = app.held(&[("V1", 52_500)]).await;
    let paid = app.paid(&[("V1", 52_500)]).await;
    vec![
        ("/v1/payment_intents".to_owned(), order(&[("V1", 52_500)])),
        (
            format!("/v1/payment_intents/{open}/confirm"),
            json!({ "payment_method": "pm_card_visa" }),
        ),
        (format!("/v1/payment_intents/{held}/capture"), json!({ "amount": 500 })),
        (format!("/v1/payment_intents/{held}/cancel"), json!({ "cancellation_reason": "x" })),
        ("/v1/refunds".to_owned(), json!({ "payment_intent": paid, "amount": 500 })),
    ]
}

#[tokio::test]
async fn every_route_refuses_what_is_no_request() {
    let app = TestApp::new().await;
    for (path, good) in routes(&app).await {
        let text = good.to_string();
        let unknown = text.replacen('{', "{\"colour\":\"blue\",", 1);
        let twice = text.replacen('{', &format!("{{{},", first_pair(&good)), 1);
        let big = format!("{}{text}", " ".repeat(1 << 20));
        for (what, kind, body, expected) in [
            ("cut off", "application/json", &text[..text.len() - 1], (400, "malformed_json")),
            ("two bodies", "application/json", &format!("{text}{text}"), (400, "malformed_json")),
            ("a list", "application/json", "[]", (400, "invalid_field")),
            ("a text", "application/json", "\"x\"", (400, "invalid_field")),
            ("a field unknown", "application/json", &unknown, (400, "unknown_field")),
            ("a field twice", "application/json", &twice, (400, "invalid_field")),
            ("a form", "application/x-www-form-urlencoded", "a=b", (415, "unsupported_media_type")),
            ("plain text", "text/plain", &text, (415, "unsupported_media_type")),
            ("over a mebibyte", "application/json", &big, (413, "body_too_large")),
        ] {
            let request = app.request(Method::POST, &path).header("Content-Type", kind);
            let request = request.header("Idempotency-Key", app.fresh()).body(body.to_owned());
            let what = format!("{what} to {path}");
            let answer = refused(&app, &what, async || app.send(request).await).await;
            assert_eq!(answer.problem(), expected, "{what}: {answer:#?}");
        }
        for bearer in ["", "mz_test_0000", "sk_test_1"] {
            let request = app.client.post(format!("{}{path}", app.url)).json(&good);
            let request = request.header("Idempotency-Key", app.fresh());
            let request = if bearer.is_empty() { request } else { request.bearer_auth(bearer) };
            let answer = refused(&app, &path, async || app.send(request).await).await;
            assert_eq!(answer.status, 401, "{path}: {answer:#?}");
        }
    }
    app.end().await;
}

/// `"amount":5` of `{"amount":5,…}`.
fn first_pair(body: &Value) -> String {
    let (name, value) = body.as_object().unwrap().iter().next().unwrap();
    format!("{}:{value}", json!(name))
}

#[tokio::test]
async fn every_route_wants_a_key_of_its_own_for_each_request() {
    let app = TestApp::new().await;
    for (path, good) in routes(&app).await {
        let request = |key: Option<&str>| {
            let request = app.request(Method::POST, &path).json(&good);
            key.into_iter().fold(request, |request, key| request.header("Idempotency-Key", key))
        };
        for (key, code) in [
            (None, "idempotency_key_missing"),
            (Some(""), "idempotency_key_invalid"),
            (Some("a b"), "idempotency_key_invalid"),
            (Some("x".repeat(256).as_str()), "idempotency_key_invalid"),
        ] {
            let answer = refused(&app, &path, async || app.send(request(key)).await).await;
            assert_eq!(answer.problem(), (400, code), "{path}: {answer:#?}");
        }
        let twice = request(Some("one")).header("Idempotency-Key", "two");
        let answer = refused(&app, &path, async || app.send(twice).await).await;
        assert_eq!(answer.problem(), (400, "idempotency_key_invalid"), "{path}");
    }
    let [_, _, (capture, body), _, (refund, refunded)] = &routes(&app).await[..] else { panic!() };
    let key = app.fresh();
    let first = app.post_as(&key, refund, refunded.clone()).await;
    assert_eq!(first.says(), (200, "succeeded"));
    let mut other = refunded.clone();
    other["amount"] = 501.into();
    for (path, body) in [(refund, &other), (capture, body)] {
        let answer =
            refused(&app, path, async || app.post_as(&key, path, body.clone()).await).await;
        assert_eq!(answer.problem(), (422, "idempotency_key_reused"), "{path}: {answer:#?}");
    }
    let again = app.post_as(&key, refund, refunded.clone()).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    app.end().await;
    assert_eq!(app.totals("aed").await[1], 500);
}

#[tokio::test]
async fn amounts_of_captures_and_refunds_are_checked_at_the_door() {
    let app = TestApp::new().await;
    let routes = routes(&app).await;
    for n in [2, 4] {
        let (path, good) = &routes[n];
        for (amount, code) in [
            (json!(0), "invalid_amount"),
            (json!(-1), "invalid_amount"),
            (json!(1_000_000_000_000_i64), "invalid_amount"),
            (json!(5.0), "invalid_field"),
            (json!("500"), "invalid_field"),
        ] {
            let mut body = good.clone();
            body["amount"] = amount.clone();
            let what = format!("{amount} to {path}");
            let answer = refused(&app, &what, async || app.post(path, body).await).await;
            assert_eq!(answer.problem(), (400, code), "{what}: {answer:#?}");
            assert_eq!(answer.text("param"), "amount");
        }
    }
    let (confirm, _) = &routes[1];
    for (body, code, param) in [
        (json!({}), "missing_field", "payment_method"),
        (json!({ "payment_method": "" }), "invalid_field", "payment_method"),
        (json!({ "payment_method": "x".repeat(256) }), "invalid_field", "payment_method"),
        (json!({ "return_url": "shop" }), "invalid_field", "return_url"),
    ] {
        let answer = refused(&app, confirm, async || app.post(confirm, body).await).await;
        assert_eq!(answer.problem(), (400, code), "{answer:#?}");
        assert_eq!(answer.text("param"), param);
    }
    let (refund, good) = &routes[4];
    for (field, value) in [
        ("reason", json!("because")),
        ("payment_intent", json!("pi_1")),
        ("payment_intent", json!(5)),
        ("metadata", json!({ "k": "x".repeat(501) })),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let answer = refused(&app, field, async || app.post(refund, body).await).await;
        assert_eq!(answer.problem(), (400, "invalid_field"), "{answer:#?}");
    }
    app.end().await;
}

#[tokio::test]
async fn what_a_gateway_cannot_say_is_refused_before_it_is_called() {
    let app = TestApp::new().await;
    let mut body = order(&[("V1", 999_999_999_999)]);
    body["currency"] = "ISK".into();
    let id = app.create(body).await;
    let path = format!("/v1/payment_intents/{id}/confirm");
    let card = json!({ "payment_method": "pm_card_visa" });
    let answer = refused(&app, "fourteen digits", async || app.post(&path, card).await).await;
    assert_eq!(answer.problem(), (422, "unsupported_by_provider"), "{answer:#?}");
    let digits = app.create(order(&[("V1", 52_500)])).await;
    let path = format!("/v1/payment_intents/{digits}/confirm");
    let card = json!({ "payment_method": "4242424242424242" });
    let answer = refused(&app, "a card number", async || app.post(&path, card).await).await;
    assert_eq!(answer.problem(), (400, "invalid_field"), "{answer:#?}");
    assert!(!answer.body.to_string().contains("4242"), "{answer:#?}");
    let mut body = order(&[("V1", 52_500)]);
    body["payment_method"] = "4242424242424242".into();
    let path = "/v1/payment_intents";
    let answer = refused(&app, "a card number", async || app.post(path, body).await).await;
    assert_eq!(answer.problem(), (400, "invalid_field"), "{answer:#?}");
    app.end().await;
}

#[tokio::test]
async fn a_strangers_id_answers_exactly_as_an_unknown_one() {
    let app = TestApp::new().await;
    let paid = app.paid(&[("V1", 52_500)]).await;
    let refund = app.refund(&paid, Some(500)).await.id().to_owned();
    let stranger = app.strangers_key().await;
    let unknown = |id: &str| format!("{}{}", &id[..id.len() - 4], "abcd");
    let asks = |payment: &str, refund: &str| {
        let one = format!("/v1/payment_intents/{payment}");
        vec![
            (Method::GET, one.clone(), Value::Null),
            (Method::POST, format!("{one}/confirm"), json!({})),
            (Method::POST, format!("{one}/capture"), json!({})),
            (Method::POST, format!("{one}/cancel"), json!({})),
            (Method::POST, format!("{one}/sync"), json!({})),
            (Method::GET, format!("/v1/refunds/{refund}"), Value::Null),
            (Method::POST, "/v1/refunds".to_owned(), json!({ "payment_intent": payment })),
        ]
    };
    let theirs = asks(&paid, &refund);
    let nobodys = asks(&unknown(&paid), &unknown(&refund));
    let shapeless = asks("pi_x", "re_x");
    for ((their, nobody), shapeless) in theirs.into_iter().zip(nobodys).zip(shapeless) {
        let mut answers = Vec::new();
        for (method, path, body) in [their, nobody] {
            let request = app.client.request(method, format!("{}{path}", app.url));
            let request = request.bearer_auth(&stranger).header("Idempotency-Key", app.fresh());
            let request = if body.is_null() { request } else { request.json(&body) };
            let mut answer = refused(&app, &path, async || app.send(request).await).await;
            assert_eq!(answer.problem(), (404, "not_found"), "{path}: {answer:#?}");
            answer.body["request_id"] = Value::Null;
            answers.push(answer.body);
        }
        assert_eq!(answers[0], answers[1]);
        let (method, path, body) = shapeless;
        if path != "/v1/refunds" {
            let request = app.request(method, &path).header("Idempotency-Key", app.fresh());
            let request = if body.is_null() { request } else { request.json(&body) };
            assert_eq!(app.send(request).await.problem(), (404, "not_found"), "{path}");
        }
    }
    let request = app.client.get(format!("{}/v1/payment_intents", app.url)).bearer_auth(&stranger);
    assert_eq!(app.send(request).await.body["data"], json!([]));
    app.end().await;
}
