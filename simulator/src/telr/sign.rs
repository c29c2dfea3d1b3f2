//! The checks of Telr's messages: SHA-1 of a secret and the values, joined by colons.

use super::sha1::sha1_hex;

/// A message's fields, in order.
pub type Pairs = Vec<(String, String)>;

/// What the store's advice proves.
const ADVICE: [&str; 15] = [
    "tran_store",
    "tran_type",
    "tran_class",
    "tran_test",
    "tran_ref",
    "tran_prevref",
    "tran_firstref",
    "tran_order",
    "tran_currency",
    "tran_amount",
    "tran_cartid",
    "tran_desc",
    "tran_status",
    "tran_authcode",
    "tran_authmessage",
];
/// What an order's callback proves.
const CALLBACK: [&str; 10] = [
    "tran_store",
    "tran_cartid",
    "tran_order",
    "tran_ref",
    "tran_type",
    "tran_authstatus",
    "tran_authcode",
    "tran_authmessage",
    "tran_currency",
    "tran_amount",
];
const CARD: [&str; 6] =
    ["card_code", "card_payment", "bin_number", "card_issuer", "card_country", "card_last4"];
const BILL: [&str; 12] = [
    "bill_title",
    "bill_fname",
    "bill_sname",
    "bill_addr1",
    "bill_addr2",
    "bill_addr3",
    "bill_city",
    "bill_region",
    "bill_country",
    "bill_zip",
    "bill_email",
    "bill_phone1",
];
const ACCOUNT: [&str; 10] = [
    "type",
    "action",
    "account_id",
    "store_id",
    "payout_id",
    "amount",
    "currency",
    "date",
    "payout_interval",
    "payout_fee",
];

/// A missing value counts as empty and keeps its colon. Only `tran_order` is left out of the
/// advice when the message does not have it.
fn check(secret: &str, names: &[&str], pairs: &Pairs) -> String {
    let mut text = secret.to_owned();
    for name in names {
        let value = pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim());
        if value.is_none() && *name == "tran_order" {
            continue;
        }
        text.push(':');
        text.push_str(value.unwrap_or_default());
    }
    sha1_hex(text.as_bytes())
}

fn push(pairs: &mut Pairs, name: &str, check: String) {
    pairs.push((name.to_owned(), check));
}

/// Signs the store's advice.
pub fn advice(secret: &str, mut pairs: Pairs) -> Pairs {
    if pairs.iter().any(|(name, _)| name == "card_last4") {
        let card = check(secret, &CARD, &pairs);
        push(&mut pairs, "card_check", card);
    }
    if pairs.iter().any(|(name, _)| name.starts_with("bill_")) {
        let bill = check(secret, &BILL, &pairs);
        push(&mut pairs, "bill_check", bill);
    }
    let advice = check(secret, &ADVICE, &pairs);
    push(&mut pairs, "tran_check", advice);
    pairs
}

/// Signs an order's callback.
pub fn callback(auth_key: &str, mut pairs: Pairs) -> Pairs {
    let callback = check(auth_key, &CALLBACK, &pairs);
    push(&mut pairs, "tran_check", callback);
    pairs
}

/// Signs a message about the account.
pub fn account(secret: &str, mut pairs: Pairs) -> Pairs {
    let account = check(secret, &ACCOUNT, &pairs);
    push(&mut pairs, "account_check", account);
    pairs
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// The fields of a published message and its checks.
    fn published(name: &str) -> (Pairs, Pairs, Value) {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/telr");
        let text = std::fs::read_to_string(format!("{dir}/{name}.json")).unwrap();
        let sample: Value = serde_json::from_str(&text).unwrap();
        let body = sample["message"]["raw_body"].as_str().unwrap();
        let all: Pairs = serde_urlencoded::from_str(body).unwrap();
        let (checks, fields) = all.into_iter().partition(|(name, _)| name.ends_with("_check"));
        (fields, checks, sample)
    }

    #[test]
    fn the_published_digests_of_advice_come_out() {
        for name in [
            "advice.sale-authorised",
            "advice.sale-with-tran-order",
            "advice.auth-authorised",
            "advice.capture-partial",
            "advice.declined",
        ] {
            let (fields, checks, sample) = published(name);
            let secret = sample["config"]["advice_secret"].as_str().unwrap();
            let signed = advice(secret, fields);
            assert!(!checks.is_empty());
            for check in checks {
                assert!(signed.contains(&check), "{name}: {check:?} is not in {signed:?}");
            }
        }
    }

    #[test]
    fn the_published_digests_of_callbacks_come_out() {
        for name in ["ivp-update.sale-authorised", "ivp-update.refund"] {
            let (fields, checks, sample) = published(name);
            let key = sample["config"]["auth_key"].as_str().unwrap();
            assert_eq!(callback(key, fields).last(), checks.first(), "{name}");
        }
    }

    #[test]
    fn the_account_is_signed_over_ten_values() {
        let values = ["account", "payout", "55", "12", "P1", "9.00", "AED", "d", "daily", "0.00"];
        let pairs = ACCOUNT.into_iter().zip(values);
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let text = format!("mysecret:{}", values.join(":"));
        let signed = account("mysecret", pairs);
        assert_eq!(signed.last().unwrap().1, sha1_hex(text.as_bytes()));
    }
}
