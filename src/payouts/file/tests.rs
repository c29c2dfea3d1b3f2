//! Files of banks, held against what stands in them.

#![allow(clippy::unwrap_used)]

use mizan_money::Currency;

use super::*;
use crate::config::{Config, PayoutsConfig};
use crate::payouts::bank_account::{Said, Scheme};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn payment(n: u128, amount: i64, currency: Currency, said: &Said<'_>) -> Payment {
    Payment {
        payout: PayoutId::from_uuid(uuid::Uuid::from_u128(n)),
        payee: format!("V{n}"),
        rail: "bank".to_owned(),
        amount: Money::new(amount, currency),
        to: said.check().unwrap(),
    }
}

const DE: Said<'_> = Said {
    holder: "Düft & Söhne GmbH",
    town: Some("Köln"),
    iban: Some("DE89370400440532013000"),
    account_number: None,
    routing: None,
    gateway: None,
    bic: Some("COBADEFF"),
    country: "DE",
    currency: "EUR",
};

fn contents(payments: Vec<Payment>) -> Contents {
    Contents {
        id: PayoutFileId::from_uuid(uuid::Uuid::from_u128(1)),
        made_at: time("2026-03-07T06:00:00Z"),
        execution: working_day("2026-03-07".parse().unwrap()),
        payments,
    }
}

fn rules(settings: &str) -> PayoutsConfig {
    let path = std::path::Path::new("test.toml");
    Config::from_parts(Some((path, settings)), []).unwrap().payouts
}

const DEBTOR: &str = "[payouts]\ndebtor_name = \"Geur Platform BV\"\n\
                      debtor_iban = \"NL91ABNA0417164300\"\n";

#[test]
fn each_currency_and_service_is_a_batch_with_its_own_sum() {
    let india = Said {
        holder: "Rang \"Ltd\", <Pune>",
        iban: None,
        account_number: Some("123456789"),
        routing: Some((Scheme::Ifsc, "HDFC0001234")),
        bic: None,
        country: "IN",
        currency: "INR",
        ..DE
    };
    let kuwait = Said {
        iban: Some("KW81CBKU0000000000001234560101"),
        bic: None,
        country: "KW",
        currency: "KWD",
        ..DE
    };
    let mut wire = payment(4, 700, Currency::EUR, &DE);
    wire.rail = "wire".to_owned();
    let all = vec![
        payment(1, 123_456, Currency::EUR, &DE),
        payment(2, 8_910, Currency::EUR, &DE),
        payment(3, 10_802, Currency::KWD, &kuwait),
        wire,
        payment(5, 100, Currency::INR, &india),
    ];
    let text = pain::write(&contents(all), &rules(DEBTOR)).unwrap();
    let count = |part: &str| text.matches(part).count();
    assert_eq!((count("<PmtInf>"), count("<CdtTrfTxInf>")), (4, 5));
    // Saturday's file is executed on Monday.
    assert_eq!(count("<Dt>2026-03-09</Dt>"), 4);
    assert!(text.contains("<CtrlSum>1342.462</CtrlSum>"), "{text}");
    assert!(text.contains("<CtrlSum>1323.66</CtrlSum>"), "{text}");
    assert!(text.contains("<InstdAmt Ccy=\"KWD\">10.802</InstdAmt>"));
    assert!(text.contains("<Nm>Dueft + Soehne GmbH</Nm>"), "{text}");
    assert!(text.contains("Rang &quot;Ltd&quot;, &lt;Pune&gt;"), "{text}");
    assert!(text.contains("<Cd>INFSC</Cd>") && text.contains("<MmbId>HDFC0001234</MmbId>"));
    let names = text.split("<EndToEndId>").skip(1);
    let names: Vec<&str> = names.filter_map(|rest| rest.split('<').next()).collect();
    assert!(names.len() == 5 && names.iter().all(|name| name.len() == 35), "{names:?}");
}

#[test]
fn what_cannot_be_said_names_the_way_out() {
    let arabic = Said { holder: "متجر العطور", ..DE };
    let one = contents(vec![payment(1, 1, Currency::EUR, &arabic)]);
    let says = |settings| pain::write(&one, &rules(settings)).unwrap_err().to_string();
    assert!(says(DEBTOR).contains("V1 cannot be spelled in SEPA's letters"));
    assert!(says("").contains("payouts.debtor_name is missing; or take the file as `csv`"));
    let mistyped = DEBTOR.replace("NL91", "NL92");
    assert!(says(&mistyped).contains("the check digits should be 91"));
}

#[test]
fn a_table_has_a_line_for_each_payment_and_quotes_what_needs_it() {
    let said = Said { holder: "Rang \"Ltd\", Pune", ..DE };
    let text = csv::write(&contents(vec![payment(7, 500, Currency::JPY, &said)]));
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("payout,reference,payee,holder,iban"));
    let hex = "00000000000000000000000000000007";
    assert_eq!(
        lines[1],
        format!(
            "po_{hex},PO-{hex},V7,\"Rang \"\"Ltd\"\", Pune\",DE89370400440532013000,,,,COBADEFF,\
             DE,JPY,500,2026-03-09"
        )
    );
}
