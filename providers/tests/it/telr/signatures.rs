//! Check values: only the very values, under a configured secret.

use chrono::DateTime;
use mizan_providers::telr::{Settings, Telr};
use mizan_providers::{Headers, Provider, VerifiedDelivery, VerifyError};
use proptest::prelude::*;
use secrecy::SecretString;
use sha1::{Digest, Sha1};

const SECRET: &str = "mysecret";

/// Signs as Telr documents it, by hand.
fn sign(text: &str) -> String {
    hex::encode(Sha1::digest(text.as_bytes()))
}

fn verify(adapter: &Telr, body: &[u8], secrets: &[&str]) -> Result<VerifiedDelivery, VerifyError> {
    let secrets: Vec<SecretString> =
        secrets.iter().map(|secret| SecretString::from(*secret)).collect();
    let now = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
    adapter.verify_webhook(body, &Headers::new(), secrets.as_slice().into(), now)
}

fn reader(body: &str, secrets: &[&str]) -> Result<VerifiedDelivery, VerifyError> {
    verify(&Telr::webhook_reader(), body.as_bytes(), secrets)
}

fn refusal(body: &str, secrets: &[&str]) -> &'static str {
    reader(body, secrets).unwrap_err().code()
}

fn advice(check: &str) -> String {
    format!(
        "tran_store=1234&tran_type=sale&tran_class=ecom&tran_test=1&tran_ref=040035754014\
         &tran_prevref=040035754014&tran_firstref=040035754014&tran_currency=AED&tran_amount=10.50\
         &tran_cartid=12324&tran_desc=My+purchase&tran_status=A&tran_authcode=078251\
         &tran_authmessage=Authorised&tran_check={check}"
    )
}

const GOOD: &str = "8a28e6f68adfe94b0799d7caf82e6741d3eb74a1";
const CALLBACK: &str = "tran_store=1234&tran_cartid=+c1+&tran_order=ABC&tran_ref=1&tran_type=1\
    &tran_authstatus=A&tran_authcode=2&tran_authmessage=Authorised&tran_currency=AED\
    &tran_amount=54.50&tran_check=";

fn callback(secret: &str) -> String {
    let text = format!("{secret}:1234:c1:ABC:1:1:A:2:Authorised:AED:54.50");
    format!("{CALLBACK}{}", sign(&text))
}

#[test]
fn the_worked_values_of_every_family_fit() {
    let delivery = reader(&advice(GOOD), &[SECRET]).unwrap();
    assert_eq!(delivery.dedupe_id, "telr:040035754014:sale:A");
    assert_eq!((delivery.signed_at, delivery.secret_index), (None, 0));
    assert!(reader(&advice(&GOOD.to_uppercase()), &[SECRET]).is_ok());
    let ordered = advice("83c0ce12b3fdc1be751a8ed91dedf021316a8808")
        .replace("&tran_currency", "&tran_order=ORDER-42&tran_currency");
    assert!(reader(&ordered, &[SECRET]).is_ok());
    // Present and empty is not the same as left out.
    let empty = advice(GOOD).replace("&tran_currency", "&tran_order=&tran_currency");
    assert_eq!(refusal(&empty, &[SECRET]), "no_match");
    let agreement = "type=agreement&agreement_id=agreement-42&action=CANCEL\
        &cancellation_reason=Customer+request&cancellation_document_received=1\
        &email_id=ada%40example.com&store_id=1234&change_by=merchant\
        &timestamp=2026-09-09T10%3A00%3A00Z\
        &agreement_check=0d38e85aa68f1ac3e2f614290fdf41019562a18d";
    let name = reader(agreement, &[SECRET]).unwrap().dedupe_id;
    assert!(name.starts_with("sha256:"), "{name}");
    let text = "mysecret:account:payout:9:1234:77:100.00:AED:2026-09-09:daily:";
    let account = format!(
        "type=account&action=payout&account_id=9&store_id=1234&payout_id=77&amount=100.00\
         &currency=AED&date=2026-09-09&payout_interval=daily&account_check={}",
        sign(text)
    );
    assert!(reader(&account, &[SECRET]).is_ok());
}

#[test]
fn the_callback_is_signed_with_the_key_of_the_page() {
    assert_eq!(reader(&callback(SECRET), &["other", SECRET]).unwrap().secret_index, 1);
    let own = Telr::new(Settings::new("1234", SecretString::from("page-key"))).unwrap();
    let signed = callback("page-key");
    assert_eq!(verify(&own, signed.as_bytes(), &[]).unwrap().secret_index, 0);
    assert_eq!(verify(&own, signed.as_bytes(), &[SECRET]).unwrap().secret_index, 1);
    assert_eq!(verify(&own, signed.as_bytes(), &[SECRET]).unwrap().dedupe_id, "telr:1:sale:A");
    // The page's key signs callbacks only.
    let text = "page-key:1234:sale:ecom:1:040035754014:040035754014:040035754014:AED:10.50:12324:\
                My purchase:A:078251:Authorised";
    let forged = verify(&own, advice(&sign(text)).as_bytes(), &[SECRET]);
    assert_eq!(forged, Err(VerifyError::NoMatch));
}

#[test]
fn while_a_secret_rotates_both_are_believed() {
    assert_eq!(reader(&advice(GOOD), &["new", SECRET]).unwrap().secret_index, 1);
    assert_eq!(reader(&advice(GOOD), &[SECRET, "old"]).unwrap().secret_index, 0);
}

#[test]
fn forgeries_are_refused_with_a_reason() {
    let good = advice(GOOD);
    let other = advice(&"0".repeat(40));
    let unsigned = good.split("&tran_check").next().unwrap().to_owned();
    let huge = format!("{good}&x={}", "y".repeat(1024 * 1024));
    let long = format!("{good}&x={}", "y".repeat(5_000));
    let many = format!("{good}{}", "&x".repeat(300));
    let empty_secret = sign(
        ":1234:sale:ecom:1:040035754014:040035754014:040035754014:AED:10.50:\
                             12324:My purchase:A:078251:Authorised",
    );
    for (body, secrets, expected) in [
        (good.as_str(), &[][..], "no_secrets"),
        (&good, &["wrong"], "no_match"),
        (&other, &[SECRET], "no_match"),
        (&good.replace("10.50", "10.51"), &[SECRET], "no_match"),
        (&good.replace("tran_status=A", "tran_status=D"), &[SECRET], "no_match"),
        (&good.replace("My+purchase", "My%2Bpurchase"), &[SECRET], "no_match"),
        (&advice(&empty_secret), &[""], "no_match"),
        (&unsigned, &[SECRET], "malformed_body"),
        (&advice("8a28"), &[SECRET], "malformed_body"),
        (&advice(&"z".repeat(40)), &[SECRET], "malformed_body"),
        (&format!("{good}&tran_amount=1"), &[SECRET], "malformed_body"),
        (&format!("{good}&tran_authstatus=A"), &[SECRET], "malformed_body"),
        // A colon would move a value into its neighbour.
        (&good.replace("tran_cartid=12324", "tran_cartid=12324%3AMy"), &[SECRET], "malformed_body"),
        ("{\"tran_status\":\"A\"}", &[SECRET], "malformed_body"),
        ("", &[SECRET], "malformed_body"),
        (&long, &[SECRET], "malformed_body"),
        (&many, &[SECRET], "malformed_body"),
        (&huge, &[SECRET], "body_too_large"),
    ] {
        let said = refusal(body, secrets);
        assert_eq!(said, expected, "{}", body.chars().take(400).collect::<String>());
    }
    assert_eq!(
        verify(&Telr::webhook_reader(), b"\xff=1", &[SECRET]).unwrap_err().code(),
        "malformed_body"
    );
}

proptest! {
    #[test]
    fn what_was_signed_is_accepted_and_what_was_changed_is_not(
        description in "[ -~\\u{a0}-\\u{17f}]{0,60}",
        secret in "[!-~]{1,40}",
        flip in 0_usize..40,
    ) {
        let text = format!("{secret}::sale:::7:::AED:1.00:c:{description}:A::");
        let encode = |value: &str| serde_urlencoded::to_string([("tran_desc", value)]).unwrap();
        let mut check = sign(&text);
        let rest = format!(
            "tran_type=sale&tran_ref=7&tran_currency=AED&tran_amount=1.00&tran_cartid=c&{}\
             &tran_status=A&tran_check=", encode(&description));
        let genuine = format!("{rest}{check}");
        prop_assert!(reader(&genuine, &[&secret]).is_ok());
        let old = check.remove(flip);
        check.insert(flip, if old == '0' { '1' } else { '0' });
        let forged = format!("{rest}{check}");
        prop_assert_eq!(refusal(&forged, &[&secret]), "no_match");
    }

    #[test]
    fn any_body_is_refused_without_a_panic(
        bytes: Vec<u8>,
        text in "(tran_[a-z]{0,9}=[A-Z%0-9:]{0,6}&?){0,6}",
    ) {
        prop_assert!(verify(&Telr::webhook_reader(), &bytes, &[SECRET]).is_err());
        prop_assert!(reader(&text, &[SECRET]).is_err());
        let adapter = Telr::webhook_reader();
        let _ = (adapter.events(&bytes), adapter.events(text.as_bytes()));
    }
}
