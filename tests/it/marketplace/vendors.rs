//! What vendors are told: balances, earnings line by line, statements; and debts given up.

use serde_json::json;

use crate::support_app::{Reply, TestApp, make_key};

/// A vendor that was paid out before its order was refunded.
async fn in_debt(app: &TestApp) -> String {
    let id = app.paid(&[("V1", 21_000)]).await;
    app.delivered(&id).await;
    app.days(14).await;
    app.book("vendor_payable:V1:available", "bank:aed_main", 18_900).await;
    app.refund(&id, None).await;
    id
}

#[tokio::test]
async fn a_balance_says_where_the_money_is_and_how_old_a_debt() {
    let app = TestApp::new().await;
    let nobody = app.get("/v1/vendors/V9/balance").await;
    assert_eq!(nobody.body["balances"], json!([]), "{nobody:#?}");
    in_debt(&app).await;
    app.paid(&[("V1", 10_500)]).await;
    app.days(40).await;
    let found = app.get("/v1/vendors/V1/balance").await;
    let row = &found.body["balances"][0];
    assert_eq!(
        [&row["pending"], &row["available"], &row["debt"], &row["net"]],
        [&json!(9_450), &json!(0), &json!(18_900), &json!(-9_450)],
        "{found:#?}"
    );
    assert_eq!(row["debt_ageing"]["days_31_to_60"], 18_900);
    let bad = app.get("/v1/vendors/a:b/balance").await;
    assert_eq!(bad.problem(), (400, "invalid_field"), "{bad:#?}");
}

#[tokio::test]
async fn earnings_tell_each_line_with_its_rule_and_what_is_left_of_it() {
    let app = TestApp::new().await;
    let rule = json!({ "name": "all", "percent": "10" });
    let rule = app.post("/v1/commission_rules", rule).await;
    let body = json!({ "currency": "AED", "order": "A-1", "lines": [
        { "vendor": "V1", "amount": 10_500, "tax_percent": "5" },
        { "vendor": "V2", "amount": 10_500, "tax_percent": "5" },
        { "vendor": "V1", "amount": 21_000, "tax_percent": "5" },
    ] });
    let id = app.create(body).await;
    app.confirm(&id, "pm_card_visa").await;
    let lines = json!({ "payment_intent": id, "lines": [{ "line": 1 }] });
    app.post("/v1/refunds", lines).await;
    app.delivered("A-1").await;
    app.days(14).await;
    let found = app.get("/v1/vendors/V1/earnings?limit=1").await;
    assert_eq!(found.body["has_more"], true, "{found:#?}");
    let third = &found.body["data"][0];
    assert_eq!((&third["line"], &third["order"]), (&json!(3), &json!("A-1")));
    assert_eq!(third["commission_rule"], rule.body["id"]);
    assert_eq!([&third["gross"], &third["net"]], [&json!(21_000), &json!(18_900)]);
    assert_eq!(third["status"], "available");
    let after = third["id"].as_str().unwrap();
    let rest = app.get(&format!("/v1/vendors/V1/earnings?starting_after={after}")).await;
    let first = &rest.body["data"][0];
    assert_eq!((&first["line"], &rest.body["has_more"]), (&json!(1), &json!(false)), "{rest:#?}");
    assert_eq!([&first["refunds"], &first["net"]], [&json!(9_450), &json!(0)]);
}

#[tokio::test]
async fn a_statement_adds_up_from_its_opening_to_its_closing() {
    let app = TestApp::new().await;
    in_debt(&app).await;
    let id = app.paid(&[("V1", 31_500)]).await;
    app.delivered(&id).await;
    app.days(14).await;
    let path = "/v1/vendors/V1/statements?from=2026-03-01&to=2026-04-30&currency=AED";
    let found = app.get(path).await;
    let of = |name: &str| found.int(name);
    assert_eq!([of("opening"), of("sales_gross"), of("commission")], [0, 52_500, 5_000]);
    assert_eq!([of("vat_on_commission"), of("refunds"), of("withheld")], [250, 18_900, 0]);
    let sum = of("opening") + of("sales_gross")
        - of("commission")
        - of("vat_on_commission")
        - of("withheld")
        - of("refunds")
        - of("paid_out")
        + of("other");
    assert_eq!((sum, of("closing")), (9_450, 9_450), "{found:#?}");
    let entries = found.body["entries"].as_array().unwrap();
    assert_eq!(entries.last().unwrap()["balance"], 9_450);
    for (query, param) in [
        ("from=2026-04-30&to=2026-03-01&currency=AED", "to"),
        ("from=today&to=2026-03-01&currency=AED", "from"),
        ("from=2026-03-01&to=2026-03-01&currency=XXX", "currency"),
    ] {
        let refused = app.get(&format!("/v1/vendors/V1/statements?{query}")).await;
        assert_eq!((refused.status, refused.text("param")), (400, param), "{refused:#?}");
    }
}

#[tokio::test]
async fn a_debt_is_given_up_by_two_people_and_never_more_than_is_owed() {
    let app = TestApp::new().await;
    in_debt(&app).await;
    let path = "/v1/vendors/V1/write_offs";
    let body = |amount: i64| json!({ "currency": "AED", "amount": amount, "reason": "bankrupt" });
    let too_much = app.post(path, body(18_901)).await;
    assert_eq!((too_much.status, too_much.text("param")), (422, "amount"), "{too_much:#?}");
    let asked = app.post(path, body(18_900)).await;
    assert_eq!(asked.says(), (201, "requested"), "{asked:#?}");
    let approve = format!("/v1/write_offs/{}/approve", asked.id());
    let own = app.post(&approve, json!({})).await;
    assert_eq!(own.problem(), (403, "not_allowed"), "{own:#?}");
    assert_eq!(app.holds("vendor_receivable:V1").await, "189.00 AED");
    let second = app.as_somebody_else(&approve).await;
    assert_eq!(second.says(), (200, "approved"), "{second:#?}");
    assert_eq!(app.holds("vendor_receivable:V1").await, "0.00 AED");
    assert_eq!(app.holds("bad_debt_vendor").await, "189.00 AED");
    let again = app.as_somebody_else(&approve).await;
    assert_eq!(again.problem(), (400, "invalid_field"), "{again:#?}");
    app.prove_laws().await;
}

impl TestApp {
    /// A POST without fields by another API key of the same tenant.
    async fn as_somebody_else(&self, path: &str) -> Reply {
        let key = make_key(&self.app, self.books.tenant).await;
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(key);
        self.send(request.header("Idempotency-Key", self.fresh()).json(&json!({}))).await
    }
}
