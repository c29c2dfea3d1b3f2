//! Takes secrets and card data out of what is kept: keys, client secrets, card numbers, codes.

use serde_json::Value;

use crate::http::Headers;

/// What stands where a secret was.
pub const SECRET: &str = "[secret]";
/// What stands where a card number was.
pub const CARD: &str = "[card]";

/// Field names whose value is never kept, whatever it is. Compared without case.
const SECRET_FIELDS: &[&str] = &[
    "account_number",
    "api_authkey",
    "api_key",
    "apikey",
    "authkey",
    "authorization",
    "beneficiary_account_number",
    "cavv",
    "client_secret",
    "cvc",
    "cvv",
    "cvv2",
    "debit_account_number",
    "iban",
    "ivp_authkey",
    "id_token",
    "key_secret",
    "nonce",
    "number",
    "pan",
    "password",
    "pin",
    "secret",
    "server_key",
    "security_code",
    "token",
    "track_data",
    "ucaf",
];

/// Names of XML elements that hold a secret beside those.
const SECRET_ELEMENTS: &[&str] = &["key"];

/// Parts of a field name that make its value a secret.
const SECRET_PARTS: &[&str] = &["secret", "password", "access_token", "refresh_token"];

/// Headers that are never kept.
const SECRET_HEADERS: &[&str] = &[
    "authorization",
    "cookie",
    "paypal-auth-assertion",
    "proxy-authorization",
    "set-cookie",
    "x-api-key",
];

/// How words of free text that are keys begin.
const KEY_PREFIXES: &[&str] = &["sk_", "rk_", "whsec_", "ek_", "Bearer_"];

/// Most headers kept of one message.
const MAX_HEADERS: usize = 64;

/// A body with its secrets taken out: JSON, XML and forms by field, anything else as text.
pub fn body(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    match serde_json::from_str::<Value>(&text) {
        Ok(mut value) if value.is_object() || value.is_array() => {
            json(&mut value);
            value.to_string()
        }
        _ if text.trim_start().starts_with('<') => self::text(&elements(&text)),
        _ if is_form(&text) => form(&text),
        _ => self::text(&text),
    }
}

/// Headers with the secret ones left out.
pub fn headers(headers: &Headers) -> Vec<(String, String)> {
    let secret = |name: &str| SECRET_HEADERS.iter().any(|s| s.eq_ignore_ascii_case(name));
    headers
        .iter()
        .filter(|(name, _)| !secret(name))
        .take(MAX_HEADERS)
        .map(|(name, value)| (name.to_owned(), text(&value.chars().take(1024).collect::<String>())))
        .collect()
}

/// A form or query string with its secrets taken out.
pub fn form(encoded: &str) -> String {
    let Ok(pairs) = serde_urlencoded::from_str::<Vec<(String, String)>>(encoded) else {
        return text(encoded);
    };
    let kept: Vec<(String, String)> = pairs
        .into_iter()
        .map(|(key, value)| {
            let value = if is_secret_field(&key) { SECRET.to_owned() } else { text(&value) };
            (key, value)
        })
        .collect();
    serde_urlencoded::to_string(kept).unwrap_or_else(|_| SECRET.to_owned())
}

/// Free text with words that look like keys and digit runs that look like cards taken out.
pub fn text(text: &str) -> String {
    cards(&keys(text))
}

fn is_form(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && b != b'<' && b != b'{';
    text.contains('=') && text.bytes().all(plain)
}

fn is_secret_field(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    let last = lower.trim_end_matches(']').rsplit('[').next().unwrap_or(&lower);
    SECRET_FIELDS.contains(&last) || SECRET_PARTS.iter().any(|part| last.contains(part))
}

/// Takes the text out of elements that hold a secret, up to the next tag, whether or not the rest
/// is sound XML.
fn elements(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        let (tag, after) = tag.split_once('>').unwrap_or((tag, ""));
        out.push_str(before);
        out.push('<');
        out.push_str(tag);
        out.push_str(if rest.len() > before.len() + tag.len() + 1 { ">" } else { "" });
        let name = tag.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
        let plain = SECRET_ELEMENTS.iter().any(|it| it.eq_ignore_ascii_case(name));
        rest = after;
        if (plain || is_secret_field(name)) && !tag.ends_with('/') {
            let end = after.find("</").unwrap_or(after.len());
            let (_, kept) = after.split_at(end);
            out.push_str(SECRET);
            rest = kept;
        }
    }
    out.push_str(rest);
    out
}

fn json(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                if is_secret_field(key) && !value.is_null() && !value.is_object() {
                    *value = Value::String(SECRET.to_owned());
                } else {
                    json(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(json),
        Value::String(inner) => *inner = text(inner),
        Value::Number(number) => {
            let digits = number.to_string();
            if cards(&digits) != digits {
                *value = Value::String(CARD.to_owned());
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn keys(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
        let (head, tail) = rest.split_at(end);
        let is_key = KEY_PREFIXES.iter().any(|prefix| head.starts_with(prefix));
        out.push_str(if is_key || head.contains("_secret_") { SECRET } else { head });
        let next = tail.find(word).unwrap_or(tail.len());
        out.push_str(&tail[..next]);
        rest = &tail[next..];
    }
    out
}

/// Replaces runs of 13 to 19 digits, single blanks or dashes between, whose check digit is right.
fn cards(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut kept = 0;
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let end = run_end(bytes, at);
        let digits: Vec<u8> =
            bytes[at..end].iter().filter(|b| b.is_ascii_digit()).map(|b| b - b'0').collect();
        if (13..=19).contains(&digits.len()) && luhn(&digits) {
            out.push_str(&text[kept..at]);
            out.push_str(CARD);
            kept = end;
        }
        at = end;
    }
    out.push_str(&text[kept..]);
    out
}

/// Where a run of digits that starts at `start` ends; single blanks or dashes belong to it.
fn run_end(bytes: &[u8], start: usize) -> usize {
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = start;
    while digit(end) || (matches!(bytes.get(end), Some(b' ' | b'-')) && digit(end + 1)) {
        end += 1;
    }
    end
}

/// The check that card numbers pass (ISO/IEC 7812).
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, d) => d,
            (_, d) if d > 4 => d * 2 - 9,
            (_, d) => d * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn a_client_secret_is_taken_out_of_json_by_name_and_of_text_by_shape() {
        let kept = body(br#"{"client_secret":"pi_1_secret_abc","note":"see pi_1_secret_abc, ok"}"#);
        assert_eq!(kept, r#"{"client_secret":"[secret]","note":"see [secret], ok"}"#);
    }

    #[test]
    fn a_card_number_is_taken_out_wherever_it_hides() {
        for hidden in [
            r#"{"a":{"b":["4242 4242 4242 4242"]}}"#,
            r#"{"a":4242424242424242}"#,
            r#"{"message":"card 4242-4242-4242-4242 refused"}"#,
            "card[number]=4242424242424242&card[cvc]=123",
            "note=4000000000000002",
            "<pan>4242424242424242</pan>",
        ] {
            let kept = body(hidden.as_bytes());
            assert!(!kept.contains("4242") && !kept.contains("00000000"), "{kept}");
            assert!(!kept.contains("123"), "{kept}");
        }
    }

    #[test]
    fn tokens_and_proofs_of_paytabs_are_taken_out() {
        let kept = body(br#"{"token":"2C46","threeDSDetails":{"eci":"05","cavv":"a","ucaf":"b"}}"#);
        let fields = r#""threeDSDetails":{"cavv":"[secret]","eci":"05","ucaf":"[secret]"}"#;
        assert!(kept.contains(fields) && kept.contains(r#""token":"[secret]""#), "{kept}");
        let kept = body(br#"{"beneficiary_account_number":"SE3550000000054910000003"}"#);
        assert_eq!(kept, r#"{"beneficiary_account_number":"[secret]"}"#);
        assert_eq!(
            body(b"cartId=1&token=2C46&tranRef=T1"),
            "cartId=1&token=%5Bsecret%5D&tranRef=T1"
        );
    }

    #[test]
    fn keys_inside_bodies_are_taken_out_by_the_name_of_their_field() {
        for (sent, kept) in [
            (
                "ivp_store=1&ivp_authkey=k-1&tran_ref=2",
                "ivp_store=1&ivp_authkey=%5Bsecret%5D&tran_ref=2",
            ),
            ("api_storeid=1&api_authkey=k-1", "api_storeid=1&api_authkey=%5Bsecret%5D"),
            (r#"{"authkey":"k-1","store":1}"#, r#"{"authkey":"[secret]","store":1}"#),
            (
                "<remote><store>1</store><key>k-1</key><a/></remote>",
                "<remote><store>1</store><key>[secret]</key><a/></remote>",
            ),
            ("<remote><key><![CDATA[k-1]]></key>", "<remote><key>[secret]</key>"),
            ("<key a=\"1\">k-1", "<key a=\"1\">[secret]"),
            ("<key/><ref>1</ref>", "<key/><ref>1</ref>"),
        ] {
            assert_eq!(body(sent.as_bytes()), kept);
        }
    }

    #[test]
    fn the_number_of_a_bank_account_is_taken_out_of_bodies_and_queries() {
        let kept = body(br#"{"debit_account_number":"00228","account_number":"7878780080316316"}"#);
        assert!(!kept.contains("00228") && !kept.contains("7878"), "{kept}");
        let kept = form("account_number=7878780080316316&reference_id=po_1");
        assert_eq!(kept, "account_number=%5Bsecret%5D&reference_id=po_1");
    }

    #[test]
    fn keys_are_taken_out_of_free_text_and_headers() {
        assert_eq!(
            text("Invalid API Key provided: sk_test_abc123"),
            "Invalid API Key provided: [secret]"
        );
        assert_eq!(text("whsec_abc!"), "[secret]!");
        let sent = Headers::new().with("AUTHORIZATION", "Bearer x").with("Request-Id", "req_1");
        assert_eq!(headers(&sent), vec![("Request-Id".to_owned(), "req_1".to_owned())]);
    }

    #[test]
    fn what_paypal_calls_its_secrets_is_taken_out() {
        let token = include_str!("../../fixtures/paypal/oauth-token.json");
        let kept = body(token.as_bytes());
        for secret in ["A21AAEXAMPLETOKEN", "2018-11-28T09:55:25Z", "VEVTVC1DTElFTlQ"] {
            assert!(!kept.contains(secret), "{secret}");
        }
        let card = r#"{"card":{"number":"4111111111111111","security_code":"987","id_token":"t"}}"#;
        assert_eq!(
            body(card.as_bytes()),
            r#"{"card":{"id_token":"[secret]","number":"[secret]","security_code":"[secret]"}}"#
        );
        let sent = Headers::new().with("PayPal-Auth-Assertion", "eyJ").with("Prefer", "x");
        assert_eq!(headers(&sent), vec![("Prefer".to_owned(), "x".to_owned())]);
    }

    #[test]
    fn what_is_no_secret_stays_as_it_was() {
        for plain in [r#"{"amount":25000,"created":1780000000,"id":"pi_1"}"#, "amount=25000"] {
            assert_eq!(body(plain.as_bytes()), plain);
        }
        assert_eq!(text("order 1234567890123456"), "order 1234567890123456");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_can_be_kept(bytes: Vec<u8>) {
            let _ = body(&bytes);
        }

        #[test]
        fn any_text_can_be_kept(any in "\\PC*") {
            let _ = text(&any);
            let _ = form(&any);
        }
    }
}
