//! The stories of finance, each run as somebody runs it: every one holds to the cent.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Where they are.
fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories")
}

/// Runs a story in an environment in which no setting and no database is named.
fn run(file: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mizan"));
    command.args(["story", "run"]).arg(file).args(more).env_remove("DATABASE_URL");
    for (name, _) in std::env::vars() {
        if name.starts_with("MIZAN_") {
            command.env_remove(name);
        }
    }
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn holds(name: &str) {
    let told = run(&home().join(format!("{name}.story")), &[]);
    let shown = text(&told.stdout) + &text(&told.stderr);
    assert_eq!(told.status.code(), Some(0), "{shown}");
}

/// Makes a test of each story, and the list of all.
macro_rules! stories {
    ($($test:ident: $name:literal,)+) => {
        $(
            #[test]
            fn $test() {
                holds($name);
            }
        )+

        const TOLD: &[&str] = &[$($name),+];
    };
}

stories! {
    s01_from_the_order_to_the_payout: "S01",
    s02_a_coupon_of_the_platform: "S02",
    s03_tax_line_by_line: "S03",
    s04_wallet_and_card: "S04",
    s05_one_item_goes_back: "S05",
    s06_the_next_order_pays_the_debt: "S06",
    s07_a_lost_dispute: "S07",
    s08_one_dispute_won_one_lost: "S08",
    s09_cashback_expires: "S09",
    s10_cashback_is_clawed_back: "S10",
    s11_an_influencer: "S11",
    s12_three_decimals: "S12",
    s13_no_decimals: "S13",
    s14_india: "S14",
    s15_paid_in_another_currency: "S15",
    s16_a_plan_given_up: "S16",
    s17_a_payout_comes_back: "S17",
    one_order: "one_order",
    every_gateway: "gateways",
    a_vendor_is_paid_over_stripe: "stripe_payout",
    every_kind_of_currency: "currencies",
    gateways_that_stumble: "troubles",
    the_ledger_by_hand: "by_hand",
    the_desk_of_finance: "finance_desk",
    disputes_at_every_gateway: "disputes",
}

#[test]
fn every_story_is_told() {
    let files = fs::read_dir(home()).unwrap().map(|entry| entry.unwrap().path());
    let there: BTreeSet<_> =
        files.map(|path| text(path.file_stem().unwrap().as_encoded_bytes())).collect();
    let told: BTreeSet<_> = TOLD.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(there, told);
}

/// A file of this test with one story.
fn written(name: &str, story: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stories");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{}-{name}.story", std::process::id()));
    fs::write(&file, story).unwrap();
    file
}

const SALE: &str = "story \"A sale\"\non 2026-03-02\norder O1\n  \
                    line V1 105.00 AED tax 5% commission 10%\npay O1 by stripe\n";

#[test]
fn a_story_that_does_not_hold_shows_the_account_and_ends_with_one() {
    let wrong = format!("{SALE}balances\n  vendor_payable V1 pending 94.51 AED\n");
    let file = written("wrong", &wrong);
    let told = run(&file, &[]);
    assert_eq!(told.status.code(), Some(1));
    let shown = text(&told.stdout);
    for part in ["line 7: vendor_payable V1 pending, AED", "payment.captured", "94.50", "94.51"] {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
    let json: Value = serde_json::from_slice(&run(&file, &["--json"]).stdout).unwrap();
    assert_eq!(json["ok"], false);
    let difference = json!({
        "line": 7, "account": "vendor_payable V1 pending", "currency": "AED",
        "expected": -9_451, "found": -9_450,
    });
    assert_eq!(json["differences"], json!([difference]));
}

#[test]
fn programs_get_the_balances_of_the_end() {
    let told = run(&written("json", SALE), &["--json"]);
    assert_eq!(told.status.code(), Some(0), "{}", text(&told.stderr));
    let json: Value = serde_json::from_slice(&told.stdout).unwrap();
    let balance = |account: &str, dims: Value, minor: i64| {
        let currency = "AED";
        json!({ "account": account, "dims": dims, "currency": currency, "minor": minor })
    };
    let balances = [
        balance("deferred_commission", json!({}), -1_000),
        balance("gateway_clearing", json!({ "provider": "stripe" }), 10_500),
        balance("vat_output_payable", json!({ "jurisdiction": "AE" }), -50),
        balance("vendor_payable", json!({ "bucket": "pending", "vendor": "V1" }), -9_450),
    ];
    assert_eq!(json, json!({ "ok": true, "balances": balances }));
}

#[test]
fn a_story_that_cannot_go_on_says_where_and_why() {
    let file = written("refused", &format!("{SALE}refund O1 105.01 AED\nadvance 1 day\n"));
    let told = run(&file, &[]);
    assert_eq!(told.status.code(), Some(1));
    let shown = text(&told.stdout);
    assert!(shown.contains("line 6: the story ends here: refused with"), "{shown}");

    let not_refused = format!("{SALE}refund O1 105.00 AED refused: amount_exceeds_rest\n");
    let told = run(&written("done", &not_refused), &[]);
    let shown = text(&told.stdout);
    let difference = "line 6: `refund` is refused: expected amount_exceeds_rest, found done";
    assert!(shown.contains(difference), "{shown}");

    let file = written("unread", "story \"A\"\npay O1 by strype\n");
    let told = run(&file, &[]);
    assert_eq!(told.status.code(), Some(1));
    assert!(text(&told.stderr).contains("line 2, column 11: read `strype`"));
    let json: Value = serde_json::from_slice(&run(&file, &["--json"]).stdout).unwrap();
    assert_eq!((&json["ok"], &json["balances"]), (&json!(false), &json!([])));
}

#[test]
fn what_a_gateway_cannot_do_with_a_dispute_is_said_in_a_sentence() {
    for (gateway, currency, statements, says) in [
        ("telr", "AED", "dispute D1 of O1 as inquiry", "telr tells of a dispute when it is one"),
        ("razorpay", "INR", "dispute D1 of O1 as inquiry", "razorpay tells of a dispute when"),
        (
            "razorpay",
            "INR",
            "dispute D1 of O1 106.00 INR",
            "takes back no more than was paid: 106.00 INR of 105.00 INR",
        ),
        (
            "paypal",
            "USD",
            "dispute D1 of O1\ndispute D1 funds withdrawn",
            "paypal takes disputed money when the dispute is lost",
        ),
        (
            "paytabs",
            "AED",
            "dispute D1 of O1\ndispute D1 second round",
            "a second round follows a dispute that was won: D1 is needs_response",
        ),
        (
            "paypal",
            "USD",
            "dispute D1 of O1\ndispute D1 lost\ndispute D1 won",
            "paypal cannot win D1, which is lost",
        ),
    ] {
        let sale = SALE.replace("AED", currency).replace("by stripe", &format!("by {gateway}"));
        let file = written("cannot", &format!("{sale}{statements}\n"));
        let told = run(&file, &[]);
        let shown = text(&told.stdout) + &text(&told.stderr);
        assert_eq!(told.status.code(), Some(1), "{shown}");
        assert!(shown.contains(says) && !shown.contains("answered 4"), "{shown}");
    }
}
