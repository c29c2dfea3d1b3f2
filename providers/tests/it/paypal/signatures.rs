//! Signatures: only the very bytes, for a webhook of ours, by a certificate that is PayPal's.

use std::fs;
use std::path::PathBuf;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mizan_providers::paypal::{Environment, Paypal};
use mizan_providers::{Headers, Provider, VerifiedDelivery, VerifyError, WebhookKeys};
use proptest::prelude::*;
use secrecy::SecretString;

use super::shop::{CLIENT, SECRET, at};

const WEBHOOK: &str = "8PT597110X687430L";
const OLD: &str = "1JE4291016473214C";
const BODY: &[u8] = br#"{"id":"WH-1", "event_type":"PAYMENT.CAPTURE.COMPLETED"}"#;
const CERT: &str = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42";
const NOW: &str = "2030-01-01T00:00:00Z";

fn pem(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/paypal_certificates");
    fs::read_to_string(folder.join(format!("{name}.pem"))).unwrap()
}

/// The checksum by its other definition: a table, highest bit of the byte first looked up.
fn checksum(bytes: &[u8]) -> u32 {
    let table: Vec<u32> = (0..256_u32)
        .map(|n| (0..8).fold(n, |c, _| if c & 1 == 1 { 0xEDB8_8320 ^ (c >> 1) } else { c >> 1 }))
        .collect();
    let step = |crc: u32, byte: &u8| table[((crc ^ u32::from(*byte)) & 0xff) as usize] ^ (crc >> 8);
    bytes.iter().fold(u32::MAX, step) ^ u32::MAX
}

/// Signs as PayPal documents it, by hand.
fn sign(webhook: &str, body: &[u8]) -> String {
    let key = pem("signer.key");
    let der: String = key.lines().filter(|line| !line.starts_with('-')).collect();
    let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap();
    let text = format!("id-1|2029-12-31T23:59:59Z|{webhook}|{}", checksum(body));
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    STANDARD.encode(signature)
}

fn pairs(signature: &str, address: &str) -> Vec<(&'static str, String)> {
    vec![
        ("paypal-transmission-id", "id-1".to_owned()),
        ("Paypal-Transmission-Time", "2029-12-31T23:59:59Z".to_owned()),
        ("PAYPAL-TRANSMISSION-SIG", signature.to_owned()),
        ("PAYPAL-CERT-URL", address.to_owned()),
        ("PAYPAL-AUTH-ALGO", "SHA256withRSA".to_owned()),
    ]
}

fn genuine() -> Headers {
    pairs(&sign(WEBHOOK, BODY), CERT).into_iter().collect()
}

fn changed(name: &str, value: &str) -> Headers {
    let change = |(key, old): (&'static str, String)| {
        (key, if key.eq_ignore_ascii_case(name) { value.to_owned() } else { old })
    };
    pairs(&sign(WEBHOOK, BODY), CERT).into_iter().map(change).collect()
}

fn reader() -> Paypal {
    Paypal::webhook_reader().trusting(&[pem("root")]).unwrap()
}

fn of(environment: Environment) -> Paypal {
    let secret = SecretString::from(SECRET);
    Paypal::new(CLIENT.to_owned(), secret, environment).unwrap().trusting(&[pem("root")]).unwrap()
}

fn verify(
    adapter: &Paypal,
    body: &[u8],
    headers: &Headers,
    webhooks: &[&str],
    certificates: &[&str],
) -> Result<VerifiedDelivery, VerifyError> {
    let secrets: Vec<SecretString> = webhooks.iter().map(|id| SecretString::from(*id)).collect();
    let certificates: Vec<String> = certificates.iter().map(|name| pem(name)).collect();
    let keys = WebhookKeys { secrets: &secrets, certificates: &certificates };
    adapter.verify_webhook(body, headers, keys, at(NOW))
}

fn refusal(body: &[u8], headers: &Headers) -> &'static str {
    verify(&reader(), body, headers, &[WEBHOOK], &["sandbox"]).unwrap_err().code()
}

#[test]
fn a_genuine_delivery_is_named_by_its_event_and_tells_when_it_was_signed() {
    let it = verify(&reader(), BODY, &genuine(), &[WEBHOOK], &["sandbox"]).unwrap();
    assert_eq!((it.dedupe_id.as_str(), it.secret_index), ("paypal:WH-1", 0));
    assert_eq!(it.signed_at, Some(at("2029-12-31T23:59:59Z")));
    let nameless = br#"{"id":5}"#;
    let headers: Headers = pairs(&sign(WEBHOOK, nameless), CERT).into_iter().collect();
    let it = verify(&reader(), nameless, &headers, &[WEBHOOK], &["sandbox"]).unwrap();
    assert!(it.dedupe_id.starts_with("sha256:"), "{}", it.dedupe_id);
}

#[test]
fn while_a_webhook_is_replaced_deliveries_for_the_old_one_are_believed() {
    let old: Headers = pairs(&sign(OLD, BODY), CERT).into_iter().collect();
    let both = [WEBHOOK, OLD];
    assert_eq!(verify(&reader(), BODY, &old, &both, &["sandbox"]).unwrap().secret_index, 1);
    assert_eq!(verify(&reader(), BODY, &genuine(), &both, &["sandbox"]).unwrap().secret_index, 0);
    assert_eq!(refusal(BODY, &old), "no_match");
    // The simulator signs for no webhook at all.
    let simulated: Headers = pairs(&sign("WEBHOOK_ID", BODY), CERT).into_iter().collect();
    assert_eq!(refusal(BODY, &simulated), "no_match");
    let nobody = verify(&reader(), BODY, &genuine(), &[], &["sandbox"]).unwrap_err();
    assert_eq!(nobody, VerifyError::NoSecrets);
}

#[test]
fn one_bit_or_one_blank_less_is_another_delivery() {
    for at in 0..BODY.len() {
        let mut other = BODY.to_vec();
        other[at] ^= 1;
        assert_eq!(refusal(&other, &genuine()), "no_match", "{at}");
    }
    let shorter: Vec<u8> = BODY.iter().copied().filter(|b| *b != b' ').collect();
    assert_eq!(refusal(&shorter, &genuine()), "no_match");
    assert_eq!(refusal(&vec![b'x'; 1024 * 1024 + 1], &genuine()), "body_too_large");
}

#[test]
fn what_is_signed_cannot_be_changed_and_what_is_missing_is_missed() {
    let own = sign(WEBHOOK, BODY);
    for (name, value, expected) in [
        ("paypal-transmission-id", "id-2", "no_match"),
        ("paypal-transmission-time", "2030-01-01T00:00:00Z", "no_match"),
        ("paypal-transmission-sig", "AAAA", "no_match"),
        ("paypal-transmission-sig", "", "no_match"),
        ("paypal-transmission-sig", "not base64!", "malformed_header"),
        ("paypal-transmission-sig", &own[..own.len() - 4], "no_match"),
        ("paypal-transmission-sig", &"A".repeat(5_000), "malformed_header"),
        ("paypal-auth-algo", "SHA1withRSA", "malformed_header"),
        ("paypal-auth-algo", "sha256withrsa", "malformed_header"),
        ("paypal-auth-algo", "", "malformed_header"),
    ] {
        assert_eq!(refusal(BODY, &changed(name, value)), expected, "{name} {value}");
    }
    for (missing, _) in pairs("", "") {
        let all = pairs(&own, CERT);
        let less: Headers = all.clone().into_iter().filter(|(name, _)| *name != missing).collect();
        assert_eq!(refusal(BODY, &less), "missing_header", "{missing}");
        let twice: Headers =
            all.iter().chain(all.iter().filter(|(name, _)| *name == missing)).cloned().collect();
        assert_eq!(refusal(BODY, &twice), "repeated_header", "{missing}");
    }
}

#[test]
fn only_a_certificate_of_paypals_is_believed() {
    let told = |adapter: &Paypal, certificates: &[&str]| {
        let verified = verify(adapter, BODY, &genuine(), &[WEBHOOK], certificates);
        verified.map_or_else(|error| error.to_string(), |_| "believed".to_owned())
    };
    let refused = |problem: &str| format!("the certificate is not believed: {problem}");
    assert_eq!(told(&reader(), &["sandbox", "root"]), "believed");
    for (certificates, problem) in [
        (&["foreign"][..], "it leads to no trusted root"),
        (&["other_name"], "it is made out to another name"),
        (&["live"], "it is made out to another name"),
        (&["short"], "it, or one it leads to, has expired"),
        (&["root"], "its chain is not valid"),
        (&["root", "sandbox"], "its chain is not valid"),
        (&["signer.key"], "none was fetched"),
        (&[], "none was fetched"),
        (&["root"; 9], "it is not readable, or too long"),
    ] {
        assert_eq!(told(&reader(), certificates), refused(problem), "{certificates:?}");
    }
    // The roots of the operating system know nothing of the tests' authority.
    let system = Paypal::webhook_reader().trusting(&[]).unwrap();
    assert_eq!(told(&system, &["sandbox"]), refused("it leads to no trusted root"));
}

#[test]
fn a_certificate_counts_at_the_given_time_only() {
    let secrets = [SecretString::from(WEBHOOK)];
    let certificates = [pem("sandbox")];
    let keys = WebhookKeys { secrets: &secrets, certificates: &certificates };
    for (now, problem) in [
        ("2020-01-01T00:00:00Z", "it is not valid yet"),
        ("1969-12-31T23:59:59Z", "it is not valid yet"),
        ("2199-01-01T00:00:00Z", "it, or one it leads to, has expired"),
    ] {
        let error = reader().verify_webhook(BODY, &genuine(), keys, at(now)).unwrap_err();
        assert_eq!(error, VerifyError::Certificate { problem }, "{now}");
    }
}

#[test]
fn each_world_takes_its_own_certificates_from_its_own_hosts() {
    let live = "https://api-m.paypal.com/v1/notifications/certs/CERT-1";
    let url = |adapter: &Paypal, address: &str| {
        let headers = Headers::new().with("paypal-cert-url", address);
        adapter.certificate_url(&headers).map(|url| url.unwrap() == address).unwrap_or(false)
    };
    assert!(url(&of(Environment::Live), live) && !url(&of(Environment::Live), CERT));
    assert!(url(&of(Environment::Sandbox), CERT) && !url(&of(Environment::Sandbox), live));
    assert!(url(&reader(), live) && url(&reader(), CERT));
    // A host of one world does not vouch for the name of the other.
    let from_live: Headers = pairs(&sign(WEBHOOK, BODY), live).into_iter().collect();
    for (adapter, certificate, expected) in [
        (of(Environment::Live), "live", "believed"),
        (of(Environment::Live), "sandbox", "certificate"),
        (reader(), "live", "believed"),
        (reader(), "sandbox", "certificate"),
        (of(Environment::Sandbox), "sandbox", "malformed_header"),
    ] {
        let said = verify(&adapter, BODY, &from_live, &[WEBHOOK], &[certificate]);
        assert_eq!(said.map_or_else(|error| error.code(), |_| "believed"), expected);
    }
}

#[test]
fn no_other_address_is_ever_fetched_from() {
    for address in [
        "",
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
        "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1",
        "https://user@api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
        "https://evil.example/v1/notifications/certs/CERT-1",
        "https://evilapi.paypal.com/v1/notifications/certs/CERT-1",
        "https://www.paypal.com/v1/notifications/certs/CERT-1",
        "https://API.PAYPAL.COM/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/",
        "https://api.paypal.com/v1/notifications/certs/../../x",
        "https://api.paypal.com/v1/notifications/certs/a/b",
        "https://api.paypal.com/v1/notifications/certs/%2e%2e",
        "https://api.paypal.com/v1/notifications/certs/CERT-1?to=evil",
        "https://api.paypal.com/v1/notifications/certs/CERT-1#evil",
        "https://api.paypal.com/v1/notifications/test",
        "https://api.sandbox.paypal.com/v1/notifications/test2",
        "https://api.paypal.com/redirect",
        " https://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com\\@evil.example/v1/notifications/certs/CERT-1",
    ] {
        let headers = changed("paypal-cert-url", address);
        let error = reader().certificate_url(&headers).unwrap_err();
        assert_eq!(error.code(), "malformed_header", "{address}");
        assert_eq!(refusal(BODY, &headers), "malformed_header", "{address}");
    }
    let bare = reader().certificate_url(&Headers::new()).unwrap_err();
    assert_eq!(bare.code(), "missing_header");
}

#[test]
fn a_stub_on_this_machine_may_serve_certificates_and_nobody_else_may() {
    let stub = "http://127.0.0.1:4010/v1/notifications/certs";
    let adapter = reader().with_certificates_at("http://127.0.0.1:4010/").unwrap();
    let headers: Headers =
        pairs(&sign(WEBHOOK, BODY), &format!("{stub}/CERT-1")).into_iter().collect();
    assert!(verify(&adapter, BODY, &headers, &[WEBHOOK], &["sandbox"]).is_ok());
    assert_eq!(refusal(BODY, &headers), "malformed_header");
    for address in [stub, "http://127.0.0.1:4010/v1/notifications/certsX", "http://127.0.0.1/CERT"]
    {
        let headers = changed("paypal-cert-url", address);
        assert!(adapter.certificate_url(&headers).is_err(), "{address}");
    }
    for base in ["https://certs.example", "http://127.0.0.1.evil.example", "ftp://127.0.0.1", "x"] {
        assert!(reader().with_certificates_at(base).is_err(), "{base}");
    }
    let no_pem = reader().trusting(&["hello".to_owned()]).unwrap_err();
    assert!(no_pem.to_string().contains("no certificate in PEM"), "{no_pem}");
}

proptest! {
    #[test]
    fn nothing_but_the_genuine_is_believed(
        body: Vec<u8>,
        signature in "[A-Za-z0-9+/]{0,400}={0,2}",
        address in "\\PC{0,120}",
        certificate in "\\PC{0,200}",
    ) {
        let secrets = [SecretString::from(WEBHOOK)];
        let certificates = [certificate, pem("sandbox")];
        let keys = WebhookKeys { secrets: &secrets, certificates: &certificates };
        for headers in [
            pairs(&signature, CERT).into_iter().collect::<Headers>(),
            pairs(&signature, &address).into_iter().collect(),
        ] {
            prop_assert!(reader().verify_webhook(&body, &headers, keys, at(NOW)).is_err());
        }
    }
}
