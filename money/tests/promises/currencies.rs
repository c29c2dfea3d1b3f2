//! Which currencies are known, and with how many decimals.

use std::collections::BTreeMap;

use mizan_money::Currency;
use utoipa::PartialSchema;

/// ISO 4217 list one of 2026-01-01, by decimals.
const BY_EXPONENT: [(u32, &str); 4] = [
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
    (
        2,
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN \
         BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD \
         FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW \
         KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR \
         MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG \
         SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD \
         USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG",
    ),
];

#[test]
fn every_supported_currency_has_the_exponent_of_the_standard() {
    let expected: BTreeMap<&str, u32> = BY_EXPONENT
        .iter()
        .flat_map(|(exponent, codes)| codes.split(' ').map(|code| (code, *exponent)))
        .collect();
    let supported: BTreeMap<&str, u32> =
        Currency::all().map(|currency| (currency.code(), currency.exponent())).collect();

    assert_eq!(supported, expected);
    assert_eq!(Currency::all().count(), 17 + 7 + 2 + 139);
}

#[test]
fn the_named_constants_are_what_their_code_parses_to() {
    let named = [
        ("AED", Currency::AED),
        ("SAR", Currency::SAR),
        ("USD", Currency::USD),
        ("EUR", Currency::EUR),
        ("INR", Currency::INR),
        ("KWD", Currency::KWD),
        ("BHD", Currency::BHD),
        ("OMR", Currency::OMR),
        ("JPY", Currency::JPY),
        ("GBP", Currency::GBP),
    ];
    for (code, constant) in named {
        assert_eq!(Currency::parse(code), Ok(constant));
        assert_eq!(constant.code(), code);
    }
}

#[test]
fn withdrawn_codes_metals_test_codes_and_other_spellings_are_refused() {
    let withdrawn = "BGN CUC HRK SLL ZWL ANG";
    let without_exponent = "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX";
    for code in withdrawn.split(' ').chain(without_exponent.split(' ')) {
        assert!(Currency::parse(code).is_err(), "{code} was accepted");
    }
    for text in ["", "aed", "Aed", "AE", "AEDX", " AED", "AED ", "ÄED", "A\0D"] {
        assert!(Currency::parse(text).is_err(), "{text:?} was accepted");
    }
}

#[test]
fn a_refused_code_is_named_but_a_long_text_is_cut() {
    assert_eq!(
        Currency::parse("ZWL").unwrap_err().to_string(),
        "\"ZWL\" is not an active ISO 4217 currency with decimals; \
         send three upper-case letters such as \"AED\""
    );
    let message = Currency::parse(&"x".repeat(10_000)).unwrap_err().to_string();
    assert!(message.starts_with("\"xxxxxxxx\" is not"), "{message}");
}

#[test]
fn currencies_sort_by_their_code() {
    let codes: Vec<_> = Currency::all().map(Currency::code).collect();
    let mut sorted: Vec<_> = Currency::all().collect();
    sorted.sort();

    assert!(codes.is_sorted());
    assert_eq!(sorted.into_iter().map(Currency::code).collect::<Vec<_>>(), codes);
}

#[test]
fn a_currency_travels_as_its_code() {
    for currency in Currency::all() {
        let text = serde_json::to_string(&currency).unwrap();
        assert_eq!(text, format!("\"{currency}\""));
        assert_eq!(serde_json::from_str::<Currency>(&text).unwrap(), currency);
        assert_eq!(currency.to_string().parse::<Currency>().unwrap(), currency);
    }
    assert!(serde_json::from_str::<Currency>("\"BGN\"").is_err());
    assert!(serde_json::from_str::<Currency>("784").is_err());
}

#[test]
fn the_schema_of_a_currency_is_three_letters() {
    let schema = serde_json::to_value(Currency::schema()).unwrap();
    assert_eq!(schema["type"], "string");
    assert_eq!(schema["pattern"], "^[A-Z]{3}$");
}
