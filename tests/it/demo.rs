//! The program as a newcomer runs it: the demo's figures, nothing left behind, and exit codes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

/// The program, with an environment in which no setting and no database is named.
fn mizan(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mizan"));
    command.args(args).env_remove("DATABASE_URL").env_remove("RUST_LOG");
    for (name, _) in std::env::vars() {
        if name.starts_with("MIZAN_") {
            command.env_remove(name);
        }
    }
    command
}

/// An empty folder of this test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("demo");
    let folder = folder.join(std::process::id().to_string()).join(name);
    let _absent = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Every process that works in `folder` or names it on its command line.
fn processes_at(folder: &Path) -> Vec<String> {
    let folder = fs::canonicalize(folder).unwrap();
    let text = folder.to_string_lossy().into_owned();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        let works_there =
            fs::read_link(entry.path().join("cwd")).is_ok_and(|place| place.starts_with(&folder));
        if works_there || command.contains(&text) {
            found.push(command);
        }
    }
    found
}

/// The lines of `text` with single spaces, to be compared with figures.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[track_caller]
fn assert_says(told: &[String], expected: &[&str]) {
    for line in expected {
        assert!(told.iter().any(|told| told == line), "`{line}` is not in\n{}", told.join("\n"));
    }
}

/// The figures, worked out by hand. Each price holds 5 % VAT, the commission is 10 % of the rest,
/// and the gateway takes 2.9 % and 1.00, with 5 % VAT on both.
///
/// | order | captured | vendor | commission | VAT on it | fee | VAT on it |
/// |---|---|---|---|---|---|---|
/// | A dates | 525.00 | 472.50 | 50.00 | 2.50 | 22.32 of 735.00 | 1.11 |
/// | A oud | 210.00 | 189.00 | 20.00 | 1.00 | | |
/// | B oud | 210.00 of 315.00 | 189.00 | 20.00 | 1.00 | 7.09 | 0.35 |
/// | C dates | −75.00 | −67.50 | −7.14 | −0.36 | | |
/// | C oud | −30.00 | −27.00 | −2.86 | −0.14 | | |
/// | D oud | 52.50 | 47.25 | 5.00 | 0.25 | 2.52 | 0.12 |
/// | E dates | 105.00 | 94.50 | 10.00 | 0.50 | 4.05 | 0.20 |
/// | F dates, at each other gateway | 105.00 | 94.50 | 10.00 | 0.50 | 4.05 | 0.20 |
/// | F refund, at each | −21.00 | −18.90 | −2.00 | −0.10 | | |
///
/// F is AED at Telr and PayTabs, which tell their fees only with the settlement; PayPal tells its
/// fee with the tax in it.
const TRIAL_BALANCE: [&str; 23] = [
    "gateway_clearing:paytabs 84.00",
    "gateway_clearing:stripe 959.74",
    "gateway_clearing:telr 84.00",
    "vat_input_recoverable:AE 1.78",
    "vendor_payable:ven_dates:pending 650.70",
    "vendor_payable:ven_oud:pending 398.25",
    "vat_output_payable:AE 5.55",
    "deferred_commission 111.00",
    "gateway_fees:stripe 35.98",
    "AED 1,165.50 1,165.50",
    "gateway_clearing:razorpay 79.75",
    "vat_input_recoverable:AE 0.20",
    "vendor_payable:ven_dates:pending 75.60",
    "vat_output_payable:AE 0.40",
    "deferred_commission 8.00",
    "gateway_fees:razorpay 4.05",
    "INR 84.00 84.00",
    "gateway_clearing:paypal 79.75",
    "vendor_payable:ven_dates:pending 75.60",
    "vat_output_payable:AE 0.40",
    "deferred_commission 8.00",
    "gateway_fees:paypal 4.25",
    "USD 84.00 84.00",
];

/// What is said of every other gateway: it was paid on its page, and its money is ours.
const ELSEWHERE: [&str; 13] = [
    "10:08:45 shop says which gateway takes which kind 4 rules",
    "10:10:15 buyer pays 105.00 INR on Razorpay's page https://shop.example/thanks",
    "10:12:45 buyer pays 105.00 AED on Telr's page https://shop.example/thanks",
    "10:15:15 buyer pays 105.00 AED on PayTabs's page https://shop.example/thanks",
    "10:17:45 buyer pays 105.00 USD on PayPal's page https://shop.example/thanks",
    "Razorpay 105.00 charged − 21.00 refunded − 4.25 fees = 79.75 INR",
    "the books gateway_clearing:razorpay = 79.75 INR equal",
    "Telr 105.00 charged − 21.00 refunded = 84.00 AED, fees come with the settlement",
    "the books gateway_clearing:telr = 84.00 AED equal",
    "PayTabs 105.00 charged − 21.00 refunded = 84.00 AED, fees come with the settlement",
    "the books gateway_clearing:paytabs = 84.00 AED equal",
    "PayPal 105.00 charged − 21.00 refunded − 4.25 fees = 79.75 USD",
    "the books gateway_clearing:paypal = 79.75 USD equal",
];

#[test]
fn the_story_comes_out_as_worked_out_by_hand_and_leaves_nothing_behind() {
    let place = folder("once");
    let output = mizan(&["demo", "--once"]).env("TMPDIR", &place).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), said.as_str()), (Some(0), ""), "{told}");
    let told = lines(&told);
    assert_says(&told, &TRIAL_BALANCE);
    assert_says(&told, &ELSEWHERE);
    assert_says(
        &told,
        &[
            "1 payment.captured, order A, AED 09:01:30",
            "gateway_clearing:stripe 735.00 │ deferred_commission 70.00",
            "│ vat_output_payable:AE 3.50",
            "│ vendor_payable:ven_dates:pending 472.50",
            "gateway_fees:stripe 22.32 │ gateway_clearing:stripe 23.43",
            "deferred_commission 10.00 │ refunds_payable 105.00",
            "vendor_payable:ven_dates:pending 67.50 │",
            "refunds_payable 105.00 │ gateway_clearing:stripe 105.00",
            "10:05:38 webhook payment_intent.succeeded \
             duplicate, no effect: it was taken in before",
            "10:07:14 shop confirms it 202 processing",
            "10:07:45 gateway has charged the card 1 time",
            "Stripe 1,102.50 charged − 105.00 refunded − 37.76 fees = 959.74 AED",
            "the books gateway_clearing:stripe = 959.74 AED equal",
        ],
    );
    let refunds = told.iter().filter(|line| line.contains("shop refunds 21.00"));
    assert_eq!(refunds.filter(|line| line.ends_with("200 succeeded")).count(), 4);
    assert!(!told.iter().any(|line| line.contains("BROKEN") || line.contains("DIFFERENT")));
    assert!(told.iter().filter(|line| line.starts_with("holds ")).count() >= 8);
    assert_eq!(fs::read_dir(&place).unwrap().count(), 0, "the database's folder is still there");
    assert_eq!(processes_at(&place), [""; 0]);
}

/// A demo that stays up, and what it said when it was ready.
struct Open {
    process: Child,
    ready: Value,
    http: Client,
}

impl Open {
    fn at(data: &Path) -> Open {
        let data = data.to_str().unwrap();
        let any = "127.0.0.1:0";
        let args = ["demo", "--json", "--listen", any, "--simulator", any, "--data", data];
        let mut process = mizan(&args).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap();
        let http = Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap();
        Open { process, ready, http }
    }

    fn word(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap()
    }

    async fn call(&self, request: RequestBuilder) -> (u16, Value) {
        let answer = request.bearer_auth(self.word("api_key")).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.word("url"))).json(body);
        self.call(request.header("Idempotency-Key", key)).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.call(self.http.get(format!("{}{path}", self.word("url")))).await
    }

    /// Ends it as Ctrl-C does; answers its exit code.
    fn interrupt(mut self) -> Option<i32> {
        let pid = Pid::from_raw(self.process.id().cast_signed()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
        self.process.wait().unwrap().code()
    }
}

/// An order of 105.00, paid at once.
async fn pay(demo: &Open, key: &str) -> String {
    let order = json!({
        "amount": 10_500, "currency": "AED", "payment_method": "pm_card_visa",
        "lines": [{"vendor": "ven_dates", "amount": 10_500, "tax_percent": "5",
                   "commission_percent": "10"}],
    });
    let (code, intent) = demo.post("/v1/payment_intents", key, &order).await;
    assert_eq!(code, 201, "{intent}");
    let id = intent["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/payment_intents/{id}/confirm");
    let (code, intent) = demo.post(&path, &format!("confirm-{key}"), &json!({})).await;
    assert_eq!((code, &intent["status"]), (200, &json!("succeeded")), "{intent}");
    id
}

/// An order of 105.00 at PayPal, paid on its page.
async fn pay_at_paypal(demo: &Open) -> String {
    let order = json!({
        "amount": 10_500, "currency": "USD", "payment_method_type": "by_paypal",
        "return_url": format!("{}/healthz", demo.word("url")),
        "lines": [{"vendor": "ven_dates", "amount": 10_500}],
    });
    let (code, intent) = demo.post("/v1/payment_intents", "paypal", &order).await;
    assert_eq!(code, 201, "{intent}");
    let id = intent["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/payment_intents/{id}");
    let (_, intent) = demo.post(&format!("{path}/confirm"), "confirm-paypal", &json!({})).await;
    let page = intent["next_action"]["url"].as_str().unwrap();
    assert!(page.starts_with(demo.ready["gateways"]["paypal"].as_str().unwrap()), "{page}");
    let back = demo.http.post(page).body("outcome=paid").send().await.unwrap();
    assert_eq!(back.url().path(), "/healthz");
    let (_, intent) = demo.post(&format!("{path}/sync"), "sync-paypal", &json!({})).await;
    assert_eq!(intent["status"], "succeeded", "{intent}");
    id
}

/// Proves the books kept in a folder; answers the exit code and what was printed.
fn verify(data: &Path, args: &[&str]) -> (Option<i32>, String) {
    let mut command = mizan(&["verify", "--data", data.to_str().unwrap()]);
    let output = command.args(args).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn an_open_demo_can_be_paid_at_and_keeps_its_money_between_runs() {
    let place = folder("open");
    let data = place.join("demo");
    let first = Open::at(&data);
    for name in ["url", "api_key", "webhook_secret", "database_url"] {
        assert!(!first.word(name).is_empty(), "{name}");
    }
    assert_eq!(first.ready["gateways"].as_object().unwrap().len(), 5);
    let id = pay(&first, "first").await;
    let at_paypal = pay_at_paypal(&first).await;
    let old_key = first.word("api_key").to_owned();
    assert_eq!(first.interrupt(), Some(0));
    assert_eq!(processes_at(&place), [""; 0]);

    let second = Open::at(&data);
    let (code, intent) = second.get(&format!("/v1/payment_intents/{id}")).await;
    assert_eq!((code, &intent["amount_captured"]), (200, &json!(10_500)));
    pay(&second, "second").await;
    let refund = json!({ "payment_intent": at_paypal, "amount": 2_100 });
    let (code, refund) = second.post("/v1/refunds", "refund", &refund).await;
    assert_eq!((code, &refund["status"]), (200, &json!("succeeded")), "PayPal forgot: {refund}");
    let (_, rules) = second.get("/v1/routing/rules").await;
    assert_eq!(rules["data"].as_array().unwrap().len(), 4, "made once: {rules}");
    let (code, trial) = second.get("/v1/ledger/trial_balance").await;
    assert_eq!(code, 200, "{trial}");
    let lines = trial["lines"].as_array().unwrap();
    let in_aed = |line: &&Value| line["account"] == "gateway_clearing" && line["currency"] == "AED";
    let clearing = lines.iter().find(in_aed).unwrap();
    // Twice 105.00 less the fee of 4.05 and the VAT of 0.20 on it.
    assert_eq!(clearing["debit"], json!(2 * (10_500 - 405 - 20)));
    let address = format!("{}/v1/payment_intents", second.word("url"));
    let stranger = second.http.get(address).bearer_auth(&old_key).send().await.unwrap();
    assert_eq!(stranger.status().as_u16(), 401, "the key of a demo ends with it");

    let (code, text) = verify(&data, &[]);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(second.interrupt(), Some(0));
    assert_eq!(processes_at(&place), [""; 0]);
}

#[tokio::test]
async fn verify_ends_with_3_and_names_the_rows_when_somebody_cooked_the_books() {
    let place = folder("cooked");
    let data = place.join("demo");
    let demo = Open::at(&data);
    pay(&demo, "first").await;
    assert_eq!(verify(&data, &[]).0, Some(0));
    let mut owner = PgConnection::connect(demo.word("database_url")).await.unwrap();
    let cooking = "begin; set local session_replication_role = replica;
                   update ledger.entry set amount = amount + 1 where side = 'd'; commit";
    sqlx::raw_sql(cooking).execute(&mut owner).await.unwrap();
    owner.close().await.unwrap();

    let (code, text) = verify(&data, &[]);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("BROKEN  transactions balance per currency"), "{text}");
    assert!(text.contains("transaction 1 is off by 1 minor units of AED"), "{text}");
    let (code, text) = verify(&data, &["--json"]);
    let laws: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(code == Some(3) && laws.iter().any(|law| law["holds"] == false), "{text}");
    assert_eq!(demo.interrupt(), Some(0));
}

#[test]
fn inspecting_a_webhook_ends_with_0_only_when_it_is_believed() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("providers/fixtures/stripe");
    let file = |name: &str| fixtures.join(name).to_str().unwrap().to_owned();
    let headers = file("webhook.payment_intent.succeeded.headers.json");
    let body = file("webhook.payment_intent.succeeded.json");
    let inspect = |args: &[&str]| {
        let mut command = mizan(&["webhooks", "inspect", "stripe"]);
        let files = ["--headers", &headers, "--body", &body];
        let output = command.args(files).args(args).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let sample: Value = serde_json::from_slice(&fs::read(&headers).unwrap()).unwrap();
    let secret = sample["secrets_configured"][0].as_str().unwrap();
    let now = sample["verify_at_unix"].to_string();
    let (code, text) = inspect(&["--secret", secret, "--now", &now]);
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &told["verified"]), (Some(0), &json!(true)), "{text}");
    assert_eq!(told["events"][0]["status"], "captured");
    let (code, text) = inspect(&["--secret", "whsec_another", "--now", &now]);
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &told["verified"]), (Some(1), &json!(false)), "{text}");
    let (code, _) = inspect(&["--secret", secret]);
    assert_eq!(code, Some(1), "the signature is too old by now");
    assert_eq!(inspect(&[]).0, Some(2), "without a secret the command line says nothing");
}
