//! Every route is walked with every role's key, of the own tenant and of another.

use mizan::auth::policy::{Own, RULES, Rule};
use mizan::auth::{Access, Area, Role, Scope};
use reqwest::Method;
use serde_json::{Value, json};

use super::{ask, key};
use crate::support_app::TestApp;

/// The path with something in each of its places that is not there.
fn path_of(rule: &Rule, subject: &str) -> String {
    let mut parts: Vec<String> = rule.path.split('/').map(str::to_owned).collect();
    for part in &mut parts {
        let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
            continue;
        };
        let unknown = "00000000000000000000000000000000";
        *part = match (name, rule.path) {
            (_, path) if rule.own == Own::Named("id") || path.contains("/affiliates/{id}") => {
                subject.to_owned()
            }
            ("id", path) => {
                let kinds = [
                    ("/payment_intents/", "pi"),
                    ("/refunds/", "re"),
                    ("/disputes/", "dp"),
                    ("/write_offs/", "wof"),
                    ("/commission_rules/", "crl"),
                    ("/cashback_rules/", "cbr"),
                    ("/routing/rules/", "rr"),
                    ("/payouts/", "po"),
                    ("/payout_runs/", "prun"),
                    ("/journals/", "jrn"),
                    ("/accounts/", "acct"),
                    ("/transactions/", "txn"),
                    ("/trace/", "pi"),
                    ("/api_keys/", "key"),
                ];
                let kind = kinds.iter().find(|(part, _)| path.contains(part));
                format!("{}_{unknown}", kind.unwrap_or_else(|| panic!("{path}")).1)
            }
            _ => subject.to_owned(),
        };
    }
    parts.join("/")
}

/// What finance would say who is asked which roles get through.
fn gets_through(rule: &Rule, role: Role) -> bool {
    let inside = !role.is_outside();
    role.may(rule.scope)
        && (inside
            || rule.own == Own::Found
            || matches!(rule.own, Own::Named(_)) && rule.path.starts_with(role.own_path()))
}

#[tokio::test]
async fn every_route_answers_each_role_as_the_page_says() {
    let app = TestApp::new().await;
    let (ours, theirs) = (app.books.tenant, app.books.db.other_tenant());
    let mut asked = 0;
    for role in Role::ALL {
        for tenant in [ours, theirs] {
            let key = key(&app, tenant, role, "S1").await;
            for rule in RULES {
                let method: Method = rule.method.parse().unwrap();
                for subject in ["S1", "S2"] {
                    let path = path_of(rule, subject);
                    let answer = ask(&app, &key, method.clone(), &path, &json!({})).await;
                    let what = format!("{role} asks {method} {path}: {answer:#?}");
                    let (status, code) = (answer.status, answer.body["code"].as_str());
                    asked += 1;
                    if !gets_through(rule, role) {
                        assert_eq!((status, code), (403, Some("not_allowed")), "{what}");
                    } else if role.is_outside() && subject == "S2" && rule.own != Own::Found {
                        assert_eq!((status, code), (404, Some("not_found")), "{what}");
                    } else {
                        assert!(![401, 403].contains(&status) && status < 500, "{what}");
                    }
                }
            }
        }
    }
    assert_eq!(asked, RULES.len() * Role::ALL.len() * 4);
}

/// Written down apart from the page, so that a slip there is seen.
#[test]
fn what_must_never_be_is_not() {
    use Role::{Admin, Affiliate, Customer, Finance, SuperAdmin, Support, Vendor};
    let may = |role: Role, method: &str, path: &str| {
        let rule = RULES.iter().find(|it| (it.method, it.path) == (method, path));
        gets_through(rule.unwrap_or_else(|| panic!("{method} {path}")), role)
    };
    for role in [Customer, Vendor, Affiliate, Support] {
        for path in [
            "/v1/payouts",
            "/v1/payouts/{id}/approve",
            "/v1/payouts/{id}/outcome",
            "/v1/payout_runs",
            "/v1/journals",
            "/v1/journals/{id}/approve",
            "/v1/write_offs/{id}/approve",
            "/v1/ledger/transactions",
            "/v1/ledger/periods",
            "/v1/settlements",
            "/v1/api_keys",
            "/v1/commission_rules",
            "/v1/vendors/{payee}/kyc",
            "/v1/vendors/{payee}/bank_account/verify",
            "/v1/test_clock/advance",
        ] {
            assert!(!may(role, "POST", path), "{role} {path}");
        }
        assert!(!may(role, "PUT", "/v1/settings") && !may(role, "GET", "/v1/ledger/trial_balance"));
    }
    for role in [Customer, Vendor, Affiliate] {
        assert!(RULES.iter().filter(|it| it.method == "POST").all(|it| !gets_through(it, role)));
    }
    assert!(!may(Finance, "POST", "/v1/api_keys") && !may(Finance, "PUT", "/v1/settings"));
    assert!(may(Support, "POST", "/v1/refunds") && may(Vendor, "GET", "/v1/payouts"));
    for role in [Admin, SuperAdmin] {
        assert!(RULES.iter().all(|it| gets_through(it, role)));
    }
}

#[tokio::test]
async fn a_strangers_id_answers_as_an_unknown_one() {
    let app = TestApp::new().await;
    let payment = app.paid(&[("V1", 10_500)]).await;
    let refund = app.refund(&payment, Some(500)).await.id().to_owned();
    let transaction = app.get("/v1/ledger/transactions?limit=1").await;
    let account = app.get("/v1/ledger/accounts?limit=1").await;
    let first = |list: &Value| list["data"][0]["id"].as_str().unwrap().to_owned();
    let keys = app.get("/v1/api_keys?limit=1").await;
    let ids = [payment, refund, first(&transaction.body), first(&account.body), first(&keys.body)];
    let stranger = app.strangers_key().await;
    let mut tried = 0;
    for id in &ids {
        let kind = id.split('_').next().unwrap();
        for rule in RULES.iter().filter(|it| it.path.contains("{id}")) {
            let path = path_of(rule, "S1");
            let Some(unknown) = path.split('/').find(|part| part.starts_with(&format!("{kind}_")))
            else {
                continue;
            };
            let method: Method = rule.method.parse().unwrap();
            let theirs = path.replace(unknown, id);
            let mut answers = Vec::new();
            for path in [&path, &theirs] {
                let answer = ask(&app, &stranger, method.clone(), path, &json!({})).await;
                let mut body = answer.body.clone();
                body["request_id"] = Value::Null;
                answers.push((answer.status, body.to_string().replace(id, unknown)));
            }
            assert_eq!(answers[0], answers[1], "{method} {theirs}");
            assert!((400..500).contains(&answers[0].0), "{method} {path} {answers:?}");
            tried += 1;
        }
    }
    assert!(tried >= 15, "{tried}");
}

#[test]
fn the_page_for_people_says_the_same() {
    let page = include_str!("../../../docs/ACCESS.md");
    for area in Area::ALL {
        let begins = format!("| `{}` | ", area.as_str());
        let row = page.lines().find(|line| line.starts_with(&begins));
        let row = row.unwrap_or_else(|| panic!("{begins}"));
        let cells: Vec<&str> =
            row.split(" | ").skip(2).map(|it| it.trim_end_matches(" |")).collect();
        let says = Role::ALL.map(|role| {
            let may = |access| role.may(Scope::new(*area, access));
            if may(Access::Write) {
                "w"
            } else if may(Access::Read) {
                "r"
            } else {
                "–"
            }
        });
        assert_eq!(cells, says, "{row}");
    }
}
