//! Signatures: only the very bytes of a message, only the very fields of a return.

use chrono::DateTime;
use hmac::{Hmac, KeyInit, Mac};
use mizan_providers::paytabs::Paytabs;
use mizan_providers::{Headers, Provider, VerifiedDelivery, VerifyError};
use proptest::prelude::*;
use secrecy::SecretString;
use sha2::Sha256;

/// Printed in PayTabs' own article.
const KEY: &str = "SGJNZ96JLG-JDMKHGRWT9-RWRK2KJNRJ";
const OLD: &str = "SOLDOLDOLD-OLDOLDOLDO-OLDOLDOLDO";
const BODY: &[u8] = br#"{"tran_ref":"TST0000000000001","cart_id":"A1","tran_total":"10.50"}"#;
const RETURN: &str = concat!(
    "acquirerMessage=&acquirerRRN=&cartId=cart_11111&customerEmail=email%40domain.com",
    "&respCode=G84718&respMessage=Authorised&respStatus=A",
    "&signature=7a181a32c768621eb6966107752ee70205a01f1c4403a3d13c0ff604f591f988",
    "&token=&tranRef=TST2215201242166",
);

/// Signs as PayTabs documents it, by hand.
fn sign(key: &str, text: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text);
    hex::encode(mac.finalize().into_bytes())
}

fn headers(signature: &str) -> Headers {
    Headers::new().with("signature", signature).with("client-key", "C2KMTB")
}

fn verify(body: &[u8], headers: &Headers, keys: &[&str]) -> Result<VerifiedDelivery, VerifyError> {
    let keys: Vec<SecretString> = keys.iter().map(|key| SecretString::from(*key)).collect();
    let now = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
    Paytabs::webhook_reader().verify_webhook(body, headers, keys.as_slice().into(), now)
}

fn refusal(body: &[u8], headers: &Headers, keys: &[&str]) -> &'static str {
    verify(body, headers, keys).unwrap_err().code()
}

#[test]
fn the_known_digests_are_believed() {
    let line = [BODY, b"\n"].concat();
    for (body, digest) in [
        (BODY, "0b2ecf7af9ae74209444d66ea7511a8d5e545a193acfadcbae07078a9baa9a54"),
        (&line, "0de317c69b7c524d92f1abc08346c1645336323cc0df7bb86108dd15f8f97f33"),
    ] {
        let delivery = verify(body, &headers(digest), &[KEY]).unwrap();
        assert_eq!((delivery.signed_at, delivery.secret_index), (None, 0));
        assert!(delivery.dedupe_id.starts_with("sha256:"));
    }
}

#[test]
fn a_delivery_is_named_by_what_it_tells_however_it_comes() {
    let body = |trace: &str| {
        format!(
            "{{\"tran_ref\":\"TST1\",\"tran_type\":\"Payment Request\",\
             \"payment_result\":{{\"response_status\":\"P\"}},\"ipn_trace\":\"{trace}\"}}"
        )
    };
    let name = |body: &str| {
        verify(body.as_bytes(), &headers(&sign(KEY, body.as_bytes())), &[KEY]).unwrap().dedupe_id
    };
    assert_eq!(name(&body("a")), "paytabs:TST1:payment request:P");
    assert_eq!(name(&body("a")), name(&body("b")));
    assert!(name(&body("a").replace("TST1", "T/1")).starts_with("sha256:"));
}

#[test]
fn while_a_key_rotates_messages_signed_with_the_old_one_are_believed() {
    let index = |key| verify(BODY, &headers(&sign(key, BODY)), &[KEY, OLD]).unwrap().secret_index;
    assert_eq!((index(KEY), index(OLD)), (0, 1));
    assert_eq!(verify(RETURN.as_bytes(), &Headers::new(), &[OLD, KEY]).unwrap().secret_index, 1);
}

#[test]
fn forgeries_are_refused_with_a_reason() {
    let good = sign(KEY, BODY);
    let padded = format!(" {good}");
    for (body, signature, keys, expected) in [
        (BODY, good.as_str(), &[][..], "no_secrets"),
        (BODY, &good, &[OLD][..], "no_match"),
        (BODY, &sign("another", BODY), &[KEY, OLD], "no_match"),
        (b"{}", &good, &[KEY], "no_match"),
        (b"", &good, &[KEY], "no_match"),
        (BODY, "", &[KEY], "malformed_header"),
        (BODY, &good[..62], &[KEY], "malformed_header"),
        (BODY, &good.to_uppercase(), &[KEY], "malformed_header"),
        (BODY, &padded, &[KEY], "malformed_header"),
        (BODY, &"z".repeat(64), &[KEY], "malformed_header"),
        (BODY, &"a".repeat(5_000), &[KEY], "malformed_header"),
    ] {
        assert_eq!(refusal(body, &headers(signature), keys), expected, "{signature}");
    }
    assert_eq!(refusal(BODY, &Headers::new(), &[KEY]), "missing_header");
    let twice = headers(&good).with("Signature", &good);
    assert_eq!(refusal(BODY, &twice, &[KEY]), "repeated_header");
    let huge = vec![b' '; 1024 * 1024 + 1];
    assert_eq!(refusal(&huge, &headers(&sign(KEY, &huge)), &[KEY]), "body_too_large");
}

#[test]
fn a_return_is_believed_by_its_own_fields_only() {
    let none = Headers::new();
    let delivery = verify(RETURN.as_bytes(), &none, &[KEY]).unwrap();
    assert_eq!(delivery.dedupe_id, "paytabs:TST2215201242166:return:A");
    let other = concat!(
        "acquirerMessage=Refer%20to%20bank%20(01)&cartId=B~2*3&customerEmail=a%2Bb%40example.com",
        "&respCode=300&respMessage=Not+authorised&respStatus=D&tranRef=TST0000000000002",
        "&signature=c60c86b12d3c6130e252a27ddeb0d51b1d1b3242fe245988c4c9cf0e3a419d34",
    );
    assert!(verify(other.as_bytes(), &none, &[KEY]).is_ok());
    let with = |from: &str, to: &str| refusal(RETURN.replace(from, to).as_bytes(), &none, &[KEY]);
    assert_eq!(with("respStatus=A", "respStatus=C"), "no_match");
    assert_eq!(with("cart_11111", "cart_11112"), "no_match");
    assert_eq!(with("token=", "token=1"), "no_match");
    assert_eq!(with("signature=7a", "signature=7b"), "no_match");
    assert_eq!(with("signature=7a", "signature="), "malformed_header");
    assert_eq!(with("signature=", "sign="), "missing_header");
    // A field twice would be read one way here and another way there.
    assert_eq!(with("token=", "respStatus=A"), "missing_header");
    assert_eq!(refusal(RETURN.as_bytes(), &none, &[OLD]), "no_match");
    let huge = format!("{RETURN}&x={}", "y".repeat(1024 * 1024));
    assert_eq!(refusal(huge.as_bytes(), &none, &[KEY]), "body_too_large");
}

#[test]
fn a_field_that_is_zero_is_signed_by_some_and_left_out_by_others() {
    for signed in ["cartId=0&tranRef=T1", "tranRef=T1"] {
        let body = format!("cartId=0&tranRef=T1&signature={}", sign(KEY, signed.as_bytes()));
        assert!(verify(body.as_bytes(), &Headers::new(), &[KEY]).is_ok(), "{signed}");
    }
}

#[test]
fn what_a_return_signs_is_no_message_that_moves_money() {
    // Whoever holds a return can put its signature into a header, over the text it signs.
    let text = "cartId=cart_11111&customerEmail=email%40domain.com&respCode=G84718\
                &respMessage=Authorised&respStatus=A&tranRef=TST2215201242166";
    let digest = "7a181a32c768621eb6966107752ee70205a01f1c4403a3d13c0ff604f591f988";
    assert!(verify(text.as_bytes(), &headers(digest), &[KEY]).is_ok());
    assert!(Paytabs::webhook_reader().events(text.as_bytes()).is_err());
    // And a message is no return: with a header, the header counts.
    assert_eq!(refusal(RETURN.as_bytes(), &headers(digest), &[KEY]), "no_match");
}

proptest! {
    #[test]
    fn what_was_signed_is_accepted(body: Vec<u8>, key in "[!-~]{1,80}") {
        prop_assert!(verify(&body, &headers(&sign(&key, &body)), &[&key]).is_ok());
    }

    #[test]
    fn one_flipped_bit_anywhere_is_refused(
        body in prop::collection::vec(any::<u8>(), 1..200),
        place: prop::sample::Index,
        bit in 0_u8..8,
    ) {
        let signed = headers(&sign(KEY, &body));
        let mut flipped = body.clone();
        flipped[place.index(body.len())] ^= 1 << bit;
        prop_assert!(verify(&flipped, &signed, &[KEY]).is_err());
    }

    #[test]
    fn any_header_or_return_is_refused_without_a_panic(
        header in "\\PC{0,300}",
        form in "([a-z%]{0,9}=[!-~]{0,20}&){0,5}signature=[0-9a-f]{64}",
    ) {
        prop_assert!(verify(BODY, &headers(&header), &[KEY]).is_err());
        prop_assert!(verify(form.as_bytes(), &Headers::new(), &[KEY]).is_err());
    }
}
