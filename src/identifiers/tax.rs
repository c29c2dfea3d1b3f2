//! Numbers of taxpayers: India's GSTIN and PAN, the UAE's TRN, Saudi Arabia's VAT number.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Fault, IdentifierError, compact, fits};

macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $name:ident;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// The characters, without blanks.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

texts! {
    /// A taxpayer of India's GST: state, PAN, number of the registration, Z, check character.
    Gstin;
    /// A taxpayer of India: five letters, four digits, a letter; the fourth says what it is.
    Pan;
    /// A taxpayer of the UAE's VAT: fifteen digits.
    UaeTrn;
    /// A taxpayer of Saudi Arabia's VAT: fifteen digits that begin and end with 3.
    KsaVat;
}

/// What the fourth letter of a PAN can say: company, person, family, firm, trust and so on.
const HOLDERS: &str = "ABCEFGHJKLPT";

impl Gstin {
    /// Reads a GSTIN.
    ///
    /// # Errors
    /// The check that failed, with what was expected.
    pub fn parse(text: &str) -> Result<Gstin, IdentifierError> {
        const KIND: &str = "GSTIN";
        let text = compact(text);
        fits(KIND, &text, "nnaaaaannnnacZc")?;
        let refuse = |fault| Err(IdentifierError { kind: KIND, fault });
        let state = &text[..2];
        if !state.parse::<u8>().is_ok_and(|it| (1..=38).contains(&it) || it == 97) {
            return refuse(Fault::State { found: state.to_owned() });
        }
        Pan::parse(&text[2..12]).map_err(|error| IdentifierError { kind: KIND, ..error })?;
        if text.as_bytes()[12] == b'0' {
            return refuse(Fault::Character { at: 13, expected: "1 to 9 or a letter" });
        }
        let (expected, found) = (check_character(&text[..14]).to_string(), text[14..].to_owned());
        if expected != found {
            return refuse(Fault::Check { part: "character", expected, found });
        }
        Ok(Gstin(text))
    }

    /// The state's two digits: they decide between CGST with SGST, and IGST.
    pub fn state(&self) -> &str {
        &self.0[..2]
    }
}

/// Every second character counts twice; both digits of a product, in base 36, are added up.
fn check_character(text: &str) -> char {
    let sum: u32 = text
        .chars()
        .filter_map(|c| c.to_digit(36))
        .zip([1, 2].iter().cycle())
        .map(|(value, factor)| value * factor / 36 + value * factor % 36)
        .sum();
    let digit = char::from_digit((36 - sum % 36) % 36, 36);
    digit.unwrap_or_default().to_ascii_uppercase()
}

impl Pan {
    /// Reads a PAN.
    ///
    /// # Errors
    /// The check that failed.
    pub fn parse(text: &str) -> Result<Pan, IdentifierError> {
        const KIND: &str = "PAN";
        let text = compact(text);
        fits(KIND, &text, "aaaaannnna")?;
        let refuse = |fault| Err(IdentifierError { kind: KIND, fault });
        if &text[5..9] == "0000" {
            return refuse(Fault::Form { expected: "with a number above 0000 in the middle" });
        }
        if !HOLDERS.contains(&text[3..4]) {
            let expected = "one of A, B, C, E, F, G, H, J, K, L, P, T: what the holder is";
            return refuse(Fault::Character { at: 4, expected });
        }
        Ok(Pan(text))
    }
}

impl UaeTrn {
    /// Reads a TRN.
    ///
    /// # Errors
    /// The check that failed.
    pub fn parse(text: &str) -> Result<UaeTrn, IdentifierError> {
        let text = compact(text).replace('-', "");
        fits("UAE TRN", &text, "nnnnnnnnnnnnnnn").map(|()| UaeTrn(text))
    }
}

impl KsaVat {
    /// Reads a VAT number.
    ///
    /// # Errors
    /// The check that failed.
    pub fn parse(text: &str) -> Result<KsaVat, IdentifierError> {
        let text = compact(text);
        fits("KSA VAT number", &text, "3nnnnnnnnnnnnn3").map(|()| KsaVat(text))
    }
}

/// What a tax number is, as the field names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaxIdType {
    /// TRN of the United Arab Emirates.
    AeTrn,
    /// VAT number of Saudi Arabia.
    SaVat,
    /// GSTIN of India.
    InGst,
}

/// A tax number whose form was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Unchecked", deny_unknown_fields)]
pub struct TaxId {
    /// What it is.
    #[serde(rename = "type")]
    kind: TaxIdType,
    /// The number, without blanks.
    #[schema(example = "100000000000003", max_length = 40)]
    value: String,
}

/// A tax number as it came.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    #[serde(rename = "type")]
    kind: TaxIdType,
    value: String,
}

impl TryFrom<Unchecked> for TaxId {
    type Error = IdentifierError;

    fn try_from(Unchecked { kind, value }: Unchecked) -> Result<Self, IdentifierError> {
        let value = match kind {
            TaxIdType::AeTrn => UaeTrn::parse(&value)?.0,
            TaxIdType::SaVat => KsaVat::parse(&value)?.0,
            TaxIdType::InGst => Gstin::parse(&value)?.0,
        };
        Ok(Self { kind, value })
    }
}

impl TaxId {
    /// ISO 3166 alpha-2 of the country whose number it is.
    pub fn country(&self) -> &'static str {
        match self.kind {
            TaxIdType::AeTrn => "AE",
            TaxIdType::SaVat => "SA",
            TaxIdType::InGst => "IN",
        }
    }

    /// The number, without blanks.
    pub fn as_str(&self) -> &str {
        &self.value
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_vectors_are_told_apart_with_their_reason() {
        let vectors = include_str!("../../tests/fixtures/identifiers/gstin.json");
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        for valid in vectors["valid"].as_array().unwrap() {
            let gstin = Gstin::parse(valid.as_str().unwrap()).unwrap();
            assert_eq!(gstin.state(), &valid.as_str().unwrap()[..2]);
        }
        for invalid in vectors["invalid"].as_array().unwrap() {
            let error = Gstin::parse(invalid["value"].as_str().unwrap()).unwrap_err();
            let fits = match invalid["why"].as_str().unwrap() {
                "check character" => matches!(error.fault, Fault::Check { .. }),
                "length" => matches!(error.fault, Fault::Length { expected: 15, found: 14 }),
                "state code (and check character)" => matches!(error.fault, Fault::State { .. }),
                _ => false,
            };
            assert!(fits, "{invalid}: {error}");
        }
    }

    #[test]
    fn other_taxpayers_are_told_by_their_form() {
        assert_eq!(Pan::parse("AAPFU0939F").unwrap().as_str(), "AAPFU0939F");
        assert!(Pan::parse("AAPDU0939F").is_err() && Pan::parse("AAPFU0000F").is_err());
        assert_eq!(UaeTrn::parse("100 1234 5678 9003").unwrap().as_str(), "100123456789003");
        assert!(UaeTrn::parse("10012345678900").is_err());
        assert_eq!(KsaVat::parse("310122393500003").unwrap().as_str(), "310122393500003");
        let error = KsaVat::parse("310122393500004").unwrap_err().to_string();
        assert_eq!(error, "not a valid KSA VAT number: character 15 must be the digit 3");
    }
}
