//! What follows a payment, in three languages.

use serde_json::{Value, json};

use super::{REMOTE_KEY, STORE, Telr, assert_has, element, sample};
use crate::support::{Reply, read};

async fn xml(telr: &Telr, body: &str) -> Reply {
    let request = telr.client.post(telr.url("/gateway/remote.xml")).body(body.to_owned());
    read(request.header("content-type", "application/xml; charset=utf-8")).await.unwrap()
}

fn refund_xml(of: &str, amount: &str, description: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<remote><store>{STORE}</store>\
         <key>{REMOTE_KEY}</key><tran><type>refund</type><class>ecom</class>\
         <description>{description}</description><currency>AED</currency>\
         <amount>{amount}</amount><ref>{of}</ref><test>1</test></tran></remote>"
    )
}

#[tokio::test]
async fn captures_and_releases_are_partial_and_end_at_the_hold() {
    let telr = Telr::new().await;
    let auth = telr.paid("A-1", "54.50", "auth").await;
    let (letter, _, first) = telr.follow("capture", &auth, "20.00").await;
    assert_eq!(letter, "A");
    assert_eq!(telr.follow("capture", &auth, "34.51").await.1, "29");
    assert_eq!(telr.follow("capture", &auth, "10.00").await.0, "A");
    assert_eq!(telr.follow("void", &auth, "54.50").await.1, "32", "a part is captured");
    assert_eq!(telr.follow("release", &auth, "24.51").await.1, "29");
    let (letter, _, released) = telr.follow("release", &auth, "24.50").await;
    assert_eq!(letter, "A");
    assert!(auth < first && first < released, "references grow");
    let linked = ["auth A 54.50", "capture A 20.00", "capture A 10.00", "release A 24.50"];
    assert_eq!(telr.linked(&first).await, linked, "any of them finds all of them");
    assert_eq!(telr.follow("capture", &auth, "1.00").await.1, "29");
    assert_eq!(telr.follow("refund", &auth, "1.00").await.1, "35", "refunds name the capture");
    assert_eq!(telr.follow("refund", &first, "20.01").await.1, "29");
    assert_eq!(telr.follow("refund", &first, "15.00").await.0, "A");
    assert_eq!(telr.follow("refund", &first, "5.00").await.0, "A");
    assert_eq!(telr.follow("refund", &first, "0.01").await.1, "29");
    let money = telr.state().await["references"]["A-1"].clone();
    assert_eq!((&money["captured"], &money["refunded"]), (&json!(3_000), &json!(2_000)));
    telr.assert_balanced();
}

#[tokio::test]
async fn a_void_takes_the_whole_transaction_on_its_day() {
    let telr = Telr::new().await;
    let order = telr.order("A-1", "54.50", "sale").await;
    let sale = telr.choose(&order, json!({ "outcome": "paid" })).await;
    assert_eq!(telr.follow("void", &sale, "54.00").await.1, "23");
    assert_eq!(telr.follow("void", &sale, "54.50").await.0, "A");
    assert_eq!(telr.follow("void", &sale, "54.50").await.1, "26");
    assert_eq!(telr.follow("refund", &sale, "54.50").await.1, "26");
    assert_eq!(telr.status(&order).await.0, -2);
    assert_eq!(telr.linked(&sale).await, ["sale A 54.50", "void A 54.50"]);

    let order = telr.order("A-2", "54.50", "auth").await;
    let auth = telr.choose(&order, json!({ "outcome": "paid" })).await;
    assert_eq!(telr.follow("void", &auth, "54.50").await.0, "A");
    assert_eq!(telr.follow("release", &auth, "54.50").await.1, "26");
    assert_eq!(telr.status(&order).await.0, -2);

    let settled = telr.paid("A-3", "54.50", "sale").await;
    telr.control("/_sim/settle", &json!({})).await;
    assert_eq!(telr.follow("void", &settled, "54.50").await.1, "32");
    let refunded = telr.paid("A-4", "54.50", "sale").await;
    telr.follow("refund", &refunded, "1.00").await;
    assert_eq!(telr.follow("void", &refunded, "54.50").await.1, "32");
    let old = telr.paid("A-5", "54.50", "sale").await;
    telr.clock.advance(24 * 3600);
    assert_eq!(telr.follow("void", &old, "54.50").await.1, "32");
    telr.assert_balanced();
}

#[tokio::test]
async fn every_mistake_has_its_code_and_makes_nothing() {
    let telr = Telr::new().await;
    let sale = telr.paid("A-1", "54.50", "sale").await;
    let order = telr.order("A-2", "54.50", "sale").await;
    let held = telr.choose(&order, json!({ "outcome": "held" })).await;
    let order = telr.order("A-3", "54.50", "sale").await;
    let declined = telr.choose(&order, json!({ "outcome": "declined" })).await;
    let before = telr.state().await["refunds"].clone();
    let base = [
        ("ivp_store", STORE),
        ("ivp_authkey", REMOTE_KEY),
        ("ivp_trantype", "refund"),
        ("ivp_tranclass", "ecom"),
        ("ivp_currency", "AED"),
        ("ivp_amount", "1.00"),
        ("ivp_test", "1"),
        ("tran_ref", sale.as_str()),
    ];
    for (field, wrong, letter, code) in [
        ("ivp_store", "1", "E", "04"),
        ("ivp_authkey", super::AUTH_KEY, "E", "01"),
        ("ivp_trantype", "gift", "E", "40"),
        ("ivp_trantype", "sale", "E", "10"),
        ("ivp_trantype", "capture", "E", "25"),
        ("ivp_tranclass", "pos", "E", "39"),
        ("ivp_currency", "USD", "E", "24"),
        ("ivp_currency", "CHF", "E", "05"),
        ("ivp_amount", "1.001", "E", "05"),
        ("ivp_amount", "", "E", "02"),
        ("ivp_amount", "54.51", "E", "29"),
        ("ivp_test", "0", "E", "45"),
        ("tran_ref", "040000000000", "E", "22"),
        ("tran_ref", "", "E", "22"),
        ("tran_ref", held.as_str(), "E", "36"),
        ("tran_ref", declined.as_str(), "E", "25"),
    ] {
        let mut fields = base;
        fields.iter_mut().filter(|it| it.0 == field).for_each(|it| it.1 = wrong);
        let answer = telr.follow_with(&fields).await;
        let wanted = (letter.to_owned(), code.to_owned(), "000000000000".to_owned());
        assert_eq!(answer, wanted, "{field} = {wrong}");
    }
    assert_eq!(telr.charge_again(&declined, "A-4").await.1, "57");
    assert_eq!(telr.state().await["refunds"], before);
}

#[tokio::test]
async fn the_published_forms_are_understood_and_answered_alike() {
    let telr = Telr::new().await;
    let published = sample("remote-html.capture");
    let text = published["request"]["raw_body"].as_str().unwrap();
    let auth = telr.paid("ORDER-10001_6a1b", "54.50", "auth").await;
    let text = text.replace("040026532213", &auth);
    let request = telr.client.post(telr.url("/gateway/remote.html")).body(text);
    let kind = "application/x-www-form-urlencoded";
    let answer = read(request.header("content-type", kind)).await.unwrap();
    let wanted = published["response"]["raw_body"].as_str().unwrap();
    let names = |text: &str| -> Vec<String> {
        text.split('&').map(|pair| pair.split('=').next().unwrap().to_owned()).collect()
    };
    let answer = answer.body.as_str().unwrap().to_owned();
    assert_eq!(names(&answer), names(wanted));
    assert!(answer.starts_with("auth_status=A&") && answer.contains("&auth_message=Accepted&"));

    let declined = sample("remote-html.refund-declined");
    let wanted = declined["response"]["raw_body"].as_str().unwrap();
    let fields = [
        ("ivp_store", STORE),
        ("ivp_authkey", REMOTE_KEY),
        ("ivp_trantype", "refund"),
        ("ivp_currency", "AED"),
        ("ivp_amount", "1.00"),
        ("tran_ref", auth.as_str()),
    ];
    let answer = telr.form("/gateway/remote.html", &fields).await;
    assert_eq!(answer.body, wanted, "an authorisation has nothing to refund");
}

#[tokio::test]
async fn xml_is_spoken_as_published() {
    let telr = Telr::new().await;
    let sale = telr.paid("A-1", "54.50", "sale").await;
    let answer = xml(&telr, &refund_xml(&sale, "10.00", "caf\u{e9} &amp; more")).await;
    assert_eq!(answer.header("content-type"), Some("application/xml"));
    let answer = answer.body.as_str().unwrap().to_owned();
    assert_eq!(element(element(&answer, "auth"), "status"), "A");
    assert_eq!(element(&answer, "cartid"), "A-1");
    let published = sample("remote-xml.authorised-response");
    let published = published["response"]["raw_body"].as_str().unwrap();
    let tags = |text: &str| -> Vec<String> {
        let tags = text.split('<').filter_map(|part| part.split_once('>'));
        tags.map(|(tag, _)| tag.to_owned()).collect()
    };
    assert_eq!(tags(&answer), tags(published));

    let arabic = xml(&telr, &refund_xml(&sale, "1.00", "\u{637}\u{644}\u{628}")).await;
    assert_eq!(element(arabic.body.as_str().unwrap(), "code"), "01");
    for broken in ["<remote>", "", "ivp_store=1234"] {
        let answer = xml(&telr, broken).await;
        let answer = answer.body.as_str().unwrap();
        assert_eq!((element(answer, "status"), element(answer, "code")), ("E", "01"), "{broken}");
        assert_eq!(element(answer, "tranref"), "000000000000");
    }
    assert_eq!(telr.linked(&sale).await, ["sale A 54.50", "refund A 10.00"]);
}

#[tokio::test]
async fn json_is_spoken_with_an_envelope_for_errors() {
    let telr = Telr::new().await;
    let sale = telr.paid("A-1", "54.50", "sale").await;
    let body = |amount: &str| {
        json!({
            "method": "transaction", "store": 1234, "authkey": REMOTE_KEY,
            "tran": {
                "type": "refund", "class": "ecom", "test": 1, "currency": "AED",
                "amount": amount, "ref": sale,
            },
        })
    };
    let done = telr.control("/gateway/remote.json", &body("10.00")).await.body;
    let published = json!({ "trace": "", "transaction": {
        "ref": "", "type": "", "class": "", "status": "", "code": "", "message": "",
    } });
    assert_has("remote", &published, &done);
    assert_eq!(done["transaction"]["status"], "A");
    let refused: Value = telr.control("/gateway/remote.json", &body("44.51")).await.body;
    assert_eq!(refused["error"]["message"], "E29:Amount greater than available balance");
    assert!(refused["transaction"].is_null());
    let form = [("ivp_store", STORE), ("ivp_authkey", REMOTE_KEY), ("ivp_trantype", "gift")];
    let refused = telr.form("/gateway/remote.json", &form).await.body;
    assert_eq!(refused["error"]["message"], "E40:Invalid transaction type");
}
